//! The HTTP API, as whoever runs the sync meets it.

use serde_json::{Value as Json, json};
use simulators::hubspot::Kind;

use super::{company, customer, first_invoice, hubspot_key, loaded};
use crate::agreement;
use crate::site::{Answer, Site};

/// An error in the one form: code, message and remedy, and the status beside it.
fn refused(answer: &Answer, status: u16, code: &str) {
    let error = &answer.body["error"];
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(error["code"], code, "{}", answer.body);
    for part in ["message", "remedy"] {
        assert!(error[part].as_str().is_some_and(|text| text.len() > 5));
    }
}

#[test]
fn without_the_token_nothing_is_told() {
    let site = loaded(1);
    for token in [None, Some("wrong"), Some(""), Some("canary-admin-token2")] {
        for path in ["/connections", "/connections/acme/records", "/nowhere"] {
            refused(&site.ask_as("GET", path, "", token), 401, "unauthorized");
        }
        let made = site.ask_as("POST", "/connections", "not JSON", token);
        refused(&made, 401, "unauthorized");
        assert_eq!(site.ask_as("GET", "/health", "", token).status, 200);
    }
}

#[test]
fn what_is_not_there_is_not_found_and_a_wrong_method_is_told() {
    let site = loaded(1);
    for path in [
        "/nowhere",
        "/connections/",
        "/connections/nobody",
        "/connections/nobody/runs",
        "/connections/nobody/records",
        "/connections/acme/records/customers/EDU1%2Fnobody",
        "/connections/acme/runs/none",
        "/connections/acme/nothing",
    ] {
        refused(&site.ask("GET", path, ""), 404, "not_found");
    }
    refused(
        &site.ask("POST", "/connections/nobody/sync", ""),
        404,
        "not_found",
    );
    refused(
        &site.ask("PATCH", "/connections/nobody", "{}"),
        404,
        "not_found",
    );
    refused(
        &site.ask("DELETE", "/connections/nobody", ""),
        404,
        "not_found",
    );
    for (method, path) in [
        ("DELETE", "/connections"),
        ("POST", "/connections/acme"),
        ("GET", "/connections/acme/sync"),
        ("POST", "/health"),
        ("PATCH", "/connections/acme/records"),
    ] {
        refused(&site.ask(method, path, ""), 405, "method_not_allowed");
    }
}

