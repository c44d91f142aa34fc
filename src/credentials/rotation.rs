//! Sealing anew what is sealed under a former master key, so that this key can be forgotten.
//!
//! It keeps no state: what is left to do is what the database shows, so a call that was cut off is
//! simply made again. Nothing is written but in place of what was read.

use serde::Serialize;
use serde_json::json;

use super::seal_one;
use crate::{
    platform::Platform,
    sorted::SortedMap,
    store::keys::{Sealed, Swap},
    typed,
    vault::{MasterKeys, Place, SESSION, Unsealable},
};

/// How many rows one call opens and seals anew, which keeps it far within the CPU time of the smallest
/// plan; those beyond are only counted.
const SLICE: usize = 50;

/// What one call is to do.
#[derive(Debug, Default)]
pub struct Slice {
    pub swaps: Vec<Swap>,
    /// Values that are left for the next call.
    pub left: usize,
    pub unopenable: Vec<Unopenable>,
}

/// A value that stays shut, whatever is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unopenable {
    pub connection: String,
    /// Absent where the stored secrets are not readable at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The version of the master key it asks for; null where no key would help.
    pub needs: Option<String>,
}

/// The secrets of connections, sealed anew.
pub fn secrets<P: Platform>(platform: &P, keys: &MasterKeys, rows: Vec<Sealed>) -> Slice {
    let mut slice = Slice::default();
    for row in rows {
        let Ok(mut sealed) = typed::from_str::<SortedMap<String, String>>(&row.sealed) else {
            slice.shut(&row.connection, None, None);
            continue;
        };
        if slice.is_full() {
            let old = sealed.values().filter(|value| !keys.is_newest(value));
            slice.left += old.count();
            continue;
        }
        let mut values = 0;
        for (field, value) in sealed.iter_mut() {
            match reseal(platform, keys, &row.connection, field, value) {
                Ok(None) => {}
                Ok(Some(anew)) => {
                    *value = anew;
                    values += 1;
                }
                Err(why) => slice.shut(&row.connection, Some(field), why.key()),
            }
        }
        if values > 0 {
            slice.swap(row, json!(sealed).to_string(), values);
        }
    }
    slice
}

/// The sessions of e.net, sealed anew. One that does not open is no loss: a log-on replaces it.
pub fn sessions<P: Platform>(platform: &P, keys: &MasterKeys, rows: Vec<Sealed>) -> Slice {
    let mut slice = Slice::default();
    for row in rows {
        if slice.is_full() {
            slice.left += 1;
            continue;
        }
        let anew = reseal(platform, keys, &row.connection, SESSION, &row.sealed);
        if let Ok(Some(anew)) = anew {
            slice.swap(row, anew, 1);
        }
    }
    slice
}

/// The same under the newest key; nothing when it is that already.
fn reseal<P: Platform>(
    platform: &P,
    keys: &MasterKeys,
    connection: &str,
    field: &str,
    sealed: &str,
) -> Result<Option<String>, Unsealable> {
    if keys.is_newest(sealed) {
        return Ok(None);
    }
    let secret = keys.open(sealed, Place { connection, field })?;
    Ok(Some(seal_one(platform, keys, connection, field, &secret)))
}

impl Slice {
    fn swap(&mut self, row: Sealed, after: String, values: usize) {
        self.swaps.push(Swap {
            connection: row.connection,
            before: row.sealed,
            after,
            values,
        });
    }

    fn is_full(&self) -> bool {
        self.swaps.len() >= SLICE
    }

    fn shut(&mut self, connection: &str, field: Option<&str>, needs: Option<&str>) {
        self.unopenable.push(Unopenable {
            connection: connection.to_owned(),
            field: field.map(str::to_owned),
            needs: needs.map(str::to_owned),
        });
    }

    /// How many values were swapped: those of the connections that the database names.
    pub fn swapped(&self, connections: &[String]) -> usize {
        let swaps = self.swaps.iter();
        let done = swaps.filter(|swap| connections.contains(&swap.connection));
        done.map(|swap| swap.values).sum()
    }

    /// How many values were to be.
    pub fn meant(&self) -> usize {
        self.swaps.iter().map(|swap| swap.values).sum()
    }
}
