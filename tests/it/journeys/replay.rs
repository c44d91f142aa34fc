//! Replays: what was asked to be sent again is, whatever goes on meanwhile.

use std::{cell::Cell, rc::Rc, time::Duration};

use serde_json::{Value as Json, json};
use simulators::hubspot::{Fault, Kind};
use syspro_hubspot_sync::routes;

use super::{company, customer, first_invoice, hubspot_key, loaded, money};
use crate::agreement;
use crate::site::{ADMIN_TOKEN, Site, config};

const PATH: &str = "/connections/acme/replay";

fn replay(site: &Site, body: &Json) -> Json {
    let answer = site.ask("POST", PATH, &body.to_string());
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.body
}

fn rename(site: &Site, number: u32, name: &str) {
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(number), "Name", name);
}

/// Somebody writes nonsense over a company in HubSpot.
fn scribble(site: &Site, number: u32) {
    let id = site.object(Kind::Company, &company(number)).id;
    let now = site.world.now();
    let mut portal = site.portal.borrow_mut();
    portal.edit(now, Kind::Company, id, &[("name", "scribbled")]);
}

fn name(site: &Site, number: u32) -> String {
    site.value(Kind::Company, &company(number), "name")
}

#[test]
fn one_asked_while_the_same_record_is_being_delivered_is_not_dropped() {
    let site = loaded(2);
    rename(&site, 1, "Renamed Inc");
    let body = json!({ "records": [{ "feed": "customers", "key": company(1) }] }).to_string();
    let status = Rc::new(Cell::new(0));
    let (said, portal) = (status.clone(), site.portal.clone());
    // Its write has just landed and is not answered yet.
    site.world.on_landing(move |world, _| {
        let now = world.now();
        let ours = portal
            .borrow()
            .by_value(Kind::Company, "syspro_key", &company(1))
            .cloned();
        let landed = ours.filter(|it| it.get("name") == Some("Renamed Inc"));
        let Some(written) = landed.filter(|_| said.get() == 0) else {
            return;
        };
        said.set(1);
        let edit = [("name", "scribbled")];
        portal
            .borrow_mut()
            .edit(now, Kind::Company, written.id, &edit);
        let (said, body) = (said.clone(), body.clone());
        world.spawn_at(now, "replay", move |edge| async move {
            let request = http::Request::post(format!("https://sync.example{PATH}"))
                .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
                .body(body)
                .expect("a request");
            let answer = routes::respond(&edge, &config(), request).await;
            said.set(answer.status().as_u16());
        });
    });
    site.next_tick();
    assert_eq!(status.get(), 202, "it was asked in the middle");
    assert_eq!(name(&site, 1), "scribbled");
    assert_eq!(site.status("customers", &company(1)), "synced");
    site.next_tick();
    assert_eq!(name(&site, 1), "Renamed Inc");
    let run = site.last_run();
    assert_eq!(
        (&run["kind"], &run["state"]),
        (&json!("replay"), &json!("green"))
    );
    agreement::check(&site);
}

#[test]
fn what_fails_is_replayed_alone() {
    let site = loaded(3);
    let refusal = json!({ "status": "error", "category": "VALIDATION_ERROR", "message": "no",
        "errors": [{ "message": "no", "code": "INVALID_OPTION",
            "context": { "propertyName": ["syspro_credit_status"] } }] });
    let refused = Fault::refuse(400, refusal.to_string());
    let rule = refused.times(1, "/companies/batch/update");
    site.portal.borrow_mut().add_fault(rule);
    rename(&site, 2, "Renamed Inc");
    site.next_tick();
    assert_eq!(site.status("customers", &company(2)), "failing");
    scribble(&site, 1);
    let failing = |preview: bool| json!({ "status": "failing", "preview": preview });
    let counted = site.ask("POST", PATH, &failing(true).to_string());
    assert_eq!((counted.status, &counted.body["records"]), (200, &json!(1)));
    assert_eq!(
        site.last_run()["kind"],
        "cron",
        "a preview asks for nothing"
    );
    replay(&site, &failing(false));
    site.next_tick();
    assert_eq!(site.status("customers", &company(2)), "synced");
    assert_eq!(name(&site, 2), "Renamed Inc");
    assert_eq!(name(&site, 1), "scribbled", "nobody asked for it");
    let sent = &site.last_run()["report"]["feeds"]["customers"]["written"];
    assert_eq!(sent, 1);
}

#[test]
fn a_window_takes_what_was_written_in_it_and_nothing_else() {
    let site = loaded(3);
    site.world.advance(Duration::from_secs(2 * 86_400));
    rename(&site, 2, "Renamed Inc");
    site.next_tick();
    for number in [1, 2] {
        scribble(&site, number);
    }
    let window = json!({ "feed": "customers", "since": "2026-03-04", "until": "2026-03-04" });
    let mut preview = window.clone();
    preview["preview"] = json!(true);
    let counted = site.ask("POST", PATH, &preview.to_string());
    assert_eq!(counted.body["records"], 1, "{}", counted.body);
    replay(&site, &window);
    site.next_tick();
    assert_eq!(name(&site, 2), "Renamed Inc");
    assert_eq!(name(&site, 1), "scribbled");
}

#[test]
fn records_that_are_gone_are_listed_in_the_run() {
    let site = loaded(3);
    let [paid, open] = [1, 2].map(|number| hubspot_key(&first_invoice(number)));
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(&first_invoice(1), money("42.50"), today);
    drop(erp);
    site.next_tick();
    let mut erp = site.erp.borrow_mut();
    erp.data.purge(&first_invoice(1));
    erp.data.purge(&first_invoice(2));
    drop(erp);
    let named = |key: &str| json!({ "feed": "invoices", "key": key });
    replay(&site, &json!({ "records": [named(&paid), named(&open)] }));
    site.next_tick();
    let report = &site.last_run()["report"];
    let told = |key: &str, told: &str| json!({ "feed": "invoices", "key": key, "told": told });
    let gone = report["gone"].as_array().expect("a list");
    assert_eq!(gone.len(), 2, "{report:#}");
    assert!(gone.contains(&told(&paid, "nothing")), "{report:#}");
    assert!(gone.contains(&told(&open, "settled")), "{report:#}");
    assert_eq!(report["feeds"]["invoices"]["gone"], 2);
    assert_eq!(site.value(Kind::Invoice, &open, "syspro_status"), "paid");
    assert_eq!(site.record("invoices", &paid)["reason"]["code"], "gone");
}
