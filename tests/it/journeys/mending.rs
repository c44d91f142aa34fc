//! What a person mends is taken up at once, not when a wait is over.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::hubspot::{Fault, Kind, PortalRule};

use super::{company, distributor, first_invoice, hubspot_key, loaded};
use crate::agreement;
use crate::site::{Site, options};

const DAY: Duration = Duration::from_secs(24 * 3600 + 600);

#[test]
fn a_patch_takes_up_what_a_park_held_back() {
    let mut options = options();
    options.rules.push(PortalRule::OnCreate {
        kind: Kind::Company,
        property: "industry".to_owned(),
    });
    let site = Site::with(distributor(5), options, json!({}));
    site.tick();
    assert_eq!(site.status("customers", &company(1)), "waiting");
    site.portal.borrow_mut().options_mut().rules.clear();
    let answer = site.ask("PATCH", "/connections/acme", "{}");
    assert_eq!(answer.status, 200, "{}", answer.body);
    site.settle(3);
    agreement::check(&site);
}

#[test]
fn a_kind_that_is_parked_is_no_good_run() {
    let mut options = options();
    options.rules.push(PortalRule::OnCreate {
        kind: Kind::Company,
        property: "industry".to_owned(),
    });
    let site = Site::with(distributor(5), options, json!({}));
    for _ in 0..5 {
        site.next_tick();
    }
    assert_eq!(site.ask_as("GET", "/health", "", None).status, 503);
}

#[test]
fn a_purged_invoice_whose_last_write_was_refused_is_settled_the_next_day() {
    let site = loaded(2);
    let key = first_invoice(1);
    site.erp.borrow_mut().data.purge(&key);
    let refusal = json!({
        "status": "error", "category": "VALIDATION_ERROR", "message": "no",
        "errors": [{ "message": "no", "code": "INVALID_OPTION",
            "context": { "propertyName": ["syspro_status"] } }],
    });
    let refused = Fault::refuse(400, refusal.to_string());
    let rule = refused.times(20, "/invoices/batch/update");
    site.portal.borrow_mut().add_fault(rule);
    site.next_tick();
    let record = hubspot_key(&key);
    assert_eq!(site.status("invoices", &record), "failing");
    site.portal.borrow_mut().clear_faults();
    site.world.advance(DAY);
    site.settle(3);
    assert_eq!(site.status("invoices", &record), "synced");
    assert_eq!(site.value(Kind::Invoice, &record, "syspro_status"), "paid");
    assert_eq!(
        site.value(Kind::Invoice, &record, "syspro_balance_due"),
        "0"
    );
}

#[test]
fn a_currency_added_in_the_portal_is_seen_by_an_empty_patch() {
    let site = loaded(2);
    let mut erp = site.erp.borrow_mut();
    let invoice = first_invoice(1);
    erp.data
        .set("ArInvoice", &invoice.parts(), "PostCurrency", "CAD");
    drop(erp);
    let before = site.get("/connections/acme");
    assert!(!known(&before).contains(&"CAD".to_owned()), "{before}");
    site.next_tick();
    let record = hubspot_key(&invoice);
    let shown = site.record("invoices", &record);
    assert_eq!(shown["status"], "failing", "{shown}");

    let mut portal = site.portal.borrow_mut();
    portal
        .options_mut()
        .additional_currencies
        .push("CAD".to_owned());
    drop(portal);
    let answer = site.ask("PATCH", "/connections/acme", "{}");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        known(&answer.body).contains(&"CAD".to_owned()),
        "{}",
        answer.body
    );
    site.settle(3);
    assert_eq!(site.status("invoices", &record), "synced");
    assert_eq!(site.value(Kind::Invoice, &record, "hs_currency"), "CAD");
}

fn known(connection: &Json) -> Vec<String> {
    let currencies = connection["portal"]["additional_currencies"].as_array();
    let names = currencies.into_iter().flatten().filter_map(Json::as_str);
    names.map(str::to_owned).collect()
}
