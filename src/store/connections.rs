//! Connections as stored: the public part, the sealed secrets, and how they are doing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{json, overtake};
use crate::{
    fault::Reason,
    platform::{Millis, Statement, StoreError},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Active,
    /// Set-up found something that must be mended first.
    Incomplete,
    Paused,
    /// A system refused it outright twice in a row; probed hourly.
    Broken,
}

/// A connection's row; its JSON columns as text.
#[derive(Clone, Debug, Deserialize)]
pub struct Stored {
    pub id: String,
    pub state: State,
    pub state_reason: Option<String>,
    pub public: String,
    pub secrets: String,
    pub portal: String,
    pub account: Option<String>,
    pub dialect: Option<String>,
    pub checks: String,
    pub mapping: i64,
    pub strikes: i64,
    pub parks: String,
    pub created_at: Millis,
    pub changed_at: Millis,
    pub last_run_at: Option<Millis>,
    pub last_good_at: Option<Millis>,
    /// JSON array of runs asked for.
    pub asked: String,
    /// Runs that began and came to no end yet.
    pub under_way: i64,
    /// JSON array: which tables of codes are kept, and since when.
    pub lookups: String,
}

/// Why and until when writes of a kind of object (or `*`, everything) are put off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Park {
    pub until: Millis,
    /// In a row; each doubles the next.
    pub times: u32,
    pub reason: Reason,
}

pub type Parks = BTreeMap<String, Park>;

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "select c.id, c.state, c.state_reason, c.public, c.secrets, c.portal, c.account, c.dialect, c.checks,
               c.mapping, c.strikes, c.parks, c.created_at, c.changed_at, c.last_run_at, c.last_good_at,
               (select json_group_array(json_object('id', r.id, 'kind', r.kind, 'asked', r.asked))
                from runs r where r.connection = c.id and r.state = 'asked') as asked,
               (select count(*) from runs r where r.connection = c.id and r.state = 'running')
                 as under_way,
               (select json_group_array(json_object('name', l.name, 'hash', l.hash,
                  'asked_at', l.asked_at, 'held', l.codes is not null))
                from lookups l where l.connection = c.id) as lookups
             from connections c ",
            $rest
        )
    };
}

/// A connection as a tick finds it; what its run works with is read under the lease.
#[derive(Clone, Debug, Deserialize)]
pub struct Runnable {
    pub id: String,
    pub portal: String,
    pub state: State,
    pub last_run_at: Option<Millis>,
    /// Runs asked for.
    pub asked: i64,
    /// When the deployment was last pruned.
    pub pruned_at: Option<Millis>,
}

/// Those a tick looks at, the one that waited longest first.
pub fn runnable() -> Statement {
    Statement::new(
        "select c.id, c.portal, c.state, c.last_run_at, (select count(*) from runs r
             where r.connection = c.id and r.state = 'asked') as asked,
           (select u.done_at from upkeep u where u.task = 'prune') as pruned_at
         from connections c where c.state in ('active', 'broken')
         order by coalesce(c.last_run_at, 0), c.id",
        [],
    )
}

pub fn all() -> Statement {
    Statement::new(columns!("order by c.id"), [])
}

pub fn one(id: &str) -> Statement {
    Statement::new(columns!("where c.id = ?1"), [id.into()])
}

/// What creating or changing a connection writes.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub id: &'a str,
    pub state: State,
    pub state_reason: Option<String>,
    pub public: String,
    pub secrets: String,
    pub portal: &'a str,
    pub account: Option<String>,
    pub dialect: Option<String>,
    /// SYSPRO's company in capitals: with the portal's id it names a connection as well as its id.
    pub company: String,
    /// See [`Connection::operator`](crate::connection::Connection::operator).
    pub operator: Option<String>,
    pub checks: String,
}

/// Answers no row when the id is taken.
pub fn create(draft: &Draft<'_>, now: Millis) -> Statement {
    Statement::new(
        "insert into connections (id, state, state_reason, public, secrets, portal, account, checks,
           dialect, operator, company, created_at, changed_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)
         on conflict (id) do nothing returning id",
        [
            draft.id.into(),
            name(draft.state).into(),
            draft.state_reason.clone().into(),
            draft.public.clone().into(),
            draft.secrets.clone().into(),
            draft.portal.into(),
            draft.account.clone().into(),
            draft.checks.clone().into(),
            draft.dialect.clone().into(),
            draft.operator.clone().into(),
            draft.company.as_str().into(),
            now.into(),
        ],
    )
}

