//! When an invoice was made and falls due, and how HubSpot is told.

use chrono::{Days, NaiveDate, SecondsFormat, TimeDelta};

use super::Document;
use crate::{
    fault::Reason,
    feeds::Context,
    syspro::{Bad, Row},
};

pub struct Dates {
    pub invoiced: Option<NaiveDate>,
    pub due: Option<NaiveDate>,
}

impl Dates {
    pub fn of(
        row: &Row,
        document: Document,
        context: &Context,
        warnings: &mut Vec<Reason>,
    ) -> Result<Self, Bad> {
        let Some(invoiced) = row.date("InvoiceDate")? else {
            warnings.push(no_date());
            let (invoiced, due) = (None, None);
            return Ok(Self { invoiced, due });
        };
        if document == Document::Credit {
            let (invoiced, due) = (Some(invoiced), None);
            return Ok(Self { invoiced, due });
        }
        let code = row.key_text("TermsCode");
        let rule = context
            .lookups
            .terms
            .get(&code)
            .and_then(|terms| terms.rule);
        let by_rule = rule.and_then(|rule| rule.due(invoiced));
        let days = context.settings.default_due_days;
        let due = by_rule.or_else(|| {
            warnings.push(unknown_terms(&code, days));
            invoiced.checked_add_days(Days::new(days.into()))
        });
        let invoiced = Some(invoiced);
        Ok(Self { invoiced, due })
    }
}

/// Noon in the portal's zone: neither a summer hour nor a neighbour's zone makes it another day.
pub fn noon(day: Option<NaiveDate>, context: &Context) -> String {
    let Some(noon) = day.and_then(|day| day.and_hms_opt(12, 0, 0)) else {
        return String::new();
    };
    let ahead = TimeDelta::try_milliseconds(context.account.noon_offset_ms()).unwrap_or_default();
    let utc = noon.checked_sub_signed(ahead).unwrap_or(noon);
    utc.and_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn no_date() -> Reason {
    Reason::new(
        "no_invoice_date",
        "The invoice has no date in SYSPRO; HubSpot shows the day it was created there.",
        "",
    )
    .on("InvoiceDate")
}

fn unknown_terms(code: &str, days: u32) -> Reason {
    Reason::new(
        "unknown_terms",
        format!("No due date follows from the terms code {code:?}: {days} days after the invoice are assumed."),
        "Check the terms code's rule in SYSPRO, or set `default_due_days`.",
    )
    .on("TermsCode")
}
