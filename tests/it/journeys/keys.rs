//! The master key is changed while everything goes on: nothing is lost, whoever holds which key.

use serde_json::{Value as Json, json};
use syspro_hubspot_sync::{
    platform::{Millis, Statement},
    vault::{MasterKeys, Place, SESSION, Secret},
};

use super::{company, customer, loaded};
use crate::agreement;
use crate::site::{
    self, Answer, HUBSPOT_TOKEN, MASTER_KEY, NEW_MASTER_KEY, ODATA_PASSWORD, Site, options,
};
use crate::world::Start;

/// The versions of the two keys.
const OLD: &str = "630dcd29";
const NEW: &str = "1865c008";

const OLD_ALONE: site::MasterKeys = (MASTER_KEY, None);
const BOTH: site::MasterKeys = (NEW_MASTER_KEY, Some(MASTER_KEY));
const NEW_ALONE: site::MasterKeys = (NEW_MASTER_KEY, None);

const TOKEN: &str = "hubspot.token";
const PASSWORD: &str = "syspro.odata_password";

fn rotate(site: &Site) -> Json {
    let answer = site.ask("POST", "/keys/rotate", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn counts(answer: &Json) -> (u64, u64, usize) {
    let count = |name: &str| answer[name].as_u64().expect("a count");
    let unopenable = answer["unopenable"].as_array().map_or(0, Vec::len);
    (count("resealed"), count("remaining"), unopenable)
}

fn patch(site: &Site, body: Json) -> Answer {
    site.ask("PATCH", "/connections/acme", &body.to_string())
}

fn state(site: &Site) -> Json {
    site.get("/connections/acme")["state"].clone()
}

/// One sealed value of `acme`.
fn cell(site: &Site, field: &str) -> String {
    let secrets = site
        .world
        .rows("select secrets from connections where id = 'acme'");
    let secrets: Json = serde_json::from_str(secrets[0]["secrets"].as_str().unwrap()).unwrap();
    secrets[field].as_str().expect("a sealed value").to_owned()
}

/// Somebody writes into the database by hand.
fn put(site: &Site, connection: &str, field: &str, sealed: &str) {
    let put = Statement::new(
        "update connections set secrets = json_set(secrets, '$.\"' || ?2 || '\"', ?3) where id = ?1",
        [connection.into(), field.into(), sealed.into()],
    );
    site.world.d1().batch(&[put]).expect("a write");
}

/// Everything there is goes once more around, and HubSpot still is as SYSPRO.
fn still_syncs(site: &Site) {
    let name = format!("Renamed at {}", site.world.now());
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(1), "Name", name.as_str());
    drop(erp);
    site.settle(4);
    assert_eq!(state(site), "active");
    assert_eq!(
        site.value(simulators::hubspot::Kind::Company, &company(1), "name"),
        name
    );
    agreement::check(site);
}

#[test]
fn a_key_is_replaced_without_anybody_noticing() {
    let site = loaded(1);
    let nothing = json!({ "version": OLD, "resealed": 0, "remaining": 0, "unopenable": [] });
    assert_eq!(rotate(&site), nothing);

    site.deploy(BOTH);
    still_syncs(&site);
    let done = json!({ "version": NEW, "resealed": 2, "remaining": 0, "unopenable": [] });
    assert_eq!(rotate(&site), done);
    assert_eq!(counts(&rotate(&site)), (0, 0, 0));
    for field in [TOKEN, PASSWORD] {
        assert!(cell(&site, field).starts_with(&format!("v1.{NEW}.")));
    }
    site.deploy(NEW_ALONE);
    still_syncs(&site);
}

#[test]
fn a_session_of_e_net_is_sealed_anew_too() {
    let site = loaded(1);
    let (old, new) = (
        MasterKeys::parse(MASTER_KEY, None).expect("a key"),
        MasterKeys::parse(NEW_MASTER_KEY, None).expect("a key"),
    );
    let place = Place {
        connection: "acme",
        field: SESSION,
    };
    let session = || {
        let rows = site.world.rows("select session from sessions");
        rows[0]["session"].as_str().expect("a session").to_owned()
    };
    let keep = |sealed: &str| {
        let keep = Statement::new(
            "insert into sessions (connection, session) values ('acme', ?1)
             on conflict (connection) do update set session = excluded.session",
            [sealed.into()],
        );
        site.world.d1().batch(&[keep]).expect("a write");
    };
    let secret = Secret::new("3b8e");
    keep(&old.seal(&secret, place, [9; 12]));
    site.deploy(BOTH);
    assert_eq!(counts(&rotate(&site)), (3, 0, 0));
    assert_eq!(new.open(&session(), place), Ok(secret));
    // One that does not open is no loss, and is nobody's to mend.
    keep("v1.00000000.AAAA");
    assert_eq!(counts(&rotate(&site)), (0, 0, 0));
}

#[test]
fn more_than_one_call_can_do_is_left_for_the_next() {
    let site = Site::bare(Start::calm(), super::distributor(1), options());
    for number in 0..60 {
        let mut body = site.connection(json!({}));
        body["id"] = json!(format!("site-{number:02}"));
        body["hubspot"]["token"] = json!("pat-na1-wrong");
        let made = site.ask("POST", "/connections", &body.to_string());
        assert_eq!(made.body["state"], "incomplete", "{}", made.body);
    }
    site.deploy(BOTH);
    let before = site.world.queries();
    assert_eq!(counts(&rotate(&site)), (100, 20, 0));
    assert!(site.world.queries() - before < 50, "the smallest plan");
    assert_eq!(counts(&rotate(&site)), (20, 0, 0));
    assert_eq!(counts(&rotate(&site)), (0, 0, 0));
}

#[test]
fn a_connection_whose_key_is_gone_is_broken_until_the_key_is_back() {
    let site = loaded(1);
    let runs = site.get("/connections/acme/runs")["runs"].clone();
    site.deploy(NEW_ALONE);
    let asked = site.hubspot_calls();
    for _ in 0..3 {
        site.next_tick();
    }
    let shown = site.get("/connections/acme");
    assert_eq!(shown["state"], "broken");
    assert_eq!(
        shown["reason"],
        json!({
            "code": "sealed",
            "reason": "This deployment does not hold master key 630dcd29, under which hubspot.token, syspro.odata_password is sealed.",
            "remedy": "Set that key as MASTER_KEY_PREVIOUS and deploy: the connection goes on by itself. If it is lost, PATCH the connection with hubspot.token, syspro.odata_password anew.",
        })
    );
    assert_eq!(site.hubspot_calls(), asked);
    let told = site.get("/connections/acme/runs")["runs"].clone();
    let news = told.as_array().map_or(0, Vec::len) - runs.as_array().map_or(0, Vec::len);
    assert_eq!(news, 1, "said once: {told}");

    let rotated = rotate(&site);
    assert_eq!(counts(&rotated), (0, 0, 2));
    assert_eq!(
        rotated["unopenable"][0],
        json!({ "connection": "acme", "field": TOKEN, "needs": OLD })
    );

    site.deploy(BOTH);
    site.next_tick();
    let shown = site.get("/connections/acme");
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("active"), &Json::Null)
    );
    still_syncs(&site);
}

