//! Rows of SYSPRO's tables, each column dropped and retyped, on their way through the mapping.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use fastrand::Rng;
use serde_json::{Value, json};
use simulators::{
    data::Distributor,
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::{
    connection::{BalanceCurrency, CreditNotes, CustomerScope, ForeignCurrency, Settings},
    fault::Reason,
    feeds::{
        CUSTOMERS, Context, Feed, INVOICES, Lack, Lookups, Outcome, Payload, Record, invoices,
        lookups::{LOOKUPS, STOCK},
    },
    hubspot::account::Account,
    syspro::{Row, odata},
};

use super::{number, retyped, rng};
use crate::world::Start;

const MONEY: [&str; 14] = [
    "ValFutureInv",
    "ValCurrentInv",
    "Val30daysInv",
    "Val60daysInv",
    "Val90daysInv",
    "Val120daysInv",
    "ValCreditsInv",
    "CreditLimit",
    "CurrencyValue",
    "InvoiceBal1",
    "TaxPortion",
    "QtyInvoiced",
    "NetSalesValue",
    "PostValue",
];
const DATES: [&str; 4] = [
    "InvoiceDate",
    "DateLastSale",
    "DateLastPay",
    "DateCustAdded",
];
/// Without them a line cannot be told from its neighbours.
const LINE_NUMBER: [&str; 5] = [
    "TrnYear",
    "TrnMonth",
    "Register",
    "SummaryLine",
    "DetailLine",
];

/// Which of a record's rows is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Header,
    Beside(usize),
}

struct Fixture {
    customers: Vec<Record>,
    invoices: Vec<Record>,
    lookups: Lookups,
    rows: Vec<(&'static str, Vec<Row>)>,
}

fn today() -> NaiveDate {
    crate::site::day(Start::NOW)
}

/// What a small believable distributor answers with.
fn fixture() -> Fixture {
    let data = Distributor::believable(5, 12, 24, today());
    let mut server = Server::new(data, Credentials::default());
    let mut table = |name: &'static str| {
        let request = http::Request::builder()
            .uri(format!(
                "https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/{name}"
            ))
            .header("authorization", "Basic U1ZDOm9kYXRhLXBhc3M=")
            .body(String::new())
            .expect("a request");
        let page = odata::read_page(&server.answer(Start::NOW, &request));
        page.expect("a page").rows
    };
    let (customers, balances) = (table("ArCustomer"), table("ArCustomerBal"));
    let (headers, lines) = (table("ArInvoice"), table("ArTrnDetail"));
    let mut lookups = Lookups::default();
    let mut rows = Vec::new();
    for lookup in LOOKUPS.into_iter().chain([&STOCK]) {
        let found = table(lookup.table);
        (lookup.add)(&mut lookups, &found);
        rows.push((lookup.table, found));
    }
    let record = |feed: &Feed, header: Row, beside: Vec<Row>| Record {
        key: feed.record_key("EDU1", &header).expect("a key"),
        header,
        beside,
        lack: Lack::AskAgain,
        sent: false,
        unheard: false,
        relined: false,
    };
    let beside = invoices::join(&headers, lines);
    let balance = |row: &Row| {
        let own = balances
            .iter()
            .filter(|it| it.raw("Customer") == row.raw("Customer"));
        own.cloned().collect()
    };
    Fixture {
        customers: customers
            .into_iter()
            .map(|row| record(&CUSTOMERS, row.clone(), balance(&row)))
            .collect(),
        invoices: headers
            .into_iter()
            .zip(beside)
            .map(|(row, lines)| record(&INVOICES, row, lines))
            .collect(),
        lookups,
        rows,
    }
}

fn account() -> Account {
    Account {
        portal_id: "1".into(),
        time_zone: "America/New_York".into(),
        utc_offset_ms: -18_000_000,
        noon_offset_ms: None,
        currency: "USD".into(),
        additional_currencies: vec!["EUR".into()],
        ui_domain: "app.hubspot.com".into(),
        writable_invoice_properties: vec!["hs_number".into(), "hs_amount_billed".into()],
        region: String::new(),
        lines_without_keys: false,
        without: Default::default(),
    }
}

/// The settings that send money along different ways.
fn ways() -> [Settings; 3] {
    let all = Settings {
        customers: CustomerScope::All,
        ..Settings::default()
    };
    let local = Settings {
        foreign_currency: ForeignCurrency::Local,
        invoice_balance_currency: BalanceCurrency::Local,
        ..all.clone()
    };
    let active = Settings {
        credit_notes: CreditNotes::Exclude,
        currencies: [("STG".to_owned(), "GBP".to_owned())].into(),
        foreign_currency: ForeignCurrency::Local,
        ..Settings::default()
    };
    [all, local, active]
}

