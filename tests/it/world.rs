//! A world small enough to hold in a test: two systems, a database, time, and the weather.
//!
//! Nothing here runs by itself. The world polls what was woken, then takes the earliest event:
//! a request lands, an answer comes back, a timer ends, a process dies, somebody changes a record,
//! an invocation starts. Same seed, same story; a failing test prints the seed and the end of it.

mod d1;
mod fate;
mod invocation;
mod record;
mod remotes;
mod scheduler;
mod steps;
#[cfg(test)]
mod tests;

use std::{
    cell::{Ref, RefCell, RefMut},
    env,
    future::Future,
    rc::Rc,
    time::Duration,
};

use fastrand::Rng;
use serde_json::Value;
use syspro_hubspot_sync::platform::{Millis, NoAnswer};

use self::scheduler::{Core, Handle, Life, Task};
pub use self::{
    d1::D1,
    fate::{Caps, Effect, Fate, SETTLE, TROUBLES, Weather},
    invocation::Invocation,
    record::{Call, Ending, Landing, TaskId},
};

pub type Request = http::Request<String>;
pub type Response = http::Response<Vec<u8>>;
pub type Shared<T> = Rc<RefCell<T>>;

pub fn shared<T>(value: T) -> Shared<T> {
    Rc::new(RefCell::new(value))
}

/// A system at the other end of the wire.
pub trait Remote {
    fn answer(&mut self, now: Millis, request: &Request) -> Response;

    /// The same with whatever trouble was arranged for this very request.
    fn exchange(&mut self, now: Millis, request: &Request) -> Reply {
        Reply::Now(self.answer(now, request))
    }
}

/// How an arranged trouble turns out.
#[derive(Debug)]
pub enum Reply {
    Now(Response),
    /// Done now, answered so much later.
    After(Millis, Response),
    /// Done; the connection breaks.
    Done,
    /// The connection breaks, and nothing was done.
    NotDone,
    /// The connection breaks, and so much later it is done.
    DoneLater(Millis),
}

impl Reply {
    fn response(&self) -> Option<&Response> {
        match self {
            Reply::Now(response) | Reply::After(_, response) => Some(response),
            Reply::Done | Reply::NotDone | Reply::DoneLater(_) => None,
        }
    }
}

pub const ERP: &str = "erp.example";
pub const HUBSPOT: &str = "api.hubapi.com";

/// How a world begins.
#[derive(Clone)]
pub struct Start {
    pub seed: u64,
    pub now: Millis,
    pub weather: Weather,
    pub caps: Caps,
}

impl Start {
    /// Monday, 2 March 2026, 08:00 UTC.
    pub const NOW: Millis = 1_772_438_400_000;

    pub fn calm() -> Start {
        Start {
            seed: 0,
            now: Start::NOW,
            weather: Weather::calm(),
            caps: Caps::PAID,
        }
    }

    pub fn storm(seed: u64) -> Start {
        Start {
            seed,
            weather: Weather::storm(&mut Rng::with_seed(seed)),
            ..Start::calm()
        }
    }
}

/// The seeds of one weather test: `SEED=n` replays one of them.
pub fn seeds(count: u64) -> Vec<u64> {
    match env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..count).collect(),
    }
}

