//! What the tables hold after each operation.

mod believable;

use std::collections::BTreeMap;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn company() -> Distributor {
    Distributor::believable(7, 300, 1_500, day("2026-11-20"))
}

fn cents(text: &str) -> Decimal {
    text.parse().expect("a number")
}

const BUCKETS: [&str; 7] = [
    "ValFutureInv",
    "ValCurrentInv",
    "Val30daysInv",
    "Val60daysInv",
    "Val90daysInv",
    "Val120daysInv",
    "ValCreditsInv",
];

fn owed(company: &Distributor, customer: &str) -> Decimal {
    let row = company.table("ArCustomerBal").row(&[customer]);
    let row = row.expect("balances");
    BUCKETS.iter().map(|bucket| row.decimal(bucket)).sum()
}

/// What the open documents of a customer come to in local money.
fn open(company: &Distributor, customer: &str) -> Decimal {
    let rows = company.table("ArInvoice").rows_of(customer);
    rows.map(|row| {
        to_local(
            row.decimal("InvoiceBal1"),
            row.decimal("ConvRate"),
            row.text("MulDiv"),
        )
    })
    .sum()
}

/// Lines plus tax make the header's value, in the currency it is billed in.
fn assert_documents_add_up(company: &Distributor) {
    let mut lines: BTreeMap<(&str, &str), (Decimal, Decimal, Decimal)> = BTreeMap::new();
    for line in company.table("ArTrnDetail").rows() {
        let sums = lines
            .entry((line.text("Invoice"), line.text("DocumentType")))
            .or_default();
        sums.0 += line.decimal("NetSalesValue");
        sums.1 += line.decimal("PostValue");
        sums.2 += line.decimal("TaxValue");
    }
    let mut checked = 0;
    for header in company.table("ArInvoice").rows() {
        let key = (header.text("Invoice"), header.text("DocumentType"));
        let Some((net, posted, tax)) = lines.get(&key) else {
            continue;
        };
        let local = matches!(header.text("PostCurrency").trim(), "" | "$");
        if local {
            assert_eq!(header.decimal("TaxPortion"), *tax, "{key:?}");
        }
        let net = if local { net } else { posted };
        assert_eq!(
            net + header.decimal("TaxPortion"),
            header.decimal("CurrencyValue"),
            "{key:?}"
        );
        checked += 1;
    }
    assert!(
        checked * 100 > company.table("ArInvoice").len() * 90,
        "{checked} checked"
    );
}

/// The buckets of every customer make what is open, in local money.
fn assert_balances_add_up(company: &Distributor) {
    for customer in company.table("ArCustomer").rows() {
        let key = customer.text("Customer");
        let before = company.forward.get(key).copied().unwrap_or_default();
        assert_eq!(owed(company, key), open(company, key) + before, "{key}");
    }
}

fn one_invoice() -> (Distributor, InvoiceKey) {
    let mut company = Distributor::empty();
    let customer = company.add_customer(NewCustomer {
        currency: "EUR".to_owned(),
        ..NewCustomer::default()
    });
    let lines = vec![
        NewLine::stocked("A100", Decimal::from(2), cents("100.00"), cents("8.25")),
        NewLine::charge('4', cents("10.00")),
    ];
    let key = company.post_invoice(NewInvoice::of(&customer, day("2026-11-01"), lines));
    (company, key)
}

#[test]
fn a_payment_moves_balances_and_no_invoice_date() {
    let (mut company, key) = one_invoice();
    let stamp = company
        .table("ArInvoice")
        .row(&key.parts())
        .and_then(|row| row.stamp());
    company.pay(&key, cents("18.25"), day("2026-12-05"));
    let row = company
        .table("ArInvoice")
        .row(&key.parts())
        .expect("the invoice");
    assert_eq!(row.decimal("CurrencyValue"), cents("118.25"));
    assert_eq!(row.decimal("InvoiceBal1"), cents("100.00"));
    assert_eq!(row.date("InvoiceDate"), Some(day("2026-11-01")));
    assert!(row.stamp() > stamp);
    let balances = company
        .table("ArCustomerBal")
        .row(&[&key.customer])
        .expect("balances");
    assert_eq!(balances.decimal("Val30daysInv"), cents("108.50"));
    assert_eq!(owed(&company, &key.customer), cents("108.50"));
    let customer = company
        .table("ArCustomer")
        .row(&[&key.customer])
        .expect("customer");
    assert_eq!(customer.date("DateLastPay"), Some(day("2026-12-05")));
    assert_eq!(customer.date("DateLastSale"), Some(day("2026-11-01")));
}

