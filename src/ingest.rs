//! Ingest: SYSPRO → ledger, poll by poll, page by page.
//!
//! No table of SYSPRO has a last-modified date, and a payment moves no date at all. So each feed is
//! looked at in several ways, and what is news is decided by hashes against the ledger:
//!
//! - *recent*: rows whose own dates are young;
//! - *open*: open invoices, few columns, compared with the balance the ledger holds;
//! - *again*: rows the ledger wants read again: replayed, failing since a day, due by the calendar;
//! - *touched*: customers whose invoices changed in this run;
//! - *sweep*: the whole table by key, some pages a tick; the first sweep is the backfill.
//!
//! A cursor moves in the same commit as the rows it passes, or later; never before.

mod beside;
mod map;
mod open;
mod read;
mod take;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    context::{Run, days_before},
    fault::Reason,
    feeds::{CUSTOMERS, Feed, INVOICES},
    platform::Platform,
    send::Halt,
    store::{ledger, rows_as},
    syspro::{
        key_parts,
        odata::{Filter, Literal, Op},
    },
};
use beside::Layout;
use read::{Reader, Table, cursor, table};
use take::{Reading, TakenPage, take};

/// Rows read again in one run, of one feed.
const AGAIN: u32 = 500;
/// Invoices by number: their lines, too, run by number, so that a page's lines are one range.
const BY_NUMBER: &[&str] = &["Invoice", "Customer", "DocumentType"];

/// Where the recent poll is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Recent {
    /// The day the last complete pass began.
    complete: Option<NaiveDate>,
    /// The pass under way: the day it began and the key it is behind.
    pass: Option<(NaiveDate, Vec<Value>)>,
}

/// Where the sweep is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sweep {
    after: Option<Vec<Value>>,
    /// Rows read in this pass: the backfill's progress while `complete` is 0.
    pub rows: u64,
    /// Passes that came to their end.
    pub complete: u64,
}

/// Reads what changed. A fault of SYSPRO ends the feed it met and is said in the books; the other
/// feed and delivery go on.
///
/// # Errors
/// The database, or a bound of the invocation.
pub async fn ingest<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    let reader = Reader::new(run);
    let mut seen = BTreeSet::new();
    let mut touched = BTreeSet::new();
    tolerate(run, customers(&reader, &mut seen).await)?;
    tolerate(run, invoices(&reader, &mut touched).await)?;
    let unseen: Vec<String> = touched.difference(&seen).cloned().collect();
    tolerate(
        run,
        by_key(&reader, &CUSTOMERS, unseen, COMPARED)
            .await
            .map(|_| ()),
    )
}

async fn customers<P: Platform>(
    reader: &Reader<'_, P>,
    seen: &mut BTreeSet<String>,
) -> Result<(), Halt> {
    again(reader, &CUSTOMERS).await?;
    for page in recent(reader, &CUSTOMERS).await? {
        seen.extend(page.keys);
    }
    for page in sweep(reader, &CUSTOMERS, CUSTOMERS.key).await? {
        seen.extend(page.keys);
    }
    Ok(())
}

async fn invoices<P: Platform>(
    reader: &Reader<'_, P>,
    touched: &mut BTreeSet<String>,
) -> Result<(), Halt> {
    touched.extend(again(reader, &INVOICES).await?.touched);
    for page in recent(reader, &INVOICES).await? {
        touched.extend(page.touched);
    }
    touched.extend(open::open(reader).await?.touched);
    for page in sweep(reader, &INVOICES, BY_NUMBER).await? {
        touched.extend(page.touched);
    }
    Ok(())
}

