//! One page: rows → records → what is new → one commit with the cursor.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::{
    beside::{Layout, beside},
    read::Reader,
};
use crate::{
    context::Run,
    feeds::{Context, Feed, INVOICES, Outcome, Payload, Record, invoices},
    hash::hash,
    platform::{DAY, Millis, Platform, Statement},
    send::Halt,
    store::{
        audit, cursors,
        ledger::{self, Fate, Intake, Known, Taken},
        rows_as,
    },
    syspro::{Row, key_parts, record_key},
};

/// Below D1's largest value of 2 MB, with room for escaping.
const SLICE_BYTES: usize = 1_500_000;

/// How a page came to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub layout: Layout,
    /// What stands beside is read for every row and compared too; otherwise only for rows that
    /// changed themselves.
    pub whole: bool,
    /// They were asked for: every row is taken, changed or not.
    pub asked: bool,
}

/// What taking a page told.
#[derive(Debug, Default)]
pub struct TakenPage {
    pub keys: BTreeSet<String>,
    /// Customers of invoices that are new or changed.
    pub touched: BTreeSet<String>,
}

/// Compares a page with the ledger, maps what is new, and commits it with the cursor that `passed`
/// moves: behind a page without news it stays in memory until the next commit.
pub async fn take<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    rows: Vec<Row>,
    reading: Reading,
    passed: impl FnOnce(),
) -> Result<TakenPage, Halt> {
    let run = reader.run;
    let connection = run.connection.id.as_str();
    let read = rows.len() as u64;
    run.sender.took(rows.len());
    let (mut records, rejected) = sort_out(run.connection.syspro.company.as_str(), feed, rows);
    let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
    let mut page = TakenPage {
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        ..TakenPage::default()
    };
    let whole = reading.whole || feed.name != INVOICES.name;
    if whole {
        stand_beside(reader, feed, &mut records, reading.layout).await?;
    }
    let known = known(reader, feed, &page.keys).await?;
    let marks = Marks {
        columns: (feed.columns)(&run.connection.settings),
    };
    let repeated = read - (records.len() + rejected.len()) as u64;
    records.retain(|record| {
        let Some(known) = known.get(&record.key) else {
            return true;
        };
        let same = known.mark == marks.own(record)
            && known.mapping == run.mapping
            && (!whole || known.detail == marks.detail(record));
        reading.asked || !same
    });
    if !whole {
        stand_beside(reader, feed, &mut records, Layout::Scattered).await?;
    }
    let news = records.len() as u64;
    let unchanged = read - news - rejected.len() as u64 - repeated;
    let intakes = map_all(reader, feed, &records, &known, &marks).await?;
    page.touched = records
        .iter()
        .filter(|_| feed.name == INVOICES.name)
        .map(|record| customer_of(&record.key))
        .collect();

    let now = run.platform.now();
    let mut statements: Vec<Statement> = slices(&intakes)
        .map(|slice| ledger::take(connection, feed.name, run.mapping, now, slice))
        .collect();
    let takes = statements.len();
    if !rejected.is_empty() {
        statements.push(audit::write(connection, now, &rejected));
    }
    passed();
    let mut answers = Vec::new();
    if !statements.is_empty() {
        let cursors = run.cursors.borrow_mut().to_save();
        if !cursors.is_empty() {
            statements.push(cursors::save(connection, &cursors));
        }
        answers = run.store.commit(statements).await?;
    }
    let rejected = answers
        .get(takes)
        .map_or(0, |rows| match rejected.is_empty() {
            true => 0,
            false => rows.len() as u64,
        });
    let mut taken: Vec<Taken> = Vec::new();
    for rows in answers.into_iter().take(takes) {
        taken.extend(rows_as(rows)?);
    }
    let of = |fate: Fate| {
        let news = taken.iter().filter(|row| row.news == 1 && row.fate == fate);
        news.count() as u64
    };
    let mut books = run.books.borrow_mut();
    let books = books.feed(feed.name);
    books.read += read;
    books.unchanged +=
        unchanged + repeated + taken.iter().filter(|row| row.news == 0).count() as u64;
    books.queued += of(Fate::Waiting);
    books.excluded += of(Fate::Excluded);
    books.failing += of(Fate::Failing);
    books.rejected += rejected;
    Ok(page)
}

