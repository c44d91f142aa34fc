//! An invoice whose lines SYSPRO's answers held back has one line at its total instead, until they come.

use std::{cell::Cell, rc::Rc, time::Duration};

use serde_json::json;
use simulators::{
    data::{InvoiceKey, NewInvoice},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::{customer, distributor, hubspot_key, lines, money};
use crate::{
    agreement,
    site::{Site, options},
    world::{Fate, Landing, Weather},
};

/// A site that nothing heals: what is there is found by a new date, or not at all.
fn bare() -> Site {
    let settings = json!({"sweep_pages": 0, "lookback_days": 0});
    let site = Site::with(distributor(1), options(), settings);
    site.settle(6);
    site
}

/// From now on, or not any more, no answer of SYSPRO's holds a line.
fn holds_lines_back(site: &Site, it_does: bool) {
    let all = Fault {
        times: u32::MAX,
        ..Fault::once("/ArTrnDetail?", Trouble::Empty)
    };
    let faults = &mut site.erp.borrow_mut().faults;
    faults.clear();
    faults.extend(it_does.then_some(all));
}

/// It is posted while its lines are held back, and goes to HubSpot with its total.
fn posted_without(site: &Site, invoice: NewInvoice) -> InvoiceKey {
    let invoice = site.erp.borrow_mut().data.post_invoice(invoice);
    holds_lines_back(site, true);
    site.settle(4);
    let key = hubspot_key(&invoice);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 1);
    assert!(site.find(Kind::LineItem, &format!("{key}/TOTAL")).is_some());
    invoice
}

/// How often SYSPRO is asked for the lines of this invoice in the ticks of a day.
fn asked_in_a_day(site: &Site, invoice: &InvoiceKey) -> usize {
    let number = invoice.invoice.trim_end();
    let asked = |site: &Site| {
        let log = site.world.fetch_log();
        let calls = log.iter().map(|call| call.line());
        calls
            .filter(|line| line.contains("/ArTrnDetail?") && line.contains(number))
            .count()
    };
    let before = asked(site);
    for _ in 0..4 {
        site.world.advance(Duration::from_secs(6 * 3_600));
        site.tick();
    }
    asked(site) - before
}

#[test]
fn lines_held_back_twice_come_within_a_day_and_the_total_goes() {
    let site = bare();
    let invoice = NewInvoice::of(&customer(1), site.today(), lines());
    let invoice = posted_without(&site, invoice);
    holds_lines_back(&site, false);
    site.next_tick();
    let key = hubspot_key(&invoice);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 1);
    assert!(asked_in_a_day(&site, &invoice) > 0);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    assert!(site.find(Kind::LineItem, &format!("{key}/TOTAL")).is_none());
    agreement::check(&site);
    assert_eq!(asked_in_a_day(&site, &invoice), 0, "they are there");
}

#[test]
fn an_invoice_that_has_no_lines_is_asked_for_them_three_days_and_no_longer() {
    let site = bare();
    let invoice = NewInvoice {
        taken_on: money("500.00"),
        ..NewInvoice::of(&customer(1), site.today(), Vec::new())
    };
    let invoice = posted_without(&site, invoice);
    let days = [(); 6].map(|()| asked_in_a_day(&site, &invoice) > 0);
    assert_eq!(days, [true, true, true, false, false, false]);
    assert_eq!(site.status("invoices", &hubspot_key(&invoice)), "synced");
    agreement::check(&site);
}

/// HubSpot took the total, nobody heard of it, and by then SYSPRO gave the lines.
#[test]
fn a_total_that_nobody_heard_of_does_not_stay_beside_the_lines() {
    let site = Site::new(distributor(1));
    site.settle(6);
    let invoice = NewInvoice::of(&customer(1), site.today(), lines());
    let invoice = site.erp.borrow_mut().data.post_invoice(invoice);
    holds_lines_back(&site, true);
    let struck = Rc::new(Cell::new(false));
    let strikes = struck.clone();
    site.world.on_landing(move |world, landing| {
        if let Landing::Exchange { request, .. } = landing
            && request.uri().path().ends_with("line_items/batch/upsert")
            && !strikes.replace(true)
        {
            world.set_weather(Weather {
                odds: [Vec::new(), vec![(Fate::Refused, 1_000)]],
                ..Weather::calm()
            });
        }
    });
    site.next_tick();
    site.next_tick();
    assert!(struck.get());
    let key = hubspot_key(&invoice);
    assert!(site.find(Kind::LineItem, &format!("{key}/TOTAL")).is_some());
    site.world.set_weather(Weather::calm());
    holds_lines_back(&site, false);
    site.settle(6);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    assert!(site.find(Kind::LineItem, &format!("{key}/TOTAL")).is_none());
    agreement::check(&site);
}

/// A connection made anew knows of no line that the former one made.
#[test]
fn the_total_of_a_connection_that_is_no_more_goes_as_well() {
    for (options, keyed) in [
        (options(), true),
        (options().without_scope("e-commerce"), false),
    ] {
        let site = Site::with(distributor(1), options, json!({}));
        site.settle(6);
        let invoice = NewInvoice::of(&customer(1), site.today(), lines());
        let invoice = site.erp.borrow_mut().data.post_invoice(invoice);
        let key = hubspot_key(&invoice);
        holds_lines_back(&site, true);
        site.settle(4);
        assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 1);
        assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
        holds_lines_back(&site, false);
        site.connect(json!({}));
        site.settle(6);
        assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
        match keyed {
            true => agreement::check(&site),
            false => assert_eq!(agreement::differences_without_line_keys(&site), [""; 0]),
        }
    }
}
