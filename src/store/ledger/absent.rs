//! Rows of the ledger that SYSPRO does not show where it was looked at: open invoices that are no more
//! open, what left the books, what is older than the history.

use serde::Deserialize;

use super::{Fate, MERGED};
use crate::{
    feeds::rules::CUSTOMER_EXCLUDED,
    platform::{Millis, Statement},
    store::json,
};

/// The open invoices the ledger knows among `keys`, and those it knows after `after` up to `upto`
/// that are not among them. Only our own keys are compared with each other here, and what comes
/// out is asked for by key before anything is believed: the server may sort otherwise.
pub fn open_between(
    connection: &str,
    feed: &str,
    keys: &[&str],
    after: &str,
    upto: Option<&str>,
) -> Statement {
    Statement::new(
        "with j as materialized (select value as key from json_each(?3))
         select l.key, l.open_mark, 1 as asked from j cross join ledger l
         where l.connection = ?1 and l.feed = ?2 and l.key = j.key and l.open_mark is not null
         union all
         select key, open_mark, 0 as asked from ledger indexed by ledger_open
         where connection = ?1 and feed = ?2 and open_mark is not null
           and key > ?4 and (?5 is null or key <= ?5) and key not in (select key from j)",
        [
            connection.into(),
            feed.into(),
            json(keys),
            after.into(),
            upto.into(),
        ],
    )
}

#[derive(Clone, Debug, Deserialize)]
pub struct Open {
    pub key: String,
    pub open_mark: String,
    pub asked: i64,
}

/// What is queued of these records and not sent yet, and whether HubSpot has anything of them or of
/// the customers named beside them.
pub fn queued(connection: &str, feed: &str, keys: &[(&str, String)]) -> Statement {
    Statement::new(
        "select l.key, l.fate, l.payload, l.open_mark is not null as open, exists (
             select 1 from targets t where t.connection = l.connection and t.feed = l.feed
               and t.key = l.key and t.hubspot_id is not null) as sent, exists (
             select 1 from targets c where c.connection = l.connection and c.feed = 'customers'
               and c.key = j.value ->> 1 and c.hubspot_id is not null) as customer_sent,
           l.fate = 'excluded' and (
             iif(json_valid(l.reason), l.reason ->> 'code', '') <> ?4 or exists (
               select 1 from ledger c where c.connection = l.connection and c.feed = 'customers'
                 and c.key = j.value ->> 1 and c.fate = 'excluded'
                 and iif(json_valid(c.reason), c.reason ->> 'code', '') <> ?5)) as left_out
         from json_each(?3) j cross join ledger l
         where l.connection = ?1 and l.feed = ?2 and l.key = j.value ->> 0",
        [
            connection.into(),
            feed.into(),
            json(keys),
            CUSTOMER_EXCLUDED.into(),
            MERGED.into(),
        ],
    )
}

#[derive(Clone, Debug, Deserialize)]
pub struct Queued {
    pub key: String,
    pub fate: Fate,
    pub payload: Option<String>,
    /// 1: SYSPRO held it as open when it was last read.
    pub open: i64,
    pub sent: i64,
    pub customer_sent: i64,
    /// 1: it is left out, by itself or with its customer.
    pub left_out: i64,
}

/// How many open invoices the ledger holds.
pub fn open_count(connection: &str, feed: &str) -> Statement {
    Statement::new(
        "select count(*) as open from ledger indexed by ledger_open
         where connection = ?1 and feed = ?2 and open_mark is not null",
        [connection.into(), feed.into()],
    )
}

/// Rows asked for again that SYSPRO no longer has: they keep their fate and say so; one that was
/// never sent fails, and one that is left out keeps its reason, and its last write if that waits.
/// Their mark is forgotten, so that one that comes back is news.
pub fn cannot_read_again(
    connection: &str,
    feed: &str,
    now: Millis,
    reason: &str,
    keys: &[&str],
) -> Statement {
    Statement::new(
        "with j as materialized (select value as key from json_each(?5))
         update ledger set due = iif(fate = 'excluded' and payload is not null, due, null),
           reason = iif(fate = 'excluded', reason, ?4), gone_at = coalesce(gone_at, ?3), mark = '',
           open_mark = null, fate = iif(fate = 'waiting', 'failing', fate)
         from j where connection = ?1 and feed = ?2 and ledger.key = j.key",
        [
            connection.into(),
            feed.into(),
            now.into(),
            reason.into(),
            json(keys),
        ],
    )
}

/// Of the next so many rows the last key, if there may be more, and those that an older mapping made and SYSPRO had when
/// they were last looked for.
pub fn beyond(connection: &str, feed: &str, mapping: i64, after: &str, rows: u32) -> Statement {
    Statement::new(
        "with slice as materialized (select key, mapping, gone_at from ledger
           where connection = ?1 and feed = ?2 and key > ?4 order by key limit ?5)
         select iif(count(*) = ?5, max(key), null) as upto,
           (select json_group_array(key) from slice where mapping < ?3 and gone_at is null) as older
         from slice",
        [
            connection.into(),
            feed.into(),
            mapping.into(),
            after.into(),
            i64::from(rows).into(),
        ],
    )
}

/// These are no more in SYSPRO. Nothing is to be done about it; one that comes back is news.
pub fn gone(connection: &str, feed: &str, now: Millis, keys: &[&str]) -> Statement {
    Statement::new(
        "with j as materialized (select value as key from json_each(?4))
         update ledger set gone_at = ?3, mark = '' from j
         where connection = ?1 and feed = ?2 and ledger.key = j.key and gone_at is null",
        [connection.into(), feed.into(), now.into(), json(keys)],
    )
}
