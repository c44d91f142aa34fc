//! An invoice's lines, from `ArTrnDetail`.

use rust_decimal::Decimal;

use super::{INVOICES, required};
use crate::{
    fault::Reason,
    feeds::{
        Context, Object, Record,
        fields::{Fields, number},
        money::{self, Money},
    },
    hubspot::Kind,
    sorted::{SortedMap, SortedSet},
    syspro::{Bad, Row, odata::Literal},
};

pub const LINES_TABLE: &str = "ArTrnDetail";
pub const LINES_KEY: &[&str] = &[
    "TrnYear",
    "TrnMonth",
    "Register",
    "Invoice",
    "SummaryLine",
    "DetailLine",
];
pub const LINE_COLUMNS: &[&str] = &[
    "TrnYear",
    "TrnMonth",
    "Register",
    "Invoice",
    "SummaryLine",
    "DetailLine",
    "DocumentType",
    "Customer",
    "StockCode",
    "LineType",
    "QtyInvoiced",
    "NetSalesValue",
    "PostValue",
];

/// What tells lines of one invoice apart: numbers, all of them.
pub const LINE_NUMBER: [&str; 5] = [
    "TrnYear",
    "TrnMonth",
    "Register",
    "SummaryLine",
    "DetailLine",
];

const FREIGHT: &str = "4";
const MISCELLANEOUS: &str = "5";
const COMMENT: &str = "6";
const NOT_STOCKED: &str = "7";

/// How an invoice's lines are asked for: by period, where its row tells one, and number.
pub fn lines_filter_key(header: &Row) -> Option<Vec<(&'static str, Literal)>> {
    let invoice = Literal::of(header.raw("Invoice"))?;
    let period = |column: &str| {
        header
            .integer(column)
            .ok()
            .flatten()
            .filter(|part| *part > 0)
    };
    let mut key = Vec::new();
    if let (Some(year), Some(month)) = (period("InvoiceYear"), period("InvoiceMonth")) {
        key.push(("TrnYear", Literal::Integer(year)));
        key.push(("TrnMonth", Literal::Integer(month)));
    }
    key.push(("Invoice", invoice));
    Some(key)
}

/// The lines of each of these invoices, in order. A number with its document type usually names one
/// invoice, and a line's customer may be a sub-account of the invoice's. Where lines do carry an
/// invoice's own customer, those are its lines and the others somebody else's.
pub fn join(headers: &[Row], lines: Vec<Row>) -> Vec<Vec<Row>> {
    let document = |row: &Row| (row.key_text("Invoice"), row.key_text("DocumentType"));
    let mut by_document: SortedMap<_, Vec<Row>> = SortedMap::new();
    for line in lines {
        by_document.get_or_default(document(&line)).push(line);
    }
    let keys = headers
        .iter()
        .filter_map(|row| INVOICES.record_key("", row));
    let keys: SortedSet<String> = keys.collect();
    let claimed = |header: &Row, line: &Row| {
        let mut other = header.clone();
        let customer = line.raw("Customer").clone();
        other.0.insert("Customer".to_owned(), customer);
        INVOICES
            .record_key("", &other)
            .is_some_and(|key| keys.contains(&key))
    };
    let own = |header: &Row| {
        let all = by_document
            .get(&document(header))
            .map_or(&[][..], Vec::as_slice);
        let customer = header.key_text("Customer");
        let is_own = |line: &&Row| line.key_text("Customer") == customer;
        let mut own: Vec<&Row> = all.iter().filter(is_own).collect();
        if own.is_empty() {
            own = all.iter().filter(|line| !claimed(header, line)).collect();
        }
        let number = |line: &Row| LINE_NUMBER.map(|part| line.integer(part).unwrap_or(None));
        let own = own.into_iter().enumerate();
        let own: SortedMap<_, &Row> = own.map(|(at, line)| ((number(line), at), line)).collect();
        own.into_values().cloned().collect()
    };
    headers.iter().map(own).collect()
}

/// The stock codes whose descriptions these lines need, as the server pads them.
pub fn stock_codes(lines: &[Row]) -> Vec<Literal> {
    let stocked = |line: &&Row| {
        let kind = line.text("LineType");
        ![FREIGHT, MISCELLANEOUS, COMMENT, NOT_STOCKED].contains(&kind.as_str())
    };
    let codes = lines.iter().filter(stocked);
    let codes: SortedMap<String, Literal> = codes
        .filter_map(|line| {
            let code = line.key_text("StockCode");
            let literal = Literal::of(line.raw("StockCode"))?;
            (!code.is_empty()).then_some((code, literal))
        })
        .collect();
    codes.into_values().collect()
}

