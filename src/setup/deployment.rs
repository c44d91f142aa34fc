//! Looking at the deployment itself: whether its master key opens what is stored, and whether cron
//! comes. D1 tells both; nothing is asked of Cloudflare.

use serde::de::DeserializeOwned;

use super::Check;
use crate::{
    config::Config,
    platform::{HOUR, MINUTE, Millis, Platform, StoreError},
    store::{
        Rows,
        checks::{self, Ran, Sealed},
        rows_as,
    },
    vault::MasterKeys,
};

pub const MASTER_KEY: &str = "deployment_master_key";
const CRON: &str = "deployment_cron";

/// Connections that are broken are probed this often.
const PROBE: Millis = HOUR;

const LOOK_AT_CRON: &str = "See that `[triggers]` stands in wrangler.toml and was deployed (`make deploy`), and look at the Worker's cron events in Cloudflare's dashboard.";

pub fn is_of(check: &Check) -> bool {
    check.name.starts_with("deployment_")
}

pub async fn look<P: Platform>(platform: &P, config: &Config) -> Vec<Check> {
    let now = platform.now();
    let rows = platform.batch(&[checks::sealed(), checks::ran(now)]).await;
    told(rows, config, now)
}

/// None of them stops a connection: what is wrong here is wrong with others, or with cron.
fn told(rows: Result<Vec<Rows>, StoreError>, config: &Config, now: Millis) -> Vec<Check> {
    let mut rows = rows.map(Vec::into_iter);
    let mut next = || match &mut rows {
        Ok(rows) => Ok(rows.next().unwrap_or_default()),
        Err(error) => Err(error.clone()),
    };
    let key = read(MASTER_KEY, next(), |sealed| {
        master_key(&config.keys, &sealed)
    });
    let cron = read(CRON, next(), |ran: Vec<Ran>| {
        let ran = ran.into_iter().next().unwrap_or_default();
        cron(&ran, config.stale_after(), now)
    });
    let optional = |check: Check| Check {
        optional: !check.ok,
        ..check
    };
    [key, cron].map(optional).into()
}

fn read<T: DeserializeOwned>(
    name: &str,
    rows: Result<Rows, StoreError>,
    judge: impl FnOnce(Vec<T>) -> Check,
) -> Check {
    match rows.and_then(rows_as) {
        Ok(rows) => judge(rows),
        Err(_) => Check::no_database(name),
    }
}

/// What is sealed of the connection at hand opens, or nothing would have been looked at: whatever is
/// wrong here is wrong with others.
fn master_key(keys: &MasterKeys, sealed: &[Sealed]) -> Check {
    let newest = keys.version();
    let under = |version: &str| {
        let mut other = sealed.iter().filter(|it| it.version == version);
        other.next().map_or(0, |it| it.connections)
    };
    let others: Vec<&Sealed> = sealed.iter().filter(|it| it.version != newest).collect();
    let unknown: Vec<String> = others
        .iter()
        .filter(|it| !keys.knows(&it.version))
        .map(|it| format!("{} ({})", it.version, in_connections(it.connections)))
        .collect();
    if !unknown.is_empty() {
        return Check::failed(
            MASTER_KEY,
            format!(
                "Secrets are stored under master keys this deployment does not hold: {}.",
                unknown.join(", ")
            ),
            "Set that key as MASTER_KEY_PREVIOUS and call `POST /keys/rotate`; if it is lost, give those connections their secrets anew.",
        );
    }
    match others.first() {
        None => Check {
            why: format!("Secrets are sealed under master key {newest}."),
            ..Check::passed(MASTER_KEY)
        },
        Some(previous) => Check::failed(
            MASTER_KEY,
            format!(
                "Secrets of {} are still sealed under the previous master key {}; {} under the newest, {newest}.",
                in_connections(previous.connections),
                previous.version,
                under(newest),
            ),
            "Call `POST /keys/rotate` until nothing remains, then remove MASTER_KEY_PREVIOUS.",
        ),
    }
}

fn in_connections(count: u64) -> String {
    match count {
        1 => "1 connection".to_owned(),
        count => format!("{count} connections"),
    }
}

/// A tick leaves its trace only where a connection runs: without one, nothing is known.
fn cron(ran: &Ran, tick: Millis, now: Millis) -> Check {
    let patience = match ran.active.unwrap_or_default() {
        0 => PROBE + tick,
        _ => tick,
    };
    let lately = |at: Option<Millis>| at.is_some_and(|at| now - at <= patience);
    if lately(ran.ran_at) {
        Check::passed(CRON)
    } else if ran.began_at.is_none() || lately(ran.began_at) {
        Check::not_looked_at(
            CRON,
            "no connection has had a run yet that would show it",
            format!("Look again ten minutes after a connection became active. {LOOK_AT_CRON}"),
        )
    } else {
        let since = ran.ran_at.or(ran.began_at).unwrap_or(now);
        let minutes = (now - since) / MINUTE;
        Check::failed(
            CRON,
            format!(
                "No run has ended for {minutes} minutes: cron does not come, or its runs are cut off."
            ),
            LOOK_AT_CRON,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_does_not_answer_stops_no_connection() {
        let config = Config::read(|name| {
            let set = match name {
                "ADMIN_TOKEN" => "canary-admin-token",
                "MASTER_KEY" => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                _ => return None,
            };
            Some(set.to_owned())
        })
        .expect("a configuration");
        let told = told(Err(StoreError::Unknown), &config, 0);
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|it| !it.ok && it.optional && it.unknown));
    }
}
