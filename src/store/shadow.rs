//! A preview's shadow of its connection: a row that never runs, and under it copies of all the sync
//! works with. It goes with its connection, and all that stands under it goes with it.

use serde::{Deserialize, Serialize};

use crate::platform::{Arg, Millis, Statement};

/// No connection that people make has this in its id.
const MARK: char = '~';

pub fn id(connection: &str) -> String {
    format!("{connection}{MARK}preview")
}

/// Whether this is the id of a shadow, of which nobody is told.
pub fn is_one(id: &str) -> bool {
    id.contains(MARK)
}

/// The connection, and its shadow if it has one.
#[derive(Clone, Debug, Deserialize)]
pub struct Standing {
    pub changed_at: Millis,
    pub mapping: i64,
    /// As the connection was when the shadow was cast.
    pub cast_at: Option<Millis>,
    /// JSON array: the tables of codes kept under the shadow.
    pub lookups: String,
}

pub fn standing(connection: &str) -> Statement {
    Statement::new(
        "select c.changed_at, coalesce(s.mapping, c.mapping) as mapping, s.changed_at as cast_at,
           (select json_group_array(json_object('name', l.name, 'hash', l.hash,
              'asked_at', l.asked_at, 'held', l.codes is not null))
            from lookups l where l.connection = s.id) as lookups
         from connections c left join connections s on s.shadow_of = c.id where c.id = ?1",
        [connection.into()],
    )
}

/// Casts a shadow. Whole tables are read anew under it: its polls begin where the connection's are,
/// its sweeps at the beginning.
pub fn cast(connection: &str, shadow: &str) -> [Statement; 5] {
    let args = || -> [Arg; 2] { [connection.into(), shadow.into()] };
    [
        Statement::new(
            "insert into connections (id, state, public, secrets, portal, mapping, created_at,
               changed_at, shadow_of)
             select ?2, 'paused', '{}', '{}', '', mapping, created_at, changed_at, id
             from connections where id = ?1",
            args(),
        ),
        Statement::new(
            "insert into lookups (connection, name, hash, asked_at, codes)
             select ?2, name, hash, asked_at, codes from lookups where connection = ?1",
            args(),
        ),
        Statement::new(
            "insert into cursors (connection, feed, poll, position)
             select ?2, feed, poll, position from cursors
             where connection = ?1 and poll not in ('sweep', 'open') and feed <> 'reconcile'",
            args(),
        ),
        Statement::new(
            "insert into deals (connection, deal, sales_order)
             select ?2, deal, sales_order from deals where connection = ?1",
            args(),
        ),
        Statement::new(
            "insert into deal_links (connection, key, deal, invoice_id, made)
             select ?2, key, deal, invoice_id, made from deal_links where connection = ?1",
            args(),
        ),
    ]
}

/// A place in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub feed: String,
    pub key: String,
}

/// The last of the next so many rows of the ledger; no row when there is none.
pub fn slice(connection: &str, after: &Place, rows: u32) -> Statement {
    Statement::new(
        "select feed, key from (
           select feed, key from ledger where connection = ?1 and (feed, key) > (?2, ?3)
           order by feed, key limit ?4)
         order by feed desc, key desc limit 1",
        [
            connection.into(),
            after.feed.as_str().into(),
            after.key.as_str().into(),
            i64::from(rows).into(),
        ],
    )
}

