//! What the polls of `ArInvoice` ask for.

use chrono::NaiveDate;

use crate::{
    connection::Settings,
    feeds::horizon,
    syspro::{
        Row,
        odata::{Filter, Literal, Op},
    },
};

/// All that the poll of open invoices reads.
pub const OPEN_COLUMNS: &[&str] = &["Customer", "Invoice", "DocumentType", "InvoiceBal1"];

pub fn open_filter() -> Filter {
    Filter::compare("InvoiceBal1", Op::Ne, Literal::Integer(0))
}

/// What an open invoice is compared by; nothing once it is paid.
pub fn open_mark(row: &Row) -> Option<String> {
    let mark = row.canonical("InvoiceBal1");
    (!mark.is_empty() && mark != "0").then_some(mark)
}

/// Invoices within the history, open ones of any age, and those without a date.
pub fn sweep(settings: &Settings, today: NaiveDate) -> Option<Filter> {
    let since = Literal::Date(horizon(settings, today));
    Some(Filter::Any(vec![
        Filter::compare("InvoiceDate", Op::Ge, since),
        open_filter(),
        Filter::compare("InvoiceDate", Op::Eq, Literal::Null),
    ]))
}
