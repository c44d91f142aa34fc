//! Targets: the HubSpot objects that came of a ledger row, and what was last sent of each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::json;
use crate::{
    hubspot::Kind,
    platform::{Millis, Statement},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub kind: Kind,
    /// The value of its unique property.
    pub object_key: String,
    pub hubspot_id: Option<String>,
    /// Of the properties last sent; blank when they must be sent again. Without an id: of the content
    /// of a line item that was to be created, and nobody knows whether it was.
    pub hash: String,
    /// Which id of a kind it was last linked to.
    pub links: BTreeMap<Kind, String>,
    /// The properties we ever filled: only these are ever blanked.
    pub filled: BTreeSet<String>,
    /// The `hs_invoice_status` last sent.
    pub status: Option<String>,
    pub withheld: Option<Withheld>,
}

/// Why a part is left out until its source changes or it is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The e-mail belongs to another contact, or HubSpot finds it invalid.
    Email,
    /// A person deleted the record in HubSpot.
    Deleted,
    /// It is another record's as well, which it goes on being written from.
    Merged,
}

impl Target {
    pub fn new(kind: Kind, object_key: &str) -> Self {
        Self {
            kind,
            object_key: object_key.to_owned(),
            hubspot_id: None,
            hash: String::new(),
            links: BTreeMap::new(),
            filled: BTreeSet::new(),
            status: None,
            withheld: None,
        }
    }

    /// A line item that may have been created without our hearing of it.
    pub fn is_tried(&self) -> bool {
        self.kind == Kind::LineItem && self.hubspot_id.is_none() && !self.hash.is_empty()
    }

    /// All of it is to be sent again, as if it had never been: a replay asked for that.
    pub fn is_replayed(&self) -> bool {
        self.hash.is_empty() && self.links.is_empty()
    }

    /// Neither it nor its own links are written.
    pub fn is_left_alone(&self) -> bool {
        matches!(self.withheld, Some(Withheld::Deleted | Withheld::Merged))
    }
}

/// A target and the ledger row it belongs to.
#[derive(Debug, Serialize)]
pub struct Owned<'a> {
    pub key: &'a str,
    #[serde(flatten)]
    pub target: &'a Target,
}

pub fn save(connection: &str, feed: &str, targets: &[Owned<'_>]) -> Statement {
    Statement::new(
        "insert into targets (connection, feed, key, kind, object_key, hubspot_id, hash, links,
           filled, status, withheld)
         select ?1, ?2, value ->> 'key', value ->> 'kind', value ->> 'object_key',
           value ->> 'hubspot_id', value ->> 'hash', value -> 'links', value -> 'filled',
           value ->> 'status', value ->> 'withheld'
         from json_each(?3) where true
         on conflict (connection, feed, key, kind, object_key) do update set
           hubspot_id = excluded.hubspot_id, hash = excluded.hash, links = excluded.links,
           filled = excluded.filled, status = excluded.status, withheld = excluded.withheld",
        [connection.into(), feed.into(), json(targets)],
    )
}

/// Forgets targets whose object was archived in HubSpot because SYSPRO no longer has it.
pub fn forget(connection: &str, feed: &str, gone: &[(&str, Kind, &str)]) -> Statement {
    Statement::new(
        "with j as materialized (select value ->> 0 as key, value ->> 1 as kind,
             value ->> 2 as object_key from json_each(?3))
         delete from targets where connection = ?1 and feed = ?2
           and (key, kind, object_key) in (select key, kind, object_key from j)",
        [connection.into(), feed.into(), json(gone)],
    )
}

/// Has the records below these keys that are in sync read and looked at again: what they are to be
/// linked to is another object than when they were sent. What stands of them is not sent again.
pub fn follow(connection: &str, feed: &str, now: Millis, parents: &[&str]) -> Statement {
    Statement::new(
        "with j as materialized (select value as key from json_each(?4))
         update ledger set due = ?3, hash = '' from j
         where ledger.connection = ?1 and ledger.feed = ?2
           and ledger.key > j.key || '/' and ledger.key < j.key || '0'
           and ledger.fate = 'synced' and ledger.gone_at is null",
        [connection.into(), feed.into(), now.into(), json(parents)],
    )
}
