//! Tables of codes: what they say reaches HubSpot, and no record ever goes without what they said.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::{
    data::{NewInvoice, NewLine, Value},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::{company, customer, distributor, first_invoice, hubspot_key, loaded, money};
use crate::agreement;
use crate::site::{Site, options};

const HOUR: Duration = Duration::from_secs(3_600);

fn set(site: &Site, table: &str, key: &[&str], column: &str, value: impl Into<Value>) {
    let mut erp = site.erp.borrow_mut();
    erp.data.set(table, key, column, value);
}

fn class_name(site: &Site, number: u32) -> String {
    site.value(
        Kind::Company,
        &company(number),
        "syspro_customer_class_name",
    )
}

fn rename(site: &Site, number: u32, name: &str) {
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(number), "Name", name);
}

/// How often a table was asked for.
fn asked(site: &Site, table: &str) -> usize {
    let log = site.world.fetch_log();
    let path = format!("/{table}");
    let of = |path_of: &str| path_of.ends_with(&path);
    log.iter()
        .filter(|call| of(call.request.uri().path()))
        .count()
}

fn mapping(site: &Site) -> Json {
    site.world.rows("select mapping from connections")[0]["mapping"].clone()
}

fn trouble(site: &Site, on: &str, times: u32, what: Trouble) {
    let fault = Fault {
        times,
        ..Fault::once(on, what)
    };
    site.erp.borrow_mut().faults.push_back(fault);
}

#[test]
fn a_changed_terms_rule_moves_the_due_date_of_invoices_nobody_touched() {
    for sweep_pages in [2, 0] {
        terms_change(&Site::with(
            distributor(3),
            options(),
            json!({ "sweep_pages": sweep_pages }),
        ));
    }
}

fn terms_change(site: &Site) {
    // Until no date of theirs is young.
    site.world.advance(HOUR * 24 * 10);
    site.settle(6);
    let key = hubspot_key(&first_invoice(2));
    let due = || site.value(Kind::Invoice, &key, "syspro_due_date");
    let terms = {
        let erp = site.erp.borrow();
        let row = erp.data.table("ArInvoice").row(&first_invoice(2).parts());
        row.expect("an invoice").text("TermsCode").to_owned()
    };
    let before = due();
    set(site, "TblArTerms", &[&terms], "DueDays", 45_i64);
    site.next_tick();
    assert_eq!(due(), before, "within the hour nobody looks");
    site.world.advance(HOUR);
    site.settle(4);
    assert_ne!(due(), before);
    agreement::check(site);
}

#[test]
fn a_renamed_class_and_a_renamed_salesperson_reach_who_has_them_and_nobody_else() {
    let mut data = distributor(4);
    data.edit_customer(&customer(1), "CustomerClass", "WHL");
    data.edit_customer(&customer(2), "Branch", "20");
    data.edit_customer(&customer(2), "Salesperson", "HSE");
    let site = Site::new(data);
    site.settle(4);
    let name = "Resellers";
    set(&site, "TblCustomerClass", &["WHL"], "Description", name);
    set(&site, "SalSalesperson", &["20", "HSE"], "Name", "Kim Park");
    site.world.advance(HOUR);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(class_name(&site, 1), name);
    let person = site.value(Kind::Company, &company(2), "syspro_salesperson_name");
    assert_eq!(person, "Kim Park");
    // Two companies in one call; the contacts, links and invoices are as they were.
    assert_eq!(site.hubspot_calls() - before, 1);
    agreement::check(&site);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
}

#[test]
fn tables_that_say_the_same_are_read_once_an_hour_and_nothing_is_mapped_again() {
    let site = loaded(2);
    let (reads, raised) = (asked(&site, "TblArTerms"), mapping(&site));
    for tick in 0..11 {
        rename(&site, 1, &format!("Name {tick}"));
        site.next_tick();
    }
    assert_eq!(asked(&site, "TblArTerms"), reads, "an hour is not over");
    // A row that is written again as it was is no news.
    set(&site, "TblArTerms", &["1"], "DueDays", 30_i64);
    site.next_tick();
    site.next_tick();
    let again = asked(&site, "TblArTerms");
    assert!(again > reads, "read anew");
    assert_eq!(mapping(&site), raised);
    site.next_tick();
    assert_eq!(asked(&site, "TblArTerms"), again);
}

#[test]
fn a_code_nobody_knows_yet_is_looked_up_at_once() {
    let site = loaded(2);
    let mut erp = site.erp.borrow_mut();
    let cells = vec![
        ("Class", Value::from("NEW")),
        ("Description", Value::from("Online shops")),
    ];
    erp.data.insert("TblCustomerClass", cells);
    erp.data.edit_customer(&customer(1), "CustomerClass", "NEW");
    drop(erp);
    site.next_tick();
    assert_eq!(class_name(&site, 1), "Online shops");

    // One that no table has is asked for once a run, and the record goes without words for it.
    let mut erp = site.erp.borrow_mut();
    for number in [1, 2] {
        erp.data
            .edit_customer(&customer(number), "CustomerClass", "ODD");
    }
    drop(erp);
    let before = asked(&site, "TblCustomerClass");
    site.next_tick();
    assert_eq!(class_name(&site, 2), "");
    // Its rows, and the page that says there are no more.
    assert_eq!(asked(&site, "TblCustomerClass"), before + 2);
    assert_eq!(site.status("customers", &company(2)), "synced");
}

