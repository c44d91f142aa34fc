//! What the simulator answers, seen from the wire.

mod enet;
mod odata;
mod quirks;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::*;
use crate::data::{NewCustomer, NewInvoice, NewLine};

const SVC: &str = "Basic U1ZDOm9kYXRhLXBhc3M=";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Three customers, and four documents of the first two.
fn server() -> Server {
    let mut data = Distributor::empty();
    for (key, name, currency) in [
        ("1", "Bayside Bikes", "$"),
        ("BAY001", "Café & Co", "EUR"),
        ("O'NEIL", "O’Neil “Quality”", "$"),
    ] {
        data.add_customer(NewCustomer {
            key: Some(key.to_owned()),
            name: name.to_owned(),
            currency: currency.to_owned(),
            ..NewCustomer::default()
        });
    }
    for (customer, kind, number, dated, value) in [
        (
            "000000000000001",
            "I",
            "100288",
            Some("2024-01-31"),
            150_000,
        ),
        ("000000000000001", "C", "14", Some("2024-02-05"), 25_000),
        ("000000000000001", "D", "14", None, 9_990),
        ("BAY001", "I", "W-1", Some("2024-03-01"), 100),
    ] {
        let line = NewLine::stocked("A100", Decimal::ONE, Decimal::new(value, 2), Decimal::ZERO);
        data.post_invoice(NewInvoice {
            document_type: kind.to_owned(),
            invoice: Some(number.to_owned()),
            invoice_date: dated.map(day),
            ..NewInvoice::of(customer, day("2024-03-01"), vec![line])
        });
    }
    Server::new(data, Credentials::default())
}

fn get(url: &str) -> Request {
    let request = http::Request::get(url).header("Authorization", SVC);
    request.body(String::new()).expect("a request")
}

/// `EDU1/{table}` with these options, percent-encoded.
fn table(table: &str, options: &[(&str, &str)]) -> Request {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(options);
    let query = query.finish();
    get(&format!(
        "https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/{table}?{query}"
    ))
}

fn ask(server: &mut Server, name: &str, options: &[(&str, &str)]) -> (u16, Json) {
    let response = server.answer(0, &table(name, options));
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(response.body()).unwrap_or(Json::Null),
    )
}

/// One column of every row of the answer, blanks shown as they are.
fn column(server: &mut Server, name: &str, column: &str, options: &[(&str, &str)]) -> Vec<String> {
    let (status, body) = ask(server, name, options);
    assert_eq!(status, 200, "{options:?}: {body}");
    let rows = body["value"].as_array().expect("rows").iter();
    rows.map(|row| match &row[column] {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    })
    .collect()
}
