//! How fast HubSpot may be called: one governor per portal and run, told the time.
//!
//! A call counts when it is permitted, before it is made, so that calls under way are never
//! forgotten. Calls are spread over their window: a burst would leave nothing for the portal's
//! other apps, and a run that follows another closely would meet that one's burst.
//!
//! HubSpot counts associations in a window of their own. Whether they count in the general one
//! too is not documented, so they are counted in both. Search has its second, and no headers.

use std::collections::VecDeque;

use http::HeaderMap;

use crate::platform::{DAY, Millis, SECOND};

/// Which of HubSpot's limits a call falls under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    General,
    Associations,
    Search,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Call now; it has been counted.
    Go,
    /// Ask again after so many milliseconds.
    Wait(Millis),
    /// Our share of the day is spent: nothing more before this instant.
    Park(Millis),
}

/// Calls in flight: at first, and the most. Six connections at once is the platform's limit, and
/// one stays free for the database.
const FIRST_WIDTH: usize = 3;
const MOST_WIDTH: usize = 5;
/// Answers in a row without a lock before one more call may be in flight.
const CALM: u32 = 20;
/// Calls that may go at once after a pause, so that the first ones need not queue.
const BURST: usize = MOST_WIDTH;

/// The smallest tier, until a header says more.
const SMALLEST: Limit = Limit {
    calls: 100,
    within: 10 * SECOND,
};
/// Search: 5 a second for all of the account's apps.
const SEARCH: Limit = Limit {
    calls: 5,
    within: SECOND,
};

#[derive(Clone, Debug)]
pub struct Pace {
    rate_share: f64,
    daily_share: f64,
    day_ends: Millis,
    general: Meter,
    associations: Meter,
    search: Meter,
    width: usize,
    calm: u32,
}

impl Pace {
    /// The shares are over 0 to 1; `day_ends` is the portal's next midnight
    /// ([`crate::hubspot::account::day_reset`]).
    pub fn new(rate_share: f64, daily_share: f64, day_ends: Millis) -> Self {
        Self {
            rate_share,
            daily_share,
            day_ends,
            general: Meter::new(SMALLEST),
            associations: Meter::new(SMALLEST),
            search: Meter::new(SEARCH),
            width: FIRST_WIDTH,
            calm: 0,
        }
    }

    /// Whether a call may be made now.
    pub fn permit(&mut self, now: Millis, lane: Lane) -> Permit {
        self.turn_the_day(now);
        let (rate, daily, day_ends) = (self.rate_share, self.daily_share, self.day_ends);
        // Search counts in the general day, not in the general window.
        if self.general.day_spent(daily) || self.meter(lane).day_spent(daily) {
            return Permit::Park(day_ends);
        }
        let mut wait = self.meter(lane).wait(now, rate);
        if lane == Lane::Associations {
            wait = wait.max(self.general.wait(now, rate));
        }
        if wait > 0 {
            return Permit::Wait(wait);
        }
        self.meter(lane).count(now, rate);
        match lane {
            Lane::General => {}
            Lane::Associations => self.general.count(now, rate),
            Lane::Search => self.general.count_in_the_day(),
        }
        Permit::Go
    }

    /// Reads the limits off an answer, whatever it says otherwise.
    pub fn learn(&mut self, now: Millis, lane: Lane, headers: &HeaderMap) {
        self.turn_the_day(now);
        self.meter(lane).learn(now, lane, headers);
        self.calm += 1;
        if self.calm >= CALM && self.width < MOST_WIDTH {
            self.width += 1;
            self.calm = 0;
        }
    }

    /// A 429: nothing in this lane for `wait` milliseconds.
    pub fn throttled(&mut self, now: Millis, lane: Lane, wait: Millis) {
        self.calm = 0;
        self.meter(lane).hold(now + wait);
    }

    /// A 423: our own calls stand in each other's way.
    pub fn locked(&mut self) {
        self.calm = 0;
        self.width = (self.width - 1).max(1);
    }

    /// The day's quota, if HubSpot has said what it is.
    pub fn daily_limit(&self) -> Option<u64> {
        let limit = |meter: &Meter| meter.day.map(|day| day.limit);
        limit(&self.general).or_else(|| limit(&self.associations))
    }

    /// How many calls may be in flight.
    pub fn width(&self) -> usize {
        self.width
    }

    fn meter(&mut self, lane: Lane) -> &mut Meter {
        match lane {
            Lane::General => &mut self.general,
            Lane::Associations => &mut self.associations,
            Lane::Search => &mut self.search,
        }
    }

    fn turn_the_day(&mut self, now: Millis) {
        if now >= self.day_ends {
            self.day_ends += (1 + (now - self.day_ends) / DAY) * DAY;
            for lane in [Lane::General, Lane::Associations, Lane::Search] {
                self.meter(lane).day = None;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    calls: u32,
    within: Millis,
}

/// The day's quota and what is left of it to everybody.
#[derive(Clone, Copy, Debug)]
struct Day {
    limit: u64,
    left: u64,
}

/// What was spent under one limit.
#[derive(Clone, Debug)]
struct Meter {
    limit: Limit,
    /// The calls that still count, oldest first.
    spent: VecDeque<Millis>,
    /// When the next call would go if all were spread evenly, in microseconds.
    next: i64,
    held_until: Millis,
    day: Option<Day>,
}

impl Meter {
    fn new(limit: Limit) -> Self {
        Self {
            limit,
            spent: VecDeque::new(),
            next: 0,
            held_until: 0,
            day: None,
        }
    }

    fn budget(&self, share: f64) -> usize {
        // The small addition keeps 0.7 × 10 from being 6.999….
        ((f64::from(self.limit.calls) * share + 1e-9) as usize).max(1)
    }

    /// Microseconds between two calls.
    fn gap(&self, share: f64) -> i64 {
        self.limit.within * 1_000 / self.budget(share) as i64
    }

    /// Milliseconds until a call may go, bounded by the window or what was asked for.
    fn wait(&mut self, now: Millis, share: f64) -> Millis {
        let within = self.limit.within;
        self.spent.retain(|at| *at <= now && *at + within > now);
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

    fn count(&mut self, now: Millis, share: f64) {
        self.spent.push_back(now);
        self.next = self.next.max(now * 1_000) + self.gap(share);
        self.count_in_the_day();
    }

    fn count_in_the_day(&mut self) {
        if let Some(day) = &mut self.day {
            day.left = day.left.saturating_sub(1);
        }
    }

    fn day_spent(&self, share: f64) -> bool {
        self.day.is_some_and(|day| {
            let used = day.limit.saturating_sub(day.left);
            used as f64 >= day.limit as f64 * share
        })
    }

    fn hold(&mut self, until: Millis) {
        self.held_until = self.held_until.max(until);
    }

    fn learn(&mut self, now: Millis, lane: Lane, headers: &HeaderMap) {
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
        if let (Some(calls @ 1..=100_000), Some(within @ 1..=600_000)) = (calls, within) {
            self.limit = Limit {
                calls: calls as u32,
                within: within as Millis,
            };
        }
        // Others have spent the rest: let a tenth of the window pass.
        if number(headers, "x-hubspot-ratelimit-remaining") == Some(0) {
            self.hold(now + self.limit.within / 10);
        }
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
