//! What the database holds, damaged or written by another version.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::de::DeserializeOwned;
use serde_json::Value;
use syspro_hubspot_sync::{
    connection::Settings,
    credentials,
    fault::{Reason, Refusal},
    feeds::Payload,
    hubspot::{Kind, account::Account},
    ingest::Sweep,
    store::{
        checks::{Ran, Sealed},
        connections::{Parks, Runnable, Stored},
        cursors::Cursor,
        ledger::{Due, Known, Open, Queued},
        rows_as,
        runs::Asked,
        sessions::Kept,
        targets::Target,
    },
    syspro::session::Refused,
    vault::MasterKeys,
};

use super::{Read, Sample, reason_is_sound};
use crate::site::MASTER_KEY;

fn reads<T: DeserializeOwned>(rows: &[Value]) -> bool {
    rows_as::<T>(rows.to_vec()).is_ok()
}

pub fn rows(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let Ok(Value::Array(rows)) = serde_json::from_slice(&sample.bytes) else {
        return Read::Refused;
    };
    let readers = [
        reads::<Due>,
        reads::<Known>,
        reads::<Open>,
        reads::<Queued>,
        reads::<Runnable>,
        reads::<Cursor>,
        reads::<Asked>,
        reads::<Stored>,
        reads::<Sealed>,
        reads::<Ran>,
    ];
    let read = readers.map(|reads| reads(&rows));
    let keys = MasterKeys::parse(MASTER_KEY, None).expect("a key");
    for stored in rows_as::<Stored>(rows).into_iter().flatten() {
        if let Err(reason) = credentials::open(&keys, &stored) {
            reason_is_sound(&reason);
        }
    }
    if read.contains(&true) {
        Read::Taken
    } else {
        Read::Refused
    }
}

fn parses<T: DeserializeOwned>(text: &str) -> bool {
    serde_json::from_str::<T>(text).is_ok()
}

pub fn json(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let readers = [
        parses::<Payload>,
        parses::<Vec<Target>>,
        parses::<BTreeMap<Kind, String>>,
        parses::<Parks>,
        parses::<Account>,
        parses::<Settings>,
        parses::<Reason>,
        parses::<Refusal>,
        parses::<Sweep>,
        parses::<Vec<Asked>>,
        parses::<Kept<Refused>>,
    ];
    let text = sample.text();
    let read = readers.map(|reads| reads(&text));
    if read.contains(&true) {
        assert!(!sample.cut, "half a text was taken");
        Read::Taken
    } else {
        Read::Refused
    }
}
