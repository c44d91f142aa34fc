//! Whether a connection had a good run lately, told also when nothing runs at all: it is judged when
//! somebody asks, not by a run.

use serde_json::{Value, json};

use crate::{
    config::Config,
    fault::Reason,
    platform::{MINUTE, Millis},
    store::connections::{State, Stored},
};

/// Adds to a connection as it is shown how old its last good run is, and what to do about it.
pub fn add(shown: &mut Value, stored: &Stored, config: &Config, now: Millis) {
    let runs = matches!(stored.state, State::Active | State::Broken);
    let age = runs.then(|| (now - stored.good_at(now)).max(0));
    let limit = config.stale_after();
    let reason = age
        .filter(|age| *age > limit)
        .map(|age| reason(stored, age, now - limit));
    shown["stale"] = json!(reason.is_some());
    shown["last_good_run_age_seconds"] = json!(age.map(|age| age / 1000));
    shown["stale_reason"] = json!(reason);
}

fn reason(stored: &Stored, age: Millis, limit: Millis) -> Reason {
    let minutes = age / MINUTE;
    let probed = stored.state == State::Broken;
    match probed || stored.last_run_at.is_some_and(|last| last >= limit) {
        true => Reason::new(
            "no_good_run",
            format!("It has had no good run for {minutes} minutes."),
            "See its `reason` and `parks`, and GET /connections/{id}/runs for what stands in the way.",
        ),
        false => Reason::new(
            "no_run",
            format!(
                "It has had no run for {minutes} minutes: nothing wakes the Worker, or it fails before it begins."
            ),
            "In the Cloudflare dashboard look at the Worker's cron trigger and its logs; `crons` in wrangler.toml sets the trigger.",
        ),
    }
}
