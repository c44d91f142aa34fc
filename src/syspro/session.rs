//! A session of e.net from one run to the next: when it may be used, made and given up. Pure.
//!
//! SYSPRO allows an operator one session. So it is kept as long as it lives, logging on with a
//! password that was refused waits for a change (three tries may lock an operator out), and an
//! operator that somebody else keeps signing in with is left to them.

use serde::{Deserialize, Serialize};

use super::enet::{code, refused};
use crate::{
    fault::Fault,
    platform::{HOUR, MINUTE, Millis},
    vault::Secret,
};

/// A session idle this long is not used any more: SYSPRO may have given it up.
pub const IDLE: Millis = 12 * MINUTE;
/// How long a refused log-on is not repeated.
const REFUSED: Millis = HOUR;
/// A seat may come free at any time.
const SEATS_FULL: Millis = 15 * MINUTE;
/// Two evictions within it pause e.net for as long.
const EVICTED: Millis = HOUR;
/// A service that hangs costs whoever asks it their time: it is asked so seldom.
const SILENT: Millis = HOUR;
/// How far another invocation's clock may be ahead.
const SKEW: Millis = MINUTE;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub id: Option<Secret>,
    /// When the server last answered a call of it.
    pub used_at: Millis,
    /// When it was found ended before its time: the last two.
    pub evictions: Vec<Millis>,
    /// The last log-on, where it was refused.
    pub refused: Option<Refused>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub at: Millis,
    /// A code of [`super::enet::code`].
    pub code: String,
}

impl Session {
    /// The id to ask with, unless it has been idle for too long.
    pub fn usable(&self, now: Millis) -> Option<&Secret> {
        self.id
            .as_ref()
            .filter(|_| (-SKEW..IDLE).contains(&(now - self.used_at)))
    }

    /// The id nobody asks with any more, to be logged off.
    pub fn stale(&self, now: Millis) -> Option<&Secret> {
        match self.usable(now) {
            Some(_) => None,
            None => self.id.as_ref(),
        }
    }

    /// Whether e.net answers, as far as is known.
    ///
    /// # Errors
    /// It did not, a short time ago.
    pub fn may_ask(&self, now: Millis) -> Result<(), Fault> {
        let last = self
            .refused
            .as_ref()
            .filter(|last| last.code == code::SILENT);
        match last.is_some_and(|last| (-SKEW..SILENT).contains(&(now - last.at))) {
            true => Err(refused(code::SILENT)),
            false => Ok(()),
        }
    }

    /// Whether logging on makes sense now.
    ///
    /// # Errors
    /// What keeps us from it, as it was when it was met.
    pub fn may_log_on(&self, now: Millis) -> Result<(), Fault> {
        let within = |at: Millis, span: Millis| (-SKEW..span).contains(&(now - at));
        if let [before, last] = self.evictions.as_slice()
            && last - before <= EVICTED
            && within(*last, EVICTED)
        {
            return Err(refused(code::EVICTED));
        }
        let last = self.refused.as_ref();
        match last.filter(|last| within(last.at, patience(&last.code))) {
            Some(last) => Err(refused(&last.code)),
            None => Ok(()),
        }
    }

    pub fn logged_on(&mut self, id: Secret, now: Millis) {
        self.id = Some(id);
        self.used_at = now;
        self.refused = None;
    }

    /// SYSPRO said no to the credentials, or has no seat.
    pub fn log_on_refused(&mut self, code: &str, now: Millis) {
        self.id = None;
        self.refused = Some(Refused {
            at: now,
            code: code.to_owned(),
        });
    }

    pub fn used(&mut self, now: Millis) {
        self.used_at = now;
    }

    /// Nobody answered. The session may live: it is kept for whoever asks next, or logs off.
    pub fn unheard(&mut self, now: Millis) {
        self.refused = Some(Refused {
            at: now,
            code: code::SILENT.to_owned(),
        });
    }

    /// Somebody answered, whatever was said. Whether there is something new to keep.
    pub fn heard(&mut self) -> bool {
        let silent = |last: &mut Refused| last.code == code::SILENT;
        self.refused.take_if(silent).is_some()
    }

