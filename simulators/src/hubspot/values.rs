//! Whether a text may stand in a property, and what HubSpot makes of it.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use rust_decimal::Decimal;
use serde::Serialize;

use super::Version;
use super::errors::Flaw;
use super::schema::{Property, Type};
use crate::Millis;

const DAY: Millis = 86_400_000;
const LONGEST_TEXT: usize = 65_536;

/// An instant the way HubSpot writes it.
pub fn instant(at: Millis) -> String {
    DateTime::from_timestamp_millis(at)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What 2026-09 says when it changed a value instead of refusing it.
#[derive(Clone, Debug, Serialize)]
pub struct Warning {
    category: &'static str,
    message: String,
    context: WarningContext,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WarningContext {
    property_name: [String; 1],
    raw_value: [String; 1],
    normalized_value: [String; 1],
}

pub struct Accepted {
    pub value: String,
    pub warning: Option<Warning>,
}

impl Accepted {
    fn plain(value: impl Into<String>) -> Accepted {
        Accepted {
            value: value.into(),
            warning: None,
        }
    }
}

/// Checks one value; an empty one always passes and clears the property.
pub fn accept(
    property: &Property,
    held: Option<&str>,
    raw: &str,
    version: Version,
) -> Result<Accepted, Flaw> {
    let flaw = |code, message| Err(Flaw::new(&property.name, code, message));
    if property.modification_metadata.read_only_value {
        let message = format!(
            "\"{}\" is a calculated property; its value cannot be set.",
            property.name
        );
        return flaw("READ_ONLY_VALUE", message);
    }
    if raw.is_empty() {
        return Ok(Accepted::plain(""));
    }
    match property.kind {
        Type::String if &*property.name == "email" => match mailbox(raw) {
            Some(address) => Ok(Accepted::plain(address)),
            None => flaw("INVALID_EMAIL", format!("Email address {raw} is invalid")),
        },
        Type::String | Type::PhoneNumber => {
            if raw.chars().count() > LONGEST_TEXT {
                let message = format!("value is longer than {LONGEST_TEXT} characters");
                return flaw("VALUE_TOO_LONG", message);
            }
            Ok(Accepted::plain(raw))
        }
        Type::Number => match number(raw) {
            Some(_) => Ok(Accepted::plain(raw)),
            None => flaw("INVALID_LONG", format!("{raw} was not a valid number.")),
        },
        Type::Bool | Type::Enumeration => choose(property, held, raw),
        Type::DateTime => match moment(raw) {
            Some(at) => Ok(Accepted::plain(instant(at))),
            None => flaw("INVALID_DATE", format!("{raw} was not a valid date.")),
        },
        Type::Date => date(property, raw, version),
    }
}

/// Digits and at most one point, as HubSpot documents it; no exponent, no separators.
pub fn number(raw: &str) -> Option<Decimal> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| raw.parse().ok()).flatten()
}

/// ISO 8601 with a zone, or milliseconds.
pub fn moment(raw: &str) -> Option<Millis> {
    if let Ok(ms) = raw.parse::<Millis>() {
        return DateTime::from_timestamp_millis(ms).map(|_| ms);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(raw) {
        return Some(at.timestamp_millis());
    }
    let day = NaiveDate::parse_from_str(raw, "%Y-%m-%d").ok()?;
    let midnight: NaiveDateTime = day.into();
    Some(midnight.and_utc().timestamp_millis())
}

fn date(property: &Property, raw: &str, version: Version) -> Result<Accepted, Flaw> {
    let Some(at) = moment(raw) else {
        let message = format!("{raw} was not a valid date.");
        return Err(Flaw::new(&property.name, "INVALID_DATE", message));
    };
    let full = instant(at);
    let (day, time) = full.split_at(10);
    if at.rem_euclid(DAY) == 0 {
        return Ok(Accepted::plain(day));
    }
    if version < Version::V2026_09 {
        let time = time.trim_start_matches(['T', '0']).trim_end_matches('Z');
        let message = format!("{raw} is at {time} UTC, not midnight!");
        return Err(Flaw::new(&property.name, "INVALID_DATE", message));
    }
    let warning = Warning {
        category: "PROPERTY_VALUE_NORMALIZED",
        message: format!("The value of {} was normalized.", property.name),
        context: WarningContext {
            property_name: [property.name.to_string()],
            raw_value: [raw.into()],
            normalized_value: [day.into()],
        },
    };
    Ok(Accepted {
        value: day.into(),
        warning: Some(warning),
    })
}

/// One option, or several joined by `;`; a leading `;` adds to what is held.
fn choose(property: &Property, held: Option<&str>, raw: &str) -> Result<Accepted, Flaw> {
    let known = |value: &str| property.options.iter().any(|option| option.value == value);
    if let Some(value) = raw
        .split(';')
        .find(|value| !value.is_empty() && !known(value))
    {
        let allowed: Vec<&str> = property.options.iter().map(|o| o.value.as_str()).collect();
        let message = format!(
            "{value} was not one of the allowed options: [{}]",
            allowed.join(", ")
        );
        return Err(Flaw::new(&property.name, "INVALID_OPTION", message));
    }
    let Some(more) = raw.strip_prefix(';') else {
        return Ok(Accepted::plain(raw));
    };
    let mut all: Vec<&str> = held.into_iter().flat_map(|held| held.split(';')).collect();
    for value in more.split(';') {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    Ok(Accepted::plain(all.join(";")))
}

/// An address in lower case, if it is one.
fn mailbox(raw: &str) -> Option<String> {
    let raw: Cow<'_, str> = raw.trim().to_lowercase().into();
    let (name, host) = raw.split_once('@')?;
    let sound = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii() && !c.is_ascii_whitespace() && !"@,;<>()\"".contains(c))
    };
    let dotted = host.contains('.') && host.split('.').all(|label| !label.is_empty());
    (sound(name) && sound(host) && dotted).then(|| raw.clone().into_owned())
}