#[test]
fn a_credit_note_is_stored_negative_beside_an_invoice_of_its_number() {
    let (mut company, invoice) = one_invoice();
    let lines = vec![NewLine::stocked(
        "A100",
        Decimal::ONE,
        cents("50.00"),
        Decimal::ZERO,
    )];
    let credit = company.post_invoice(NewInvoice {
        document_type: "C".to_owned(),
        ..NewInvoice::of(&invoice.customer, day("2026-11-01"), lines)
    });
    assert_eq!(
        (&credit.invoice, &*credit.document_type),
        (&invoice.invoice, "C")
    );
    let row = company
        .table("ArInvoice")
        .row(&credit.parts())
        .expect("the credit");
    assert_eq!(row.decimal("InvoiceBal1"), cents("-50.00"));
    assert_eq!(company.table("ArTrnDetail").len(), 3);
    let balances = company
        .table("ArCustomerBal")
        .row(&[&invoice.customer])
        .expect("balances");
    assert_eq!(balances.decimal("ValCreditsInv"), cents("-54.25"));
    assert_documents_add_up(&company);
}

#[test]
fn a_purge_leaves_the_lines_and_what_balance_forward_customers_owe() {
    let (mut company, key) = one_invoice();
    assert!(company.purge(&key));
    assert!(!company.purge(&key));
    assert_eq!(owed(&company, &key.customer), Decimal::ZERO);
    assert_eq!(company.table("ArTrnDetail").len(), 2);

    let (mut company, key) = one_invoice();
    company.edit_customer(&key.customer, "BalanceType", "B");
    let before = owed(&company, &key.customer);
    assert!(company.purge(&key));
    assert_eq!(owed(&company, &key.customer), before);
}

#[test]
fn an_edit_moves_the_rowversion_alone() {
    let (mut company, key) = one_invoice();
    let before = company.clone();
    assert!(company.edit_customer(&key.customer, "Email", "new@x.example"));
    let (was, is) = (before.table("ArCustomer"), company.table("ArCustomer"));
    let (was, is) = (
        was.row(&[&key.customer]).expect("was"),
        is.row(&[&key.customer]).expect("is"),
    );
    let columns = company.table("ArCustomer").columns().iter();
    let moved: Vec<_> = columns
        .filter(|column| was.get(column.name) != is.get(column.name))
        .map(|column| column.name)
        .collect();
    assert_eq!(moved, ["Email", "TimeStamp"]);
}

#[test]
fn a_day_brings_some_of_everything_and_the_books_still_balance() {
    let mut company = company();
    let lines = company.a_day(&mut fastrand::Rng::with_seed(3), day("2026-11-21"));
    for what in [
        "new invoice",
        "back-dated",
        "full payment",
        "part payment",
        "credit note",
        "corrected",
        "on hold",
        "new customer",
        "purged",
    ] {
        assert!(
            lines.iter().any(|line| line.contains(what)),
            "{what}: {lines:#?}"
        );
    }
    assert_documents_add_up(&company);
    assert_balances_add_up(&company);
}

#[test]
fn keys_are_padded_by_what_they_are_made_of() {
    for (key, width, stored) in [
        ("100288", 8, "00100288"),
        ("BAY001", 8, "BAY001  "),
        ("", 2, "  "),
        ("12345678", 4, "12345678"),
    ] {
        assert_eq!(padded(key, width), stored);
    }
}
