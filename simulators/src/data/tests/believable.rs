//! That the company a seed makes could be somebody's.

use std::collections::BTreeSet;

use super::*;

#[test]
fn the_books_of_a_believable_company_balance() {
    let company = company();
    assert_documents_add_up(&company);
    assert_balances_add_up(&company);
}

#[test]
fn a_seed_makes_one_company_and_another_seed_another() {
    let dump = |company: &Distributor| -> Vec<Vec<Value>> {
        let rows = company.tables().iter().flat_map(Table::rows);
        rows.map(|row| row.values.to_vec()).collect()
    };
    assert!(dump(&company()) == dump(&company()));
    let other = Distributor::believable(8, 300, 1_500, day("2026-11-20"));
    assert!(dump(&other) != dump(&company()));
}

/// What a row may have that makes it hard, and how to tell.
type Trait = (&'static str, fn(&Row) -> bool);

fn assert_some(rows: &[Row], traits: &[Trait]) {
    for (name, has) in traits {
        assert!(rows.iter().any(has), "no {name}");
    }
}

#[test]
fn customers_are_as_hard_as_real_ones() {
    let company = company();
    let rows: Vec<_> = company.table("ArCustomer").rows().collect();
    assert_some(
        &rows,
        &[
            ("numbered key", |row| {
                row.text("Customer") == "000000000000001"
            }),
            ("lettered key", |row| {
                row.text("Customer").len() == 15 && row.text("Customer").ends_with(' ')
            }),
            ("quoted key", |row| row.text("Customer").contains('\'')),
            ("local sign padded", |row| row.text("Currency") == "$  "),
            ("blank currency", |row| row.text("Currency") == "   "),
            ("foreign currency", |row| row.text("Currency") == "EUR"),
            ("blank e-mail", |row| row.text("Email") == " "),
            ("several e-mails", |row| row.text("Email").contains(';')),
            ("junk e-mail", |row| row.text("Email") == "n/a"),
            ("letters beyond ASCII", |row| row.text("Name").contains('é')),
            ("smart quotes", |row| row.text("Name").contains('“')),
            ("hold", |row| row.text("CustomerOnHold") == "Y"),
            ("balance forward", |row| row.text("BalanceType") == "B"),
            ("sub-account", |row| row.text("MasterAccount") != " "),
            ("unknown day of addition", |row| {
                row.date("DateCustAdded").is_none()
            }),
            ("never sold to", |row| row.date("DateLastSale").is_none()),
        ],
    );
    let mut emails = BTreeSet::new();
    let mut written = rows
        .iter()
        .map(|row| row.text("Email"))
        .filter(|email| email.len() > 1);
    assert!(
        written.any(|email| !emails.insert(email)),
        "no shared e-mail"
    );
}

#[test]
fn documents_are_as_hard_as_real_ones() {
    let company = company();
    let headers: Vec<_> = company.table("ArInvoice").rows().collect();
    assert_some(
        &headers,
        &[
            ("padded number", |row| {
                row.text("Invoice") == "00000000000000100002"
            }),
            ("lettered number", |row| {
                row.text("Invoice").starts_with("W-")
            }),
            ("unmapped currency", |row| row.text("PostCurrency") == "STG"),
            ("divided rate", |row| row.text("MulDiv") == "D"),
            ("missing date", |row| row.date("InvoiceDate").is_none()),
            ("future date", |row| {
                row.date("InvoiceDate") > Some(day("2026-11-20"))
            }),
            ("credit note", |row| {
                row.decimal("CurrencyValue") < Decimal::ZERO
            }),
            ("debit note", |row| row.text("DocumentType") == "D"),
            ("paid one", |row| row.decimal("InvoiceBal1").is_zero()),
            ("part paid one", |row| {
                let (open, value) = (row.decimal("InvoiceBal1"), row.decimal("CurrencyValue"));
                open > Decimal::ZERO && open < value
            }),
        ],
    );
    let lines: Vec<_> = company.table("ArTrnDetail").rows().collect();
    assert_some(
        &lines,
        &[
            ("freight", |row| {
                row.text("LineType") == "4" && row.text("StockCode") == " "
            }),
            ("miscellaneous charge", |row| row.text("LineType") == "5"),
            ("comment", |row| {
                row.text("LineType") == "6" && row.decimal("NetSalesValue").is_zero()
            }),
            ("stock nobody keeps", |row| row.text("LineType") == "7"),
            ("negative line", |row| {
                row.text("DocumentType") == "I" && row.decimal("NetSalesValue") < Decimal::ZERO
            }),
        ],
    );
}

#[test]
fn some_lines_carry_the_sub_account_and_some_headers_have_none() {
    let company = company();
    let lines = company.table("ArTrnDetail").rows();
    let billed: BTreeMap<_, _> = lines
        .map(|line| {
            (
                (line.text("Invoice"), line.text("DocumentType")),
                line.text("Customer"),
            )
        })
        .collect();
    let (mut others, mut bare) = (0, 0);
    for header in company.table("ArInvoice").rows() {
        match billed.get(&(header.text("Invoice"), header.text("DocumentType"))) {
            Some(customer) if *customer != header.text("Customer") => others += 1,
            Some(_) => {}
            None => bare += 1,
        }
    }
    assert!(others > 0 && bare > 0, "{others} {bare}");
}
