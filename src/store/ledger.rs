//! The ledger: what was seen of every SYSPRO record, and what became of it.

mod absent;

use serde::{Deserialize, Serialize};

use serde_json::json;

use super::json;
use crate::{
    fault::Reason,
    feeds::invoices,
    hash::hash,
    platform::{Millis, Statement},
};
pub use absent::{Open, Queued, beyond, cannot_read_again, gone, open_between, open_count, queued};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Waiting,
    Synced,
    Failing,
    Excluded,
}

/// What ingest compares a record with.
#[derive(Clone, Debug, Deserialize)]
pub struct Known {
    pub key: String,
    pub fate: Fate,
    /// 1: it is as it was when it was last read. What HubSpot has of it (`sent`, `has_lines`, `has_total`,
    /// `deleted`) was not looked up then, and is 0.
    pub same: i64,
    pub detail: String,
    pub reason_code: Option<String>,
    pub seen_at: Millis,
    /// 1: HubSpot has the object this record is about.
    pub sent: i64,
    /// 1: something of it is to be sent.
    pub queued: i64,
    /// 1: HubSpot has lines of it.
    pub has_lines: i64,
    /// 1: HubSpot has the one line of it that stands for lines SYSPRO did not give.
    pub has_total: i64,
    pub came_at: Option<Millis>,
    /// 1: people deleted the object it is about for good.
    pub deleted: i64,
    pub sales_order: Option<String>,
}

impl Known {
    /// It is excluded by itself; one that was merged into another goes there with all it has.
    pub fn left_out(&self) -> bool {
        self.fate == Fate::Excluded && self.reason_code.as_deref() != Some(MERGED)
    }

    /// It was to be sent, and nobody heard that it was: a run that made it may have died of it.
    pub fn is_unheard(&self) -> bool {
        let wanted = matches!(self.fate, Fate::Waiting | Fate::Failing);
        self.sent == 0 && (wanted || self.queued == 1)
    }
}

/// The code of a customer that shares a record with another one: its invoices go there.
pub const MERGED: &str = "merged";

/// A record that was just read.
#[derive(Debug, Serialize)]
pub struct Seen<'a> {
    pub key: &'a str,
    /// Of its own row; nothing where it counts as changed, whatever it holds.
    pub mark: Option<String>,
    /// Of what stands beside it, where that was read.
    pub detail: Option<String>,
}

/// What the ledger holds of these records. Most are as they were, and cost one row each: what HubSpot has
/// is looked up for the others alone.
pub fn known(connection: &str, feed: &str, mapping: i64, seen: &[Seen<'_>]) -> Statement {
    Statement::new(
        "select l.key, l.fate, l.same, l.detail, l.seen_at, l.came_at, l.sales_order,
           l.payload is not null as queued,
           iif(json_valid(l.reason), l.reason ->> 'code', null) as reason_code,
           iif(l.same, 0, exists (select 1 from targets t where t.connection = ?1 and t.feed = ?2
             and t.key = l.key and t.hubspot_id is not null)) as sent,
           iif(l.same, 0, exists (select 1 from targets t where t.connection = ?1 and t.feed = ?2
             and t.key = l.key and t.kind = 'line_item' and t.hubspot_id is not null
             and t.object_key <> l.key || ?4)) as has_lines,
           iif(l.same, 0, exists (select 1 from targets t where t.connection = ?1 and t.feed = ?2
             and t.key = l.key and t.kind = 'line_item' and t.hubspot_id is not null
             and t.object_key = l.key || ?4)) as has_total,
           iif(l.same, 0, exists (select 1 from targets t where t.connection = ?1 and t.feed = ?2
             and t.key = l.key and t.kind in ('company', 'invoice') and t.withheld = 'deleted'))
             as deleted
         from (
           select l.*, l.mapping = ?5 and ifnull(l.mark = j.value ->> 'mark', 0)
             and ifnull(l.detail = j.value ->> 'detail', 1) as same
           from json_each(?3) j cross join ledger l
           where l.connection = ?1 and l.feed = ?2 and l.key = j.value ->> 'key'
         ) l",
        [
            connection.into(),
            feed.into(),
            json(seen),
            invoices::ONLY_TOTAL.into(),
            mapping.into(),
        ],
    )
}

/// One record as ingest leaves it.
#[derive(Clone, Debug, Serialize)]
pub struct Intake {
    pub key: String,
    /// The ledger held it for left out.
    #[serde(skip)]
    pub was_out: bool,
    /// The ledger held it, and not its order: deals may bear that, whether or not anything is sent.
    #[serde(skip)]
    pub reordered: bool,
    pub fate: Fate,
    pub mark: String,
    pub detail: String,
    /// Of what is queued, or of the reason that nothing is. Blank in the ledger means forgotten: the
    /// next reading is news, whatever it holds.
    pub hash: String,
    pub payload: Option<String>,
    pub reason: Option<String>,
    pub due: Option<Millis>,
    pub look_at: Option<Millis>,
    pub open_mark: Option<String>,
    pub parent: Option<String>,
    /// The order an invoice was made from; one that is gone from SYSPRO keeps the one it had.
    pub sales_order: Option<String>,
    pub source_date: Option<String>,
    pub source_version: Option<String>,
    pub gone_at: Option<Millis>,
}

impl Intake {
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            was_out: false,
            reordered: false,
            fate: Fate::Waiting,
            mark: String::new(),
            detail: String::new(),
            hash: String::new(),
            payload: None,
            reason: None,
            due: None,
            look_at: None,
            open_mark: None,
            parent: None,
            sales_order: None,
            source_date: None,
            source_version: None,
            gone_at: None,
        }
    }

    /// It is not queued, for this reason.
    pub fn because(&mut self, fate: Fate, reason: &Reason) {
        self.fate = fate;
        self.hash = hash(reason);
        self.reason = Some(json!(reason).to_string());
    }
}

