//! The audit: one row for every write whose answer was read, and for every row that was rejected.

use serde::Serialize;

use super::json;
use crate::platform::{Arg, Millis, Statement};

#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Derived from run, step and key, so that the same attempt is the same row.
    pub id: String,
    pub feed: String,
    pub key: String,
    pub outcome: String,
    pub revision: Option<i64>,
    pub source_date: Option<String>,
    pub source_version: Option<String>,
    pub seen_at: Option<Millis>,
    pub taken_at: Option<String>,
    /// JSON: reason, warnings, objects.
    pub said: String,
}

/// Answers the ids written.
pub fn write(connection: &str, now: Millis, entries: &[Entry]) -> Statement {
    Statement::new(
        "insert into audit (connection, id, feed, key, outcome, at, revision, source_date,
           source_version, seen_at, taken_at, said)
         select ?1, value ->> 'id', value ->> 'feed', value ->> 'key', value ->> 'outcome', ?2,
           value ->> 'revision', value ->> 'source_date', value ->> 'source_version',
           value ->> 'seen_at', value ->> 'taken_at', value ->> 'said'
         from json_each(?3) where true
         on conflict (connection, id) do update set at = iif(outcome = 'rejected', at, excluded.at)
         returning at = ?2 as news",
        [connection.into(), now.into(), json(entries)],
    )
}

/// Newest first; `before` is the id of the last row of the page before.
pub fn page(connection: &str, filter: &Filter<'_>, before: Option<&str>, limit: u32) -> Statement {
    Statement::new(
        "select id, feed, key, outcome, at, revision, source_date, source_version, seen_at, taken_at,
           said
         from audit
         where connection = ?1 and (?2 is null or id < ?2) and (?3 is null or at >= ?3)
           and (?4 is null or feed = ?4) and (?5 is null or key = ?5)
         order by id desc limit ?6",
        [
            connection.into(),
            before.into(),
            filter.since.into(),
            filter.feed.into(),
            filter.key.into(),
            Arg::Number(i64::from(limit)),
        ],
    )
}

/// The records of people's that were once taken over for these keys, as far back as the audit goes: also
/// before the connection was removed and made anew. The index is named, for left to itself the planner
/// reads all of the connection's audit for every key.
pub fn adopted(connection: &str, feed: &str, kind: &str, keys: &[&str]) -> Statement {
    Statement::new(
        "select distinct a.key, iif(o.type = 'object', o.value ->> 'hubspot_id', null) as id
         from json_each(?4) j cross join audit a indexed by audit_by_record
           cross join json_each(iif(json_valid(a.said), a.said, '{}'), '$.adopted') o
         where a.connection = coalesce((select shadow_of from connections where id = ?1), ?1)
           and a.feed = ?2 and a.key = j.value
           and iif(o.type = 'object', o.value ->> 'kind', null) = ?3",
        [connection.into(), feed.into(), kind.into(), json(keys)],
    )
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub since: Option<Millis>,
    pub feed: Option<&'a str>,
    pub key: Option<&'a str>,
}
