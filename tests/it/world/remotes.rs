//! The two simulators as the world's other ends, their own scheduled mishaps included.

use simulators::{
    hubspot::{Exchange, Portal},
    syspro::{Manner, Server},
};
use syspro_hubspot_sync::platform::Millis;

use super::{Remote, Reply, Request, Response};

impl Remote for Server {
    fn answer(&mut self, now: Millis, request: &Request) -> Response {
        Server::answer(self, now, request)
    }

    fn exchange(&mut self, now: Millis, request: &Request) -> Reply {
        let response = Server::answer(self, now, request);
        match Manner::of(&response) {
            Manner { drop: true, .. } => Reply::Done,
            Manner { delay: 0, .. } => Reply::Now(response),
            Manner { delay, .. } => Reply::After(delay, response),
        }
    }
}

impl Remote for Portal {
    fn answer(&mut self, now: Millis, request: &Request) -> Response {
        Portal::answer(self, now, request)
    }

    fn exchange(&mut self, now: Millis, request: &Request) -> Reply {
        let millis = |ms: u64| Millis::try_from(ms).expect("a delay in our time");
        match Portal::exchange(self, now, request) {
            Exchange::Answer(response) => Reply::Now(response),
            Exchange::Delayed { ms, response } => Reply::After(millis(ms), response),
            // Whoever reads a body that breaks off has a broken connection, not half an answer.
            Exchange::Dropped { done: true } | Exchange::Cut { .. } => Reply::Done,
            Exchange::Dropped { done: false } => Reply::NotDone,
            Exchange::DroppedThenDone { late_ms } => Reply::DoneLater(millis(late_ms)),
        }
    }
}
