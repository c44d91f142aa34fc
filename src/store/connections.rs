//! Connections as stored: the public part, the sealed secrets, and how they are doing.

mod rivals;

use serde::{Deserialize, Serialize};

use super::{Rows, json, rows_as};
use crate::{
    fault::Reason,
    platform::{MINUTE, Millis, Statement},
    sorted::SortedMap,
};

pub use rivals::{Rivalry, rivalry, with_company, with_operator};

/// A stored time further ahead than this was written by a wrong clock and tells nothing.
pub(super) const AHEAD: Millis = MINUTE;

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
    /// When the portal was last asked about itself.
    pub account_at: Millis,
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
    /// JSON array of runs that began and go on over ticks.
    pub spans: String,
    /// Runs that began, go on over no tick, and came to no end yet.
    pub under_way: i64,
    /// JSON: the session of e.net, see [`super::sessions::Kept`].
    pub session: Option<String>,
    /// JSON array: which tables of codes are kept, and since when.
    pub lookups: String,
}

impl State {
    /// Whether ticks sync it.
    pub fn runs(self) -> bool {
        matches!(self, State::Active | State::Broken)
    }
}

impl Stored {
    /// When it last had a good run, or was changed: as [`oldest_good`] has it.
    pub fn good_at(&self, now: Millis) -> Millis {
        let known = [self.last_good_at, Some(self.changed_at)];
        let known = known.into_iter().flatten();
        let past = known.filter(|at| *at <= now + AHEAD);
        past.max().unwrap_or(self.created_at.min(now))
    }
}

/// Why and until when writes of a kind of object (or `*`, everything) are put off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Park {
    pub until: Millis,
    /// In a row; each doubles the next.
    pub times: u32,
    pub reason: Reason,
}

pub type Parks = SortedMap<String, Park>;

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "select c.id, c.state, c.state_reason, c.public, c.secrets, c.portal, c.account, c.account_at, c.dialect, c.checks,
               c.mapping, c.strikes, c.parks, c.created_at, c.changed_at, c.last_run_at, c.last_good_at,
               (select json_group_array(json_object('id', r.id, 'kind', r.kind, 'asked', r.asked))
                from runs r indexed by runs_asked
                where r.connection = c.id and r.state = 'asked') as asked,
               (select json_group_array(json_object('id', r.id, 'kind', r.kind, 'asked', r.asked,
                  'began_at', r.began_at))
                from runs r indexed by runs_under_way
                where r.connection = c.id and r.state = 'running'
                  and r.kind in ('preview', 'reconcile')) as spans,
               (select count(*) from runs r indexed by runs_under_way
                where r.connection = c.id and r.state = 'running'
                  and r.kind not in ('preview', 'reconcile')) as under_way,
               (select json_group_array(json_object('name', l.name, 'hash', l.hash,
                  'asked_at', l.asked_at, 'held', l.codes is not null))
                from lookups l where l.connection = c.id) as lookups,
               (select json_object('session', s.session, 'used_at', s.used_at,
                  'evictions', json(s.evictions), 'refused', json(s.refused))
                from sessions s where s.connection = c.id) as session
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
    /// Runs asked for, and those that go on over ticks.
    pub asked: i64,
    /// When the deployment was last pruned.
    pub pruned_at: Option<Millis>,
    /// 1 when it is broken because its secrets did not open.
    pub shut: i64,
}

/// Those a tick looks at, the one that waited longest first. What does not run is looked at only for
/// what writes nothing to HubSpot.
pub fn runnable() -> Statement {
    Statement::new(
        "select c.id, c.portal, c.state, c.last_run_at,
           (select count(*) from runs r indexed by runs_asked
            where r.connection = c.id and r.state = 'asked')
           + (select count(*) from runs r indexed by runs_under_way
              where r.connection = c.id and r.state = 'running'
                and r.kind in ('preview', 'reconcile')) as asked,
           iif(c.state = 'broken' and json_valid(c.state_reason),
             c.state_reason ->> 'code' is 'sealed', 0) as shut,
           (select u.done_at from upkeep u where u.task = 'prune') as pruned_at
         from connections c
         where c.state in ('active', 'broken') or c.portal <> '' and (
           exists (select 1 from runs r indexed by runs_asked
             where r.connection = c.id and r.state = 'asked' and r.kind in ('preview', 'reconcile'))
           or exists (select 1 from runs r indexed by runs_under_way
             where r.connection = c.id and r.state = 'running'
               and r.kind in ('preview', 'reconcile')))
         order by coalesce(c.last_run_at, 0), c.id",
        [],
    )
}

pub fn all() -> Statement {
    Statement::new(columns!("where c.shadow_of is null order by c.id"), [])
}

pub fn one(id: &str) -> Statement {
    Statement::new(columns!("where c.id = ?1"), [id.into()])
}

/// What a run begins with, beside what is [`Stored`] of its connection.
#[derive(Clone, Debug, Deserialize)]
pub struct Begins {
    /// JSON array: where every poll is, see [`super::cursors::Cursor`].
    pub cursors: String,
    /// JSON array: the feeds that have rows to be sent or read again now.
    pub due: String,
}

