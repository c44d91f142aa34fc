//! A connection is changed or removed while a run of it waits for HubSpot: the run comes to nothing,
//! and the end is as if it had never been.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::hubspot::{Fault, Kind};
use syspro_hubspot_sync::platform::{Millis, SECOND};

use super::distributor;
use crate::agreement;
use crate::site::Site;
use crate::world::Call;

/// Longer than a lease, and than anything late may take.
const A_WHILE: Duration = Duration::from_secs(600);
const TABLES: [&str; 7] = [
    "connections",
    "sessions",
    "ledger",
    "targets",
    "cursors",
    "runs",
    "audit",
];

/// Where the run is held.
const STEPS: [&str; 6] = [
    "companies/batch/upsert",
    "contacts/batch/upsert",
    "contacts/companies/batch",
    "invoices/batch/upsert",
    "line_items/batch/upsert",
    "invoices/batch/update",
];

fn dump(site: &Site) -> Vec<(&'static str, Vec<Json>)> {
    let rows = |table| site.world.rows(&format!("select * from {table}"));
    TABLES.map(|table| (table, rows(table))).into()
}

/// A first load whose call of this step meets the trouble; `act` happens ten seconds later, and what
/// the tables held right after it is handed back.
fn held(
    site: &Site,
    step: &str,
    trouble: &[Fault],
    method: &str,
    body: &str,
) -> Vec<(&'static str, Vec<Json>)> {
    for trouble in trouble {
        site.portal
            .borrow_mut()
            .add_fault(trouble.clone().once(step));
    }
    site.tick_later(0);
    let after: Millis = 10 * SECOND;
    let answer = site.ask_later(after, method, "/connections/acme", body);
    site.world.advance(Duration::from_secs(15));
    let waits = |it: &Call| it.line().contains(step) && it.answered.is_none();
    assert!(site.world.fetch_log().iter().any(waits), "{step}: not held");
    let answer = answer.take().expect("an answer");
    assert!(answer.status < 300, "{step}: {}", answer.body);
    let then = dump(site);
    site.world.settle();
    then
}

/// It waits for an answer; or for that of its second attempt, while the first is still to land.
fn troubles() -> [Vec<Fault>; 2] {
    let slow = Fault::Delay { ms: 25_000 };
    [vec![slow.clone()], vec![Fault::Late { ms: 100_000 }, slow]]
}

fn no_doubles(site: &Site, story: &str) {
    let portal = site.portal.borrow();
    for (kind, count) in [
        (Kind::Company, 3),
        (Kind::Contact, 3),
        (Kind::Invoice, 3),
        (Kind::LineItem, 9),
    ] {
        // Archived ones included.
        assert_eq!(portal.objects(kind).count(), count, "{story}: {kind:?}");
    }
}

#[test]
fn a_change_overtakes_the_run_under_way() {
    for step in STEPS {
        for trouble in troubles() {
            let story = format!("{step} {trouble:?}");
            let site = Site::new(distributor(3));
            let then = held(&site, step, &trouble, "PATCH", r#"{"name":"Other"}"#);
            assert_eq!(dump(&site), then, "{story}: the run committed something");
            site.world.advance(A_WHILE);
            site.settle(6);
            agreement::check(&site);
            no_doubles(&site, &story);
            assert_eq!(site.get("/connections/acme")["name"], "Other");
        }
    }
}

#[test]
fn a_removal_overtakes_the_run_under_way_and_the_same_connection_can_be_made_anew() {
    for step in STEPS {
        for trouble in troubles() {
            let story = format!("{step} {trouble:?}");
            let site = Site::new(distributor(3));
            let then = held(&site, step, &trouble, "DELETE", "");
            assert_eq!(dump(&site), then, "{story}: the run committed something");
            for (table, rows) in then {
                assert!(
                    table == "audit" || rows.is_empty(),
                    "{story}: {table} {rows:?}"
                );
            }
            let sealed = format!("{:?}", site.world.rows("select * from audit, lease"));
            assert!(!sealed.contains("v1."), "{sealed}");
            site.connect(json!({}));
            site.world.advance(A_WHILE);
            site.settle(6);
            agreement::check(&site);
            no_doubles(&site, &story);
        }
    }
}

/// The late write lands only after the connection was made anew and changed in SYSPRO.
#[test]
fn what_lands_late_is_not_the_last_word() {
    for step in STEPS {
        let site = Site::new(distributor(3));
        let trouble = Fault::Late { ms: 140_000 };
        site.portal.borrow_mut().add_fault(trouble.once(step));
        site.tick_later(0);
        site.world.advance(Duration::from_secs(10));
        assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
        site.connect(json!({}));
        let mut erp = site.erp.borrow_mut();
        let customer = super::customer(1);
        erp.data.edit_customer(&customer, "Name", "Renamed Inc");
        drop(erp);
        for _ in 0..20 {
            site.world.advance(Duration::from_secs(30));
            site.tick();
        }
        site.settle(6);
        agreement::check(&site);
        no_doubles(&site, step);
    }
}
