//! What becomes of a customer's invoices when it is excluded, and when it comes back.
//!
//! Invoices of an excluded customer wait for nothing: what they hold is not kept, and once the
//! customer is back they are read again.

use serde::Deserialize;
use serde_json::json;

use super::{json, ledger::MERGED};
use crate::{
    fault::Reason,
    feeds::{CUSTOMERS, INVOICES, rules},
    hash::hash,
    platform::{Millis, Statement},
};

#[derive(Clone, Debug, Deserialize)]
pub struct Customer {
    pub key: String,
}

/// Those of these customers whose invoices are not sent.
pub fn excluded(connection: &str, customers: &[&str]) -> Statement {
    Statement::new(
        "select l.key from json_each(?3) j cross join ledger l
         where l.connection = ?1 and l.feed = ?2 and l.key = j.value and l.fate = 'excluded'
           and iif(json_valid(l.reason), l.reason ->> 'code', '') <> ?4",
        [
            connection.into(),
            CUSTOMERS.name.into(),
            json(customers),
            MERGED.into(),
        ],
    )
}

/// How many customers are wanted, or not judged yet.
pub fn wanted(connection: &str) -> Statement {
    Statement::new(
        "select count(*) as customers from ledger
         where connection = ?1 and feed = ?2 and fate <> 'excluded'",
        [connection.into(), CUSTOMERS.name.into()],
    )
}

#[derive(Clone, Debug, Deserialize)]
pub struct Wanted {
    pub customers: u32,
}

/// Invoices of those of these customers that are excluded now: what waits to be sent is excluded with
/// them. One that is gone from SYSPRO is sent: it could not be read again.
pub fn leave(connection: &str, customers: &[&str]) -> Statement {
    let leaving = |customer: &&str| {
        let reason: Reason = rules::customer_excluded(customer);
        (
            (*customer).to_owned(),
            json!(reason).to_string(),
            hash(&reason),
        )
    };
    let leaving: Vec<(String, String, String)> = customers.iter().map(leaving).collect();
    Statement::new(
        "with j as materialized (select value ->> 0 as customer, value ->> 1 as reason,
             value ->> 2 as hash from json_each(?3))
         update ledger set fate = 'excluded', reason = j.reason, hash = j.hash, payload = null,
           due = null, revision = revision + 1
         from j
         where ledger.connection = ?1 and ledger.feed = ?2
           and ledger.key > j.customer || '/' and ledger.key < j.customer || '0'
           and ledger.fate in ('waiting', 'failing') and ledger.gone_at is null
           and exists (select 1 from ledger c where c.connection = ?1 and c.feed = ?4
             and c.key = j.customer and c.fate = 'excluded')",
        [
            connection.into(),
            INVOICES.name.into(),
            json(&leaving),
            CUSTOMERS.name.into(),
        ],
    )
}

/// Invoices that were excluded with these customers are read again: the customers are back.
pub fn come_back(connection: &str, now: Millis, customers: &[&str]) -> Statement {
    Statement::new(
        "with j as materialized (select value as customer from json_each(?4))
         update ledger set due = ?3, hash = '' from j
         where ledger.connection = ?1 and ledger.feed = ?2
           and ledger.key > j.customer || '/' and ledger.key < j.customer || '0'
           and ledger.fate = 'excluded'
           and iif(json_valid(ledger.reason), ledger.reason ->> 'code', '') = ?5",
        [
            connection.into(),
            INVOICES.name.into(),
            now.into(),
            json(customers),
            rules::CUSTOMER_EXCLUDED.into(),
        ],
    )
}
