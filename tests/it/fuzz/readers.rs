//! Every public function that reads what others wrote, and what must hold of whatever it makes of it.

mod caller;
mod database;
mod enet;
mod hubspot;
mod odata;

use std::fmt::Debug;

use fastrand::Rng;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use syspro_hubspot_sync::{
    connection::Problem,
    fault::{Fault, Reason},
    retry,
};

use super::{CANARIES, Read, Sample, corpus::Origin};
use crate::world::Response;

pub type Reader = fn(&mut Rng, &Sample<'_>) -> Read;

pub const READERS: &[(&str, Origin, Reader)] = &[
    ("odata pages", Origin::Odata, odata::page),
    ("odata schemas", Origin::Odata, odata::schema),
    ("a session of e.net", Origin::Enet, enet::session),
    ("e.net's version", Origin::Enet, enet::version),
    ("who is logged on", Origin::Enet, enet::profile),
    ("tables over e.net", Origin::Enet, enet::rows),
    ("records written", Origin::HubSpot, hubspot::written),
    ("one record", Origin::HubSpot, hubspot::one),
    ("records by key", Origin::HubSpot, hubspot::by_key),
    ("records found", Origin::HubSpot, hubspot::found),
    ("links", Origin::HubSpot, hubspot::linked),
    ("properties", Origin::HubSpot, hubspot::properties),
    ("properties made", Origin::HubSpot, hubspot::created),
    ("account", Origin::HubSpot, hubspot::account),
    ("a new connection", Origin::Caller, caller::connection),
    ("a patch", Origin::Caller, caller::patch),
    ("a replay", Origin::Caller, caller::replay),
    ("a period", Origin::Caller, caller::period),
    ("a path", Origin::Word, caller::path),
    ("a query", Origin::Word, caller::query),
    ("a URL", Origin::Word, caller::url),
    ("variables", Origin::Word, caller::variables),
    ("a sealed secret", Origin::Word, caller::sealed),
    ("rows", Origin::Database, database::rows),
    ("stored JSON", Origin::Database, database::json),
];

const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 206, 207, 302, 400, 401, 403, 404, 408, 409, 413, 414, 423, 429, 477, 500,
    502, 503, 504, 524, 999,
];

/// An answer with these bytes: mostly with the status it had.
fn response(rng: &mut Rng, sample: &Sample<'_>) -> Response {
    let status = match rng.u8(..4) {
        0 => STATUSES[rng.usize(..STATUSES.len())],
        _ => sample.document.status,
    };
    let mut response = Response::new(sample.bytes.clone());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    *response.headers_mut() = headers(rng);
    response
}

fn headers(rng: &mut Rng) -> HeaderMap {
    const NAMES: [&str; 7] = [
        "retry-after",
        "x-hubspot-ratelimit-max",
        "x-hubspot-ratelimit-remaining",
        "x-hubspot-ratelimit-interval-milliseconds",
        "x-hubspot-ratelimit-daily",
        "x-hubspot-ratelimit-daily-remaining",
        "content-type",
    ];
    const VALUES: [&[u8]; 16] = [
        b"",
        b"0",
        b"1",
        b"7",
        b"100",
        b"10000",
        b"600000",
        b"-1",
        b"1.5",
        b"1e9",
        b" 12 ",
        b"18446744073709551615",
        b"18446744073709551616",
        b"9223372036854775807",
        b"\xff\xfe",
        b"Mon, 02 Nov 2026 08:00:00 GMT",
    ];
    let mut headers = HeaderMap::new();
    for _ in 0..rng.usize(..5) {
        let name = HeaderName::from_static(NAMES[rng.usize(..NAMES.len())]);
        if let Ok(value) = HeaderValue::from_bytes(VALUES[rng.usize(..VALUES.len())]) {
            headers.append(name, value);
        }
    }
    headers
}

/// Nothing of a document's values is in what is said about it.
fn silent(said: &impl Debug) {
    let said = format!("{said:?}");
    for canary in CANARIES {
        assert!(!said.contains(canary), "a value is repeated: {said}");
    }
}

/// What it says, and what is done next, whatever the fault.
fn fault_is_sound(rng: &mut Rng, fault: &Fault) {
    silent(fault);
    for text in [fault.to_string(), fault.sentence(), fault.remedy()] {
        assert!(
            !text.trim().is_empty() && text.len() < 10_000,
            "{fault:?}: {text:?}"
        );
        silent(&text);
    }
    let attempt = [0, 1, 4, 5, 100, u32::MAX][rng.usize(..6)];
    let until_reset = std::time::Duration::from_secs(rng.u64(..));
    let decision = retry::decide(fault, attempt, rng.f64(), until_reset);
    if let retry::Decision::Wait(wait) = decision {
        assert!(wait.as_secs() <= 120, "{fault:?}: {wait:?}");
    }
    retry::is_lost_write(fault);
}

fn reason_is_sound(reason: &Reason) {
    silent(reason);
    assert!(
        !reason.code.is_empty() && !reason.reason.trim().is_empty(),
        "{reason:?}"
    );
}

fn problems_are_sound(problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a reason");
    for problem in problems {
        // Its path is the caller's own word where nobody knows it, and so is a feed.
        if !problem.path.ends_with("feed") {
            silent(&(&problem.reason, &problem.remedy));
        }
        let said = [&problem.path, &problem.reason, &problem.remedy];
        assert!(
            said.iter().all(|text| !text.is_empty()) || problem.path.is_empty(),
            "{problem:?}"
        );
    }
}
