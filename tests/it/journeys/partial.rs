//! A batch of which HubSpot takes a part: the rest is named, waits, or is looked for within bounds.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::hubspot::{Fault, Kind, Options, PortalRule};

use super::{company, customer, distributor, loaded};
use crate::agreement;
use crate::{
    site::{Site, options},
    world::Start,
};

/// Companies with this credit limit lack what the portal demands of such.
fn demands(options: &mut Options, limit: i64, property: &str) {
    options.rules.push(PortalRule::When {
        kind: Kind::Company,
        other: "syspro_credit_limit".to_owned(),
        equals: limit.to_string(),
        property: property.to_owned(),
    });
}

fn count(site: &Site, status: &str) -> u64 {
    let shown = site.get("/connections/acme");
    let count = shown["feeds"]["customers"][status].as_u64();
    count.unwrap_or_default()
}

fn upserts(site: &Site) -> u64 {
    let calls = site.calls_by_endpoint();
    let calls = calls.get("POST companies/batch/upsert");
    calls.copied().unwrap_or_default()
}

#[test]
fn each_culprit_of_a_207_is_told_by_its_own_reason_with_trace_ids_and_without() {
    for echo_trace_ids in [true, false] {
        let mut data = distributor(100);
        data.edit_customer(&customer(1), "CreditLimit", 7_i64);
        data.edit_customer(&customer(100), "CreditLimit", 8_i64);
        let mut options = options();
        options.echo_trace_ids = echo_trace_ids;
        demands(&mut options, 7, "zip");
        demands(&mut options, 8, "industry");
        let site = Site::with(data, options, json!({}));
        site.tick();
        assert_eq!([count(&site, "synced"), count(&site, "failing")], [98, 2]);
        assert_eq!(upserts(&site), 1, "one call says it all");
        for (number, field) in [(1, "zip"), (100, "industry")] {
            let record = site.record("customers", &company(number));
            assert_eq!(record["reason"]["field"], field, "{record:#}");
        }
    }
}

#[test]
fn a_batch_refused_whole_is_searched_within_bounds_wherever_the_culprit_is() {
    for culprit in [1, 50, 51, 100] {
        let mut data = distributor(100);
        data.edit_customer(&customer(culprit), "CreditLimit", 7_i64);
        let mut options = options();
        options.partial_batches = false;
        demands(&mut options, 7, "zip");
        let site = Site::with(data, options, json!({}));
        site.tick();
        assert_eq!([count(&site, "synced"), count(&site, "failing")], [99, 1]);
        assert!(upserts(&site) <= 17, "{culprit}: {}", upserts(&site));
        let record = site.record("customers", &company(culprit));
        assert_eq!(record["reason"]["field"], "zip", "{record:#}");
    }
}

#[test]
fn several_culprits_in_a_batch_refused_whole_are_found_in_time_and_hold_up_nobody() {
    let culprits = [3, 29, 58, 77, 91];
    let mut data = distributor(100);
    for number in culprits {
        data.edit_customer(&customer(number), "CreditLimit", 7_i64);
    }
    let mut options = options();
    options.partial_batches = false;
    demands(&mut options, 7, "zip");
    let site = Site::with(data, options, json!({}));
    site.tick();
    assert!(upserts(&site) <= 17, "{}", upserts(&site));
    assert!(count(&site, "synced") > 0, "some of it went");
    site.settle(12);
    assert_eq!([count(&site, "synced"), count(&site, "failing")], [95, 5]);
    for number in culprits {
        assert_eq!(site.status("customers", &company(number)), "failing");
    }
    assert_eq!(site.get("/connections/acme")["parks"], json!({}));
}

/// Found by seed 624 of the weather: with so many culprits no part got small enough to be named, and
/// each run was no further than the one before.
#[test]
fn a_batch_of_links_full_of_culprits_comes_to_its_end() {
    let site = Site::bare(Start::calm(), distributor(40), options());
    site.connect(json!({ "sweep_pages": 0, "lookback_days": 0 }));
    let down = Fault::refuse(503, "").times(40, "invoices/batch/upsert");
    site.portal.borrow_mut().add_fault(down);
    site.tick();
    let mut portal = site.portal.borrow_mut();
    portal.clear_faults();
    let companies: Vec<u64> = portal.objects(Kind::Company).map(|it| it.id).collect();
    assert_eq!(companies.len(), 40);
    for id in companies {
        portal.delete(site.world.now(), Kind::Company, id);
    }
    drop(portal);
    site.world.advance(Duration::from_secs(7 * 3_600));
    site.settle(60);
    agreement::check(&site);
}

#[test]
fn records_that_a_207_names_nowhere_wait_and_are_sent_again_as_the_same() {
    let errors = [
        json!([{ "status": "error", "category": "VALIDATION_ERROR", "message": "of somebody" }]),
        json!([{ "status": "error", "category": "VALIDATION_ERROR", "message": "of another",
            "context": { "objectWriteTraceId": ["of-somebody-else"] } }]),
        json!([]),
    ];
    for errors in errors {
        let site = Site::new(distributor(20));
        let body = json!({ "status": "COMPLETE", "results": [], "errors": errors,
            "numErrors": 1 });
        let fault = Fault::refuse(207, body.to_string());
        let rule = fault.once("companies/batch/upsert");
        site.portal.borrow_mut().add_fault(rule);
        site.tick();
        assert_eq!(count(&site, "failing"), 0, "{errors}");
        assert_eq!(count(&site, "waiting"), 20, "{errors}");
        site.settle(4);
        agreement::check(&site);
        assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 20);
    }
}

#[test]
fn a_refusal_nobody_knows_is_told_by_its_category_and_correlation_id() {
    let site = loaded(2);
    let error = json!({ "status": "error", "category": "BRAND_NEW_CATEGORY",
        "message": "Jo Number1 is not to our liking", "correlationId": "8a3f6c3a-8296" });
    let fault = Fault::refuse(400, error.to_string());
    let rule = fault.once("companies/batch/update");
    site.portal.borrow_mut().add_fault(rule);
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(1), "Name", "Renamed Inc");
    drop(erp);
    site.next_tick();
    let record = site.record("customers", &company(1));
    let reason: &Json = &record["reason"];
    assert_eq!(reason["code"], "brand_new_category", "{record:#}");
    assert!(reason["reason"].to_string().contains("BRAND_NEW_CATEGORY"));
    assert!(reason["remedy"].to_string().contains("8a3f6c3a-8296"));
    assert!(!record.to_string().contains("liking"));
}
