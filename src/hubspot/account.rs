//! `GET /account-info/{version}/details`: which portal a token opens, and how it counts money and days.

use serde::{Deserialize, Serialize};

/// What is kept of a portal; learned when the connection is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub portal_id: String,
    pub time_zone: String,
    /// As of when it was read; a daylight-saving change is an hour off until it is read again.
    pub utc_offset_ms: i64,
    pub currency: String,
    pub additional_currencies: Vec<String>,
    pub ui_domain: String,
    /// Invoice properties of HubSpot's own that this portal lets us write (`hs_number`, …).
    #[serde(default)]
    pub writable_invoice_properties: Vec<String>,
}
