//! Customers: an `ArCustomer` row with its `ArCustomerBal` row becomes a company and a contact.

mod person;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Beside, Context, Feed, Object, Outcome, Payload, Record, email,
    fields::{Fields, day, number, readable},
    horizon, money, own, rules,
};
use crate::{
    connection::{CustomerScope, Settings},
    fault::Reason,
    hubspot::Kind,
    sorted::SortedMap,
    syspro::{Bad, Row, record_key},
};

pub const CUSTOMERS: Feed = Feed {
    name: "customers",
    table: "ArCustomer",
    key: &["Customer"],
    page: 2_000,
    date_columns: &["DateCustAdded", "DateLastSale", "DateLastPay"],
    beside: Beside::Balances,
    columns,
    sweep: |_, _| None,
    map,
};

/// Read beside the customers, for the same keys.
pub const BALANCE_TABLE: &str = "ArCustomerBal";
pub const BALANCE_COLUMNS: &[&str] = &[
    "Customer",
    "ValFutureInv",
    "ValCurrentInv",
    "Val30daysInv",
    "Val60daysInv",
    "Val90daysInv",
    "Val120daysInv",
    "ValCreditsInv",
];

/// The properties the buckets go to, in the order of [`BALANCE_COLUMNS`].
const BUCKETS: [&str; 7] = [
    "balance_future",
    "balance_current",
    "balance_30_days",
    "balance_60_days",
    "balance_90_days",
    "balance_120_days",
    "balance_credits",
];

const COLUMNS: &[&str] = &[
    "Customer",
    "Name",
    "Telephone",
    "Contact",
    "Email",
    "CustomerClass",
    "TermsCode",
    "Branch",
    "Salesperson",
    "CreditStatus",
    "CreditLimit",
    "CustomerOnHold",
    "Currency",
    "BalanceType",
    "DateCustAdded",
    "DateLastSale",
    "DateLastPay",
];

/// HubSpot's address properties, and where SYSPRO keeps them unless the settings say otherwise.
pub const ADDRESS: [(&str, &str); 6] = [
    ("address", "SoldToAddr1"),
    ("address2", "SoldToAddr2"),
    ("city", "SoldToAddr3"),
    ("state", "SoldToAddr4"),
    ("country", "SoldToAddr5"),
    ("zip", "SoldPostalCode"),
];

/// `CreditStatus`, in words. 7 and 8 are not in use.
pub const CREDIT_STATUS: [(&str, &str); 8] = [
    ("0", "Current"),
    ("1", "30 days or more"),
    ("2", "60 days or more"),
    ("3", "90 days or more"),
    ("4", "120 days or more"),
    ("5", "150 days or more"),
    ("6", "180 days or more"),
    ("9", "On hold, set by hand"),
];

fn columns(settings: &Settings) -> Vec<String> {
    let mut columns = own(COLUMNS);
    for (_, column) in address(settings) {
        if !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
        }
    }
    columns
}

fn address(settings: &Settings) -> impl Iterator<Item = (&'static str, &str)> {
    ADDRESS.iter().map(|&(property, column)| {
        let chosen = settings.address_columns.get(property);
        (property, chosen.map_or(column, String::as_str))
    })
}

fn map(record: &Record, context: &Context) -> Outcome {
    match payload(record, context) {
        Ok(outcome) => outcome,
        Err(bad) => Outcome::Failing(bad.into()),
    }
}

fn payload(record: &Record, context: &Context) -> Result<Outcome, Bad> {
    let row = &record.header;
    if let Some(rule) = rules::against_customer(row, &context.settings.exclude) {
        let last = record.may_be_there().then(|| last(record, context, &rule));
        return Ok(Outcome::Excluded(rule, last));
    }
    let balance = record.beside.first().map(buckets).transpose()?;
    // What HubSpot shows of a customer stays true, also when it is no longer active.
    let mut else_excluded = None;
    if context.settings.customers == CustomerScope::Active && !record.sent {
        let owes = balance.is_some_and(|buckets| buckets.iter().any(|value| !value.is_zero()));
        if !owes && !sold_lately(row, context)? {
            let rule = not_active(context.settings);
            if !record.unheard {
                return Ok(Outcome::Excluded(rule, None));
            }
            else_excluded = Some(rule);
        }
    }
    let mut warnings = Vec::new();
    let address = email::first_address(&row.text("Email"));
    if address.is_none() && !row.text("Email").is_empty() {
        warnings.push(no_address());
    }
    let company = company(record, context, address.as_deref(), balance, &mut warnings)?;
    let contact = contact(record, context, address);
    Ok(Outcome::Send(Box::new(Payload {
        objects: vec![company, contact],
        only_if_there: else_excluded.is_some(),
        else_excluded,
        warnings,
        ..Payload::default()
    })))
}

/// What can be read of hold and balance: a last word is not worth failing for.
fn last(record: &Record, context: &Context, rule: &Reason) -> Box<Payload> {
    let row = &record.header;
    let mut fields = Fields::new(context.prefix);
    fields.own("on_hold", row.flag("CustomerOnHold").to_string());
    if let Some(Ok(balance)) = record.beside.first().map(buckets) {
        money_owed(&mut fields, row, context, Some(balance), &mut Vec::new());
    }
    rules::last(Kind::Company, record, fields, rule)
}

fn buckets(row: &Row) -> Result<[Decimal; 7], Bad> {
    let mut buckets = [Decimal::ZERO; 7];
    let columns = BALANCE_COLUMNS.iter().skip(1);
    for (bucket, column) in buckets.iter_mut().zip(columns) {
        *bucket = row.decimal(column)?.unwrap_or_default();
    }
    Ok(buckets)
}

