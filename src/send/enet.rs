//! Asking e.net under a session: made when something needs it, shared by all runs of a connection,
//! renewed once when SYSPRO ended it, left when nobody needs it.
//!
//! A fault of e.net is e.net's alone: neither OData nor HubSpot is asked less for it.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use http::{Request, Response};
use serde_json::json;

use super::{Halt, MAX_PAGE_BYTES, Sender, sign};
use crate::{
    config::Bounds,
    connection::{Connection, Enet},
    fault::{Fault, Silence, System},
    platform::{Allow, Millis, NoAnswer, Platform, Statement},
    store::sessions::Kept,
    syspro::{
        enet,
        session::{Refused, Session},
    },
    vault::{MasterKeys, Place, SESSION, Secret},
};

/// How long an answer may take. Words for codes are worth no more of a run's time.
const ANSWER: Duration = Duration::from_secs(20);
/// Nobody waits long for a log-off.
const FAREWELL: Duration = Duration::from_secs(10);

/// The session as this invocation has it.
pub struct Seat<'a> {
    keys: &'a MasterKeys,
    session: RefCell<Session>,
    /// Something the database does not know yet.
    changed: Cell<bool>,
    /// e.net did not answer in this invocation: it is not asked again.
    down: RefCell<Option<Fault>>,
}

impl<'a> Seat<'a> {
    /// What a connection's row holds. An id that does not open is none: another is had for it.
    pub fn restore(keys: &'a MasterKeys, connection: &str, stored: Option<&str>) -> Self {
        let kept: Kept<Refused> = Kept::read(stored).unwrap_or_default();
        let place = place(connection);
        let open = |sealed: String| keys.open(&sealed, place).ok();
        Self {
            keys,
            session: RefCell::new(Session {
                id: kept.session.and_then(open),
                used_at: kept.used_at.unwrap_or(0),
                evictions: kept.evictions,
                refused: kept.refused,
            }),
            changed: Cell::new(false),
            down: RefCell::new(None),
        }
    }

    /// Whether there is a session already.
    pub fn is_taken(&self) -> bool {
        self.session.borrow().id.is_some()
    }

    /// Whether e.net is worth asking.
    fn may_ask(&self, now: Millis) -> Result<(), Fault> {
        match self.down.borrow().clone() {
            Some(fault) => Err(fault),
            None => self.session.borrow().may_ask(now),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Session)) {
        change(&mut self.session.borrow_mut());
        self.changed.set(true);
    }

    fn save<P: Platform>(&self, platform: &P, connection: &str) -> Statement {
        self.changed.set(false);
        let session = self.session.borrow();
        let seal = |id| {
            let mut nonce = [0; 12];
            platform.random(&mut nonce);
            self.keys.seal(id, place(connection), nonce)
        };
        let kept = Kept {
            session: session.id.as_ref().map(seal),
            used_at: Some(session.used_at),
            evictions: session.evictions.clone(),
            refused: session.refused.clone(),
        };
        kept.save(connection)
    }
}

fn place(connection: &str) -> Place<'_> {
    Place {
        connection,
        field: SESSION,
    }
}

impl<'a, P: Platform> Sender<'a, P> {
    /// With the session this connection's runs share.
    pub fn seated(mut self, seat: Seat<'a>) -> Self {
        self.seat = Some(seat);
        self
    }

    /// Asks e.net under the session.
    ///
    /// # Errors
    /// [`enet::reason`] says what a fault means here.
    pub async fn enet<T>(
        &self,
        request: impl Fn(&Enet, &Secret) -> Request<String>,
        read: impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
    ) -> Result<T, Halt> {
        let (line, seat) = self.line()?;
        let mut renewed = false;
        loop {
            let now = self.platform.now();
            seat.may_ask(now)?;
            let id = seat.session.borrow().usable(now).cloned();
            let id = match id {
                Some(id) => id,
                None => self.log_on(line, seat).await?,
            };
            let asked = self.ask(seat, request(line, &id), &read).await;
            let now = self.platform.now();
            match asked {
                Err(Halt::Fault(Fault::SessionEnded)) => {
                    seat.change(|session| session.evicted(now));
                    if renewed {
                        return Err(Halt::Fault(Fault::SessionEnded));
                    }
                    renewed = true;
                }
                asked => {
                    if asked.is_ok() {
                        seat.change(|session| session.used(now));
                    }
                    return asked;
                }
            }
        }
    }

    /// Asks e.net what needs no session.
    pub async fn enet_without_session<T>(
        &self,
        request: impl Fn(&Enet) -> Request<String>,
        read: impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
    ) -> Result<T, Halt> {
        let (line, seat) = self.line()?;
        self.ask(seat, request(line), &read).await
    }

    fn line(&self) -> Result<(&Enet, &Seat<'a>), Halt> {
        match (&self.connection.syspro.enet, &self.seat) {
            (Some(line), Some(seat)) => Ok((line, seat)),
            _ => Err(Halt::Fault(enet::refused(enet::code::ABSENT))),
        }
    }

