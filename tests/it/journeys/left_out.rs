//! What is left out while other things happen to it: it leaves the books, people delete or merge it,
//! it grows older than the history, or nobody heard whether HubSpot has it.

use std::time::Duration;

use serde_json::json;
use simulators::{
    data::{InvoiceKey, NewCustomer, NewInvoice},
    hubspot::{Fault, Kind},
};

use super::{company, customer, distributor, first_invoice, hubspot_key, lines, money};
use crate::agreement;
use crate::site::{Site, options};

fn site(customers: usize) -> Site {
    let site = Site::with(
        distributor(customers),
        options(),
        json!({ "history_days": 100 }),
    );
    site.settle(4);
    site
}

fn exclude(site: &Site, exclude: serde_json::Value) {
    let body = json!({ "settings": { "exclude": exclude } }).to_string();
    let answer = site.ask("PATCH", "/connections/acme", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn edit(site: &Site, number: u32, column: &str, value: &str) {
    let mut erp = site.erp.borrow_mut();
    assert!(erp.data.edit_customer(&customer(number), column, value));
}

fn pay(site: &Site, invoice: &InvoiceKey, amount: &str) {
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(invoice, money(amount), today);
}

fn code(site: &Site, feed: &str, key: &str) -> (String, String) {
    let record = site.record(feed, key);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&record["status"]), text(&record["reason"]["code"]))
}

fn told(status: &str, code: &str) -> (String, String) {
    (status.to_owned(), code.to_owned())
}

#[test]
fn a_paid_invoice_older_than_the_history_is_released_with_its_rule() {
    let site = site(2);
    let key = hubspot_key(&first_invoice(1));
    exclude(&site, json!({ "document_types": ["I"] }));
    site.settle(4);
    pay(&site, &first_invoice(1), "42.50");
    site.settle(4);
    site.world.advance(Duration::from_secs(200 * 86_400));
    site.settle(4);
    assert_eq!(
        code(&site, "invoices", &key),
        told("excluded", "exclude_document_types")
    );
    exclude(&site, json!({ "document_types": [] }));
    site.settle(4);
    assert_eq!(code(&site, "invoices", &key), told("synced", ""));
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_excluded"), "");
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_balance_due"), "0");
}

#[test]
fn a_customer_deleted_for_good_is_not_back_because_syspro_changes_it() {
    let site = site(1);
    let key = company(1);
    for round in 0..2 {
        let id = site.object(Kind::Company, &key).id;
        site.portal
            .borrow_mut()
            .delete(site.world.now(), Kind::Company, id);
        edit(&site, 1, "Name", &format!("Name {round}"));
        site.settle(4);
    }
    let deleted = told("excluded", "deleted_in_hubspot");
    assert_eq!(code(&site, "customers", &key), deleted);
    let today = site.today();
    let new = NewInvoice::of(&customer(1), today, lines());
    let new = hubspot_key(&site.erp.borrow_mut().data.post_invoice(new));
    site.settle(4);
    let before = site.hubspot_calls();
    let excluded = told("excluded", "customer_excluded");
    for name in ["News", "More news"] {
        edit(&site, 1, "Name", name);
        site.next_tick();
        assert_eq!(code(&site, "customers", &key), deleted);
        assert_eq!(code(&site, "invoices", &new), excluded);
        let waits = site
            .world
            .rows("select key from ledger where payload is not null");
        assert!(waits.is_empty(), "nothing is kept of it: {waits:?}");
    }
    assert_eq!(site.hubspot_calls(), before);

    let body = json!({ "records": [{ "feed": "customers", "key": key }] });
    site.ask("POST", "/connections/acme/replay", &body.to_string());
    site.settle(5);
    assert_eq!(code(&site, "invoices", &new), told("synced", ""));
    agreement::check(&site);
}

