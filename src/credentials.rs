//! A connection's secrets on their way into and out of the database.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    connection::Connection,
    fault::Reason,
    platform::Platform,
    store::connections::Stored,
    vault::{MasterKeys, Place, Secret},
};

/// Seals every secret of a connection: JSON of field -> sealed value.
pub fn seal<P: Platform>(platform: &P, keys: &MasterKeys, connection: &Connection) -> String {
    let sealed: BTreeMap<String, String> = connection
        .secrets()
        .into_iter()
        .map(|(field, secret)| {
            let mut nonce = [0; 12];
            platform.random(&mut nonce);
            let place = Place {
                connection: &connection.id,
                field: &field,
            };
            let sealed = keys.seal(&secret, place, nonce);
            (field, sealed)
        })
        .collect();
    json!(sealed).to_string()
}

/// Puts a stored connection together.
///
/// # Errors
/// Why it cannot be, and what the operator does about it.
pub fn open(keys: &MasterKeys, stored: &Stored) -> Result<Connection, Reason> {
    let sealed: BTreeMap<String, String> = serde_json::from_str(&stored.secrets)
        .map_err(|_| unreadable("Its stored secrets are no JSON."))?;
    let mut secrets: BTreeMap<String, Secret> = BTreeMap::new();
    for (field, sealed) in sealed {
        let place = Place {
            connection: &stored.id,
            field: &field,
        };
        let secret = keys.open(&sealed, place).map_err(|error| {
            Reason::new(
                "sealed",
                error.to_string(),
                "Set the key it names; without it, delete the connection and create it anew.",
            )
        })?;
        secrets.insert(field, secret);
    }
    let public: Value = serde_json::from_str(&stored.public)
        .map_err(|_| unreadable("Its stored form is no JSON."))?;
    Connection::restore(&public, &secrets).map_err(|problems| {
        let paths: Vec<&str> = problems
            .iter()
            .map(|problem| problem.path.as_str())
            .collect();
        unreadable(&format!("Its stored form lacks {}.", paths.join(", ")))
    })
}

fn unreadable(why: &str) -> Reason {
    Reason::new(
        "stored_form",
        why,
        "Delete the connection and create it anew: what HubSpot has is found again by its keys.",
    )
}
