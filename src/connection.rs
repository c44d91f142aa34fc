//! A connection: one SYSPRO company and one HubSpot portal, with credentials and settings.

mod body;
mod change;
pub mod reader;
mod rules;
mod stored;

pub use change::{Changed, Rejected, Touched};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::vault::Secret;
use crate::{day, sorted::SortedMap};

#[derive(Clone, Debug)]
pub struct Connection {
    pub id: String,
    pub name: String,
    pub syspro: Syspro,
    pub hubspot: HubSpot,
    pub settings: Settings,
}

/// One thing wrong with what a user sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `syspro.odata_url`
    pub path: String,
    pub reason: String,
    pub remedy: String,
}

impl Problem {
    pub fn new(
        path: impl Into<String>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Syspro {
    /// Without a trailing slash; `/{company}/{table}` follows.
    pub odata_url: String,
    pub company: String,
    pub odata_username: String,
    pub odata_password: Secret,
    /// Added to every request, such as Cloudflare Access's. The values are secrets.
    pub headers: SortedMap<String, Secret>,
    /// ISO 4217; what `$` and a blank mean.
    pub local_currency: String,
    pub enet: Option<Enet>,
}

#[derive(Clone, Debug)]
pub struct Enet {
    pub url: String,
    pub operator: String,
    pub operator_password: Secret,
    pub company_password: Secret,
}

#[derive(Clone, Debug)]
pub struct HubSpot {
    pub token: Secret,
    /// Without a trailing slash.
    pub api_url: String,
    pub api_version: String,
    /// What our property names begin with; fixed at creation.
    pub prefix: String,
}

/// Every setting with its default; the README's table is the same list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How far before the last complete pass the recent poll looks, in days. 0 where no date is ever
    /// older than the day it is entered.
    pub lookback_days: u32,
    /// How old an invoice may be to be taken at all, in days; open ones are taken at any age.
    pub history_days: u32,
    /// Pages the sweep reads in a tick once the first sweep is done; 0 leaves it at that one.
    pub sweep_pages: u32,
    pub customers: CustomerScope,
    pub credit_notes: CreditNotes,
    /// What is not wanted in HubSpot.
    pub exclude: Exclude,
    /// Only so many customers and their invoices, to look at first; all of them when absent.
    pub trial: Option<u32>,
    pub invoice_balance_currency: BalanceCurrency,
    pub foreign_currency: ForeignCurrency,
    /// SYSPRO's currency codes that are not ISO 4217, with what they mean.
    pub currencies: SortedMap<String, String>,
    /// For invoices whose terms rule is unknown.
    pub default_due_days: u32,
    /// Put on companies and contacts when they are created; empty for none.
    pub lifecycle_stage: String,
    /// What becomes of the standard properties of records that people had in HubSpot before.
    pub adopted_fields: AdoptedFields,
    /// What becomes of a customer that several of people's companies could be.
    pub on_ambiguous: OnAmbiguous,
    /// Minutes the site is ahead of UTC; the portal's own when absent.
    pub site_utc_offset_minutes: Option<i32>,
    pub date_style: DateStyle,
    /// Table names that differ at this site: `{"ArCustomer": "ARCUSTOMER"}`.
    pub tables: SortedMap<String, String>,
    /// A true last-modified column of the table, where the site added one: `{"ArInvoice": "Usr_Modified"}`.
    pub modified_columns: SortedMap<String, String>,
    /// Where a company's address is read from: `{"city": "SoldToAddr3"}`.
    pub address_columns: SortedMap<String, String>,
    /// Share of HubSpot's ten-second window this connection's portal may spend, over 0 to 1.
    pub rate_share: f64,
    /// Share of HubSpot's daily quota, over 0 to 1.
    pub daily_share: f64,
}

/// Each of these rules leaves out what it names; a customer that is left out takes its invoices along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclude {
    /// `I`, `C`, `D`.
    pub document_types: Vec<String>,
    pub customer_classes: Vec<String>,
    /// Of customers and of invoices.
    pub branches: Vec<String>,
    /// Customers on hold.
    pub on_hold: bool,
    /// Invoices with an earlier date, paid or not.
    #[serde(deserialize_with = "day::read")]
    pub invoices_before: Option<NaiveDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerScope {
    /// A sale, an addition or a balance within `history_days`.
    Active,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditNotes {
    Record,
    Exclude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptedFields {
    /// Only those that are empty in HubSpot.
    Fill,
    Overwrite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnAmbiguous {
    /// A new company is made beside them.
    Create,
    /// It fails until a person links it.
    Hold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceCurrency {
    Posting,
    Local,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignCurrency {
    Fail,
    Local,
}

/// How this site's OData writes a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateStyle {
    /// `2024-01-31T00:00:00Z`
    Datetimeoffset,
    /// `2024-01-31`
    Date,
    /// `datetime'2024-01-31T00:00:00'`
    V3,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lookback_days: 7,
            history_days: 400,
            sweep_pages: 2,
            customers: CustomerScope::Active,
            credit_notes: CreditNotes::Record,
            exclude: Exclude::default(),
            trial: None,
            invoice_balance_currency: BalanceCurrency::Posting,
            foreign_currency: ForeignCurrency::Fail,
            currencies: SortedMap::new(),
            default_due_days: 30,
            lifecycle_stage: "customer".to_owned(),
            adopted_fields: AdoptedFields::Fill,
            on_ambiguous: OnAmbiguous::Create,
            site_utc_offset_minutes: None,
            date_style: DateStyle::Datetimeoffset,
            tables: SortedMap::new(),
            modified_columns: SortedMap::new(),
            address_columns: SortedMap::new(),
            rate_share: 0.8,
            daily_share: 0.5,
        }
    }
}

#[cfg(test)]
mod tests;
