//! Invoices: an `ArInvoice` row with its `ArTrnDetail` rows becomes an invoice with line items.
//!
//! HubSpot takes no negative price, so a credit note is a draft without lines whose amounts stand
//! in our own properties alone.

mod dates;
mod lines;
mod polls;
mod vanished;

use rust_decimal::Decimal;

use super::{
    Beside, Context, Feed, Lack, Object, Outcome, Payload, Record, customers,
    fields::{Fields, day, number, readable},
    money::Money,
    rules,
};
use crate::{
    connection::{CreditNotes, Settings},
    fault::Reason,
    hubspot::Kind,
    syspro::{Bad, Row},
};

use dates::Dates;

pub use lines::{
    LINE_COLUMNS, LINE_NUMBER, LINES_KEY, LINES_TABLE, ONLY_TOTAL, TOTAL_NAME, join,
    lines_filter_key, stock_codes,
};
pub use polls::{OPEN_COLUMNS, open_filter, open_mark};
pub use vanished::{gone, settled_over};

pub const INVOICES: Feed = Feed {
    name: "invoices",
    table: "ArInvoice",
    key: &["Customer", "Invoice", "DocumentType"],
    page: 500,
    date_columns: &["InvoiceDate"],
    beside: Beside::Lines,
    columns: |_| super::own(COLUMNS),
    sweep: polls::sweep,
    map,
};

const COLUMNS: &[&str] = &[
    "Customer",
    "Invoice",
    "DocumentType",
    "InvoiceDate",
    "InvoiceYear",
    "InvoiceMonth",
    "SalesOrder",
    "CustomerPoNumber",
    "Branch",
    "Salesperson",
    "TermsCode",
    "CurrencyValue",
    "InvoiceBal1",
    "TaxPortion",
    "PostCurrency",
    "ConvRate",
    "MulDiv",
];

/// The code of the reason for which an invoice without lines waits.
pub const LINES_MISSING: &str = "lines_missing";

/// What `syspro_status` says.
pub const STATUS: [&str; 5] = ["open", "part paid", "overdue", "paid", "consolidated"];

