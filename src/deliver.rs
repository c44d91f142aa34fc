//! Delivery: due rows → HubSpot → fates.
//!
//! A chunk is some hundred rows of one feed. Its steps go one after another, because a link needs both
//! its ends; the batches of a step go side by side, and so do chunks, because rows of one feed do not
//! depend on each other. Whatever ends a chunk early, what was answered until then is committed: an id that
//! HubSpot gave is never forgotten.

mod adopt;
pub mod batch;
mod beyond;
mod commit;
mod keyless;
pub mod park;
mod person;
mod pretence;
pub mod steps;
mod unit;
mod write;

use std::cell::Cell;

use futures_util::{StreamExt, stream};

use crate::{
    context::Run,
    platform::Platform,
    send::Halt,
    store::{ledger, rows_as},
};
use commit::commit;
use park::park_for;
use unit::Unit;

/// Rows taken up in one read: two chunks, so that one is sent while the other is committed.
const ROWS: usize = 600;
/// Rows sent and committed together: some of HubSpot's largest batches. Of more, a run cut off would
/// have to send as many again.
const CHUNK: usize = 300;
const SIDE_BY_SIDE: usize = 2;

/// Sends what is due of a feed until nothing is, or a bound is reached.
///
/// # Errors
/// A fault of HubSpot, after the park that answers it is set; anything else that ends the run.
pub async fn deliver<P: Platform>(run: &Run<'_, P>, feed: &'static str) -> Result<(), Halt> {
    if !run.due.borrow().contains(feed) {
        return Ok(());
    }
    while run.parked("*").is_none() {
        run.sender.room_to_write()?;
        let due = ledger::due(&run.connection.id, feed, run.began, ROWS as u32);
        let mut rows = run.store.read(&[due]).await?;
        let due: Vec<ledger::Due> = rows_as(rows.pop().unwrap_or_default())?;
        // What this run puts off is not its own any more: fewer are the last.
        let last = due.len() < ROWS;
        let stopped = Cell::new(false);
        let mut chunks = stream::iter(chunks(due))
            .map(|chunk| deliver_chunk(run, feed, chunk, &stopped))
            .buffer_unordered(SIDE_BY_SIDE);
        let mut first = None;
        while let Some(result) = chunks.next().await {
            if let Err(halt) = result {
                stopped.set(true);
                first.get_or_insert(halt);
            }
        }
        if let Some(halt) = first {
            return Err(halt);
        }
        if last {
            break;
        }
    }
    Ok(())
}

/// Rows once refused do not share a batch with fresh ones: what spoils a batch spoils it again.
fn chunks(due: Vec<ledger::Due>) -> Vec<Vec<ledger::Due>> {
    let (fresh, refused): (Vec<_>, Vec<_>) = due.into_iter().partition(|row| row.attempts == 0);
    let mut chunks: Vec<Vec<ledger::Due>> = Vec::new();
    for rows in [fresh, refused] {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            chunks.push(rows.by_ref().take(CHUNK).collect());
        }
    }
    chunks
}

async fn deliver_chunk<P: Platform>(
    run: &Run<'_, P>,
    feed: &'static str,
    rows: Vec<ledger::Due>,
    stopped: &Cell<bool>,
) -> Result<(), Halt> {
    if stopped.get() {
        return Ok(());
    }
    let mut units: Vec<Unit> = rows.into_iter().map(Unit::of).collect();
    let result = steps::all(run, feed, &mut units, stopped).await;
    if let Err(halt @ Halt::Store(_)) = result {
        return Err(halt);
    }
    if let Err(Halt::Fault(fault)) = &result {
        park_for(run, "*", fault);
    }
    commit(run, feed, &units).await?;
    result
}