    /// Asked for once: what SYSPRO refuses is not tried again before a change or an hour, and what
    /// it does not answer not before the next run.
    async fn log_on(&self, line: &Enet, seat: &Seat<'_>) -> Result<Secret, Halt> {
        let now = self.platform.now();
        seat.session.borrow().may_log_on(now)?;
        self.room_to_read()?;
        let request = enet::logon(line, &self.connection.syspro.company);
        let answer = self.once(request, &enet::read_logon).await;
        match &answer {
            Ok(id) => seat.change(|session| session.logged_on(id.clone(), self.platform.now())),
            Err(Fault::Refused {
                refusal, status, ..
            }) if *status == 200 => {
                seat.change(|session| session.log_on_refused(&refusal.code, self.platform.now()));
            }
            Err(fault) => {
                *seat.down.borrow_mut() = Some(fault.clone());
                self.heed(seat, fault);
            }
        }
        // At once: a run that dies after it must not leave a session nobody knows of, nor a password
        // tried that the next run tries again.
        if let Some(store) = self.store {
            let save = seat.save(self.platform, &self.connection.id);
            store.commit(vec![save]).await?;
        }
        Ok(answer?)
    }

    /// Reading changes nothing in SYSPRO, so what failed at once is tried again, once. What hangs is
    /// not, nor is it asked again before an hour has passed: it would take each run the time in which
    /// it reads and writes records.
    async fn ask<T>(
        &self,
        seat: &Seat<'_>,
        request: Request<String>,
        read: &impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
    ) -> Result<T, Halt> {
        self.room_to_read()?;
        let mut answer = self.once(request.clone(), read).await;
        if let Err(fault) = &answer
            && !hung(fault)
            && self.wait_out(None, fault, 0).await.is_ok()
            && self.room_to_read().is_ok()
        {
            answer = self.once(request, read).await;
        }
        if let Err(fault) = &answer {
            self.heed(seat, fault);
        }
        Ok(answer?)
    }

    /// Remembers a silence. One of less than the time we give a run's calls says little: set-up has less.
    fn heed(&self, seat: &Seat<'_>, fault: &Fault) {
        if !matches!(fault, Fault::NoAnswer { .. }) {
            return;
        }
        *seat.down.borrow_mut() = Some(fault.clone());
        if self.repeats && self.time_left() >= ANSWER {
            seat.change(|session| session.unheard(self.platform.now()));
        }
    }

    async fn once<T>(
        &self,
        mut request: Request<String>,
        read: &impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        sign::for_enet(&mut request, &self.connection.syspro);
        self.reads.set(self.reads.get() + 1);
        let allow = Allow {
            within: self.time_left().min(ANSWER),
            max_bytes: MAX_PAGE_BYTES,
        };
        let answer = self.exchange(System::Enet, &request, allow).await?;
        if let Some(seat) = &self.seat
            && seat.session.borrow_mut().heard()
        {
            seat.changed.set(true);
        }
        let bytes = u64::try_from(answer.body().len()).unwrap_or(u64::MAX);
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        read(&answer)
    }

    /// Logs off where nobody needed the session for so long that nobody will. A log-off that fails
    /// only forgets: SYSPRO gives up an idle session by itself.
    pub async fn leave_if_idle(&self) {
        let Ok((line, seat)) = self.line() else {
            return;
        };
        let stale = seat.session.borrow().stale(self.platform.now()).cloned();
        if let Some(id) = stale {
            self.log_off(line, seat, id).await;
        }
    }

    /// Logs off, whoever may need the session yet.
    pub async fn leave(&self) {
        let Ok((line, seat)) = self.line() else {
            return;
        };
        let id = seat.session.borrow().id.clone();
        if let Some(id) = id {
            self.log_off(line, seat, id).await;
        }
    }

    async fn log_off(&self, line: &Enet, seat: &Seat<'_>, id: Secret) {
        let mut request = enet::logoff(line, &id);
        sign::for_enet(&mut request, &self.connection.syspro);
        let allow = Allow {
            within: FAREWELL,
            max_bytes: MAX_PAGE_BYTES,
        };
        // Whatever it answers, nobody asks with this id any more.
        let _ = self.exchange(System::Enet, &request, allow).await;
        seat.change(Session::logged_off);
    }

    /// The last log-on, where it was refused.
    pub fn log_on_refused(&self) -> Option<Refused> {
        let seat = self.seat.as_ref()?;
        seat.session.borrow().refused.clone()
    }

    /// What of the session the database does not know yet, for the run's closing commit.
    pub fn session_to_save(&self) -> Option<Statement> {
        let seat = self.seat.as_ref().filter(|seat| seat.changed.get())?;
        Some(seat.save(self.platform, &self.connection.id))
    }
}

/// Whether the answer took all the time it was given.
fn hung(fault: &Fault) -> bool {
    let too_late = Silence::Network(NoAnswer::TimedOut);
    matches!(fault, Fault::NoAnswer { what, .. } if *what == too_late)
}

/// Logs off a sealed session that nobody will ask with, after its connection was removed or its
/// log-on changed.
pub async fn farewell<P: Platform>(
    platform: &P,
    keys: &MasterKeys,
    connection: &Connection,
    sealed: &str,
    bounds: Bounds,
) {
    let stored = json!({ "session": sealed }).to_string();
    let seat = Seat::restore(keys, &connection.id, Some(&stored));
    let sender = Sender::new(platform, connection, None, None, bounds).seated(seat);
    sender.leave().await;
}
