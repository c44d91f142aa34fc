//! Requests that are refused as a whole, by their real cause where there is one.

use super::*;
use crate::hubspot::{Fault, Limit, OAuthApp, Token};

const COMPANIES: &str = "POST /crm/objects/2026-09/companies";
const UPSERT: &str = "POST /crm/objects/2026-09/companies/batch/upsert";

#[test]
fn requests_that_are_wrong_as_a_whole() {
    let mut desk = Desk::new(Options::default());
    let one = |id: &str| json!({ "id": id, "properties": {}, "objectWriteTraceId": id });
    let keyed = |property: &str| json!({ "inputs": [{ "id": "x", "idProperty": property, "properties": {} }] });
    let many: Vec<Value> = (0..101).map(|n| one(&n.to_string())).collect();
    let twice = upserts(&[("K", json!({ "name": "A" })), ("K", json!({ "name": "B" }))]);
    let cases = [
        (
            UPSERT,
            twice,
            "Duplicate IDs found in batch input: [K]. IDs must be unique",
        ),
        (
            "POST /crm/objects/2026-09/companies/batch/read",
            json!({ "inputs": [{ "id": "1" }, { "id": "1" }] }),
            "Duplicate IDs found in batch input: [1]. IDs must be unique",
        ),
        (
            UPSERT,
            keyed("domain"),
            "Unable to perform update/upsert by non-unique 0-2 property domain in portal ID 891936587",
        ),
        (
            UPSERT,
            keyed("hs_object_id"),
            "*non-unique 0-2 property hs_object_id*",
        ),
        (UPSERT, json!({ "inputs": [one("1")] }), "*idProperty*"),
        (
            "POST /crm/objects/2026-09/companies/batch/update",
            json!({ "inputs": many }),
            "*100*101*",
        ),
        (
            UPSERT,
            upserts(&[("K", json!({ "name": 5 }))]),
            "Invalid input JSON on line 1, column *: Cannot deserialize value of type `java.lang.String`*",
        ),
        (
            COMPANIES,
            json!({ "properties": { "city": "X" } }),
            "*required properties were not set*",
        ),
        ("POST /crm/objects/2026-09/planets", json!({}), "*planets*"),
    ];
    for (call, body, message) in cases {
        let expected = json!({ "status": "error", "category": "VALIDATION_ERROR",
                               "message": message });
        desk.check(call, body, 400, expected);
    }
    let cut = desk.raw(UPSERT, "{\"inputs\":[".into());
    let answer = desk.portal.answer(desk.now, &cut);
    verify(
        UPSERT,
        &answer,
        400,
        &json!({ "message": "Invalid input JSON on line 1, *" }),
    );
    assert_eq!(desk.portal.objects(Kind::Company).count(), 0);
}

#[test]
fn numbers_pass_for_texts_where_the_portal_is_lenient() {
    let mut desk = Desk::new(Options {
        scalars_as_text: true,
        ..Options::default()
    });
    let body = upserts(&[("K", json!({ "name": "A", "erp_balance": 12.50 }))]);
    let good = json!({ "results": [{ "properties": { "erp_balance": "12.5" } }] });
    desk.check(UPSERT, body, 200, good);
}

#[test]
fn who_may_not_ask() {
    let scope = "crm.objects.companies.write";
    let mut desk = Desk::new(Options::default());
    let company = json!({ "properties": { "name": "A" } });
    desk.token = "pat-na1-somebody-else".into();
    let unknown = json!({ "category": "INVALID_AUTHENTICATION",
                          "message": "Authentication credentials not found.*" });
    desk.check(COMPANIES, company.clone(), 401, unknown);
    for token in &mut desk.portal.options_mut().tokens {
        token.expires_at = Some(START);
    }
    desk.token = Options::TOKEN.into();
    let expired = json!({ "category": "EXPIRED_AUTHENTICATION",
                          "context": { "expire time": ["2026-11-02T08:00:00.100Z"] } });
    desk.check(COMPANIES, company.clone(), 401, expired);
    let narrow = Token::service_key("narrow")
        .without(scope)
        .without("e-commerce");
    desk.portal.options_mut().tokens.push(narrow);
    desk.token = "narrow".into();
    let missing = |scope: &str| {
        json!({
            "category": "MISSING_SCOPES", "links": { "scopes": "https://*" },
            "errors": [{ "context": { "requiredGranularScopes": [scope] } }],
        })
    };
    desk.check(COMPANIES, company, 403, missing(scope));
    let line = property("erp_line_no", "string", "text", true);
    let call = "POST /crm/properties/2026-09/line_items";
    desk.check(call, line, 403, missing("e-commerce"));
    desk.check(
        "GET /crm/properties/2026-09/line_items",
        Value::Null,
        200,
        json!({}),
    );
    desk.check(
        "GET /account-info/2026-09/details",
        Value::Null,
        200,
        json!({}),
    );
}

#[test]
fn a_refresh_token_buys_half_an_hour_unless_it_is_dead() {
    let mut desk = Desk::bare(Options {
        oauth: Some(OAuthApp {
            client_id: "app".into(),
            client_secret: "s".into(),
            refresh_token: "r".into(),
            scopes: vec!["crm.objects.companies.read".into()],
        }),
        ..Options::default()
    });
    let call = "POST /oauth/2026-09/token";
    let form = "grant_type=refresh_token&client_id=app&client_secret=s&refresh_token=";
    let dead = desk.raw(call, format!("{form}old"));
    let answer = desk.portal.answer(desk.now, &dead);
    let refused = json!({ "error": "invalid_grant", "status": "BAD_REFRESH_TOKEN" });
    verify(call, &answer, 400, &refused);
    let good = desk.raw(call, format!("{form}r"));
    let answer = desk.portal.answer(desk.now, &good);
    let body = verify(
        call,
        &answer,
        200,
        &json!({ "expires_in": 1800, "refresh_token": "r" }),
    );
    desk.token = body["access_token"].as_str().expect("a token").into();
    let list = "GET /crm/objects/2026-09/companies";
    let answer = desk.send(list, Value::Null);
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("x-hubspot-ratelimit-daily"));
    desk.now += 1_800_000;
    desk.check(
        list,
        Value::Null,
        401,
        json!({ "category": "EXPIRED_AUTHENTICATION" }),
    );
}

