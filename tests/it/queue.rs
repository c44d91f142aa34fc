//! Cloudflare's queue, as far as a Worker sees it: what was sent is delivered at least once, in no
//! order, and beside other messages; what was tried too often comes back as a dead letter.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use syspro_hubspot_sync::{
    config::Config,
    platform::Millis,
    tick::{self, Turns},
};

use crate::world::World;

/// As `max_retries` in wrangler.toml.
const RETRIES: u32 = 3;

#[derive(Clone, Default)]
pub struct Queue {
    letters: Rc<RefCell<VecDeque<Letter>>>,
}

#[derive(Clone)]
struct Letter {
    turns: Turns,
    tries: u32,
}

impl Queue {
    pub fn send(&self, turns: Turns) {
        let mut letters = self.letters.borrow_mut();
        letters.push_back(Letter { turns, tries: 0 });
    }

    pub fn len(&self) -> usize {
        self.letters.borrow().len()
    }

    /// A cron call at this instant, of a deployment that has the queue.
    pub fn cron_at(&self, world: &World, at: Millis, config: Config) {
        let queue = self.clone();
        world.spawn_at(at, "cron", |edge| async move {
            for turns in tick::turns(&edge, &config).await {
                queue.send(turns);
            }
        });
    }

    /// Delivers, at this instant, what waits longest; with `twice` it is delivered once more.
    pub fn deliver_at(&self, world: &World, at: Millis, config: Config, twice: bool) {
        let queue = self.clone();
        world.spawn_at(at, "message", move |edge| async move {
            let Some(letter) = queue.take(twice) else {
                return;
            };
            let turns = letter.turns.clone();
            let heard = match letter.tries > RETRIES {
                true => turns.give_up(&edge).await,
                false => turns.take(&edge, &config).await,
            };
            if heard.again {
                let tries = letter.tries + 1;
                queue
                    .letters
                    .borrow_mut()
                    .push_back(Letter { tries, ..letter });
            }
            heard.next.into_iter().for_each(|next| queue.send(next));
        });
    }

    fn take(&self, twice: bool) -> Option<Letter> {
        let mut letters = self.letters.borrow_mut();
        let letter = letters.pop_front()?;
        if twice {
            letters.push_back(letter.clone());
        }
        Some(letter)
    }
}
