//! What a reconciliation asks of the ledger.

use serde::Deserialize;

use super::{json, ledger::Fate, targets::Withheld};
use crate::{
    hubspot::Kind,
    platform::{Millis, Statement},
    sorted::SortedMap,
};

/// A record as the ledger has it, and as people see it.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    pub key: String,
    pub status: Fate,
    /// JSON reason.
    pub reason: Option<String>,
    /// Of what was last queued; blank while it is to be read and sent again.
    pub hash: String,
    pub synced_at: Option<Millis>,
    /// When it was first seen, where that was kept.
    pub came_at: Option<Millis>,
    /// JSON array of targets.
    pub targets: String,
    /// JSON: kind -> [`Customer`], of the customer an invoice belongs to.
    pub customer: Option<String>,
}

/// What an invoice is linked to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Linked {
    pub id: String,
    pub withheld: Option<Withheld>,
}

pub type Customer = SortedMap<Kind, Linked>;

pub fn standing(connection: &str, feed: &str, keys: &[&str]) -> Statement {
    Statement::new(
        "select r.key, r.status, r.reason, l.hash, r.synced_at, l.came_at,
           (select json_group_array(json_object('kind', t.kind, 'object_key', t.object_key,
              'hubspot_id', t.hubspot_id, 'hash', t.hash,
              'links', iif(json_valid(t.links), json(t.links), json('{}')),
              'filled', iif(json_valid(t.filled), json(t.filled), json('[]')),
              'status', t.status, 'withheld', t.withheld))
            from targets t
            where t.connection = r.connection and t.feed = r.feed and t.key = r.key) as targets,
           (select json_group_object(c.kind,
              json_object('id', c.hubspot_id, 'withheld', c.withheld)) from targets c
            where c.connection = r.connection and c.feed = 'customers' and c.key = r.parent
              and c.hubspot_id is not null) as customer
         from json_each(?3) j cross join records r cross join ledger l
         where r.connection = ?1 and r.feed = ?2 and r.key = j.value
           and l.connection = ?1 and l.feed = ?2 and l.key = j.value",
        [connection.into(), feed.into(), json(keys)],
    )
}

/// How many records with a date in the period the ledger held at a time, and how many of them are gone
/// from SYSPRO.
pub fn counted(connection: &str, feed: &str, (first, last): (&str, &str), at: Millis) -> Statement {
    Statement::new(
        "select count(*) as held, count(gone_at) as gone from ledger
         where connection = ?1 and feed = ?2 and source_date between ?3 and ?4
           and (came_at is null or came_at < ?5)",
        [
            connection.into(),
            feed.into(),
            first.into(),
            last.into(),
            at.into(),
        ],
    )
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Counted {
    pub held: u64,
    pub gone: u64,
}
