//! Retention: once a day, what is older than the deployment keeps is deleted from audit and runs.

use serde::Deserialize;
use serde_json::json;

use crate::{
    platform::{DAY, Millis, Platform, StoreError},
    store::{rows_as, upkeep},
};

/// Rows deleted by one statement, and how many times in one tick: the rest is the next one's.
const SLICE: u32 = 1_000;
const SLICES: u32 = 5;
/// The most statements it takes.
pub const STATEMENTS: u32 = 2 * SLICES + 2;

/// Prunes unless that was done within a day. `last` is when, as the tick's own connections tell;
/// nothing where there are none to tell.
pub async fn prune<P: Platform>(platform: &P, retention_days: u32, last: Option<Option<Millis>>) {
    if let Err(error) = slices(platform, retention_days, last).await {
        // The next tick tries again.
        let line = json!({ "event": "prune_failed", "why": format!("{error:?}") });
        platform.log(&line.to_string());
    }
}

#[derive(Deserialize)]
struct Done {
    done_at: Millis,
}

async fn slices<P: Platform>(
    platform: &P,
    retention_days: u32,
    last: Option<Option<Millis>>,
) -> Result<(), StoreError> {
    let now = platform.now();
    let last = match last {
        Some(last) => last,
        None => {
            let mut rows = platform.batch(&[upkeep::done_at(upkeep::PRUNE)]).await?;
            let done: Vec<Done> = rows_as(rows.pop().unwrap_or_default())?;
            done.first().map(|done| done.done_at)
        }
    };
    // A time ahead was written by a wrong clock and counts as past.
    if last.is_some_and(|last| (0..DAY).contains(&(now - last))) {
        return Ok(());
    }
    let before = now - i64::from(retention_days) * DAY;
    for _ in 0..SLICES {
        let pruned = platform.batch(&upkeep::prune(before, SLICE)).await?;
        let full = |rows: &Vec<_>| rows.len() >= SLICE as usize;
        if !pruned.iter().any(full) {
            platform.batch(&[upkeep::done(upkeep::PRUNE, now)]).await?;
            break;
        }
    }
    Ok(())
}
