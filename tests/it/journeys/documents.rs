//! Odd invoices and lines, and servers with odd habits.

use serde_json::json;
use simulators::{
    data::{Distributor, NewInvoice, NewLine, Value},
    hubspot::Kind,
    syspro::{Beyond, Collation, DateAnswer, Decimals, Fault, Quirks, Trouble},
};

use super::{company, customer, distributor, first_invoice, hubspot_key, lines, money};
use crate::agreement;
use crate::site::{Site, options};

#[test]
fn odd_lines_arrive_at_their_value() {
    let mut data = distributor(1);
    let stocked = |quantity: &str, value: &str| {
        NewLine::stocked("A100", money(quantity), money(value), money("0"))
    };
    let today = data.today();
    let key = data.post_invoice(NewInvoice::of(
        &customer(1),
        today,
        vec![
            stocked("0", "10.00"),
            stocked("-1", "-35.50"),
            stocked("3", "100.00"),
            NewLine::charge('4', money("9.99")),
            NewLine::charge('5', money("1.00")),
            NewLine::charge('6', money("0")),
        ],
    ));
    let site = Site::new(data);
    site.tick();
    agreement::check(&site);
    let key = hubspot_key(&key);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 5);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_net"), "85.49");
    let portal = site.portal.borrow();
    let lines = portal.objects(Kind::LineItem).filter(|line| {
        line.get("syspro_key")
            .is_some_and(|it| it.starts_with(&key))
    });
    let mut seen: Vec<String> = lines
        .map(|line| {
            let get = |name: &str| line.get(name).unwrap_or("-").to_owned();
            let [name, quantity, price] = ["name", "quantity", "price"].map(get);
            format!("{name}: {quantity} × {price}, {}", get("syspro_line_total"))
        })
        .collect();
    seen.sort();
    let frame = "Mountain bike frame 17\"";
    assert_eq!(
        seen,
        [
            "Freight: 1 × 9.99, -".to_owned(),
            "Miscellaneous charge: 1 × 1, -".to_owned(),
            format!("{frame} (-35.50 USD): 1 × 0, -35.5"),
            format!("{frame}: 1 × 10, -"),
            format!("{frame}: 3 × 33.333333, 100"),
        ]
    );
}

/// A believable distributor behind a server with these habits arrives whole.
fn arrives_from(quirks: Quirks) {
    let said = format!("{quirks:?}");
    let data = Distributor::believable(11, 40, 120, super::day(super::Start::NOW));
    let site = Site::bare(super::Start::calm(), data, options());
    site.erp.borrow_mut().quirks = quirks;
    let body = site.connection(json!({})).to_string();
    let made = site.ask("POST", "/connections", &body);
    assert_eq!(made.body["state"], "active", "{said}: {}", made.body);
    site.settle(12);
    let found = agreement::differences(&site);
    let shown = &found[..found.len().min(10)];
    let run = site.last_run();
    assert!(found.is_empty(), "{said}\n{run:#}\n{shown:#?}");
}

#[test]
fn every_habit_a_server_may_have_leads_to_the_same_end() {
    let quirks = [
        Quirks {
            row_cap: 7,
            ..Quirks::default()
        },
        Quirks {
            row_cap: 25,
            beyond_cap: Beyond::Absolute,
            ..Quirks::default()
        },
        Quirks {
            row_cap: 25,
            beyond_cap: Beyond::Relative,
            ..Quirks::default()
        },
        Quirks {
            row_cap: 25,
            beyond_cap: Beyond::Foreign,
            ..Quirks::default()
        },
        Quirks {
            collation: Collation::Binary,
            ..Quirks::default()
        },
        Quirks {
            decimals: Decimals::Text,
            trimmed: true,
            ..Quirks::default()
        },
        Quirks {
            decimals: Decimals::Mixed,
            stampless: true,
            text_order: true,
            ..Quirks::default()
        },
        Quirks {
            date_answer: DateAnswer::Offset,
            ..Quirks::default()
        },
        Quirks {
            date_answer: DateAnswer::Mixed,
            ..Quirks::default()
        },
    ];
    for quirks in quirks {
        arrives_from(quirks);
    }
}

#[test]
fn an_invoice_with_a_value_and_no_lines_waits_once_and_then_gets_one_line() {
    let mut data = distributor(1);
    let today = data.today();
    let key = data.post_invoice(NewInvoice {
        taken_on: money("500.00"),
        ..NewInvoice::of(&customer(1), today, Vec::new())
    });
    let site = Site::new(data);
    site.tick();
    let key = hubspot_key(&key);
    let record = site.record("invoices", &key);
    assert_eq!(record["status"], "waiting");
    assert_eq!(record["reason"]["code"], "lines_missing", "{record}");
    site.next_tick();
    assert_eq!(site.status("invoices", &key), "synced");
    agreement::check(&site);
}

#[test]
fn lines_missing_from_one_answer_are_asked_for_again() {
    let mut data = distributor(1);
    let today = data.today();
    let key = hubspot_key(&data.post_invoice(NewInvoice::of(&customer(1), today, lines())));
    let site = Site::new(data);
    let once = Fault::once("/ArTrnDetail?", Trouble::Empty);
    site.erp.borrow_mut().faults.push_back(once);
    site.settle(4);
    assert_eq!(site.status("invoices", &key), "synced");
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    agreement::check(&site);
}

#[test]
fn an_invoice_of_another_document_type_is_excluded_by_name() {
    let mut data = distributor(1);
    let parts = first_invoice(1);
    let cells = vec![
        ("Customer", Value::from(parts.customer.as_str())),
        ("Invoice", Value::from("00000000000000000077")),
        ("DocumentType", Value::from("X")),
        ("InvoiceDate", Value::from(data.today())),
    ];
    data.insert("ArInvoice", cells);
    let site = Site::new(data);
    site.tick();
    let key = format!("{}/00000000000000000077/X", company(1));
    let record = site.record("invoices", &key);
    assert_eq!(record["status"], "excluded");
    assert_eq!(record["reason"]["reason"], "document type X");
}