    /// SYSPRO does not know an id that was used a moment ago: somebody else signed in with the
    /// operator, or was given its seat.
    pub fn evicted(&mut self, now: Millis) {
        self.id = None;
        self.evictions.push(now);
        let too_many = self.evictions.len().saturating_sub(2);
        self.evictions.drain(..too_many);
    }

    pub fn logged_off(&mut self) {
        self.id = None;
    }
}

fn patience(code: &str) -> Millis {
    match code {
        code::SEATS_FULL => SEATS_FULL,
        code::SILENT => SILENT,
        _ => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_000 * HOUR;

    fn on(at: Millis) -> Session {
        let mut session = Session::default();
        session.logged_on(Secret::new("3EA613166FE4BF47"), at);
        session
    }

    #[test]
    fn an_id_is_used_until_it_has_been_idle_for_too_long() {
        let mut session = on(NOW);
        for (after, usable) in [
            (-2 * MINUTE, false),
            (-10, true),
            (0, true),
            (IDLE - 1, true),
            (IDLE, false),
            (HOUR, false),
        ] {
            let now = NOW + after;
            assert_eq!(session.usable(now).is_some(), usable, "{after}");
            assert_eq!(session.stale(now).is_some(), !usable, "{after}");
        }
        session.used(NOW + 10 * MINUTE);
        assert!(session.usable(NOW + 20 * MINUTE).is_some());
        session.logged_off();
        assert_eq!((session.usable(NOW), session.stale(NOW)), (None, None));
    }

    #[test]
    fn a_refused_password_waits_for_an_hour_and_a_seat_for_less() {
        for (code, minutes) in [
            (code::OPERATOR_PASSWORD, 60),
            (code::COMPANY, 60),
            (code::LOGON, 60),
            (code::SEATS_FULL, 15),
        ] {
            let mut session = Session::default();
            assert_eq!(session.may_log_on(NOW), Ok(()));
            session.log_on_refused(code, NOW);
            let until = NOW + minutes * MINUTE;
            assert_eq!(session.may_log_on(NOW), Err(refused(code)));
            assert_eq!(session.may_log_on(until - 1), Err(refused(code)));
            assert_eq!(session.may_log_on(until), Ok(()));
            // Written by a wrong clock.
            assert_eq!(session.may_log_on(NOW - HOUR), Ok(()));
            session.logged_on(Secret::new("3EA613166FE4BF47"), until);
            assert_eq!(session.may_log_on(until), Ok(()));
        }
    }

    #[test]
    fn a_silence_is_left_alone_for_an_hour_or_until_it_is_over() {
        let mut session = on(NOW);
        assert_eq!(session.may_ask(NOW), Ok(()));
        session.unheard(NOW);
        for at in [NOW, NOW + HOUR - 1] {
            assert_eq!(session.may_ask(at), Err(refused(code::SILENT)));
            assert_eq!(session.may_log_on(at), Err(refused(code::SILENT)));
        }
        assert_eq!(session.may_ask(NOW + HOUR), Ok(()));
        assert_eq!(session.may_ask(NOW - HOUR), Ok(()));
        assert!(session.heard());
        assert_eq!(session.may_ask(NOW), Ok(()));
        assert!(session.usable(NOW).is_some());
        // A refused password is not forgotten because somebody answers.
        session.log_on_refused(code::OPERATOR_PASSWORD, NOW);
        assert!(!session.heard());
        assert_eq!(session.may_ask(NOW), Ok(()));
        assert!(session.may_log_on(NOW).is_err());
    }

    #[test]
    fn two_evictions_within_an_hour_pause_for_an_hour() {
        let mut session = on(NOW);
        session.evicted(NOW);
        assert_eq!(session.usable(NOW), None);
        assert_eq!(session.may_log_on(NOW), Ok(()));
        session.evicted(NOW + 61 * MINUTE);
        assert_eq!(session.may_log_on(NOW + 61 * MINUTE), Ok(()));
        session.evicted(NOW + 100 * MINUTE);
        let paused = Err(refused(code::EVICTED));
        assert_eq!(session.may_log_on(NOW + 100 * MINUTE), paused);
        assert_eq!(session.may_log_on(NOW + 159 * MINUTE), paused);
        assert_eq!(session.may_log_on(NOW + 160 * MINUTE), Ok(()));
        assert_eq!(session.evictions.len(), 2);
    }
}
