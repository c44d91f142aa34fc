use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;
use crate::origin::Guard;

pub(super) fn full() -> Value {
    json!({
        "id": "acme", "name": "Acme Industrial",
        "syspro": {
            "odata_url": "https://erp.acme.example/SYSPRO8Odata/SYSPROOData/", "company": "EDU1",
            "odata_username": "SVC", "odata_password": "hunter2-odata", "local_currency": "USD",
            "enet_url": "https://erp.acme.example:31002/SYSPROWCFService/Rest",
            "operator": "SVC", "operator_password": "hunter2-operator", "company_password": "",
            "headers": { "CF-Access-Client-Id": "hunter2-id", "CF-Access-Client-Secret": "hunter2-key" }
        },
        "hubspot": { "token": "pat-na1-hunter2" },
        "settings": { "history_days": 30, "currencies": { "CA": "CAD" } }
    })
}

fn small() -> Value {
    json!({
        "id": "acme",
        "syspro": {
            "odata_url": "https://erp.acme.example/odata", "company": "1",
            "odata_username": "SVC", "odata_password": "hunter2-odata", "local_currency": "USD"
        },
        "hubspot": { "token": "pat-na1-hunter2" }
    })
}

pub(super) fn parse(body: &Value) -> Result<Connection, Vec<Problem>> {
    Connection::parse(&body.to_string(), &Guard::default())
}

pub(super) fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{} {}. {}", problem.path, problem.reason, problem.remedy))
        .collect();
    lines.join("\n")
}

fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    body.pointer_mut(parent).expect("the parent is there")[name] = value;
    body
}

