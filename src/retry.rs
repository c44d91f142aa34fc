//! What to do after a fault: a decision, and a decision is a value.
//!
//! Short waits happen within the run; whatever would take longer parks the connection's delivery
//! and lets the run end. Only what is known to pass by itself is tried again: for everything else
//! a person must look, or the caller knows better.

use std::time::Duration;

use crate::fault::{Fault, Silence, Window};
use crate::platform::NoAnswer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again after this, within the run.
    Wait(Duration),
    /// End the delivery; nothing before this has passed. Parks in a row may ask for more
    /// ([`parked_for`]).
    Park(Duration),
    /// The same again would be answered the same.
    Stop,
}

/// The longest wait inside a run.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// A park is probed at least this often, whatever the other side announces.
const LONGEST_PARK: Duration = Duration::from_secs(6 * 3600);
const FIRST_PARK: Duration = Duration::from_secs(60);
const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// HubSpot's locks last two seconds.
const LOCK: Duration = Duration::from_secs(2);
/// Waits for one call's silence or locks before it parks: up to a minute in all.
const PATIENCE: u32 = 5;

/// `attempt` counts the tries of this call that failed before this one (0 for the first);
/// `jitter` is random in 0..1; `until_reset` is the time to the end of HubSpot's day.
pub fn decide(fault: &Fault, attempt: u32, jitter: f64, until_reset: Duration) -> Decision {
    match fault {
        Fault::Throttled {
            window,
            retry_after,
            ..
        } => match (retry_after, window) {
            (_, Window::Day | Window::Share) => {
                Decision::Park(until_reset.clamp(FIRST_PARK, A_DAY))
            }
            (Some(asked), _) => as_asked(*asked, attempt),
            (None, Window::TenSeconds) => doubled(Duration::from_secs(10), attempt, jitter),
            (None, Window::Second) => doubled(Duration::from_secs(1), attempt, jitter),
        },
        Fault::Locked { .. } if attempt < PATIENCE => {
            Decision::Wait(LOCK + LOCK.mul_f64(share(jitter)))
        }
        Fault::Locked { .. } => Decision::Park(FIRST_PARK),
        Fault::Moving { retry_after, .. } => {
            let asked = retry_after.unwrap_or(LONGEST_PARK);
            Decision::Park(asked.clamp(FIRST_PARK, LONGEST_PARK))
        }
        // It would be as long the next time.
        Fault::NoAnswer {
            what: Silence::Network(NoAnswer::TooLong),
            ..
        } => Decision::Stop,
        Fault::NoAnswer { .. } | Fault::Unreadable { .. } => backoff(attempt, jitter),
        Fault::Unauthorized { .. }
        | Fault::Expired { .. }
        | Fault::SessionEnded
        | Fault::Forbidden { .. }
        | Fault::Refused { .. } => Decision::Stop,
    }
}

/// How long delivery rests after the `n`th park in a row, counted from 0.
pub fn parked_for(n: u32) -> Duration {
    FIRST_PARK.saturating_mul(1 << n.min(16)).min(LONGEST_PARK)
}

/// Nobody knows whether this write happened, and it may yet: until it has settled nothing newer
/// may be written to the same portal.
pub fn is_lost_write(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NoAnswer {
            what: Silence::Network(
                NoAnswer::TimedOut | NoAnswer::Broken | NoAnswer::Refused | NoAnswer::Unreached
            ) | Silence::Status(502 | 504),
            ..
        }
    )
}

/// No answer came that says it was not done.
pub fn may_have_happened(fault: &Fault) -> bool {
    matches!(fault, Fault::NoAnswer { .. } | Fault::Unreadable { .. })
}

/// Exactly as long as asked; what does not fit into a run parks, as does asking without end.
fn as_asked(asked: Duration, attempt: u32) -> Decision {
    let asked = asked.max(Duration::from_secs(1));
    if asked > LONGEST_WAIT || attempt >= 2 * PATIENCE {
        Decision::Park(asked.clamp(FIRST_PARK, LONGEST_PARK))
    } else {
        Decision::Wait(asked)
    }
}

/// At least the doubled time, so that the window has passed, and up to a quarter more.
fn doubled(first: Duration, attempt: u32, jitter: f64) -> Decision {
    let wait = first.saturating_mul(1 << attempt.min(16));
    if wait > LONGEST_WAIT {
        return Decision::Park(LONGEST_WAIT);
    }
    Decision::Wait(wait.mul_f64(1.0 + share(jitter) / 4.0).min(LONGEST_WAIT))
}

/// Exponential from two seconds with full jitter: many connections meet the same outage.
fn backoff(attempt: u32, jitter: f64) -> Decision {
    if attempt >= PATIENCE {
        return Decision::Park(FIRST_PARK);
    }
    Decision::Wait(Duration::from_secs(2 << attempt).mul_f64(share(jitter)))
}