/// Records by key, the last of a key that comes twice, and audit rows for those that have none.
fn sort_out(company: &str, feed: &Feed, rows: Vec<Row>) -> (Vec<Record>, Vec<audit::Entry>) {
    let mut records: Vec<Record> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut rejected: Vec<audit::Entry> = Vec::new();
    for header in rows {
        let Some(key) = feed.record_key(company, &header) else {
            let entry = keyless(feed, &header);
            if rejected.iter().all(|other| other.id != entry.id) {
                rejected.push(entry);
            }
            continue;
        };
        let record = Record {
            key: key.clone(),
            header,
            beside: Vec::new(),
            bare: false,
        };
        match places.get(&key) {
            Some(&place) => records[place] = record,
            None => {
                places.insert(key, records.len());
                records.push(record);
            }
        }
    }
    (records, rejected)
}

/// A row that cannot be told from others goes to the audit, once for each content it had.
fn keyless(feed: &Feed, row: &Row) -> audit::Entry {
    let missing: Vec<&str> = feed
        .key
        .iter()
        .copied()
        .filter(|column| row.key_text(column).is_empty())
        .collect();
    audit::Entry {
        id: format!("rejected/{}/{}", feed.name, hash(&row.0)),
        feed: feed.name.to_owned(),
        key: String::new(),
        outcome: "rejected".to_owned(),
        revision: None,
        source_date: None,
        source_version: None,
        seen_at: None,
        taken_at: None,
        said: json!({ "reason": {
            "code": "no_key",
            "field": missing.join(", "),
            "reason": format!("a row of {} has no {}", feed.table, missing.join(", ")),
            "remedy": "give the row its key in SYSPRO",
        }})
        .to_string(),
    }
}

async fn stand_beside<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    records: &mut [Record],
    layout: Layout,
) -> Result<(), Halt> {
    let headers: Vec<Row> = records.iter().map(|record| record.header.clone()).collect();
    let found = beside(reader, feed, &headers, layout).await?;
    for (record, beside) in records.iter_mut().zip(found) {
        record.beside = beside;
    }
    Ok(())
}

async fn known<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    keys: &BTreeSet<String>,
) -> Result<HashMap<String, Known>, Halt> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let run = reader.run;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let statement = ledger::known(&run.connection.id, feed.name, &keys);
    let mut rows = run.store.read(&[statement]).await?;
    let known: Vec<Known> = rows_as(rows.pop().unwrap_or_default())?;
    Ok(known
        .into_iter()
        .map(|row| (row.key.clone(), row))
        .collect())
}

/// Hashes of what was read, by which the next reading tells what changed.
struct Marks {
    columns: Vec<String>,
}

impl Marks {
    fn own(&self, record: &Record) -> String {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        record.header.mark(&columns)
    }

    fn detail(&self, record: &Record) -> String {
        let mark = |row: &Row| {
            let columns: Vec<&str> = row.0.keys().map(String::as_str).collect();
            row.mark(&columns)
        };
        let marks: Vec<String> = record.beside.iter().map(mark).collect();
        hash(&marks)
    }
}

async fn map_all<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    records: &[Record],
    known: &HashMap<String, Known>,
    marks: &Marks,
) -> Result<Vec<Intake>, Halt> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let stock = match feed.name == INVOICES.name {
        true => records
            .iter()
            .flat_map(|record| invoices::stock_codes(&record.beside))
            .collect(),
        false => Vec::new(),
    };
    reader.look_up(stock).await?;
    let run = reader.run;
    let today = run.today();
    let intakes = reader.with_lookups(|lookups| {
        let context = Context {
            company: &run.connection.syspro.company,
            settings: &run.connection.settings,
            local_currency: &run.connection.syspro.local_currency,
            account: run.account,
            prefix: &run.connection.hubspot.prefix,
            lookups,
            today,
        };
        records
            .iter()
            .map(|record| {
                let lines_missing = lines_missing(feed, record, known.get(&record.key), run.began);
                let outcome = match lines_missing {
                    Some(LinesMissing::AskAgain) => None,
                    Some(LinesMissing::ThereAreNone) => {
                        let mut record = record.clone();
                        record.bare = true;
                        Some((feed.map)(&record, &context))
                    }
                    None => Some((feed.map)(record, &context)),
                };
                intake(run, record, outcome, marks)
            })
            .collect()
    });
    Ok(intakes)
}

