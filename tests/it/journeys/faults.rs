//! Faults that pass, and portals that behave in odd ways: in the end all is as SYSPRO has it, once.

use std::time::Duration;

use serde_json::json;
use simulators::hubspot::{BadPair, Fault, Kind, Limit, Options};

use super::distributor;
use crate::agreement;
use crate::site::{Site, options};

const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

/// A fault that passes, however it is met: in the end all is as SYSPRO has it, once.
fn passes(what: &str, fault: &Fault, times: u64, matches: &str, set: impl FnOnce(&mut Options)) {
    let mut options = options();
    set(&mut options);
    let site = Site::with(distributor(3), options, json!({}));
    let rule = fault.clone().times(times, matches);
    site.portal.borrow_mut().add_fault(rule);
    let said = || {
        let runs = site.ask("GET", "/connections/acme/runs", "").body;
        format!("{what} on {matches} ×{times}: {runs:#}")
    };
    for _ in 0..50 {
        site.next_tick();
        site.world.advance(HALF_AN_HOUR);
        if agreement::differences(&site).is_empty() {
            break;
        }
    }
    let found = agreement::differences(&site);
    assert!(found.is_empty(), "{found:#?}\n{}", said());
    let portal = site.portal.borrow();
    for (kind, count) in [
        (Kind::Company, 3),
        (Kind::Contact, 3),
        (Kind::Invoice, 3),
        (Kind::LineItem, 9),
    ] {
        assert_eq!(portal.objects(kind).count(), count, "{kind:?} {}", said());
    }
}

const WRITES: [&str; 6] = [
    "companies/batch",
    "contacts/batch",
    "contacts/companies",
    "/invoices/batch",
    "line_items/batch",
    "invoices/companies",
];