/// A connection with all that its run begins with.
pub fn to_run(id: &str, feeds: &[&str], now: Millis) -> Statement {
    Statement::new(
        concat!(
            "select *,
               (select json_group_array(json_object('feed', u.feed, 'poll', u.poll,
                  'position', u.position))
                from cursors u where u.connection = ?1) as cursors,
               (select json_group_array(j.value) from json_each(?2) j where exists (
                  select 1 from ledger l indexed by ledger_due
                  where l.connection = ?1 and l.feed = j.value and l.due <= ?3)) as due
             from (",
            columns!("where c.id = ?1"),
            ")"
        ),
        [id.into(), json(feeds), now.into()],
    )
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
    /// Nothing leaves what is known of the portal as it is.
    pub account: Option<String>,
    pub dialect: Option<String>,
    /// See [`Connection::company_key`](crate::connection::Connection::company_key).
    pub company: String,
    /// See [`Connection::operator`](crate::connection::Connection::operator).
    pub operator: Option<String>,
    pub checks: String,
}

/// Answers no row when the id is taken.
pub fn create(draft: &Draft<'_>, now: Millis) -> Statement {
    Statement::new(
        "insert into connections (id, state, state_reason, public, secrets, portal, account, checks,
           dialect, operator, company, created_at, changed_at, account_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?12)
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

/// A connection by its name alone.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    pub id: String,
}

impl Named {
    /// The connection that the first of some statements found.
    pub fn first(rows: Vec<Rows>) -> Option<String> {
        let named: Vec<Named> = rows_as(rows.into_iter().next()?).ok()?;
        named.into_iter().next().map(|named| named.id)
    }
}

/// What begins anew with a change of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Anew {
    /// Records are mapped again.
    pub mapping: bool,
    /// What was put off is tried.
    pub parks: bool,
}

/// Changes a connection. `before` is what the change was made from: the first statement answers no
/// row when that is not what is stored any more. Where `changed_at` is still the same, nobody changed
/// it: its secrets were sealed anew, or its portal was asked about itself.
///
/// The run under way is overtaken, and rows that failed or were held back are tried again at once:
/// the change may have mended them. Both only if the change was made.
pub fn change(draft: &Draft<'_>, before: &Stored, anew: Anew, now: Millis) -> [Statement; 3] {
    let update = Statement::new(
        "update connections set state = ?2, state_reason = ?3, public = ?4, secrets = ?5, portal = ?6,
           account = coalesce(?7, account), checks = ?8, mapping = mapping + ?9,
           strikes = iif(?2 = 'broken', 2, 0), parks = iif(?14, '{}', parks),
           changed_at = max(?10, changed_at + 1), dialect = ?12, operator = ?13
         where id = ?1 and changed_at = ?11 and secrets = ?15 and account is ?16 returning id",
        [
            draft.id.into(),
            name(draft.state).into(),
            draft.state_reason.clone().into(),
            draft.public.clone().into(),
            draft.secrets.clone().into(),
            draft.portal.into(),
            draft.account.clone().into(),
            draft.checks.clone().into(),
            i64::from(anew.mapping).into(),
            now.into(),
            before.changed_at.into(),
            draft.dialect.clone().into(),
            draft.operator.clone().into(),
            i64::from(anew.parks).into(),
            before.secrets.as_str().into(),
            before.account.clone().into(),
        ],
    );
    // No two sealings are alike: its secrets tell that it was this change.
    let overtake = Statement::new(
        "update lease set owner = '' where portal = ?1 and exists (
           select 1 from connections where id = ?2 and secrets = ?3)",
        [
            before.portal.as_str().into(),
            draft.id.into(),
            draft.secrets.as_str().into(),
        ],
    );
    let retry = Statement::new(
        "update ledger set due = ?2 where connection = ?1
           and (fate = 'failing' and due is not null or fate = 'waiting' and due > ?2)
           and exists (select 1 from connections where id = ?1 and secrets = ?3)",
        [draft.id.into(), now.into(), draft.secrets.as_str().into()],
    );
    [update, overtake, retry]
}

/// Keeps what the portal says of itself now; `remap` where records map to something else with it.
/// Whoever learned more of the portal than `before` knows better.
pub fn portal_again(before: &Stored, account: String, remap: bool, now: Millis) -> Statement {
    Statement::new(
        "update connections set account = ?2, account_at = ?3, mapping = mapping + ?4
         where id = ?1 and account is ?5",
        [
            before.id.as_str().into(),
            account.into(),
            now.into(),
            i64::from(remap).into(),
            before.account.clone().into(),
        ],
    )
}

/// Removes a connection with its secrets, session, ledger, targets, cursors and runs, and overtakes
/// the run under way. The last statement answers no row when there is none. The audit stays.
pub fn delete(id: &str) -> [Statement; 2] {
    let overtake = Statement::new(
        "update lease set owner = '' where portal = (select portal from connections where id = ?1)",
        [id.into()],
    );
    let delete = Statement::new(
        "delete from connections where id = ?1 returning id",
        [id.into()],
    );
    [overtake, delete]
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
/// running. Times ahead tell nothing.
pub fn oldest_good(now: Millis) -> Statement {
    Statement::new(
        "select min(coalesce(
           nullif(max(iif(last_good_at <= ?1, last_good_at, 0), iif(changed_at <= ?1, changed_at, 0)), 0),
           min(created_at, ?2))) as oldest
         from connections where state in ('active', 'broken')",
        [(now + AHEAD).into(), now.into()],
    )
}

pub(super) fn name(state: State) -> &'static str {
    match state {
        State::Active => "active",
        State::Incomplete => "incomplete",
        State::Paused => "paused",
        State::Broken => "broken",
    }
}
