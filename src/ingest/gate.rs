//! What stands against a record beside what it holds itself: a trial that has all its customers, an
//! invoice's excluded customer, and people who deleted it for good.

use super::customer_of;
use crate::{
    context::Run,
    feeds::{CUSTOMERS, Feed, INVOICES, Outcome, Record, rules},
    platform::Platform,
    send::Halt,
    sorted::{SortedMap, SortedSet},
    store::{
        family,
        ledger::{Fate, Known},
        rows_as,
    },
};

#[derive(Default)]
pub struct Gate {
    /// Of the invoices' customers, those that are excluded.
    excluded: SortedSet<String>,
    /// How many customers the trial holds, and how many more it may take up.
    trial: Option<(u32, u32)>,
}

impl Gate {
    /// What has to be known to judge these records. Nothing is asked where nothing can stand against
    /// them.
    pub async fn before<P: Platform>(
        run: &Run<'_, P>,
        feed: &Feed,
        records: &[Record],
        known: &SortedMap<String, Known>,
    ) -> Result<Self, Halt> {
        let mut gate = Self::default();
        let connection = run.connection.id.as_str();
        if feed.name == INVOICES.name {
            let customers: SortedSet<String> = records
                .iter()
                .map(|record| customer_of(&record.key))
                .collect();
            let customers: Vec<&str> = customers.iter().map(String::as_str).collect();
            let statement = family::excluded(connection, &customers);
            let mut rows = run.store.read(&[statement]).await?;
            let excluded: Vec<family::Customer> = rows_as(rows.pop().unwrap_or_default())?;
            gate.excluded = excluded.into_iter().map(|customer| customer.key).collect();
        }
        let Some(places) = run.connection.settings.trial else {
            return Ok(gate);
        };
        let applies = |record: &Record| !takes_part(known.get(&record.key));
        if feed.name == CUSTOMERS.name && records.iter().any(applies) {
            let mut rows = run.store.read(&[family::wanted(connection)]).await?;
            let wanted: Vec<family::Wanted> = rows_as(rows.pop().unwrap_or_default())?;
            let taken = wanted.first().map_or(0, |wanted| wanted.customers);
            gate.trial = Some((places, places.saturating_sub(taken)));
        }
        Ok(gate)
    }

    /// What becomes of a record whose own content says `outcome`.
    pub fn pass(&mut self, record: &Record, known: Option<&Known>, outcome: Outcome) -> Outcome {
        let customer = customer_of(&record.key);
        if self.excluded.contains(&customer) && customer != record.key {
            return Outcome::Excluded(rules::customer_excluded(&customer), None);
        }
        if matches!(outcome, Outcome::Excluded(..)) {
            return outcome;
        }
        if known.is_some_and(|known| known.deleted == 1) {
            let reason = rules::deleted_for_good(customer == record.key);
            return Outcome::Excluded(reason, None);
        }
        let Some((places, left)) = &mut self.trial else {
            return outcome;
        };
        if takes_part(known) {
            return outcome;
        }
        if *left == 0 {
            return Outcome::Excluded(rules::beyond_trial(*places), None);
        }
        *left -= 1;
        outcome
    }
}

/// Whoever was taken up, or is in HubSpot since before the trial, stays: a trial only keeps others out.
fn takes_part(known: Option<&Known>) -> bool {
    known.is_some_and(|known| known.fate != Fate::Excluded || known.sent == 1)
}
