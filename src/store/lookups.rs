//! Tables of SYSPRO's codes as they were last read, so that no run has to do without them.

use serde::{Deserialize, Serialize};

use super::{json, slices};
use crate::platform::{Millis, Statement};

/// What the connection's own row tells of each: enough to know whether to ask again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Known {
    pub name: String,
    pub hash: String,
    pub asked_at: Millis,
    /// 1: there are rows; 0: the site does not publish the table.
    pub held: i64,
}

/// The rows themselves.
#[derive(Clone, Debug, Deserialize)]
pub struct Held {
    pub name: String,
    /// JSON.
    pub codes: String,
}

pub fn load(connection: &str) -> Statement {
    Statement::new(
        "select name, codes from lookups where connection = ?1 and codes is not null",
        [connection.into()],
    )
}

/// What came of asking for a table.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    pub name: &'static str,
    pub hash: String,
    /// Nothing leaves the rows as they are.
    pub codes: Option<String>,
}

pub fn save(connection: &str, now: Millis, asked: &[Asked]) -> Vec<Statement> {
    let save = |asked: &[Asked]| {
        Statement::new(
            "insert into lookups (connection, name, hash, asked_at, codes)
             select ?1, value ->> 'name', value ->> 'hash', ?2, value ->> 'codes' from json_each(?3)
             where true
             on conflict (connection, name) do update set hash = excluded.hash,
               asked_at = excluded.asked_at, codes = coalesce(excluded.codes, codes)",
            [connection.into(), now.into(), json(asked)],
        )
    };
    slices(asked, Asked::size).map(save).collect()
}

impl Asked {
    /// As it travels: JSON within JSON, so that every quotation mark of the codes is two characters.
    pub fn size(&self) -> usize {
        let codes = self.codes.as_deref().unwrap_or_default();
        let escaped = codes.bytes().filter(|byte| b"\"\\".contains(byte)).count();
        codes.len() + escaped + self.name.len() + self.hash.len() + 64
    }
}

/// Beside the change of a connection, and only where that was made: tables that were not to be had are
/// asked for again.
pub fn ask_again(connection: &str, secrets: &str) -> Statement {
    Statement::new(
        "update lookups set asked_at = 0 where connection = ?1 and codes is null
           and exists (select 1 from connections where id = ?1 and secrets = ?2)",
        [connection.into(), secrets.into()],
    )
}

/// Rows mapped with what the codes stood for before are mapped again.
pub fn map_again(connection: &str) -> Statement {
    Statement::new(
        "update connections set mapping = mapping + 1 where id = ?1 returning mapping",
        [connection.into()],
    )
}
