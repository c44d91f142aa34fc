//! What an invoice's header says and which lines are its own, straight from SYSPRO's tables.

use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use simulators::data::{Distributor, Row};

use super::expected::Wanted;

/// How an invoice's money is read: its ISO code and the line column in it.
pub struct Money {
    pub iso: &'static str,
    pub line_column: &'static str,
}

impl Money {
    /// Nothing for a currency that means nothing to HubSpot.
    pub fn of(row: &Row<'_>) -> Option<Money> {
        match row.text("PostCurrency").trim_end() {
            "" | "$" | "USD" => Some(Money {
                iso: "USD",
                line_column: "NetSalesValue",
            }),
            "EUR" => Some(Money {
                iso: "EUR",
                line_column: "PostValue",
            }),
            _ => None,
        }
    }
}

/// The lines of an invoice, comments aside: those of its own customer, else (a sub-account bought)
/// those of the same number and document type.
pub fn details<'a>(data: &'a Distributor, header: &Row<'_>) -> Vec<Row<'a>> {
    let same = |line: &Row<'_>, column: &str| {
        line.text(column).trim_end() == header.text(column).trim_end()
    };
    let all = data
        .table("ArTrnDetail")
        .rows()
        .filter(|line| same(line, "Invoice") && same(line, "DocumentType"));
    let all: Vec<Row<'_>> = all.collect();
    let own: Vec<_> = all.iter().filter(|line| same(line, "Customer")).collect();
    let chosen = match own.is_empty() {
        true => all.iter().collect(),
        false => own,
    };
    chosen
        .into_iter()
        .filter(|line| line.text("LineType") != "6")
        .copied()
        .collect()
}

pub fn header(
    data: &Distributor,
    row: &Row<'_>,
    today: NaiveDate,
    money: &Money,
    lines: &[(String, Decimal)],
) -> Wanted {
    let credit = row.text("DocumentType") == "C";
    let (total, balance) = (row.decimal("CurrencyValue"), row.decimal("InvoiceBal1"));
    let due = due(data, row).filter(|_| !credit);
    let status = if balance.is_zero() || (balance > Decimal::ZERO) == credit {
        "paid"
    } else if due.is_some_and(|due| due < today) {
        "overdue"
    } else if balance.abs() < total.abs() {
        "part paid"
    } else {
        "open"
    };
    let hubspot = match status {
        _ if credit => "draft",
        "paid" => "paid",
        _ => "open",
    };
    let mut wanted = Wanted::default();
    let all = &mut wanted.properties;
    all.insert("syspro_total", total.to_string());
    all.insert("syspro_balance_due", balance.to_string());
    all.insert("syspro_status", status.to_owned());
    all.insert("hs_invoice_status", hubspot.to_owned());
    all.insert("hs_currency", money.iso.to_owned());
    all.insert(
        "syspro_due_date",
        due.map_or(String::new(), |day| day.to_string()),
    );
    if !lines.is_empty() && !lines[0].0.ends_with("/TOTAL") {
        let net: Decimal = lines.iter().map(|(_, value)| value).sum();
        let portion = row.decimal("TaxPortion");
        let tax = if portion.is_zero() {
            total - net
        } else {
            portion
        };
        all.insert("syspro_net", net.to_string());
        all.insert("syspro_tax", tax.to_string());
    }
    if let Some(day) = row.date("InvoiceDate") {
        all.insert("syspro_invoice_date", day.to_string());
        let due = due.unwrap_or(day);
        all.insert("hs_invoice_date", format!("{day}T17:00:00Z"));
        all.insert("hs_due_date", format!("{due}T17:00:00Z"));
    }
    wanted
}

/// By the rule of the invoice's terms.
fn due(data: &Distributor, row: &Row<'_>) -> Option<NaiveDate> {
    let invoiced = row.date("InvoiceDate")?;
    let terms = data.table("TblArTerms").row(&[row.text("TermsCode")]);
    let Some(terms) = terms else {
        return Some(invoiced + Days::new(30));
    };
    let number = |column: &str| u32::try_from(terms.decimal(column)).expect("a count");
    match terms.text("InvoiceOption").trim_end() {
        "N" => Some(invoiced + Days::new(u64::from(number("DueDays")))),
        "D" => {
            let day = number("InvDayOfMonth");
            let later = number("InvMonths") + u32::from(invoiced.day() > day);
            (invoiced + Months::new(later)).with_day(day)
        }
        _ => terms.date("InvDate"),
    }
}