#[test]
fn an_isolate_that_has_only_the_other_key_breaks_nothing_for_good() {
    let site = loaded(1);
    site.deploy(BOTH);
    rotate(&site);
    for _ in 0..3 {
        site.deploy(OLD_ALONE);
        site.next_tick();
        assert_eq!(state(&site), "broken");
        assert_eq!(counts(&rotate(&site)), (0, 0, 2), "it takes nothing back");
        site.deploy(BOTH);
        site.next_tick();
        assert_eq!(state(&site), "active");
    }
    still_syncs(&site);
}

#[test]
fn a_patch_must_bring_along_what_does_not_open() {
    let site = loaded(1);
    site.deploy(NEW_ALONE);
    let paths = |answer: &Answer| -> Vec<String> {
        assert_eq!(answer.status, 409, "{}", answer.body);
        assert_eq!(answer.body["error"]["code"], "sealed");
        let details = answer.body["error"]["details"].as_array().unwrap().iter();
        details
            .map(|it| it["path"].as_str().unwrap().to_owned())
            .collect()
    };
    for nothing in [
        json!({}),
        json!({ "name": "Other" }),
        json!({ "hubspot": { "token": "set" }, "syspro": { "odata_password": "set" } }),
    ] {
        let refused = patch(&site, nothing);
        assert_eq!(paths(&refused), [TOKEN, PASSWORD]);
        assert_eq!(
            refused.body["error"]["details"][0]["reason"],
            "is sealed under master key 630dcd29, which is not here"
        );
    }
    let half = patch(&site, json!({ "hubspot": { "token": HUBSPOT_TOKEN } }));
    assert_eq!(paths(&half), [PASSWORD]);
    let whole = json!({
        "hubspot": { "token": HUBSPOT_TOKEN },
        "syspro": { "odata_password": ODATA_PASSWORD },
    });
    let mended = patch(&site, whole);
    assert_eq!(mended.body["state"], "active", "{}", mended.body);
    still_syncs(&site);
}

#[test]
fn a_value_in_another_field_or_under_another_version_does_not_open() {
    let site = loaded(1);
    site.deploy(BOTH);
    let (token, password) = (cell(&site, TOKEN), cell(&site, PASSWORD));
    for (field, sealed) in [
        (TOKEN, password.as_str()),
        (PASSWORD, token.as_str()),
        (TOKEN, &token.replace(OLD, NEW)),
        (TOKEN, ""),
    ] {
        let right = cell(&site, field);
        put(&site, "acme", field, sealed);
        let asked = site.world.fetch_log().len();
        site.next_tick();
        let shown = site.get("/connections/acme");
        assert_eq!(shown["state"], "broken", "{shown}");
        let remedy = format!("PATCH the connection with {field} anew.");
        assert_eq!(shown["reason"]["remedy"], remedy, "{shown}");
        assert_eq!(
            site.world.fetch_log().len(),
            asked,
            "nothing is sent with it"
        );
        let needs = json!({ "connection": "acme", "field": field, "needs": null });
        let rotated = rotate(&site);
        let listed = rotated["unopenable"].as_array().expect("a list");
        // What says that it is under the newest key is not looked at.
        let looked_at = !sealed.starts_with(&format!("v1.{NEW}."));
        assert_eq!(listed.contains(&needs), looked_at, "{rotated}");
        put(&site, "acme", field, &right);
        site.next_tick();
        assert_eq!(state(&site), "active");
    }
    // What opens stays, and what does not is given anew.
    put(&site, "acme", TOKEN, "");
    let mended = patch(&site, json!({ "hubspot": { "token": HUBSPOT_TOKEN } }));
    assert_eq!(mended.body["state"], "active", "{}", mended.body);
    still_syncs(&site);
}