/// What `syspro_document_type` says.
pub const DOCUMENT_TYPES: [&str; 3] = ["invoice", "credit note", "debit note"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Document {
    Invoice,
    Credit,
    Debit,
}

/// The amounts as HubSpot gets them.
struct Amounts {
    total: Decimal,
    net: Option<Decimal>,
    tax: Option<Decimal>,
    balance: Decimal,
    status: &'static str,
}

impl Document {
    fn of(code: &str) -> Option<Self> {
        match code {
            "I" => Some(Document::Invoice),
            "C" => Some(Document::Credit),
            "D" => Some(Document::Debit),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Document::Invoice => "invoice",
            Document::Credit => "credit note",
            Document::Debit => "debit note",
        }
    }
}

fn map(record: &Record, context: &Context) -> Outcome {
    let code = record.header.text("DocumentType");
    let Some(document) = Document::of(&code) else {
        return Outcome::Excluded(other_document(&code), None);
    };
    if let Some(rule) = left_out(record, document, context.settings) {
        let last = record
            .may_be_there()
            .then(|| last(record, document, context, &rule));
        return Outcome::Excluded(rule, last);
    }
    if record.lack == Lack::AskAgain {
        if lacks_lines(record) {
            return Outcome::AskAgain(lines_missing());
        }
        if record.relined && !lines::add_up(record, context) {
            return Outcome::AskAgain(lines_short());
        }
    }
    match payload(record, document, context) {
        Ok(payload) => Outcome::Send(Box::new(payload)),
        Err(reason) => Outcome::Failing(reason),
    }
}

fn left_out(record: &Record, document: Document, settings: &Settings) -> Option<Reason> {
    if document == Document::Credit && settings.credit_notes == CreditNotes::Exclude {
        return Some(no_credit_notes());
    }
    rules::against_invoice(&record.header, &settings.exclude)
}

/// What can be read of balance and status: a last word is not worth failing for.
fn last(record: &Record, document: Document, context: &Context, rule: &Reason) -> Box<Payload> {
    let mut fields = Fields::new(context.prefix);
    let amounts = || {
        let money = Money::of(&record.header, context)?;
        let dates = Dates::of(&record.header, document, context, &mut Vec::new())?;
        let total = money.send(required(&record.header, "CurrencyValue")?);
        amounts(record, document, &money, total, &dates, context)
    };
    if let Ok(amounts) = amounts() {
        fields.own("balance_due", number(Some(amounts.balance)));
        fields.own("status", amounts.status);
    }
    rules::last(Kind::Invoice, record, fields, rule)
}

/// Whether the answer held none of the lines it needs.
pub fn lacks_lines(record: &Record) -> bool {
    record.beside.is_empty() && needs_lines(&record.header)
}

/// Whether this row goes nowhere without its `ArTrnDetail` rows.
fn needs_lines(header: &Row) -> bool {
    let document = Document::of(&header.text("DocumentType"));
    let has_value = !matches!(header.decimal("CurrencyValue"), Ok(Some(value)) if value.is_zero());
    document.is_some_and(|document| document != Document::Credit) && has_value
}

fn lines_missing() -> Reason {
    Reason::new(
        LINES_MISSING,
        "SYSPRO's answer held no detail lines for this invoice; it is asked again.",
        "If it stays so, check that the OData operator may read ArTrnDetail.",
    )
}

/// An answer that ended early: what it left out would be taken out of HubSpot.
fn lines_short() -> Reason {
    Reason::new(
        LINES_MISSING,
        "This invoice's detail lines changed and do not add up to its total; they are asked for again.",
        "Nothing, if it does not stay so: the second answer is taken as it is.",
    )
}

fn lines_gone() -> Reason {
    Reason::new(
        "lines_gone",
        "SYSPRO no longer gives this invoice's detail lines; HubSpot keeps those it has.",
        "Check that the OData operator may read ArTrnDetail, if the lines are not purged.",
    )
}

fn payload(record: &Record, document: Document, context: &Context) -> Result<Payload, Reason> {
    let row = &record.header;
    let keep_lines = lacks_lines(record) && record.lack == Lack::KeepThem;
    let money = Money::of(row, context)?;
    let mut warnings = Vec::new();
    let dates = Dates::of(row, document, context, &mut warnings)?;
    let total = money.send(required(row, "CurrencyValue")?);
    let lines = match document {
        Document::Credit => Vec::new(),
        _ if keep_lines => Vec::new(),
        _ if record.beside.is_empty() => lines::only_total(record, context, &money, total),
        _ => lines::objects(record, context, &money)?,
    };
    let amounts = amounts(record, document, &money, total, &dates, context)?;
    let is_open = matches!(amounts.status, "open" | "part paid");
    let mut header = header(record, document, context, &money, &amounts, &dates);
    if keep_lines {
        // What was summed from the lines stays as well.
        header.properties.retain(|_, value| !value.is_empty());
        warnings.push(lines_gone());
    }
    let mut objects = vec![header];
    objects.extend(lines);
    let status = if amounts.status == "paid" {
        "paid"
    } else {
        "open"
    };
    let priced = document != Document::Credit;
    Ok(Payload {
        objects,
        customer: Some(customers::key_of(context.company, row)),
        status: priced.then(|| status.to_owned()),
        due: dates.due.filter(|_| priced && is_open),
        lines_complete: priced && !keep_lines,
        warnings,
        ..Payload::default()
    })
}

fn required(row: &Row, column: &str) -> Result<Decimal, Bad> {
    let missing = || Bad {
        column: column.to_owned(),
        expected: "a number",
    };
    row.decimal(column)?.ok_or_else(missing)
}

fn amounts(
    record: &Record,
    document: Document,
    money: &Money,
    total: Decimal,
    dates: &Dates,
    context: &Context,
) -> Result<Amounts, Reason> {
    let row = &record.header;
    let balance = money.send_balance(required(row, "InvoiceBal1")?)?;
    let portion = row.decimal("TaxPortion")?.filter(|tax| !tax.is_zero());
    let portion = portion.map(|tax| money.send(tax));
    // A credit note is mapped the same whether or not its lines happened to be read.
    let net = match document {
        Document::Credit => None,
        _ => lines::net(record, money)?,
    };
    let tax = portion.or_else(|| net.map(|net| total - net));
    let net = net.or_else(|| tax.map(|tax| total - tax));
    let late = dates.due.is_some_and(|due| due < context.today);
    Ok(Amounts {
        total,
        net,
        tax,
        balance,
        status: status(document, total, balance, late),
    })
}

/// Converting twice may lose a cent, which nobody has paid.
fn status(document: Document, total: Decimal, balance: Decimal, late: bool) -> &'static str {
    let (total, balance) = match document {
        Document::Credit => (-total, -balance),
        _ => (total, balance),
    };
    if balance <= Decimal::ZERO {
        "paid"
    } else if late && document != Document::Credit {
        "overdue"
    } else if total - balance > Decimal::new(1, 2) {
        "part paid"
    } else {
        "open"
    }
}