#[test]
fn whatever_fault_passes_is_outlived() {
    let faults = [
        ("429", Fault::limit(Limit::TenSecondly)),
        ("429 of a second", Fault::limit(Limit::Secondly)),
        ("429 without a policy", Fault::limit(Limit::Terse)),
        ("429 of the day", Fault::limit(Limit::Daily)),
        (
            "429 with Retry-After",
            Fault::Limit {
                limit: Limit::TenSecondly,
                retry_after: Some(40),
            },
        ),
        ("423", Fault::Locked),
        ("477", Fault::Moving { retry_after: 3600 }),
        ("401 for a moment", Fault::Expired),
        ("500", Fault::Html { status: 500 }),
        ("502", Fault::Html { status: 502 }),
        ("503", Fault::Html { status: 503 }),
        ("521", Fault::Html { status: 521 }),
        ("524", Fault::Html { status: 524 }),
        ("504 and done", Fault::DoneBut { status: 504 }),
        ("500 and done", Fault::DoneBut { status: 500 }),
        ("a broken connection", Fault::Drop),
        ("a lost answer", Fault::LoseAnswer),
        ("a late landing", Fault::Late { ms: 60_000 }),
        ("a slow answer", Fault::Delay { ms: 20_000 }),
        ("a cut answer", Fault::Cut { bytes: 60 }),
        ("an empty answer", Fault::refuse(200, "")),
        ("a web page as 200", Fault::refuse(200, "<html></html>")),
        (
            "no results",
            Fault::refuse(200, r#"{"status":"COMPLETE","results":[]}"#),
        ),
        (
            "404 bare",
            Fault::refuse(404, r#"{"status":"error","message":"resource not found"}"#),
        ),
        ("414", Fault::refuse(414, "")),
    ];
    for (what, fault) in faults {
        for matches in WRITES {
            // Nobody promises that links made are listed.
            if what != "no results" || matches.ends_with("/batch") {
                passes(what, &fault, 1, matches, |_| ());
            }
        }
    }
}

#[test]
fn a_bad_hour_is_outlived() {
    for fault in [
        Fault::Html { status: 503 },
        Fault::limit(Limit::TenSecondly),
        Fault::Locked,
        Fault::Drop,
        Fault::LoseAnswer,
    ] {
        passes("an hour of it", &fault, 25, "/crm/", |_| ());
    }
}

#[test]
fn every_way_a_portal_may_behave_leads_to_the_same_end() {
    type Way = fn(&mut Options);
    let ways: [(&str, Way); 9] = [
        ("trace ids are not echoed", |it| it.echo_trace_ids = false),
        ("no trace ids and no 207", |it| {
            it.echo_trace_ids = false;
            it.partial_batches = false;
        }),
        ("a line before open", |it| it.strict_invoices = true),
        ("no status at creation", |it| it.status_at_create = false),
        ("amounts are read-only", |it| {
            it.invoice_amounts_writable = false;
        }),
        ("a bad pair fails alone", |it| {
            it.bad_pair = BadPair::FailsAlone;
        }),
        ("ids as texts", |it| it.numeric_object_ids = false),
        ("links count too", |it| it.associations_use_general = true),
        ("case does not matter", |it| it.unique_case_matters = false),
    ];
    let none = Fault::Delay { ms: 1 };
    for (what, way) in ways {
        passes(what, &none, 1, "/crm/", way);
    }
}

#[test]
fn whatever_hubspot_refuses_for_a_while_is_not_lost_and_says_why() {
    let refusals = [
        (
            400,
            "VALIDATION_ERROR",
            "Unable to perform update/upsert by non-unique 0-2 property syspro_key in portal ID 1",
        ),
        (
            400,
            "VALIDATION_ERROR",
            "Invalid input JSON on line 1, column 3301: Cannot deserialize value of type `java.lang.String`",
        ),
        (
            400,
            "VALIDATION_ERROR",
            "Duplicate IDs found in batch input: [a]. IDs must be unique",
        ),
        (
            400,
            "VALIDATION_ERROR",
            "invalid from object type 0-46 for associations to be created. expected: 0-1",
        ),
        (
            400,
            "VALIDATION_ERROR",
            "One or more associations are invalid",
        ),
        (
            400,
            "VALIDATION_ERROR",
            "cannot pass multiple to object ids: [1, 2] for one to one association type",
        ),
        (400, "VALIDATION_ERROR", "a text nobody has seen before"),
        (400, "", ""),
        (
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes",
        ),
        (
            404,
            "OBJECT_NOT_FOUND",
            "Object not found.  objectId are usually numeric.",
        ),
        (
            409,
            "CONFLICT",
            "Contact already exists. Existing ID: 482701",
        ),
        (413, "", ""),
        (415, "", "<html></html>"),
    ];
    for (status, category, message) in refusals {
        let body = json!({ "status": "error", "category": category, "message": message });
        let fault = Fault::refuse(status, body.to_string());
        for matches in WRITES {
            if status == 409 && matches == "contacts/batch" {
                // Then the contact goes without its e-mail, for good.
                continue;
            }
            let what = format!("{status} {message}");
            let site = Site::with(distributor(3), options(), json!({}));
            let rule = fault.clone().times(1_000, matches);
            site.portal.borrow_mut().add_fault(rule);
            site.tick();
            // It is seen: by the run's colour, or by a record that waits and says for what.
            let waits = "select key from records where status <> 'synced' and reason is not null";
            let seen = site.last_run()["state"] != "green" || !site.world.rows(waits).is_empty();
            assert!(seen, "{what} on {matches}");

            site.portal.borrow_mut().clear_faults();
            site.world.advance(HALF_AN_HOUR);
            let failing = json!({ "status": "failing" }).to_string();
            site.ask("POST", "/connections/acme/replay", &failing);
            for _ in 0..3 {
                site.next_tick();
            }
            let found = agreement::differences(&site);
            assert!(found.is_empty(), "{what} on {matches}: {found:#?}");
        }
    }
}
