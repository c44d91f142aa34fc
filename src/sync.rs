//! One pass of the sync, whoever asks for it: read what changed in SYSPRO, send what is due, and have
//! invoices and deals meet.

use crate::{
    context::Run, deals, deliver::deliver, feeds::FEEDS, ingest::ingest, platform::Platform,
    send::Halt,
};

/// Reading and writing are decoupled by the ledger: a bad day of one system does not stop the other.
///
/// # Errors
/// The database: the run must end.
pub async fn sync<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    ingest(run).await?;
    for feed in FEEDS.into_iter().filter(|feed| !run.leaves_out(feed)) {
        go_on(run, deliver(run, feed.name).await)?;
    }
    go_on(run, deals::meet(run).await)
}

/// What a fault of HubSpot, or a bound, has ended is nothing to what comes after it.
fn go_on<P: Platform>(run: &Run<'_, P>, result: Result<(), Halt>) -> Result<(), Halt> {
    match result {
        // Said in the books, and parked.
        Ok(()) | Err(Halt::Fault(_)) => Ok(()),
        Err(Halt::Spent(bound)) => {
            run.books.borrow_mut().spent = Some(bound.to_owned());
            Ok(())
        }
        Err(halt) => Err(halt),
    }
}
