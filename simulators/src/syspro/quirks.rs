//! What no two SYSPRO sites do alike, as switches, and the mishaps that can be scheduled.
//!
//! The defaults are the site one hopes for: everything supported, `DateTimeOffset` dates, rows
//! capped at 5,000.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// Whether an OData query option does anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    #[default]
    Yes,
    /// Taken without a word and without effect.
    Ignored,
    /// 400.
    Refused,
}

/// How a date is spelled in `$filter`; another spelling is a 400.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateLiteral {
    /// `2024-01-31T00:00:00Z`
    #[default]
    Datetimeoffset,
    /// `2024-01-31`
    Date,
    /// `datetime'2024-01-31T00:00:00'`
    V3,
}

/// How a date is spelled in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateAnswer {
    /// `2024-01-31T00:00:00Z`
    #[default]
    Utc,
    /// `2024-01-31T00:00:00+02:00`: the same calendar day
    Offset,
    /// `2024-01-31T00:00:00`
    Naive,
    /// `2024-01-31`
    Date,
    /// One row this way, one that.
    Mixed,
}

/// How a decimal is spelled in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimals {
    #[default]
    Number,
    /// `"99.90"`, as with `IEEE754Compatible=true`
    Text,
    Mixed,
}

/// What becomes of rows beyond the cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// Left out without a word.
    #[default]
    Silent,
    /// A `$top` above the cap is a 400.
    Refused,
    /// `@odata.nextLink` leads to them, an absolute URL.
    Absolute,
    /// The same, relative.
    Relative,
    /// A link to somebody else's host: it must not be followed with our credentials.
    Foreign,
}

/// How text compares. Trailing blanks count for nothing unless `Exact`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collation {
    #[default]
    CaseInsensitive,
    Binary,
    /// Binary, and trailing blanks count.
    Exact,
}

/// One site's habits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    pub date_literal: DateLiteral,
    pub date_answer: DateAnswer,
    pub decimals: Decimals,
    pub collation: Collation,
    /// The most rows one answer holds.
    pub row_cap: usize,
    pub beyond_cap: Beyond,
    pub orderby: Support,
    pub skip: Support,
    pub top: Support,
    pub count: Support,
    /// `gt`, `ge`, `lt`, `le` on text; without it a 400.
    pub text_order: bool,
    pub ne: bool,
    pub or: bool,
    /// `Column in ('a','b')`: a newcomer, so off.
    pub in_list: bool,
    /// Text leaves without its trailing blanks.
    pub trimmed: bool,
    /// `TimeStamp` is null in every row.
    pub stampless: bool,
    /// Tables the service does not expose: 404, and not in `$metadata`.
    pub missing_tables: Vec<String>,
    /// Columns, as `Table.Column`, that this version of SYSPRO lacks.
    pub missing_columns: Vec<String>,
    /// The longest query string IIS lets through; a longer one is its own 404 page.
    pub longest_query: usize,
    /// Every answer takes this long.
    pub slow: Millis,
    /// e.net: the session id comes JSON-quoted.
    pub quoted_session: bool,
    /// e.net: a session idle this long is gone; every good call renews it.
    pub session_idle: Millis,
    /// e.net: all licences are taken.
    pub seats_full: bool,
    /// e.net: COMFND is not licensed.
    pub unlicensed: bool,
    /// e.net: customer and invoice keys come back as people see them, without leading zeros.
    pub presented_keys: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            date_literal: DateLiteral::default(),
            date_answer: DateAnswer::default(),
            decimals: Decimals::default(),
            collation: Collation::default(),
            row_cap: 5_000,
            beyond_cap: Beyond::default(),
            orderby: Support::Yes,
            skip: Support::Yes,
            top: Support::Yes,
            count: Support::Yes,
            text_order: true,
            ne: true,
            or: true,
            in_list: false,
            trimmed: false,
            stampless: false,
            missing_tables: Vec::new(),
            missing_columns: Vec::new(),
            longest_query: 2_048,
            slow: 0,
            quoted_session: false,
            session_idle: 20 * 60 * 1_000,
            seats_full: false,
            unlicensed: false,
            presented_keys: false,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// IIS's own page with this status.
    Page(u16),
    /// The answer ends after so many bytes, as if that were all.
    Cut(usize),
    /// A page without rows, where there are some.
    Empty,
    /// The answer takes this long.
    Slow(Millis),
    /// The connection breaks before any answer.
    Drop,
    /// This text with status 200.
    Body(String),
}

/// Trouble for the next requests that are like this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Part of the decoded path and query: `/ArInvoice?`, `Logon`, `InvoiceBal1 ne 0`.
    pub on: String,
    #[serde(default = "once")]
    pub times: u32,
    pub what: Trouble,
}

fn once() -> u32 {
    1
}

impl Fault {
    pub fn once(on: &str, what: Trouble) -> Self {
        Self {
            on: on.to_owned(),
            times: 1,
            what,
        }
    }
}

impl Quirks {
    /// Whether this site's version of SYSPRO has the column.
    pub fn has(&self, table: &str, column: &str) -> bool {
        let mut missing = self.missing_columns.iter();
        !missing.any(|name| name.split_once('.') == Some((table, column)))
    }
}
