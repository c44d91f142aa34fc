//! The kinds of record the portal holds, by every name a path may give them.

use serde::{Deserialize, Serialize};

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    #[serde(rename = "contacts")]
    Contact,
    #[serde(rename = "companies")]
    Company,
    #[serde(rename = "deals")]
    Deal,
    #[serde(rename = "line_items")]
    LineItem,
    #[serde(rename = "invoices")]
    Invoice,
}

impl Kind {
    pub const ALL: [Kind; 5] = [
        Kind::Contact,
        Kind::Company,
        Kind::Deal,
        Kind::LineItem,
        Kind::Invoice,
    ];

    /// `contacts`, `contact` and `0-1` are one and the same.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| [kind.plural(), kind.singular(), kind.type_id()].contains(&name))
    }

    pub fn plural(self) -> &'static str {
        match self {
            Kind::Contact => "contacts",
            Kind::Company => "companies",
            Kind::Deal => "deals",
            Kind::LineItem => "line_items",
            Kind::Invoice => "invoices",
        }
    }

    fn singular(self) -> &'static str {
        match self {
            Kind::Contact => "contact",
            Kind::Company => "company",
            Kind::Deal => "deal",
            Kind::LineItem => "line_item",
            Kind::Invoice => "invoice",
        }
    }

    pub fn type_id(self) -> &'static str {
        match self {
            Kind::Contact => "0-1",
            Kind::Company => "0-2",
            Kind::Deal => "0-3",
            Kind::LineItem => "0-8",
            Kind::Invoice => "0-53",
        }
    }

    /// How HubSpot spells the kind inside its error texts.
    pub fn shouted(self) -> &'static str {
        match self {
            Kind::Contact => "CONTACT",
            Kind::Company => "COMPANY",
            Kind::Deal => "DEAL",
            Kind::LineItem => "LINE_ITEM",
            Kind::Invoice => "INVOICE",
        }
    }

    pub fn created_property(self) -> &'static str {
        match self {
            Kind::Contact | Kind::Company | Kind::Deal => "createdate",
            Kind::LineItem | Kind::Invoice => "hs_createdate",
        }
    }

    pub fn modified_property(self) -> &'static str {
        match self {
            Kind::Contact => "lastmodifieddate",
            _ => "hs_lastmodifieddate",
        }
    }

    /// What a read shows when it asks for no property by name.
    pub fn shown_by_default(self) -> &'static [&'static str] {
        match self {
            Kind::Contact => &["email", "firstname", "lastname"],
            Kind::Company => &["domain", "name"],
            Kind::Deal => &["amount", "closedate", "dealname", "dealstage", "pipeline"],
            Kind::LineItem | Kind::Invoice => &[],
        }
    }
}
