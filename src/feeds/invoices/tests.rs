use chrono::NaiveDate;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::super::tests::{map as map_with, record, row, shown};
use super::*;
use crate::{
    connection::{BalanceCurrency, ForeignCurrency, Settings},
    sorted::SortedMap,
};

fn check(header: Value, lines: Vec<Value>, settings: &Settings, expect: Expect) {
    let record = record(&INVOICES, header, lines);
    expect.assert_eq(&shown(&map_with(&INVOICES, &record, settings)));
}

/// An invoice of 1,500, of which 500 are open, with some values changed.
fn invoice(changes: Value) -> Value {
    let mut header = json!({"Customer":"000000000000001","Invoice":"00000000000000100288","DocumentType":"I","InvoiceDate":"2024-01-31T00:00:00Z","CurrencyValue":1500.00,"InvoiceBal1":500.00,"PostCurrency":"$","TermsCode":"1","SalesOrder":" "});
    if let (Value::Object(header), Value::Object(changes)) = (&mut header, changes) {
        header.extend(changes);
    }
    header
}

fn line(number: u32, kind: &str, code: &str, quantity: Value, value: Value) -> Value {
    json!({
        "TrnYear": 2024, "TrnMonth": 1, "Register": 55, "Invoice": "00000000000000100288",
        "SummaryLine": 1, "DetailLine": number, "DocumentType": "I",
        "Customer": "000000000000001", "StockCode": code, "LineType": kind,
        "QtyInvoiced": quantity, "NetSalesValue": value, "PostValue": 1200,
    })
}

fn goods() -> Vec<Value> {
    vec![line(1, "1", "A100   ", json!(10), json!(1500))]
}

/// The header's own properties that a test is about.
fn header(changes: Value, settings: &Settings, names: &[&str]) -> String {
    let record = record(&INVOICES, invoice(changes), goods());
    match map_with(&INVOICES, &record, settings) {
        Outcome::Send(payload) => {
            let properties = &payload.objects[0].properties;
            let value = |name: &&str| properties.get(*name).map_or("-", String::as_str);
            let values: Vec<_> = names.iter().map(value).collect();
            format!("{} status {:?}", values.join(" "), payload.status)
        }
        other => shown(&other),
    }
}

