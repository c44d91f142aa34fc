//! What becomes of a connection when people change it.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::syspro::{Fault, Trouble};
use syspro_hubspot_sync::platform::{NoAnswer, Statement};

use super::{distributor, loaded};
use crate::site::{HUBSPOT_TOKEN, ODATA_PASSWORD, Site, options};
use crate::world::{HUBSPOT, Start};

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
        (
            r#"{"records":[]}"#,
            "records does not hold 1 to 1000 elements.",
        ),
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

#[test]
fn a_system_that_says_no_for_a_moment_ends_nobodys_sync() {
    let other = "pat-na1-canary-other";
    for (status, expected) in [(401, "broken"), (404, "active")] {
        for body in [
            json!({}),
            json!({ "syspro": {} }),
            json!({ "hubspot": { "token": other } }),
        ] {
            let site = loaded(1);
            site.portal.borrow_mut().options_mut().tokens[0].secret = match body["hubspot"] {
                Json::Null => HUBSPOT_TOKEN.to_owned(),
                _ => other.to_owned(),
            };
            let mut fault = Fault::once("/", Trouble::Page(status));
            fault.times = 1_000;
            site.erp.borrow_mut().faults.push_back(fault);
            let looked_at = body == json!({}) || body["syspro"].is_object();
            let shown = patch(&site, body.clone());
            let expected = if looked_at { expected } else { "active" };
            assert_eq!(shown["state"], expected, "{status} {body}: {shown}");
            // Looked at once more, because it is in doubt now.
            let shown = patch(&site, json!({ "name": "Other" }));
            assert_eq!(shown["state"], expected, "{status} {body}: {shown}");

            site.erp.borrow_mut().faults.clear();
            let mut erp = site.erp.borrow_mut();
            let customer = super::customer(1);
            erp.data.edit_customer(&customer, "Name", "Renamed Inc");
            drop(erp);
            site.world.advance(Duration::from_secs(3_600));
            site.settle(4);
            assert_eq!(site.get("/connections/acme")["state"], "active", "{body}");
            crate::agreement::check(&site);
        }
    }
}

fn write(site: &Site, sql: &'static str) {
    let write = Statement::new(sql, []);
    site.world.d1().batch(&[write]).expect("a write");
}

#[test]
fn what_was_put_off_is_tried_when_somebody_sees_to_hubspot() {
    let site = loaded(1);
    let park = "update connections set parks = '{\"invoices\":{\"until\":4000000000000,\"times\":1,\"reason\":{\"code\":\"x\",\"reason\":\"y\"}}}'";
    write(&site, park);
    for body in [
        json!({ "name": "Other" }),
        json!({ "paused": true }),
        json!({ "paused": false, "syspro": {} }),
    ] {
        let shown = patch(&site, body.clone());
        assert!(shown["parks"]["invoices"].is_object(), "{body}: {shown}");
    }
    for body in [json!({}), json!({ "hubspot": {} })] {
        write(&site, park);
        assert_eq!(patch(&site, body.clone())["parks"], json!({}), "{body}");
    }
}

#[test]
fn a_connection_whose_account_is_not_readable_keeps_its_portal() {
    let site = loaded(1);
    let account = site.get("/connections/acme")["portal"].clone();
    write(&site, "update connections set account = 'no JSON'");
    site.world.unplug(HUBSPOT, NoAnswer::TimedOut);
    patch(&site, json!({}));
    site.ask("POST", "/connections/acme/checks", "");
    let rows = site.world.rows("select portal from connections");
    assert_eq!(rows[0]["portal"], account["portal_id"]);
    site.world.plug_in(HUBSPOT);

    let ours = site.portal.borrow().options().portal_id;
    site.portal.borrow_mut().options_mut().portal_id = 1;
    let other = json!({ "hubspot": { "token": HUBSPOT_TOKEN } }).to_string();
    let other = site.ask("PATCH", "/connections/acme", &other);
    assert_eq!(other.status, 409, "{}", other.body);
    site.portal.borrow_mut().options_mut().portal_id = ours;
    let shown = patch(&site, json!({}));
    assert_eq!(shown["state"], "active", "{shown}");
    assert_eq!(shown["portal"], account);
    site.settle(4);
}

#[test]
fn a_time_ahead_is_no_good_run() {
    let site = loaded(1);
    let ahead = "update connections set last_good_at = 4000000000000, last_run_at = 4000000000000";
    write(&site, ahead);
    assert_eq!(site.ask("GET", "/health", "").status, 200, "just changed");
    site.world.advance(Duration::from_secs(3_600));
    assert_eq!(site.ask("GET", "/health", "").status, 503);
    assert_eq!(site.get("/connections/acme")["stale"], true);
    let answer = site.ask("POST", "/connections/acme/checks", "");
    let checks = answer.body["checks"].as_array().cloned();
    let checks = checks.unwrap_or_default();
    let cron = checks.iter().find(|it| it["name"] == "deployment_cron");
    assert_eq!(cron.map(|it| &it["ok"]), Some(&json!(false)), "{cron:?}");
    write(&site, "update connections set changed_at = 4000000000000");
    assert_eq!(site.ask("GET", "/health", "").status, 503);
    assert_eq!(site.get("/connections/acme")["stale"], true);
    site.next_tick();
    assert_eq!(site.ask("GET", "/health", "").status, 200);
    assert_eq!(site.get("/connections/acme")["stale"], false);
}
