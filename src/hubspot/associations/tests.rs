use expect_test::{Expect, expect};

use super::*;
use crate::hubspot::tests::{answer, api, wire};

const PAIRS: [(&str, &str); 3] = [("1", "2"), ("3", "2"), ("5", "6")];

fn check(status: u16, text: &str, expected: &Expect) {
    let read = match read_linked(&PAIRS, &answer(status, text)) {
        Ok(answers) => answers
            .iter()
            .map(|answer| format!("{answer:?}\n"))
            .collect(),
        Err(fault) => format!("{fault:?}\n"),
    };
    expected.assert_eq(&read);
}

#[test]
fn a_contact_is_linked_and_primary_in_one_call() {
    let types = types(Kind::Contact, Kind::Company).unwrap();
    let request = create(&api(), Kind::Contact, Kind::Company, &[("1", "2")], types);
    expect![[r#"
        POST https://api.hubapi.com/crm/associations/2026-09/contacts/companies/batch/create
        {
          "inputs": [
            {
              "from": {
                "id": "1"
              },
              "to": {
                "id": "2"
              },
              "types": [
                {
                  "associationCategory": "HUBSPOT_DEFINED",
                  "associationTypeId": 279
                },
                {
                  "associationCategory": "HUBSPOT_DEFINED",
                  "associationTypeId": 1
                }
              ]
            }
          ]
        }
    "#]]
    .assert_eq(&wire(&request));
    assert_eq!(super::types(Kind::Company, Kind::Contact), None);
}

#[test]
fn defaults_name_ids_only() {
    let request = associate_default(&api(), Kind::LineItem, Kind::Invoice, &[("1", "2")]);
    expect![[r#"
        POST https://api.hubapi.com/crm/associations/2026-09/line_items/invoices/batch/associate/default
        {
          "inputs": [
            {
              "from": {
                "id": "1"
              },
              "to": {
                "id": "2"
              }
            }
          ]
        }
    "#]].assert_eq(&wire(&request));
}

#[test]
#[should_panic(expected = "a pair twice")]
fn a_pair_twice_is_never_sent() {
    associate_default(
        &api(),
        Kind::LineItem,
        Kind::Invoice,
        &[("1", "2"), ("1", "2")],
    );
}

#[test]
fn a_success_has_linked_all_however_many_results_it_lists() {
    let linked = expect![[r#"
        Linked
        Linked
        Linked
    "#]];
    check(
        200,
        r#"{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":{"id":"2"},"associationSpec":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}}],"startedAt":"…","completedAt":"…"}"#,
        &linked,
    );
    check(
        201,
        r#"{"results":[{"fromObjectTypeId":"0-1","fromObjectId":"1","toObjectTypeId":"0-2","toObjectId":"2","labels":[]}]}"#,
        &linked,
    );
}

#[test]
fn an_error_refuses_the_pairs_it_names() {
    check(
        207,
        r#"{"results":[],"errors":[{"message":"One or more associations are invalid","context":{"INVALID_OBJECT_IDS":["CONTACT=5 is not valid"]}}]}"#,
        &expect![[r#"
            Linked
            Linked
            Refused(Refusal { code: "INVALID_OBJECT_IDS", field: None, other_id: Some("5"), correlation_id: None })
        "#]],
    );
    check(
        207,
        r#"{"results":[],"errors":[{"category":"VALIDATION_ERROR","context":{"fromObjectId":["3"],"toObjectId":["2"]}}]}"#,
        &expect![[r#"
            Linked
            Refused(Refusal { code: "VALIDATION_ERROR", field: None, other_id: None, correlation_id: None })
            Linked
        "#]],
    );
    check(
        207,
        r#"{"results":[],"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["2"]}}]}"#,
        &expect![[r#"
            Refused(Refusal { code: "OBJECT_NOT_FOUND", field: None, other_id: None, correlation_id: None })
            Refused(Refusal { code: "OBJECT_NOT_FOUND", field: None, other_id: None, correlation_id: None })
            Linked
        "#]],
    );
}

#[test]
fn beside_an_error_that_names_nobody_only_the_listed_are_linked() {
    check(
        207,
        r#"{"results":[{"fromObjectId":2,"toObjectId":1},{"from":{"id":"5"},"to":{"id":"6"}}],"errors":[{"category":"VALIDATION_ERROR"}]}"#,
        &expect![[r#"
            Linked
            Unnamed
            Linked
        "#]],
    );
    let error = r#"{"results":[],"errors":[{"category":"VALIDATION_ERROR"}]}"#;
    let answers = read_linked(&PAIRS[..1], &answer(207, error));
    assert_eq!(
        answers,
        Ok(vec![LinkAnswer::Refused(Refusal::coded(
            "VALIDATION_ERROR"
        ))])
    );
}

#[test]
fn a_call_refused_as_a_whole_names_the_record_in_the_way() {
    check(
        400,
        r#"{"message":"One or more associations are invalid","context":{"INVALID_OBJECT_IDS":["CONTACT=226001 is not valid"]}}"#,
        &expect![[r#"
            Refused { system: HubSpot, status: 400, refusal: Refusal { code: "INVALID_OBJECT_IDS", field: None, other_id: Some("226001"), correlation_id: None } }
        "#]],
    );
}

#[test]
fn links_are_read_in_both_shapes_and_nothing_is_made_of_silence_beside_an_error() {
    let source = |id: &str| Source {
        id: id.to_owned(),
        after: None,
    };
    let sources = ["1", "4", "6", "7"].map(source);
    let request = read(&api(), Kind::Invoice, Kind::LineItem, &sources[..1]);
    assert_eq!(request.body(), r#"{"inputs":[{"id":"1"}]}"#);
    let results = r#""results":[
      {"from":{"id":"1"},"to":[{"toObjectId":2,"associationTypes":[]},{"toObjectId":"3"}],"paging":{"next":{"after":"abc"}}},
      {"from":{"id":4},"to":[{"id":"5","type":"invoice_to_line_item"}]}]"#;
    let none = r#"{"category":"OBJECT_NOT_FOUND","message":"No line item is associated with invoice 6.","context":{"fromObjectId":["6"]}}"#;
    let odd = r#"{"category":"ODD","message":"Odd"}"#;
    let read = |errors: &str| {
        let text = format!("{{{results},\"errors\":[{errors}]}}");
        let found = read_links(&sources, &answer(207, &text)).unwrap();
        let mut found: Vec<_> = found
            .into_iter()
            .map(|(id, links)| format!("{id}: {} {:?}", links.to.join(" "), links.after))
            .collect();
        found.sort();
        found
    };
    let both = ["1: 2 3 Some(\"abc\")", "4: 5 None"];
    assert_eq!(read(odd), both);
    assert_eq!(
        read(&format!("{none},{odd}")),
        [both[0], both[1], "6:  None"]
    );
    assert_eq!(read(none), [both[0], both[1], "6:  None", "7:  None"]);
}
