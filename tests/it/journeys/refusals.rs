//! HubSpot says no: to one record, to all of a kind, to everything for a while. Nothing is lost,
//! and whoever looks finds the reason.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::hubspot::{BadPair, Fault, Kind, PortalRule, TakenEmail};

use super::{company, contact, customer, distributor, first_invoice, hubspot_key, loaded, money};
use crate::agreement;
use crate::site::{Site, options};

const HOUR: Duration = Duration::from_secs(3600);

fn totals(site: &Site, feed: &str) -> Json {
    let shown = site.ask("GET", "/connections/acme", "");
    shown.body["feeds"][feed].clone()
}

/// The portal lets no invoice be paid without this.
fn demands_of_paid(site: &Site) {
    let rule = PortalRule::When {
        kind: Kind::Invoice,
        other: "hs_invoice_status".to_owned(),
        equals: "paid".to_owned(),
        property: "industry".to_owned(),
    };
    site.portal.borrow_mut().options_mut().rules.push(rule);
}

#[test]
fn a_refused_status_stays_a_warning_until_hubspot_takes_it() {
    let site = loaded(2);
    demands_of_paid(&site);
    let (invoice, today) = (first_invoice(1), site.today());
    let key = hubspot_key(&invoice);
    let changed = |number: &str| {
        let parts = invoice.parts();
        let erp = &mut site.erp.borrow_mut().data;
        erp.set("ArInvoice", &parts, "CustomerPoNumber", number);
    };
    let stands = || {
        site.next_tick();
        let record = site.record("invoices", &key);
        assert_eq!(record["status"], "synced", "{record:#}");
        let status = site.value(Kind::Invoice, &key, "hs_invoice_status");
        (status, record["reason"]["code"].clone())
    };
    let warned = ("open".to_owned(), json!("status_refused"));
    let erp = &site.erp;
    erp.borrow_mut().data.pay(&invoice, money("42.50"), today);
    assert_eq!(stands(), warned);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_status"), "paid");
    let record = site.record("invoices", &key);
    let remedy = record["reason"]["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains("replay the invoice"), "{record:#}");
    let before = site.hubspot_calls();
    assert_eq!(stands(), warned);
    assert_eq!(site.hubspot_calls(), before, "nothing changed");
    changed("PO-1");
    assert_eq!(stands(), warned);
    let number = site.value(Kind::Invoice, &key, "hs_purchase_order_number");
    assert_eq!(number, "PO-1");
    site.portal.borrow_mut().options_mut().rules.clear();
    changed("PO-2");
    assert_eq!(stands(), ("paid".to_owned(), Json::Null));
    agreement::check(&site);
}

#[test]
fn one_bad_record_among_a_hundred_stops_none_of_the_others() {
    for partial_batches in [true, false] {
        let mut data = distributor(100);
        data.edit_customer(&customer(42), "CreditLimit", 7_i64);
        let mut options = options();
        options.partial_batches = partial_batches;
        // The one customer with this credit limit lacks what the portal demands of such.
        options.rules.push(PortalRule::When {
            kind: Kind::Company,
            other: "syspro_credit_limit".to_owned(),
            equals: "7".to_owned(),
            property: "zip".to_owned(),
        });
        let site = Site::with(data, options, json!({}));
        site.tick();
        let calls = site.calls_by_endpoint();
        let spent = site.hubspot_calls();
        let most = if partial_batches { 13 } else { 13 + 15 };
        assert!(spent <= most, "{partial_batches}: {spent} {calls:#?}");
        let customers = totals(&site, "customers");
        assert_eq!(customers["synced"], 99, "{partial_batches}: {customers}");
        assert_eq!(customers["failing"], 1);
        let record = site.record("customers", &company(42));
        assert_eq!(record["reason"]["field"], "zip", "{record}");
        assert!(record["reason"]["remedy"].is_string());
        let invoice = site.record("invoices", &hubspot_key(&first_invoice(42)));
        assert_eq!(invoice["status"], "failing");
        assert_eq!(invoice["reason"]["code"], "customer_failing");
        assert_eq!(totals(&site, "invoices")["synced"], 99);
        let before = site.hubspot_calls();
        site.next_tick();
        assert_eq!(site.hubspot_calls(), before, "not tried again at once");

        // Mended at its source, it goes, and its invoice with it.
        let mut erp = site.erp.borrow_mut();
        erp.data
            .edit_customer(&customer(42), "SoldPostalCode", "12345");
        drop(erp);
        site.settle(3);
        assert_eq!(site.status("customers", &company(42)), "synced");
        agreement::check(&site);
    }
}

#[test]
fn an_e_mail_of_somebody_elses_contact_is_left_out_in_either_form_of_the_answer() {
    for taken in [TakenEmail::Conflict, TakenEmail::Coordinates] {
        for partial_batches in [true, false] {
            let mut options = options();
            options.taken_email = taken;
            options.partial_batches = partial_batches;
            let site = Site::with(distributor(30), options, json!({}));
            // One that bears no key would be taken over.
            let email = [
                ("email", "jo@customer7.example"),
                ("syspro_key", "OTHER/000000000000001/AR"),
            ];
            site.portal.borrow_mut().create(0, Kind::Contact, &email);
            site.tick();
            let said = format!("{taken:?} {partial_batches}");
            assert_eq!(totals(&site, "customers")["synced"], 30, "{said}");
            assert_eq!(site.value(Kind::Contact, &contact(7), "email"), "");
            let own = site.value(Kind::Contact, &contact(7), "syspro_email");
            assert_eq!(own, "jo@customer7.example", "{said}");
            let record = site.record("customers", &company(7));
            assert_eq!(record["reason"]["code"], "email_withheld", "{record}");
            let before = site.hubspot_calls();
            site.next_tick();
            assert_eq!(site.hubspot_calls(), before, "{said}");
        }
    }
}

#[test]
fn a_rule_of_the_portal_that_refuses_all_parks_the_kind_and_is_named() {
    for partial_batches in [true, false] {
        let mut options = options();
        options.partial_batches = partial_batches;
        options.rules.push(PortalRule::OnCreate {
            kind: Kind::Company,
            property: "industry".to_owned(),
        });
        let site = Site::with(distributor(60), options, json!({}));
        site.tick();
        // Looked for once. Refused whole: two halves, four quarters, and one record of each.
        let most = 1 + if partial_batches { 1 } else { 11 };
        assert!(
            site.hubspot_calls() <= most,
            "{:?}",
            site.calls_by_endpoint()
        );
        let customers = totals(&site, "customers");
        assert_eq!(customers["waiting"], 60, "{customers}");
        assert!(
            customers["reasons"]
                .to_string()
                .contains("missing_required")
        );
        let shown = site.ask("GET", "/connections/acme", "").body;
        let park = &shown["parks"]["companies"]["reason"];
        assert_eq!(park["field"], "industry", "{shown:#}");
        assert_eq!(site.last_run()["state"], "red");

        site.portal.borrow_mut().options_mut().rules.clear();
        site.world.advance(HOUR);
        site.settle(3);
        agreement::check(&site);
    }
}

#[test]
fn a_missing_scope_is_named_and_stops_only_its_own_kind() {
    let site = loaded(3);
    let scope = "crm.objects.contacts.write";
    let before = site.portal.borrow().options().clone();
    let without = before.clone().without_scope(scope);
    *site.portal.borrow_mut().options_mut() = without;
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data
        .edit_customer(&customer(1), "Contact", "New Person");
    erp.data.pay(&first_invoice(2), money("1.00"), today);
    drop(erp);
    site.next_tick();
    let record = site.record("customers", &company(1));
    assert_eq!(record["status"], "waiting", "{record}");
    let shown = site.ask("GET", "/connections/acme", "").body;
    let park = shown["parks"]["contacts"].to_string();
    assert!(park.contains(scope), "{shown:#}");
    let invoice = hubspot_key(&first_invoice(2));
    assert_eq!(site.status("invoices", &invoice), "synced");
    assert_eq!(site.status("customers", &company(2)), "synced");

    *site.portal.borrow_mut().options_mut() = before;
    site.world.advance(HOUR);
    site.settle(3);
    agreement::check(&site);
}

#[test]
fn a_token_refused_twice_breaks_the_connection_and_a_new_one_mends_it() {
    let site = loaded(2);
    let fresh = "pat-na1-canary-second";
    site.portal.borrow_mut().options_mut().tokens[0].secret = fresh.to_owned();
    let rename = |name: &str| {
        let mut erp = site.erp.borrow_mut();
        erp.data.edit_customer(&customer(1), "Name", name);
    };
    rename("Renamed Inc");
    site.next_tick();
    let state = || site.ask("GET", "/connections/acme", "").body;
    assert_eq!(state()["state"], "active");
    site.world.advance(HOUR);
    site.next_tick();
    let shown = state();
    assert_eq!(shown["state"], "broken", "{shown:#}");
    assert!(shown["reason"]["remedy"].is_string(), "{shown:#}");
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "a broken one rests");

    let patch = json!({ "hubspot": { "token": fresh } });
    let answer = site.ask("PATCH", "/connections/acme", &patch.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["state"], "active", "{}", answer.body);
    site.settle(3);
    agreement::check(&site);
}

#[test]
fn amounts_that_cannot_be_written_stand_in_our_own_properties() {
    let mut options = options();
    options.invoice_amounts_writable = false;
    let site = Site::with(distributor(1), options, json!({}));
    site.tick();
    let key = hubspot_key(&first_invoice(1));
    assert_eq!(site.value(Kind::Invoice, &key, "hs_amount_billed"), "");
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_total"), "42.5");
    assert_eq!(site.status("invoices", &key), "synced");
}

#[test]
fn one_bad_pair_among_the_links_stops_none_of_the_others() {
    for bad_pair in [BadPair::FailsBatch, BadPair::FailsAlone] {
        let mut options = options();
        options.bad_pair = bad_pair;
        let site = Site::with(distributor(20), options, json!({}));
        // The moment its company is made, somebody deletes it: the link meets nothing.
        let portal = site.portal.clone();
        let deleted = std::cell::Cell::new(false);
        site.world.on_landing(move |world, _| {
            let mut portal = portal.borrow_mut();
            let made = portal.objects(Kind::Contact).count() == 20;
            if made && !deleted.replace(made || deleted.get()) {
                let key = company(7);
                let id = portal.by_value(Kind::Company, "syspro_key", &key);
                let id = id.expect("made before the contacts").id;
                portal.delete(world.now(), Kind::Company, id);
            }
        });
        site.tick();
        let customers = totals(&site, "customers");
        assert_eq!(customers["synced"], 19, "{bad_pair:?} {customers:#}");
        let record = site.record("customers", &company(7));
        assert_ne!(record["status"], "synced");
        assert!(record["reason"]["remedy"].is_string(), "{record}");

        let body = json!({ "status": "failing" }).to_string();
        let asked = site.ask("POST", "/connections/acme/replay", &body);
        assert_eq!(asked.status, 202, "{}", asked.body);
        site.settle(4);
        agreement::check(&site);
    }
}

#[test]
fn a_refused_value_of_a_record_is_failing_at_once_by_field() {
    let site = loaded(3);
    let refuse = |code: &str, field: &str| {
        let error = json!({"status": "error", "category": "VALIDATION_ERROR",
            "message": "Property values were not valid", "correlationId": "8a3f6c3a-8296",
            "errors": [{"message": "a value that is a secret", "code": code,
                "context": {"propertyName": [field]}}]});
        let rule = Fault::refuse(400, error.to_string()).once("companies/batch/update");
        site.portal.borrow_mut().add_fault(rule);
    };
    let codes = [
        ("INVALID_OPTION", "syspro_credit_status"),
        ("INVALID_DATE", "syspro_last_sale"),
        ("INVALID_LONG", "syspro_balance"),
        ("READ_ONLY_VALUE", "name"),
        ("PROPERTY_DOESNT_EXIST", "syspro_terms"),
        ("CONFLICTING_UNIQUE_VALUE", "syspro_key"),
    ];
    for (at, (code, field)) in codes.into_iter().enumerate() {
        refuse(code, field);
        let mut erp = site.erp.borrow_mut();
        let name = format!("Renamed {at}");
        erp.data.edit_customer(&customer(1), "Name", name.as_str());
        drop(erp);
        site.next_tick();
        let record = site.record("customers", &company(1));
        assert_eq!(record["status"], "failing", "{code} {record}");
        assert_eq!(record["reason"]["code"], code.to_lowercase());
        assert_eq!(record["reason"]["field"], field);
        assert!(!record.to_string().contains("a secret"), "{record}");
        assert!(!record["reason"]["remedy"].to_string().is_empty());
        // Once a day it is tried again by itself.
        site.world.advance(HOUR * 25);
        site.next_tick();
        assert_eq!(site.status("customers", &company(1)), "synced", "{code}");
        assert_eq!(site.value(Kind::Company, &company(1), "name"), name);
    }
}