fn map(feed: &Feed, record: &Record, settings: &Settings, lookups: &Lookups) -> Outcome {
    let account = account();
    let context = Context {
        company: "EDU1",
        settings,
        local_currency: "USD",
        account: &account,
        prefix: "syspro_",
        lookups,
        today: today(),
    };
    (feed.map)(record, &context)
}

fn assert_sound(outcome: &Outcome, story: &str) {
    let payload = match outcome {
        Outcome::Send(payload) => payload,
        Outcome::AskAgain(reason) | Outcome::Excluded(reason, _) | Outcome::Failing(reason) => {
            let Reason { code, reason, .. } = reason;
            return assert!(!code.is_empty() && !reason.is_empty(), "{story}: no reason");
        }
    };
    let keys: BTreeSet<_> = payload
        .objects
        .iter()
        .map(|it| (it.kind, &it.key))
        .collect();
    assert_eq!(keys.len(), payload.objects.len(), "{story}: a key twice");
    for object in &payload.objects {
        assert!(!object.key.is_empty(), "{story}: no key");
        assert_eq!(
            object.properties.get("syspro_key"),
            Some(&object.key),
            "{story}"
        );
    }
    let text = serde_json::to_string(payload).expect("it is stored as JSON");
    let again: Payload = serde_json::from_str(&text).expect("and read again");
    assert_eq!(&again, payload.as_ref(), "{story}");
}

/// Neither a number within what SYSPRO's columns hold, nor blank.
fn unreadable_number(value: &Value) -> bool {
    let text = match value {
        Value::Null => return false,
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return true,
    };
    !text.is_empty()
        && !text
            .parse::<f64>()
            .is_ok_and(|it| it.is_finite() && it.abs() < 1e13 && (it != 0.0 || !text.contains('e')))
}

fn unreadable_date(value: &Value) -> bool {
    let text = match value {
        Value::Null => return false,
        Value::String(text) => text.trim(),
        _ => return true,
    };
    !text.is_empty() && text != "0000-00-00"
}

fn row(record: &mut Record, place: Place) -> &mut Row {
    match place {
        Place::Header => &mut record.header,
        Place::Beside(at) => &mut record.beside[at],
    }
}

/// One column of one row: what follows is judged against what the whole row maps to.
fn check(
    feed: &Feed,
    whole: &Record,
    place: Place,
    column: &str,
    value: Option<&Value>,
    lookups: &Lookups,
) -> u64 {
    let mut record = whole.clone();
    match value {
        Some(value) => drop(
            row(&mut record, place)
                .0
                .insert(column.to_owned(), value.clone()),
        ),
        None => drop(row(&mut record, place).0.remove(column)),
    }
    let shown: String = value.map_or("dropped".to_owned(), |it| {
        it.to_string().chars().take(60).collect()
    });
    let story = format!("{} {place:?} {column} = {shown}", whole.key);
    if place == Place::Header && feed.key.contains(&column) {
        match feed.record_key("EDU1", &record.header) {
            Some(key) => record.key = key,
            None => return 1, // rejected: it goes to the audit
        }
    }
    if let Place::Beside(_) = place
        && feed.name == INVOICES.name
    {
        let joined = invoices::join(std::slice::from_ref(&record.header), record.beside);
        record.beside = joined.into_iter().next().unwrap_or_default();
    }
    let _ = (
        invoices::open_mark(&record.header),
        invoices::lines_filter_key(&record.header),
    );
    let _ = (
        invoices::stock_codes(&record.beside),
        record.header.mark(&[column]),
    );
    for settings in ways() {
        let outcome = map(feed, &record, &settings, lookups);
        assert_sound(&outcome, &story);
        let unreadable = value.is_some_and(|value| {
            MONEY.contains(&column) && unreadable_number(value)
                || DATES.contains(&column) && unreadable_date(value)
        });
        let numbered = LINE_NUMBER.contains(&column)
            && value.is_none_or(|it| {
                unreadable_number(it)
                    || it.is_null()
                    || it.as_str().is_some_and(|it| it.trim().is_empty())
            });
        if unreadable || numbered {
            let unused = || outcome == map(feed, whole, &settings, lookups);
            let named = matches!(&outcome, Outcome::Failing(reason) if reason.field.as_deref() == Some(column));
            assert!(named || unused(), "{story}: {outcome:?}");
        }
    }
    3
}