/// What the database says it did with one [`Intake`].
#[derive(Clone, Debug, Deserialize)]
pub struct Taken {
    pub key: String,
    pub fate: Fate,
    /// 0: its hash is the one last queued, so only the marks moved.
    pub news: i64,
}

/// Puts a page's records into the ledger. News is judged against what was last *queued*: judged
/// against what was last synced, a value that changes and changes back while it waits would be
/// overwritten by the older one.
pub fn take(connection: &str, feed: &str, mapping: i64, now: Millis, rows: &[Intake]) -> Statement {
    Statement::new(
        "with j as materialized (select value as v from json_each(?5))
         insert into ledger (connection, feed, key, revision, fate, mark, detail, hash, mapping,
           open_mark, parent, sales_order, payload, reason, due, look_at, source_date, source_version, seen_at,
           gone_at, came_at)
         select ?1, ?2, v ->> 'key', 1, v ->> 'fate', v ->> 'mark', v ->> 'detail', v ->> 'hash', ?3,
           v ->> 'open_mark', v ->> 'parent', v ->> 'sales_order', v ->> 'payload', v ->> 'reason', v ->> 'due',
           v ->> 'look_at', v ->> 'source_date', v ->> 'source_version', ?4, v ->> 'gone_at', ?4
         from j where true
         on conflict (connection, feed, key) do update set
           revision = revision + (hash <> excluded.hash),
           fate = iif(hash <> excluded.hash, excluded.fate, fate),
           payload = iif(hash <> excluded.hash, excluded.payload, payload),
           reason = iif(hash <> excluded.hash or fate = 'failing', excluded.reason, reason),
           due = case when hash <> excluded.hash or fate = 'failing' then excluded.due
                      when fate = 'synced' or fate = 'excluded' and payload is null
                        then excluded.look_at
                      else due end,
           attempts = iif(mark <> excluded.mark or detail <> excluded.detail, 0, attempts),
           seen_at = iif(hash <> excluded.hash, excluded.seen_at, seen_at),
           hash = excluded.hash, mark = excluded.mark, detail = excluded.detail,
           mapping = excluded.mapping, open_mark = excluded.open_mark, parent = excluded.parent,
           sales_order = iif(excluded.gone_at is null, excluded.sales_order, sales_order),
           look_at = excluded.look_at, source_date = excluded.source_date,
           source_version = excluded.source_version, gone_at = excluded.gone_at
         returning key, fate, seen_at = ?4 as news",
        [
            connection.into(),
            feed.into(),
            mapping.into(),
            now.into(),
            json(rows),
        ],
    )
}

/// The feeds that have rows to be sent or read again now.
pub fn due_feeds(connection: &str, feeds: &[&str], now: Millis) -> Statement {
    Statement::new(
        "select j.value as feed from json_each(?2) j where exists (
           select 1 from ledger l indexed by ledger_due
           where l.connection = ?1 and l.feed = j.value and l.due <= ?3)",
        [connection.into(), json(feeds), now.into()],
    )
}

