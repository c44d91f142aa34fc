//! The sweep's pace and progress, and what happens while the first one is still under way.

use chrono::Days;
use serde_json::{Value as Json, json};
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice},
    hubspot::Kind,
};

use super::super::{
    Start, company, contact, customer, day, first_invoice, hubspot_key, lines, money,
};
use crate::agreement;
use crate::site::{Site, options};

/// A run that reads some pages of a few rows and leaves the rest to the next.
const SMALL: &[(&str, &str)] = &[("MAX_QUERIES", "60")];

/// Customers with an invoice each, of which the sweep alone sees anything: all are of long ago.
fn narrow(customers: usize, settings: Json) -> Site {
    let mut data = Distributor::empty();
    let today = day(Start::NOW);
    let posted = today - Days::new(100);
    for number in 1..=customers {
        let key = data.add_customer(NewCustomer {
            name: format!("Customer {number}"),
            email: format!("jo@customer{number}.example"),
            added: Some(posted),
            ..NewCustomer::default()
        });
        data.post_invoice(NewInvoice::of(&key, posted, lines()));
    }
    let site = Site::with(data, options(), settings);
    site.erp.borrow_mut().quirks.row_cap = 5;
    site
}

fn progress(site: &Site, feed: &str) -> (bool, u64) {
    let shown = site.get("/connections/acme");
    let sweep = &shown["feeds"][feed]["first_sweep"];
    let rows = sweep["rows"].as_u64().expect("rows");
    (sweep["done"].as_bool().expect("done"), rows)
}

fn next(site: &Site) {
    site.world.advance(std::time::Duration::from_secs(300));
    site.tick_with(SMALL);
}

/// The backfill up to the tick at which the customers are done and the invoices are not.
fn half_way(site: &Site) {
    for _ in 0..60 {
        next(site);
        if progress(site, "customers").0 && progress(site, "invoices").1 > 0 {
            assert!(
                !progress(site, "invoices").0,
                "it was too fast for this test"
            );
            return;
        }
    }
    panic!("the customers never come to their end");
}

fn to_its_end(site: &Site) {
    for _ in 0..60 {
        next(site);
        if progress(site, "invoices").0 {
            break;
        }
    }
    assert!(progress(site, "invoices").0);
    // The customers once more, a page of five at every tick.
    for _ in 0..10 {
        site.next_tick();
    }
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "quiet");
}

#[test]
fn the_first_sweep_shows_its_progress_over_many_ticks() {
    let site = narrow(80, json!({}));
    let mut seen = Vec::new();
    for _ in 0..60 {
        next(&site);
        let at = [progress(&site, "customers"), progress(&site, "invoices")];
        seen.push(at);
        if at.iter().all(|(done, _)| *done) {
            break;
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
    let until_done = |feed: usize| seen.iter().map(move |at| at[feed]).take_while(|at| !at.0);
    for feed in [0, 1] {
        assert!(until_done(feed).is_sorted(), "{seen:?}");
        let mut done = seen.iter().map(|at| at[feed]).filter(|at| at.0);
        assert_eq!(done.next(), Some((true, 80)), "{seen:?}");
    }
    site.settle(12);
    agreement::check(&site);
}

/// Ticks until an edit that no date shows is seen, of a customer on the sixth page of six.
fn ticks_until_seen(pages: u32) -> Option<u32> {
    let site = narrow(30, json!({ "sweep_pages": pages }));
    site.settle(12);
    for _ in 0..40 {
        let rows = site
            .world
            .rows("select position from cursors where feed = 'customers' and poll = 'sweep'");
        let at: Json = serde_json::from_str(rows[0]["position"].as_str()?).ok()?;
        if at["after"].is_null() {
            break;
        }
        site.next_tick();
    }
    let mut erp = site.erp.borrow_mut();
    erp.data
        .edit_customer(&customer(30), "Email", "ann@changed.example");
    drop(erp);
    (1..=20).find(|_| {
        site.next_tick();
        site.value(Kind::Contact, &contact(30), "email") == "ann@changed.example"
    })
}

#[test]
fn the_sweeps_pace_is_a_setting() {
    assert_eq!(ticks_until_seen(1), Some(6));
    assert_eq!(ticks_until_seen(3), Some(2));
    assert_eq!(ticks_until_seen(10), Some(1));
    assert_eq!(ticks_until_seen(0), None);
}

#[test]
fn payments_and_purges_during_the_backfill_are_seen_at_its_end() {
    for sweep_pages in [0, 1, 2] {
        let site = narrow(40, json!({ "sweep_pages": sweep_pages }));
        half_way(&site);
        let today = site.today();
        let mut erp = site.erp.borrow_mut();
        // Of invoices that were read, and of those that were not.
        for number in [1, 39] {
            erp.data.pay(&first_invoice(number), money("12.50"), today);
            erp.data.purge(&first_invoice(number + 1));
        }
        drop(erp);
        to_its_end(&site);
        agreement::check(&site);
    }
}

#[test]
fn a_balance_that_moves_without_a_date_during_the_backfill_is_not_missed() {
    for sweep_pages in [0, 2] {
        let site = narrow(40, json!({ "sweep_pages": sweep_pages }));
        half_way(&site);
        // A clerk corrects an invoice that was not read yet: no date of the customer's moves.
        let (key, who) = (first_invoice(40), customer(40));
        assert!(site.find(Kind::Invoice, &hubspot_key(&key)).is_none());
        let mut erp = site.erp.borrow_mut();
        let value = money("30.00");
        erp.data
            .set("ArInvoice", &key.parts(), "InvoiceBal1", value);
        erp.data
            .set("ArCustomerBal", &[&who], "ValCurrentInv", value);
        drop(erp);
        to_its_end(&site);
        let balance = site.value(Kind::Company, &company(40), "syspro_balance");
        assert_eq!(balance, "30", "{sweep_pages} pages");
        agreement::check(&site);
    }
}
