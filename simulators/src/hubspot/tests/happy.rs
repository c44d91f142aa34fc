//! Everything goes well.

use super::*;

const UPSERT: &str = "POST /crm/objects/2026-09/companies/batch/upsert";

#[test]
fn an_upsert_tells_new_from_changed() {
    let mut desk = Desk::new(Options::default());
    let first = upserts(&[("CUST-001", json!({ "name": "Acme", "city": "Berlin" }))]);
    desk.check(
        UPSERT,
        first,
        200,
        json!({ "results": [{ "new": true, "archived": false }] }),
    );
    desk.now += 5_000;
    let both = upserts(&[
        ("CUST-001", json!({ "name": "Acme GmbH" })),
        ("CUST-002", json!({ "name": "Bolt Ltd" })),
    ]);
    desk.check(
        UPSERT,
        both,
        200,
        json!({ "status": "COMPLETE", "results": [
            {
                "properties": {
                    "erp_key": "CUST-001", "name": "Acme GmbH",
                    "createdate": "2026-11-02T08:00:00.100Z",
                    "hs_lastmodifieddate": "2026-11-02T08:00:05.100Z",
                },
                "createdAt": "2026-11-02T08:00:00.100Z",
                "updatedAt": "2026-11-02T08:00:05.100Z",
                "new": false, "objectWriteTraceId": "t-0",
                "url": "https://app.hubspot.com/contacts/891936587/record/0-2/*",
            },
            { "properties": { "erp_key": "CUST-002" }, "new": true, "objectWriteTraceId": "t-1" },
        ] }),
    );
    let read = json!({ "idProperty": "erp_key", "properties": ["city", "phone"],
                       "inputs": [{ "id": "CUST-001" }] });
    desk.check(
        "POST /crm/objects/2026-09/companies/batch/read",
        read,
        200,
        json!({ "results": [{ "properties": { "city": "Berlin", "phone": null } }] }),
    );
    let made: Vec<bool> = desk.portal.landings().iter().map(|l| l.created).collect();
    assert_eq!(made, [true, false, true]);
    assert_eq!(desk.portal.landings()[1].key.as_deref(), Some("CUST-001"));
}