#[test]
fn a_table_that_cannot_be_read_now_goes_on_explaining_as_it_last_did() {
    for what in [
        Trouble::Page(500),
        Trouble::Page(403),
        Trouble::Page(404),
        Trouble::Body("<html>log in</html>".to_owned()),
    ] {
        let site = loaded(2);
        let before = class_name(&site, 1);
        assert!(!before.is_empty());
        trouble(&site, "/TblCustomerClass", 1_000, what.clone());
        site.world.advance(HOUR);
        rename(&site, 1, "Renamed Inc");
        site.next_tick();
        assert_eq!(
            site.value(Kind::Company, &company(1), "name"),
            "Renamed Inc"
        );
        assert_eq!(class_name(&site, 1), before, "{what:?}");
        let run = site.last_run();
        assert_eq!(run["state"], "amber", "{what:?} {run:#}");
        let note = &run["report"]["notes"][0];
        assert_eq!(note["code"], "lookup_stale", "{run:#}");
        assert!(note["reason"].to_string().contains("TblCustomerClass"));
        assert!(note["remedy"].as_str().is_some_and(|it| !it.is_empty()));
        agreement::check(&site);
    }
}

#[test]
fn nothing_is_mapped_without_a_table_that_was_never_read() {
    let site = Site::new(distributor(2));
    trouble(&site, "/TblCustomerClass", 1_000, Trouble::Page(503));
    site.tick();
    assert_eq!(site.last_run()["state"], "red");
    assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 0);
    site.erp.borrow_mut().faults.clear();
    site.settle(4);
    assert!(!class_name(&site, 1).is_empty());
    agreement::check(&site);
}

#[test]
fn a_table_the_site_does_not_publish_is_no_error_and_asked_for_once_a_day() {
    let site = Site::bare(super::Start::calm(), distributor(2), options());
    site.erp.borrow_mut().quirks.missing_tables = vec!["TblCustomerClass".to_owned()];
    site.connect(serde_json::json!({}));
    let before = asked(&site, "TblCustomerClass");
    site.tick();
    let run = site.last_run();
    assert_eq!(run["state"], "green", "{run:#}");
    assert_eq!(class_name(&site, 1), "");
    for hour in 0..20 {
        rename(&site, 1, &format!("Name {hour}"));
        site.world.advance(HOUR);
        site.next_tick();
        assert_eq!(site.last_run()["state"], "green");
    }
    assert_eq!(asked(&site, "TblCustomerClass"), before + 1);
    // The site publishes it.
    site.erp.borrow_mut().quirks.missing_tables.clear();
    site.world.advance(HOUR * 4);
    site.settle(4);
    assert!(!class_name(&site, 1).is_empty());
}

#[test]
fn codes_with_a_slash_have_their_words_too() {
    let mut data = distributor(1);
    let today = data.today();
    let cells = vec![
        ("Class", Value::from("A/B")),
        ("Description", Value::from("Slashed")),
    ];
    data.insert("TblCustomerClass", cells);
    data.edit_customer(&customer(1), "CustomerClass", "A/B");
    let line = NewLine::stocked("D-10/A", money("1"), money("11.40"), money("0"));
    data.post_invoice(NewInvoice::of(&customer(1), today, vec![line]));
    let site = Site::new(data);
    site.tick();
    assert_eq!(class_name(&site, 1), "Slashed");
    let portal = site.portal.borrow();
    let named = |name: &str| {
        let mut lines = portal.objects(Kind::LineItem);
        lines.any(|line| line.get("name") == Some(name))
    };
    assert!(named("Cable set & housing"));
}

#[test]
fn a_table_that_is_published_now_is_asked_for_after_an_empty_change() {
    for body in ["{}", r#"{"syspro":{}}"#] {
        let site = Site::bare(super::Start::calm(), distributor(1), options());
        site.erp.borrow_mut().quirks.missing_tables = vec!["TblCustomerClass".to_owned()];
        site.connect(serde_json::json!({}));
        site.tick();
        assert_eq!(class_name(&site, 1), "");
        site.erp.borrow_mut().quirks.missing_tables.clear();
        let patched = site.ask("PATCH", "/connections/acme", body);
        assert_eq!(patched.status, 200, "{}", patched.body);
        rename(&site, 1, "Renamed Inc");
        site.next_tick();
        assert!(!class_name(&site, 1).is_empty(), "{body}");
    }
}
