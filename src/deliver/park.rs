//! Parks: writing of a kind of object, or of everything (`*`), put off for a while.

use std::time::Duration;

use crate::{
    context::Run,
    fault::{Fault, Reason},
    hubspot::Kind,
    platform::{DAY, Platform},
    retry,
    store::connections::Park,
};

const HOURLY: Duration = Duration::from_secs(3600);

/// Puts off writing a kind of object after a fault of the system: it costs no row a try.
pub fn park_for<P: Platform>(run: &Run<'_, P>, kind: &str, fault: &Fault) {
    let reason = Reason::new("hubspot_fault", fault.sentence(), fault.remedy());
    run.books.borrow_mut().fault(fault, reason.clone());
    let times = times(run, kind);
    let pause = match fault {
        // A token may be mended any minute.
        Fault::Unauthorized { .. } | Fault::Expired { .. } => retry::parked_for(times).min(HOURLY),
        _ => run.sender.park(fault).max(retry::parked_for(times)),
    };
    park(run, kind, reason, times, pause);
}

/// Puts off writing a kind of object because the portal refuses all of it.
pub fn park_kind<P: Platform>(run: &Run<'_, P>, kind: Kind, reason: Reason) {
    run.books.borrow_mut().problem(reason.clone());
    let times = times(run, kind.path());
    park(run, kind.path(), reason, times, retry::parked_for(times));
}

fn times<P: Platform>(run: &Run<'_, P>, kind: &str) -> u32 {
    let parks = run.parks.borrow();
    let now = run.platform.now();
    match parks.get(kind) {
        // One outage, met by several calls in flight.
        Some(park) if park.until > now => park.times,
        Some(park) => park.times.saturating_add(1),
        None => 0,
    }
}

fn park<P: Platform>(run: &Run<'_, P>, kind: &str, reason: Reason, times: u32, pause: Duration) {
    let pause = i64::try_from(pause.as_millis()).unwrap_or(DAY);
    let until = run.platform.now().saturating_add(pause);
    let park = Park {
        until,
        times,
        reason,
    };
    run.parks.borrow_mut().insert(kind.to_owned(), park);
}
