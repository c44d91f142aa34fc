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

mod meter;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    platform::{DAY, Millis, SECOND},
    typed,
};
use meter::{Limit, Meter};

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

/// The smallest tier, until a header says more.
const SMALLEST: Limit = Limit {
    calls: 100,
    within: 10 * SECOND,
};
/// Pairs linked in one call: as many as are documented, until fewer are found to be the most, which
/// is believed for a day; and no fewer than any other batch has.
const MOST_PAIRS: usize = 2_000;
const LEAST_PAIRS: usize = 100;
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
            [self.general, self.associations, self.search] = kept.meters.map(|mut meter| {
                meter.day = meter.day.filter(|_| same_day);
                meter
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

#[cfg(test)]
mod tests;
