//! Ingest: SYSPRO → ledger, poll by poll, page by page.
//!
//! No table of SYSPRO has a last-modified date, and a payment moves no date at all. So each feed is
//! looked at in several ways, and what is news is decided by hashes against the ledger:
//!
//! - *recent*: rows whose own dates are young;
//! - *open*: open invoices, few columns, compared with the balance the ledger holds;
//! - *again*: rows the ledger wants read again: replayed, failing since a day, due by the calendar;
//! - *touched*: customers whose invoices changed, read before those invoices are committed;
//! - *sweep*: the whole table by key, some pages a tick; the first sweep is the backfill. After a
//!   change of the mapping, what the ledger holds beyond it as well.
//!
//! A cursor moves in the same commit as the rows it passes, or later; never before.

mod beside;
mod comfnd;
mod compared;
mod gate;
mod lookups;
mod map;
mod open;
mod page;
mod read;
mod sweep;
mod take;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use crate::{
    books::Told,
    context::{Run, days_before},
    day,
    fault::Reason,
    feeds::{CUSTOMERS, Feed, INVOICES},
    platform::Platform,
    send::Halt,
    sorted::SortedSet,
    store::{ledger, rows_as},
    syspro::{
        key_parts,
        odata::{Filter, Literal, Op},
        record_key,
    },
};
use beside::Layout;
pub use compared::{Compared, compared};
pub use page::Place;
pub use read::Reader;
pub use sweep::Sweep;

use read::table;
use sweep::sweep;
use take::{Reading, take};

/// Rows read again in one run, of one feed.
const AGAIN: u32 = 500;
/// Invoices by number: their lines, too, run by number, so that a page's lines are one range.
const BY_NUMBER: &[&str] = &["Invoice", "Customer", "DocumentType"];

/// Where the recent poll is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Recent {
    /// The day the last complete pass began.
    #[serde(deserialize_with = "day::read")]
    complete: Option<NaiveDate>,
    /// The pass under way: the day it began and where it is.
    #[serde(deserialize_with = "under_way")]
    pass: Option<(NaiveDate, Place)>,
}

fn under_way<'de, D: Deserializer<'de>>(field: D) -> Result<Option<(NaiveDate, Place)>, D::Error> {
    let pass = Option::<(String, Place)>::deserialize(field)?;
    Ok(pass.and_then(|(began, place)| Some((day::parse(&began)?, place))))
}

/// Reads what changed. A fault of SYSPRO ends the poll it met and is said in the books; the other
/// polls and delivery go on.
///
/// # Errors
/// The database: the run must end.
pub async fn ingest<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    let reader = Reader::new(run);
    tolerate(run, reader.refresh_lookups().await)?;
    tolerate(run, again(&reader, &CUSTOMERS).await)?;
    tolerate(run, recent(&reader, &CUSTOMERS).await)?;
    tolerate(run, sweep(&reader, &CUSTOMERS, CUSTOMERS.key).await)?;
    if run.leaves_out(&INVOICES) {
        tell_of_what_stands_still(run);
        return Ok(());
    }
    tolerate(run, again(&reader, &INVOICES).await)?;
    tolerate(run, recent(&reader, &INVOICES).await)?;
    tolerate(run, sweep(&reader, &INVOICES, BY_NUMBER).await)?;
    // Until the ledger holds them all, every open invoice would look new here.
    if is_backfilled(run) {
        tolerate(run, open::open(&reader).await)?;
    }
    Ok(())
}

/// Invoices were sent once and are left out now: what HubSpot shows of them grows old. Where the
/// sweep has been, the ledger has rows.
fn tell_of_what_stands_still<P: Platform>(run: &Run<'_, P>) {
    let swept: Sweep = run.cursors.borrow().position(INVOICES.name, "sweep");
    if swept.rows > 0 {
        run.books.borrow_mut().note(Reason::new(
            "invoices_left_out",
            "Invoices were synced and are not any more: the portal, or the token, no longer allows it. Those in HubSpot keep the balance and status they last had.",
            "Mend what the check `hubspot_invoices` names (GET /connections/{id}); then ask for the checks again (POST /connections/{id}/checks).",
        ));
    }
}

/// Whether the ledger holds every invoice there was at the beginning.
fn is_backfilled<P: Platform>(run: &Run<'_, P>) -> bool {
    let swept: Sweep = run.cursors.borrow().position(INVOICES.name, "sweep");
    swept.complete > 0
}

/// Reads the customers of these invoices, which changed: so did their balances, and no date of theirs
/// need have. The invoices are committed after it, so that a run cut off in between finds them changed
/// again; the other way round nobody would know of the customers. In the backfill they are read once
/// more at its end.
async fn touch<P: Platform>(
    reader: &Reader<'_, P>,
    invoices: impl Iterator<Item = &str>,
) -> Result<(), Halt> {
    let customers: SortedSet<String> = invoices.map(customer_of).collect();
    if customers.is_empty() || !is_backfilled(reader.run) {
        return Ok(());
    }
    let customers = customers.into_iter().collect();
    // Boxed: taking an invoice may wait for this, which is taking a customer.
    Box::pin(by_key(reader, &CUSTOMERS, customers, COMPARED)).await?;
    Ok(())
}

