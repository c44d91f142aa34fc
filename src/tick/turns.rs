//! Turns: what a message of the queue holds. Connections of one portal follow each other, because its
//! lease is one; those of different portals do not wait for each other.
//!
//! A message may come twice, late, or never: whoever finds the lease held has nothing to do, and cron
//! sends new ones.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    books::{Books, Colour},
    config::Config,
    fault::Reason,
    platform::{Platform, StoreError},
    run::{Due, new_id, run},
    sorted::SortedMap,
    store::{
        connections::{self, Runnable},
        runs,
    },
};

/// Runs that may follow from one message, so that no mistake of ours goes round for ever: a day of runs
/// that each take all their time, and the next tick begins anew.
const ROUNDS: u32 = 120;

/// Whose turn it is at a portal, the first one's first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    portal: String,
    connections: VecDeque<String>,
    /// Runs that may still follow.
    rounds: u32,
}

/// What became of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// What is to be sent now that the portal's lease is free.
    pub next: Option<Turns>,
    /// The database did not answer: the same is to be tried once more, later.
    pub again: bool,
}

impl Turns {
    /// One message for each portal: sent beside each other, those of one would find its lease held.
    pub(super) fn of(due: Vec<Runnable>) -> Vec<Turns> {
        let mut portals: SortedMap<String, VecDeque<String>> = SortedMap::new();
        for due in due {
            portals.get_or_default(due.portal).push_back(due.id);
        }
        let turns = |(portal, connections)| Turns {
            portal,
            connections,
            rounds: ROUNDS,
        };
        portals.into_iter().map(turns).collect()
    }

    /// A connection somebody asked something of.
    pub fn one(portal: &str, connection: &str) -> Turns {
        Turns {
            portal: portal.to_owned(),
            connections: [connection.to_owned()].into(),
            rounds: ROUNDS,
        }
    }

    /// Takes the first turn. What its run left is taken up again after the others have had theirs.
    pub async fn take<P: Platform>(mut self, platform: &P, config: &Config) -> Heard {
        let Some(id) = self.connections.pop_front() else {
            return Heard::default();
        };
        let due = Due {
            id: &id,
            portal: &self.portal,
        };
        let ended = run(platform, config, due).await;
        match ended.stopped {
            Some(StoreError::Unknown | StoreError::Refused(_)) => Heard::AGAIN,
            // Whoever has the portal now goes on by a message of its own.
            Some(StoreError::Overtaken) => Heard::default(),
            None if ended.held => Heard::default(),
            None => {
                if ended.again {
                    self.connections.push_back(id);
                }
                self.followed()
            }
        }
    }

    /// Says of the first turn, which could not be taken however often it was tried, that its run came to
    /// no end.
    pub async fn give_up<P: Platform>(mut self, platform: &P) -> Heard {
        let Some(id) = self.connections.pop_front() else {
            return Heard::default();
        };
        let now = platform.now();
        let mut books = Books::default();
        books.problem(Reason::new(
            "given_up",
            "The run was stopped each time it was tried: by a limit of the platform (processor time, memory), or because the database did not answer. What it had committed stands.",
            "The Worker's log of that time tells which. Of a limit: lower MAX_ROWS and MAX_BYTES, or raise cpu_ms, in wrangler.toml, and deploy.",
        ));
        let (run, state) = (new_id(platform), Colour::Red.name());
        let statements = [
            runs::given_up(&id, &run, state, now, &json!(books)),
            // The others of the portal do not wait behind it at the next tick.
            connections::had_its_turn(&id, now),
        ];
        match platform.batch(&statements).await {
            Ok(_) => self.followed(),
            Err(_) => Heard::AGAIN,
        }
    }

    /// What comes after the turn that was had.
    fn followed(mut self) -> Heard {
        self.rounds = self.rounds.saturating_sub(1);
        let more = self.rounds > 0 && !self.connections.is_empty();
        Heard {
            next: more.then_some(self),
            again: false,
        }
    }
}

impl Heard {
    const AGAIN: Heard = Heard {
        next: None,
        again: true,
    };
}
