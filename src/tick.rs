//! A tick: one cron call. Every connection that is due gets its run, one after another, the one that
//! waited longest first; what one of them spends is not there for the next.

mod prune;

use std::time::Duration;

use serde_json::json;

use crate::{
    config::{Bounds, Config},
    platform::{Millis, Platform, StoreError},
    run::run,
    store::{
        connections::{self, Runnable},
        rows_as,
    },
};

/// Less than this is not worth beginning a run with.
const LEAST_TIME: Duration = Duration::from_secs(20);
const LEAST_STATEMENTS: u32 = 12;

pub async fn tick<P: Platform>(platform: &P, config: &Config) {
    let began = platform.now();
    let runnable = match runnable(platform).await {
        Ok(runnable) => runnable,
        Err(error) => {
            // The next tick asks again; `/health` tells when none gets through.
            let line = json!({ "event": "tick_failed", "why": format!("{error:?}") });
            platform.log(&line.to_string());
            return;
        }
    };
    let mut config = config.clone();
    let pruned_at = runnable.first().map(|it| it.pruned_at);
    let prunes = prune::may_be_due(pruned_at, began);
    // Set aside: connections that always spend all there is must not keep the rest for ever.
    let reserved = if prunes { prune::LEAST_STATEMENTS } else { 0 };
    config.bounds.max_queries = config.bounds.max_queries.saturating_sub(1 + reserved);
    for due in &runnable {
        let left = left_of(config.bounds, began, platform.now());
        if left.run_for < LEAST_TIME || left.max_queries < LEAST_STATEMENTS {
            break;
        }
        let mut this = config.clone();
        this.bounds = left;
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

async fn runnable<P: Platform>(platform: &P) -> Result<Vec<Runnable>, StoreError> {
    let mut rows = platform.batch(&[connections::runnable()]).await?;
    rows_as(rows.pop().unwrap_or_default())
}

fn left_of(bounds: Bounds, began: Millis, now: Millis) -> Bounds {
    let spent = Duration::from_millis((now - began).max(0).unsigned_abs());
    Bounds {
        run_for: bounds.run_for.saturating_sub(spent),
        ..bounds
    }
}
