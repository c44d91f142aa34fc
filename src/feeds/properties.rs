//! The properties of ours that set-up creates, as a salesperson reads them.

mod tables;

use super::{customers::CREDIT_STATUS, invoices};
use crate::hubspot::Kind;
use Holds::{CreditStatus, Day, DocumentType, Key, Number, Status, Text, YesNo};
use tables::{COMPANY, CONTACT, DEAL, INVOICE, LINE_ITEM};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: String,
    pub label: &'static str,
    pub description: &'static str,
    /// `string`, `number`, `date`, `enumeration`, `bool`.
    pub data_type: &'static str,
    pub field_type: &'static str,
    /// Value and label, in the order shown.
    pub options: Vec<(&'static str, &'static str)>,
    pub unique: bool,
}

/// One line of the tables below: name without the prefix, what it holds, label, description.
type Property = (&'static str, Holds, &'static str, &'static str);

#[derive(Clone, Copy)]
enum Holds {
    Key,
    Text,
    Number,
    Day,
    YesNo,
    CreditStatus,
    DocumentType,
    Status,
}

/// Keys first: without them nothing else can be sent.
pub fn definitions(kind: Kind, prefix: &str) -> Vec<Definition> {
    let properties = match kind {
        Kind::Company => COMPANY,
        Kind::Contact => CONTACT,
        Kind::Invoice => INVOICE,
        Kind::LineItem => LINE_ITEM,
        Kind::Deal => DEAL,
    };
    properties.iter().map(|one| define(one, prefix)).collect()
}

fn define(&(name, holds, label, description): &Property, prefix: &str) -> Definition {
    let (data_type, field_type) = match holds {
        Key | Text => ("string", "text"),
        Number => ("number", "number"),
        Day => ("date", "date"),
        YesNo => ("bool", "booleancheckbox"),
        CreditStatus | DocumentType | Status => ("enumeration", "select"),
    };
    Definition {
        name: format!("{prefix}{name}"),
        label,
        description,
        data_type,
        field_type,
        options: options(holds),
        unique: matches!(holds, Key),
    }
}

fn options(holds: Holds) -> Vec<(&'static str, &'static str)> {
    match holds {
        YesNo => vec![("true", "Yes"), ("false", "No")],
        CreditStatus => CREDIT_STATUS.to_vec(),
        DocumentType => labelled(&invoices::DOCUMENT_TYPES),
        Status => labelled(&invoices::STATUS),
        Key | Text | Number | Day => Vec::new(),
    }
}

fn labelled(values: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let label = |value: &'static str| match value {
        "invoice" => "Invoice",
        "credit note" => "Credit note",
        "debit note" => "Debit note",
        "open" => "Open",
        "part paid" => "Part paid",
        "overdue" => "Overdue",
        "paid" => "Paid",
        "consolidated" => "Consolidated",
        other => other,
    };
    values.iter().map(|value| (*value, label(value))).collect()
}
