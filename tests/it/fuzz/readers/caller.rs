//! What callers of the API and the deployment write.

use std::collections::BTreeMap;

use fastrand::Rng;
use http::Method;
use syspro_hubspot_sync::{
    config::Config,
    connection::{Connection, Rejected},
    origin::{Guard, Target, origin_of},
    reconcile::Period,
    replay::{self, Replay},
    routes::{Query, Route},
    store::runs::Asked,
    vault::{MasterKeys, Place, Secret},
};

use super::{Read, Sample, problems_are_sound};
use crate::{fuzz::corpus::whole_connection, site::MASTER_KEY};

fn is_sound(connection: &Connection) {
    let (public, secrets) = (connection.public_json(), connection.secrets());
    let headers = public["syspro"]["headers"].as_object();
    let shown = [
        &public["syspro"]["odata_password"],
        &public["hubspot"]["token"],
    ];
    for secret in shown
        .into_iter()
        .chain(headers.into_iter().flat_map(|it| it.values()))
    {
        assert_eq!(secret, "set");
    }
    let again = Connection::restore(&public, &secrets).expect("what was taken is restored");
    assert_eq!(again.public_json(), public);
    assert_eq!(again.secrets(), secrets);
}

pub fn connection(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let read = Connection::parse(&sample.text(), &Guard::default());
    match &read {
        Ok(connection) => is_sound(connection),
        Err(problems) => problems_are_sound(problems),
    }
    assert!(read.is_err() || !sample.cut, "half a body was taken");
    Read::of(&read)
}

pub fn patch(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let guard = Guard::default();
    let before = Connection::parse(&whole_connection().to_string(), &guard).expect("a connection");
    let read = before.merge(&sample.text(), &guard);
    match &read {
        Ok(changed) => {
            assert_eq!(changed.connection.id, before.id);
            assert_eq!(changed.connection.syspro.company, before.syspro.company);
            is_sound(&changed.connection);
        }
        Err(Rejected::Problems(problems) | Rejected::Conflict(problems)) => {
            problems_are_sound(problems);
        }
    }
    assert!(read.is_err() || !sample.cut, "half a body was taken");
    Read::of(&read)
}

pub fn replay(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let text = sample.text();
    let read = Replay::parse(&text);
    let asked = Asked {
        id: String::new(),
        kind: "replay".to_owned(),
        asked: text,
        began_at: None,
    };
    // What is stored was parsed once: it is read alike.
    let stored = replay::selection(&asked);
    assert_eq!(
        stored.as_ref(),
        read.as_ref().ok().map(|replay| &replay.selection)
    );
    if let Err(problems) = &read {
        problems_are_sound(problems);
    }
    assert!(read.is_err() || !sample.cut, "half a body was taken");
    Read::of(&read)
}

pub fn period(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let read = Period::parse(&sample.text());
    match &read {
        Ok(period) => assert!(period.from <= period.to),
        Err(problems) => problems_are_sound(problems),
    }
    assert!(read.is_err() || !sample.cut, "half a body was taken");
    Read::of(&read)
}

pub fn path(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let methods = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::PUT,
    ];
    Read::of(&Route::parse(&methods[rng.usize(..5)], &sample.text()))
}

pub fn query(_: &mut Rng, sample: &Sample<'_>) -> Read {
    let all = ["since", "feed", "key", "status", "q", "cursor", "limit"];
    let text = sample.text();
    let read = Query::parse(Some(&text), &all);
    if let Ok(query) = &read {
        assert!((1..=200).contains(&query.limit));
    }
    for name in all {
        let one = format!("{name}={text}");
        let _ = Query::parse(Some(&one), &all);
    }
    replay::instant(&text, true);
    Read::of(&read)
}

/// What the guard lets pass leads to where it looked, and passes again.
pub fn url(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let text = sample.text();
    let guard = Guard::new(rng.bool(), if rng.bool() { "127.0.0.1:8787" } else { "" });
    let target = if rng.bool() {
        Target::Syspro
    } else {
        Target::HubSpot
    };
    let read = guard.judge(&text, target);
    if let Ok(url) = &read {
        assert_eq!(guard.judge(url, target).as_ref(), Ok(url), "{text:?}");
        assert!(origin_of(url).is_some(), "{url}");
        let uri: http::Uri = url.parse().unwrap_or_else(|_| panic!("{url:?} is no URI"));
        let judged = url::Url::parse(url).expect("a URL");
        assert_eq!(uri.host(), judged.host_str(), "{url}");
    }
    Read::of(&read)
}

pub fn variables(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    const NAMES: [&str; 10] = [
        "ADMIN_TOKEN",
        "MASTER_KEY",
        "MASTER_KEY_PREVIOUS",
        "ALLOW_HTTP",
        "ALLOW_HOSTS",
        "MAX_CALLS",
        "MAX_QUERIES",
        "MAX_ROWS",
        "MAX_BYTES",
        "RUN_MINUTES",
    ];
    let odd = NAMES[rng.usize(..NAMES.len())];
    let read = Config::read(|name| match name {
        name if name == odd => Some(sample.text()),
        "ADMIN_TOKEN" => Some("a-token".to_owned()),
        "MASTER_KEY" => Some(MASTER_KEY.to_owned()),
        _ => None,
    });
    for problem in read.as_ref().err().into_iter().flatten() {
        assert!(problem.contains(odd), "{odd}: {problem}");
    }
    Read::of(&read)
}

/// Only what was sealed for the place opens there.
pub fn sealed(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let keys = MasterKeys::parse(MASTER_KEY, None).expect("a key");
    let place = Place {
        connection: "acme",
        field: "hubspot.token",
    };
    assert!(
        keys.open(&sample.text(), place).is_err(),
        "a made-up secret was opened"
    );
    let secrets: BTreeMap<&str, Secret> = [("hubspot.token", Secret::new(sample.text()))].into();
    let mut nonce = [0; 12];
    rng.fill(&mut nonce);
    // cannot fail: it was put there above
    let sealed = keys.seal(&secrets["hubspot.token"], place, nonce);
    let mut damaged = sealed.clone().into_bytes();
    let at = rng.usize(..damaged.len());
    damaged[at] = rng.alphanumeric() as u8;
    let damaged = String::from_utf8_lossy(&damaged).into_owned();
    let same = damaged == sealed;
    assert_eq!(
        keys.open(&sealed, place).as_ref(),
        Ok(&secrets["hubspot.token"])
    );
    let read = keys.open(&damaged, place);
    assert!(same || read.is_err(), "a damaged secret was opened");
    Read::of(&read)
}
