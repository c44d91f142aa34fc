//! Reconciliation: SYSPRO's customers, and its invoices of a period, against what HubSpot holds of
//! them, and what mends the difference. Nothing is written to HubSpot.
//!
//! A record counts as different only when the ledger says that all of it was sent and HubSpot shows
//! otherwise. What waits, fails or is excluded is told as such: HubSpot did nothing to it. Pages are
//! compared one after another, and after each one the place is kept, so that a run that is cut off or
//! has spent its share is gone on with by the next.

mod item;
mod look;
mod period;
mod same;
mod standing;
mod tally;
mod verdict;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{
    item::{Amounts, Item, items},
    look::look,
    same::Forms,
    tally::Tally,
    verdict::{Judge, Sent},
};
use crate::{
    books::Colour,
    context::{Progress, Run},
    fault::Reason,
    feeds::{FEEDS, Feed, INVOICES},
    ingest::{Place, Reader, compared},
    platform::{Millis, Platform},
    send::Halt,
    store::{
        cursors,
        reconcile::{self as stored, Counted},
        rows_as,
        runs::Asked,
    },
};

pub use period::Period;

/// Records compared together: HubSpot's largest batch. Fewer after a run that had no room for them.
const PAGE: u32 = 100;

/// How far it has come.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// The run that was asked for: another one begins anew.
    run: String,
    /// When that began: what came later may be on a page that was passed.
    began: Millis,
    feed: usize,
    after: Option<Place>,
    rows: u32,
    tally: Tally,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            run: String::new(),
            began: 0,
            feed: 0,
            after: None,
            rows: PAGE,
            tally: Tally::default(),
        }
    }
}

/// Compares as much as this run has room for.
///
/// # Errors
/// A fault of either system, a bound that is reached, the database: the next run goes on.
pub async fn go_on<P: Platform>(run: &Run<'_, P>, asked: &Asked) -> Result<Progress, Halt> {
    let Ok(period) = Period::parse(&asked.asked) else {
        return Ok(Progress::Done(Colour::Red, unreadable()));
    };
    let mut position: Position = run.cursors.borrow().position(CURSOR, CURSOR);
    if position.run != asked.id {
        position = Position {
            run: asked.id.clone(),
            began: run.platform.now(),
            ..Position::default()
        };
    }
    let reader = Reader::new(run);
    let mut moved = false;
    while let Some(feed) = FEEDS.get(position.feed).copied() {
        match page(&reader, feed, period, &mut position).await {
            Ok(()) => {
                moved = true;
                position.rows = position.rows.saturating_mul(2).clamp(1, PAGE);
                keep(run, &position).await?;
                if run.sender.room_for_a_page().is_ok() {
                    continue;
                }
            }
            Err(Halt::Spent(_)) if moved => {}
            Err(Halt::Spent(_)) => {
                position.rows = (position.rows / 2).max(1);
                keep(run, &position).await?;
            }
            Err(halt) => return Err(halt),
        }
        run.more.set(true);
        return Ok(Progress::Again(position.tally.progress(period)));
    }
    let (first, last) = (period.from.to_string(), period.to.to_string());
    let counted = stored::counted(
        &run.connection.id,
        INVOICES.name,
        (&first, &last),
        position.began,
    );
    let mut rows = run.store.read(&[counted]).await?;
    let counted: Vec<Counted> = rows_as(rows.pop().unwrap_or_default())?;
    let counted = counted.into_iter().next().unwrap_or_default();
    let (colour, report) = position.tally.report(period, counted);
    // What was found goes into the run's row, with the commit that forgets the place.
    let nothing = Position::default();
    run.cursors.borrow_mut().moved(CURSOR, CURSOR, &nothing);
    Ok(Progress::Done(colour, report))
}

/// It was checked when it was asked for.
fn unreadable() -> serde_json::Value {
    let reason = Reason::new(
        "stored_form",
        "It was asked for of another version of this software.",
        "Ask for it again.",
    );
    json!({ "problems": [reason] })
}

/// The feed and the poll its place is kept under.
const CURSOR: &str = "reconcile";

async fn keep<P: Platform>(run: &Run<'_, P>, position: &Position) -> Result<(), Halt> {
    let moved = {
        let mut cursors = run.cursors.borrow_mut();
        cursors.moved(CURSOR, CURSOR, position);
        cursors.to_save()
    };
    let save = cursors::save(&run.connection.id, &moved);
    run.store.commit(vec![save]).await?;
    Ok(())
}

/// Compares one page, and moves the position over it.
async fn page<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    period: Period,
    position: &mut Position,
) -> Result<(), Halt> {
    let run = reader.run;
    if run.leaves_out(feed) {
        position.feed += 1;
        return Ok(());
    }
    let within = (feed.name == INVOICES.name).then_some((period.from, period.to));
    let read = compared(
        reader,
        feed,
        within,
        position.rows.clamp(1, PAGE),
        position.after.as_ref(),
    )
    .await?;
    let items = items(run, feed, read.records).await?;
    let sent: Vec<Sent<'_>> = items.iter().filter_map(Item::sent).collect();
    let forms = Forms::of(&run.connection.hubspot.prefix);
    let names = Amounts::of(feed, &run.connection.hubspot.prefix);
    let keys: Vec<&str> = items.iter().filter_map(Item::known).collect();
    let seen = look(run, &sent, (names.kind, &keys), &names.shown()).await?;
    let judge = Judge {
        prefix: &run.connection.hubspot.prefix,
        forms: &forms,
        seen: &seen,
    };
    position.tally.keyless(read.keyless);
    for item in items {
        if feed.name == INVOICES.name && item.was_held(position.began) {
            position.tally.held();
        }
        item.book(feed, &names, &judge, &mut position.tally);
    }
    position.after = read.next;
    if position.after.is_none() {
        position.feed += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
