//! Records → what the ledger holds of them.

use serde_json::json;

use super::{gate::Gate, read::Reader};
use crate::{
    connection::Settings,
    context::Run,
    fault::Reason,
    feeds::{
        Beside, Context, Feed, Lack, Outcome, Payload, Record, customers, invoices, sales_orders,
    },
    hash::hash,
    platform::{DAY, Millis, Platform},
    send::Halt,
    sorted::SortedMap,
    store::ledger::{Fate, Intake, Known},
    syspro::Row,
};

/// Hashes of what was read, by which the next reading tells what changed.
pub struct Marks {
    columns: Vec<String>,
    beside: &'static [&'static str],
}

impl Marks {
    pub fn of(feed: &Feed, settings: &Settings) -> Self {
        Self {
            columns: (feed.columns)(settings),
            beside: match feed.beside {
                Beside::Balances => customers::BALANCE_COLUMNS,
                Beside::Lines => invoices::LINE_COLUMNS,
            },
        }
    }

    /// Of the record's own row.
    pub fn own(&self, record: &Record) -> String {
        record.header.mark(&self.columns)
    }

    /// Of the rows that stand beside it.
    pub fn detail(&self, record: &Record) -> String {
        let mark = |row: &Row| row.mark(self.beside);
        let marks: Vec<String> = record.beside.iter().map(mark).collect();
        hash(&marks)
    }
}

/// What is put into the ledger for each of these records.
pub async fn map<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    mut records: Vec<Record>,
    known: &SortedMap<String, Known>,
    marks: &Marks,
) -> Result<Vec<Intake>, Halt> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let run = reader.run;
    for record in &mut records {
        let known = known.get(&record.key);
        record.sent = known.is_some_and(|known| known.sent == 1);
        record.unheard = known.is_some_and(Known::is_unheard);
        record.lack = lack(known, run.began);
        let is_other = |known: &Known| known.detail != marks.detail(record);
        record.relined = known.is_some_and(|known| known.has_lines == 1 && is_other(known));
    }
    let mut gate = Gate::before(run, feed, &records, known).await?;
    let outcomes = outcomes(reader, feed, &records).await?;
    let passed = records.iter().zip(outcomes).map(|(record, outcome)| {
        let known = known.get(&record.key);
        let outcome = gate.pass(record, known, outcome);
        let mut intake = intake(run, record, outcome, marks);
        if invoices::lacks_lines(record) && record.lack == Lack::NoneThere {
            look_again(run, known, &mut intake);
        }
        Intake {
            was_out: known.is_some_and(Known::left_out),
            reordered: known.is_some_and(|known| known.sales_order != intake.sales_order),
            ..intake
        }
    });
    Ok(passed.collect())
}

/// What each of these records becomes, in their order.
pub async fn outcomes<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    records: &[Record],
) -> Result<Vec<Outcome>, Halt> {
    let stock = match feed.beside {
        Beside::Lines => records
            .iter()
            .flat_map(|record| invoices::stock_codes(&record.beside))
            .collect(),
        Beside::Balances => Vec::new(),
    };
    reader.look_up(records, stock).await?;
    let run = reader.run;
    let today = run.today();
    Ok(reader.with_lookups(|lookups| {
        let context = Context {
            company: &run.connection.syspro.company,
            settings: &run.connection.settings,
            local_currency: &run.connection.syspro.local_currency,
            account: run.account,
            prefix: &run.connection.hubspot.prefix,
            lookups,
            today,
        };
        let outcomes = records.iter();
        outcomes
            .map(|record| (feed.map)(record, &context))
            .collect()
    }))
}

/// An answer without the lines of an invoice may lack them; when a second one, in a later run,
/// lacks them too, they are not there. One known to have none is not asked twice again.
fn lack(known: Option<&Known>, began: Millis) -> Lack {
    let asked = |known: &&Known| {
        known.seen_at < began && known.reason_code.as_deref() == Some(invoices::LINES_MISSING)
    };
    match known.filter(asked) {
        None if known.is_some_and(|known| known.has_total == 1) => Lack::NoneThere,
        None => Lack::AskAgain,
        Some(known) if known.has_lines == 1 => Lack::KeepThem,
        Some(_) => Lack::NoneThere,
    }
}

/// So long a new invoice without lines is looked at again, once a day.
const UNBELIEVED: Millis = 3 * DAY;

/// Two answers without its lines may both have lacked them, and its date is soon too old to be seen.
fn look_again<P: Platform>(run: &Run<'_, P>, known: Option<&Known>, intake: &mut Intake) {
    let young = |at: Millis| run.began - at < UNBELIEVED;
    if known.and_then(|known| known.came_at).is_some_and(young) {
        let tomorrow = run.began + DAY;
        let look_at = intake.look_at.unwrap_or(tomorrow);
        intake.look_at = Some(look_at.min(tomorrow));
    }
}

fn intake<P: Platform>(
    run: &Run<'_, P>,
    record: &Record,
    outcome: Outcome,
    marks: &Marks,
) -> Intake {
    let now = run.platform.now();
    let mut intake = Intake {
        mark: marks.own(record),
        detail: marks.detail(record),
        open_mark: invoices::open_mark(&record.header),
        sales_order: sales_orders::number(&record.header.text("SalesOrder")),
        source_date: source_date(&record.header),
        source_version: Some(marks.own(record)),
        ..Intake::new(&record.key)
    };
    match outcome {
        Outcome::Send(payload) => queue(run, &mut intake, &payload),
        Outcome::AskAgain(reason) => {
            intake.because(Fate::Waiting, &reason);
            intake.due = Some(now.max(run.began + 1));
        }
        Outcome::Excluded(reason, last) => {
            intake.because(Fate::Excluded, &reason);
            if let Some(last) = last {
                intake.payload = Some(json!(last).to_string());
                intake.due = Some(run.began);
            }
        }
        Outcome::Failing(reason) => {
            intake.because(Fate::Failing, &reason);
            intake.due = Some(now + DAY);
        }
    }
    intake
}

/// What one row may hold: D1's largest value, with room for escaping.
const MAX_PAYLOAD: usize = 1_300_000;

/// Makes the payload wait for this run's delivery.
pub fn queue<P: Platform>(run: &Run<'_, P>, intake: &mut Intake, payload: &Payload) {
    let text = json!(payload).to_string();
    if text.len() > MAX_PAYLOAD {
        intake.because(Fate::Failing, &too_large(payload.objects.len()));
        intake.due = Some(run.began + DAY);
        return;
    }
    intake.hash = hash(payload);
    intake.payload = Some(text);
    intake.parent.clone_from(&payload.customer);
    intake.due = Some(run.began);
    // Overdue comes with the calendar: the day after it fell due, it is read again.
    let overdue = payload.due.and_then(|day| day.succ_opt());
    intake.look_at = overdue.map(|day| run.midnight(day));
}

fn too_large(objects: usize) -> Reason {
    Reason::new(
        "too_large",
        format!("It has {objects} parts, more than one database row can hold."),
        "Split the document in SYSPRO; nothing of it was sent.",
    )
}

fn source_date(header: &Row) -> Option<String> {
    ["InvoiceDate", "DateLastSale", "DateCustAdded"]
        .iter()
        .find_map(|column| header.date(column).ok().flatten())
        .map(|day| day.to_string())
}