#[test]
fn a_small_body_is_completed_with_defaults() {
    let connection = parse(&small()).expect("it is valid");
    assert_eq!(connection.settings, Settings::default());
    expect![[r#"
        {
          "hubspot": {
            "api_url": "https://api.hubapi.com",
            "api_version": "2026-09",
            "prefix": "syspro_",
            "token": "set"
          },
          "id": "acme",
          "name": "acme",
          "settings": {
            "address_columns": {},
            "adopted_fields": "fill",
            "credit_notes": "record",
            "currencies": {},
            "customers": "active",
            "daily_share": 0.5,
            "date_style": "datetimeoffset",
            "default_due_days": 30,
            "exclude": {
              "branches": [],
              "customer_classes": [],
              "document_types": [],
              "invoices_before": null,
              "on_hold": false
            },
            "foreign_currency": "fail",
            "history_days": 400,
            "invoice_balance_currency": "posting",
            "lifecycle_stage": "customer",
            "lookback_days": 7,
            "modified_columns": {},
            "on_ambiguous": "create",
            "rate_share": 0.8,
            "site_utc_offset_minutes": null,
            "sweep_pages": 2,
            "tables": {},
            "trial": null
          },
          "syspro": {
            "company": "1",
            "local_currency": "USD",
            "odata_password": "set",
            "odata_url": "https://erp.acme.example/odata",
            "odata_username": "SVC"
          }
        }"#]]
    .assert_eq(&format!("{:#}", connection.public_json()));
}

#[test]
fn no_secret_is_shown_or_printed() {
    let connection = parse(&full()).expect("it is valid");
    let shown = connection.public_json();
    for text in [format!("{connection:?}"), shown.to_string()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    expect![[r#"
        {
          "company": "EDU1",
          "company_password": "",
          "enet_url": "https://erp.acme.example:31002/SYSPROWCFService/Rest",
          "headers": {
            "cf-access-client-id": "set",
            "cf-access-client-secret": "set"
          },
          "local_currency": "USD",
          "odata_password": "set",
          "odata_url": "https://erp.acme.example/SYSPRO8Odata/SYSPROOData",
          "odata_username": "SVC",
          "operator": "SVC",
          "operator_password": "set"
        }"#]]
    .assert_eq(&format!("{:#}", shown["syspro"]));
    let fields: Vec<String> = connection.secrets().into_keys().collect();
    expect![[r#"
        hubspot.token
        syspro.headers.cf-access-client-id
        syspro.headers.cf-access-client-secret
        syspro.odata_password
        syspro.operator_password"#]]
    .assert_eq(&fields.join("\n"));
}

#[test]
fn what_is_taken_apart_is_put_together_again() {
    let odd_header = with(full(), "/syspro/headers/x.gateway.key", json!("hunter2"));
    for body in [small(), full(), odd_header] {
        let before = parse(&body).expect("it is valid");
        let after = Connection::restore(&before.public_json(), &before.secrets()).expect("whole");
        assert_eq!(after.public_json(), before.public_json());
        assert_eq!(after.secrets(), before.secrets());
    }
    let connection = parse(&full()).expect("it is valid");
    let mut secrets = connection.secrets();
    secrets.remove("syspro.odata_password");
    let problems = Connection::restore(&connection.public_json(), &secrets).expect_err("one lacks");
    expect!["syspro.odata_password is empty, holds control characters, or is only the mark of a stored secret. Give the password itself."].assert_eq(&lines(&problems));
}

#[test]
fn every_problem_is_named_at_once() {
    let check = |body: &str, expected: Expect| {
        let problems = Connection::parse(body, &Guard::default()).expect_err(body);
        expected.assert_eq(&lines(&problems));
    };
    check(
        "{\"id\": hunter2}",
        expect!["body is not JSON: line 1, column 8. Send one JSON object."],
    );
    check(
        "[]",
        expect!["body is not a JSON object. Send one JSON object."],
    );
    check(
        "{}",
        expect![[r#"
        id is missing. Choose a short name such as acme.
        syspro.odata_url is missing. Write it like https://erp.example.com/path.
        syspro.company is missing. Use the id operators choose at log-on, such as EDU1.
        syspro.odata_username is missing. Use the account that may read SYSPRO over OData.
        syspro.odata_password is missing. Give the password itself.
        syspro.local_currency is missing. Use three capital letters, such as USD.
        hubspot.token is missing. Copy the token of the service key or app (pat-…)."#]],
    );
    check(
        &json!({
            "id": "Acme!", "nmae": "x", "syspro": "hunter2", "hubspot": { "token": "pat na1", "api_url": "https://evil.example" },
            "settings": { "lookback_days": "7", "history_days": 0, "sweep_pages": 1.5, "credit_notes": "drop",
                "rate_share": 2, "daily_share": 0, "tables": { "ArCustomer": "a/../b", "Users": "x" }, "currencies": { "$": "USD", "E": "euro" },
                "lookback": 3, "site_utc_offset_minutes": 900 }
        })
        .to_string(),
        expect![[r#"
            id is not 1 to 40 of a–z, 0–9 and -. Choose a short name such as acme.
            syspro is not an object. Write it as { … }.
            hubspot.token is empty, holds a blank, or is only the mark of a stored secret. Copy the token of the service key or app (pat-…).
            hubspot.api_url is not HubSpot's API. Use https://api.hubapi.com; a deployment that stands in for it must list the host in ALLOW_HOSTS.
            settings.lookback_days is not a whole number from 0 to 90. Leave it out for the default.
            settings.history_days is not a whole number from 1 to 7300. Leave it out for the default.
            settings.sweep_pages is not a whole number from 0 to 100. Leave it out for the default.
            settings.credit_notes is not one of its choices. Use "record" or "exclude".
            settings.currencies.$ is not a SYSPRO currency code that can be mapped. `$` and a blank always mean syspro.local_currency.
            settings.currencies.E is not an ISO 4217 code. Use three capital letters, such as USD.
            settings.site_utc_offset_minutes is not a whole number from -720 to 840. Leave it out for the default.
            settings.tables.ArCustomer is not a name OData knows. Use letters, digits and _ only.
            settings.tables.Users is not a table that is read. Use SYSPRO's own name of the table, such as ArCustomer.
            settings.rate_share is not a number over 0 and at most 1. Leave it out for the default.
            settings.daily_share is not a number over 0 and at most 1. Leave it out for the default.
            settings.lookback is not a field of this object. Remove it, or correct its spelling.
            nmae is not a field of this object. Remove it, or correct its spelling."#]],
    );
    check(
        &json!({
            "id": "acme", "name": "",
            "syspro": { "odata_url": "http://10.0.0.1/odata", "company": "../x", "odata_username": "a:b", "odata_password": "set",
                "local_currency": "usd", "operator": "SVC", "headers": { "Authorization": "x", "X-Key": "a\nb", "x y": "z" }, "extra": 1 },
            "hubspot": { "token": null, "api_version": "v3", "prefix": "hs_mine_" }
        })
        .to_string(),
        expect![[r#"
            name is empty, over 100 characters, or holds control characters. Use the name people know the company by.
            syspro.odata_url is not https. Use https; only a deployment with ALLOW_HTTP set may use http.
            syspro.company is not a SYSPRO company id. Use the id operators choose at log-on, such as EDU1.
            syspro.odata_username is empty, or holds a colon or control characters. Use the account that may read SYSPRO over OData.
            syspro.odata_password is empty, holds control characters, or is only the mark of a stored secret. Give the password itself.
            syspro.headers.Authorization is not the name of a header that may be added. Use the names your gateway asks for, such as CF-Access-Client-Id.
            syspro.headers.X-Key is empty, not plain ASCII, or only the mark of a stored secret. Copy the value your gateway gave out.
            syspro.headers.x y is not the name of a header that may be added. Use the names your gateway asks for, such as CF-Access-Client-Id.
            syspro.local_currency is not an ISO 4217 code. Use three capital letters, such as USD.
            syspro.enet_url is missing. Give it with operator and operator_password, or leave all e.net fields out.
            syspro.operator_password is missing. Give the password itself; it may be empty.
            syspro.extra is not a field of this object. Remove it, or correct its spelling.
            hubspot.token is missing. Copy the token of the service key or app (pat-…).
            hubspot.api_version is not a version of HubSpot's API. Write year and month, such as 2026-09.
            hubspot.prefix cannot begin the names of HubSpot properties. Use lower-case letters and end with _, such as syspro_; hs_ is HubSpot's."#]],
    );
}

#[test]
fn each_field_holds_its_bounds() {
    let cases = [
        ("/id", json!("a".repeat(40)), true),
        ("/id", json!("a".repeat(41)), false),
        ("/id", json!("a_b"), false),
        ("/syspro/company", json!("EDU 1"), false),
        ("/syspro/company", json!("A/B"), false),
        ("/syspro/local_currency", json!("EURO"), false),
        ("/syspro/odata_password", json!(" with blanks "), true),
        ("/syspro/odata_password", json!("a\u{0}b"), false),
        ("/syspro/operator_password", json!(""), true),
        ("/syspro/operator_password", json!(null), false),
        ("/syspro/enet_url", json!("https://localhost:31002"), false),
        ("/hubspot/token", json!(""), false),
        ("/hubspot/api_version", json!("2026-03"), true),
        ("/hubspot/api_version", json!("../../x"), false),
        ("/hubspot/prefix", json!("erp_"), true),
        ("/hubspot/prefix", json!("erp"), false),
        ("/settings/lookback_days", json!(0), true),
        ("/settings/lookback_days", json!(91), false),
        ("/settings/history_days", json!(1e30), false),
        ("/settings/sweep_pages", json!(-1), false),
        ("/settings/rate_share", json!(1), true),
        ("/settings/rate_share", json!(0.0001), true),
        ("/settings/rate_share", json!("0.5"), false),
        ("/settings/customers", json!("all"), true),
        ("/settings/date_style", json!("v3"), true),
        ("/settings/date_style", json!("V3"), false),
        ("/settings/lifecycle_stage", json!(""), true),
        (
            "/settings/modified_columns",
            json!({ "ArInvoice": "Usr_Modified" }),
            true,
        ),
        (
            "/settings/modified_columns",
            json!({ "ArInvoice": "a eq 1 or b" }),
            false,
        ),
        (
            "/settings/modified_columns",
            json!({ "ArInvoice": "" }),
            false,
        ),
        (
            "/settings/address_columns",
            json!({ "city": "SoldToAddr3" }),
            true,
        ),
        (
            "/settings/address_columns",
            json!({ "town": "SoldToAddr3" }),
            false,
        ),
        ("/settings/site_utc_offset_minutes", json!(null), true),
        ("/settings/site_utc_offset_minutes", json!(-300), true),
    ];
    for (pointer, value, valid) in cases {
        let body = with(full(), pointer, value.clone());
        assert_eq!(parse(&body).is_ok(), valid, "{pointer} {value}");
    }
}
