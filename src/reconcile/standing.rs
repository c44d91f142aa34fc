//! Which records can be compared with HubSpot at all. One that is not in sync, or whose latest state
//! has not been sent yet, is told as such: HubSpot did nothing to it.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    fault::Reason,
    feeds::{Outcome, Payload, Record},
    hash::hash,
    store::{
        ledger::Fate,
        reconcile::Standing,
        targets::{Target, Withheld},
    },
    typed,
};

/// Why a record is not compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    pub status: Fate,
    pub code: String,
    pub reason: String,
}

impl Left {
    fn new(status: Fate, code: &str, reason: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn because(status: Fate, reason: &Reason) -> Self {
        Self::new(status, &reason.code, &reason.reason)
    }

    /// A contact that people deleted.
    pub fn contact_deleted() -> Self {
        let reason =
            "The contact was deleted in HubSpot, so it is left out; its company is compared.";
        Self::new(Fate::Excluded, "contact_deleted", reason)
    }
}

/// The payload HubSpot should hold now, or why it cannot be compared. `horizon` is the first day of
/// the history that is synced.
///
/// # Errors
/// Why it is left aside.
pub fn comparable<'a>(
    record: &Record,
    outcome: &'a Outcome,
    standing: Option<&Standing>,
    targets: &[Target],
    horizon: NaiveDate,
) -> Result<&'a Payload, Left> {
    if let Outcome::Excluded(reason, _) = outcome {
        return Err(Left::because(Fate::Excluded, reason));
    }
    let Some(standing) = standing else {
        return Err(never_read(record, horizon));
    };
    if standing.status != Fate::Synced {
        return Err(not_in_sync(standing));
    }
    let header = targets.iter().find(|it| it.object_key == record.key);
    if header.is_some_and(|it| it.withheld == Some(Withheld::Merged)) {
        return Err(Left::new(
            Fate::Excluded,
            "merged",
            "Its record was merged with another customer's in HubSpot and keeps that one's values.",
        ));
    }
    match outcome {
        Outcome::Send(payload) if standing.hash == hash(payload) => Ok(payload),
        Outcome::Send(_) if standing.hash.is_empty() => Err(Left::new(
            Fate::Waiting,
            "due",
            "It is about to be read and sent again.",
        )),
        Outcome::Send(_) => Err(Left::new(
            Fate::Waiting,
            "changed",
            "It changed in SYSPRO since it was last sent: the next run sends it.",
        )),
        Outcome::AskAgain(reason) | Outcome::Failing(reason) | Outcome::Excluded(reason, _) => {
            Err(Left::because(Fate::Waiting, reason))
        }
    }
}

fn not_in_sync(standing: &Standing) -> Left {
    let reason = standing.reason.as_deref();
    match reason.and_then(|text| typed::from_str::<Reason>(text).ok()) {
        Some(reason) => Left::because(standing.status, &reason),
        None => Left::new(standing.status, "waiting", "It waits to be sent."),
    }
}

/// The ledger does not hold it.
fn never_read(record: &Record, horizon: NaiveDate) -> Left {
    let day = record.header.date("InvoiceDate").ok().flatten();
    let paid = matches!(record.header.decimal("InvoiceBal1"), Ok(Some(it)) if it == Decimal::ZERO);
    match day.is_some_and(|day| day < horizon) && paid {
        true => Left::new(
            Fate::Excluded,
            "history",
            "It is paid and older than the setting `history_days` reaches, so it is not synced.",
        ),
        false => Left::new(
            Fate::Waiting,
            "not_read",
            "It was not taken up yet: the next runs do.",
        ),
    }
}
