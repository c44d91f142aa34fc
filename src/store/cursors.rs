//! How far each poll of each feed has read.

use serde::{Deserialize, Serialize};

use super::json;
use crate::platform::Statement;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    pub feed: String,
    pub poll: String,
    /// JSON that only the poll itself reads.
    pub position: String,
}

pub fn load(connection: &str) -> Statement {
    Statement::new(
        "select feed, poll, position from cursors where connection = ?1",
        [connection.into()],
    )
}

pub fn save(connection: &str, cursors: &[Cursor]) -> Statement {
    Statement::new(
        "insert into cursors (connection, feed, poll, position)
         select ?1, value ->> 'feed', value ->> 'poll', value ->> 'position' from json_each(?2)
         where true
         on conflict (connection, feed, poll) do update set position = excluded.position",
        [connection.into(), json(cursors)],
    )
}
