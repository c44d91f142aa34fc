//! One pass of the sync, whoever asks for it: read what changed in SYSPRO, then send what is due.

use crate::{
    context::Run, deliver::deliver, feeds::FEEDS, ingest::ingest, platform::Platform, send::Halt,
};

/// Reading and writing are decoupled by the ledger: a bad day of one system does not stop the other.
///
/// # Errors
/// The database: the run must end.
pub async fn sync<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    ingest(run).await?;
    for feed in FEEDS.into_iter().filter(|feed| !run.leaves_out(feed)) {
        match deliver(run, feed.name).await {
            // Said in the books, and parked.
            Ok(()) | Err(Halt::Fault(_)) => {}
            Err(Halt::Spent(bound)) => run.books.borrow_mut().spent = Some(bound.to_owned()),
            Err(halt) => return Err(halt),
        }
    }
    Ok(())
}
