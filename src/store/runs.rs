//! Runs: those asked for, those under way, and what came of them.

use serde::Deserialize;
use serde_json::Value;

use super::json;
use crate::platform::{Arg, Millis, Statement};

#[derive(Clone, Debug, Deserialize)]
pub struct Asked {
    pub id: String,
    pub kind: String,
    /// The request's body, as JSON text.
    pub asked: String,
    /// Absent while it is only asked for.
    pub began_at: Option<Millis>,
}

impl Asked {
    pub fn spans(&self) -> bool {
        spans(&self.kind)
    }
}

/// Whether a run of this kind writes nothing to HubSpot, and goes on over ticks until it is done.
pub fn spans(kind: &str) -> bool {
    matches!(kind, "preview" | "reconcile")
}

/// Asks for a run; answers no row when the same is already asked, or under way over ticks, or the
/// connection is removed by now.
pub fn ask(connection: &str, id: &str, kind: &str, asked: &Value, now: Millis) -> Statement {
    Statement::new(
        "insert into runs (connection, id, kind, state, asked, asked_at)
         select id, ?2, ?3, 'asked', ?4, ?5 from connections where id = ?1 and not exists (
           select 1 from runs indexed by runs_under_way
           where connection = ?1 and state = 'running' and kind = ?3 and kind in ('preview', 'reconcile')
             and asked = ?4)
         on conflict (connection, kind, asked) where state = 'asked' do nothing
         returning id",
        [
            connection.into(),
            id.into(),
            kind.into(),
            json(asked),
            now.into(),
        ],
    )
}

/// Takes an asked run up.
pub fn begin(connection: &str, id: &str, now: Millis) -> Statement {
    Statement::new(
        "update runs set state = 'running', began_at = ?3
         where connection = ?1 and id = ?2 and state = 'asked'",
        [connection.into(), id.into(), now.into()],
    )
}

/// Says of runs that were under way when the lease was lost that they came to no end.
pub fn cut_off(connection: &str, now: Millis) -> Statement {
    Statement::new(
        "update runs set state = 'red', ended_at = ?2,
           report = json_object('stopped', 'It was cut off: what it had not committed is done again.')
         where connection = ?1 and state = 'running' and kind not in ('preview', 'reconcile')",
        [connection.into(), now.into()],
    )
}

/// Tells how far a run is that the next tick goes on with.
pub fn goes_on(connection: &str, id: &str, report: &Value) -> Statement {
    Statement::new(
        "update runs set report = ?3 where connection = ?1 and id = ?2 and state = 'running'",
        [connection.into(), id.into(), json(report)],
    )
}

/// Takes the samples, which show values of records, out of the previews there were before.
pub fn forget_samples(connection: &str) -> Statement {
    Statement::new(
        "update runs set report = json_remove(report, '$.samples')
         where connection = ?1 and kind = 'preview' and json_valid(report)",
        [connection.into()],
    )
}

/// Writes the end of a run, whether it was asked for or not.
pub fn end(
    connection: &str,
    id: &str,
    kind: &str,
    state: &str,
    began: Millis,
    now: Millis,
    report: &Value,
) -> Statement {
    Statement::new(
        "insert into runs (connection, id, kind, state, asked, asked_at, began_at, ended_at, report)
         values (?1, ?2, ?3, ?4, '{}', ?5, ?5, ?6, ?7)
         on conflict (connection, id) do update set state = excluded.state,
           ended_at = excluded.ended_at, report = excluded.report",
        [
            connection.into(),
            id.into(),
            kind.into(),
            state.into(),
            began.into(),
            now.into(),
            json(report),
        ],
    )
}

/// The end of a run that left nothing of its own, where its connection is still there.
pub fn given_up(connection: &str, id: &str, state: &str, now: Millis, report: &Value) -> Statement {
    Statement::new(
        "insert into runs (connection, id, kind, state, asked, asked_at, began_at, ended_at, report)
         select c.id, ?2, 'cron', ?3, '{}', ?4, ?4, ?4, ?5 from connections c where c.id = ?1",
        [
            connection.into(),
            id.into(),
            state.into(),
            now.into(),
            json(report),
        ],
    )
}

/// Newest first; `before` is the id of the last row of the page before.
pub fn page(connection: &str, before: Option<&str>, limit: u32) -> Statement {
    Statement::new(
        "select id, kind, state, asked, asked_at, began_at, ended_at, report from runs
         where connection = ?1 and (?2 is null or id < ?2) order by id desc limit ?3",
        [
            connection.into(),
            before.into(),
            Arg::Number(i64::from(limit)),
        ],
    )
}

pub fn one(connection: &str, id: &str) -> Statement {
    Statement::new(
        "select id, kind, state, asked, asked_at, began_at, ended_at, report from runs
         where connection = ?1 and id = ?2",
        [connection.into(), id.into()],
    )
}
