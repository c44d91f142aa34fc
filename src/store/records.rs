//! Records as people see them: the ledger's `records` view.

use super::json;
use crate::platform::{Arg, Millis, Statement};

/// Counts by feed, status and the code of the reason.
pub fn summary(connection: &str) -> Statement {
    Statement::new(
        "with r as (select feed, status, iif(json_valid(reason), reason, null) as reason
           from records where connection = ?1)
         select feed, status, reason ->> 'code' as code, min(reason ->> 'reason') as example,
           count(*) as records
         from r group by feed, status, code order by feed, status, code",
        [connection.into()],
    )
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    pub feed: Option<&'a str>,
    pub status: Option<&'a str>,
    /// Part of the key.
    pub q: Option<&'a str>,
    /// The code of the reason.
    pub reason: Option<&'a str>,
}

/// By feed and key; `after` is the last row of the page before.
pub fn page(
    connection: &str,
    filter: &Filter<'_>,
    after: Option<(&str, &str)>,
    limit: u32,
) -> Statement {
    let (feed, key) = after.unwrap_or(("", ""));
    Statement::new(
        "select feed, key, status, reason, revision, refusals, due, source_date, seen_at, synced_at,
           gone_at
         from records
         where connection = ?1 and (feed, key) > (?2, ?3) and (?4 is null or feed = ?4)
           and (?5 is null or status = ?5) and (?6 is null or instr(key, ?6) > 0)
           and (?8 is null or ?8 = iif(json_valid(reason), reason ->> 'code', null))
         order by feed, key limit ?7",
        [
            connection.into(),
            feed.into(),
            key.into(),
            filter.feed.into(),
            filter.status.into(),
            filter.q.into(),
            Arg::Number(i64::from(limit)),
            filter.reason.into(),
        ],
    )
}

/// One record: its row, its targets, its last attempts.
pub fn one(connection: &str, feed: &str, key: &str) -> [Statement; 3] {
    let args = || -> [Arg; 3] { [connection.into(), feed.into(), key.into()] };
    [
        Statement::new(
            "select * from records where connection = ?1 and feed = ?2 and key = ?3",
            args(),
        ),
        Statement::new(
            "select kind, object_key, hubspot_id, links, status, withheld, adopted, candidates
             from targets
             where connection = ?1 and feed = ?2 and key = ?3 order by kind, object_key",
            args(),
        ),
        Statement::new(
            "select id, outcome, at, revision, source_date, seen_at, taken_at, said from audit
             where connection = ?1 and feed = ?2 and key = ?3 order by id desc limit 20",
            args(),
        ),
    ]
}

/// Which rows a replay means.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    Records(Vec<(String, String)>),
    Failing,
    Window {
        feed: Option<String>,
        since: Millis,
        until: Millis,
    },
}

/// A statement over the rows a [`Selection`] means, as `asked (feed, key)`; `?1` to `?6` are its
/// [`arguments`].
macro_rules! among_asked {
    ($statement:literal) => {
        concat!(
            "with asked as materialized (
               select value ->> 0 as feed, value ->> 1 as key from json_each(?2)
               union
               select feed, key from ledger where ?3 = 1 and connection = ?1 and fate = 'failing'
               union
               select feed, key from audit where connection = ?1 and at >= ?5 and at < ?6
                 and (?4 is null or feed = ?4) and outcome <> 'rejected'
               union
               select feed, key from ledger where ?5 is not null and connection = ?1
                 and synced_at >= ?5 and synced_at < ?6 and (?4 is null or feed = ?4)) ",
            $statement
        )
    };
}

/// How many rows a selection means now.
pub fn count(connection: &str, selection: &Selection) -> Statement {
    Statement::new(
        among_asked!(
            "select count(*) as records from asked cross join ledger l
         where l.connection = ?1 and l.feed = asked.feed and l.key = asked.key"
        ),
        arguments(connection, selection),
    )
}

/// Marks rows to be read from SYSPRO and sent again, whole. They keep their fate until then. What
/// waits is sent as it waits: it is the newest there is, and SYSPRO may have lost the record since.
/// Our links to deals are made once more; of one that was refused nobody knows who else made it
/// meanwhile, so it is looked at as if it were another invoice's.
pub fn replay(connection: &str, selection: &Selection, now: Millis) -> [Statement; 3] {
    let forget = Statement::new(
        among_asked!(
            "update targets set hash = '', links = '{}', status = null,
           withheld = iif(withheld = 'merged', withheld, null),
           filled = iif(json_valid(filled), iif(json_type(filled) = 'array', filled, '[]'), '[]'),
           candidates = iif(json_valid(candidates),
             iif(json_type(candidates) = 'array', candidates, '[]'), '[]'),
           adopted = iif(adopted in ('email', 'domain', 'hand'), adopted, null), theirs = '[]',
           remade = 0
         from asked
         where targets.connection = ?1 and targets.feed = asked.feed and targets.key = asked.key"
        ),
        arguments(connection, selection),
    );
    let relink = Statement::new(
        among_asked!(
            "update deal_links set made = iif(made = 'ours', 'trying', made),
           invoice_id = iif(made = 'ours', invoice_id, '') from asked
         where asked.feed = 'invoices' and deal_links.connection = ?1
           and deal_links.key = asked.key and deal_links.made in ('ours', 'refused')"
        ),
        arguments(connection, selection),
    );
    let mut marked = arguments(connection, selection);
    marked.push(now.into());
    let mark = Statement::new(
        among_asked!(
            "update ledger set revision = revision + 1, hash = '', due = ?7, attempts = 0,
           payload = iif(fate = 'waiting', payload, null)
         from asked
         where ledger.connection = ?1 and ledger.feed = asked.feed and ledger.key = asked.key
         returning ledger.key"
        ),
        marked,
    );
    [forget, relink, mark]
}

fn arguments(connection: &str, selection: &Selection) -> Vec<Arg> {
    let mut records: &[(String, String)] = &[];
    let mut failing = 0;
    // A window that is empty whatever the audit holds.
    let mut window = (None, 1, 0);
    match selection {
        Selection::Records(asked) => records = asked,
        Selection::Failing => failing = 1,
        Selection::Window { feed, since, until } => window = (feed.as_deref(), *since, *until),
    }
    let (feed, since, until) = window;
    vec![
        connection.into(),
        json(records),
        Arg::Number(failing),
        feed.into(),
        since.into(),
        until.into(),
    ]
}
