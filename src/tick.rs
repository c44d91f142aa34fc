//! A tick: one cron call. Every connection that is due gets its run, the one that waited longest first.
//!
//! Where the deployment has a queue, a tick only says whose turn it is: each run is an invocation of its
//! own, and what it leaves goes on at once. Without one the runs follow each other here, what one of them
//! spends is not there for the next, and what is left waits for the next tick.

mod prune;
mod turns;

use std::time::Duration;

use serde_json::json;

use crate::{
    config::{Bounds, Config},
    platform::{HOUR, Millis, Platform, StoreError},
    run::{Due, run},
    store::{
        connections::{self, Runnable, State},
        rows_as,
    },
};

pub use turns::{Heard, Turns};

/// Less than this is not worth beginning a run with.
const LEAST_TIME: Duration = Duration::from_secs(20);
const LEAST_STATEMENTS: u32 = 12;
/// A broken connection is probed this often.
const PROBE: Millis = HOUR;

/// Runs all that are due.
pub async fn tick<P: Platform>(platform: &P, config: &Config) {
    let began = platform.now();
    let Some(runnable) = runnable(platform).await else {
        return;
    };
    let mut config = config.clone();
    let pruned_at = runnable.first().map(|it| it.pruned_at);
    let prunes = prune::may_be_due(pruned_at, began);
    // Set aside: connections that always spend all there is must not keep the rest for ever.
    let reserved = if prunes { prune::LEAST_STATEMENTS } else { 0 };
    config.bounds.max_queries = config.bounds.max_queries.saturating_sub(1 + reserved);
    for due in runnable.iter().filter(|due| !rests(due, began)) {
        let left = left_of(config.bounds, began, platform.now());
        if left.run_for < LEAST_TIME || left.max_queries < LEAST_STATEMENTS {
            break;
        }
        let mut this = config.clone();
        this.bounds = left;
        let due = Due {
            id: &due.id,
            portal: &due.portal,
        };
        let spent = run(platform, &this, due).await;
        let bounds = &mut config.bounds;
        bounds.max_queries = bounds.max_queries.saturating_sub(spent.statements);
        bounds.max_calls = bounds.max_calls.saturating_sub(spent.calls);
        bounds.max_rows = bounds.max_rows.saturating_sub(spent.rows);
        bounds.max_bytes = bounds.max_bytes.saturating_sub(spent.bytes);
    }
    if prunes {
        let room = config.bounds.max_queries + reserved;
        prune::prune(platform, config.retention_days, pruned_at, room).await;
    }
}

/// Runs nothing, and answers whose turn it is: what a queue is to be told.
pub async fn turns<P: Platform>(platform: &P, config: &Config) -> Vec<Turns> {
    let now = platform.now();
    let Some(mut runnable) = runnable(platform).await else {
        return Vec::new();
    };
    let pruned_at = runnable.first().map(|it| it.pruned_at);
    if prune::may_be_due(pruned_at, now) {
        let room = config.bounds.max_queries.saturating_sub(1);
        prune::prune(platform, config.retention_days, pruned_at, room).await;
    }
    runnable.retain(|due| !rests(due, now));
    Turns::of(runnable)
}

/// Nothing when the database does not tell: the next tick asks again, and `/health` tells when none
/// gets through.
async fn runnable<P: Platform>(platform: &P) -> Option<Vec<Runnable>> {
    let read = async {
        let mut rows = platform.batch(&[connections::runnable()]).await?;
        rows_as(rows.pop().unwrap_or_default())
    };
    let read: Result<_, StoreError> = read.await;
    read.inspect_err(|error| {
        let line = json!({ "event": "tick_failed", "why": format!("{error:?}") });
        platform.log(&line.to_string());
    })
    .ok()
}

/// Whether it is too soon to try a broken connection again. What another isolate, which holds other
/// keys, could not open is judged anew each time: that asks nothing of anybody.
fn rests(due: &Runnable, now: Millis) -> bool {
    let probed = due.last_run_at.unwrap_or(0);
    let ailing = due.state == State::Broken && due.asked == 0 && due.shut == 0;
    ailing && (0..PROBE).contains(&(now - probed))
}

fn left_of(bounds: Bounds, began: Millis, now: Millis) -> Bounds {
    let spent = Duration::from_millis((now - began).max(0).unsigned_abs());
    Bounds {
        run_for: bounds.run_for.saturating_sub(spent),
        ..bounds
    }
}
