//! How much may be asked, and what happens to calls on a bad day.

use super::*;
use crate::hubspot::{Fault, Limits, Rule};

const READ: &str = "GET /crm/objects/2026-09/companies";
const SEARCH: &str = "POST /crm/objects/2026-09/companies/search";
const LABELS: &str = "GET /crm/associations/2026-09/contacts/companies/labels";
const UPSERT: &str = "POST /crm/objects/2026-09/companies/batch/upsert";

/// Asks at random times and checks that no stretch of the window's length let through too many.
#[track_caller]
fn never_more_than(call: &str, most: usize, window: Millis) {
    let mut desk = Desk::bare(Options::default());
    let mut rng = fastrand::Rng::with_seed(11);
    let (mut passed, mut refused) = (Vec::new(), 0);
    for _ in 0..2_000 {
        desk.now += rng.i64(0..window * 3 / most as Millis / 2);
        match desk.send(call, json!({})).status().as_u16() {
            429 => refused += 1,
            _ => passed.push(desk.now),
        }
    }
    for (place, first) in passed.iter().enumerate() {
        let within = passed[place..]
            .iter()
            .take_while(|at| **at < first + window);
        assert!(within.count() <= most);
    }
    assert!(
        refused > 0 && passed.len() > most * 2,
        "the window must bite and let go"
    );
    assert_eq!(desk.portal.calls().get("429"), Some(&refused));
}

#[test]
fn windows_roll() {
    never_more_than(READ, 190, 10_000);
    never_more_than(LABELS, 150, 10_000);
    never_more_than(SEARCH, 5, 1_000);
}

#[test]
fn headers_tell_what_is_left_except_for_search() {
    let mut desk = Desk::bare(Options::default());
    desk.send(READ, Value::Null);
    let answer = desk.send(READ, Value::Null);
    let header = |name: &str| answer.headers()[name].to_str().unwrap_or_default();
    assert_eq!(header("x-hubspot-ratelimit-max"), "190");
    assert_eq!(header("x-hubspot-ratelimit-remaining"), "188");
    assert_eq!(header("x-hubspot-ratelimit-interval-milliseconds"), "10000");
    assert_eq!(header("x-hubspot-ratelimit-daily"), "625000");
    assert_eq!(header("x-hubspot-ratelimit-daily-remaining"), "624998");
    assert_eq!(header("content-type"), "application/json;charset=utf-8");
    assert_eq!(header("x-hubspot-correlation-id").len(), 36);
    let answer = desk.send(LABELS, Value::Null);
    assert_eq!(answer.headers()["x-hubspot-ratelimit-max"], "150");
    let answer = desk.send(SEARCH, json!({}));
    assert!(
        answer
            .headers()
            .keys()
            .all(|name| !name.as_str().contains("ratelimit"))
    );
}

/// A portal whose windows take so few calls that they are soon full.
fn small(associations_use_general: bool, retry_after: bool) -> Desk {
    Desk::bare(Options {
        limits: Limits {
            general_in_ten_seconds: 2,
            associations_in_ten_seconds: 2,
            searches_in_a_second: 1,
            daily: 6,
        },
        associations_use_general,
        retry_after,
        ..Options::default()
    })
}

#[test]
fn each_window_has_its_own_429() {
    let mut desk = small(false, true);
    for call in [READ, READ, LABELS, LABELS, SEARCH] {
        assert_eq!(desk.send(call, json!({})).status(), 200);
    }
    let ten = json!({ "message": "You have reached your ten_secondly_rolling limit.",
                      "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING",
                      "groupName": "publicapi:*" });
    desk.check(READ, Value::Null, 429, ten.clone());
    desk.check(LABELS, Value::Null, 429, ten);
    desk.check(SEARCH, json!({}), 429, json!({ "policyName": "SECONDLY" }));
    assert_eq!(desk.send(READ, Value::Null).headers()["retry-after"], "10");
    desk.now += 10_000;
    assert_eq!(desk.send(READ, Value::Null).status(), 200);
    let daily = json!({ "message": "You have reached your daily limit.", "policyName": "DAILY" });
    desk.check(READ, Value::Null, 429, daily);
    // The day ends at midnight in the portal's zone, 05:00 UTC.
    let left: Millis = 21 * 3_600 + 50;
    let answer = desk.send(READ, Value::Null);
    let wait: Millis = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((left - 1..=left).contains(&wait), "{wait}");
    desk.now += wait * 1_000;
    assert_eq!(desk.send(READ, Value::Null).status(), 200);
}