#[test]
fn a_merged_customer_that_a_rule_leaves_out_takes_its_waiting_invoices_along() {
    let site = site(2);
    let ids = [1, 2].map(|number| site.object(Kind::Company, &company(number)).id);
    let now = site.world.now();
    site.portal
        .borrow_mut()
        .merge(now, Kind::Company, ids[0], ids[1]);
    edit(&site, 2, "Name", "The other");
    site.settle(4);
    assert_eq!(
        code(&site, "customers", &company(2)),
        told("excluded", "merged")
    );
    exclude(&site, json!({ "customer_classes": ["INT"] }));
    site.settle(4);
    let today = site.today();
    let new = NewInvoice::of(&customer(2), today, lines());
    let new = hubspot_key(&site.erp.borrow_mut().data.post_invoice(new));
    // It waits while nothing can be sent.
    let locked = simulators::hubspot::Fault::Locked.times(100, "/batch/");
    site.portal.borrow_mut().add_fault(locked);
    site.next_tick();
    assert_eq!(code(&site, "invoices", &new).0, "waiting");
    edit(&site, 2, "CustomerClass", "INT");
    site.next_tick();
    site.portal.borrow_mut().clear_faults();
    site.world.advance(Duration::from_secs(86_400));
    site.settle(5);
    assert_eq!(
        code(&site, "invoices", &new),
        told("excluded", "customer_excluded")
    );
    assert!(site.find(Kind::Invoice, &new).is_none());
    // Lifted, they go where the merged ones go.
    exclude(&site, json!({}));
    exclude(&site, json!({ "customer_classes": [] }));
    site.settle(5);
    assert_eq!(
        code(&site, "customers", &company(2)),
        told("excluded", "merged")
    );
    assert_eq!(code(&site, "invoices", &new), told("synced", ""));
}

#[test]
fn an_excluded_invoice_that_leaves_the_books_stays_excluded() {
    let site = site(2);
    let key = hubspot_key(&first_invoice(1));
    exclude(&site, json!({ "document_types": ["I"] }));
    site.settle(4);
    let before = site.hubspot_calls();
    site.erp.borrow_mut().data.purge(&first_invoice(1));
    site.settle(4);
    site.next_tick();
    assert_eq!(
        code(&site, "invoices", &key),
        told("excluded", "exclude_document_types")
    );
    let record = site.record("invoices", &key);
    assert!(record["gone_at"].is_string(), "{record}");
    assert_eq!(
        site.value(Kind::Invoice, &key, "syspro_balance_due"),
        "42.5"
    );
    // Its customer owes less.
    assert!(site.hubspot_calls() - before <= 1);
}

#[test]
fn one_that_left_the_books_while_its_customer_was_out_is_settled_when_that_is_back() {
    let site = site(2);
    let key = hubspot_key(&first_invoice(2));
    edit(&site, 2, "CustomerClass", "INT");
    exclude(&site, json!({ "customer_classes": ["INT"] }));
    site.settle(4);
    pay(&site, &first_invoice(2), "2.50");
    site.settle(4);
    site.erp.borrow_mut().data.purge(&first_invoice(2));
    site.settle(4);
    assert_eq!(
        code(&site, "invoices", &key),
        told("excluded", "customer_excluded")
    );
    exclude(&site, json!({ "customer_classes": [] }));
    site.settle(5);
    assert_eq!(code(&site, "invoices", &key).0, "synced");
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_balance_due"), "0");
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_status"), "paid");
}

const OLD: &str = "EDU1/OLD";

/// A customer that is active for what it owes alone, and whose company meets `trouble` when it is to
/// be made; then something happens `meanwhile`, and all is well.
fn first_write_meets(trouble: Fault, meanwhile: impl Fn(&Site, &InvoiceKey)) -> (Site, InvoiceKey) {
    let mut data = distributor(1);
    let key = data.add_customer(NewCustomer {
        key: Some("OLD".to_owned()),
        class: "INT".to_owned(),
        added: Some("2010-01-01".parse().expect("a day")),
        ..NewCustomer::default()
    });
    let today = data.today();
    let invoice = data.post_invoice(NewInvoice {
        invoice_date: None,
        ..NewInvoice::of(&key, today, lines())
    });
    let site = Site::new(data);
    let trouble = trouble.times(100, "companies/batch/upsert");
    site.portal.borrow_mut().add_fault(trouble);
    site.tick();
    meanwhile(&site, &invoice);
    site.portal.borrow_mut().clear_faults();
    site.world.advance(Duration::from_secs(86_400));
    site.settle(8);
    assert_eq!(site.last_run()["state"], "green");
    (site, invoice)
}

