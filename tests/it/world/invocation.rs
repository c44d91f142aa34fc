//! One invocation's world: the tests' implementation of the port.

use std::{cell::RefCell, future, rc::Rc, time::Duration};

use fastrand::Rng;
use serde::de::IgnoredAny;
use serde_json::Value;
use syspro_hubspot_sync::platform::{
    Allow, Arg, Millis, NoAnswer, Platform, Statement, StoreError,
};

use super::{
    Reply, Request, Response, World,
    fate::{Caps, Effect, Fate, Plan, d1_patience},
    record::{Call, Landing, TaskId},
    scheduler::{Core, Handle, Life, Wait},
};

type Answer = Result<Response, NoAnswer>;
type Rows = Result<Vec<Vec<Value>>, StoreError>;

#[derive(Clone)]
pub struct Invocation {
    pub(super) core: Handle,
    pub(super) task: TaskId,
}

impl Platform for Invocation {
    async fn fetch(&self, request: &Request, allow: Allow) -> Answer {
        self.spend(|life, caps| {
            life.subrequests += 1;
            (life.subrequests > caps.subrequests).then_some("past the cap of subrequests")
        })
        .await;
        let (call, wait) = (self.record(request), Wait::new(&self.core, self.task));
        let within = millis(allow.within);
        wait.at_latest(within, Err(NoAnswer::TimedOut));
        let answering = wait.clone();
        wait.connect(move |core| exchange(core, call, answering, within));
        let answer = match wait.await {
            Ok(response) if response.body().len() > allow.max_bytes => Err(NoAnswer::TooLong),
            answer => answer,
        };
        let mut core = self.core.borrow_mut();
        let now = core.now;
        core.calls[call].answered = Some(now);
        core.calls[call].told = Some(match &answer {
            Ok(response) => Ok(response.status().as_u16()),
            Err(none) => Err(*none),
        });
        answer
    }

    async fn batch(&self, statements: &[Statement]) -> Rows {
        self.spend(|life, caps| {
            life.queries += statements.len() as u64;
            life.rows_handed_in += statements.iter().map(rows_handed_in).sum::<u64>();
            (life.queries > caps.queries).then_some("past the cap of queries")
        })
        .await;
        let (task, statements) = (self.task, statements.to_vec());
        let wait = Wait::new(&self.core, task);
        let answering = wait.clone();
        wait.connect(move |core| commit(core, task, answering, statements));
        wait.await
    }

    async fn sleep(&self, duration: Duration) {
        let wait = Wait::new(&self.core, self.task);
        wait.at_latest(millis(duration), ());
        wait.await;
    }

    fn now(&self) -> Millis {
        let core = self.core.borrow();
        core.now + core.lives[self.task].skew
    }

    fn random(&self, bytes: &mut [u8]) {
        self.core.borrow_mut().rng.fill(bytes);
    }

    fn log(&self, line: &str) {
        self.core.borrow_mut().logs.push(line.to_owned());
    }
}

impl Invocation {
    /// Counts something against a cap; past it, the process dies here.
    async fn spend(&self, count: impl FnOnce(&mut Life, &Caps) -> Option<&'static str>) {
        if self.overspent(count) {
            future::pending::<()>().await;
        }
    }

    fn overspent(&self, count: impl FnOnce(&mut Life, &Caps) -> Option<&'static str>) -> bool {
        let mut core = self.core.borrow_mut();
        let caps = core.caps;
        let Some(why) = count(&mut core.lives[self.task], &caps) else {
            return false;
        };
        let (now, task) = (core.now, self.task);
        core.lives[task].dies_at = Some(now);
        core.at(now, move |world| world.kill(task, why));
        true
    }

    fn record(&self, request: &Request) -> usize {
        let mut core = self.core.borrow_mut();
        let call = Call {
            task: self.task,
            request: Rc::new(request.clone()),
            issued: core.now,
            fate: None,
            landed: None,
            answered: None,
            told: None,
        };
        core.calls.push(call);
        core.calls.len() - 1
    }
}

fn exchange(core: &Handle, call: usize, wait: Wait<Answer>, within: Millis) {
    let mut inner = core.borrow_mut();
    let (task, request) = (inner.calls[call].task, inner.calls[call].request.clone());
    let remote = inner.remote(&request);
    let (fate, plan, instead) = {
        let Core { weather, rng, .. } = &mut *inner;
        let fate = match remote {
            Ok(_) => weather.draw(Effect::Http, request.method() == http::Method::POST, rng),
            Err(_) => Fate::Never,
        };
        let plan = weather.plan(Effect::Http, fate, within, rng);
        (fate, plan, instead_of(fate, rng))
    };
    inner.calls[call].fate = Some(fate);
    let line = format!("{} {fate:?}", inner.calls[call].line());
    inner.note(task, &line);
    drop(inner);
    let remote = match remote {
        Ok(remote) => remote,
        // Whoever asked finds out by waiting.
        Err(NoAnswer::TimedOut) => return,
        Err(how) => return wait.settle(Err(how)),
    };
    let late = wait.clone();
    follow(core, task, wait, plan, instead, move |world| {
        let reply = remote.borrow_mut().exchange(world.now(), &request);
        if !matches!(reply, Reply::NotDone | Reply::DoneLater(_)) {
            arrived(world, call, reply.response());
        }
        match reply {
            Reply::Now(response) => return Some(Ok(response)),
            Reply::After(wait, response) => {
                let answer = move |_: &World| late.settle(Ok(response));
                world.at(world.now() + wait, answer);
                return None;
            }
            Reply::DoneLater(wait) => world.at(world.now() + wait, move |world| {
                let response = remote.borrow_mut().answer(world.now(), &request);
                arrived(world, call, Some(&response));
            }),
            Reply::Done | Reply::NotDone => {}
        }
        Some(Err(NoAnswer::Broken))
    });
}

