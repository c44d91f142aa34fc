//! How fast HubSpot may be called: one governor per portal, told the time, kept from run to run.
//!
//! A call counts when it is permitted, before it is made, so that calls under way are never
//! forgotten. Calls are spread over their window: a burst would leave nothing for the portal's
//! other apps, and a run that follows another closely would meet that one's burst.
//!
//! What other apps with the same token spend shows in `remaining`, and is left to them.
//!
//! HubSpot counts associations in a window of their own. Whether they count in the general one
//! too is not documented, so they are counted in both. Search has its second, and no headers.

use std::collections::VecDeque;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    platform::{DAY, MINUTE, Millis, SECOND},
    typed,
};

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
pub const MOST_WIDTH: usize = 5;
/// Answers in a row without a lock before one more call may be in flight.
const CALM: u32 = 20;
/// Calls that may go at once after a pause, so that the first ones need not queue.
const BURST: usize = MOST_WIDTH;

/// The smallest tier, until a header says more.
const SMALLEST: Limit = Limit {
    calls: 100,
    within: 10 * SECOND,
};
/// Pairs linked in one call: as many as are documented, until fewer are found to be the most, which
/// is believed for a day; and no fewer than any other batch has.
const MOST_PAIRS: usize = 2_000;
const LEAST_PAIRS: usize = 100;
/// Limits beyond these are none we can work with.
const MOST_CALLS: u32 = 100_000;
const LONGEST: Millis = 600_000;
/// However much others spend, we go on with this part of a window.
const LEAST_PART: u32 = 10;
/// Search: 5 a second for all of the account's apps.
const SEARCH: Limit = Limit {
    calls: 5,
    within: SECOND,
};

/// A kept time further ahead than this was written by a wrong clock and counts as past.
const AHEAD: Millis = 2 * MINUTE;

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
    pairs: usize,
}

/// What one run leaves to the next: a day's quota and size of batches until the day ends.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// When the quotas of the day that they tell of end.
    day_ends: Millis,
    width: usize,
    pairs: usize,
    /// General, associations, search.
    meters: [Meter; 3],
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
            pairs: MOST_PAIRS,
        }
    }

    /// Goes on where the portal's last run stopped. What cannot be read, or was written by a wrong
    /// clock, is as if nothing had been kept.
    pub fn go_on(mut self, kept: &str, now: Millis) -> Self {
        let kept = typed::from_str::<Kept>(kept).ok();
        let sane = |kept: &Kept| kept.meters.iter().all(|meter| meter.is_sane(now));
        if let Some(kept) = kept.filter(sane) {
            let same_day = kept.day_ends == self.day_ends;
            [self.general, self.associations, self.search] = kept.meters.map(|meter| Meter {
                day: meter.day.filter(|_| same_day),
                ..meter
            });
            self.width = kept.width.clamp(1, MOST_WIDTH);
            if same_day {
                self.takes_pairs(kept.pairs);
            }
        }
        self
    }

    /// What the portal's next run goes on with.
    pub fn to_keep(&self, now: Millis) -> String {
        let meters = [&self.general, &self.associations, &self.search].map(|meter| {
            let mut meter = meter.clone();
            meter.forget_what_is_past(now);
            meter
        });
        let kept = Kept {
            day_ends: self.day_ends,
            width: self.width,
            pairs: self.pairs,
            meters,
        };
        // cannot fail: numbers only
        serde_json::to_string(&kept).unwrap_or_default()
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

    /// How many pairs may be linked in one call.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// HubSpot took so many pairs in one call, and not twice as many.
    pub fn takes_pairs(&mut self, pairs: usize) {
        self.pairs = pairs.clamp(LEAST_PAIRS, self.pairs);
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

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Limit {
    calls: u32,
    within: Millis,
}

/// The day's quota and what is left of it to everybody.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Day {
    limit: u64,
    left: u64,
}

/// What was spent under one limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Meter {
    limit: Limit,
    /// The calls that still count, oldest first.
    spent: VecDeque<Millis>,
    /// When the next call would go if all were spread evenly, in microseconds.
    next: i64,
    held_until: Millis,
    day: Option<Day>,
    /// The most that others were seen to spend of a window lately, and when.
    #[serde(skip)]
    others: (u32, Millis),
}

impl Meter {
    fn new(limit: Limit) -> Self {
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
    fn is_sane(&self, now: Millis) -> bool {
        let times = [self.held_until, self.next / 1_000];
        let Limit { calls, within } = self.limit;
        times
            .into_iter()
            .chain(self.spent.back().copied())
            .all(|at| at <= now + AHEAD)
            && (1..=MOST_CALLS).contains(&calls)
            && (1..=LONGEST).contains(&within)
    }

    fn forget_what_is_past(&mut self, now: Millis) {
        let within = self.limit.within;
        self.spent.retain(|at| *at <= now && *at + within > now);
    }

    /// Our share, or what others leave of the window if that is less.
    fn budget(&self, share: f64) -> usize {
        let Limit { calls, .. } = self.limit;
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
    fn wait(&mut self, now: Millis, share: f64) -> Millis {
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
        let calls = calls.and_then(|calls| u32::try_from(calls).ok());
        let within = within.and_then(|within| Millis::try_from(within).ok());
        if let (Some(calls @ 1..=MOST_CALLS), Some(within @ 1..=LONGEST)) = (calls, within) {
            self.limit = Limit { calls, within };
        }
        let Some(left) = number(headers, "x-hubspot-ratelimit-remaining") else {
            return;
        };
        // Others have spent the rest: let a tenth of the window pass.
        if left == 0 {
            self.hold(now + self.limit.within / 10);
        }
        self.forget_what_is_past(now);
        let spent = u64::from(self.limit.calls).saturating_sub(left);
        let others = spent.saturating_sub(self.spent.len() as u64);
        let (most, seen_at) = self.others;
        if others >= u64::from(most) || now >= seen_at + self.limit.within {
            self.others = (u32::try_from(others).unwrap_or(0), now);
        }
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
