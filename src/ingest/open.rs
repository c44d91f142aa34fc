//! The poll of open invoices: how payments are seen, which move no date.

use std::{collections::BinaryHeap, mem};

use serde::{Deserialize, Serialize};

use super::{
    COMPARED, by_key, cannot_be_sent, customer_of,
    map::queue,
    page,
    read::{Reader, Table},
    take::commit,
    touch,
};
use crate::{
    books::Told,
    context::Run,
    fault::Reason,
    feeds::{CUSTOMERS, INVOICES, Payload, invoices},
    platform::Platform,
    send::Halt,
    sorted::{SortedMap, SortedSet},
    store::{
        ledger::{self, Fate, Intake, Open, Queued},
        rows_as,
    },
    syspro::{Row, key_parts},
    typed,
};

/// Few columns: many rows make a small page.
const PAGE: u32 = 5_000;
/// More than so many, and more than one in [`MANY_OF`] of the open invoices, do not vanish between
/// two looks: the answer is not believed.
const MANY: usize = 50;
const MANY_OF: usize = 20;
/// Missing invoices asked for by key in one pass.
const AT_ONCE: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// Where the pass is, and the ledger's key of the last row read.
    after: Option<(page::Place, String)>,
}

/// Compares the open invoices with what the ledger holds, and reads those that differ by key.
pub async fn open<P: Platform>(reader: &Reader<'_, P>) -> Result<(), Halt> {
    let run = reader.run;
    let mut place: Place = run.cursors.borrow().position(INVOICES.name, "open");
    let table = Table {
        name: INVOICES.table,
        select: invoices::OPEN_COLUMNS
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        key: INVOICES.key,
        filter: Some(invoices::open_filter()),
        page: PAGE,
    };
    if !reader.in_order(&table) {
        return at_once(reader, &table).await;
    }
    loop {
        let after = place.after.as_ref().map(|(place, _)| place);
        let page = reader.page(&table, after).await?;
        run.sender.took(page.rows.len());
        let behind = place.after.as_ref().map_or("", |(_, key)| key.as_str());
        let next = page.next.map(|place| (place, last_key(run, &page.rows)));
        let upto = next.as_ref().map(|(_, key)| key.as_str());
        differing(reader, &page.rows, behind, upto).await?;
        place.after = next;
        let mut cursors = run.cursors.borrow_mut();
        cursors.moved(INVOICES.name, "open", &place);
        if place.after.is_none() {
            return Ok(());
        }
        drop(cursors);
        run.sender.room_for_a_page()?;
    }
}

/// Pages in no order of the server's say nothing of what is missing between their ends: all of them
/// are read first and put into the ledger's order. Such a pass does not span ticks.
async fn at_once<P: Platform>(reader: &Reader<'_, P>, table: &Table<'_>) -> Result<(), Halt> {
    let run = reader.run;
    let mut rows = Vec::new();
    let mut place = None;
    loop {
        let page = reader.page(table, place.as_ref()).await?;
        run.sender.took(page.rows.len());
        rows.extend(page.rows);
        match page.next {
            Some(next) => place = Some(next),
            None => break,
        }
    }
    let company = &run.connection.syspro.company;
    let keys = rows.iter().map(|row| INVOICES.record_key(company, row));
    let order: BinaryHeap<(Option<String>, usize)> = keys.zip(0..).collect();
    let order = order.into_sorted_vec().into_iter();
    let rows: Vec<Row> = order
        .filter_map(|(_, at)| rows.get_mut(at).map(mem::take))
        .collect();
    let mut rows = rows.as_slice();
    let mut behind = String::new();
    loop {
        let (chunk, rest) = rows.split_at(rows.len().min(PAGE as usize));
        let upto = (!rest.is_empty()).then(|| last_key(run, chunk));
        differing(reader, chunk, &behind, upto.as_deref()).await?;
        match upto {
            Some(upto) => (behind, rows) = (upto, rest),
            None => return Ok(()),
        }
    }
}

/// The ledger's key for the row a page is continued behind.
fn last_key<P: Platform>(run: &Run<'_, P>, rows: &[Row]) -> String {
    let company = &run.connection.syspro.company;
    let mut keys = rows.iter().rev();
    let key = keys.find_map(|row| INVOICES.record_key(company, row));
    key.unwrap_or_default()
}

/// Reads by key what this page shows otherwise than the ledger holds it, and what the ledger holds
/// as open where the page shows nothing.
async fn differing<P: Platform>(
    reader: &Reader<'_, P>,
    rows: &[Row],
    behind: &str,
    upto: Option<&str>,
) -> Result<(), Halt> {
    let run = reader.run;
    let company = &run.connection.syspro.company;
    let key_and_mark = |row| {
        Some((
            INVOICES.record_key(company, row)?,
            invoices::open_mark(row)?,
        ))
    };
    let mut changed: SortedMap<String, String> = rows.iter().filter_map(key_and_mark).collect();
    let keys: Vec<&str> = changed.keys().map(String::as_str).collect();
    let statement = ledger::open_between(&run.connection.id, INVOICES.name, &keys, behind, upto);
    let mut answer = run.store.read(&[statement]).await?;
    let held: Vec<Open> = rows_as(answer.pop().unwrap_or_default())?;
    let mut missing = Vec::new();
    for open in held {
        if open.asked == 0 {
            missing.push(open.key);
        } else if changed.get(&open.key) == Some(&open.open_mark) {
            changed.remove(&open.key);
        }
    }
    by_key(reader, &INVOICES, changed.into_keys().collect(), COMPARED).await?;
    // The rest is looked at in the next pass.
    missing.truncate(AT_ONCE);
    let found = by_key(reader, &INVOICES, missing.clone(), COMPARED).await?;
    missing.retain(|key| !found.contains(key));
    if too_many(run, missing.len()).await? {
        return Ok(());
    }
    let lost = settle_vanished(reader, missing).await?;
    cannot_be_sent(run, INVOICES.name, &lost).await
}

