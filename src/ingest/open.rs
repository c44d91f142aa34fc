//! The poll of open invoices: how payments are seen, which move no date.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    COMPARED, by_key, cannot_be_sent,
    map::queue,
    read::{Reader, Table, cursor},
    take::{TakenPage, customer_of},
};
use crate::{
    context::Run,
    fault::Reason,
    feeds::{CUSTOMERS, INVOICES, Payload, invoices},
    platform::Platform,
    send::Halt,
    store::{
        ledger::{self, Fate, Intake, Open, Queued, Taken},
        rows_as,
    },
    syspro::{Row, key_parts},
};

/// Few columns: many rows make a small page.
const PAGE: u32 = 5_000;
/// More than this share of the open invoices, and more than [`MANY`], do not vanish between two
/// looks: the answer is not believed.
const MANY_SHARE: usize = 20;
const MANY: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// The server's own key the pass is behind, and the ledger's for the same row.
    after: Option<(Vec<Value>, String)>,
}

/// Compares the open invoices with what the ledger holds, and reads those that differ by key.
pub async fn open<P: Platform>(reader: &Reader<'_, P>) -> Result<TakenPage, Halt> {
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
    let mut found = TakenPage::default();
    loop {
        let after = place.after.as_ref().map(|(key, _)| key.as_slice());
        let page = reader.page(&table, after).await?;
        run.sender.took(page.rows.len());
        let behind = place.after.as_ref().map_or("", |(_, key)| key.as_str());
        let next = match page.rows.last() {
            Some(last) => {
                let company = &run.connection.syspro.company;
                let key = INVOICES.record_key(company, last).unwrap_or_default();
                Some((cursor(&table, last)?, key))
            }
            None => None,
        };
        let upto = next.as_ref().map(|(_, key)| key.as_str());
        let page = differing(reader, &page.rows, behind, upto).await?;
        found.touched.extend(page.touched);
        let ended = next.is_none();
        place.after = next;
        run.cursors
            .borrow_mut()
            .moved(INVOICES.name, "open", &place);
        if ended {
            return Ok(found);
        }
    }
}

/// Reads by key what this page shows otherwise than the ledger holds it, and what the ledger holds
/// as open where the page shows nothing.
async fn differing<P: Platform>(
    reader: &Reader<'_, P>,
    rows: &[Row],
    behind: &str,
    upto: Option<&str>,
) -> Result<TakenPage, Halt> {
    let run = reader.run;
    let (connection, company) = (&run.connection.id, &run.connection.syspro.company);
    let shown: BTreeMap<String, String> = rows
        .iter()
        .filter_map(|row| {
            Some((
                INVOICES.record_key(company, row)?,
                invoices::open_mark(row)?,
            ))
        })
        .collect();
    let keys: Vec<&str> = shown.keys().map(String::as_str).collect();
    let statement = ledger::open_between(connection, INVOICES.name, &keys, behind, upto);
    let mut answer = run.store.read(&[statement]).await?;
    let held: Vec<Open> = rows_as(answer.pop().unwrap_or_default())?;
    let mut wanted: BTreeMap<&str, &str> = shown
        .iter()
        .map(|(key, mark)| (key.as_str(), mark.as_str()))
        .collect();
    let mut vanished = Vec::new();
    for open in &held {
        if open.asked == 0 {
            vanished.push(open.key.clone());
        } else if wanted.get(open.key.as_str()) == Some(&open.open_mark.as_str()) {
            wanted.remove(open.key.as_str());
        }
    }
    let mut changed: Vec<String> = wanted.into_keys().map(str::to_owned).collect();
    if vanished.len() > MANY && vanished.len() * MANY_SHARE > held.len() {
        run.books.borrow_mut().problem(Reason::new(
            "many_vanished",
            format!("{} of {} open invoices are missing from SYSPRO's answer; none was marked as paid", vanished.len(), held.len()),
            "check the OData service: this looks like a cut answer; if they were purged, replay them",
        ));
        vanished.clear();
    }
    changed.extend(vanished.iter().cloned());
    if changed.is_empty() {
        return Ok(TakenPage::default());
    }
    let mut page = by_key(reader, &INVOICES, changed, COMPARED).await?;
    vanished.retain(|key| !page.keys.contains(key));
    page.touched
        .extend(vanished.iter().map(|key| customer_of(key)));
    gone(reader, vanished).await?;
    Ok(page)
}

/// Open invoices that are no more in SYSPRO: paid and purged, or consolidated into a balance
/// brought forward. They are never deleted in HubSpot.
async fn gone<P: Platform>(reader: &Reader<'_, P>, keys: Vec<String>) -> Result<(), Halt> {
    if keys.is_empty() {
        return Ok(());
    }
    let run = reader.run;
    let balance_types = balance_types(reader, &keys).await?;
    let named: Vec<&str> = keys.iter().map(String::as_str).collect();
    let statement = ledger::queued(&run.connection.id, INVOICES.name, &named);
    let mut rows = run.store.read(&[statement]).await?;
    let queued: Vec<Queued> = rows_as(rows.pop().unwrap_or_default())?;
    let mut intakes = Vec::new();
    let mut lost = Vec::new();
    for row in queued {
        let customer = key_parts(&row.key).into_iter().nth(1).unwrap_or_default();
        let balance_type = balance_types.get(&customer).map_or("", String::as_str);
        let settled = invoices::gone(&row.key, balance_type, &run.connection.hubspot.prefix);
        match settle(&row, settled) {
            Some(payload) => intakes.push(intake(run, row.key, &payload)),
            None => lost.push(row.key),
        }
    }
    cannot_be_sent(run, INVOICES.name, &lost).await?;
    if intakes.is_empty() {
        return Ok(());
    }
    let now = run.platform.now();
    let connection = &run.connection.id;
    let statement = ledger::take(connection, INVOICES.name, run.mapping, now, &intakes);
    let mut rows = run.store.commit(vec![statement]).await?;
    let taken: Vec<Taken> = rows_as(rows.pop().unwrap_or_default())?;
    let mut books = run.books.borrow_mut();
    let books = books.feed(INVOICES.name);
    books.read += intakes.len() as u64;
    books.queued += taken.iter().filter(|row| row.news == 1).count() as u64;
    books.unchanged += taken.iter().filter(|row| row.news == 0).count() as u64;
    books.gone += intakes.len() as u64;
    Ok(())
}

/// What is still to be sent of an invoice that vanished: all that waits, as settled now; or what
/// settling changes of an invoice HubSpot has; nothing of one it never had and that is not queued.
fn settle(row: &Queued, settled: Payload) -> Option<Payload> {
    let waiting: Option<Payload> = row
        .payload
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    match waiting {
        Some(waiting) => Some(invoices::settled_over(waiting, settled)),
        None => (row.sent == 1).then_some(settled),
    }
}

fn intake<P: Platform>(run: &Run<'_, P>, key: String, payload: &Payload) -> Intake {
    let mut intake = Intake {
        key,
        fate: Fate::Waiting,
        mark: String::new(),
        detail: String::new(),
        hash: String::new(),
        payload: None,
        reason: None,
        due: None,
        look_at: None,
        open_mark: None,
        parent: None,
        source_date: None,
        source_version: None,
        gone_at: Some(run.platform.now()),
    };
    queue(run, &mut intake, payload);
    intake
}

/// Whether the customers of these invoices keep open items (I) or a balance brought forward (B).
async fn balance_types<P: Platform>(
    reader: &Reader<'_, P>,
    keys: &[String],
) -> Result<BTreeMap<String, String>, Halt> {
    let customers: BTreeSet<Vec<String>> = keys
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
