//! A connection's session of e.net, kept from one run to the next.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Rows, json};
use crate::platform::{Millis, Statement};
use crate::typed;

/// The stored form. Its id is sealed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept<R> {
    pub session: Option<String>,
    pub used_at: Option<Millis>,
    #[serde(default)]
    pub evictions: Vec<Millis>,
    pub refused: Option<R>,
}

impl<R: Serialize + DeserializeOwned> Kept<R> {
    /// From a connection's row; one of another version's form is none.
    pub fn read(stored: Option<&str>) -> Option<Self> {
        typed::from_str(stored?).ok()
    }

    pub fn save(&self, connection: &str) -> Statement {
        Statement::new(
            "insert into sessions (connection, session, used_at, evictions, refused)
             values (?1, ?2, ?3, ?4, ?5)
             on conflict (connection) do update set session = excluded.session,
               used_at = excluded.used_at, evictions = excluded.evictions, refused = excluded.refused",
            [
                connection.into(),
                self.session.clone().into(),
                self.used_at.into(),
                json(&self.evictions),
                self.refused.as_ref().map(json).into(),
            ],
        )
    }
}

pub fn of(connection: &str) -> Statement {
    Statement::new(
        "select session from sessions where connection = ?1",
        [connection.into()],
    )
}

/// The sealed session that one of some statements answered.
pub fn answered(rows: &[Rows]) -> Option<String> {
    let mut rows = rows.iter().flatten();
    rows.find_map(|row| row["session"].as_str().map(str::to_owned))
}

/// Beside the change of a connection's log-on, and only where that was made (its sealed secrets tell):
/// forgets the session and what kept it from being made. Answers the session, for somebody to log it
/// off.
pub fn forget(connection: &str, secrets: &str) -> Statement {
    Statement::new(
        "delete from sessions where connection = ?1
           and exists (select 1 from connections where id = ?1 and secrets = ?2)
         returning session",
        [connection.into(), secrets.into()],
    )
}

/// Beside the making or changing of a connection: its log-on was refused when it was looked at, and
/// is not tried again at once.
pub fn refused<R: Serialize>(connection: &str, secrets: &str, refused: &R) -> Statement {
    Statement::new(
        "insert into sessions (connection, refused)
         select ?1, ?3 where exists (select 1 from connections where id = ?1 and secrets = ?2)
         on conflict (connection) do update set refused = excluded.refused",
        [connection.into(), secrets.into(), json(refused)],
    )
}