/// So many do not vanish between two looks: the answer is not believed, and nothing is marked.
async fn too_many<P: Platform>(run: &Run<'_, P>, missing: usize) -> Result<bool, Halt> {
    if missing <= MANY {
        return Ok(false);
    }
    #[derive(Deserialize)]
    struct Count {
        open: usize,
    }
    let statement = ledger::open_count(&run.connection.id, INVOICES.name);
    let mut rows = run.store.read(&[statement]).await?;
    let counts: Vec<Count> = rows_as(rows.pop().unwrap_or_default())?;
    let open = counts.first().map_or(0, |count| count.open);
    let many = missing * MANY_OF > open;
    if many {
        run.books.borrow_mut().problem(Reason::new(
            "many_vanished",
            format!("{missing} of {open} open invoices are missing from SYSPRO's answer; none was marked as paid."),
            "Check the OData service: this looks like a cut answer. If they were really purged, replay them.",
        ));
    }
    Ok(many)
}

/// Of invoices that are no more in SYSPRO, settles those that were open: paid and purged, or
/// consolidated into a balance brought forward. They are never deleted in HubSpot. Answers those of
/// which nothing is to be sent.
pub async fn settle_vanished<P: Platform>(
    reader: &Reader<'_, P>,
    keys: Vec<String>,
) -> Result<Vec<String>, Halt> {
    if keys.is_empty() {
        return Ok(keys);
    }
    let run = reader.run;
    touch(reader, keys.iter().map(String::as_str)).await?;
    let balance_types = balance_types(reader, &keys).await?;
    let named: Vec<(&str, String)> = keys
        .iter()
        .map(|key| (key.as_str(), customer_of(key)))
        .collect();
    let statement = ledger::queued(&run.connection.id, INVOICES.name, &named);
    let mut rows = run.store.read(&[statement]).await?;
    let queued: Vec<Queued> = rows_as(rows.pop().unwrap_or_default())?;
    let mut intakes = Vec::new();
    let (mut lost, mut told) = (Vec::new(), Vec::new());
    for row in queued {
        let customer = key_parts(&row.key).into_iter().nth(1).unwrap_or_default();
        let balance_type = balance_types.get(&customer).map_or("", String::as_str);
        let settled = invoices::gone(&row.key, balance_type, &run.connection.hubspot.prefix);
        match settle(&row, settled) {
            Some(payload) => {
                let mut intake = Intake::new(&row.key);
                intake.gone_at = Some(run.platform.now());
                queue(run, &mut intake, &payload);
                intakes.push(intake);
                // What is told of the others is not known until HubSpot answers.
                told.extend((!payload.only_if_there).then_some(row.key));
            }
            None => lost.push(row.key),
        }
    }
    if intakes.is_empty() {
        return Ok(lost);
    }
    commit(reader, &INVOICES, &intakes, &[], 0).await?;
    let told = told.iter().map(String::as_str);
    let mut books = run.books.borrow_mut();
    books.gone(INVOICES.name, told, Told::Settled);
    Ok(lost)
}

/// What is still to be sent of an invoice that vanished: all that waits, as settled now; or what
/// settling changes of an invoice HubSpot has as open, or may have: one that was never heard to be
/// made was perhaps made all the same, and then read again as something that cannot be sent. Nothing
/// of any other, and nothing of what is left out.
fn settle(row: &Queued, settled: Payload) -> Option<Payload> {
    if row.left_out == 1 {
        return None;
    }
    let waiting: Option<Payload> = row
        .payload
        .as_deref()
        .and_then(|text| typed::from_str(text).ok());
    match waiting {
        Some(waiting) => Some(invoices::settled_over(waiting, settled)),
        None => {
            let unsettled = row.open == 1 || row.fate != Fate::Synced;
            let perhaps = matches!(row.fate, Fate::Waiting | Fate::Failing);
            match (row.sent == 1, perhaps && row.customer_sent == 1) {
                (true, _) => unsettled.then_some(settled),
                (false, true) => Some(Payload {
                    customer: Some(customer_of(&row.key)),
                    only_if_there: true,
                    ..settled
                }),
                (false, false) => None,
            }
        }
    }
}

/// Whether the customers of these invoices keep open items (I) or a balance brought forward (B).
async fn balance_types<P: Platform>(
    reader: &Reader<'_, P>,
    keys: &[String],
) -> Result<SortedMap<String, String>, Halt> {
    let customers: SortedSet<Vec<String>> = keys
        .iter()
        .map(|key| key_parts(key).into_iter().skip(1).take(1).collect())
        .collect();
    let table = Table {
        name: CUSTOMERS.table,
        select: vec!["Customer".to_owned(), "BalanceType".to_owned()],
        key: CUSTOMERS.key,
        filter: None,
        page: CUSTOMERS.page,
    };
    let customers: Vec<Vec<String>> = customers.into_iter().collect();
    let rows = reader.by_keys(&table, &customers).await?;
    let of = |row: &Row| (row.key_text("Customer"), row.text("BalanceType"));
    Ok(rows.iter().map(of).collect())
}