/// What creating or changing a connection runs into when another one has it.
pub fn rivalry(error: &StoreError) -> Option<Rivalry> {
    let StoreError::Refused(why) = error else {
        return None;
    };
    if why.contains("connections.portal, connections.company") {
        Some(Rivalry::Company)
    } else if why.contains("connections.operator") {
        Some(Rivalry::Operator)
    } else {
        None
    }
}

/// What two connections cannot both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rivalry {
    /// One company in one portal.
    Company,
    /// One operator of e.net.
    Operator,
}

/// Changes a connection. `before` is what the change was made from: the first statement answers no
/// row when somebody else changed it meanwhile.
///
/// The run under way is overtaken, and rows that failed or were held back are tried again at once:
/// the change may have mended them. Both only if the change was made.
pub fn change(draft: &Draft<'_>, before: &Stored, remap: bool, now: Millis) -> [Statement; 3] {
    let update = Statement::new(
        "update connections set state = ?2, state_reason = ?3, public = ?4, secrets = ?5, portal = ?6,
           account = ?7, checks = ?8, mapping = mapping + ?9, strikes = 0, parks = '{}', changed_at = ?10,
           dialect = ?13, operator = ?14
         where id = ?1 and public = ?11 and secrets = ?12 returning id",
        [
            draft.id.into(),
            name(draft.state).into(),
            draft.state_reason.clone().into(),
            draft.public.clone().into(),
            draft.secrets.clone().into(),
            draft.portal.into(),
            draft.account.clone().into(),
            draft.checks.clone().into(),
            i64::from(remap).into(),
            now.into(),
            before.public.as_str().into(),
            before.secrets.as_str().into(),
            draft.dialect.clone().into(),
            draft.operator.clone().into(),
        ],
    );
    let overtake = Statement::new(
        "update lease set owner = '' where portal = ?1 and exists (
           select 1 from connections where id = ?2 and changed_at = ?3)",
        [before.portal.as_str().into(), draft.id.into(), now.into()],
    );
    let retry = Statement::new(
        "update ledger set due = ?2 where connection = ?1
           and (fate = 'failing' and due is not null or fate = 'waiting' and due > ?2)
           and exists (select 1 from connections where id = ?1 and changed_at = ?2)",
        [draft.id.into(), now.into()],
    );
    [update, overtake, retry]
}

/// Removes a connection with its secrets, ledger, targets, cursors and runs. The audit stays.
pub fn delete(id: &str, portal: &str) -> [Statement; 2] {
    let delete = Statement::new(
        "delete from connections where id = ?1 returning id",
        [id.into()],
    );
    [delete, overtake(portal)]
}

/// The run could not say how it went; it had its turn all the same.
pub fn had_its_turn(id: &str, now: Millis) -> Statement {
    Statement::new(
        "update connections set last_run_at = ?2 where id = ?1",
        [id.into(), now.into()],
    )
}

/// How a run left the connection.
#[derive(Clone, Debug)]
pub struct Health {
    pub state: State,
    pub state_reason: Option<Reason>,
    pub strikes: i64,
    pub parks: Parks,
    /// Nothing stood in its way: both systems answered, the books balance, nothing is parked.
    pub good: bool,
}

/// Only a running connection's health is changed: one paused meanwhile stays paused.
pub fn close(id: &str, health: &Health, now: Millis) -> Statement {
    Statement::new(
        "update connections set state = ?2, state_reason = ?3, strikes = ?4, parks = ?5,
           last_run_at = ?6, last_good_at = iif(?7, ?6, last_good_at)
         where id = ?1 and state in ('active', 'broken')",
        [
            id.into(),
            name(health.state).into(),
            health.state_reason.as_ref().map(json).into(),
            health.strikes.into(),
            json(&health.parks),
            now.into(),
            i64::from(health.good).into(),
        ],
    )
}

/// The longest time since a good run, or since somebody changed it, of any connection that should be
/// running.
pub fn oldest_good() -> Statement {
    Statement::new(
        "select min(max(coalesce(last_good_at, 0), changed_at)) as oldest from connections
         where state in ('active', 'broken')",
        [],
    )
}

fn name(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Incomplete => "incomplete",
        State::Paused => "paused",
        State::Broken => "broken",
    }
}
