//! What SYSPRO's values mean. Pure: values in, values out.
//!
//! SYSPRO pads what it stores, writes one blank where it means nothing, and its OData gives decimals
//! as number or as string and site-local days as instants. [`Row`] is where all of that ends: texts
//! are right-trimmed, decimals never pass through a float, a date is its calendar part. Only what
//! goes back to the server ([`Row::raw`], [`Row::cursor`]) keeps its padding.

pub mod enet;
pub mod odata;
pub mod session;

use std::{str::FromStr, time::Duration};

use chrono::NaiveDate;
use http::{Response, StatusCode};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    day,
    fault::{Fault, Reason, Refusal, Silence, System, Window},
    hash::short,
};

/// One row as OData gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub serde_json::Map<String, Value>);

/// A value that is not what its column promises. The value itself is never repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    pub column: String,
    pub expected: &'static str,
}

/// No column of SYSPRO's holds more (12 whole digits, 6 decimals), and within these bounds one
/// product and one quotient cannot overflow.
const LARGEST: Decimal = Decimal::from_parts(0x4e72_a000, 0x918, 0, false, 0);
const MOST_DECIMALS: u32 = 10;

impl From<Bad> for Reason {
    fn from(bad: Bad) -> Self {
        let Bad { column, expected } = bad;
        Reason::new(
            "unreadable_value",
            format!("SYSPRO's {column} holds something that is not {expected}."),
            format!("Correct {column} in SYSPRO; the record is read again when it changes."),
        )
        .on(column)
    }
}

impl Row {
    /// Right-trimmed; `""` for a blank, a null, and a column that is not there.
    pub fn text(&self, column: &str) -> String {
        match self.0.get(column) {
            Some(Value::String(text)) => text.trim_end().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            _ => String::new(),
        }
    }

    /// A part of a key: like [`Row::text`], and `1.0` is `1`, however this server writes numbers.
    pub fn key_text(&self, column: &str) -> String {
        match self.0.get(column) {
            Some(Value::Number(number)) => match exact(&number.to_string()) {
                Some(number) => number.normalize().to_string(),
                None => number.to_string(),
            },
            _ => self.text(column),
        }
    }

    /// The server's own value with its padding, which is what its filters compare with.
    pub fn raw(&self, column: &str) -> &Value {
        self.0.get(column).unwrap_or(&Value::Null)
    }

    /// Where a poll by key goes on after this row; nothing when a part of the key is missing.
    pub fn cursor(&self, key: &[&str]) -> Option<Vec<Value>> {
        let part = |column: &&str| match self.raw(column) {
            value @ (Value::String(_) | Value::Number(_)) => Some(value.clone()),
            _ => None,
        };
        key.iter().map(part).collect()
    }

    pub fn decimal(&self, column: &str) -> Result<Option<Decimal>, Bad> {
        let text = self.plain(column, "a number")?;
        let text = text.trim_start();
        if text.is_empty() {
            return Ok(None);
        }
        let sane = |number: &Decimal| number.abs() < LARGEST;
        let number = exact(text).filter(sane);
        let number = number.ok_or_else(|| bad(column, "a number"))?;
        Ok(Some(number.round_dp(MOST_DECIMALS)))
    }

    /// The calendar part, whatever zone the server put behind it: SYSPRO's days are the site's.
    pub fn date(&self, column: &str) -> Result<Option<NaiveDate>, Bad> {
        let text = self.plain(column, "a date")?;
        let text = text.trim_start();
        if text.is_empty() || no_day(text) {
            return Ok(None);
        }
        day(text).map(Some).ok_or_else(|| bad(column, "a date"))
    }

    pub fn integer(&self, column: &str) -> Result<Option<i64>, Bad> {
        let Some(number) = self.decimal(column)? else {
            return Ok(None);
        };
        let whole = number.is_integer().then(|| number.to_i64()).flatten();
        whole.map(Some).ok_or_else(|| bad(column, "a whole number"))
    }

    /// Like [`Row::text`], where a list or an object is not to pass for a blank.
    fn plain(&self, column: &str, expected: &'static str) -> Result<String, Bad> {
        match self.raw(column) {
            Value::Array(_) | Value::Object(_) => Err(bad(column, expected)),
            _ => Ok(self.text(column)),
        }
    }

