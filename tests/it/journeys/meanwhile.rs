//! A connection is looked at or changed while something else learns of it: neither undoes the other.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::{
    hubspot::Fault,
    syspro::{self, Trouble},
};
use syspro_hubspot_sync::platform::{Millis, SECOND, Statement};

use super::{customer, distributor, loaded};
use crate::agreement;
use crate::site::{Site, options};

const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MS: i64 = 3_600_000;

fn rename(site: &Site, name: &str) {
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(1), "Name", name);
}

fn portal(site: &Site) -> Json {
    site.get("/connections/acme")["portal"].clone()
}

fn mapping(site: &Site) -> Json {
    site.world.rows("select mapping from connections")[0]["mapping"].clone()
}

/// The run asks the portal about itself, and knows less of it than who looks at it meanwhile.
#[test]
fn what_the_checks_found_outlives_the_run_beside_them() {
    let all = options().tokens[0].scopes.clone();
    let lacking = options().without_scope("crm.schemas.invoices.read");
    let site = Site::with(distributor(1), lacking, json!({}));
    site.settle(4);
    assert_eq!(portal(&site)["without"]["invoices"], true);
    site.world.advance(HOUR * 25);
    rename(&site, "Renamed Inc");
    let slow = Fault::Delay { ms: 25_000 }.once("companies/batch");
    site.portal.borrow_mut().add_fault(slow);
    site.tick_later(0);
    site.portal.borrow_mut().options_mut().tokens[0].scopes = all;
    let after: Millis = 10 * SECOND;
    let checks = site.ask_later(after, "POST", "/connections/acme/checks", "");
    site.world.settle();
    assert_eq!(checks.take().expect("an answer").status, 200);
    assert_eq!(portal(&site)["without"]["invoices"], false);
    site.world.advance(HOUR);
    site.settle(8);
    agreement::check(&site);
}

/// The portal takes up a currency; a run learns of it while a change looks at SYSPRO.
#[test]
fn what_a_run_learned_of_the_portal_outlives_the_change_beside_it() {
    let site = loaded(1);
    site.world.advance(HOUR * 25);
    rename(&site, "Renamed Inc");
    let mut slow = syspro::Fault::once("/", Trouble::Slow(5_000));
    slow.times = 4;
    site.erp.borrow_mut().faults.push_back(slow);
    let patch = r#"{"syspro":{}}"#;
    let change = site.ask_later(0, "PATCH", "/connections/acme", patch);
    let currencies = |site: &Site| portal(site)["additional_currencies"].clone();
    let before = currencies(&site);
    let mut portal = site.portal.borrow_mut();
    portal
        .options_mut()
        .additional_currencies
        .push("NZD".to_owned());
    drop(portal);
    site.tick_later(SECOND);
    site.world.settle();
    let change = change.take().expect("an answer");
    assert_eq!(change.status, 200, "{}", change.body);
    assert_ne!(currencies(&site), before);
    site.settle(4);
    agreement::check(&site);
}

/// A connection may go between the look at it and what is asked of it.
#[test]
fn whoever_asks_of_a_connection_that_is_just_removed_is_told_that_there_is_none() {
    let mut answers = Vec::new();
    for later in -8..8 {
        let site = loaded(1);
        let removed = site.ask_later(10, "DELETE", "/connections/acme", "");
        let asked = site.ask_later(10 + later, "POST", "/connections/acme/sync", "");
        site.world.settle();
        assert_eq!(removed.take().expect("an answer").status, 204);
        let asked = asked.take().expect("an answer");
        assert!(matches!(asked.status, 202 | 404), "{}", asked.body);
        answers.push(asked.status);
        assert_eq!(site.world.d1().refusals(), &[] as &[String], "{later}");
    }
    answers.dedup();
    assert_eq!(answers, [202, 404]);
}

#[test]
fn summer_time_found_by_a_look_maps_nothing_again() {
    let site = loaded(1);
    let before = mapping(&site);
    for (offset, method, path, body) in [
        (-4, "POST", "/connections/acme/checks", ""),
        (-5, "PATCH", "/connections/acme", "{}"),
    ] {
        site.portal.borrow_mut().options_mut().utc_offset_ms = offset * HOUR_MS;
        let answer = site.ask(method, path, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(portal(&site)["utc_offset_ms"], offset * HOUR_MS);
        assert_eq!(mapping(&site), before, "{method}");
    }
    site.portal.borrow_mut().options_mut().time_zone = "Europe/Berlin".to_owned();
    site.ask("POST", "/connections/acme/checks", "");
    assert_ne!(mapping(&site), before);
}

/// Another isolate's clock was ahead when it changed the connection.
#[test]
fn a_state_moved_by_the_checks_is_a_change_whatever_the_clock() {
    let site = loaded(1);
    let ahead = Statement::new(
        "update connections set changed_at = changed_at + 30000 returning changed_at",
        [],
    );
    let ahead = site.world.d1().batch(&[ahead]).expect("a write");
    let ahead = ahead[0][0]["changed_at"].as_i64();
    site.portal.borrow_mut().options_mut().tokens[0].secret = "pat-na1-another".to_owned();
    site.ask("POST", "/connections/acme/checks", "");
    assert_eq!(site.get("/connections/acme")["state"], "broken");
    let after = site.world.rows("select changed_at from connections");
    assert!(after[0]["changed_at"].as_i64() > ahead, "{after:?}");
}
