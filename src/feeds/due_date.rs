//! When an invoice falls due: SYSPRO keeps no due date, it follows from the rule of its terms.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Serialize;

use crate::syspro::Row;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Rule {
    /// So many days after the invoice.
    Days(u32),
    /// A day of the month, the next month's when it has passed, and so many months later.
    DayOfMonth {
        day: u32,
        months: u32,
    },
    On(NaiveDate),
}

impl Rule {
    /// Only the code for days (`N`) is documented. Another code counts where just one of the two
    /// other rules is filled in; where both are, or none, the rule is not known.
    pub fn read(terms: &Row) -> Option<Self> {
        let option = terms.text("InvoiceOption");
        let count = |column: &str| {
            let number = terms.integer(column).ok().flatten();
            number.and_then(|number| u32::try_from(number).ok())
        };
        let day = count("InvDayOfMonth").filter(|day| (1..=31).contains(day));
        let on = terms.date("InvDate").ok().flatten();
        let months = count("InvMonths").unwrap_or(0);
        match (option.as_str(), day, on) {
            ("N", _, _) | ("", None, None) => count("DueDays").map(Rule::Days),
            (_, Some(day), None) => Some(Rule::DayOfMonth { day, months }),
            (_, None, Some(on)) => Some(Rule::On(on)),
            _ => None,
        }
    }

    pub fn due(self, invoiced: NaiveDate) -> Option<NaiveDate> {
        match self {
            Rule::Days(days) => invoiced.checked_add_days(Days::new(days.into())),
            Rule::On(day) => Some(day),
            Rule::DayOfMonth { day, months } => {
                let passed = invoiced.day() > day.min(last_day(invoiced));
                let first = invoiced.with_day(1)?;
                let months = months.checked_add(passed.into())?;
                let month = first.checked_add_months(Months::new(months))?;
                month.with_day(day.min(last_day(month)))
            }
        }
    }
}

fn last_day(of: NaiveDate) -> u32 {
    of.num_days_in_month().into()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;

    fn check(terms: Value, invoiced: &str, expect: Expect) {
        let Value::Object(row) = terms else {
            panic!("not a row");
        };
        let rule = Rule::read(&Row(row));
        let due = rule.and_then(|rule| rule.due(invoiced.parse().expect("a day")));
        expect.assert_eq(&format!("{rule:?} {due:?}"));
    }

    #[test]
    fn days_after_the_invoice() {
        let terms = |days: Value| json!({ "InvoiceOption": "N", "DueDays": days, "InvDayOfMonth": 0, "InvDate": null });
        check(
            terms(json!(30)),
            "2024-01-31",
            expect!["Some(Days(30)) Some(2024-03-01)"],
        );
        check(
            terms(json!("0")),
            "2024-01-31",
            expect!["Some(Days(0)) Some(2024-01-31)"],
        );
        check(terms(json!(-1)), "2024-01-31", expect!["None None"]);
        check(terms(json!("soon")), "2024-01-31", expect!["None None"]);
        check(
            json!({ "DueDays": 14 }),
            "2024-02-28",
            expect!["Some(Days(14)) Some(2024-03-13)"],
        );
        check(
            terms(json!(4_000_000_000_u32)),
            "2024-01-31",
            expect!["Some(Days(4000000000)) None"],
        );
    }

    #[test]
    fn a_day_of_the_month() {
        let terms = |day: u32, months: u32| json!({ "InvoiceOption": "D", "DueDays": 0, "InvDayOfMonth": day, "InvMonths": months, "InvDate": "0000-00-00" });
        check(
            terms(15, 0),
            "2024-01-10",
            expect!["Some(DayOfMonth { day: 15, months: 0 }) Some(2024-01-15)"],
        );
        check(
            terms(15, 0),
            "2024-01-15",
            expect!["Some(DayOfMonth { day: 15, months: 0 }) Some(2024-01-15)"],
        );
        check(
            terms(15, 0),
            "2024-12-31",
            expect!["Some(DayOfMonth { day: 15, months: 0 }) Some(2025-01-15)"],
        );
        check(
            terms(15, 1),
            "2024-01-16",
            expect!["Some(DayOfMonth { day: 15, months: 1 }) Some(2024-03-15)"],
        );
        check(
            terms(31, 0),
            "2024-02-29",
            expect!["Some(DayOfMonth { day: 31, months: 0 }) Some(2024-02-29)"],
        );
        check(
            terms(31, 1),
            "2024-01-31",
            expect!["Some(DayOfMonth { day: 31, months: 1 }) Some(2024-02-29)"],
        );
        check(terms(32, 0), "2024-01-31", expect!["None None"]);
    }

    #[test]
    fn a_fixed_day_or_no_rule_at_all() {
        let terms = |day: u32, on: &str| json!({ "InvoiceOption": "F", "DueDays": 9, "InvDayOfMonth": day, "InvDate": on });
        check(
            terms(0, "2024-11-30T00:00:00Z"),
            "2024-01-31",
            expect!["Some(On(2024-11-30)) Some(2024-11-30)"],
        );
        check(terms(15, "2024-11-30"), "2024-01-31", expect!["None None"]);
        check(terms(0, ""), "2024-01-31", expect!["None None"]);
    }
}