fn header(
    record: &Record,
    document: Document,
    context: &Context,
    money: &Money,
    amounts: &Amounts,
    dates: &Dates,
) -> Object {
    let row = &record.header;
    let shown = row.text("Invoice");
    let mut fields = Fields::new(context.prefix);
    fields.own("key", record.key.as_str());
    fields.own("invoice_number", readable(&shown));
    fields.own("customer_number", readable(&row.text("Customer")));
    fields.own("document_type", document.name());
    fields.own("sales_order", readable(&row.text("SalesOrder")));
    fields.codes(row, context.lookups);
    fields.own("invoice_date", day(dates.invoiced));
    fields.own("due_date", day(dates.due));
    fields.own("total", number(Some(amounts.total)));
    fields.own("net", number(amounts.net));
    fields.own("tax", number(amounts.tax));
    fields.own("balance_due", number(Some(amounts.balance)));
    fields.own("status", amounts.status);
    fields.own("excluded", "");
    original(&mut fields, row, money);
    fields.standard("hs_currency", money.sent.as_str());
    fields.standard("hs_purchase_order_number", row.text("CustomerPoNumber"));
    // HubSpot puts today's date where it gets none.
    let due = dates.due.or(dates.invoiced);
    fields.standard("hs_invoice_date", dates::noon(dates.invoiced, context));
    fields.standard("hs_due_date", dates::noon(due, context));
    let writable = |name: &str| {
        let properties = &context.account.writable_invoice_properties;
        properties.iter().any(|property| property == name)
    };
    if writable("hs_number") {
        fields.standard("hs_number", readable(&shown));
    }
    let positive = document != Document::Credit && amounts.total >= Decimal::ZERO;
    if positive && writable("hs_amount_billed") {
        fields.standard("hs_amount_billed", number(Some(amounts.total)));
    }
    let on_create = [
        ("hs_invoice_billable", "false"),
        ("hs_invoice_payment_collection_method", "none"),
    ];
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Object {
        kind: Kind::Invoice,
        key: record.key.clone(),
        properties: fields.done(),
        on_create: on_create.into_iter().map(text).collect(),
    }
}

/// What the document says, where HubSpot got local money instead.
fn original(fields: &mut Fields, row: &Row, money: &Money) {
    let converted = |text: String| {
        if money.converted() {
            text
        } else {
            String::new()
        }
    };
    let total = row.decimal("CurrencyValue").unwrap_or_default();
    fields.own("original_currency", converted(money.own.clone()));
    fields.own("original_total", converted(number(total)));
}

fn other_document(code: &str) -> Reason {
    Reason::new("document_type", format!("document type {code}"), "").on("DocumentType")
}

fn no_credit_notes() -> Reason {
    Reason::new(
        "credit_notes",
        "A credit note (rule: credit_notes = exclude).",
        "Set `credit_notes` to `record` to send them too.",
    )
}

#[cfg(test)]
mod tests;
