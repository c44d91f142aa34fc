//! HubSpot's answers.

use fastrand::Rng;
use serde_json::Value;
use syspro_hubspot_sync::{
    fault::{Fault, Refusal},
    hubspot::{
        Kind,
        account::{self, day_reset},
        associations::{LinkAnswer, read_linked},
        objects::{self, Answer, Write},
        properties, refusal, search,
    },
    pace::{Lane, Pace, Permit},
    platform::{DAY, HOUR},
    sorted::SortedMap,
};

use super::{Read, Sample, fault_is_sound, reason_is_sound, response, silent};
use crate::world::{Response, Start};

fn refusal_is_sound(refusal: &Refusal) {
    silent(refusal);
    assert!(!refusal.code.is_empty());
    for kind in Kind::ALL {
        reason_is_sound(&refusal::reason(refusal, kind));
    }
    refusal::takes_email(refusal);
    assert_eq!(
        refusal::is_missing(refusal),
        refusal::is_missing(&refusal.clone())
    );
}

/// What every answer is read for, its headers included.
fn look<T>(rng: &mut Rng, sample: &Sample<'_>, response: &Response, read: &Result<T, Fault>) {
    if let Err(fault) = read {
        fault_is_sound(rng, fault);
        if let Fault::Refused { refusal, .. } = fault {
            refusal_is_sound(refusal);
        }
    }
    if sample.cut && response.status().is_success() {
        assert!(read.is_err(), "half an answer was taken");
    }
    pace(rng, response);
}

/// Whatever the headers promise, a call waits for minutes at most, or for the end of the day.
fn pace(rng: &mut Rng, response: &Response) {
    let now = Start::NOW;
    let mut pace = Pace::new(0.8, 0.5, now + HOUR);
    for _ in 0..3 {
        for lane in [Lane::General, Lane::Associations, Lane::Search] {
            pace.learn(now, lane, response.headers());
            if let Permit::Wait(wait) = pace.permit(now + rng.i64(0..1_000), lane) {
                assert!((1..=10 * 60 * 1_000).contains(&wait), "{wait}");
            }
        }
    }
    assert!((1..=5).contains(&pace.width()));
}

/// All texts and numbers of a document that can be read: what a record can be named by.
fn named(sample: &Sample<'_>) -> Vec<String> {
    fn gather(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Number(number) => into.push(number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
            Value::Object(fields) => fields.values().for_each(|field| gather(field, into)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    let mut all = Vec::new();
    gather(
        &serde_json::from_slice(&sample.bytes).unwrap_or_default(),
        &mut all,
    );
    all
}

pub fn written(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let properties = SortedMap::new();
    let asked = &sample.document.asked;
    let write =
        |(id, trace): &'_ (String, String)| -> (String, String) { (id.clone(), trace.clone()) };
    let owned: Vec<(String, String)> = asked.iter().map(write).collect();
    let writes: Vec<Write<'_>> = owned
        .iter()
        .map(|(id, trace)| Write {
            id,
            trace,
            properties: &properties,
        })
        .collect();
    let key_property = rng.bool().then_some("syspro_key");
    let response = response(rng, sample);
    let read = objects::read_written(&writes, key_property, &response);
    look(rng, sample, &response, &read);
    let Ok(answers) = &read else {
        return Read::Refused;
    };
    assert_eq!(answers.len(), writes.len(), "one answer for each write");
    let named = named(sample);
    let is_named = |name: &str| named.iter().any(|text| text == name);
    for (write, answer) in writes.iter().zip(answers) {
        match answer {
            Answer::Written { id, warnings, .. } => {
                assert!(
                    is_named(write.id) || is_named(write.trace),
                    "{write:?} is not named"
                );
                assert!(is_named(id), "{id} was made up");
                warnings.iter().for_each(reason_is_sound);
            }
            Answer::Refused(refusal) => refusal_is_sound(refusal),
            Answer::Unnamed => {}
        }
    }
    Read::Taken
}

pub fn one(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let response = response(rng, sample);
    let read = objects::read_one(&response);
    look(rng, sample, &response, &read);
    if let Ok(found) = &read {
        // That a record is not there is a word of its own, not the lack of one.
        assert!(
            found.is_some() || response.status() == 404,
            "no word on the record"
        );
    }
    Read::of(&read)
}

pub fn found(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let response = response(rng, sample);
    let read = search::read(&response);
    look(rng, sample, &response, &read);
    if let Ok(page) = &read {
        let named = named(sample);
        let made_up = |id: &&String| !named.contains(id);
        let ids = page.found.iter().map(|found| &found.id);
        assert_eq!(ids.chain(&page.after).find(made_up), None, "made up");
    }
    Read::of(&read)
}

pub fn by_key(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let asked = &sample.document.asked;
    let keys: Vec<&str> = asked.iter().map(|(id, _)| id.as_str()).collect();
    let response = response(rng, sample);
    let read = objects::read_found_by("syspro_key", &keys, &response);
    look(rng, sample, &response, &read);
    let Ok(found) = &read else {
        return Read::Refused;
    };
    let named = named(sample);
    for (key, found) in found {
        assert!(keys.contains(&key.as_str()), "{key} was not asked for");
        let is_named = |text: &String| named.contains(text);
        assert!(found.as_ref().is_none_or(|found| is_named(&found.id)));
    }
    Read::Taken
}

pub fn linked(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let pairs: Vec<(&str, &str)> = sample
        .document
        .asked
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    let response = response(rng, sample);
    let read = read_linked(&pairs, &response);
    look(rng, sample, &response, &read);
    let Ok(answers) = &read else {
        return Read::Refused;
    };
    assert_eq!(answers.len(), pairs.len(), "one answer for each pair");
    for answer in answers {
        if let LinkAnswer::Refused(refusal) = answer {
            refusal_is_sound(refusal);
        }
    }
    Read::Taken
}

pub fn properties(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let response = response(rng, sample);
    let read = properties::read_all(&response);
    look(rng, sample, &response, &read);
    Read::of(&read)
}

/// Yes needs no words here: what is there is read again.
pub fn created(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let response = response(rng, sample);
    let read = properties::read_created(&response);
    let silence = response.body().trim_ascii().is_empty();
    if !(silence && response.status().is_success()) {
        look(rng, sample, &response, &read);
    }
    for refusal in read.iter().flatten() {
        refusal_is_sound(refusal);
    }
    Read::of(&read)
}

pub fn account(rng: &mut Rng, sample: &Sample<'_>) -> Read {
    let response = response(rng, sample);
    let read = account::read_details(&response);
    look(rng, sample, &response, &read);
    if let Ok(account) = &read {
        let reset = day_reset(account, Start::NOW) - Start::NOW;
        assert!((1..=DAY).contains(&reset), "{reset}");
    }
    Read::of(&read)
}
