//! How a run leaves its connection: strikes, parks, and whether it still works.

use crate::{
    books::{Books, Colour},
    context::Run,
    credentials,
    fault::Reason,
    platform::{DAY, Platform},
    store::connections::{Health, State, Stored},
    typed,
};

/// Runs in a row that a system refused outright before the connection is called broken.
const STRIKES: i64 = 2;

pub fn health<P: Platform>(run: &Run<'_, P>, books: &Books, stored: &Stored) -> Health {
    let parked = run.parked("*").is_some();
    let strikes = match books.strike {
        Some(_) => stored.strikes.saturating_add(1),
        // While nothing is asked of HubSpot, nothing is known of it.
        None if parked => stored.strikes,
        None => 0,
    };
    let broken = strikes >= STRIKES;
    // Whatever did not open meanwhile has just been opened.
    let before = || -> Option<Reason> {
        let reason: Reason = typed::from_str(stored.state_reason.as_deref()?).ok()?;
        (reason.code != credentials::SEALED).then_some(reason)
    };
    let parks_all = || run.parked("*").map(|park| park.reason);
    let wrote = books.feeds.values().any(|feed| feed.written > 0);
    let now = run.platform.now();
    let mut parks = run.parks.borrow().clone();
    // What went through again is not counted as in a row any more.
    parks.retain(|_, park| park.until > now || !wrote);
    // A park nobody needed any more for a day says nothing of the next.
    parks.retain(|_, park| park.until + DAY > now);
    let parks_last = parks.values().any(|park| park.until > now);
    Health {
        state: match broken {
            true => State::Broken,
            false => State::Active,
        },
        state_reason: match broken {
            true => books.strike.clone().or_else(before).or_else(parks_all),
            false => None,
        },
        strikes,
        parks,
        good: books.colour() != Colour::Red && !parks_last,
    }
}
