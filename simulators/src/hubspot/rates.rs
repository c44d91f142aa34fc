//! How much may be asked: rolling windows and the day.

use std::collections::VecDeque;

use super::errors::Refusal;
use super::options::Options;
use crate::Millis;

const TEN_SECONDS: Millis = 10_000;
const SECOND: Millis = 1_000;
const DAY: Millis = 86_400_000;

/// Which window a call is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    General,
    Associations,
    Search,
}

/// Which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    TenSecondly,
    Secondly,
    /// The form without a policy name.
    Terse,
    Daily,
}

/// Calls of the last so many milliseconds, never more than `most`.
struct Window {
    length: Millis,
    most: usize,
    calls: VecDeque<Millis>,
}

impl Window {
    fn new(length: Millis, most: usize) -> Window {
        let calls = VecDeque::new();
        Window {
            length,
            most,
            calls,
        }
    }

    fn left(&mut self, now: Millis) -> usize {
        while self
            .calls
            .front()
            .is_some_and(|at| *at <= now - self.length)
        {
            self.calls.pop_front();
        }
        self.most.saturating_sub(self.calls.len())
    }
}

pub struct Rates {
    general: Window,
    associations: Window,
    search: Window,
    day: i64,
    today: u64,
    daily: u64,
    utc_offset_ms: i64,
    associations_use_general: bool,
}

impl Rates {
    pub fn new(options: &Options) -> Rates {
        let limits = options.limits;
        Rates {
            general: Window::new(TEN_SECONDS, limits.general_in_ten_seconds),
            associations: Window::new(TEN_SECONDS, limits.associations_in_ten_seconds),
            search: Window::new(SECOND, limits.searches_in_a_second),
            day: 0,
            today: 0,
            daily: limits.daily,
            utc_offset_ms: options.utc_offset_ms,
            associations_use_general: options.associations_use_general,
        }
    }

    /// Follows limits that were changed under way.
    pub fn follow(&mut self, options: &Options) {
        let limits = options.limits;
        self.general.most = limits.general_in_ten_seconds;
        self.associations.most = limits.associations_in_ten_seconds;
        self.search.most = limits.searches_in_a_second;
        self.daily = limits.daily;
        self.utc_offset_ms = options.utc_offset_ms;
        self.associations_use_general = options.associations_use_general;
    }

    /// Counts a call, or says which limit it met. A refused call uses nothing up.
    pub fn take(&mut self, now: Millis, lane: Lane) -> Result<(), Policy> {
        let day = (now + self.utc_offset_ms).div_euclid(DAY);
        if day != self.day {
            (self.day, self.today) = (day, 0);
        }
        if self.today >= self.daily {
            return Err(Policy::Daily);
        }
        let windows: &mut [&mut Window] = match lane {
            Lane::General => &mut [&mut self.general],
            Lane::Search => &mut [&mut self.search],
            Lane::Associations if self.associations_use_general => {
                &mut [&mut self.associations, &mut self.general]
            }
            Lane::Associations => &mut [&mut self.associations],
        };
        if windows.iter_mut().any(|window| window.left(now) == 0) {
            return Err(match lane {
                Lane::Search => Policy::Secondly,
                _ => Policy::TenSecondly,
            });
        }
        for window in windows {
            window.calls.push_back(now);
        }
        self.today += 1;
        Ok(())
    }

    /// The headers that go with an answer; search has none.
    pub fn headers(&mut self, now: Millis, lane: Lane, oauth: bool) -> Vec<(&'static str, String)> {
        let window = match lane {
            Lane::Search => return Vec::new(),
            Lane::General => &mut self.general,
            Lane::Associations => &mut self.associations,
        };
        let mut headers = vec![
            (
                "x-hubspot-ratelimit-interval-milliseconds",
                window.length.to_string(),
            ),
            ("x-hubspot-ratelimit-max", window.most.to_string()),
            (
                "x-hubspot-ratelimit-remaining",
                window.left(now).to_string(),
            ),
            // Deprecated, still sent, and not to be trusted.
            ("x-hubspot-ratelimit-secondly", "19".to_owned()),
            ("x-hubspot-ratelimit-secondly-remaining", "18".to_owned()),
        ];
        if !oauth {
            let left = self.daily.saturating_sub(self.today);
            headers.push(("x-hubspot-ratelimit-daily", self.daily.to_string()));
            headers.push(("x-hubspot-ratelimit-daily-remaining", left.to_string()));
        }
        headers
    }

    /// How many calls the day has seen, and when the next one begins.
    pub fn usage(&self) -> (u64, Millis) {
        let resets = (self.day + 1) * DAY - self.utc_offset_ms;
        (self.today, resets)
    }
}

/// The body of a 429.
pub fn refusal(policy: Policy, portal_id: u64) -> Refusal {
    let (limit, name) = match policy {
        Policy::TenSecondly => ("ten_secondly_rolling", "TEN_SECONDLY_ROLLING"),
        Policy::Secondly => ("secondly", "SECONDLY"),
        Policy::Daily => ("daily", "DAILY"),
        Policy::Terse => {
            return Refusal::new(429, "RATE_LIMITS", "You have reached your secondly limit.");
        }
    };
    let mut refusal = Refusal::bare(429, format!("You have reached your {limit} limit."));
    refusal.body.error_type = Some("RATE_LIMIT");
    refusal.body.policy_name = Some(name);
    refusal.body.group_name = match policy {
        Policy::TenSecondly => Some(format!(
            "publicapi:private_app-api-calls-ten-secondly:{portal_id}:26892217"
        )),
        Policy::Secondly => Some(format!("publicapi:crm:search:oauth:{portal_id}")),
        Policy::Daily | Policy::Terse => None,
    };
    refusal
}

/// What `Retry-After` says, where a portal sends it at all.
pub fn retry_after(policy: Policy, now: Millis, resets: Millis) -> Millis {
    match policy {
        Policy::TenSecondly => 10,
        Policy::Secondly | Policy::Terse => 1,
        Policy::Daily => ((resets - now).max(0) + SECOND - 1) / SECOND,
    }
}
