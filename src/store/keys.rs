//! Everything that is sealed, as a rotation of the master key reads and swaps it.

use serde::{Deserialize, Serialize};

use super::{json, slices};
use crate::platform::Statement;

/// What is sealed of a connection: JSON of field -> sealed value, or its session.
#[derive(Clone, Debug, Deserialize)]
pub struct Sealed {
    pub connection: String,
    pub sealed: String,
}

/// What takes the place of `before`, and of nothing else.
#[derive(Clone, Debug, Serialize)]
pub struct Swap {
    pub connection: String,
    pub before: String,
    pub after: String,
    /// How many sealed values it changes.
    #[serde(skip)]
    pub values: usize,
}

/// Connections with a value that does not begin like this, and those whose secrets are no JSON.
pub fn secrets(newest: &str) -> Statement {
    Statement::new(
        r#"select id as connection, secrets as sealed from connections
           where exists (select 1 from json_each(iif(json_valid(secrets), secrets, '[""]')) s
             where instr(s.value, ?1) <> 1)
           order by id"#,
        [newest.into()],
    )
}

/// Sessions that do not begin like this.
pub fn sessions(newest: &str) -> Statement {
    Statement::new(
        "select connection, session as sealed from sessions
         where session is not null and instr(session, ?1) <> 1 order by connection",
        [newest.into()],
    )
}

/// Answers the connections whose secrets still were what was read.
pub fn swap_secrets(swaps: &[Swap]) -> Vec<Statement> {
    swap(
        swaps,
        "with j as materialized (select value ->> 'connection' as connection,
             value ->> 'before' as before, value ->> 'after' as after from json_each(?1))
         update connections set secrets = j.after from j
         where connections.id = j.connection and connections.secrets = j.before
         returning connections.id",
    )
}

/// Answers the connections whose session still was what was read.
pub fn swap_sessions(swaps: &[Swap]) -> Vec<Statement> {
    swap(
        swaps,
        "with j as materialized (select value ->> 'connection' as connection,
             value ->> 'before' as before, value ->> 'after' as after from json_each(?1))
         update sessions set session = j.after from j
         where sessions.connection = j.connection and sessions.session = j.before
         returning sessions.connection as id",
    )
}

fn swap(swaps: &[Swap], sql: &'static str) -> Vec<Statement> {
    // What is JSON already is escaped once more on its way.
    let size =
        |swap: &Swap| 2 * (swap.before.len() + swap.after.len()) + swap.connection.len() + 100;
    slices(swaps, size)
        .map(|slice| Statement::new(sql, [json(slice)]))
        .collect()
}