#[test]
fn an_invoice_with_lines_of_every_kind() {
    let lines = vec![
        line(1, "1", "A100   ", json!("4.000000"), json!(1000)),
        line(2, "6", " ", json!(0), json!(0)),
        line(3, "7", "SPECIAL", json!(3), json!(100)),
        line(4, "1", "A100", json!(-1), json!("-25.50")),
        line(5, "4", " ", json!(0), json!(35.5)),
        line(6, "5", " ", json!(0), json!(-10)),
        line(7, "1", "B1", json!(8), json!(1.25)),
    ];
    let changes = json!({ "TaxPortion": 0, "SalesOrder": "000801", "CustomerPoNumber": "PO 7 ",
        "Branch": "20", "Salesperson": "100" });
    check(
        invoice(changes),
        lines,
        &Settings::default(),
        expect![[r#"
        Invoice EDU1/000000000000001/00000000000000100288/I
          hs_amount_billed = 1500
          hs_currency = USD
          hs_due_date = 2024-03-01T17:00:00Z
          hs_invoice_date = 2024-01-31T17:00:00Z
          hs_number = 100288
          hs_purchase_order_number = PO 7
          syspro_balance_due = 500
          syspro_branch = 20
          syspro_customer_number = 1
          syspro_document_type = invoice
          syspro_due_date = 2024-03-01
          syspro_invoice_date = 2024-01-31
          syspro_invoice_number = 100288
          syspro_key = EDU1/000000000000001/00000000000000100288/I
          syspro_net = 1101.25
          syspro_sales_order = 801
          syspro_salesperson = 100
          syspro_salesperson_name = Priya Raman
          syspro_status = part paid
          syspro_tax = 398.75
          syspro_terms = 1
          syspro_terms_description = 30 days
          syspro_total = 1500
          on create hs_invoice_billable = false
          on create hs_invoice_payment_collection_method = none
        LineItem EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-1
          hs_line_item_currency_code = USD
          hs_sku = A100
          name = Mountain bike frame
          price = 250
          quantity = 4
          syspro_key = EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-1
        LineItem EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-3
          hs_line_item_currency_code = USD
          hs_sku = SPECIAL
          name = SPECIAL
          price = 33.333333
          quantity = 3
          syspro_key = EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-3
          syspro_line_total = 100
        LineItem EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-4
          hs_line_item_currency_code = USD
          hs_sku = A100
          name = Mountain bike frame (-25.50 USD)
          price = 0
          quantity = 1
          syspro_key = EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-4
          syspro_line_total = -25.5
        LineItem EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-5
          hs_line_item_currency_code = USD
          name = Freight
          price = 35.5
          quantity = 1
          syspro_key = EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-5
        LineItem EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-6
          hs_line_item_currency_code = USD
          name = Miscellaneous charge (-10.00 USD)
          price = 0
          quantity = 1
          syspro_key = EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-6
          syspro_line_total = -10
        LineItem EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-7
          hs_line_item_currency_code = USD
          hs_sku = B1
          name = B1
          price = 0.15625
          quantity = 8
          syspro_key = EDU1/000000000000001/00000000000000100288/I/2024-1-55-1-7
        customer Some("EDU1/000000000000001") status Some("open") due Some(2024-03-01) lines complete true
    "#]],
    );
}

/// The rows an OData answer is known to hold, character by character.
#[test]
fn a_credit_note_and_a_debit_note_of_one_number() {
    let credit = json!({"Customer":"000000000000001","Invoice":"00000000000000000014","DocumentType":"C","InvoiceDate":"2024-02-05T00:00:00+02:00","CurrencyValue":-250.00,"InvoiceBal1":-250.00,"PostCurrency":"$","TermsCode":"1","SalesOrder":"000801"});
    check(
        credit.clone(),
        goods(),
        &Settings::default(),
        expect![[r#"
        Invoice EDU1/000000000000001/00000000000000000014/C
          hs_currency = USD
          hs_due_date = 2024-02-05T17:00:00Z
          hs_invoice_date = 2024-02-05T17:00:00Z
          hs_number = 14
          syspro_balance_due = -250
          syspro_customer_number = 1
          syspro_document_type = credit note
          syspro_invoice_date = 2024-02-05
          syspro_invoice_number = 14
          syspro_key = EDU1/000000000000001/00000000000000000014/C
          syspro_sales_order = 801
          syspro_status = open
          syspro_terms = 1
          syspro_terms_description = 30 days
          syspro_total = -250
          on create hs_invoice_billable = false
          on create hs_invoice_payment_collection_method = none
        customer Some("EDU1/000000000000001") status None due None lines complete false
    "#]],
    );
    let exclude = Settings {
        credit_notes: CreditNotes::Exclude,
        ..Settings::default()
    };
    check(
        credit,
        vec![],
        &exclude,
        expect![[r#"
        excluded credit_notes -: A credit note (rule: credit_notes = exclude).
    "#]],
    );
    let debit = json!({"Customer":"000000000000001","Invoice":"00000000000000000014","DocumentType":"D","InvoiceDate":null,"CurrencyValue":"99.90","InvoiceBal1":0,"PostCurrency":"","TermsCode":" ","SalesOrder":null});
    check(
        debit,
        goods(),
        &Settings::default(),
        expect![[r#"
        Invoice EDU1/000000000000001/00000000000000000014/D
          hs_amount_billed = 99.9
          hs_currency = USD
          hs_number = 14
          syspro_balance_due = 0
          syspro_customer_number = 1
          syspro_document_type = debit note
          syspro_invoice_number = 14
          syspro_key = EDU1/000000000000001/00000000000000000014/D
          syspro_net = 1500
          syspro_status = paid
          syspro_tax = -1400.1
          syspro_total = 99.9
          on create hs_invoice_billable = false
          on create hs_invoice_payment_collection_method = none
        LineItem EDU1/000000000000001/00000000000000000014/D/2024-1-55-1-1
          hs_line_item_currency_code = USD
          hs_sku = A100
          name = Mountain bike frame
          price = 150
          quantity = 10
          syspro_key = EDU1/000000000000001/00000000000000000014/D/2024-1-55-1-1
        customer Some("EDU1/000000000000001") status Some("paid") due None lines complete true
        warning no_invoice_date InvoiceDate: The invoice has no date in SYSPRO; HubSpot shows the day it was created there.
    "#]],
    );
}

#[test]
fn an_invoice_without_detail_gets_one_line() {
    let mut bare = record(&INVOICES, invoice(json!({})), vec![]);
    let map = |record: &Record| shown(&map_with(&INVOICES, record, &Settings::default()));
    expect![[r#"
        ask again lines_missing -: SYSPRO's answer held no detail lines for this invoice; it is asked again.
    "#]].assert_eq(&map(&bare));
    bare.lack = Lack::NoneThere;
    expect![[r#"
        Invoice EDU1/000000000000001/00000000000000100288/I
          hs_amount_billed = 1500
          hs_currency = USD
          hs_due_date = 2024-03-01T17:00:00Z
          hs_invoice_date = 2024-01-31T17:00:00Z
          hs_number = 100288
          syspro_balance_due = 500
          syspro_customer_number = 1
          syspro_document_type = invoice
          syspro_due_date = 2024-03-01
          syspro_invoice_date = 2024-01-31
          syspro_invoice_number = 100288
          syspro_key = EDU1/000000000000001/00000000000000100288/I
          syspro_status = part paid
          syspro_terms = 1
          syspro_terms_description = 30 days
          syspro_total = 1500
          on create hs_invoice_billable = false
          on create hs_invoice_payment_collection_method = none
        LineItem EDU1/000000000000001/00000000000000100288/I/TOTAL
          hs_line_item_currency_code = USD
          name = Invoice total
          price = 1500
          quantity = 1
          syspro_key = EDU1/000000000000001/00000000000000100288/I/TOTAL
        customer Some("EDU1/000000000000001") status Some("open") due Some(2024-03-01) lines complete true
    "#]].assert_eq(&map(&bare));
    assert!(needs_lines(&bare.header));
    assert!(!needs_lines(&row(invoice(json!({ "CurrencyValue": 0 })))));
    assert!(!needs_lines(&row(invoice(json!({ "DocumentType": "C" })))));
}

#[test]
fn what_is_no_invoice_is_excluded() {
    check(
        invoice(json!({ "DocumentType": "X" })),
        vec![],
        &Settings::default(),
        expect![[r#"
            excluded document_type DocumentType: document type X
        "#]],
    );
}

#[test]
fn status_follows_balance_and_calendar() {
    let status = |changes: Value| {
        header(
            changes,
            &Settings::default(),
            &["syspro_balance_due", "syspro_due_date", "syspro_status"],
        )
    };
    expect![[r#"1500 2024-03-01 open status Some("open")"#]]
        .assert_eq(&status(json!({ "InvoiceBal1": 1500 })));
    expect![[r#"500 2024-03-01 part paid status Some("open")"#]]
        .assert_eq(&status(json!({ "InvoiceBal1": "500.00" })));
    expect![[r#"0 2024-03-01 paid status Some("paid")"#]]
        .assert_eq(&status(json!({ "InvoiceBal1": 0.00 })));
    expect![[r#"-20 2024-03-01 paid status Some("paid")"#]]
        .assert_eq(&status(json!({ "InvoiceBal1": -20 })));
    expect![[r#"500 2024-02-15 part paid status Some("open")"#]]
        .assert_eq(&status(json!({ "InvoiceDate": "2024-01-16" })));
    expect![[r#"500 2024-02-14 overdue status Some("open")"#]]
        .assert_eq(&status(json!({ "InvoiceDate": "2024-01-15" })));
    expect![[r#"
        failing unreadable_value InvoiceBal1: SYSPRO's InvoiceBal1 holds something that is not a number.
    "#]].assert_eq(&status(json!({ "InvoiceBal1": null })));
    expect![[r#"
        failing unreadable_value InvoiceBal1: SYSPRO's InvoiceBal1 holds something that is not a number.
    "#]].assert_eq(&status(json!({ "InvoiceBal1": "1e30" })));
}

#[test]
fn unknown_terms_are_assumed_and_said() {
    let record = record(&INVOICES, invoice(json!({ "TermsCode": "ZZ" })), goods());
    let Outcome::Send(payload) = map_with(&INVOICES, &record, &Settings::default()) else {
        panic!("not sent");
    };
    assert_eq!(payload.warnings[0].code, "unknown_terms");
    assert_eq!(
        payload.objects[0]
            .properties
            .get("syspro_due_date")
            .map(String::as_str),
        Some("2024-03-01")
    );
}

#[test]
fn foreign_money() {
    let names = [
        "hs_currency",
        "syspro_total",
        "syspro_net",
        "syspro_balance_due",
        "syspro_status",
        "syspro_original_currency",
        "syspro_original_total",
    ];
    let money = |currency: &str, settings: &Settings, changes: Value| {
        let mut all = json!({ "PostCurrency": currency, "ConvRate": "1.25", "MulDiv": "M",
            "InvoiceBal1": 1500 });
        if let (Value::Object(all), Value::Object(changes)) = (&mut all, changes) {
            all.extend(changes);
        }
        header(all, settings, &names)
    };
    let mut settings = Settings::default();
    expect![[r#"EUR 1500 1200 1500 open   status Some("open")"#]].assert_eq(&money(
        "EUR",
        &settings,
        json!({}),
    ));
    expect![[r#"
        failing unknown_currency PostCurrency: SYSPRO's currency code CDN is not an ISO 4217 code.
    "#]]
    .assert_eq(&money("CDN", &settings, json!({})));
    expect![[r#"
        failing currency_not_in_portal PostCurrency: The HubSpot portal does not use the currency GBP.
    "#]].assert_eq(&money("GBP", &settings, json!({})));
    settings.currencies = SortedMap::from([("EU".to_owned(), "EUR".to_owned())]);
    expect![[r#"EUR 1500 1200 1500 open   status Some("open")"#]].assert_eq(&money(
        "EU ",
        &settings,
        json!({}),
    ));
    settings.invoice_balance_currency = BalanceCurrency::Local;
    expect![[r#"EUR 1500 1200 1500 open   status Some("open")"#]].assert_eq(&money(
        "EUR",
        &settings,
        json!({ "InvoiceBal1": 1875 }),
    ));
    expect![[r#"
        failing no_exchange_rate ConvRate: The invoice is in a foreign currency and has no exchange rate.
    "#]].assert_eq(&money("EUR", &settings, json!({ "ConvRate": 0 })));
    settings.foreign_currency = ForeignCurrency::Local;
    expect![[r#"USD 1875 1500 1875 open GBP 1500 status Some("open")"#]].assert_eq(&money(
        "GBP",
        &settings,
        json!({ "InvoiceBal1": 1875 }),
    ));
    settings.invoice_balance_currency = BalanceCurrency::Posting;
    expect![[r#"USD 1875 1500 1875 open GBP 1500 status Some("open")"#]].assert_eq(&money(
        "GBP",
        &settings,
        json!({}),
    ));
    expect![[r#"USD 1200 1500 1200 open GBP 1500 status Some("open")"#]].assert_eq(&money(
        "GBP",
        &settings,
        json!({ "MulDiv": "D" }),
    ));
    expect![[r#"
        failing no_exchange_rate ConvRate: The invoice is in a foreign currency and has no exchange rate.
    "#]].assert_eq(&money("GBP", &settings, json!({ "ConvRate": null })));
}

#[test]
fn a_price_multiplies_out_or_the_total_stands_beside_it() {
    let price = |value: &str, quantity: &str| {
        let number = |text: &str| text.parse::<Decimal>().expect("a number");
        let priced = super::super::money::price(number(value), number(quantity));
        let total = number_or_dash(priced.total);
        format!("{} × {} {total}", priced.quantity, priced.price)
    };
    expect!["10.000000 × 150 -"].assert_eq(&price("1500.00", "10.000000"));
    expect!["8 × 0.15625 -"].assert_eq(&price("1.25", "8"));
    expect!["3 × 33.333333 100"].assert_eq(&price("100", "3"));
    expect!["1000000 × 0.000000 0.01"].assert_eq(&price("0.01", "1000000"));
    expect!["3000000 × 0.000000 0.01"].assert_eq(&price("0.01", "3000000"));
    expect!["1 × 35.50 -"].assert_eq(&price("35.50", "0"));
    expect!["1 × 35.50 -"].assert_eq(&price("35.50", "-2"));
    expect!["2 × 0 -35.50"].assert_eq(&price("-35.50", "-2"));
    expect!["1 × 0 -10"].assert_eq(&price("-10", "0"));
    expect!["5 × 0 -"].assert_eq(&price("0", "5"));
    expect!["0.0000000001 × 99999999999990000000000 -"]
        .assert_eq(&price("9999999999999", "0.0000000001"));
}

fn number_or_dash(value: Option<Decimal>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[test]
fn a_vanished_invoice_was_paid_or_consolidated() {
    let gone = |key: &str, balance_type: &str| {
        let payload = gone(key, balance_type, "syspro_");
        shown(&Outcome::Send(Box::new(payload)))
    };
    expect![[r#"
        Invoice EDU1/1/100288/I
          syspro_balance_due = 0
          syspro_key = EDU1/1/100288/I
          syspro_status = paid
        customer None status Some("paid") due None lines complete false
    "#]]
    .assert_eq(&gone("EDU1/1/100288/I", "I"));
    expect![[r#"
        Invoice EDU1/1/100288/I
          syspro_balance_due = 0
          syspro_key = EDU1/1/100288/I
          syspro_status = consolidated
        customer None status Some("paid") due None lines complete false
    "#]]
    .assert_eq(&gone("EDU1/1/100288/I", "B"));
    expect![[r#"
        Invoice EDU1/1/14/C
          syspro_balance_due = 0
          syspro_key = EDU1/1/14/C
          syspro_status = paid
        customer None status None due None lines complete false
    "#]]
    .assert_eq(&gone("EDU1/1/14/C", "I"));
}

#[test]
fn lines_find_their_invoice() {
    let header = |customer: &str, kind: &str| {
        row(json!({ "Customer": customer, "Invoice": "17", "DocumentType": kind }))
    };
    let line = |customer: &str, kind: &str, at: u32| {
        row(
            json!({ "Customer": customer, "Invoice": "17   ", "DocumentType": kind,
            "TrnYear": 2024, "TrnMonth": 1, "Register": 1, "SummaryLine": 1, "DetailLine": at }),
        )
    };
    let headers = [
        header("A", "I"),
        header("B", "I"),
        header("A", "C"),
        header("A", "D"),
    ];
    let lines = vec![
        line("A", "I", 10),
        line("A", "I", 9),
        line("B", "I", 1),
        line("SUB", "C", 2),
        line("SUB", "I", 3),
    ];
    let joined = join(&headers, lines);
    let numbers = |lines: &Vec<Row>| {
        let number = |line: &Row| line.text("DetailLine");
        lines.iter().map(number).collect::<Vec<_>>().join(" ")
    };
    let joined: Vec<_> = joined.iter().map(numbers).collect();
    expect![[r#"
        [
            "9 10",
            "1",
            "2",
            "",
        ]
    "#]]
    .assert_debug_eq(&joined);
}

#[test]
fn what_the_polls_ask() {
    let settings = Settings::default();
    let today = NaiveDate::from_ymd_opt(2024, 2, 15).expect("a day");
    expect![[r#"
        Some(
            Any(
                [
                    Compare(
                        "InvoiceDate",
                        Ge,
                        Date(
                            2023-01-11,
                        ),
                    ),
                    Compare(
                        "InvoiceBal1",
                        Ne,
                        Integer(
                            0,
                        ),
                    ),
                    Compare(
                        "InvoiceDate",
                        Eq,
                        Null,
                    ),
                ],
            ),
        )
    "#]]
    .assert_debug_eq(&(INVOICES.sweep)(&settings, today));
    let mark = |balance: Value| open_mark(&row(json!({ "InvoiceBal1": balance })));
    assert_eq!(mark(json!("500.00")), mark(json!(500)));
    assert_eq!(mark(json!(-250.5)).as_deref(), Some("-250.5"));
    for paid in [json!(0), json!("0.00"), Value::Null] {
        assert_eq!(mark(paid), None);
    }
    let period = json!({ "InvoiceYear": 2024, "InvoiceMonth": "1", "Invoice": "0017 " });
    expect![[r#"
        Some(
            [
                (
                    "TrnYear",
                    Integer(
                        2024,
                    ),
                ),
                (
                    "TrnMonth",
                    Integer(
                        1,
                    ),
                ),
                (
                    "Invoice",
                    Text(
                        "0017 ",
                    ),
                ),
            ],
        )
    "#]]
    .assert_debug_eq(&lines_filter_key(&row(period)));
    expect![[r#"
        Some(
            [
                (
                    "Invoice",
                    Text(
                        "0017 ",
                    ),
                ),
            ],
        )
    "#]]
    .assert_debug_eq(&lines_filter_key(&row(json!({ "Invoice": "0017 " }))));
    assert_eq!(lines_filter_key(&row(json!({ "Invoice": null }))), None);
    let codes: Vec<_> = goods().into_iter().chain(goods()).map(row).collect();
    expect![[r#"
        [
            Text(
                "A100   ",
            ),
        ]
    "#]]
    .assert_debug_eq(&stock_codes(&codes));
}