/// A fault of SYSPRO, or a page that is too much for what is left of this run, is said in the books.
fn tolerate<P: Platform>(run: &Run<'_, P>, result: Result<(), Halt>) -> Result<(), Halt> {
    match result {
        Err(Halt::Fault(fault)) => {
            let reason = Reason::new("syspro_fault", fault.to_string(), fault.remedy());
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
async fn recent<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
) -> Result<Vec<TakenPage>, Halt> {
    let run = reader.run;
    let settings = &run.connection.settings;
    let today = run.today();
    let before: Recent = run.cursors.borrow().position(feed.name, "recent");
    let since = before.complete.unwrap_or(today).min(today);
    let since = days_before(since, settings.lookback_days);
    let (began, mut after) = match before.pass.clone() {
        Some((began, after)) => (began, Some(after)),
        None => (today, None),
    };
    let table = table(run, feed, Some(young(run, feed, since)));
    let reading = Reading {
        layout: Layout::Scattered,
        whole: false,
        asked: false,
    };
    let mut pages = Vec::new();
    loop {
        let page = reader.page(&table, after.as_deref()).await?;
        let Some(last) = page.rows.last() else {
            let done = Recent {
                complete: Some(began),
                pass: None,
            };
            run.cursors.borrow_mut().moved(feed.name, "recent", &done);
            return Ok(pages);
        };
        let key = cursor(&table, last)?;
        let here = Recent {
            complete: before.complete,
            pass: Some((began, key.clone())),
        };
        let passed = || run.cursors.borrow_mut().moved(feed.name, "recent", &here);
        pages.push(take(reader, feed, page.rows, reading, passed).await?);
        after = Some(key);
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

/// The whole table, page by page: to its end the first time, then some pages a tick for ever.
async fn sweep<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    order: &'static [&'static str],
) -> Result<Vec<TakenPage>, Halt> {
    let run = reader.run;
    let settings = &run.connection.settings;
    let mut place: Sweep = run.cursors.borrow().position(feed.name, "sweep");
    let table = Table {
        key: order,
        ..table(run, feed, (feed.sweep)(settings, run.today()))
    };
    let reading = Reading {
        layout: Layout::Dense,
        whole: true,
        asked: false,
    };
    let mut pages = Vec::new();
    while place.complete == 0 || pages.len() < settings.sweep_pages as usize {
        let page = reader.page(&table, place.after.as_deref()).await?;
        let Some(last) = page.rows.last() else {
            place = Sweep {
                after: None,
                rows: 0,
                complete: place.complete + 1,
            };
            run.cursors.borrow_mut().moved(feed.name, "sweep", &place);
            break;
        };
        place.after = Some(cursor(&table, last)?);
        place.rows += page.rows.len() as u64;
        let passed = || run.cursors.borrow_mut().moved(feed.name, "sweep", &place);
        pages.push(take(reader, feed, page.rows, reading, passed).await?);
    }
    Ok(pages)
}

/// Rows the ledger wants read again.
async fn again<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
) -> Result<TakenPage, Halt> {
    let run = reader.run;
    if !run.due.contains(feed.name) {
        return Ok(TakenPage::default());
    }
    let due = ledger::to_read_again(&run.connection.id, feed.name, run.began, AGAIN);
    let mut rows = run.store.read(&[due]).await?;
    #[derive(Deserialize)]
    struct Due {
        key: String,
    }
    let due: Vec<Due> = rows_as(rows.pop().unwrap_or_default())?;
    let keys: Vec<String> = due.into_iter().map(|row| row.key).collect();
    let page = by_key(reader, feed, keys.clone(), ASKED).await?;
    let gone: Vec<String> = keys
        .into_iter()
        .filter(|key| !page.keys.contains(key))
        .collect();
    cannot_be_sent(run, feed.name, &gone).await?;
    Ok(page)
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
    let reason = json!(Reason::new(
        "gone",
        "gone from SYSPRO, cannot be sent again",
        "nothing to do: HubSpot keeps what it was last sent",
    ))
    .to_string();
    let now = run.platform.now();
    let statement = ledger::cannot_read_again(&run.connection.id, feed, now, &reason, &keys);
    run.store.commit(vec![statement]).await?;
    run.books.borrow_mut().feed(feed).gone += keys.len() as u64;
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

/// Reads these records by key and takes what is there.
async fn by_key<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    keys: Vec<String>,
    reading: Reading,
) -> Result<TakenPage, Halt> {
    let run = reader.run;
    let mut found = TakenPage::default();
    for keys in keys.chunks(feed.page as usize) {
        // A record's key begins with the company, which no table has as a column.
        let parts: Vec<Vec<String>> = keys
            .iter()
            .map(|key| key_parts(key).into_iter().skip(1).collect())
            .collect();
        let rows = reader.by_keys(&table(run, feed, None), &parts).await?;
        if rows.is_empty() {
            continue;
        }
        let page = take(reader, feed, rows, reading, || ()).await?;
        found.keys.extend(page.keys);
        found.touched.extend(page.touched);
    }
    Ok(found)
}
