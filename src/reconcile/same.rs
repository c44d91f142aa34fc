//! Whether HubSpot holds what was sent, however it spells numbers, days and yes and no.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;

use crate::{
    sorted::SortedMap,
    {feeds::properties::definitions, hubspot::Kind, platform::Millis},
};

/// What a property holds, as far as it may be spelled in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Day,
    Moment,
    Flag,
}

/// HubSpot's own properties that are ours to fill and are no texts.
const STANDARD: [(&str, Form); 5] = [
    ("hs_invoice_date", Form::Moment),
    ("hs_due_date", Form::Moment),
    ("hs_amount_billed", Form::Number),
    ("quantity", Form::Number),
    ("price", Form::Number),
];

/// The forms of all properties that are no texts, by name.
pub struct Forms(SortedMap<String, Form>);

impl Forms {
    pub fn of(prefix: &str) -> Self {
        let own = Kind::ALL
            .into_iter()
            .flat_map(|kind| definitions(kind, prefix))
            .map(|it| (it.name, form(it.data_type)));
        let standard = STANDARD.map(|(name, form)| (name.to_owned(), form));
        Self(own.chain(standard).collect())
    }

    /// `found` is blank where HubSpot has no value.
    pub fn same(&self, name: &str, wanted: &str, found: &str) -> bool {
        let (wanted, found) = (wanted.trim(), found.trim());
        if wanted == found {
            return true;
        }
        if wanted.is_empty() || found.is_empty() {
            return false;
        }
        match self.0.get(name).copied().unwrap_or(Form::Text) {
            Form::Text => false,
            Form::Number => equal(number(wanted), number(found)),
            Form::Day => equal(day(wanted), day(found)),
            Form::Moment => equal(moment(wanted), moment(found)),
            Form::Flag => wanted.eq_ignore_ascii_case(found),
        }
    }
}

fn form(data_type: &str) -> Form {
    match data_type {
        "number" => Form::Number,
        "date" => Form::Day,
        "bool" => Form::Flag,
        _ => Form::Text,
    }
}

/// What neither side can read is not the same.
fn equal<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    a.is_some() && a == b
}

pub fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse()
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

/// A day by itself, or as milliseconds or an instant at its beginning in UTC.
fn day(text: &str) -> Option<NaiveDate> {
    if let Some(day) = crate::day::parse(text) {
        return Some(day);
    }
    let at = DateTime::from_timestamp_millis(moment(text)?)?;
    Some(at.date_naive())
}

fn moment(text: &str) -> Option<Millis> {
    let instant = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    instant.ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_no_difference_and_a_value_is() {
        let forms = Forms::of("syspro_");
        let check = |name: &str, wanted: &str, found: &str| forms.same(name, wanted, found);
        assert!(check("syspro_total", "100", "100.00"));
        assert!(check("syspro_total", "1500000", "1.5E6"));
        assert!(!check("syspro_total", "100", "100.01"));
        assert!(!check("syspro_total", "100", ""));
        assert!(check("syspro_net", "", ""));
        assert!(check("syspro_due_date", "2026-10-31", "1793404800000"));
        assert!(check(
            "syspro_due_date",
            "2026-10-31",
            "2026-10-31T00:00:00Z"
        ));
        assert!(!check("syspro_due_date", "2026-10-31", "2026-10-30"));
        assert!(check(
            "hs_due_date",
            "2026-10-31T12:00:00Z",
            "2026-10-31T12:00:00.000Z"
        ));
        assert!(check("syspro_on_hold", "true", "True"));
        assert!(!check("syspro_on_hold", "true", "false"));
        // A number on a document is a text: its zeros are part of it.
        assert!(!check("syspro_invoice_number", "12", "012"));
        assert!(check("syspro_terms_description", "Net 30", "Net 30 "));
        assert!(!check("quantity", "two", "2"));
        assert!(check("price", "4.5", "4.50"));
    }
}
