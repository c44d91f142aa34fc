//! A connection's secrets on their way into and out of the database.

pub mod rotation;

use serde_json::{Value, json};

use crate::{
    connection::{Connection, Problem},
    fault::Reason,
    platform::Platform,
    sorted::{SortedMap, SortedSet},
    store::connections::Stored,
    typed,
    vault::{MasterKeys, Place, Secret, Unsealable},
};

/// The code of the reason where secrets do not open.
pub const SEALED: &str = "sealed";
/// In place of a secret that does not open, in a connection about to be patched. It never stays: the
/// patch must replace it or take it away.
const STAND_IN: &str = "sealed";

/// Seals every secret of a connection: JSON of field -> sealed value.
pub fn seal<P: Platform>(platform: &P, keys: &MasterKeys, connection: &Connection) -> String {
    let secrets = connection.secrets().into_iter();
    let sealed: SortedMap<String, String> = secrets
        .map(|(field, secret)| {
            let sealed = seal_one(platform, keys, &connection.id, &field, &secret);
            (field, sealed)
        })
        .collect();
    json!(sealed).to_string()
}

fn seal_one<P: Platform>(
    platform: &P,
    keys: &MasterKeys,
    connection: &str,
    field: &str,
    secret: &Secret,
) -> String {
    let mut nonce = [0; 12];
    platform.random(&mut nonce);
    keys.seal(secret, Place { connection, field }, nonce)
}

/// Puts a stored connection together.
///
/// # Errors
/// Why it cannot be, and what the operator does about it.
pub fn open(keys: &MasterKeys, stored: &Stored) -> Result<Connection, Reason> {
    let public = public(stored)?;
    let unsealed = Unsealed::of(keys, stored, &public);
    match unsealed.shut.is_empty() {
        true => restore(&public, &unsealed.open),
        false => Err(unsealed.reason()),
    }
}

/// Puts a stored connection together for a patch, which must bring along what does not open.
///
/// # Errors
/// The reason, and each secret that the patch would have to name.
pub fn open_to_patch(
    keys: &MasterKeys,
    stored: &Stored,
    patch: &str,
) -> Result<Connection, (Reason, Vec<Problem>)> {
    let alone = |reason| (reason, Vec::new());
    let public = public(stored).map_err(alone)?;
    let mut unsealed = Unsealed::of(keys, stored, &public);
    let missing = Connection::left_alone(patch, unsealed.shut.keys());
    if !missing.is_empty() {
        let problems = missing.iter().map(|field| unsealed.problem(field));
        return Err((unsealed.reason(), problems.collect()));
    }
    for field in unsealed.shut.into_keys() {
        unsealed.open.insert(field, Secret::new(STAND_IN));
    }
    restore(&public, &unsealed.open).map_err(alone)
}

/// The secrets of a connection, by field.
struct Unsealed {
    open: SortedMap<String, Secret>,
    shut: SortedMap<String, Unsealable>,
}

impl Unsealed {
    fn of(keys: &MasterKeys, stored: &Stored, public: &Value) -> Self {
        // What is not there, or no JSON, is missed below like what was altered.
        let mut sealed: SortedMap<String, String> =
            typed::from_str(&stored.secrets).unwrap_or_default();
        let mut unsealed = Self {
            open: SortedMap::new(),
            shut: SortedMap::new(),
        };
        for field in Connection::fields_of_secrets(public) {
            let place = Place {
                connection: &stored.id,
                field: &field,
            };
            let sealed = sealed.remove(&field).unwrap_or_default();
            match keys.open(&sealed, place) {
                Ok(secret) => unsealed.open.insert(field, secret).map(drop),
                Err(why) => unsealed.shut.insert(field, why).map(drop),
            };
        }
        unsealed
    }

    fn reason(&self) -> Reason {
        let fields: Vec<&str> = self.shut.keys().map(String::as_str).collect();
        let fields = fields.join(", ");
        let missing: SortedSet<&str> = self.shut.values().filter_map(Unsealable::key).collect();
        let missing: Vec<&str> = missing.into_iter().collect();
        let (why, remedy) = match missing.as_slice() {
            [] => (
                format!(
                    "What is stored of {fields} does not open: it was altered, or belongs to another connection or field."
                ),
                format!("PATCH the connection with {fields} anew."),
            ),
            keys => (
                format!(
                    "This deployment does not hold master key {}, under which {fields} is sealed.",
                    keys.join(" or ")
                ),
                format!(
                    "Set that key as MASTER_KEY_PREVIOUS and deploy: the connection goes on by itself. If it is lost, PATCH the connection with {fields} anew."
                ),
            ),
        };
        Reason::new(SEALED, why, remedy)
    }

    fn problem(&self, field: &str) -> Problem {
        let reason = match self.shut.get(field).and_then(Unsealable::key) {
            Some(key) => format!("is sealed under master key {key}, which is not here"),
            None => "does not open: it was altered, or belongs elsewhere".to_owned(),
        };
        Problem {
            path: field.to_owned(),
            reason,
            remedy: "Give it in the same request.".to_owned(),
        }
    }
}

fn public(stored: &Stored) -> Result<Value, Reason> {
    typed::parse(stored.public.as_bytes()).map_err(|_| unreadable("Its stored form is no JSON."))
}

fn restore(public: &Value, secrets: &SortedMap<String, Secret>) -> Result<Connection, Reason> {
    Connection::restore(public, secrets).map_err(|problems| {
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