#[test]
fn records_that_are_not_there() {
    let mut desk = Desk::new(Options::default());
    let none = json!({ "status": "error", "message": "resource not found" });
    desk.check(
        "GET /crm/objects/2026-09/companies/7",
        Value::Null,
        404,
        none.clone(),
    );
    desk.check(
        "GET /crm/objects/2025-09/companies/7",
        Value::Null,
        404,
        none.clone(),
    );
    desk.check(
        "GET /crm/objects/2026-09/companies/K?idProperty=erp_key",
        Value::Null,
        404,
        none,
    );
    let text = json!({ "category": "OBJECT_NOT_FOUND",
                       "message": "Object not found.  objectId are usually numeric." });
    desk.check(
        "GET /crm/objects/2026-09/companies/acme",
        Value::Null,
        404,
        text,
    );
    let read = json!({ "idProperty": "erp_key", "inputs": [{ "id": "CUST-404" }] });
    desk.check(
        "POST /crm/objects/2026-09/companies/batch/read",
        read,
        207,
        json!({ "status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{
            "status": "error", "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some COMPANY objects, they may be deleted or not exist. Check that ids are valid.",
            "context": { "ids": ["CUST-404"] } }] }),
    );
    let long = format!(
        "GET /crm/objects/2026-09/companies/7?properties={}",
        "x,".repeat(5_000)
    );
    assert_eq!(desk.send(&long, Value::Null).status(), 414);
}

#[test]
fn definitions_that_cannot_be_had() {
    let mut desk = Desk::new(Options::default());
    let call = "POST /crm/properties/2026-09/companies";
    desk.check(
        call,
        property("erp_key", "string", "text", true),
        409,
        json!({ "message": "A property named 'erp_key' already exists.",
                "category": "OBJECT_ALREADY_EXISTS",
                "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS" }),
    );
    desk.portal.remove_property(Kind::Company, "erp_day");
    let once = json!({ "message": "*hasUniqueValue=true because a non-unique property*" });
    desk.check(call, property("erp_day", "string", "text", true), 400, once);
    desk.check(
        call,
        property("Erp", "string", "text", false),
        400,
        json!({}),
    );
    desk.check(
        call,
        property("erp_flag", "bool", "booleancheckbox", false),
        400,
        json!({}),
    );
    let mut lost = property("erp_lost", "string", "text", false);
    lost["groupName"] = json!("nowhere");
    let batch = json!({ "inputs": [lost, property("erp_new", "string", "text", false)] });
    let partly = json!({ "results": [{ "name": "erp_new" }], "numErrors": 1 });
    desk.check(&format!("{call}/batch/create"), batch, 207, partly);
    let group = json!({ "name": "erp", "label": "ERP" });
    desk.check(&format!("{call}/groups"), group, 409, json!({}));
    for n in 0..9 {
        let name = format!("erp_unique_{n}");
        desk.check(
            call,
            property(&name, "string", "text", true),
            201,
            json!({}),
        );
    }
    desk.check(
        call,
        property("erp_eleventh", "string", "text", true),
        400,
        json!({}),
    );
}

#[test]
fn refusals_on_the_schedule_have_no_effect() {
    let limit = |limit| Fault::limit(limit);
    let (moving, custom) = (Fault::Moving { retry_after: 3_600 }, Fault::refuse(500, ""));
    let cases = [
        (Fault::Locked, 423, json!({ "category": "LOCKED" })),
        (moving, 477, json!({ "status": "error" })),
        (
            limit(Limit::TenSecondly),
            429,
            json!({ "policyName": "TEN_SECONDLY_ROLLING" }),
        ),
        (
            limit(Limit::Secondly),
            429,
            json!({ "policyName": "SECONDLY" }),
        ),
        (
            limit(Limit::Terse),
            429,
            json!({ "category": "RATE_LIMITS" }),
        ),
        (
            limit(Limit::Daily),
            429,
            json!({ "policyName": "DAILY", "errorType": "RATE_LIMIT" }),
        ),
        (
            Fault::Expired,
            401,
            json!({ "category": "EXPIRED_AUTHENTICATION" }),
        ),
        (custom, 500, Value::Null),
        (Fault::Html { status: 502 }, 502, Value::Null),
        (Fault::Html { status: 524 }, 524, Value::Null),
    ];
    for (fault, status, expected) in cases {
        let mut desk = Desk::new(Options::default());
        desk.portal.add_fault(fault.once("companies/batch"));
        let request = desk.request(UPSERT, &upserts(&[("K", json!({ "name": "A" }))]));
        let answer = answered(desk.portal.exchange(desk.now, &request));
        verify(UPSERT, &answer, status, &expected);
        assert_eq!(answer.headers().contains_key("retry-after"), status == 477);
        assert_eq!(desk.portal.objects(Kind::Company).count(), 0);
        let answer = answered(desk.portal.exchange(desk.now, &request));
        assert_eq!(answer.status(), 200, "only once");
    }
}
