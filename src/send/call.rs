//! A call to HubSpot: at its pace, under the lease, and again where that helps. Only what reads the
//! answer is compiled for each caller.

use std::time::Duration;

use http::{Request, Response};

use super::{Effect, Halt, Sender, sign};
use crate::{
    fault::{Fault, System, Window},
    pace::{Lane, Permit},
    platform::{Allow, Millis, Platform},
    retry,
    store::{CALL, LANDED},
};

/// The largest answer read from HubSpot: 100 records with all their properties, and room.
const MAX_ANSWER_BYTES: usize = 4_000_000;
/// Short waits for a permit are slept in one go; nothing longer than this holds up an invocation.
const PATIENCE: Millis = 130_000;

/// From one try to the next.
struct Call {
    lane: Lane,
    effect: Effect,
    request: Request<String>,
    began: Millis,
    attempt: u32,
    /// What ended the last try: it says more than that there is no room for another.
    last: Option<Fault>,
}

impl Call {
    fn new(lane: Lane, effect: Effect, request: Request<String>) -> Self {
        Self {
            lane,
            effect,
            request,
            began: 0,
            attempt: 0,
            last: None,
        }
    }
}

impl<P: Platform> Sender<'_, P> {
    /// Asks HubSpot, at its pace and under the lease. A call that may not be repeated says so
    /// ([`Effect::Create`]).
    pub async fn hubspot<T>(
        &self,
        lane: Lane,
        effect: Effect,
        mut request: Request<String>,
        read: impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
    ) -> Result<T, Halt> {
        self.heed_pretence(effect, &request)?;
        sign::for_hubspot(&mut request, &self.connection.hubspot.token);
        let mut call = Call::new(lane, effect, request);
        loop {
            let answer = self.try_call(&mut call).await?;
            match answer.and_then(|answer| read(&answer)) {
                Ok(read) => return Ok(read),
                Err(fault) => self.before_another_try(&mut call, fault).await?,
            }
        }
    }

    async fn try_call(&self, call: &mut Call) -> Result<Result<Response<Vec<u8>>, Fault>, Halt> {
        self.room_to_write()
            .map_err(|halt| call.last.take().map_or(halt, Halt::Fault))?;
        self.permit(call.lane).await?;
        let made = self.make(call).await;
        self.in_flight.give_back();
        let answer = made?;
        if let Ok(answer) = &answer {
            let now = self.platform.now();
            self.pace
                .borrow_mut()
                .learn(now, call.lane, answer.headers());
        }
        Ok(answer)
    }

    async fn make(&self, call: &mut Call) -> Result<Result<Response<Vec<u8>>, Fault>, Halt> {
        if let (true, Some(store)) = (call.effect.is_write(), self.store) {
            store.cover_a_write().await?;
        }
        self.calls.set(self.calls.get() + 1);
        call.began = self.platform.now();
        let allow = self.allow_hubspot();
        Ok(self.exchange(System::HubSpot, &call.request, allow).await)
    }

    async fn before_another_try(&self, call: &mut Call, fault: Fault) -> Result<(), Halt> {
        if call.effect.is_write() && retry::is_lost_write(&fault) {
            // Even if its repeat succeeds, this one may land late, on top of a newer write.
            let until = call.began + LANDED;
            self.hold
                .set(Some(self.hold.get().map_or(until, |hold| hold.max(until))));
        }
        if call.effect == Effect::Create && retry::may_have_happened(&fault) {
            return Err(Halt::Fault(fault));
        }
        self.wait_out(Some(call.lane), &fault, call.attempt).await?;
        call.last = Some(fault);
        call.attempt += 1;
        Ok(())
    }

    /// A run waits a whole call out, even past its end: a write given up early may still land.
    fn allow_hubspot(&self) -> Allow {
        let call = Duration::from_millis(CALL.unsigned_abs());
        Allow {
            within: match self.store {
                Some(_) => call,
                None => call.min(self.time_left()),
            },
            max_bytes: MAX_ANSWER_BYTES,
        }
    }

    /// Waits until a call may be made, and takes its place.
    async fn permit(&self, lane: Lane) -> Result<(), Halt> {
        loop {
            self.in_flight.free(|| self.pace.borrow().width()).await;
            let now = self.platform.now();
            let permit = self.pace.borrow_mut().permit(now, lane);
            match permit {
                Permit::Go => {
                    self.in_flight.take();
                    return Ok(());
                }
                Permit::Wait(wait) if wait <= PATIENCE && now + wait < self.deadline => {
                    self.platform
                        .sleep(Duration::from_millis(wait.unsigned_abs()))
                        .await;
                }
                Permit::Wait(_) => return Err(Halt::Spent("time")),
                // As if HubSpot had said no: delivery parks until its day ends.
                Permit::Park(_) => {
                    return Err(Halt::Fault(Fault::Throttled {
                        system: System::HubSpot,
                        window: Window::Share,
                        retry_after: None,
                    }));
                }
            }
        }
    }
}
