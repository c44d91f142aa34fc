//! OData pages, and everything that is made of their rows.

use chrono::NaiveDate;
use fastrand::Rng;
use serde_json::json;
use syspro_hubspot_sync::{
    connection::{BalanceCurrency, CustomerScope, ForeignCurrency, Settings},
    feeds::{
        Context, FEEDS, Feed, INVOICES, Lack, Lookups, Outcome, Payload, Record,
        customers::BALANCE_COLUMNS,
        invoices::{self, LINE_COLUMNS},
        lookups::{LOOKUPS, STOCK},
    },
    hubspot::account::{Account, read_details},
    syspro::{
        Row, key_parts,
        odata::{self, Dialect, Literal, Query, Service},
        record_key,
    },
};

use super::{CANARIES, Read, Sample, fault_is_sound, reason_is_sound, response};
use crate::{
    site::day,
    world::{Response, Start},
};

/// Columns whose codes are named in reasons: they say what to correct.
const CODES: [&str; 4] = ["PostCurrency", "DocumentType", "TermsCode", "CreditStatus"];
const MOST_ROWS: usize = 6;

pub fn page(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let response = response(rng, sample);
    let read = odata::read_page(&response);
    let rows = match read {
        Err(fault) => {
            fault_is_sound(rng, &fault);
            return Read::Refused;
        }
        Ok(page) => page.rows,
    };
    assert!(!sample.cut, "half a page was taken");
    let rows = &rows[..rows.len().min(MOST_ROWS)];
    let mut lookups = Lookups::default();
    for lookup in LOOKUPS.into_iter().chain([&STOCK]) {
        (lookup.add)(&mut lookups, rows);
    }
    let settings = settings(rng);
    for feed in FEEDS {
        for row in rows {
            names(feed, row, &settings);
            ask_behind(feed, row);
        }
        map(rng, feed, rows, &settings, &lookups);
    }
    Read::Taken
}

/// Which tables and columns the server says it has: words for a check, so half of it does no harm.
pub fn schema(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    match odata::read_schema(&response(rng, sample)) {
        Ok(_) => Read::Taken,
        Err(fault) => {
            fault_is_sound(rng, &fault);
            Read::Refused
        }
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let mut settings = Settings::default();
    if rng.bool() {
        settings.customers = CustomerScope::All;
        settings.foreign_currency = ForeignCurrency::Local;
        settings.invoice_balance_currency = BalanceCurrency::Local;
    }
    settings
}

/// Keys come apart as they were put together; marks are of one length.
fn names(feed: &Feed, row: &Row, settings: &Settings) {
    if let Some(key) = feed.record_key("EDU1", row) {
        let parts = key_parts(&key);
        assert_eq!(parts.len(), feed.key.len() + 1, "{key}");
        assert_eq!(record_key(&parts), key);
    }
    let columns = (feed.columns)(settings);
    for mark in [
        row.mark(&columns),
        row.mark(BALANCE_COLUMNS),
        row.mark(LINE_COLUMNS),
    ] {
        assert_eq!(mark.len(), 32);
    }
    invoices::open_mark(row);
}

/// Where a poll goes on, and how lines are asked for: a request to the same server, whatever a key holds.
fn ask_behind(feed: &Feed, row: &Row) {
    let settings = Settings::default();
    let service = Service {
        url: "https://erp.acme.example/SYSPRO8Odata".to_owned(),
        company: "EDU1".to_owned(),
        date_style: settings.date_style,
        tables: settings.tables,
        dialect: Dialect::default(),
    };
    let columns = feed.key.iter();
    let key: Option<Vec<(&str, Literal)>> = columns
        .map(|column| Some((*column, Literal::of(row.raw(column))?)))
        .collect();
    let mut query = Query {
        table: feed.table,
        ..Query::default()
    };
    let mut filters: Vec<_> = key.iter().map(|key| odata::after(key)).collect();
    if let Some(lines) = invoices::lines_filter_key(row) {
        let asked = odata::any_of(&service, &query, &[lines], 2_000);
        filters.extend(asked.into_iter().map(|(filter, _)| filter));
    }
    for filter in filters {
        query.filter = Some(filter);
        let request = odata::request(&service, &query);
        // A key too long for any URI asks for nothing, anywhere.
        let host = request.uri().host();
        assert!(
            host == Some("erp.acme.example") || request.uri() == "/",
            "{}",
            request.uri()
        );
    }
}

fn map(rng: &mut Rng, feed: &Feed, rows: &[Row], settings: &Settings, lookups: &Lookups) {
    let lines = invoices::join(rows, rows.to_vec());
    invoices::stock_codes(rows);
    let account = account(rng);
    let context = Context {
        company: "EDU1",
        settings,
        local_currency: "USD",
        account: &account,
        prefix: "syspro_",
        lookups,
        today: [day(Start::NOW), NaiveDate::MIN, NaiveDate::MAX][rng.usize(..3)],
    };
    for (row, lines) in rows.iter().zip(lines) {
        let Some(key) = feed.record_key("EDU1", row) else {
            continue;
        };
        let balances = rows.iter().take(1).cloned().collect();
        let record = Record {
            key,
            header: row.clone(),
            beside: if feed.name == INVOICES.name {
                lines
            } else {
                balances
            },
            lack: [Lack::AskAgain, Lack::NoneThere, Lack::KeepThem][rng.usize(..3)],
            sent: rng.bool(),
            unheard: rng.bool(),
            relined: rng.bool(),
        };
        let outcome = (feed.map)(&record, &context);
        outcome_is_sound(&outcome, &record, row);
    }
}

fn account(rng: &mut Rng) -> Account {
    let offset = [0, -18_000_000, 86_400_000][rng.usize(..3)];
    let details = json!({
        "portalId": 1, "timeZone": "US/Eastern", "companyCurrency": "USD",
        "additionalCurrencies": ["EUR"], "utcOffsetMilliseconds": offset,
    });
    let answer = Response::new(details.to_string().into_bytes());
    let mut account = read_details(&answer).expect("an account");
    account.writable_invoice_properties = vec!["hs_number".to_owned()];
    account
}

fn outcome_is_sound(outcome: &Outcome, record: &Record, row: &Row) {
    let reasons = match outcome {
        Outcome::Send(payload) => {
            let text = serde_json::to_string(payload).expect("JSON");
            let again: Payload = serde_json::from_str(&text).expect("what was stored is read");
            assert_eq!(again, **payload);
            assert!(!payload.objects.is_empty());
            for object in &payload.objects {
                assert!(object.key.starts_with(&record.key), "{}", object.key);
            }
            payload.warnings.iter().collect()
        }
        Outcome::AskAgain(reason) | Outcome::Excluded(reason, _) | Outcome::Failing(reason) => {
            vec![reason]
        }
    };
    // A code is what the reason is about, even where a value came into its place.
    let is_shown = |canary: &str| CODES.iter().any(|code| row.text(code).contains(canary));
    if !CANARIES.into_iter().any(is_shown) {
        reasons.into_iter().for_each(reason_is_sound);
    }
}