#[test]
fn secrets_that_are_no_json_are_told_and_can_be_given_anew() {
    let site = loaded(1);
    let cut = Statement::new(
        "update connections set secrets = substr(secrets, 1, 40)",
        [],
    );
    site.world.d1().batch(&[cut]).expect("a write");
    site.next_tick();
    assert_eq!(state(&site), "broken");
    assert_eq!(
        rotate(&site)["unopenable"],
        json!([{ "connection": "acme", "needs": null }])
    );
    let whole = json!({
        "hubspot": { "token": HUBSPOT_TOKEN },
        "syspro": { "odata_password": ODATA_PASSWORD },
    });
    assert_eq!(patch(&site, whole).body["state"], "active");
    still_syncs(&site);
}

/// At every moment of a change of the connection the key is rotated, by an isolate that has the new
/// key, while the change is made by one that has it or has not.
#[test]
fn a_change_and_a_rotation_meet_and_neither_is_lost() {
    const SECOND: &str = "pat-na1-canary-second";
    const START: Millis = 30;
    let takes = {
        let site = loaded(1);
        let began = site.world.now();
        patch(&site, json!({ "hubspot": { "token": HUBSPOT_TOKEN } }));
        site.world.now() - began
    };
    let about = |at: Millis| (at - 14..at + 8).step_by(2);
    for changed_by in [OLD_ALONE, BOTH] {
        for after in about(START).chain(about(START + takes)) {
            let site = loaded(1);
            site.portal.borrow_mut().options_mut().tokens[0].secret = SECOND.to_owned();
            let body = json!({ "hubspot": { "token": SECOND } }).to_string();
            site.deploy(changed_by);
            let change = site.ask_later(START, "PATCH", "/connections/acme", &body);
            site.deploy(BOTH);
            let rotation = site.ask_later(after, "POST", "/keys/rotate", "");
            site.world.settle();
            let story = format!("{changed_by:?} {after}");
            assert_eq!(rotation.take().expect("an answer").status, 200, "{story}");
            let change = change.take().expect("an answer");
            if change.status != 200 {
                // What the old key does not open any more is for the new one to change.
                assert_eq!((change.status, changed_by), (409, OLD_ALONE), "{story}");
                assert_eq!(change.body["error"]["code"], "sealed", "{}", change.body);
                site.ask("PATCH", "/connections/acme", &body);
            }
            while rotate(&site)["remaining"] != 0 {}
            site.deploy(NEW_ALONE);
            site.world.note(&story);
            still_syncs(&site);
        }
    }
}

#[test]
fn a_rotation_and_a_run_of_the_old_isolate_meet_and_nothing_is_lost() {
    for after in (0..40).step_by(2) {
        let site = loaded(1);
        site.erp
            .borrow_mut()
            .data
            .edit_customer(&customer(1), "Name", "Renamed Inc");
        site.deploy(OLD_ALONE);
        site.tick_later(20);
        site.deploy(BOTH);
        site.ask_later(after, "POST", "/keys/rotate", "");
        site.world.settle();
        site.deploy(NEW_ALONE);
        site.settle(4);
        assert_eq!(state(&site), "active", "{after}");
        agreement::check(&site);
    }
}

/// Once the rotation says that nothing remains, the former key may be forgotten.
#[test]
fn a_change_undoes_no_rotation_that_was_done() {
    const START: Millis = 40;
    for changed_by in [OLD_ALONE, BOTH] {
        for after in (0..START + 60).step_by(2) {
            let site = loaded(1);
            let story = format!("{changed_by:?} {after}");
            site.deploy(changed_by);
            let body = json!({ "name": "Other" }).to_string();
            let change = site.ask_later(START, "PATCH", "/connections/acme", &body);
            site.deploy(BOTH);
            let rotation = site.ask_later(after, "POST", "/keys/rotate", "");
            site.world.settle();
            let change = change.take().expect("an answer");
            let refused = changed_by == OLD_ALONE && change.body["error"]["code"] == "sealed";
            assert!(change.status == 200 || refused, "{story}: {}", change.body);
            let rotation = rotation.take().expect("an answer").body;
            let old = format!("v1.{OLD}.");
            if rotation["remaining"] == 0 {
                assert!(!cell(&site, TOKEN).starts_with(&old), "{story}");
            }
        }
    }
}
