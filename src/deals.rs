//! Deals: salespeople write SYSPRO's order numbers on them, and invoices are linked to them by that.
//!
//! Two steps at the end of a run. Once an hour the deals that changed are read into an index of
//! their numbers; and whenever something may be missing, the index is laid beside the ledger, and
//! links are made and taken away. So it does not matter which of the two was there first.

mod index;
mod links;
mod outcome;

use crate::{
    context::Run,
    deliver::park::{park_for, park_kind},
    fault::Fault,
    hubspot::{Kind, refusal},
    platform::Platform,
    send::Halt,
};

/// Has invoices and deals meet, where this portal lets us.
///
/// # Errors
/// A fault of HubSpot, after the park that answers it is set; anything else that ends the run.
pub async fn meet<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    if !run.links_deals() || run.parked(Kind::Deal.path()).is_some() {
        return Ok(());
    }
    let met = match index::refresh(run).await {
        Ok(()) => links::pass(run).await,
        Err(halt) => Err(halt),
    };
    match &met {
        Err(Halt::Fault(Fault::Refused { refusal, .. })) => {
            park_kind(run, Kind::Deal, refusal::reason(refusal, Kind::Deal));
        }
        Err(Halt::Fault(fault)) => park_for(run, Kind::Deal.path(), fault),
        _ => {}
    }
    met
}