/// The sum of the lines, comments aside; nothing without lines.
pub(super) fn net(record: &Record, money: &Money) -> Result<Option<Decimal>, Reason> {
    if record.beside.is_empty() {
        return Ok(None);
    }
    let mut net = Decimal::ZERO;
    for line in priced(record) {
        net += required(line, money.line_column())?;
    }
    Ok(Some(net))
}

/// Whether these lines are worth their invoice, tax aside; a cent each may be lost where money is
/// converted. What cannot be read is for the payload to say.
pub(super) fn add_up(record: &Record, context: &Context) -> bool {
    let missing = || -> Result<Decimal, Reason> {
        let money = Money::of(&record.header, context)?;
        let value = required(&record.header, "CurrencyValue")?;
        let tax = record.header.decimal("TaxPortion")?.unwrap_or_default();
        let net = net(record, &money)?.unwrap_or_default();
        Ok(money.send(value - tax) - net)
    };
    let cents = Decimal::from(record.beside.len()) * Decimal::new(1, 2);
    missing().map_or(true, |missing| missing.abs() <= cents)
}

pub(super) fn objects(
    record: &Record,
    context: &Context,
    money: &Money,
) -> Result<Vec<Object>, Reason> {
    let object = |line: &Row| {
        let value = required(line, money.line_column())?;
        let quantity = line.decimal("QtyInvoiced")?.unwrap_or_default();
        for part in LINE_NUMBER {
            numbered(line, part)?;
        }
        let number = LINE_NUMBER.map(|part| line.key_text(part)).join("-");
        let code = line.text("StockCode");
        let name = name(line, context);
        let key = format!("{}/{number}", record.key);
        Ok(item(context, money, key, name, code, value, quantity))
    };
    priced(record).map(object).collect()
}

/// Two lines without their numbers would be one.
fn numbered(line: &Row, part: &str) -> Result<i64, Bad> {
    let missing = || Bad {
        column: part.to_owned(),
        expected: "a whole number",
    };
    line.integer(part)?.ok_or_else(missing)
}

/// What the key of the one line of an invoice without any detail ends in.
pub const ONLY_TOTAL: &str = "/TOTAL";

/// What that line is called.
pub const TOTAL_NAME: &str = "Invoice total";

/// The one line of an invoice that has no detail at all.
pub(super) fn only_total(
    record: &Record,
    context: &Context,
    money: &Money,
    total: Decimal,
) -> Vec<Object> {
    if total.is_zero() {
        return Vec::new();
    }
    let name = TOTAL_NAME.to_owned();
    let key = format!("{}{ONLY_TOTAL}", record.key);
    let line = item(
        context,
        money,
        key,
        name,
        String::new(),
        total,
        Decimal::ONE,
    );
    vec![line]
}

fn priced(record: &Record) -> impl Iterator<Item = &Row> {
    let is_comment = |line: &&Row| line.text("LineType") != COMMENT;
    record.beside.iter().filter(is_comment)
}

fn name(line: &Row, context: &Context) -> String {
    let code = line.key_text("StockCode");
    let known = context.lookups.stock.get(&code);
    if let Some(description) = known.filter(|text| !text.is_empty()) {
        return description.clone();
    }
    match line.text("LineType").as_str() {
        _ if !code.is_empty() => code,
        FREIGHT => "Freight".to_owned(),
        MISCELLANEOUS => "Miscellaneous charge".to_owned(),
        _ => "Item without a stock code".to_owned(),
    }
}

fn item(
    context: &Context,
    money: &Money,
    key: String,
    name: String,
    code: String,
    value: Decimal,
    quantity: Decimal,
) -> Object {
    let priced = money::price(value, quantity);
    let name = match value.is_sign_negative() && !value.is_zero() {
        true => format!("{name} ({value:.2} {})", money.sent),
        false => name,
    };
    let mut fields = Fields::new(context.prefix);
    if !context.account.without.line_keys {
        fields.own("key", key.as_str());
        fields.own("line_total", number(priced.total));
    }
    fields.standard("name", name);
    fields.standard("hs_sku", code);
    fields.standard("quantity", number(Some(priced.quantity)));
    fields.standard("price", number(Some(priced.price)));
    fields.standard("hs_line_item_currency_code", money.sent.as_str());
    Object {
        kind: Kind::LineItem,
        key,
        properties: fields.done(),
        on_create: SortedMap::new(),
    }
}