#[test]
fn association_calls_use_the_general_window_where_the_portal_says_so() {
    for (shared, status) in [(false, 200), (true, 429)] {
        let mut desk = small(shared, false);
        desk.send(LABELS, Value::Null);
        desk.send(LABELS, Value::Null);
        let answer = desk.send(READ, Value::Null);
        assert_eq!(answer.status(), status);
        assert!(!answer.headers().contains_key("retry-after"));
    }
}

#[test]
fn what_a_fault_leaves_to_the_caller() {
    let faults = [
        (Fault::Drop, 0, "Dropped { done: false }"),
        (Fault::LoseAnswer, 1, "Dropped { done: true }"),
        (Fault::Late { ms: 9 }, 0, "DroppedThenDone { late_ms: 9 }"),
        (Fault::Delay { ms: 9 }, 1, "Delayed { ms: 9,*status: 200*"),
        (
            Fault::DoneBut { status: 504 },
            1,
            "Answer(*status: 504*<html>*",
        ),
        (Fault::Cut { bytes: 9 }, 1, "Cut {*whole: *"),
    ];
    for (fault, done, told) in faults {
        let mut desk = Desk::new(Options::default());
        desk.portal.add_fault(fault.once("upsert"));
        let request = desk.request(UPSERT, &upserts(&[("K", json!({ "name": "A" }))]));
        let exchange = desk.portal.exchange(desk.now, &request);
        if let Exchange::Cut { response, whole } = &exchange {
            assert!(response.body().len() == 9 && *whole > 9);
        }
        let shown = match &exchange {
            Exchange::Answer(response) => {
                format!(
                    "Answer(status: {} {})",
                    response.status().as_u16(),
                    String::from_utf8_lossy(response.body())
                )
            }
            other => format!("{other:?}"),
        };
        assert!(like(&shown, &format!("{told}*")), "{shown}");
        assert_eq!(desk.portal.objects(Kind::Company).count(), done);
        let again = answered(desk.portal.exchange(desk.now, &request));
        let new = json!({ "results": [{ "new": done == 0 }] });
        verify(UPSERT, &again, 200, &new);
        assert_eq!(
            desk.portal.objects(Kind::Company).count(),
            1,
            "upserts may be repeated"
        );
    }
}

#[test]
fn a_rule_lets_some_pass_then_strikes_some() {
    let rule: Rule = serde_json::from_value(json!({
        "method": "post", "matches": "/companies/", "after": 1, "times": 2,
        "fault": { "kind": "limit", "limit": "daily" },
    }))
    .expect("a rule");
    let mut desk = Desk::new(Options::default());
    desk.portal.add_fault(rule);
    let read = desk.request("GET /crm/objects/2026-09/companies/1", &Value::Null);
    let write = desk.request(UPSERT, &upserts(&[("K", json!({ "name": "A" }))]));
    let mut ask = |request| {
        let exchange = desk.portal.exchange(desk.now, request);
        answered(exchange).status().as_u16()
    };
    let told = [&read, &write, &read, &write, &write, &write].map(&mut ask);
    assert_eq!(told, [404, 200, 404, 429, 429, 200]);
    let wrong = json!({ "fault": { "kind": "limit", "limit": "daily", "status": 5 } });
    assert!(serde_json::from_value::<Rule>(wrong).is_err());
}

#[test]
fn switches_are_read_from_json_and_limits_change_under_way() {
    let options: Options = serde_json::from_value(json!({
        "taken_email": "coordinates", "additional_currencies": ["CHF"],
        "rules": [{ "on_create": { "kind": "companies", "property": "city" } }],
        "limits": { "general_in_ten_seconds": 1, "associations_in_ten_seconds": 1,
                    "searches_in_a_second": 1, "daily": 9 },
    }))
    .expect("options");
    let mut desk = Desk::bare(options);
    let told: Vec<u16> = [1, 1, 2, 2]
        .into_iter()
        .map(|most| {
            desk.portal.options_mut().limits.general_in_ten_seconds = most;
            desk.send(READ, Value::Null).status().as_u16()
        })
        .collect();
    assert_eq!(told, [200, 429, 200, 429]);
    assert!(serde_json::from_value::<Options>(json!({ "taken_mail": "conflict" })).is_err());
}