/// Rows that are to be read again from SYSPRO: replayed, failing since a day, or due by the calendar.
pub fn to_read_again(connection: &str, feed: &str, now: Millis, limit: u32) -> Statement {
    Statement::new(
        "select key from ledger indexed by ledger_due
         where connection = ?1 and feed = ?2 and due <= ?3 and payload is null
         order by due limit ?4",
        [
            connection.into(),
            feed.into(),
            now.into(),
            i64::from(limit).into(),
        ],
    )
}

/// A row that waits to be sent, with everything needed to decide what of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Due {
    pub key: String,
    pub revision: i64,
    pub payload: String,
    pub attempts: i64,
    pub look_at: Option<Millis>,
    pub seen_at: Millis,
    pub source_date: Option<String>,
    pub source_version: Option<String>,
    /// JSON array of targets.
    pub targets: String,
    /// JSON: kind -> HubSpot id of the customer an invoice belongs to.
    pub customer: Option<String>,
}

/// The oldest rows first, in the index's own order: a sort would read every waiting row for each
/// page of them. An invoice needs its company's id, not its fate. JSON that is none fails its own
/// row, not the statement.
pub fn due(connection: &str, feed: &str, now: Millis, limit: u32) -> Statement {
    Statement::new(
        "select l.key, l.revision, l.payload, l.attempts, l.look_at, l.seen_at, l.source_date,
           l.source_version,
           (select json_group_array(json_object('kind', t.kind, 'object_key', t.object_key,
              'hubspot_id', t.hubspot_id, 'hash', t.hash,
              'links', iif(json_valid(t.links), json(t.links), null),
              'filled', iif(json_valid(t.filled), json(t.filled), null),
              'status', t.status, 'withheld', t.withheld, 'adopted', t.adopted,
              'theirs', iif(json_valid(t.theirs), json(t.theirs), null),
              'candidates', iif(json_valid(t.candidates), json(t.candidates), null),
              'former', t.former, 'person', t.person, 'remade', t.remade))
            from targets t
            where t.connection = l.connection and t.feed = l.feed and t.key = l.key) as targets,
           (select json_group_object(c.kind, c.hubspot_id) from targets c
            where c.connection = l.connection and c.feed = 'customers' and c.key = l.parent
              and c.hubspot_id is not null) as customer
         from ledger l indexed by ledger_due
         where l.connection = ?1 and l.feed = ?2 and l.due <= ?3 and l.payload is not null
           and (l.parent is null or exists (
             select 1 from targets c
             where c.connection = l.connection and c.feed = 'customers' and c.key = l.parent
               and c.kind = 'company' and c.hubspot_id is not null))
         order by l.due, l.key limit ?4",
        [
            connection.into(),
            feed.into(),
            now.into(),
            i64::from(limit).into(),
        ],
    )
}

/// What became of a row that was taken for sending.
#[derive(Clone, Debug, Serialize)]
pub struct Settled {
    pub key: String,
    pub revision: i64,
    pub fate: Fate,
    pub reason: Option<String>,
    pub due: Option<Millis>,
    /// 1: it is not all sent, and what is to be sent of it is kept.
    pub kept: i64,
    /// 1: reading it again is news.
    pub again: i64,
    /// 1: refused once more.
    pub refused: i64,
}

/// Sets fates, each only for the revision that was sent: an answer says nothing about a newer one.
pub fn settle(connection: &str, feed: &str, now: Millis, rows: &[Settled]) -> Statement {
    Statement::new(
        "with j as materialized (select value ->> 'key' as key, value ->> 'revision' as revision,
             value ->> 'fate' as fate, value ->> 'reason' as reason, value ->> 'due' as due,
             value ->> 'kept' as kept, value ->> 'again' as again, value ->> 'refused' as refused
           from json_each(?4))
         update ledger set
           fate = j.fate, reason = j.reason, due = j.due,
           payload = iif(j.kept = 1, payload, null),
           hash = iif(j.again = 1, '', hash),
           attempts = iif(j.fate = 'synced', 0, attempts + j.refused),
           synced_at = iif(j.fate = 'synced', ?3, synced_at)
         from j
         where ledger.connection = ?1 and ledger.feed = ?2 and ledger.key = j.key
           and ledger.revision = j.revision
         returning ledger.fate, ledger.payload is not null as kept, ledger.hash = '' as again",
        [connection.into(), feed.into(), now.into(), json(rows)],
    )
}
