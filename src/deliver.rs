//! Delivery: due rows → HubSpot → fates.
//!
//! A chunk is at most a hundred rows of one feed. Its steps go one after another, because a link
//! needs both its ends; chunks go side by side, because rows of one feed do not depend on each
//! other. Whatever ends a chunk early, what was answered until then is committed: an id that
//! HubSpot gave is never forgotten.

mod batch;
mod steps;
mod unit;
mod write;

use std::{cell::Cell, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::{
    context::Run,
    fault::{Fault, Reason},
    feeds::{CUSTOMERS, INVOICES},
    hubspot::Kind,
    platform::{DAY, Millis, Platform, Statement},
    retry,
    send::Halt,
    store::{
        audit,
        connections::Park,
        ledger::{self, Fate, Settled},
        rows_as, targets,
    },
};
use unit::{State, Unit};

/// Rows taken up in one read.
const ROWS: u32 = 500;
/// Rows sent together: HubSpot's largest batch.
const CHUNK: usize = 100;

/// Sends what is due of a feed until nothing is, or a bound is reached.
///
/// # Errors
/// A fault of HubSpot, after the park that answers it is set; anything else that ends the run.
pub async fn deliver<P: Platform>(run: &Run<'_, P>, feed: &'static str) -> Result<(), Halt> {
    let queued = run.books.borrow_mut().feed(feed).queued > 0;
    if !queued && !run.due.contains(feed) {
        return Ok(());
    }
    while run.parked("*").is_none() {
        run.sender.room_to_write()?;
        let due = ledger::due(&run.connection.id, feed, run.began, ROWS);
        let mut rows = run.store.read(&[due]).await?;
        let due: Vec<ledger::Due> = rows_as(rows.pop().unwrap_or_default())?;
        if due.is_empty() {
            break;
        }
        let stopped = Cell::new(false);
        let mut chunks = stream::iter(chunks(due))
            .map(|chunk| deliver_chunk(run, feed, chunk, &stopped))
            .buffer_unordered(run.sender.width());
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
    let result = steps::all(run, &mut units, stopped).await;
    if let Err(halt @ Halt::Store(_)) = result {
        return Err(halt);
    }
    if let Err(Halt::Fault(fault)) = &result {
        park_for(run, "*", fault);
    }
    commit(run, feed, &units).await?;
    result
}

/// Puts off writing a kind of object after a fault of the system: it costs no row a try.
fn park_for<P: Platform>(run: &Run<'_, P>, kind: &str, fault: &Fault) {
    let reason = Reason::new("hubspot_fault", fault.to_string(), fault.remedy());
    run.books.borrow_mut().fault(fault, reason.clone());
    let times = times(run, kind);
    let asked = run.sender.park(fault);
    park(
        run,
        kind,
        reason,
        times,
        asked.max(retry::parked_for(times)),
    );
}

/// Puts off writing a kind of object because the portal refuses all of it.
fn park_kind<P: Platform>(run: &Run<'_, P>, kind: Kind, reason: Reason) {
    run.books.borrow_mut().problem(reason.clone());
    let times = times(run, kind.path());
    park(run, kind.path(), reason, times, retry::parked_for(times));
}

fn times<P: Platform>(run: &Run<'_, P>, kind: &str) -> u32 {
    let parks = run.parks.borrow();
    parks
        .get(kind)
        .map_or(0, |park| park.times.saturating_add(1))
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

/// Ids, fates and audit of a chunk in one commit.
async fn commit<P: Platform>(
    run: &Run<'_, P>,
    feed: &'static str,
    units: &[Unit],
) -> Result<(), Halt> {
    let connection = run.connection.id.as_str();
    let now = run.platform.now();
    // What is put off is the next run's: this one must not take it up again.
    let next = now.max(run.began + 1);
    let settled: Vec<Settled> = units.iter().map(|unit| settle(unit, next)).collect();
    let entries: Vec<audit::Entry> = units
        .iter()
        .zip(&settled)
        .filter(|(unit, _)| unit.answered)
        .map(|(unit, settled)| entry(run, feed, unit, settled))
        .collect();
    let kept: Vec<targets::Owned<'_>> = units
        .iter()
        .flat_map(|unit| {
            let key = unit.due.key.as_str();
            unit.changed()
                .map(move |target| targets::Owned { key, target })
        })
        .collect();
    let gone: Vec<(&str, Kind, &str)> = units
        .iter()
        .flat_map(|unit| {
            let key = unit.due.key.as_str();
            unit.archived
                .iter()
                .map(move |line| (key, Kind::LineItem, line.as_str()))
        })
        .collect();

    let mut statements: Vec<Statement> = vec![ledger::settle(connection, feed, now, &settled)];
    if !kept.is_empty() {
        statements.push(targets::save(connection, feed, &kept));
    }
    if !gone.is_empty() {
        statements.push(targets::forget(connection, feed, &gone));
    }
    if !entries.is_empty() {
        statements.push(audit::write(connection, now, &entries));
    }
    let moved = units.iter().filter(|unit| unit.moved);
    let moved: Vec<&str> = moved.map(|unit| unit.due.key.as_str()).collect();
    if feed == CUSTOMERS.name && !moved.is_empty() {
        // Invoices sent before their customer's company or contact was there are linked to it now.
        statements.push(targets::follow(connection, INVOICES.name, now, &moved));
    }
    let rows = run.store.commit(statements).await?;
    count(
        run,
        feed,
        units.len(),
        rows.into_iter().next().unwrap_or_default(),
    )
}

fn settle(unit: &Unit, next: Millis) -> Settled {
    let (fate, reason, due) = match &unit.state {
        State::Failed(reason) => (Fate::Failing, Some(reason), Some(next + DAY)),
        State::Held { until, reason } => (Fate::Waiting, reason.as_ref(), Some(next.max(*until))),
        State::Open if unit.complete() => (Fate::Synced, unit.warning(), unit.due.look_at),
        // Cut short: the next run goes on with it.
        State::Open => (Fate::Waiting, None, Some(next)),
    };
    Settled {
        key: unit.due.key.clone(),
        revision: unit.due.revision,
        fate,
        reason: reason.map(|reason| json!(reason).to_string()),
        due,
        refused: i64::from(fate == Fate::Failing),
    }
}

fn entry<P: Platform>(
    run: &Run<'_, P>,
    feed: &'static str,
    unit: &Unit,
    settled: &Settled,
) -> audit::Entry {
    let reason = match &unit.state {
        State::Failed(reason) => Some(reason),
        State::Held { reason, .. } => reason.as_ref(),
        State::Open => None,
    };
    audit::Entry {
        id: format!(
            "{}/send/{feed}/{}/{}",
            run.id, unit.due.key, unit.due.revision
        ),
        feed: feed.to_owned(),
        key: unit.due.key.clone(),
        outcome: match settled.fate {
            Fate::Synced => "synced",
            Fate::Failing => "failing",
            Fate::Waiting | Fate::Excluded => "waiting",
        }
        .to_owned(),
        revision: Some(unit.due.revision),
        source_date: unit.due.source_date.clone(),
        source_version: unit.due.source_version.clone(),
        seen_at: Some(unit.due.seen_at),
        taken_at: unit.taken_at.clone(),
        said: json!({
            "reason": reason,
            "warnings": unit.warnings,
            "created": unit.created,
            "updated": unit.updated,
            "archived": unit.archived.len(),
        })
        .to_string(),
    }
}

/// Left from the chunk, right from the rows the database says it settled; one it did not settle
/// has a newer revision, and waits.
fn count<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    taken: usize,
    settled: Vec<serde_json::Value>,
) -> Result<(), Halt> {
    #[derive(serde::Deserialize)]
    struct Row {
        fate: Fate,
    }
    let settled: Vec<Row> = rows_as(settled)?;
    let taken = taken as u64;
    let of = |fate: Fate| settled.iter().filter(|row| row.fate == fate).count() as u64;
    let mut books = run.books.borrow_mut();
    let feed = books.feed(feed);
    feed.taken += taken;
    feed.written += of(Fate::Synced);
    feed.refused += of(Fate::Failing);
    feed.waiting += of(Fate::Waiting) + taken.saturating_sub(settled.len() as u64);
    Ok(())
}