fn sold_lately(row: &Row, context: &Context) -> Result<bool, Bad> {
    let since: NaiveDate = horizon(context.settings, context.today);
    let lately = |day: Option<NaiveDate>| day.is_some_and(|day| day >= since);
    Ok(lately(row.date("DateLastSale")?) || lately(row.date("DateCustAdded")?))
}

fn company(
    record: &Record,
    context: &Context,
    email: Option<&str>,
    balance: Option<[Decimal; 7]>,
    warnings: &mut Vec<Reason>,
) -> Result<Object, Bad> {
    let row = &record.header;
    let number_shown = row.text("Customer");
    let mut fields = Fields::new(context.prefix);
    fields.own("key", record.key.as_str());
    fields.own("customer_number", readable(&number_shown));
    fields.standard("name", name(row));
    fields.standard("phone", row.text("Telephone"));
    for (property, column) in address(context.settings) {
        fields.standard(property, row.text(column));
    }
    let domain = email.and_then(email::own_domain).unwrap_or_default();
    fields.standard("domain", domain);
    let class = row.key_text("CustomerClass");
    fields.own("customer_class_name", context.lookups.class(&class));
    fields.own("customer_class", class);
    fields.codes(row, context.lookups);
    credit(&mut fields, row, warnings)?;
    money_owed(&mut fields, row, context, balance, warnings);
    fields.own("last_sale", day(row.date("DateLastSale")?));
    fields.own("last_payment", day(row.date("DateLastPay")?));
    fields.own("excluded", "");
    Ok(Object {
        kind: Kind::Company,
        key: record.key.clone(),
        properties: fields.done(),
        on_create: lifecycle(context.settings),
    })
}

fn credit(fields: &mut Fields, row: &Row, warnings: &mut Vec<Reason>) -> Result<(), Bad> {
    let status = row.key_text("CreditStatus");
    let known = CREDIT_STATUS.iter().any(|(code, _)| *code == status);
    if !known && !status.is_empty() {
        let reason =
            format!("SYSPRO's credit status {status} is not one we know; it was left out.");
        warnings.push(Reason::new("unknown_credit_status", reason, "").on("CreditStatus"));
    }
    fields.own("credit_status", if known { status } else { String::new() });
    fields.own("credit_limit", number(row.decimal("CreditLimit")?));
    fields.own("on_hold", row.flag("CustomerOnHold").to_string());
    Ok(())
}

/// Without an `ArCustomerBal` row nothing is known, which is not the same as nothing owed.
fn money_owed(
    fields: &mut Fields,
    row: &Row,
    context: &Context,
    balance: Option<[Decimal; 7]>,
    warnings: &mut Vec<Reason>,
) {
    fields.own("balance", number(balance.map(|all| all.iter().sum())));
    for (at, property) in BUCKETS.into_iter().enumerate() {
        let bucket = balance.and_then(|all| all.get(at).copied());
        fields.own(property, number(bucket));
    }
    let code = row.text("Currency");
    let currencies = &context.settings.currencies;
    let currency = money::iso(&code, context.local_currency, currencies);
    fields.own(
        "currency",
        currency.unwrap_or_else(|reason| {
            warnings.push(reason.on("Currency"));
            code
        }),
    );
}

fn contact(record: &Record, context: &Context, email: Option<String>) -> Object {
    let row = &record.header;
    let mut person = person::split(&row.text("Contact"));
    if person.is_blank() && email.is_none() {
        person.last = name(row);
    }
    let key = format!("{}/AR", record.key);
    let mut fields = Fields::new(context.prefix);
    fields.own("key", key.as_str());
    fields.own("customer_number", readable(&row.text("Customer")));
    fields.own("email", row.text("Email"));
    fields.standard("email", email.unwrap_or_default());
    fields.standard("firstname", person.first);
    fields.standard("lastname", person.last);
    fields.standard("phone", row.text("Telephone"));
    fields.standard("company", name(row));
    Object {
        kind: Kind::Contact,
        key,
        properties: fields.done(),
        on_create: lifecycle(context.settings),
    }
}

/// HubSpot takes no company without a name.
fn name(row: &Row) -> String {
    let name = row.text("Name");
    match name.trim_start() {
        "" => format!("Customer {}", readable(&row.text("Customer"))),
        name => name.to_owned(),
    }
}

fn lifecycle(settings: &Settings) -> SortedMap<String, String> {
    let stage = settings.lifecycle_stage.as_str();
    let stage = Some(stage).filter(|stage| !stage.is_empty());
    let property = |stage: &str| ("lifecyclestage".to_owned(), stage.to_owned());
    stage.map(property).into_iter().collect()
}

/// The ledger key of the customer of an invoice's row.
pub(super) fn key_of(company: &str, row: &Row) -> String {
    record_key([company, &row.key_text("Customer")])
}

fn not_active(settings: &Settings) -> Reason {
    let days = settings.history_days;
    Reason::new(
        "customers_active",
        format!(
            "No sale or addition in the last {days} days, and no balance (rule: customers = active)."
        ),
        "Set `customers` to `all`, or raise `history_days`, to send such customers too.",
    )
}

fn no_address() -> Reason {
    Reason::new(
        "invalid_email",
        "The Email field holds no valid address; the contact goes without one.",
        "Correct the customer's e-mail address in SYSPRO.",
    )
    .on("Email")
}

#[cfg(test)]
mod tests;
