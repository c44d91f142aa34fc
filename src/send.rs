//! The one place that asks and waits: credentials, pace, lease, retry, bounds.
//!
//! A caller hands in a request and the function that reads its answer, and gets what it means or a
//! [`Halt`]. Nothing here sleeps towards the invocation's limit: a wait that does not fit is a halt,
//! and the next tick goes on.

mod call;
mod effect;
mod enet;
mod halt;
mod places;
mod pretence;
mod sign;

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use http::{Request, Response};

use crate::{
    config::Bounds,
    connection::Connection,
    fault::{Fault, Silence, System},
    hubspot::account::{Account, day_reset},
    pace::{Lane, Pace},
    platform::{Allow, DAY, Millis, Platform},
    retry::{self, Decision},
    store::Store,
};

pub use enet::{Seat, farewell};

use places::Places;

pub use effect::Effect;
pub use halt::Halt;
pub use pretence::{NEVER_MADE, NOTED, PREVIEW, Pretence, Sample};

/// How long a page of SYSPRO's may take.
const MAX_PAGE_TIME: Duration = Duration::from_secs(60);
/// The largest page read from SYSPRO.
const MAX_PAGE_BYTES: usize = 8_000_000;

pub struct Sender<'a, P> {
    platform: &'a P,
    connection: &'a Connection,
    /// Absent while a connection is being set up: properties may be created by two at once.
    store: Option<&'a Store<'a, P>>,
    /// The session of e.net, where the connection has one.
    seat: Option<Seat<'a>>,
    pace: RefCell<Pace>,
    in_flight: Places,
    /// What a preview notes instead of writing.
    pretence: RefCell<Option<Pretence>>,
    bounds: Bounds,
    /// Whether a call that met a passing fault is made again.
    repeats: bool,
    began: Millis,
    /// Nothing new is begun after it.
    deadline: Millis,
    /// When HubSpot's daily quota starts anew.
    day_ends: Millis,
    calls: Cell<u32>,
    reads: Cell<u32>,
    rows: Cell<u64>,
    bytes: Cell<u64>,
    hold: Cell<Option<Millis>>,
}

impl<'a, P: Platform> Sender<'a, P> {
    /// `account` and `store` are absent while a connection is being set up: somebody waits for the
    /// answer then, so each call is made once.
    pub fn new(
        platform: &'a P,
        connection: &'a Connection,
        account: Option<&Account>,
        store: Option<&'a Store<'a, P>>,
        bounds: Bounds,
    ) -> Self {
        let settings = &connection.settings;
        let began = platform.now();
        let run_for = i64::try_from(bounds.run_for.as_millis()).unwrap_or(DAY);
        let day_ends = account.map_or(began + DAY, |account| day_reset(account, began));
        // The share is for what goes on all day: a set-up is some dozen calls, and has seconds.
        let rate_share = store.map_or(1.0, |_| settings.rate_share);
        let pace = Pace::new(rate_share, settings.daily_share, day_ends);
        let pace = match store.and_then(Store::pace) {
            Some(kept) => pace.go_on(kept, began),
            None => pace,
        };
        Self {
            platform,
            connection,
            store,
            seat: None,
            pace: RefCell::new(pace),
            in_flight: Places::default(),
            pretence: RefCell::default(),
            bounds,
            repeats: store.is_some(),
            began,
            deadline: began.saturating_add(run_for),
            day_ends,
            calls: Cell::new(0),
            reads: Cell::new(0),
            rows: Cell::new(0),
            bytes: Cell::new(0),
            hold: Cell::new(None),
        }
    }

    /// Calls made to HubSpot.
    pub fn calls(&self) -> u32 {
        self.calls.get()
    }

    /// Requests made to SYSPRO.
    pub fn reads(&self) -> u32 {
        self.reads.get()
    }

    /// Rows read from SYSPRO.
    pub fn rows(&self) -> u32 {
        u32::try_from(self.rows.get()).unwrap_or(u32::MAX)
    }

    /// Bytes read from SYSPRO.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// How many pairs may be linked in one call.
    pub fn most_pairs(&self) -> usize {
        self.pace.borrow().pairs()
    }

    /// HubSpot took so many pairs in one call, and not twice as many.
    pub fn takes_pairs(&self, pairs: usize) {
        self.pace.borrow_mut().takes_pairs(pairs);
    }

    /// What the portal's next run goes on with.
    pub fn pace(&self) -> String {
        self.pace.borrow().to_keep(self.platform.now())
    }

    /// What HubSpot lets everybody call in a day, if it has said so.
    pub fn daily_limit(&self) -> Option<u64> {
        self.pace.borrow().daily_limit()
    }

    /// Until when a write whose answer was lost may still land, if that is not past.
    pub fn hold(&self) -> Option<Millis> {
        self.hold.get().filter(|until| *until > self.platform.now())
    }

    /// Counts rows read from SYSPRO.
    pub fn took(&self, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.rows.set(self.rows.get().saturating_add(rows));
    }