type Hook = Box<dyn FnMut(&World, &Landing<'_>)>;
/// Is handed the Worker's own next step, and takes it.
type Around = Box<dyn FnMut(&mut dyn FnMut())>;

pub struct World {
    seed: u64,
    core: Handle,
    d1: RefCell<D1>,
    tasks: RefCell<Vec<Option<Task>>>,
    hooks: RefCell<Vec<Hook>>,
    around: RefCell<Option<Around>>,
}

impl World {
    /// Nothing goes wrong: what the journeys live in.
    pub fn calm(
        erp: &Shared<impl Remote + 'static>,
        hubspot: &Shared<impl Remote + 'static>,
    ) -> World {
        World::new(Start::calm(), erp, hubspot)
    }

    pub fn new(
        start: Start,
        erp: &Shared<impl Remote + 'static>,
        hubspot: &Shared<impl Remote + 'static>,
    ) -> World {
        let core = Core {
            now: start.now,
            rng: Rng::with_seed(start.seed),
            weather: start.weather,
            caps: start.caps,
            unplugged: Vec::new(),
            hosts: vec![(ERP, erp.clone()), (HUBSPOT, hubspot.clone())],
            lives: Vec::new(),
            calls: Vec::new(),
            logs: Vec::new(),
            trace: Vec::new(),
            queue: Default::default(),
            issued: 0,
        };
        World {
            seed: start.seed,
            core: shared(core),
            d1: RefCell::new(D1::migrated()),
            tasks: RefCell::default(),
            hooks: RefCell::default(),
            around: RefCell::default(),
        }
    }

    /// One invocation from its first step to its last, while everything else goes on too.
    pub fn run<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        body: impl FnOnce(Invocation) -> F + 'static,
    ) -> T {
        let said = Rc::new(RefCell::new(None));
        let slot = said.clone();
        let task = self.spawn_at(self.now(), "run", move |invocation| async move {
            let value = body(invocation).await;
            *slot.borrow_mut() = Some(value);
        });
        // Not one event further than its end.
        while self.ending(task).is_none() {
            self.next_event(Millis::MAX);
            self.poll_woken();
        }
        said.take()
            .unwrap_or_else(|| panic!("the invocation {:?}", self.ending(task)))
    }

    /// An invocation that starts at `instant`: a cron call, a message, a request.
    pub fn spawn_at<F: Future<Output = ()> + 'static>(
        &self,
        instant: Millis,
        name: &str,
        body: impl FnOnce(Invocation) -> F + 'static,
    ) -> TaskId {
        let mut core = self.core.borrow_mut();
        let task = core.lives.len();
        core.lives.push(Life {
            name: name.to_owned(),
            ..Life::default()
        });
        self.tasks.borrow_mut().push(None);
        core.at(instant, move |world| {
            let invocation = world.born(task);
            world.tasks.borrow_mut()[task] = Some(Task::new(Box::pin(body(invocation))));
        });
        task
    }

    /// From now on another system answers, at this host.
    pub fn join(&self, host: &'static str, remote: &Shared<impl Remote + 'static>) {
        self.core.borrow_mut().hosts.push((host, remote.clone()));
    }

    /// Something happens at `instant`, such as an edit in SYSPRO.
    pub fn at(&self, instant: Millis, event: impl FnOnce(&World) + 'static) {
        self.core.borrow_mut().at(instant, event);
    }

    /// Called at every landing, when the other side has just done its part.
    pub fn on_landing(&self, hook: impl FnMut(&World, &Landing<'_>) + 'static) {
        self.hooks.borrow_mut().push(Box::new(hook));
    }

    /// Called for every step of an invocation, with that step: what happens in it is the Worker's
    /// own work, and what happens outside is the other systems' and the database's.
    pub fn around_steps(&self, around: impl FnMut(&mut dyn FnMut()) + 'static) {
        self.around.replace(Some(Box::new(around)));
    }

    /// Lets that much time pass.
    pub fn advance(&self, duration: Duration) {
        let until = self.now() + duration.as_millis() as Millis;
        while self.step(until) {}
        self.core.borrow_mut().now = until;
    }

    /// Goes on until every invocation has ended and every effect has landed.
    pub fn settle(&self) {
        while self.step(Millis::MAX) {}
    }

    /// From now on the host is not reached, in this way.
    pub fn unplug(&self, host: &'static str, how: NoAnswer) {
        let unplugged = &mut self.core.borrow_mut().unplugged;
        unplugged.retain(|(name, _)| *name != host);
        unplugged.push((host, how));
    }

    pub fn plug_in(&self, host: &str) {
        let unplugged = &mut self.core.borrow_mut().unplugged;
        unplugged.retain(|(name, _)| *name != host);
    }

    pub fn set_weather(&self, weather: Weather) {
        self.core.borrow_mut().weather = weather;
    }

    pub fn now(&self) -> Millis {
        self.core.borrow().now
    }

    pub fn d1(&self) -> RefMut<'_, D1> {
        self.d1.borrow_mut()
    }

    /// What the tables hold, by plain SQL.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        self.d1.borrow().rows(sql)
    }

    /// Every exchange over HTTP, in the order of asking.
    pub fn fetch_log(&self) -> Ref<'_, Vec<Call>> {
        Ref::map(self.core.borrow(), |core| &core.calls)
    }

    pub fn logs(&self) -> Vec<String> {
        self.core.borrow().logs.clone()
    }

    /// Writes something the test did into the story.
    pub fn note(&self, what: &str) {
        let mut core = self.core.borrow_mut();
        let line = format!("{} {what}", core.now);
        core.trace.push(line);
    }

    /// The story so far, one line an event.
    pub fn trace(&self) -> Vec<String> {
        self.core.borrow().trace.clone()
    }

    pub fn ending(&self, task: TaskId) -> Option<Ending> {
        self.core.borrow().lives[task].ending.clone()
    }

    /// D1 statements asked for, by all invocations.
    pub fn queries(&self) -> u64 {
        let core = self.core.borrow();
        core.lives.iter().map(|life| life.queries).sum()
    }

    /// Rows those statements were handed, one at least each.
    pub fn rows_handed_in(&self) -> u64 {
        let core = self.core.borrow();
        core.lives.iter().map(|life| life.rows_handed_in).sum()
    }

    /// The most connections any invocation wanted at once.
    pub fn most_connections(&self) -> usize {
        let core = self.core.borrow();
        core.lives
            .iter()
            .map(|life| life.most_wanted)
            .max()
            .unwrap_or(0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let trace = self.trace();
            let tail = &trace[trace.len().saturating_sub(
                env::var("TRACE")
                    .ok()
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(40),
            )..];
            eprintln!("{}\nSEED={} replays this world", tail.join("\n"), self.seed);
        }
    }
}