/// The key of the customer an invoice's key begins with.
fn customer_of(invoice: &str) -> String {
    record_key(key_parts(invoice).into_iter().take(2))
}

/// A fault of SYSPRO, or a page that is too much for what is left of this run, is said in the books.
fn tolerate<P: Platform>(run: &Run<'_, P>, result: Result<(), Halt>) -> Result<(), Halt> {
    match result {
        Err(Halt::Fault(fault)) => {
            let reason = Reason::new("syspro_fault", fault.sentence(), fault.remedy());
            run.books.borrow_mut().fault(&fault, reason);
            Ok(())
        }
        Err(Halt::Spent(bound)) => {
            run.books.borrow_mut().spent = Some(bound.to_owned());
            Ok(())
        }
        other => other,
    }
}

/// Rows with a date since the day the last complete pass began, and some days before: what is
/// posted with an older date is found by the other polls.
async fn recent<P: Platform>(reader: &Reader<'_, P>, feed: &'static Feed) -> Result<(), Halt> {
    let run = reader.run;
    let settings = &run.connection.settings;
    let today = run.today();
    let before: Recent = run.cursors.borrow().position(feed.name, "recent");
    let since = before.complete.unwrap_or(today).min(today);
    let since = days_before(since, settings.lookback_days);
    let (began, mut place) = match before.pass.clone() {
        Some((began, place)) => (began, Some(place)),
        None => (today, None),
    };
    let table = table(run, feed, Some(young(run, feed, since)));
    let reading = Reading {
        layout: Layout::Scattered,
        whole: false,
        asked: false,
    };
    loop {
        let page = reader.page(&table, place.as_ref()).await?;
        let here = match &page.next {
            Some(next) => Recent {
                complete: before.complete,
                pass: Some((began, next.clone())),
            },
            None => Recent {
                complete: Some(began),
                pass: None,
            },
        };
        let passed = || run.cursors.borrow_mut().moved(feed.name, "recent", &here);
        take(reader, feed, page.rows, reading, &passed).await?;
        if page.next.is_none() {
            return Ok(());
        }
        place = page.next;
        run.sender.room_for_a_page()?;
    }
}

fn young<P: Platform>(run: &Run<'_, P>, feed: &Feed, since: NaiveDate) -> Filter {
    let modified = run.connection.settings.modified_columns.get(feed.table);
    let columns: Vec<&str> = match modified {
        Some(column) => vec![column],
        None => feed.date_columns.to_vec(),
    };
    let since = |column: &str| Filter::compare(column, Op::Ge, Literal::Date(since));
    Filter::any(columns.into_iter().map(since).collect())
}

/// Rows the ledger wants read again.
async fn again<P: Platform>(reader: &Reader<'_, P>, feed: &'static Feed) -> Result<(), Halt> {
    let run = reader.run;
    if !run.due.borrow().contains(feed.name) {
        return Ok(());
    }
    #[derive(Deserialize)]
    struct Due {
        key: String,
    }
    let due = ledger::to_read_again(&run.connection.id, feed.name, run.began, AGAIN);
    let mut rows = run.store.read(&[due]).await?;
    let due: Vec<Due> = rows_as(rows.pop().unwrap_or_default())?;
    if due.len() == AGAIN as usize {
        run.more.set(true);
    }
    let mut missing: Vec<String> = due.into_iter().map(|row| row.key).collect();
    let found = by_key(reader, feed, missing.clone(), ASKED).await?;
    missing.retain(|key| !found.contains(key));
    if feed.name == INVOICES.name {
        // One that was open was paid and purged, or consolidated, since it was last read.
        missing = open::settle_vanished(reader, missing).await?;
    }
    cannot_be_sent(run, feed.name, &missing).await
}

/// Rows that were to be sent and are not in SYSPRO: they keep their fate and say so.
async fn cannot_be_sent<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    keys: &[String],
) -> Result<(), Halt> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let reason = json!(Reason::gone()).to_string();
    let now = run.platform.now();
    let statement = ledger::cannot_read_again(&run.connection.id, feed, now, &reason, &keys);
    run.store.commit(vec![statement]).await?;
    let mut books = run.books.borrow_mut();
    books.gone(feed, keys.into_iter(), Told::Nothing);
    Ok(())
}

/// Rows read by their keys and compared like any other.
const COMPARED: Reading = Reading {
    layout: Layout::Scattered,
    whole: true,
    asked: false,
};
/// Rows read by their keys because somebody asked for them: taken, changed or not.
const ASKED: Reading = Reading {
    asked: true,
    ..COMPARED
};

/// Reads these records by key and takes what is there; answers the keys that are.
async fn by_key<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    keys: Vec<String>,
    reading: Reading,
) -> Result<SortedSet<String>, Halt> {
    let run = reader.run;
    let mut found = SortedSet::new();
    for keys in keys.chunks(feed.page as usize) {
        // A record's key begins with the company, which no table has as a column.
        let parts: Vec<Vec<String>> = keys
            .iter()
            .map(|key| key_parts(key).into_iter().skip(1).collect())
            .collect();
        let rows = reader.by_keys(&table(run, feed, None), &parts).await?;
        if !rows.is_empty() {
            found.extend(take(reader, feed, rows, reading, &|| ()).await?);
        }
    }
    Ok(found)
}
