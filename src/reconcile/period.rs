//! What a reconciliation is asked for: the first and the last day of the invoices it compares.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::connection::Problem;
use crate::day;

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
        let Ok(body) = serde_json::from_str::<Map<String, Value>>(text) else {
            return Err(vec![problem("body", "is no JSON object", FORM)]);
        };
        let mut problems: Vec<Problem> = body
            .keys()
            .filter(|name| !matches!(name.as_str(), "from" | "to"))
            .map(|name| problem(name, "is not known here", FORM))
            .collect();
        let mut day = |name: &str| match body.get(name) {
            None => {
                problems.push(problem(name, "is missing", FORM));
                None
            }
            Some(value) => {
                let day = value.as_str().and_then(day::parse);
                if day.is_none() {
                    problems.push(problem(name, "is not a date", "Write it like 2026-10-31."));
                }
                day
            }
        };
        let days: (Option<NaiveDate>, Option<NaiveDate>) = (day("from"), day("to"));
        match days {
            (Some(from), Some(to)) if from > to => {
                let remedy = "Give the first day in `from`, the last one in `to`.";
                problems.push(problem("to", "is before from", remedy));
                Err(problems)
            }
            (Some(from), Some(to)) if problems.is_empty() => Ok(Self { from, to }),
            _ => Err(problems),
        }
    }
}

fn problem(path: &str, reason: &str, remedy: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
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
            expect!["feed is not known here; from is not a date; to is not a date"],
        );
        check("{}", expect!["from is missing; to is missing"]);
        check("[]", expect!["body is no JSON object"]);
    }
}
