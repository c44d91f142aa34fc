//! Looking at e.net: whether it is there, lets the operator in, and lets it read tables.
//!
//! A session is the operator's only one. So a log-on that runs use already is looked at under their
//! lease and with their session; a new one with a session of its own, which is left at the end.

use super::{Check, check::AGAIN};
use crate::{
    config::{Bounds, Config},
    connection::{Connection, Enet},
    credentials,
    fault::Fault,
    platform::Platform,
    send::{Halt, Seat, Sender},
    store::{
        Rows, Store,
        connections::{self, Stored},
        rows_as,
    },
    syspro::{
        enet::{self, Find, Profile},
        session::Refused,
    },
};

const LOGON: &str = "enet_logon";
const COMFND: &str = "enet_comfnd";
const CURRENCY: &str = "enet_local_currency";

/// What was learned of e.net. A connection without it has nothing to be looked at.
#[derive(Default)]
pub struct Found {
    /// A new log-on that was refused: runs do not try it again at once.
    pub refused: Option<Refused>,
    pub checks: Vec<Check>,
}

pub async fn look<P: Platform>(
    platform: &P,
    config: &Config,
    connection: &Connection,
    bounds: Bounds,
) -> Found {
    if connection.syspro.enet.is_none() {
        return Found::default();
    }
    let read = platform.batch(&[connections::one(&connection.id)]).await;
    let used = read
        .ok()
        .and_then(|mut rows| first(rows.pop().unwrap_or_default()))
        .filter(|stored| !stored.portal.is_empty() && is_in_use(config, stored, connection));
    match used {
        Some(stored) => Found {
            refused: None,
            checks: with_the_runs(platform, config, connection, &stored, bounds).await,
        },
        None => {
            let seat = Seat::restore(&config.keys, &connection.id, None);
            let sender = Sender::new(platform, connection, None, None, bounds).seated(seat);
            let checks = ask(&sender, connection).await;
            sender.leave().await;
            Found {
                refused: sender.log_on_refused(),
                checks,
            }
        }
    }
}

fn first(rows: Rows) -> Option<Stored> {
    rows_as(rows).ok()?.into_iter().next()
}

/// Whether runs log on with these very words.
fn is_in_use(config: &Config, stored: &Stored, connection: &Connection) -> bool {
    let words = |connection: &Connection| {
        let enet = connection.syspro.enet.clone()?;
        let Enet {
            url,
            operator,
            operator_password,
            company_password,
        } = enet;
        Some((url, operator, operator_password, company_password))
    };
    let opened = credentials::open(&config.keys, stored);
    opened.is_ok_and(|before| words(&before) == words(connection))
}

async fn with_the_runs<P: Platform>(
    platform: &P,
    config: &Config,
    connection: &Connection,
    stored: &Stored,
    bounds: Bounds,
) -> Vec<Check> {
    let mut random = [0; 8];
    platform.random(&mut random);
    let owner = format!("set-up {}", u64::from_le_bytes(random));
    let read = connections::one(&connection.id);
    let claimed = Store::claim(platform, &stored.portal, &owner, read).await;
    let (store, rows) = match claimed {
        Ok(Some(claimed)) => claimed,
        Ok(None) => {
            let busy = "a run under way uses the session";
            let later = format!("Wait some minutes until the run is over; then {AGAIN}.");
            let log_on = Check::not_looked_at(LOGON, busy, later);
            return optional(vec![log_on, Check::waits_for(COMFND, LOGON)]);
        }
        Err(error) => return optional(vec![Check::halted(LOGON, &Halt::Store(error))]),
    };
    // Only now is it the session that holds.
    let session = first(rows).and_then(|stored| stored.session);
    let seat = Seat::restore(&config.keys, &connection.id, session.as_deref());
    let found_one = seat.is_taken();
    let sender = Sender::new(platform, connection, None, Some(&store), bounds).seated(seat);
    let checks = ask(&sender, connection).await;
    if !found_one {
        sender.leave().await;
    }
    let save = sender.session_to_save();
    // Whoever took the lease meanwhile knows better.
    let _ = store.release(save.into_iter().collect(), None, None).await;
    checks
}

async fn ask<P: Platform>(sender: &Sender<'_, P>, connection: &Connection) -> Vec<Check> {
    let there = sender
        .enet_without_session(enet::version, enet::read_version)
        .await;
    let profile = match there {
        Ok(()) => sender.enet(enet::profile, enet::read_profile).await,
        Err(halt) => Err(halt),
    };
    let profile = match profile {
        Ok(profile) => profile,
        Err(halt) => {
            return optional(vec![told(LOGON, &halt), Check::waits_for(COMFND, LOGON)]);
        }
    };
    let mut checks = vec![Check::passed(LOGON), tables(sender).await];
    checks.extend(currency(&profile, connection));
    optional(checks)
}

/// One row of a table that every SYSPRO has.
async fn tables<P: Platform>(sender: &Sender<'_, P>) -> Check {
    let find = Find {
        table: "TblArTerms",
        columns: &["TermsCode"],
        key: &["TermsCode"],
        rows: 1,
    };
    let xml = enet::find(&find, None);
    let query = |line: &_, id: &_| enet::query(line, id, "COMFND", &xml);
    let read = sender.enet(query, |answer| enet::read_rows(&find, answer));
    match read.await {
        Ok(_) => Check::passed(COMFND),
        Err(halt) => told(COMFND, &halt),
    }
}

/// SYSPRO's code is often `$`, which says nothing.
fn currency(profile: &Profile, connection: &Connection) -> Option<Check> {
    let ours = &connection.syspro.local_currency;
    let theirs = &profile.local_currency;
    let iso = theirs.len() == 3 && theirs.bytes().all(|byte| byte.is_ascii_uppercase());
    (iso && theirs != ours).then(|| {
        Check::failed(
            CURRENCY,
            format!("The connection says that SYSPRO's local currency is {ours}; SYSPRO says {theirs}."),
            format!("If SYSPRO is right, PATCH the connection with `{theirs}` as `syspro.local_currency`."),
        )
    })
}

fn told(name: &str, halt: &Halt) -> Check {
    match halt {
        Halt::Fault(fault @ Fault::Refused { .. }) => {
            let reason = enet::reason(fault);
            Check::failed(name, reason.reason, reason.remedy)
        }
        halt => Check::halted(name, halt),
    }
}

/// Without e.net, records go on, at most without the words for their codes.
fn optional(checks: Vec<Check>) -> Vec<Check> {
    let optional = |check: Check| Check {
        optional: !check.ok,
        ..check
    };
    checks.into_iter().map(optional).collect()
}