#[test]
fn a_company_made_unheard_stays_in_step_although_its_customer_is_not_active_any_more() {
    let (site, invoice) = first_write_meets(Fault::LoseAnswer, |site, invoice| {
        assert_eq!(site.value(Kind::Company, OLD, "syspro_balance"), "42.5");
        pay(site, invoice, "42.50");
        site.next_tick();
    });
    assert_eq!(site.value(Kind::Company, OLD, "syspro_balance"), "0");
    assert_eq!(site.linked(Kind::Company, OLD, Kind::Contact), 1);
    assert_eq!(site.status("customers", OLD), "synced");
    assert_eq!(site.status("invoices", &hubspot_key(&invoice)), "synced");
    agreement::check(&site);
}

#[test]
fn a_company_never_made_is_not_made_for_a_customer_that_is_not_active_any_more() {
    let (site, invoice) = first_write_meets(Fault::refuse(503, ""), |site, invoice| {
        pay(site, invoice, "42.50");
        site.next_tick();
    });
    assert!(site.find(Kind::Company, OLD).is_none());
    assert_eq!(
        code(&site, "customers", OLD),
        told("excluded", "customers_active")
    );
    assert_eq!(
        code(&site, "invoices", &hubspot_key(&invoice)),
        told("excluded", "customer_excluded")
    );
    agreement::check(&site);

    // Active again, all of it comes.
    let today = site.today();
    let new = NewInvoice::of("OLD", today, lines());
    site.erp.borrow_mut().data.post_invoice(new);
    site.settle(4);
    assert_eq!(site.status("customers", OLD), "synced");
    assert_eq!(site.status("invoices", &hubspot_key(&invoice)), "synced");
    agreement::check(&site);
}

#[test]
fn a_rule_has_its_last_word_in_what_was_made_unheard_and_makes_nothing() {
    for (trouble, made) in [(Fault::LoseAnswer, true), (Fault::refuse(503, ""), false)] {
        let (site, invoice) = first_write_meets(trouble, |site, invoice| {
            pay(site, invoice, "12.50");
            exclude(site, json!({ "customer_classes": ["INT"] }));
            site.next_tick();
        });
        assert_eq!(
            code(&site, "customers", OLD),
            told("excluded", "exclude_customer_classes")
        );
        assert_eq!(
            code(&site, "invoices", &hubspot_key(&invoice)),
            told("excluded", "customer_excluded")
        );
        assert_eq!(site.find(Kind::Company, OLD).is_some(), made);
        if made {
            let now = |property: &str| site.value(Kind::Company, OLD, property);
            assert!(now("syspro_excluded").contains("exclude.customer_classes"));
            assert_eq!(now("syspro_balance"), "30");
        }
        // Lifted, while nothing is owed any more: what HubSpot has of it stays in step.
        pay(&site, &invoice, "30.00");
        exclude(&site, json!({ "customer_classes": [] }));
        site.settle(6);
        agreement::check(&site);
    }
}

#[test]
fn an_invoice_made_unheard_hears_the_rule_that_leaves_it_out() {
    for (trouble, made) in [(Fault::LoseAnswer, true), (Fault::refuse(503, ""), false)] {
        let site = site(1);
        let trouble = trouble.times(100, "invoices/batch/upsert");
        site.portal.borrow_mut().add_fault(trouble);
        let new = NewInvoice::of(&customer(1), site.today(), lines());
        let new = hubspot_key(&site.erp.borrow_mut().data.post_invoice(new));
        site.next_tick();
        assert_eq!(code(&site, "invoices", &new).0, "waiting");
        exclude(&site, json!({ "document_types": ["I"] }));
        site.portal.borrow_mut().clear_faults();
        site.world.advance(Duration::from_secs(86_400));
        site.settle(6);
        assert_eq!(
            code(&site, "invoices", &new),
            told("excluded", "exclude_document_types")
        );
        assert_eq!(site.find(Kind::Invoice, &new).is_some(), made);
        if made {
            let why = site.value(Kind::Invoice, &new, "syspro_excluded");
            assert!(why.contains("exclude.document_types"), "{why}");
        }
        exclude(&site, json!({ "document_types": [] }));
        site.settle(6);
        agreement::check(&site);
    }
}