#[test]
fn every_column_of_a_row_may_be_missing_or_anything() {
    let fixture = fixture();
    let values = retyped();
    let mut cases = 0;
    let feeds = [
        (&CUSTOMERS, &fixture.customers[..3]),
        (&INVOICES, &fixture.invoices[..4]),
    ];
    for (feed, records) in feeds {
        for record in records {
            let beside = (0..record.beside.len().min(1)).map(Place::Beside);
            for place in std::iter::once(Place::Header).chain(beside) {
                let columns: Vec<String> = match place {
                    Place::Header => (feed.columns)(&Settings::default()),
                    Place::Beside(at) => record.beside[at].0.keys().cloned().collect(),
                };
                for column in columns {
                    cases += check(feed, record, place, &column, None, &fixture.lookups);
                    for value in &values {
                        cases += check(feed, record, place, &column, Some(value), &fixture.lookups);
                    }
                }
            }
        }
    }
    eprintln!("rows: {cases} cases");
}

#[test]
fn lookups_of_any_shape_explain_what_they_can() {
    let fixture = fixture();
    let values = retyped();
    let mut cases = 0;
    for (table, rows) in &fixture.rows {
        let lookup = LOOKUPS
            .into_iter()
            .chain([&STOCK])
            .find(|it| it.table == *table);
        let lookup = lookup.expect("one of them");
        let Some(first) = rows.first() else { continue };
        for column in first.0.keys() {
            for value in values.iter().map(Some).chain([None]) {
                let mut lookups = fixture.lookups.clone();
                let changed: Vec<Row> = rows
                    .iter()
                    .map(|row| {
                        let mut row = row.clone();
                        match value {
                            Some(value) => drop(row.0.insert(column.clone(), value.clone())),
                            None => drop(row.0.remove(column)),
                        }
                        row
                    })
                    .collect();
                (lookup.add)(&mut lookups, &changed);
                let records = [
                    (&CUSTOMERS, &fixture.customers[0]),
                    (&INVOICES, &fixture.invoices[0]),
                ];
                for (feed, record) in records {
                    let outcome = map(feed, record, &ways()[0], &lookups);
                    assert_sound(&outcome, &format!("{table} {column} = {value:?}"));
                    cases += 1;
                }
            }
        }
    }
    eprintln!("lookups: {cases} cases");
}

/// A number at the edges of what a column, a machine or a decimal holds.
fn extreme(rng: &mut Rng) -> Value {
    const TEXTS: [&str; 16] = [
        "0",
        "1",
        "-1",
        "0.01",
        "9999999999999.999999",
        "-9999999999999.99",
        "0.0000000001",
        "-0.0000000001",
        "0.0000000000000000000000000001",
        "1e-28",
        "9.9e12",
        "1e13",
        "9.99e27",
        "79228162514264337593543950335",
        "3",
        "7.000001",
    ];
    let text = TEXTS[rng.usize(..TEXTS.len())];
    if rng.bool() {
        json!(text)
    } else {
        number(text)
    }
}

#[test]
fn no_numbers_together_overflow() {
    let fixture = fixture();
    let mut rng = rng("numbers");
    let mut cases = 0;
    for _ in 0..4_000 {
        for (feed, records) in [
            (&CUSTOMERS, &fixture.customers),
            (&INVOICES, &fixture.invoices),
        ] {
            let mut record = records[rng.usize(..records.len())].clone();
            let rows = std::iter::once(&mut record.header).chain(&mut record.beside);
            for row in rows {
                for column in MONEY.into_iter().chain(["ConvRate"]) {
                    if row.0.contains_key(column) && rng.u8(..3) > 0 {
                        row.0.insert(column.to_owned(), extreme(&mut rng));
                    }
                }
                if row.0.contains_key("PostCurrency") {
                    let currency = ["USD", "EUR", "STG", "$", ""][rng.usize(..5)];
                    row.0.insert("PostCurrency".to_owned(), json!(currency));
                    let rule = ["M", "D", ""][rng.usize(..3)];
                    row.0.insert("MulDiv".to_owned(), json!(rule));
                }
            }
            if rng.u8(..8) == 0 {
                record.beside.clear();
                record.lack = [Lack::NoneThere, Lack::KeepThem][rng.usize(..2)];
                record.sent = rng.bool();
            }
            for settings in ways() {
                assert_sound(
                    &map(feed, &record, &settings, &fixture.lookups),
                    &record.key,
                );
                cases += 1;
            }
        }
    }
    eprintln!("numbers: {cases} cases");
}
