//! Records that are refused for what they hold.

use super::*;
use crate::hubspot::{PortalRule, TakenEmail, TakenValue};

const CONTACTS: &str = "POST /crm/objects/2026-09/contacts/batch/upsert";
const UPSERT: &str = "POST /crm/objects/2026-09/companies/batch/upsert";

/// One property's flaw, alone and in a batch: the code stands in `errors` and in the message.
#[track_caller]
fn flawed(version: &str, kind: Kind, properties: Value, code: &str) {
    let mut desk = Desk::new(Options {
        rules: rules(),
        ..Options::default()
    });
    let path = format!("POST /crm/objects/{version}/{}", kind.plural());
    let body = json!({ "properties": properties });
    desk.check(
        &path,
        body,
        400,
        json!({
            "status": "error", "category": "VALIDATION_ERROR", "correlationId": "*-*-4*-8*-*",
            "message": format!("Property values were not valid: [{{\"isValid\":false,*\"error\":\"{code}\"*}}]"),
            "errors": [{ "code": code }],
        }),
    );
    let good = match kind {
        Kind::Invoice => json!({ "hs_currency": "USD" }),
        Kind::Company => json!({ "name": "B", "industry": "RETAIL", "city": "Rome", "zip": "1" }),
        _ => json!({ "erp_balance": "1" }),
    };
    let inputs = upserts(&[("BAD", properties), ("GOOD", good)]);
    let upsert = format!("{path}/batch/upsert");
    let (code, known) = (
        format!("*\"error\":\"{code}\"*"),
        json!({ "erp_key": "GOOD" }),
    );
    desk.check(
        &upsert,
        untraced(inputs.clone()),
        400,
        json!({ "message": code }),
    );
    assert_eq!(desk.portal.objects(kind).count(), 0, "all or nothing");
    desk.check(
        &upsert,
        inputs,
        207,
        json!({ "results": [{ "properties": known, "new": true }], "numErrors": 1, "errors": [
            { "status": "error", "category": "VALIDATION_ERROR", "message": code,
              "context": { "objectWriteTraceId": ["t-0"] } }] }),
    );
    assert_eq!(desk.portal.objects(kind).count(), 1);
}

fn rules() -> Vec<PortalRule> {
    vec![
        PortalRule::OnCreate {
            kind: Kind::Company,
            property: "city".into(),
        },
        PortalRule::When {
            kind: Kind::Company,
            other: "industry".into(),
            equals: "RETAIL".into(),
            property: "zip".into(),
        },
    ]
}

#[test]
fn flaws_of_properties() {
    let company = |name: &str, value: &str| json!({ "name": "A", "city": "Rome", name: value });
    let contact = |name: &str, value: &str| json!({ name: value });
    let cases = [
        (Kind::Company, company("nope", "1"), "PROPERTY_DOESNT_EXIST"),
        (
            Kind::Company,
            company("hs_object_id", "1"),
            "READ_ONLY_VALUE",
        ),
        (
            Kind::Company,
            company("industry", "MAGIC"),
            "INVALID_OPTION",
        ),
        (
            Kind::Company,
            company("erp_day", "yesterday"),
            "INVALID_DATE",
        ),
        (Kind::Company, company("erp_balance", "1,5"), "INVALID_LONG"),
        (Kind::Company, company("erp_balance", "1e5"), "INVALID_LONG"),
        (
            Kind::Company,
            json!({ "name": "A" }),
            "MISSING_REQUIRED_PROPERTY",
        ),
        (
            Kind::Company,
            company("industry", "RETAIL"),
            "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
        ),
        (
            Kind::Contact,
            contact("email", "ann at acme"),
            "INVALID_EMAIL",
        ),
        (Kind::Contact, contact("email", "ann@acme"), "INVALID_EMAIL"),
        (Kind::LineItem, contact("price", "-0.01"), "INVALID_PRICE"),
        (
            Kind::Invoice,
            contact("hs_currency", "XAU"),
            "INVALID_CURRENCY",
        ),
    ];
    for (kind, properties, code) in cases {
        flawed("2026-09", kind, properties, code);
    }
}

#[test]
fn the_older_version_knows_no_portal_rules() {
    let mut desk = Desk::new(Options {
        rules: rules(),
        ..Options::default()
    });
    let body = json!({ "properties": { "name": "A", "industry": "RETAIL" } });
    desk.check("POST /crm/objects/2026-03/companies", body, 201, json!({}));
}

#[test]
fn taken_values() {
    let mut desk = Desk::new(Options::default());
    let ann = desk.create(
        Kind::Contact,
        json!({ "email": "ann@a.example", "erp_key": "1" }),
    );
    let mail = upserts(&[
        ("2", json!({ "email": "ANN@a.example" })),
        ("3", json!({ "email": "bob@a.example" })),
    ]);
    let exists = json!({ "category": "CONFLICT",
                         "message": format!("Contact already exists. Existing ID: {ann}") });
    desk.check(CONTACTS, untraced(mail.clone()), 409, exists.clone());
    let partly = json!({ "results": [{ "properties": { "email": "bob@a.example" } }],
                         "errors": [exists] });
    desk.check(CONTACTS, mail.clone(), 207, partly);
    desk.portal.options_mut().taken_email = TakenEmail::Coordinates;
    let coordinates = format!(
        "Cannot set PropertyValueCoordinates{{portalId=891936587, objectTypeId=ObjectTypeId{{legacyObjectType=CONTACT}}, propertyName=email, value=ann@a.example}} on *. {ann} already has that value."
    );
    let held = json!({ "category": "VALIDATION_ERROR", "message": coordinates });
    let answer = desk.check(CONTACTS, untraced(mail), 400, held);
    assert!(answer.get("errors").is_none());
    let key = json!({ "properties": { "erp_key": "1" } });
    let held = json!({ "message": "*already has that value*" });
    desk.check("POST /crm/objects/2026-09/contacts", key.clone(), 400, held);
    desk.portal.options_mut().taken_value = TakenValue::Code;
    let code = json!({ "errors": [{ "code": "CONFLICTING_UNIQUE_VALUE" }] });
    desk.check("POST /crm/objects/2026-09/contacts", key, 400, code);
}

#[test]
fn case_of_unique_values_is_a_switch() {
    for (matters, records) in [(true, 2), (false, 1)] {
        let mut desk = Desk::new(Options {
            unique_case_matters: matters,
            ..Options::default()
        });
        for key in ["acme", "ACME"] {
            desk.check(
                UPSERT,
                upserts(&[(key, json!({ "name": key }))]),
                200,
                json!({}),
            );
        }
        assert_eq!(desk.portal.objects(Kind::Company).count(), records);
    }
}
