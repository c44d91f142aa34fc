//! Feeds: the kinds of record that travel, and what they become in HubSpot.
//!
//! A feed is data and pure functions. Ingest hands a [`Record`] in and stores the [`Outcome`];
//! delivery sends whatever [`Payload`] it finds, without knowing which feed made it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{fault::Reason, hubspot::Kind, syspro::Row};

/// One SYSPRO record with what was read beside it.
#[derive(Clone, Debug)]
pub struct Record {
    pub key: String,
    /// The row of the feed's own table.
    pub header: Row,
    /// A customer's `ArCustomerBal` row, an invoice's `ArTrnDetail` rows.
    pub beside: Vec<Row>,
}

/// What mapping makes of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Send(Box<Payload>),
    /// Not wanted, with the rule that says so.
    Excluded(Reason),
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
    /// `objects` holds all the lines there are: those HubSpot has beyond them are archived.
    #[serde(default)]
    pub lines_complete: bool,
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
    pub properties: BTreeMap<String, String>,
    /// Sent beside `properties` when the object is new.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on_create: BTreeMap<String, String>,
}
