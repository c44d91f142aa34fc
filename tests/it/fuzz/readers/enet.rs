//! e.net's answers: a session's id, who is logged on, rows of a table, and all the ways of saying no.

use fastrand::Rng;
use syspro_hubspot_sync::{
    connection::Enet,
    fault::Fault,
    feeds::{Lookups, lookups::LOOKUPS},
    syspro::{
        Row,
        enet::{self, Find},
    },
    vault::Secret,
};

use super::{Read, Sample, fault_is_sound, reason_is_sound, response, silent};

pub fn session(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    match enet::read_logon(&response(rng, sample)) {
        Ok(id) => {
            // It travels in URLs, and is shown to nobody.
            let text = id.expose();
            let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            assert!(plain && (8..=64).contains(&text.len()), "{text:?}");
            assert!(!format!("{id:?}").contains(text), "{id:?}");
            Read::Taken
        }
        Err(fault) => refused(rng, &fault),
    }
}

pub fn version(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    match enet::read_version(&response(rng, sample)) {
        Ok(()) => Read::Taken,
        Err(fault) => refused(rng, &fault),
    }
}

pub fn profile(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    match enet::read_profile(&response(rng, sample)) {
        Ok(_) => {
            assert!(!sample.cut, "half a document was taken");
            Read::Taken
        }
        Err(fault) => refused(rng, &fault),
    }
}

pub fn rows(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let lookup = LOOKUPS[rng.usize(..LOOKUPS.len())];
    let find = Find {
        table: lookup.table,
        columns: lookup.columns,
        key: lookup.key,
        rows: 10,
    };
    match enet::read_rows(&find, &response(rng, sample)) {
        Ok(rows) => {
            assert!(!sample.cut, "half a table was taken");
            (lookup.add)(&mut Lookups::default(), &rows);
            rows.iter().for_each(|row| ask_behind(&find, row));
            Read::Taken
        }
        Err(fault) => refused(rng, &fault),
    }
}

/// Where reading goes on: a request to the same server, whatever a key holds.
fn ask_behind(find: &Find<'_>, row: &Row) {
    let line = Enet {
        url: "https://erp.acme.example:31002/SYSPROWCFService/Rest".to_owned(),
        operator: "SVC".to_owned(),
        operator_password: Secret::new("p"),
        company_password: Secret::new(""),
    };
    let key: Vec<String> = find.key.iter().map(|column| row.text(column)).collect();
    let xml = enet::find(find, Some(&key));
    let request = enet::query(&line, &Secret::new("3EA613166FE4BF47"), "COMFND", &xml);
    // A key too long for any URI asks for nothing, anywhere.
    let uri = request.uri();
    assert!(
        uri.host() == Some("erp.acme.example") || uri == "/",
        "{uri}"
    );
}

fn refused(rng: &mut Rng, fault: &Fault) -> Read {
    fault_is_sound(rng, fault);
    let reason = enet::reason(fault);
    reason_is_sound(&reason);
    silent(&reason);
    assert!(!reason.remedy.trim().is_empty(), "{reason:?}");
    Read::Refused
}
