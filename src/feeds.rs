//! Feeds: the kinds of record that travel, and what they become in HubSpot.
//!
//! A feed is data and pure functions. Ingest hands a [`Record`] in and stores the [`Outcome`];
//! delivery sends whatever [`Payload`] it finds, whichever feed made it.

pub mod customers;
mod due_date;
mod email;
mod fields;
pub mod invoices;
pub mod lookups;
mod money;
pub mod properties;
pub mod rules;
pub mod sales_orders;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::{
    connection::Settings,
    day,
    fault::Reason,
    hubspot::{Kind, account::Account},
    sorted::SortedMap,
    syspro::{Row, odata::Filter, record_key},
};

pub use customers::CUSTOMERS;
pub use invoices::INVOICES;
pub use lookups::Lookups;

/// In the order they are delivered: an invoice needs its customer's company.
pub const FEEDS: [&Feed; 2] = [&CUSTOMERS, &INVOICES];

/// What the trunk has to know of a kind of record.
pub struct Feed {
    pub name: &'static str,
    pub table: &'static str,
    /// The table's key, which is what comes after the company in a record's key.
    pub key: &'static [&'static str],
    /// Rows read at once.
    pub page: u32,
    /// What the poll for recent records looks at.
    pub date_columns: &'static [&'static str],
    /// What is read beside each of its rows.
    pub beside: Beside,
    /// The columns of the table that are read.
    pub columns: fn(&Settings) -> Vec<String>,
    /// What the sweep takes; nothing means the whole table.
    pub sweep: fn(&Settings, today: NaiveDate) -> Option<Filter>,
    pub map: fn(&Record, &Context) -> Outcome,
}

/// Rows of another table that belong to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// A customer's `ArCustomerBal` row.
    Balances,
    /// An invoice's `ArTrnDetail` rows.
    Lines,
}

impl Beside {
    /// Worth reading only for records that changed themselves.
    pub fn is_large(self) -> bool {
        self == Beside::Lines
    }
}

/// What it means that the answer held no lines of an invoice, or not all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lack {
    /// The answer may lack them.
    #[default]
    AskAgain,
    /// It was asked twice: SYSPRO has none.
    NoneThere,
    /// It was asked twice, and HubSpot has lines of it: they stay.
    KeepThem,
}

/// What mapping needs beside the record.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub company: &'a str,
    pub settings: &'a Settings,
    /// ISO 4217.
    pub local_currency: &'a str,
    pub account: &'a Account,
    pub prefix: &'a str,
    pub lookups: &'a Lookups,
    /// At the site.
    pub today: NaiveDate,
}

/// One SYSPRO record with what was read beside it.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub key: String,
    /// The row of the feed's own table.
    pub header: Row,
    /// A customer's `ArCustomerBal` row, an invoice's `ArTrnDetail` rows.
    pub beside: Vec<Row>,
    pub lack: Lack,
    /// HubSpot has something of it already.
    pub sent: bool,
    /// It was to be sent, and HubSpot may have it: nobody heard.
    pub unheard: bool,
    /// HubSpot has lines of it, and they are not those of this answer.
    pub relined: bool,
}

/// What mapping makes of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Send(Box<Payload>),
    /// Not to be judged by this answer: it waits and is read again in a later run.
    AskAgain(Reason),
    /// Not wanted, with the rule that says so; and the last that HubSpot is told of it, where it has
    /// it already.
    Excluded(Reason, Option<Box<Payload>>),
    /// Cannot be sent as it is; a person must act.
    Failing(Reason),
}

/// Everything HubSpot shall hold of one record. Kept in the ledger while it waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// In the order they are written: a company before its contact, an invoice before its lines.
    pub objects: Vec<Object>,
    /// The ledger key of the customer an invoice belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Set `hs_invoice_status` to this once lines and links stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The day this invoice falls due, while it is open and that day has not passed: after it, the
    /// same row maps to something else.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "day::read"
    )]
    pub due: Option<NaiveDate>,
    /// `objects` holds all the lines there are: those HubSpot has beyond them are archived.
    #[serde(default)]
    pub lines_complete: bool,
    /// Nobody knows whether HubSpot has it: brought up to date by its key where it does, never made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_if_there: bool,
    /// The rule that leaves the record out where HubSpot does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub else_excluded: Option<Reason>,
    /// It is the last of a record that is left out by this rule: nothing is made anew for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<Reason>,
    /// Said in the audit when it is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Reason>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub kind: Kind,
    /// The value of the unique property.
    pub key: String,
    /// Blank values included: they are sent as `""` only for a field we filled before.
    pub properties: SortedMap<String, String>,
    /// Sent beside `properties` when the object is new.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub on_create: SortedMap<String, String>,
}

impl Record {
    /// HubSpot has something of it, or may have.
    fn may_be_there(&self) -> bool {
        self.sent || self.unheard
    }
}

impl Payload {
    /// Whether HubSpot is told of this object only where it has it. The record's main one decides: the
    /// others are made where that is there.
    pub fn may_not_make(&self, object: &Object) -> bool {
        let main = self.objects.first();
        self.only_if_there && main.is_some_and(|main| main.key == object.key)
    }

    /// The rule that leaves out what HubSpot turns out not to have.
    pub fn unless_there(&self) -> Option<&Reason> {
        self.else_excluded.as_ref().or(self.excluded.as_ref())
    }
}

impl Feed {
    /// `COMPANY/CUSTOMER`, `COMPANY/CUSTOMER/INVOICE/TYPE`; nothing when a part is blank.
    pub fn record_key(&self, company: &str, row: &Row) -> Option<String> {
        let parts: Vec<_> = self.key.iter().map(|part| row.key_text(part)).collect();
        if parts.iter().any(String::is_empty) {
            return None;
        }
        let company = std::iter::once(company.to_owned());
        Some(record_key(company.chain(parts)))
    }
}

/// The first day that `history_days` reaches back to.
fn horizon(settings: &Settings, today: NaiveDate) -> NaiveDate {
    let days = Days::new(settings.history_days.into());
    today.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
}

fn own(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|&column| column.to_owned()).collect()
}

#[cfg(test)]
mod tests;
