//! What becomes of an effect, drawn when it is issued: the weather and its fates.

use std::ops::Range;

use fastrand::Rng;
use syspro_hubspot_sync::platform::{MINUTE, Millis, SECOND};

/// A write may land this long after its caller gave up on it. A fact of the world, which the
/// margins of the sync are measured against: it is not read from them.
pub const SETTLE: Millis = 120 * SECOND;

/// A D1 batch that went missing is given up, or lands, within this.
const D1_PATIENCE: Millis = 30 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Lands and answers.
    Answers,
    /// Lands and answers, tens of seconds later; perhaps after the caller gave up.
    Slow,
    /// Never reaches the other side, which says so: 503, a broken connection, "overloaded".
    Refused,
    /// Lands; the connection breaks before the answer.
    AnswerLost,
    /// Lands; something in between answers with a 5xx. For D1 the same as a lost answer.
    FailsAfter,
    /// The caller gives up, then it lands: at most [`SETTLE`] later.
    LandsLate,
    /// The caller gives up, and nothing ever happens.
    Never,
    /// The process dies and with it the effect.
    DiesBefore,
    /// The process dies while the effect lands all the same.
    DiesAfter,
}

/// All but [`Fate::Answers`], which is what happens otherwise.
pub const TROUBLES: [Fate; 8] = [
    Fate::Slow,
    Fate::Refused,
    Fate::AnswerLost,
    Fate::FailsAfter,
    Fate::LandsLate,
    Fate::Never,
    Fate::DiesBefore,
    Fate::DiesAfter,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Http,
    D1,
}

#[derive(Clone, Debug)]
pub struct Weather {
    /// One way, for an exchange over HTTP and for a D1 batch.
    pub latency: [Range<Millis>; 2],
    /// Chances in a thousand, for an exchange over HTTP and for a D1 batch.
    pub odds: [Vec<(Fate, u32)>; 2],
    /// So many times likelier is any trouble for what is posted: there are few of those, and they
    /// are what can be lost or doubled.
    pub posted: u32,
    /// Each invocation's clock is wrong by at most this.
    pub skew: Millis,
}

impl Weather {
    /// Nothing goes wrong and everything takes the same short time.
    pub fn calm() -> Weather {
        Weather {
            latency: [20..21, 3..4],
            odds: [Vec::new(), Vec::new()],
            posted: 1,
            skew: 0,
        }
    }

    /// Each seed has its own kind of bad day: about half of the troubles, each more or less often.
    pub fn storm(rng: &mut Rng) -> Weather {
        let mut odds = |most: u32| {
            let mut chance = || rng.u32(0..2 * most).saturating_sub(most);
            TROUBLES.map(|fate| (fate, chance())).to_vec()
        };
        Weather {
            odds: [odds(40), odds(15)],
            latency: [5..400, 1..40],
            posted: 3,
            skew: 5 * SECOND,
        }
    }

    /// One trouble for certain, for the tests of one thing.
    pub fn always(effect: Effect, fate: Fate) -> Weather {
        let mut weather = Weather::calm();
        weather.odds[effect as usize] = vec![(fate, 1000)];
        weather
    }

    pub fn draw(&self, effect: Effect, posted: bool, rng: &mut Rng) -> Fate {
        let most = if posted { 1000 / self.posted } else { 1000 };
        let mut roll = rng.u32(0..most);
        for (fate, chance) in &self.odds[effect as usize] {
            if roll < *chance {
                return *fate;
            }
            roll -= chance;
        }
        Fate::Answers
    }

    /// The fate's instants, counted from now.
    pub fn plan(&self, effect: Effect, fate: Fate, within: Millis, rng: &mut Rng) -> Plan {
        let one_way = |rng: &mut Rng| rng.i64(self.latency[effect as usize].clone());
        let (mut out, mut back) = (one_way(rng), one_way(rng));
        if fate == Fate::Slow {
            (out, back) = (
                out + rng.i64(0..20 * SECOND),
                back + rng.i64(0..20 * SECOND),
            );
        }
        let answer = out + back;
        let plan = |lands, answers, dies| Plan {
            lands,
            answers,
            dies,
        };
        match fate {
            Fate::Answers | Fate::Slow => plan(Some(out), Some(answer), None),
            Fate::Refused => plan(None, Some(answer), None),
            Fate::AnswerLost | Fate::FailsAfter => plan(Some(out), Some(answer), None),
            Fate::LandsLate => {
                let late = match effect {
                    Effect::Http => within + rng.i64(1..SETTLE),
                    Effect::D1 => rng.i64(within..within + D1_PATIENCE),
                };
                plan(Some(late), Some(within), None)
            }
            Fate::Never => plan(None, Some(within), None),
            Fate::DiesBefore => plan(None, None, Some(rng.i64(0..=out))),
            Fate::DiesAfter => plan(Some(out), None, Some(rng.i64(0..=answer))),
        }
    }
}

/// When an effect lands, when its caller hears of it, when its caller dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub lands: Option<Millis>,
    pub answers: Option<Millis>,
    pub dies: Option<Millis>,
}

/// What the platform grants one invocation; past it the invocation dies.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    pub queries: u64,
    pub subrequests: u64,
    /// Waiting for headers at once; one more waits its turn.
    pub connections: usize,
    pub wall: Millis,
}

impl Caps {
    pub const PAID: Caps = Caps {
        queries: 1_000,
        subrequests: 10_000,
        connections: 6,
        wall: 15 * MINUTE,
    };
}

/// How long a D1 batch is waited for.
pub fn d1_patience(rng: &mut Rng) -> Millis {
    rng.i64(SECOND..D1_PATIENCE)
}