#[test]
fn results_come_in_no_order() {
    let mut desk = Desk::new(Options::default());
    let keys: Vec<String> = (0..40).map(|n| format!("K{n:02}")).collect();
    let inputs: Vec<(&str, Value)> = keys
        .iter()
        .map(|key| (key.as_str(), json!({ "name": key })))
        .collect();
    let body = desk.check(UPSERT, upserts(&inputs), 200, json!({}));
    let names: Vec<&str> = body["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|record| record["properties"]["name"].as_str())
        .collect();
    assert_eq!(names.len(), 40);
    assert_ne!(names, keys);
}

#[test]
fn one_record_lives_from_create_to_archive() {
    let mut desk = Desk::new(Options::default());
    let id = desk.create(
        Kind::Contact,
        json!({ "email": "Ann@Acme.Example", "firstname": "Ann", "erp_key": "A/1" }),
    );
    let by_id = format!("/crm/objects/2026-09/contacts/{id}");
    let by_key = "GET /crm/objects/2026-03/contacts/A%2F1?idProperty=erp_key&properties=email";
    let found = json!({ "properties": { "email": "ann@acme.example" } });
    desk.check(by_key, Value::Null, 200, found);
    let change = json!({ "properties": { "firstname": "", "lastname": "Lee" } });
    let changed = json!({ "properties": { "lastname": "Lee" } });
    desk.check(&format!("PATCH {by_id}"), change, 200, changed);
    let named = format!("GET {by_id}?properties=firstname,lastname");
    let found = json!({ "properties": { "firstname": null, "lastname": "Lee" } });
    desk.check(&named, Value::Null, 200, found);
    let gone = desk.check(&format!("DELETE {by_id}"), Value::Null, 204, Value::Null);
    assert!(gone.is_null());
    desk.check(
        &format!("GET {by_id}"),
        Value::Null,
        404,
        json!({ "status": "error" }),
    );
    desk.check(&format!("DELETE {by_id}"), Value::Null, 204, Value::Null);
    let again = desk.create(Kind::Contact, json!({ "email": "ann@acme.example" }));
    assert_ne!(again, id, "an archived record holds no value");
}

#[test]
fn update_and_archive_go_by_id() {
    let mut desk = Desk::new(Options::default());
    let id = desk
        .create(Kind::Company, json!({ "name": "Acme" }))
        .to_string();
    let update = json!({ "inputs": [
        { "id": id, "properties": { "name": "Acme Inc" }, "objectWriteTraceId": "a" },
        { "id": "404", "properties": { "name": "?" }, "objectWriteTraceId": "b" },
    ] });
    desk.check(
        "POST /crm/objects/2026-09/companies/batch/update",
        update,
        207,
        json!({
            "results": [{ "id": id, "properties": { "name": "Acme Inc" } }],
            "numErrors": 1,
            "errors": [{ "category": "OBJECT_NOT_FOUND",
                         "context": { "ids": ["404"], "objectWriteTraceId": ["b"] } }],
        }),
    );
    let archive = json!({ "inputs": [{ "id": id }, { "id": "404" }] });
    let call = "POST /crm/objects/2026-09/companies/batch/archive";
    desk.check(call, archive, 204, Value::Null);
    assert!(
        desk.portal
            .objects(Kind::Company)
            .all(|object| object.archived)
    );
}

#[test]
fn search_lags_behind() {
    let mut desk = Desk::new(Options::default());
    let id = desk.create(Kind::Contact, json!({ "email": "a@b.example" }));
    let search = json!({
        "filterGroups": [{ "filters": [
            { "propertyName": "email", "operator": "IN", "values": ["a@b.example", "x@y.example"] },
        ] }],
        "properties": ["email"], "limit": 100,
    });
    let call = "POST /crm/objects/2026-09/contacts/search";
    desk.check(
        call,
        search.clone(),
        200,
        json!({ "total": 0, "results": [] }),
    );
    desk.now += 10_000;
    let found = json!({ "total": 1, "results": [{ "id": id.to_string() }] });
    desk.check(call, search, 200, found);
    let since = (desk.now - 20_000).to_string();
    let changed = json!({
        "filterGroups": [{ "filters": [
            { "propertyName": "lastmodifieddate", "operator": "GTE", "value": since },
            { "propertyName": "email", "operator": "HAS_PROPERTY" },
        ] }],
        "sorts": [{ "propertyName": "lastmodifieddate", "direction": "ASCENDING" }],
    });
    desk.check(call, changed, 200, json!({ "total": 1 }));
    desk.check(
        call,
        json!({ "limit": 201 }),
        400,
        json!({ "category": "VALIDATION_ERROR" }),
    );
}

#[test]
fn the_account_tells_what_it_is() {
    let mut desk = Desk::bare(Options::default());
    let details = json!({
        "portalId": 891_936_587, "companyCurrency": "USD", "additionalCurrencies": ["EUR"],
        "utcOffset": "-05:00", "utcOffsetMilliseconds": -18_000_000,
    });
    desk.check(
        "GET /account-info/2026-09/details",
        Value::Null,
        200,
        details,
    );
    let usage = "GET /account-info/2026-09/api-usage/daily/private-apps";
    let used = json!({ "results": [{ "usageLimit": 625_000, "currentUsage": 2 }] });
    desk.check(usage, Value::Null, 200, used);
}

#[test]
fn properties_are_made_once_and_come_back_when_archived() {
    let mut desk = Desk::new(Options::default());
    let path = "/crm/properties/2026-09/companies";
    let key = property("erp_key", "string", "text", true);
    desk.check(
        &format!("GET {path}/erp_key"),
        Value::Null,
        200,
        json!({ "type": "string", "hasUniqueValue": true,
                "modificationMetadata": { "readOnlyValue": false } }),
    );
    desk.check(
        &format!("DELETE {path}/erp_key"),
        Value::Null,
        204,
        Value::Null,
    );
    desk.check(&format!("GET {path}/erp_key"), Value::Null, 404, json!({}));
    let made = desk.send(&format!("POST {path}"), key);
    assert_eq!(made.status(), 201);
    assert_eq!(
        made.headers()["location"],
        format!("{path}/erp_key").as_str()
    );
    let label = json!({ "label": "Key" });
    desk.check(&format!("PATCH {path}/erp_key"), label.clone(), 200, label);
    let limits = "GET /crm/limits/2026-09/custom-properties";
    desk.check(limits, Value::Null, 200, json!({ "overallUsage": 15 }));
}

#[test]
fn a_day_with_a_time_is_normalized_by_the_newer_version() {
    let mut desk = Desk::new(Options::default());
    let body = upserts(&[(
        "K",
        json!({ "name": "A", "erp_day": "2026-11-02T07:40:35.320Z" }),
    )]);
    let warning = json!({ "category": "PROPERTY_VALUE_NORMALIZED", "context": {
        "propertyName": ["erp_day"], "rawValue": ["2026-11-02T07:40:35.320Z"],
        "normalizedValue": ["2026-11-02"] } });
    let good = json!({ "results": [
        { "properties": { "erp_day": "2026-11-02" }, "warnings": [warning] }] });
    desk.check(UPSERT, body.clone(), 200, good);
    let older = "POST /crm/objects/2026-03/companies/batch/upsert";
    let bad = json!({ "errors": [{ "message": "*INVALID_DATE*" }] });
    let answer = desk.check(older, body, 207, bad);
    let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("is at 7:40:35.320 UTC, not midnight!"),
        "{message}"
    );
}

#[test]
fn trace_ids_may_count_for_nothing() {
    let mut desk = Desk::new(Options {
        echo_trace_ids: false,
        partial_batches: false,
        ..Options::default()
    });
    let good = ("A", json!({ "name": "A" }));
    let answer = desk.check(UPSERT, upserts(std::slice::from_ref(&good)), 200, json!({}));
    assert!(answer["results"][0].get("objectWriteTraceId").is_none());
    let before = desk.portal.state();
    let both = upserts(&[("A", json!({ "name": "B" })), ("C", json!({ "nope": "1" }))]);
    desk.check(UPSERT, both, 400, json!({ "category": "VALIDATION_ERROR" }));
    assert_eq!(desk.portal.state(), before);
    assert_eq!(
        desk.portal.landings().len(),
        1,
        "what was undone never landed"
    );
}
