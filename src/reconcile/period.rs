//! What a reconciliation is asked for: the first and the last day of the invoices it compares.

use chrono::NaiveDate;

use crate::connection::{Problem, reader};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

const FORM: &str = r#"Send {"from":"2026-10-01","to":"2026-10-31"}: the first and the last day."#;

impl Period {
    /// Reads a request's body.
    ///
    /// # Errors
    /// Every problem, with its path.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let [from, to] = reader::body(text, |fields| {
            ["from", "to"].map(|name| {
                if !fields.has(name) {
                    fields.wrong(name, "is missing", FORM);
                }
                fields.day(name).unwrap_or_default()
            })
        })?;
        if from > to {
            let remedy = "Give the first day in `from`, the last one in `to`.";
            return Err(vec![Problem::new("to", "is before from", remedy)]);
        }
        Ok(Self { from, to })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(body: &str, expect: Expect) {
        let said = match Period::parse(body) {
            Ok(period) => format!("{} to {}", period.from, period.to),
            Err(problems) => {
                let said = problems
                    .iter()
                    .map(|it| format!("{} {}", it.path, it.reason));
                said.collect::<Vec<_>>().join("; ")
            }
        };
        expect.assert_eq(&said);
    }

    #[test]
    fn two_days_and_nothing_else() {
        check(
            r#"{"from":"2026-10-01","to":"2026-10-01"}"#,
            expect!["2026-10-01 to 2026-10-01"],
        );
        check(
            r#"{"from":"2026-10-02","to":"2026-10-01"}"#,
            expect!["to is before from"],
        );
        check(
            r#"{"from":"yesterday","to":20261001,"feed":"x"}"#,
            expect!["from is not a day; to is not a day; feed is not a field of this object"],
        );
        check("{}", expect!["from is missing; to is missing"]);
        check("[]", expect!["body is not a JSON object"]);
    }
}
