//! A tick: one cron call. Every connection that is due gets its run, one after another, the one that
//! waited longest first; what one of them spends is not there for the next.

use std::time::Duration;

use crate::{
    config::{Bounds, Config},
    platform::{Millis, Platform, StoreError},
    run::{Ended, run},
    store::{
        connections::{self, Stored},
        rows_as,
    },
};

/// Less than this is not worth beginning a run with.
const LEAST_TIME: Duration = Duration::from_secs(20);
const LEAST_STATEMENTS: u32 = 12;

pub async fn tick<P: Platform>(platform: &P, config: &Config) {
    let began = platform.now();
    let stored = match due(platform).await {
        Ok(stored) => stored,
        Err(error) => {
            // The next tick asks again; `/health` tells when none gets through.
            platform.log(&format!(
                "{{\"event\":\"tick_failed\",\"why\":\"{error:?}\"}}"
            ));
            return;
        }
    };
    let mut config = config.clone();
    config.bounds.max_queries = config.bounds.max_queries.saturating_sub(1);
    for stored in &stored {
        let left = left_of(config.bounds, began, platform.now());
        if left.run_for < LEAST_TIME || left.max_queries < LEAST_STATEMENTS {
            return;
        }
        let mut this = config.clone();
        this.bounds = left;
        if let Ended::Done { statements, calls } = run(platform, &this, stored).await {
            config.bounds.max_queries = config.bounds.max_queries.saturating_sub(statements);
            config.bounds.max_calls = config.bounds.max_calls.saturating_sub(calls);
        }
    }
}

async fn due<P: Platform>(platform: &P) -> Result<Vec<Stored>, StoreError> {
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