fn share(jitter: f64) -> f64 {
    if jitter.is_nan() {
        0.5
    } else {
        jitter.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Refusal, System};

    const HUBSPOT: System = System::HubSpot;
    const RESET: Duration = Duration::from_secs(5 * 3600);

    fn throttled(window: Window, asked: Option<u64>) -> Fault {
        Fault::Throttled {
            system: HUBSPOT,
            window,
            retry_after: asked.map(Duration::from_secs),
        }
    }

    fn silent(what: Silence) -> Fault {
        Fault::NoAnswer {
            system: HUBSPOT,
            what,
        }
    }

    fn network(what: NoAnswer) -> Fault {
        silent(Silence::Network(what))
    }

    fn wait(seconds: f64) -> Decision {
        Decision::Wait(Duration::from_secs_f64(seconds))
    }

    fn park(seconds: u64) -> Decision {
        Decision::Park(Duration::from_secs(seconds))
    }

    #[test]
    fn each_fault_has_its_next_step() {
        let moving = |asked: Option<u64>| Fault::Moving {
            system: HUBSPOT,
            retry_after: asked.map(Duration::from_secs),
        };
        let locked = Fault::Locked { system: HUBSPOT };
        let unreadable = Fault::Unreadable {
            system: HUBSPOT,
            shape: String::new(),
        };
        let forbidden = Fault::Forbidden {
            system: HUBSPOT,
            missing: vec![],
        };
        let refused = Fault::Refused {
            system: HUBSPOT,
            status: 400,
            refusal: Box::new(Refusal::coded("INVALID_JSON")),
        };
        let table = [
            // As long as asked; over two minutes outside the run.
            (throttled(Window::TenSeconds, Some(7)), 0, 0.9, wait(7.0)),
            (throttled(Window::TenSeconds, Some(0)), 0, 0.9, wait(1.0)),
            (throttled(Window::Second, Some(600)), 0, 0.9, park(600)),
            (
                throttled(Window::Second, Some(999_999)),
                0,
                0.9,
                park(21_600),
            ),
            (throttled(Window::Second, Some(7)), 10, 0.9, park(60)),
            // Not asked: the window, doubled.
            (throttled(Window::TenSeconds, None), 0, 0.0, wait(10.0)),
            (throttled(Window::TenSeconds, None), 0, 0.5, wait(11.25)),
            (throttled(Window::TenSeconds, None), 3, 0.0, wait(80.0)),
            (throttled(Window::TenSeconds, None), 4, 0.0, park(120)),
            (throttled(Window::Second, None), 0, 0.0, wait(1.0)),
            (throttled(Window::Second, None), 6, 0.0, wait(64.0)),
            (throttled(Window::Second, None), 7, 0.0, park(120)),
            (throttled(Window::Second, None), u32::MAX, 0.0, park(120)),
            // The day's end, whatever else is said.
            (throttled(Window::Day, None), 0, 0.0, park(5 * 3600)),
            (throttled(Window::Day, Some(1)), 0, 0.0, park(5 * 3600)),
            (locked.clone(), 0, 0.0, wait(2.0)),
            (locked.clone(), 4, 0.5, wait(3.0)),
            (locked, 5, 0.0, park(60)),
            (moving(Some(3600)), 0, 0.0, park(3600)),
            (moving(Some(86_400)), 0, 0.0, park(21_600)),
            (moving(None), 0, 0.0, park(21_600)),
            // Two seconds doubled, any part of it.
            (silent(Silence::Status(503)), 0, 0.5, wait(1.0)),
            (silent(Silence::Status(503)), 4, 1.0, wait(32.0)),
            (silent(Silence::Status(503)), 5, 1.0, park(60)),
            (network(NoAnswer::TimedOut), 1, 0.5, wait(2.0)),
            (network(NoAnswer::Broken), 0, f64::NAN, wait(1.0)),
            (unreadable, 0, 0.5, wait(1.0)),
            (network(NoAnswer::TooLong), 0, 0.5, Decision::Stop),
            (
                Fault::Unauthorized { system: HUBSPOT },
                0,
                0.5,
                Decision::Stop,
            ),
            (forbidden, 0, 0.5, Decision::Stop),
            (refused, 0, 0.5, Decision::Stop),
        ];
        for (fault, attempt, jitter, expected) in table {
            let decision = decide(&fault, attempt, jitter, RESET);
            assert_eq!(decision, expected, "{fault:?}, attempt {attempt}");
        }
    }

    #[test]
    fn a_reset_in_the_past_or_far_ahead_is_bounded() {
        let daily = throttled(Window::Day, None);
        assert_eq!(decide(&daily, 0, 0.0, Duration::ZERO), park(60));
        assert_eq!(decide(&daily, 0, 0.0, Duration::MAX), park(86_400));
    }

    #[test]
    fn parks_in_a_row_double_up_to_six_hours() {
        let minutes = [0, 1, 5, 8, 9, u32::MAX].map(|n| parked_for(n).as_secs() / 60);
        assert_eq!(minutes, [1, 2, 32, 256, 360, 360]);
    }

    #[test]
    fn a_write_is_lost_where_it_may_still_land() {
        for status in [502, 504, 521, 522, 523, 524] {
            let answer = http::Response::builder().status(status).body(Vec::new());
            let what = Silence::of(&answer.expect("a response of constants"));
            assert!(is_lost_write(&silent(what)), "{status}");
        }
        assert!(is_lost_write(&network(NoAnswer::TimedOut)));
        assert!(is_lost_write(&network(NoAnswer::Broken)));
        for settled in [
            silent(Silence::Status(500)),
            silent(Silence::Status(503)),
            network(NoAnswer::TooLong),
            network(NoAnswer::NoSuchHost),
            network(NoAnswer::BadCertificate),
            throttled(Window::Day, None),
            Fault::Unauthorized { system: HUBSPOT },
        ] {
            assert!(!is_lost_write(&settled), "{settled:?}");
        }
    }
}