/// The other side has just done what the request asked.
fn arrived(world: &World, call: usize, response: Option<&Response>) {
    let request = {
        let mut core = world.core.borrow_mut();
        core.calls[call].landed = Some(core.now);
        let (task, line) = (core.calls[call].task, core.calls[call].line());
        let status = response.map(|response| response.status().as_u16());
        core.note(task, &format!("{line} landed: {status:?}"));
        core.calls[call].request.clone()
    };
    world.landed(&Landing::Exchange {
        request: &request,
        response,
    });
}

/// What the caller hears instead of the other side's own answer.
fn instead_of(fate: Fate, rng: &mut Rng) -> Option<Answer> {
    let status = |code: u16| {
        let body = b"<html><body>upstream trouble</body></html>".to_vec();
        let response = http::Response::builder().status(code).body(body);
        Ok(response.expect("a response of constants"))
    };
    match fate {
        Fate::Refused if rng.bool() => Some(status(503)),
        Fate::Refused | Fate::AnswerLost => Some(Err(NoAnswer::Broken)),
        Fate::FailsAfter => Some(status([500, 502, 504, 521, 522, 524][rng.usize(..6)])),
        Fate::LandsLate | Fate::Never => Some(Err(NoAnswer::TimedOut)),
        Fate::Answers | Fate::Slow | Fate::DiesBefore | Fate::DiesAfter => None,
    }
}

fn commit(core: &Handle, task: TaskId, wait: Wait<Rows>, statements: Vec<Statement>) {
    let (plan, instead) = {
        let inner = &mut *core.borrow_mut();
        let fate = inner.weather.draw(Effect::D1, false, &mut inner.rng);
        let patience = d1_patience(&mut inner.rng);
        let plan = inner
            .weather
            .plan(Effect::D1, fate, patience, &mut inner.rng);
        inner.note(task, &format!("batch of {} {fate:?}", statements.len()));
        let instead = match fate {
            Fate::Answers | Fate::Slow | Fate::DiesBefore | Fate::DiesAfter => None,
            Fate::Refused => Some(Err(StoreError::Refused("D1 DB is overloaded".into()))),
            Fate::AnswerLost | Fate::FailsAfter | Fate::LandsLate | Fate::Never => {
                Some(Err(StoreError::Unknown))
            }
        };
        (plan, instead)
    };
    follow(core, task, wait, plan, instead, move |world| {
        let done = world.d1().batch(&statements);
        let how = done.as_ref().map(|_| "done");
        world
            .core
            .borrow_mut()
            .note(task, &format!("batch landed: {how:?}"));
        if let Ok(rows) = &done {
            world.landed(&Landing::Batch {
                statements: &statements,
                rows,
            });
        }
        Some(done)
    });
}

/// Puts an effect's instants into the world: from here on it no longer needs its caller.
fn follow<T: 'static>(
    core: &Handle,
    task: TaskId,
    wait: Wait<T>,
    plan: Plan,
    instead: Option<T>,
    land: impl FnOnce(&World) -> Option<T> + 'static,
) {
    let truth = Rc::new(RefCell::new(None));
    let mut core = core.borrow_mut();
    let now = core.now;
    if let Some(after) = plan.lands {
        let truth = truth.clone();
        core.at(now + after, move |world| {
            *truth.borrow_mut() = land(world);
        });
    }
    if let Some(after) = plan.answers {
        core.at(now + after, move |_| {
            if let Some(answer) = instead.or_else(|| truth.take()) {
                wait.settle(answer);
            }
        });
    }
    if let Some(after) = plan.dies {
        core.at(now + after, move |world| world.kill(task, "the weather"));
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

/// The elements of the longest array it binds: rows travel as one JSON argument.
fn rows_handed_in(statement: &Statement) -> u64 {
    let length = |arg: &Arg| match arg {
        Arg::Text(text) if text.starts_with('[') => {
            let rows: Result<Vec<IgnoredAny>, _> = serde_json::from_str(text);
            rows.map_or(1, |rows| rows.len() as u64)
        }
        _ => 1,
    };
    statement.args.iter().map(length).max().unwrap_or(1).max(1)
}
