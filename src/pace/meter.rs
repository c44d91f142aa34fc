//! What was spent under one of HubSpot's limits, by us and by others.

use std::collections::VecDeque;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{Lane, MOST_WIDTH};
use crate::platform::{MINUTE, Millis};

/// Calls that may go at once after a pause, so that the first ones need not queue.
const BURST: usize = MOST_WIDTH;
/// However much others spend, we go on with this part of a window.
const LEAST_PART: u32 = 10;
/// Limits beyond these are none we can work with.
const MOST_CALLS: u32 = 100_000;
const LONGEST: Millis = 600_000;
/// A kept time further ahead than this was written by a wrong clock and counts as past.
const AHEAD: Millis = 2 * MINUTE;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub calls: u32,
    pub within: Millis,
}

/// The day's quota and what is left of it to everybody.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Day {
    pub limit: u64,
    left: u64,
}

/// What was spent under one limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Meter {
    pub limit: Limit,
    /// The calls that still count, oldest first.
    spent: VecDeque<Millis>,
    /// When the next call would go if all were spread evenly, in microseconds.
    next: i64,
    held_until: Millis,
    pub day: Option<Day>,
    /// The most that others were seen to spend of a window lately, and when.
    #[serde(skip)]
    others: (u32, Millis),
}

impl Meter {
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            spent: VecDeque::new(),
            next: 0,
            held_until: 0,
            day: None,
            others: (0, 0),
        }
    }

    /// Whether a right clock and a limit we can work with wrote it.
    pub fn is_sane(&self, now: Millis) -> bool {
        let times = [self.held_until, self.next / 1_000];
        let Limit { calls, within } = self.limit;
        times
            .into_iter()
            .chain(self.spent.back().copied())
            .all(|at| at <= now + AHEAD)
            && (1..=MOST_CALLS).contains(&calls)
            && (1..=LONGEST).contains(&within)
    }

    pub fn forget_what_is_past(&mut self, now: Millis) {
        let within = self.limit.within;
        self.spent.retain(|at| *at <= now && *at + within > now);
    }

    /// Our share, or what others leave of the window if that is less.
    fn budget(&self, share: f64) -> usize {
        let calls = self.limit.calls;
        // The small addition keeps 0.7 × 10 from being 6.999….
        let share = (f64::from(calls) * share + 1e-9) as usize;
        let left = match self.others.0 {
            0 => calls,
            // With room for what they begin while ours are under way.
            others => calls.saturating_sub(others + MOST_WIDTH as u32),
        };
        let left = left.max(calls / LEAST_PART);
        share.min(left as usize).max(1)
    }

    /// Microseconds between two calls.
    fn gap(&self, share: f64) -> i64 {
        self.limit.within * 1_000 / self.budget(share) as i64
    }

    /// Milliseconds until a call may go, bounded by the window or what was asked for.
    pub fn wait(&mut self, now: Millis, share: f64) -> Millis {
        self.forget_what_is_past(now);
        let within = self.limit.within;
        let burst = BURST.min(self.budget(share) / 10).max(1) as i64;
        let early = self.next - now * 1_000 - (burst - 1) * self.gap(share);
        let spread = (early + 999).div_euclid(1_000);
        // Full: the wait is for the oldest calls to leave the window until one fits in.
        let full = match (self.spent.len() + 1).checked_sub(self.budget(share)) {
            Some(over @ 1..) => self.spent.get(over - 1).map_or(0, |at| at + within - now),
            _ => 0,
        };
        spread
            .min(within)
            .max(full)
            .max(self.held_until - now)
            .max(0)
    }

    pub fn count(&mut self, now: Millis, share: f64) {
        self.spent.push_back(now);
        self.next = self.next.max(now * 1_000) + self.gap(share);
        self.count_in_the_day();
    }

    pub fn count_in_the_day(&mut self) {
        if let Some(day) = &mut self.day {
            day.left = day.left.saturating_sub(1);
        }
    }

    pub fn day_spent(&self, share: f64) -> bool {
        self.day.is_some_and(|day| {
            let used = day.limit.saturating_sub(day.left);
            used as f64 >= day.limit as f64 * share
        })
    }

    pub fn hold(&mut self, until: Millis) {
        self.held_until = self.held_until.max(until);
    }

    pub fn learn(&mut self, now: Millis, lane: Lane, headers: &HeaderMap) {
        if let (Some(limit), Some(left)) = (
            number(headers, "x-hubspot-ratelimit-daily").filter(|limit| *limit > 0),
            number(headers, "x-hubspot-ratelimit-daily-remaining"),
        ) {
            self.day = Some(Day { limit, left });
        }
        if lane == Lane::Search {
            return;
        }
        let calls = number(headers, "x-hubspot-ratelimit-max");
        let within = number(headers, "x-hubspot-ratelimit-interval-milliseconds");
        let calls = calls.and_then(|calls| u32::try_from(calls).ok());
        let within = within.and_then(|within| Millis::try_from(within).ok());
        if let (Some(calls @ 1..=MOST_CALLS), Some(within @ 1..=LONGEST)) = (calls, within) {
            self.limit = Limit { calls, within };
        }
        let left = number(headers, "x-hubspot-ratelimit-remaining");
        let Some(left) = left.and_then(|left| u32::try_from(left).ok()) else {
            return;
        };
        // Others have spent the rest: let a tenth of the window pass.
        if left == 0 {
            self.hold(now + self.limit.within / 10);
        }
        self.forget_what_is_past(now);
        let spent = self.limit.calls.saturating_sub(left);
        let others = spent.saturating_sub(self.spent.len() as u32);
        let (most, seen_at) = self.others;
        if others >= most || now >= seen_at + self.limit.within {
            self.others = (others, now);
        }
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
