//! Collects an object's properties.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Lookups;
use crate::{sorted::SortedMap, syspro::Row};

pub struct Fields<'a> {
    prefix: &'a str,
    values: SortedMap<String, String>,
}

impl<'a> Fields<'a> {
    pub fn new(prefix: &'a str) -> Self {
        let values = SortedMap::new();
        Self { prefix, values }
    }

    /// A property of HubSpot's own.
    pub fn standard(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// A property of ours: `own("balance", …)` is `syspro_balance`.
    pub fn own(&mut self, name: &str, value: impl Into<String>) {
        let name = format!("{}{name}", self.prefix);
        self.values.insert(name, value.into());
    }

    /// The codes that customers and invoices both carry, each with what it stands for.
    pub fn codes(&mut self, row: &Row, lookups: &Lookups) {
        let terms = row.key_text("TermsCode");
        let branch = row.key_text("Branch");
        let salesperson = row.key_text("Salesperson");
        self.own("terms_description", lookups.terms_description(&terms));
        self.own("branch_name", lookups.branch(&branch));
        self.own(
            "salesperson_name",
            lookups.salesperson(&branch, &salesperson),
        );
        self.own("terms", terms);
        self.own("branch", branch);
        self.own("salesperson", salesperson);
    }

    pub fn done(self) -> SortedMap<String, String> {
        self.values
    }
}

/// Digits and at most one point, without idle zeros; blank for nothing.
pub fn number(value: Option<Decimal>) -> String {
    value.map_or_else(String::new, |value| value.normalize().to_string())
}

/// `2024-01-31`; blank for nothing.
pub fn day(value: Option<NaiveDate>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A number as people write it: SYSPRO's leading zeros fill a numeric key up to its column.
pub fn readable(key: &str) -> &str {
    match key.bytes().all(|byte| byte.is_ascii_digit()) {
        true if !key.is_empty() => {
            let short = key.trim_start_matches('0');
            if short.is_empty() { "0" } else { short }
        }
        _ => key,
    }
}
