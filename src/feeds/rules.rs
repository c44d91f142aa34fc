//! What the settings leave out, and the words for it: each rule names itself beside its records, and
//! in `syspro_excluded` of those that HubSpot has already.

use super::{Object, Payload, Record, fields::Fields};
use crate::{connection::Exclude, fault::Reason, hubspot::Kind, syspro::Row};

/// The code of the reason of an invoice whose customer is excluded.
pub const CUSTOMER_EXCLUDED: &str = "customer_excluded";

/// The rule that leaves out this customer.
pub(super) fn against_customer(row: &Row, exclude: &Exclude) -> Option<Reason> {
    let class = row.key_text("CustomerClass");
    if exclude.customer_classes.contains(&class) {
        let what = format!("Customers of class {class} are left out");
        return Some(rule(what, "customer_classes", &class).on("CustomerClass"));
    }
    let on_hold = || exclude.on_hold && row.flag("CustomerOnHold");
    of_branch(row, exclude).or_else(|| {
        let what = "Customers on hold are left out".to_owned();
        on_hold().then(|| rule(what, "on_hold", "true").on("CustomerOnHold"))
    })
}

/// The rule that leaves out this invoice. One whose date cannot be read fails for that.
pub(super) fn against_invoice(row: &Row, exclude: &Exclude) -> Option<Reason> {
    let code = row.text("DocumentType");
    if exclude.document_types.contains(&code) {
        let what = format!("Documents of type {code} are left out");
        return Some(rule(what, "document_types", &code).on("DocumentType"));
    }
    of_branch(row, exclude).or_else(|| {
        let first = exclude.invoices_before?;
        let day = row.date("InvoiceDate").ok().flatten();
        day.filter(|day| *day < first)?;
        let what = format!("Invoices before {first} are left out");
        Some(rule(what, "invoices_before", &first.to_string()).on("InvoiceDate"))
    })
}

fn of_branch(row: &Row, exclude: &Exclude) -> Option<Reason> {
    let branch = row.key_text("Branch");
    let what = || format!("What belongs to branch {branch} is left out");
    let named = exclude.branches.contains(&branch);
    named.then(|| rule(what(), "branches", &branch).on("Branch"))
}

fn rule(what: String, name: &str, value: &str) -> Reason {
    Reason::new(
        &format!("exclude_{name}"),
        format!("{what} (rule: exclude.{name} = {value})."),
        format!("Change `settings.exclude.{name}` to send it all the same."),
    )
}

/// It is no part of a trial that has all its customers.
pub fn beyond_trial(places: u32) -> Reason {
    Reason::new(
        "trial",
        format!(
            "The trial has all its customers, and this is none of them (rule: trial = {places})."
        ),
        "Raise `settings.trial`, or set it to null to send all customers.",
    )
}

pub fn customer_excluded(customer: &str) -> Reason {
    Reason::new(
        CUSTOMER_EXCLUDED,
        format!("Its customer {customer} is excluded."),
        "See the customer's own reason.",
    )
}

/// People deleted what it is about, and deleted it again when it was made anew.
pub fn deleted_in_hubspot(kind: Kind) -> Reason {
    let label = kind.label();
    Reason::new(
        "deleted_in_hubspot",
        format!(
            "The {label} was deleted in HubSpot, made anew once, and deleted again, so it is left out."
        ),
        format!("Replay this record to create the {label} again."),
    )
}

/// The same, of a customer's company or an invoice.
pub fn deleted_for_good(is_customer: bool) -> Reason {
    deleted_in_hubspot(match is_customer {
        true => Kind::Company,
        false => Kind::Invoice,
    })
}

/// The last that HubSpot is told of a record that is left out from now on: which rule says so, and
/// what else is in `fields`.
pub(super) fn last(
    kind: Kind,
    record: &Record,
    mut fields: Fields<'_>,
    rule: &Reason,
) -> Box<Payload> {
    let key = record.key.as_str();
    fields.own("key", key);
    fields.own("excluded", rule.reason.as_str());
    Box::new(Payload {
        objects: vec![Object {
            kind,
            key: key.to_owned(),
            properties: fields.done(),
            on_create: Default::default(),
        }],
        only_if_there: record.unheard,
        excluded: Some(rule.clone()),
        ..Payload::default()
    })
}
