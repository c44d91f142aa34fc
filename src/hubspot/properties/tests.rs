use expect_test::expect;

use super::*;
use crate::hubspot::tests::{answer, api, wire};

#[test]
fn a_definition_carries_all_hubspot_demands() {
    let new = [NewProperty {
        name: "syspro_on_hold",
        label: "On hold",
        description: "No more orders are taken.",
        data_type: "bool",
        field_type: "booleancheckbox",
        options: &[("true", "Yes"), ("false", "No")],
        unique: false,
    }];
    expect![[r#"
        POST https://api.hubapi.com/crm/properties/2026-09/companies/batch/create
        {
          "inputs": [
            {
              "description": "No more orders are taken.",
              "fieldType": "booleancheckbox",
              "formField": false,
              "groupName": "syspro",
              "hasUniqueValue": false,
              "label": "On hold",
              "name": "syspro_on_hold",
              "options": [
                {
                  "displayOrder": 0,
                  "hidden": false,
                  "label": "Yes",
                  "value": "true"
                },
                {
                  "displayOrder": 1,
                  "hidden": false,
                  "label": "No",
                  "value": "false"
                }
              ],
              "type": "bool"
            }
          ]
        }
    "#]]
    .assert_eq(&wire(&create_batch(&api(), Kind::Company, "syspro", &new)));
    expect![[r#"
        POST https://api.hubapi.com/crm/properties/2026-09/companies/groups
        {
          "displayOrder": -1,
          "label": "SYSPRO",
          "name": "syspro"
        }
    "#]]
    .assert_eq(&wire(&create_group(
        &api(),
        Kind::Company,
        "syspro",
        "SYSPRO",
    )));
    expect![[r#"
        GET https://api.hubapi.com/crm/properties/2026-09/companies
        null
    "#]]
    .assert_eq(&wire(&list_all(&api(), Kind::Company)));
}

#[test]
fn what_may_be_written_is_read() {
    let text = r#"{"results":[
      {"name":"syspro_key","type":"string","options":[{"label":"A","value":"a"}],"hasUniqueValue":true,"modificationMetadata":{"archivable":true,"readOnlyDefinition":false,"readOnlyValue":false}},
      {"name":"hs_balance_due","type":"number","calculated":true,"modificationMetadata":{"readOnlyValue":true}},
      {"label":"nameless"}]}"#;
    let properties = read_all(&answer(200, text)).unwrap();
    expect![[r#"
        [
            Property {
                name: "syspro_key",
                data_type: "string",
                options: [
                    "a",
                ],
                has_unique_value: true,
                read_only: false,
                calculated: false,
            },
            Property {
                name: "hs_balance_due",
                data_type: "number",
                options: [],
                has_unique_value: false,
                read_only: true,
                calculated: true,
            },
        ]
    "#]]
    .assert_eq(&format!("{properties:#?}\n"));
    assert!(properties[0].writable() && !properties[1].writable());
}

#[test]
fn what_is_refused_is_data() {
    let exists = r#"{"status":"error","message":"A property named 'x' already exists.","category":"OBJECT_ALREADY_EXISTS","subCategory":"Properties.PROPERTY_WITH_NAME_EXISTS","correlationId":"…"}"#;
    let refusals = read_created(&answer(409, exists)).unwrap();
    assert!(refusals.iter().all(refusal::already_exists) && refusals.len() == 1);
    assert_eq!(refusals[0].field.as_deref(), Some("x"));
    assert_eq!(
        read_created(&answer(201, r#"{"status":"COMPLETE","results":[]}"#)),
        Ok(vec![])
    );
    let partly = format!(r#"{{"results":[],"numErrors":1,"errors":[{exists}]}}"#);
    assert_eq!(read_created(&answer(207, &partly)).unwrap().len(), 1);
    let flag = r#"{"message":"The following property cannot be created with hasUniqueValue=true because a non-unique property with the same name previously existed in this portal"}"#;
    let refused = read_created(&answer(400, flag)).unwrap();
    assert_eq!(refused[0].code, "UNIQUE_FLAG_REFUSED");
    assert!(read_created(&answer(502, "")).is_err());
}
