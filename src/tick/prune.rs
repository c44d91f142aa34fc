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
/// Statements of one slice, and of what stands around them.
const A_SLICE: u32 = 2;
const AROUND: u32 = 2;
/// Fewer statements do not get it on.
pub const LEAST_STATEMENTS: u32 = A_SLICE + AROUND;

/// Whether it was not done within a day. `last` is when it was, as the tick's own connections tell;
/// nothing where there are none to tell.
pub fn may_be_due(last: Option<Option<Millis>>, now: Millis) -> bool {
    // A time ahead was written by a wrong clock and counts as past.
    let done = |last: Millis| (0..DAY).contains(&(now - last));
    !last.flatten().is_some_and(done)
}

/// Prunes with at most `room` statements.
pub async fn prune<P: Platform>(
    platform: &P,
    retention_days: u32,
    last: Option<Option<Millis>>,
    room: u32,
) {
    let most = SLICES.min(room.saturating_sub(AROUND) / A_SLICE);
    if let Err(error) = slices(platform, retention_days, last, most).await {
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
    most: u32,
) -> Result<(), StoreError> {
    let now = platform.now();
    if last.is_none() {
        let mut rows = platform.batch(&[upkeep::done_at(upkeep::PRUNE)]).await?;
        let done: Vec<Done> = rows_as(rows.pop().unwrap_or_default())?;
        if !may_be_due(Some(done.first().map(|done| done.done_at)), now) {
            return Ok(());
        }
    }
    let before = now - i64::from(retention_days) * DAY;
    for _ in 0..most {
        let pruned = platform.batch(&upkeep::prune(before, SLICE)).await?;
        let full = |rows: &Vec<_>| rows.len() >= SLICE as usize;
        if !pruned.iter().any(full) {
            platform.batch(&[upkeep::done(upkeep::PRUNE, now)]).await?;
            break;
        }
    }
    Ok(())
}
