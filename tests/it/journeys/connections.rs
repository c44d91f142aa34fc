//! What becomes of a connection when people change it.

use serde_json::{Value as Json, json};
use simulators::syspro::{Fault, Trouble};

use super::distributor;
use crate::site::{HUBSPOT_TOKEN, ODATA_PASSWORD, Site, options};
use crate::world::Start;

#[test]
fn a_connection_keeps_its_portal_whatever_tokens_it_is_given() {
    let site = Site::new(distributor(1));
    site.settle(4);
    let change = |token: &str| {
        let patch = json!({ "hubspot": { "token": token } }).to_string();
        site.ask("PATCH", "/connections/acme", &patch)
    };

    let wrong = change("pat-na1-wrong");
    assert_eq!(wrong.status, 200, "{}", wrong.body);
    assert_eq!(wrong.body["state"], "incomplete", "{}", wrong.body);
    assert_eq!(wrong.body["portal"]["portal_id"], "891936587");

    let ours = site.portal.borrow().options().portal_id;
    site.portal.borrow_mut().options_mut().portal_id = 1;
    let other = change(HUBSPOT_TOKEN);
    assert_eq!(other.status, 409, "{}", other.body);

    site.portal.borrow_mut().options_mut().portal_id = ours;
    let right = change(HUBSPOT_TOKEN);
    assert_eq!(right.body["state"], "active", "{}", right.body);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "all was in sync");
}

#[test]
fn a_replay_that_cannot_be_meant_is_refused_in_one_sentence() {
    let site = Site::new(distributor(1));
    for (body, message) in [
        (
            r#"{"status":"waiting"}"#,
            "status is not failing, the one status that can be replayed.",
        ),
        (r#"{"records":[]}"#, "records holds 0 records."),
        (
            r#"{"records":[{"feed":"deals","key":"EDU1/1"}]}"#,
            "records[0].feed is \"deals\", which is no feed.",
        ),
        (
            r#"{"since":"yesterday"}"#,
            "since is neither a date nor a time.",
        ),
        (
            r#"{"since":"2026-11-02","until":"2026-11-01"}"#,
            "until is not after since.",
        ),
        (
            "{}",
            "body does not name exactly one of records, status and since.",
        ),
    ] {
        let answer = site.ask("POST", "/connections/acme/replay", body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.body["error"]["message"], message, "{body}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named_and_looked_at_again_by_an_empty_patch() {
    let site = Site::bare(Start::calm(), distributor(1), options());
    let mut body = site.connection(json!({}));
    body["syspro"]["odata_url"] = json!("https://gone.example/SYSPRO8Odata");
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["state"], "incomplete", "{}", made.body);
    let check = &made.body["checks"][0];
    let why = "The host name in `syspro.odata_url` is not found.";
    assert_eq!(check["why"], why);
    let remedy = check["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains("ask for the checks again"), "{remedy}");

    let right = site.connection(json!({}))["syspro"]["odata_url"].clone();
    let patch = json!({ "syspro": { "odata_url": right, "odata_password": ODATA_PASSWORD } });
    let mended = site.ask("PATCH", "/connections/acme", &patch.to_string());
    assert_eq!(mended.body["state"], "active", "{}", mended.body);
}

fn patch(site: &Site, body: Json) -> Json {
    let answer = site.ask("PATCH", "/connections/acme", &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// SYSPRO's connection breaks, whatever is asked.
fn down(site: &Site) {
    let mut fault = Fault::once("", Trouble::Drop);
    fault.times = 1_000;
    site.erp.borrow_mut().faults.push_back(fault);
}

#[test]
fn a_system_that_is_down_for_a_moment_ends_nobodys_sync() {
    let site = Site::new(distributor(1));
    down(&site);
    for body in [
        json!({}),
        json!({ "name": "Other" }),
        json!({ "hubspot": { "token": HUBSPOT_TOKEN } }),
        json!({ "syspro": { "odata_username": "SVC" } }),
        json!({ "settings": { "rate_share": 0.5 } }),
    ] {
        let shown = patch(&site, body.clone());
        assert_eq!(shown["state"], "active", "{body}: {shown}");
        assert_eq!(shown["reason"], Json::Null, "{body}");
    }
    // What is changed must be seen to work.
    let shown = patch(&site, json!({ "syspro": { "odata_password": "other" } }));
    assert_eq!(shown["state"], "incomplete", "{shown}");
    site.erp.borrow_mut().faults.clear();
    let shown = patch(
        &site,
        json!({ "syspro": { "odata_password": ODATA_PASSWORD } }),
    );
    assert_eq!(shown["state"], "active", "{shown}");
}

#[test]
fn a_password_that_is_refused_is_kept_and_says_so_until_it_is_mended() {
    let site = Site::new(distributor(1));
    site.tick();
    let shown = patch(&site, json!({ "syspro": { "odata_password": "wrong" } }));
    assert_eq!(shown["state"], "incomplete", "{shown}");
    assert_eq!(site.get("/connections/acme")["reason"], shown["reason"]);
    assert!(
        shown["reason"]["remedy"]
            .to_string()
            .contains("odata_password")
    );
    let asked = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), asked, "it does not run");

    // A change of anything else finds what is still wrong.
    let shown = patch(&site, json!({ "name": "Other" }));
    assert_eq!(shown["state"], "incomplete", "{shown}");
    let shown = patch(
        &site,
        json!({ "syspro": { "odata_password": ODATA_PASSWORD } }),
    );
    assert_eq!(shown["state"], "active", "{shown}");
    assert_eq!(shown["syspro"]["odata_password"], "set");
    site.settle(4);
}
