//! What the whole deployment does once in a while, and the rows that nobody needs any more.

use crate::platform::{Millis, Statement};

/// Audit and runs older than the retention are deleted.
pub const PRUNE: &str = "prune";

/// When a task was last done to its end.
pub fn done_at(task: &str) -> Statement {
    Statement::new("select done_at from upkeep where task = ?1", [task.into()])
}

pub fn done(task: &str, now: Millis) -> Statement {
    Statement::new(
        "insert into upkeep (task, done_at) values (?1, ?2)
         on conflict (task) do update set done_at = excluded.done_at",
        [task.into(), now.into()],
    )
}

/// Deletes so many audit rows and runs from before then, the oldest first; answers a row for each.
/// Ids begin with the time, so both are read off their keys. The audit outlives its connection: its
/// connections are found one by one in the key itself.
pub fn prune(before: Millis, rows: u32) -> [Statement; 2] {
    let id = format!("{:011x}", before.max(0));
    let audit = Statement::new(
        "with recursive held (connection) as (
           select min(connection) from audit
           union all
           select (select min(a.connection) from audit a where a.connection > held.connection)
           from held where held.connection is not null)
         delete from audit where (connection, id) in (
           select a.connection, a.id from held cross join audit a
           where a.connection = held.connection and a.id < ?1 and a.at < ?2 limit ?3)
         returning 1 as pruned",
        [id.as_str().into(), before.into(), i64::from(rows).into()],
    );
    let runs = Statement::new(
        "delete from runs where (connection, id) in (
           select r.connection, r.id from connections c cross join runs r
           where r.connection = c.id and r.id < ?1 and r.state not in ('asked', 'running') limit ?2)
         returning 1 as pruned",
        [id.as_str().into(), i64::from(rows).into()],
    );
    [audit, runs]
}