    /// Whether SYSPRO may be asked once more. Reading leaves half of the time and of the statements to
    /// delivery, which would otherwise never begin while a backfill goes on.
    ///
    /// # Errors
    /// [`Halt::Spent`] names the bound that is reached.
    pub fn room_to_read(&self) -> Result<(), Halt> {
        let end = match self.store {
            Some(_) => self.began + (self.deadline - self.began) / 2,
            // Set-up asks both systems side by side.
            None => self.deadline,
        };
        if self.platform.now() >= end {
            Err(Halt::Spent("time to read"))
        } else if self.statements() >= self.bounds.max_queries / 2 {
            Err(Halt::Spent("D1 statements to read"))
        } else {
            Ok(())
        }
    }

    /// Whether a poll may read another page. Its first it always may: otherwise one that always spends
    /// all there is would keep those after it waiting for ever. And what belongs to a page is read with
    /// it, or the page would never be taken.
    ///
    /// # Errors
    /// [`Halt::Spent`] names the bound that is reached.
    pub fn room_for_a_page(&self) -> Result<(), Halt> {
        if self.rows.get() >= u64::from(self.bounds.max_rows) {
            Err(Halt::Spent("rows"))
        } else if self.bytes.get() >= self.bounds.max_bytes {
            Err(Halt::Spent("bytes"))
        } else {
            Ok(())
        }
    }

    /// Whether another call to HubSpot may be made.
    ///
    /// # Errors
    /// [`Halt::Spent`] names the bound that is reached.
    pub fn room_to_write(&self) -> Result<(), Halt> {
        if self.platform.now() >= self.deadline {
            Err(Halt::Spent("time"))
        } else if self.calls.get() >= self.bounds.max_calls {
            Err(Halt::Spent("calls"))
        } else if self.statements() >= self.bounds.max_queries {
            Err(Halt::Spent("D1 statements"))
        } else {
            Ok(())
        }
    }

    fn time_left(&self) -> Duration {
        let left = self.deadline - self.platform.now();
        Duration::from_millis(left.max(0).unsigned_abs())
    }

    fn statements(&self) -> u32 {
        self.store.map_or(0, Store::statements)
    }

    /// Asks SYSPRO's OData. Reading changes nothing there, so it is simply tried again.
    pub async fn odata<T>(
        &self,
        mut request: Request<String>,
        read: impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
    ) -> Result<T, Halt> {
        sign::for_odata(&mut request, &self.connection.syspro);
        let mut attempt = 0;
        let mut last: Option<Fault> = None;
        loop {
            // What ended the last attempt says more than that there is no room for another.
            self.room_to_read()
                .map_err(|halt| last.take().map_or(halt, Halt::Fault))?;
            self.reads.set(self.reads.get() + 1);
            let allow = Allow {
                within: self.time_left().min(MAX_PAGE_TIME),
                max_bytes: MAX_PAGE_BYTES,
            };
            let answer = self.exchange(System::Odata, &request, allow).await;
            if let Ok(answer) = &answer {
                let bytes = u64::try_from(answer.body().len()).unwrap_or(u64::MAX);
                self.bytes.set(self.bytes.get().saturating_add(bytes));
            }
            let fault = match answer.and_then(|answer| read(&answer)) {
                Ok(read) => return Ok(read),
                Err(fault) => fault,
            };
            self.wait_out(None, &fault, attempt).await?;
            last = Some(fault);
            attempt += 1;
        }
    }

    async fn exchange(
        &self,
        system: System,
        request: &Request<String>,
        allow: Allow,
    ) -> Result<Response<Vec<u8>>, Fault> {
        let answer = self.platform.fetch(request, allow).await;
        answer.map_err(|what| Fault::NoAnswer {
            system,
            what: Silence::Network(what),
        })
    }

    /// Sleeps until the next attempt, or hands the fault on when there is to be none. A 429 keeps
    /// its whole lane waiting, a 423 narrows it.
    async fn wait_out(&self, lane: Option<Lane>, fault: &Fault, attempt: u32) -> Result<(), Halt> {
        let now = self.platform.now();
        let decision = retry::decide(fault, attempt, self.jitter(), self.until_reset());
        let stop = || Err(Halt::Fault(fault.clone()));
        let Decision::Wait(wait) = decision else {
            return stop();
        };
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(DAY);
        if let Some(lane) = lane {
            let mut pace = self.pace.borrow_mut();
            match fault {
                Fault::Throttled { .. } => pace.throttled(now, lane, wait_ms),
                Fault::Locked { .. } => pace.locked(),
                _ => {}
            }
        }
        if !self.repeats || now.saturating_add(wait_ms) >= self.deadline {
            return stop();
        }
        self.platform.sleep(wait).await;
        Ok(())
    }

    /// How long a fault that ended a call asks for nothing more to be sent.
    pub fn park(&self, fault: &Fault) -> Duration {
        match retry::decide(fault, u32::MAX, 0.0, self.until_reset()) {
            Decision::Park(park) => park,
            Decision::Wait(wait) => wait,
            Decision::Stop => Duration::ZERO,
        }
    }

    fn until_reset(&self) -> Duration {
        let left = self.day_ends - self.platform.now();
        Duration::from_millis(left.max(0).unsigned_abs())
    }

    /// Evenly spread over 0 to 1.
    fn jitter(&self) -> f64 {
        let mut bytes = [0; 4];
        self.platform.random(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }
}