enum LinesMissing {
    AskAgain,
    ThereAreNone,
}

/// An answer without the lines of an invoice that has a value may lack them; when a second one, in
/// a later run, lacks them too, SYSPRO has none.
fn lines_missing(
    feed: &Feed,
    record: &Record,
    known: Option<&Known>,
    began: Millis,
) -> Option<LinesMissing> {
    let lacks = feed.name == INVOICES.name
        && record.beside.is_empty()
        && invoices::needs_lines(&record.header);
    let asked_before = |known: &Known| {
        known.seen_at < began && known.reason_code.as_deref() == Some("lines_missing")
    };
    lacks.then(|| match known.is_some_and(asked_before) {
        true => LinesMissing::ThereAreNone,
        false => LinesMissing::AskAgain,
    })
}

/// `None`: it cannot be mapped before its lines were asked for once more.
fn intake<P: Platform>(
    run: &Run<'_, P>,
    record: &Record,
    outcome: Option<Outcome>,
    marks: &Marks,
) -> Intake {
    let now = run.platform.now();
    let mut intake = Intake {
        key: record.key.clone(),
        fate: Fate::Waiting,
        mark: marks.own(record),
        detail: marks.detail(record),
        hash: String::new(),
        payload: None,
        reason: None,
        due: None,
        look_at: None,
        open_mark: invoices::open_mark(&record.header),
        parent: None,
        source_date: source_date(&record.header),
        source_version: Some(marks.own(record)),
        gone_at: None,
    };
    match outcome {
        None => {
            intake.reason = Some(json!(invoices::lines_missing()).to_string());
            intake.due = Some(now.max(run.began + 1));
        }
        Some(Outcome::Send(payload)) => queue(run, &mut intake, &payload),
        Some(Outcome::Excluded(reason)) => {
            intake.fate = Fate::Excluded;
            intake.hash = hash(&reason);
            intake.reason = Some(json!(reason).to_string());
        }
        Some(Outcome::Failing(reason)) => {
            intake.fate = Fate::Failing;
            intake.reason = Some(json!(reason).to_string());
            intake.due = Some(now + DAY);
        }
    }
    intake
}

/// Makes the payload wait for this run's delivery.
pub fn queue<P: Platform>(run: &Run<'_, P>, intake: &mut Intake, payload: &Payload) {
    intake.hash = hash(payload);
    intake.payload = Some(json!(payload).to_string());
    intake.parent.clone_from(&payload.customer);
    intake.due = Some(run.began);
    // Overdue comes with the calendar: the day after it fell due, it is read again.
    let overdue = payload.due.and_then(|day| day.succ_opt());
    intake.look_at = overdue.map(|day| run.midnight(day));
}

/// The key of the customer an invoice's key begins with.
pub fn customer_of(invoice: &str) -> String {
    record_key(key_parts(invoice).into_iter().take(2))
}

fn source_date(header: &Row) -> Option<String> {
    ["InvoiceDate", "DateLastSale", "DateCustAdded"]
        .iter()
        .find_map(|column| header.date(column).ok().flatten())
        .map(|day| day.to_string())
}

/// Runs of rows whose JSON stays below what one argument may hold.
fn slices(rows: &[Intake]) -> impl Iterator<Item = &[Intake]> {
    let size = |row: &Intake| row.payload.as_ref().map_or(0, String::len) * 4 / 3 + 600;
    let mut rest = rows;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = rest.iter().take_while(|row| {
            bytes += size(row);
            bytes <= SLICE_BYTES
        });
        let (slice, left) = rest.split_at(fits.count().max(1));
        rest = left;
        Some(slice)
    })
}
