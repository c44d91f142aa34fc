//! Records → what the ledger holds of them.

use std::collections::HashMap;

use serde_json::json;

use super::read::Reader;
use crate::{
    connection::Settings,
    context::Run,
    feeds::{Context, Feed, INVOICES, Outcome, Payload, Record, invoices},
    hash::hash,
    platform::{DAY, Millis, Platform},
    send::Halt,
    store::ledger::{Fate, Intake, Known},
    syspro::Row,
};

/// Hashes of what was read, by which the next reading tells what changed.
pub struct Marks {
    columns: Vec<String>,
}

impl Marks {
    pub fn of(feed: &Feed, settings: &Settings) -> Self {
        Self {
            columns: (feed.columns)(settings),
        }
    }

    /// Of the record's own row.
    pub fn own(&self, record: &Record) -> String {
        record.header.mark(&self.columns)
    }

    /// Of the rows that stand beside it.
    pub fn detail(&self, record: &Record) -> String {
        let mark = |row: &Row| {
            let columns: Vec<&String> = row.0.keys().collect();
            row.mark(&columns)
        };
        let marks: Vec<String> = record.beside.iter().map(mark).collect();
        hash(&marks)
    }
}

/// What is put into the ledger for each of these records.
pub async fn map<P: Platform>(
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
            intake.hash = hash(&reason);
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

fn source_date(header: &Row) -> Option<String> {
    ["InvoiceDate", "DateLastSale", "DateCustAdded"]
        .iter()
        .find_map(|column| header.date(column).ok().flatten())
        .map(|day| day.to_string())
}