    /// SYSPRO's Y and N; anything else is no.
    pub fn flag(&self, column: &str) -> bool {
        matches!(self.text(column).as_str(), "Y" | "y" | "true")
    }

    /// A short hash of these columns that stays while they mean the same: 500, `"500.0"` and
    /// 500.00 are one number, a day is one day in any style, and trailing blanks are nothing.
    pub fn mark<C: AsRef<str>>(&self, columns: &[C]) -> String {
        let mut hash = Sha256::new();
        for column in columns.iter().map(AsRef::as_ref) {
            for part in [column, &self.canonical(column)] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        short(hash)
    }

    /// One text for everything that means the same.
    pub fn canonical(&self, column: &str) -> String {
        let text = self.text(column);
        if is_text(column) {
            return text;
        }
        let is_number = matches!(self.raw(column), Value::Number(_));
        if no_day(&text) {
            String::new()
        } else if day(&text).is_some() {
            text.get(..10).unwrap_or_default().to_owned()
        } else if let Some(number) = (is_number || plainly_a_number(&text))
            .then(|| exact(&text))
            .flatten()
        {
            number.normalize().to_string()
        } else {
            text
        }
    }
}

/// A record's key: its parts joined by `/`, where `%` and `/` inside a part are percent-encoded.
pub fn record_key<P: AsRef<str>>(parts: impl IntoIterator<Item = P>) -> String {
    let encode = |part: P| part.as_ref().replace('%', "%25").replace('/', "%2F");
    parts.into_iter().map(encode).collect::<Vec<_>>().join("/")
}

/// The parts of a record's key.
pub fn key_parts(key: &str) -> Vec<String> {
    let decode = |part: &str| part.replace("%2F", "/").replace("%25", "%");
    key.split('/').map(decode).collect()
}

/// Columns that hold text whatever it looks like: an order number 12.10 is not 12.1.
fn is_text(column: &str) -> bool {
    const TEXTS: [&str; 11] = [
        "Name",
        "Contact",
        "Email",
        "Telephone",
        "CustomerPoNumber",
        "SalesOrder",
        "CustomerClass",
        "TermsCode",
        "Branch",
        "Salesperson",
        "StockCode",
    ];
    TEXTS.contains(&column) || column.starts_with("SoldTo")
}

/// What a web server's status other than a success means; `code` names a plain refusal.
fn said_no(
    system: System,
    response: &Response<Vec<u8>>,
    retry_after: Option<Duration>,
    code: impl Fn(&Response<Vec<u8>>) -> String,
) -> Fault {
    let status = response.status();
    match status {
        StatusCode::UNAUTHORIZED => Fault::Unauthorized { system },
        StatusCode::FORBIDDEN => Fault::Forbidden {
            system,
            missing: Vec::new(),
        },
        StatusCode::TOO_MANY_REQUESTS => Fault::Throttled {
            system,
            window: Window::Second,
            retry_after,
        },
        _ if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            let what = Silence::of(response);
            Fault::NoAnswer { system, what }
        }
        _ => Fault::Refused {
            system,
            status: status.as_u16(),
            refusal: Box::new(Refusal::coded(&code(response))),
        },
    }
}

fn bad(column: &str, expected: &'static str) -> Bad {
    Bad {
        column: column.to_owned(),
        expected,
    }
}

fn exact(text: &str) -> Option<Decimal> {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !text.bytes().all(plain) {
        return None;
    }
    Decimal::from_str(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

/// Leading zeros make a code (`001`), not a number: two codes must not look alike.
fn plainly_a_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split('.').next().unwrap_or(digits);
    !whole.is_empty() && (whole == "0" || !whole.starts_with('0'))
}

/// How an empty date is written: SYSPRO's zeros, or the first day of the server's calendar.
fn no_day(text: &str) -> bool {
    text.starts_with("0000-00-00") || text.starts_with("0001-01-01")
}

fn day(text: &str) -> Option<NaiveDate> {
    let (day, time) = text.split_at_checked(10)?;
    let ends = time.is_empty() || time.starts_with('T') || time.starts_with(' ');
    if !ends {
        return None;
    }
    day::parse(day)
}

#[cfg(test)]
mod tests;