#[test]
fn a_bad_body_is_told_whole_with_every_path() {
    let site = loaded(1);
    for body in ["", "{", "[]", "null", "\"text\"", "{}"] {
        refused(&site.ask("POST", "/connections", body), 400, "invalid");
    }
    let mut body = site.connection(json!({ "lookback_days": 91, "colour": "red" }));
    body["id"] = json!("second");
    body["syspro"]["odata_url"] = json!("http://127.0.0.1/odata");
    body["hubspot"]["tokn"] = json!("x");
    body["syspro"]["local_currency"] = json!(7);
    body["syspro"]["operator"] = json!("SVC");
    let answer = site.ask("POST", "/connections", &body.to_string());
    refused(&answer, 400, "invalid");
    let details = answer.body["error"]["details"].clone();
    let details = details.as_array().cloned().unwrap_or_default();
    let mut paths: Vec<&str> = details
        .iter()
        .filter_map(|problem| problem["path"].as_str())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "hubspot.tokn",
            "settings.colour",
            "settings.lookback_days",
            "syspro.enet_url",
            "syspro.local_currency",
            "syspro.odata_url",
            "syspro.operator_password",
        ],
        "{details:#?}"
    );
    for (path, body) in [
        ("/connections/acme/replay", "{}"),
        ("/connections/acme/replay", r#"{"status":"synced"}"#),
        ("/connections/acme/replay", r#"{"records":[]}"#),
        ("/connections/acme/replay", r#"{"since":"yesterday"}"#),
        ("/connections/acme/replay", r#"{"status":"failing","x":1}"#),
        ("/connections/acme/sync", r#"{"x":1}"#),
    ] {
        refused(&site.ask("POST", path, body), 400, "invalid");
    }
    for query in ["limit=0", "limit=x", "status=odd", "x=1", "cursor=!"] {
        let path = format!("/connections/acme/records?{query}");
        refused(&site.ask("GET", &path, ""), 400, "invalid");
    }
    refused(
        &site.ask(
            "POST",
            "/connections",
            &site.connection(json!({})).to_string(),
        ),
        409,
        "conflict",
    );
}

#[test]
fn a_sync_is_asked_once_and_its_result_is_in_the_run() {
    let site = loaded(1);
    let asked = site.ask("POST", "/connections/acme/sync", "");
    assert_eq!(asked.status, 202);
    let id = asked.body["run"].as_str().expect("a run id").to_owned();
    let again = site.ask("POST", "/connections/acme/sync", "");
    refused(&again, 409, "already_asked");
    let path = format!("/connections/acme/runs/{id}");
    assert_eq!(site.get(&path)["state"], "asked");
    site.next_tick();
    let run = site.get(&path);
    assert_eq!(run["state"], "green", "quiet as it was, it is told: {run}");
    assert_eq!(run["kind"], "sync");
    assert_eq!(run["report"]["hubspot_calls"], 0);
    assert!(run["ended_at"].is_string());
    assert_eq!(site.ask("POST", "/connections/acme/sync", "").status, 202);
}

fn replay(site: &Site, body: &Json) -> Answer {
    site.ask("POST", "/connections/acme/replay", &body.to_string())
}

#[test]
fn a_replay_sends_again_what_it_names_and_a_preview_only_counts() {
    let site = loaded(3);
    let id = site.object(Kind::Company, &company(1)).id;
    let now = site.world.now();
    let touched = [("name", "Changed by a person")];
    site.portal
        .borrow_mut()
        .edit(now, Kind::Company, id, &touched);

    let one = json!({ "records": [{ "feed": "customers", "key": company(1) }] });
    let mut preview = one.clone();
    preview["preview"] = json!(true);
    let counted = replay(&site, &preview);
    assert_eq!((counted.status, &counted.body["records"]), (200, &json!(1)));
    site.next_tick();
    let name = || site.value(Kind::Company, &company(1), "name");
    assert_eq!(name(), "Changed by a person");

    assert_eq!(replay(&site, &one).status, 202);
    refused(&replay(&site, &one), 409, "already_asked");
    site.next_tick();
    assert_eq!(name(), "Customer 1");
    let run = site.last_run();
    assert_eq!(run["kind"], "replay");
    assert_eq!(run["report"]["feeds"]["customers"]["written"], 1, "{run}");

    let none = json!({ "status": "failing", "preview": true });
    assert_eq!(replay(&site, &none).body["records"], 0);
    let window = json!({ "feed": "invoices", "since": "2026-03-01", "preview": true });
    assert_eq!(replay(&site, &window).body["records"], 3);
    let past = json!({ "since": "2026-01-01", "until": "2026-01-31", "preview": true });
    assert_eq!(replay(&site, &past).body["records"], 0);
    let unknown = json!({ "records": [{ "feed": "customers", "key": "EDU1/x" }], "preview": true });
    assert_eq!(replay(&site, &unknown).body["records"], 0);

    let window = json!({ "since": "2026-03-01" });
    assert_eq!(replay(&site, &window).status, 202);
    let before = site.hubspot_calls();
    site.next_tick();
    assert!(site.hubspot_calls() > before);
    assert_eq!(site.last_run()["state"], "green");
    agreement::check(&site);
}

#[test]
fn the_replay_of_a_record_gone_from_syspro_says_so() {
    let site = loaded(2);
    let key = hubspot_key(&first_invoice(1));
    site.erp.borrow_mut().data.purge(&first_invoice(1));
    site.next_tick();
    assert_eq!(site.status("invoices", &key), "synced");
    let before = site.value(Kind::Invoice, &key, "syspro_status");
    let body = json!({ "records": [{ "feed": "invoices", "key": key }] });
    assert_eq!(replay(&site, &body).status, 202);
    site.next_tick();
    let record = site.record("invoices", &key);
    assert_eq!(record["status"], "synced", "{record}");
    assert_eq!(record["reason"]["code"], "gone");
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_status"), before);
    let calls = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), calls);
}

#[test]
fn a_paused_connection_rests_until_it_is_resumed() {
    let site = loaded(1);
    let patch = |body: Json| site.ask("PATCH", "/connections/acme", &body.to_string());
    let paused = patch(json!({ "paused": true }));
    assert_eq!(paused.status, 200, "{}", paused.body);
    assert_eq!(paused.body["state"], "paused");
    refused(
        &site.ask("POST", "/connections/acme/sync", ""),
        409,
        "not_active",
    );
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(1), "Name", "Renamed Inc");
    let asked = erp.calls.values().sum::<u64>();
    drop(erp);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
    assert_eq!(site.erp.borrow().calls.values().sum::<u64>(), asked);
    let resumed = patch(json!({ "paused": false }));
    assert_eq!(resumed.body["state"], "active", "{}", resumed.body);
    site.settle(3);
    agreement::check(&site);
}

#[test]
fn company_and_portal_are_fixed_for_a_connections_life() {
    let site = loaded(1);
    let patch = |body: Json| site.ask("PATCH", "/connections/acme", &body.to_string());
    let other = patch(json!({ "syspro": { "company": "EDU2" } }));
    assert_eq!(other.status, 409, "{}", other.body);
    let second = "pat-na1-canary-second";
    let mut portal = site.portal.borrow_mut();
    portal.options_mut().portal_id = 7;
    portal.options_mut().tokens[0].secret = second.to_owned();
    drop(portal);
    let other = patch(json!({ "hubspot": { "token": second } }));
    refused(&other, 409, "conflict");
    let moved = patch(json!({ "syspro": { "odata_url": "https://other.example/odata" } }));
    assert_eq!(moved.status, 400, "secrets do not follow: {}", moved.body);
    let text = moved.body.to_string();
    assert!(text.contains("odata_password"), "{text}");
}

#[test]
fn a_deleted_connection_leaves_nothing_but_its_audit() {
    let site = loaded(2);
    let deleted = site.ask("DELETE", "/connections/acme", "");
    assert_eq!(deleted.status, 204);
    for table in ["connections", "ledger", "targets", "cursors", "runs"] {
        let rows = site.world.rows(&format!("select * from {table}"));
        assert!(rows.is_empty(), "{table}: {rows:?}");
    }
    let owners = site.world.rows("select owner from lease where owner <> ''");
    assert!(owners.is_empty());
    assert!(!site.world.rows("select * from audit").is_empty());
    refused(&site.ask("GET", "/connections/acme", ""), 404, "not_found");
    let audit = site.ask("GET", "/connections/acme/audit", "");
    assert_eq!(audit.status, 200, "until its retention ends");
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
}
