use expect_test::{Expect, expect};

use super::*;
use crate::{
    hubspot::tests::{answer, api, wire},
    sorted::SortedMap,
};

fn properties(pairs: &[(&str, &str)]) -> SortedMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

/// Two customers, as in the answers below.
fn check(key_property: Option<&str>, ids: [&str; 2], status: u16, text: &str, expected: &Expect) {
    let none = SortedMap::new();
    let write = |id, trace| Write {
        id,
        trace,
        properties: &none,
    };
    let writes = [write(ids[0], "c-0"), write(ids[1], "c-1")];
    let read = match read_written(&writes, key_property, &answer(status, text)) {
        Ok(answers) => answers
            .iter()
            .map(|answer| format!("{answer:?}\n"))
            .collect(),
        Err(fault) => format!("{fault:?}\n"),
    };
    expected.assert_eq(&read);
}

const KEY: Option<&str> = Some("erp_customer_id");
const CUSTOMERS: [&str; 2] = ["CUST-001", "CUST-002"];

const SHUFFLED: &str = r#"{"status":"COMPLETE","results":[
 {"id":"512346","properties":{"createdate":"2026-11-02T08:00:00.100Z","erp_customer_id":"CUST-002","hs_lastmodifieddate":"2026-11-02T08:00:00.100Z","hs_object_id":"512346","name":"Bolt Ltd"},
  "createdAt":"2026-11-02T08:00:00.100Z","updatedAt":"2026-11-02T08:00:00.100Z","archived":false,"new":true,"objectWriteTraceId":"c-1"},
 {"id":"512345","properties":{"createdate":"2026-10-01T08:00:00.100Z","city":"Berlin","erp_customer_id":"CUST-001","hs_lastmodifieddate":"2026-11-02T08:00:00.090Z","hs_object_id":"512345","name":"Acme GmbH"},
  "createdAt":"2026-10-01T08:00:00.100Z","updatedAt":"2026-11-02T08:00:00.090Z","archived":false,"new":false,"objectWriteTraceId":"c-0"}],
 "startedAt":"2026-11-02T08:00:00.050Z","completedAt":"2026-11-02T08:00:00.210Z"}"#;

const PARTLY_BAD: &str = r#"{"status":"COMPLETE","results":[{"id":"512345","properties":{"erp_customer_id":"CUST-001"},"createdAt":"…","updatedAt":"…","archived":false,"new":false}],
 "numErrors":1,"errors":[{"status":"error","category":"VALIDATION_ERROR",
  "message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"nope\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"nope\",\"localizedErrorMessage\":\"Property \\\"nope\\\" does not exist\",\"portalId\":891936587}]",
  "context":{"objectWriteTraceId":["c-1"]}}],
 "startedAt":"…","completedAt":"…"}"#;

