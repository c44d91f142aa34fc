//! What a cell holds, what a column takes, and what makes a key.

use std::cmp::Ordering;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::collation;

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    /// Raw text, with whatever blanks pad it.
    Text(String),
    Decimal(Decimal),
    Integer(i64),
    Date(NaiveDate),
    /// A rowversion: no date, only "not the same as before".
    Stamp(u64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Self::Decimal(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<NaiveDate> for Value {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

impl From<Option<NaiveDate>> for Value {
    fn from(date: Option<NaiveDate>) -> Self {
        date.map_or(Self::Null, Self::Date)
    }
}

/// The SQL type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `varchar(n)`
    Varchar(usize),
    /// `char(n)`: always filled up with blanks
    Char(usize),
    /// `decimal(precision, scale)` with a scale
    Decimal(usize, u32),
    /// `decimal(precision, 0)`
    Integer(usize),
    Date,
    Stamp,
}

impl Kind {
    pub fn is_text(self) -> bool {
        matches!(self, Self::Varchar(_) | Self::Char(_))
    }

    /// What a column holds that nobody filled: a blank rather than nothing, as SYSPRO leaves it.
    pub(super) fn unfilled(self) -> Value {
        match self {
            Self::Varchar(_) => Value::from(" "),
            Self::Char(width) => Value::Text(" ".repeat(width)),
            Self::Decimal(_, scale) => Value::Decimal(Decimal::new(0, scale)),
            Self::Integer(_) => Value::Integer(0),
            Self::Date => Value::Null,
            Self::Stamp => Value::Stamp(0),
        }
    }

    /// The value as this column stores it; given back where the database would refuse it.
    pub(super) fn stored(self, value: Value) -> Result<Value, Value> {
        match (self, value) {
            (Self::Varchar(width), Value::Text(text)) if fits(&text, width) => {
                Ok(Value::Text(text))
            }
            (Self::Char(width), Value::Text(text)) if fits(&text, width) => {
                Ok(Value::Text(format!("{text:<width$}")))
            }
            (Self::Decimal(_, scale), Value::Decimal(mut number)) => {
                if number.scale() != scale {
                    number.rescale(scale);
                }
                Ok(Value::Decimal(number))
            }
            (Self::Integer(_), value @ Value::Integer(_))
            | (Self::Date, value @ (Value::Date(_) | Value::Null))
            | (Self::Stamp, value @ (Value::Stamp(_) | Value::Null)) => Ok(value),
            (_, value) => Err(value),
        }
    }

    /// A value of this kind spelled as text, as tests and keys spell it.
    pub(super) fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::Varchar(_) | Self::Char(_) => Some(Value::from(text)),
            Self::Decimal(..) => text.trim().parse().ok().map(Value::Decimal),
            Self::Integer(_) => text.trim().parse().ok().map(Value::Integer),
            Self::Date => text.trim().parse().ok().map(Value::Date),
            Self::Stamp => text.trim().parse().ok().map(Value::Stamp),
        }
    }
}

/// Letters are counted only where the bytes alone leave a doubt.
fn fits(text: &str, width: usize) -> bool {
    text.len() <= width || text.chars().count() <= width
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub key: bool,
}

/// A primary key. Two keys that differ only in trailing blanks are one, as in SQL Server.
#[derive(Clone, Debug)]
pub struct Key(pub Vec<Value>);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = self.0.iter().zip(&other.0);
        parts
            .map(|(left, right)| order(left, right))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// The order of the primary index. Keys that differ only in case stay two keys, so that a site
/// with a binary collation can be simulated on the same table.
fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) if left == right => Ordering::Equal,
        (Value::Text(left), Value::Text(right)) => {
            collation::folded(left, right).then_with(|| collation::binary(left, right))
        }
        (Value::Decimal(left), Value::Decimal(right)) => left.cmp(right),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Stamp(left), Value::Stamp(right)) => left.cmp(right),
        _ => Ordering::Equal,
    }
}
