//! A connection's session of e.net, kept from one run to the next.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::json;
use crate::platform::{Millis, Statement};

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
        serde_json::from_str(stored?).ok()
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

/// Forgets the session, and what kept it from being made: its log-on has changed.
pub fn forget(connection: &str) -> Statement {
    Statement::new(
        "delete from sessions where connection = ?1",
        [connection.into()],
    )
}
