//! A day as both systems and people write it: 2026-10-31. chrono's own reader knows every way to
//! write one, which would be a sixtieth of the Worker.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, de::Error};

pub fn parse(text: &str) -> Option<NaiveDate> {
    let mut parts = text.splitn(3, '-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| part.parse::<u16>().ok())?
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())
}

/// For a field that holds a day or none, as [`NaiveDate`] is written.
///
/// # Errors
/// It holds something else.
pub fn read<'de, D: Deserializer<'de>>(field: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = Option::<String>::deserialize(field)?;
    let day = text.map(|text| parse(&text).ok_or_else(|| D::Error::custom("no day")));
    day.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_it_is_written_and_nothing_else_is_one() {
        for text in ["2026-10-31", "2024-02-29", "0001-01-01", "9999-12-31"] {
            let day = parse(text).expect(text);
            assert_eq!(day.to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-10",
            "2026-10-32",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-5",
            "26-10-31",
            "+026-10-31",
            "2026-10-31T00:00",
            "2026-10-31-1",
            " 2026-10-31",
            "2026/10/31",
            "２０２６-10-31",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
