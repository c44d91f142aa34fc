//! Time, and who waits for what: events in order, ties by seed, futures polled by hand.
//!
//! An effect belongs to the world. Its landing and its answer are events of their own; the future
//! that asked holds no more than a [`Wait`], so dropping it undoes nothing.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use fastrand::Rng;
use syspro_hubspot_sync::platform::{Millis, NoAnswer};

use super::{
    Remote, Request, Shared, World,
    fate::{Caps, Weather},
    record::{Call, Ending, TaskId},
};

pub type Event = Box<dyn FnOnce(&World)>;
/// Instant, lot among equals, order of issue.
pub type Key = (Millis, u32, u64);

/// What is shared between the world and the invocations living in it.
pub struct Core {
    pub now: Millis,
    pub rng: Rng,
    pub weather: Weather,
    pub caps: Caps,
    pub hosts: Vec<(&'static str, Shared<dyn Remote>)>,
    /// Hosts that are not reached, and how.
    pub unplugged: Vec<(&'static str, NoAnswer)>,
    pub lives: Vec<Life>,
    pub calls: Vec<Call>,
    pub logs: Vec<String>,
    pub trace: Vec<String>,
    pub queue: BTreeMap<Key, Event>,
    pub issued: u64,
}

pub type Handle = Rc<RefCell<Core>>;

/// What the world knows of one invocation.
#[derive(Default)]
pub struct Life {
    pub name: String,
    pub skew: Millis,
    pub dies_at: Option<Millis>,
    pub queries: u64,
    pub rows_handed_in: u64,
    pub subrequests: u64,
    pub connections: usize,
    /// The most that wanted a connection at once, those waiting their turn included.
    pub most_wanted: usize,
    pub turn: VecDeque<Launch>,
    /// Answers and timers still to come.
    pub waits: usize,
    pub ending: Option<Ending>,
}

/// Starts an effect once a connection is free; `false` when nobody waits for it any more.
pub type Launch = Box<dyn FnOnce(&Handle) -> bool>;

impl Core {
    pub fn at(&mut self, instant: Millis, event: impl FnOnce(&World) + 'static) -> Key {
        let key = (instant.max(self.now), self.rng.u32(..), self.issued);
        self.issued += 1;
        self.queue.insert(key, Box::new(event));
        key
    }

    /// Hosts nobody answers for do not exist.
    pub fn remote(&self, request: &Request) -> Result<Shared<dyn Remote>, NoAnswer> {
        let host = request.uri().host().unwrap_or_default();
        if let Some((_, how)) = self.unplugged.iter().find(|(name, _)| *name == host) {
            return Err(*how);
        }
        let known = self.hosts.iter().find(|(name, _)| *name == host);
        known
            .map(|(_, remote)| remote.clone())
            .ok_or(NoAnswer::NoSuchHost)
    }

    pub fn note(&mut self, task: TaskId, what: &str) {
        let name = &self.lives[task].name;
        self.trace
            .push(format!("{} {name}#{task} {what}", self.now));
    }

    /// The invocation that comes to the end of its wall time first.
    pub fn next_to_expire(&self) -> Option<(Millis, TaskId)> {
        let alive = self.lives.iter().enumerate();
        let alive = alive.filter(|(_, life)| life.ending.is_none());
        alive
            .filter_map(|(task, life)| Some((life.dies_at?, task)))
            .min()
    }
}

/// The place where an answer, or the end of a timer, will be.
pub struct Wait<T> {
    core: Handle,
    task: TaskId,
    state: Rc<RefCell<State<T>>>,
}

struct State<T> {
    answer: Option<T>,
    waker: Option<Waker>,
    settled: bool,
    connected: bool,
    deadline: Option<Key>,
}

impl<T> Clone for Wait<T> {
    fn clone(&self) -> Self {
        Wait {
            core: self.core.clone(),
            task: self.task,
            state: self.state.clone(),
        }
    }
}

impl<T: 'static> Wait<T> {
    pub fn new(core: &Handle, task: TaskId) -> Wait<T> {
        core.borrow_mut().lives[task].waits += 1;
        Wait {
            core: core.clone(),
            task,
            state: Rc::new(RefCell::new(State {
                answer: None,
                waker: None,
                settled: false,
                connected: false,
                deadline: None,
            })),
        }
    }

    /// What the caller hears when nothing else came by then.
    pub fn at_latest(&self, after: Millis, answer: T) {
        let mut core = self.core.borrow_mut();
        let (instant, wait) = (core.now + after, self.clone());
        let key = core.at(instant, move |_| wait.settle(answer));
        self.state.borrow_mut().deadline = Some(key);
    }

    /// The first answer counts; later ones find nobody.
    pub fn settle(&self, answer: T) {
        let mut state = self.state.borrow_mut();
        if std::mem::replace(&mut state.settled, true) {
            return;
        }
        state.answer = Some(answer);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        let mut core = self.core.borrow_mut();
        if let Some(key) = state.deadline.take() {
            core.queue.remove(&key);
        }
        core.lives[self.task].waits -= 1;
        if state.connected {
            core.lives[self.task].connections -= 1;
            drop(core);
            drop(state);
            next_in_turn(&self.core, self.task);
        }
    }

    /// Starts the effect now, or as soon as one of the invocation's connections is free.
    pub fn connect(&self, launch: impl FnOnce(&Handle) + 'static) {
        let wait = self.clone();
        let launch = Box::new(move |core: &Handle| {
            let waited_for = !wait.state.borrow().settled;
            if waited_for {
                wait.state.borrow_mut().connected = true;
                core.borrow_mut().lives[wait.task].connections += 1;
                launch(core);
            }
            waited_for
        });
        let mut core = self.core.borrow_mut();
        let life = &mut core.lives[self.task];
        life.turn.push_back(launch);
        life.most_wanted = life.most_wanted.max(life.connections + life.turn.len());
        drop(core);
        next_in_turn(&self.core, self.task);
    }
}

fn next_in_turn(core: &Handle, task: TaskId) {
    loop {
        let mut inner = core.borrow_mut();
        let most = inner.caps.connections;
        let life = &mut inner.lives[task];
        if life.ending.is_some() || life.connections >= most {
            return;
        }
        let Some(launch) = life.turn.pop_front() else {
            return;
        };
        drop(inner);
        launch(core);
    }
}

impl<T> Future for Wait<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut state = self.state.borrow_mut();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A future the world polls when it was woken, and drops when its process dies.
pub struct Task {
    pub future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Task {
    pub fn new(future: Pin<Box<dyn Future<Output = ()>>>) -> Task {
        Task {
            future,
            woken: Arc::new(Woken(AtomicBool::new(true))),
        }
    }

    pub fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }

    pub fn poll(&mut self) -> Poll<()> {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(self.woken.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