#[test]
fn an_upsert_names_the_key_in_both_places() {
    let acme = properties(&[("name", "Acme"), ("phone", "")]);
    let writes = [Write {
        id: "CUST-001",
        trace: "t-0",
        properties: &acme,
    }];
    expect![[r#"
        POST https://api.hubapi.com/crm/objects/2026-09/companies/batch/upsert
        {
          "inputs": [
            {
              "id": "CUST-001",
              "idProperty": "erp_customer_id",
              "objectWriteTraceId": "t-0",
              "properties": {
                "erp_customer_id": "CUST-001",
                "name": "Acme",
                "phone": ""
              }
            }
          ]
        }
    "#]]
    .assert_eq(&wire(&upsert(
        &api(),
        Kind::Company,
        "erp_customer_id",
        &writes,
    )));
}

#[test]
fn an_update_goes_by_id_alone() {
    let acme = properties(&[("name", "Acme")]);
    let writes = [Write {
        id: "512345",
        trace: "t-0",
        properties: &acme,
    }];
    expect![[r#"
        POST https://api.hubapi.com/crm/objects/2026-09/contacts/batch/update
        {
          "inputs": [
            {
              "id": "512345",
              "objectWriteTraceId": "t-0",
              "properties": {
                "name": "Acme"
              }
            }
          ]
        }
    "#]]
    .assert_eq(&wire(&update(&api(), Kind::Contact, None, &writes)));
}

#[test]
fn archiving_goes_by_ids() {
    expect![[r#"
        POST https://api.hubapi.com/crm/objects/2026-09/line_items/batch/archive
        {
          "inputs": [
            {
              "id": "7"
            }
          ]
        }
    "#]]
    .assert_eq(&wire(&archive(&api(), Kind::LineItem, &["7"])));
}

#[test]
fn results_are_matched_by_trace_by_key_and_by_id_never_by_position() {
    let traced = expect![[r#"
        Written { id: "512345", new: false, at: Some("2026-11-02T08:00:00.090Z"), warnings: [] }
        Written { id: "512346", new: true, at: Some("2026-11-02T08:00:00.100Z"), warnings: [] }
    "#]];
    check(KEY, CUSTOMERS, 200, SHUFFLED, &traced);
    let untraced = SHUFFLED.replace("objectWriteTraceId", "somethingElse");
    check(KEY, CUSTOMERS, 200, &untraced, &traced);
    check(None, ["512345", "512346"], 200, &untraced, &traced);
}

#[test]
fn a_bad_record_is_refused_alone() {
    check(
        KEY,
        CUSTOMERS,
        207,
        PARTLY_BAD,
        &expect![[r#"
        Written { id: "512345", new: false, at: Some("…"), warnings: [] }
        Refused(Refusal { code: "PROPERTY_DOESNT_EXIST", field: Some("nope"), other_id: None, correlation_id: None })
    "#]],
    );
}

#[test]
fn a_record_named_nowhere_is_unnamed() {
    let silent = r#"{"status":"COMPLETE","results":[{"id":"9","properties":{"erp_customer_id":"CUST-009"}},{"properties":{"erp_customer_id":"CUST-001"}}]}"#;
    check(
        KEY,
        CUSTOMERS,
        200,
        silent,
        &expect![[r#"
        Unnamed
        Unnamed
    "#]],
    );
    // Two left and one error that names nobody: it could be either's.
    let anonymous = r#"{"results":[],"errors":[{"category":"CONFLICT","message":"Contact already exists. Existing ID: 482701"}]}"#;
    check(
        KEY,
        CUSTOMERS,
        207,
        anonymous,
        &expect![[r#"
        Unnamed
        Unnamed
    "#]],
    );
}

#[test]
fn an_error_that_names_nobody_is_the_only_one_left() {
    let text = r#"{"results":[{"id":"512345","properties":{"erp_customer_id":"CUST-001"}}],
      "errors":[{"category":"CONFLICT","message":"Contact already exists. Existing ID: 482701"}]}"#;
    check(
        KEY,
        CUSTOMERS,
        207,
        text,
        &expect![[r#"
        Written { id: "512345", new: false, at: None, warnings: [] }
        Refused(Refusal { code: "CONFLICT", field: Some("email"), other_id: Some("482701"), correlation_id: None })
    "#]],
    );
}

#[test]
fn a_deleted_record_is_named_by_its_id() {
    let text = r#"{"results":[],"numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND",
      "message":"Could not get some COMPANY objects, they may be deleted or not exist. Check that ids are valid.","context":{"ids":["512346"]}}]}"#;
    check(
        None,
        ["512345", "512346"],
        207,
        text,
        &expect![[r#"
        Unnamed
        Refused(Refusal { code: "OBJECT_NOT_FOUND", field: None, other_id: None, correlation_id: None })
    "#]],
    );
}

#[test]
fn a_record_both_written_and_refused_is_refused() {
    let both = SHUFFLED.replace(
        r#""startedAt""#,
        r#""errors":[{"category":"VALIDATION_ERROR","context":{"objectWriteTraceId":["c-0"]}}],"startedAt""#,
    );
    check(
        KEY,
        CUSTOMERS,
        207,
        &both,
        &expect![[r#"
        Refused(Refusal { code: "VALIDATION_ERROR", field: None, other_id: None, correlation_id: None })
        Written { id: "512346", new: true, at: Some("2026-11-02T08:00:00.100Z"), warnings: [] }
    "#]],
    );
}

#[test]
fn a_changed_value_is_a_warning() {
    let text = r#"{"results":[{"id":"1","objectWriteTraceId":"c-0","warnings":[{"category":"PROPERTY_VALUE_NORMALIZED","message":"…",
      "context":{"propertyName":["syspro_due"],"rawValue":["2026-01-01T07:40"],"normalizedValue":["2026-01-01"]}}]},{"id":"2","objectWriteTraceId":"c-1"}]}"#;
    check(
        KEY,
        CUSTOMERS,
        200,
        text,
        &expect![[r#"
        Written { id: "1", new: false, at: None, warnings: [Reason { code: "property_value_normalized", field: Some("syspro_due"), reason: "HubSpot changed the form of the value of `syspro_due`.", remedy: "" }] }
        Written { id: "2", new: false, at: None, warnings: [] }
    "#]],
    );
}

#[test]
fn a_batch_refused_as_a_whole_is_a_fault() {
    let text = r#"{"status":"error","message":"Contact already exists. Existing ID: 482701","correlationId":"…","category":"CONFLICT"}"#;
    check(
        KEY,
        CUSTOMERS,
        409,
        text,
        &expect![[r#"
        Refused { system: HubSpot, status: 409, refusal: Refusal { code: "CONFLICT", field: Some("email"), other_id: Some("482701"), correlation_id: None } }
    "#]],
    );
    check(
        KEY,
        CUSTOMERS,
        200,
        "",
        &expect![[r#"
        Unreadable { system: HubSpot, shape: "status 200, 0 bytes, empty: no list `results`" }
    "#]],
    );
    check(
        KEY,
        CUSTOMERS,
        200,
        r#"{"results":{}}"#,
        &expect![[r#"
        Unreadable { system: HubSpot, shape: "status 200, 14 bytes, begins like a JSON object: no list `results`" }
    "#]],
    );
}

#[test]
fn a_body_cut_anywhere_is_unreadable_and_never_a_panic() {
    for text in [SHUFFLED, PARTLY_BAD] {
        for end in 1..text.len() {
            let mut cut = answer(207, "");
            *cut.body_mut() = text.as_bytes()[..end].to_vec();
            let read = read_written(&[], KEY, &cut);
            assert!(matches!(read, Err(Fault::Unreadable { .. })), "{end}");
        }
    }
}

/// Every value of an answer replaced by each kind of JSON: what is left is read, nothing is made up.
#[test]
fn a_retyped_field_never_panics_and_never_adds_an_answer() {
    let none = SortedMap::new();
    let writes = CUSTOMERS.map(|id| Write {
        id,
        trace: id,
        properties: &none,
    });
    for text in [SHUFFLED, PARTLY_BAD] {
        let whole: Value = serde_json::from_str(text).unwrap();
        for path in paths(&whole) {
            for other in [json!(null), json!(7), json!("x"), json!([]), json!({})] {
                let mut mutant = whole.clone();
                *mutant.pointer_mut(&path).unwrap() = other;
                let read = read_written(&writes, KEY, &answer(207, &mutant.to_string()));
                assert!(read.is_err() || read.is_ok_and(|answers| answers.len() == 2));
            }
        }
    }
}

fn paths(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let nested = children.into_iter().flat_map(|(name, value)| {
        let below = paths(value).into_iter();
        below.map(move |path| format!("/{name}{path}"))
    });
    std::iter::once(String::new()).chain(nested).collect()
}

#[test]
fn only_a_404_says_that_a_record_is_gone() {
    let gone = r#"{"status":"error","category":"OBJECT_NOT_FOUND","message":"resource not found"}"#;
    assert_eq!(read_one(&answer(404, gone)), Ok(None));
    let there = read_one(&answer(
        200,
        r#"{"id":7,"properties":{"syspro_key":"E/1"}}"#,
    ));
    assert_eq!(there.unwrap().unwrap().id, "7");
    for body in [
        "",
        "null",
        "{}",
        "[]",
        r#"{"id":null}"#,
        r#"{"properties":{}}"#,
    ] {
        let read = read_one(&answer(200, body));
        assert!(matches!(read, Err(Fault::Unreadable { .. })), "{body}");
    }
    // A proxy's page is no word of HubSpot's.
    assert!(read_one(&answer(404, "<html>")).is_err());
}