/// Copies the rows after one place up to another, with what HubSpot has of them. What waits for a
/// better time waits no longer.
pub fn copy(
    connection: &str,
    shadow: &str,
    from: &Place,
    to: &Place,
    now: Millis,
) -> [Statement; 2] {
    let args = || -> Vec<Arg> {
        vec![
            connection.into(),
            shadow.into(),
            from.feed.as_str().into(),
            from.key.as_str().into(),
            to.feed.as_str().into(),
            to.key.as_str().into(),
        ]
    };
    let mut with_now = args();
    with_now.push(now.into());
    [
        Statement::new(
            "insert into ledger (connection, feed, key, revision, fate, mark, detail, hash, mapping,
               open_mark, parent, payload, reason, due, look_at, attempts, source_date,
               source_version, seen_at, synced_at, gone_at, sales_order, came_at)
             select ?2, feed, key, revision, fate, mark, detail, hash, mapping, open_mark, parent,
               payload, reason, iif(fate = 'waiting', min(due, ?7), due), look_at, attempts,
               source_date, source_version, seen_at, synced_at, gone_at, sales_order, came_at
             from ledger where connection = ?1 and (feed, key) > (?3, ?4) and (feed, key) <= (?5, ?6)",
            with_now,
        ),
        Statement::new(
            "insert into targets (connection, feed, key, kind, object_key, hubspot_id, hash, links,
               filled, status, withheld, adopted, theirs, candidates, former, person, remade, past)
             select ?2, feed, key, kind, object_key, hubspot_id, hash, links, filled, status, withheld,
               adopted, theirs, candidates, former, person, remade, past
             from targets where connection = ?1 and (feed, key) > (?3, ?4)
               and (feed, key) <= (?5, ?6)",
            args(),
        ),
    ]
}

/// What would become of each kind of object.
pub fn objects(connection: &str, shadow: &str, never_made: &str) -> Statement {
    Statement::new(
        "select t.kind, sum(instr(t.hubspot_id, ?3) = 1) as created,
           sum(instr(t.hubspot_id, ?3) <> 1 and b.hubspot_id is not t.hubspot_id
             and t.adopted is not null) as adopted,
           sum(instr(t.hubspot_id, ?3) <> 1 and b.hubspot_id is not t.hubspot_id
             and t.adopted is null) as found,
           sum(b.hubspot_id is t.hubspot_id and b.hash <> t.hash) as updated,
           sum(b.hubspot_id is t.hubspot_id and b.hash = t.hash) as unchanged
         from targets t left join targets b on b.connection = ?1 and b.feed = t.feed and b.key = t.key
           and b.kind = t.kind and b.object_key = t.object_key
         where t.connection = ?2 and t.hubspot_id is not null
         group by t.kind order by t.kind",
        [connection.into(), shadow.into(), never_made.into()],
    )
}

/// How many links between invoices and deals would be made and taken away.
pub fn deals(connection: &str, shadow: &str) -> Statement {
    Statement::new(
        "select (select count(*) from deal_links s where s.connection = ?2 and s.made = 'ours'
             and not exists (select 1 from deal_links b where b.connection = ?1 and b.key = s.key
               and b.deal = s.deal and b.made = 'ours' and b.invoice_id = s.invoice_id)) as linked,
           (select count(*) from deal_links b where b.connection = ?1 and b.made = 'ours'
             and not exists (select 1 from deal_links s where s.connection = ?2 and s.key = b.key
               and s.deal = b.deal)) as unlinked",
        [connection.into(), shadow.into()],
    )
}

/// A contact, and the hash of the e-mail it has.
#[derive(Clone, Debug, Deserialize)]
pub struct Mailbox {
    pub id: String,
    pub email: String,
}

/// The e-mails that contacts under a shadow have. What stands for a person is the hash of the name,
/// a blank and the hash of the e-mail.
pub fn mailboxes(shadow: &str) -> Statement {
    Statement::new(
        "select hubspot_id as id, substr(person, instr(person, ' ') + 1) as email from targets
         where connection = ?1 and feed = 'customers' and kind = 'contact'
           and hubspot_id is not null and person is not null and withheld is null",
        [shadow.into()],
    )
}

/// Takes away so many rows of the ledger that stand under a shadow; answers a row for each.
pub fn clear(shadow: &str, rows: u32) -> Statement {
    Statement::new(
        "delete from ledger where connection = ?1 and (feed, key) in (
           select feed, key from ledger where connection = ?1 order by feed, key limit ?2)
         returning 1 as cleared",
        [shadow.into(), i64::from(rows).into()],
    )
}

/// Takes the shadow away, with what is left of it.
pub fn lift(shadow: &str) -> [Statement; 2] {
    [
        Statement::new("delete from audit where connection = ?1", [shadow.into()]),
        Statement::new(
            "delete from connections where id = ?1 and shadow_of is not null",
            [shadow.into()],
        ),
    ]
}
