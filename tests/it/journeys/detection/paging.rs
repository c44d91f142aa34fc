//! Tables that move while they are paged through, and equal values where a page ends.

use std::{cell::Cell, rc::Rc};

use chrono::{Days, NaiveDate};
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::super::{customer, distributor, first_invoice, hubspot_key, lines, money};
use crate::agreement;
use crate::site::Site;
use crate::world::{ERP, Landing};

/// A site whose server gives out so many rows at once.
fn narrow(data: Distributor, rows: usize) -> Site {
    let site = Site::new(data);
    site.erp.borrow_mut().quirks.row_cap = rows;
    site
}

/// Something happens when the `nth` answer about this table has just been given.
fn after_page(site: &Site, table: &str, nth: u32, change: impl Fn(&mut Distributor) + 'static) {
    let erp = site.erp.clone();
    let (table, seen) = (format!("/{table}"), Cell::new(0));
    site.world.on_landing(move |_, landing| {
        let Landing::Exchange { request, .. } = landing else {
            return;
        };
        let uri = request.uri();
        if uri.host() == Some(ERP) && uri.path().ends_with(&table) {
            seen.set(seen.get() + 1);
            if seen.get() == nth {
                change(&mut erp.borrow_mut().data);
            }
        }
    });
}

/// An invoice with this number, dated long ago.
fn numbered(number: &str, customer: &str, today: NaiveDate) -> NewInvoice {
    NewInvoice {
        invoice: Some(number.to_owned()),
        invoice_date: Some(today - Days::new(90)),
        ..NewInvoice::of(customer, today, lines())
    }
}

#[test]
fn invoices_that_come_and_go_while_pages_are_read_are_not_missed() {
    for nth in 1..=8 {
        let site = narrow(distributor(9), 3);
        let today = site.today();
        after_page(&site, "ArInvoice", nth, move |data| {
            data.post_invoice(numbered("55", &customer(9), today));
            data.post_invoice(numbered("100004999", &customer(1), today));
            data.purge(&first_invoice(2));
            data.purge(&first_invoice(8));
            data.pay(&first_invoice(5), money("12.50"), today);
        });
        site.settle(8);
        let found = agreement::differences(&site);
        assert!(found.is_empty(), "at page {nth}: {found:#?}");
        assert_eq!(site.last_run()["state"], "green");
    }
}

#[test]
fn customers_that_come_while_pages_are_read_are_not_missed() {
    for nth in 1..=4 {
        let site = narrow(distributor(9), 3);
        let today = site.today();
        after_page(&site, "ArCustomer", nth, move |data| {
            for (key, name) in [("0000", "First"), ("ZZZ", "Last")] {
                data.add_customer(NewCustomer {
                    key: Some(key.to_owned()),
                    name: name.to_owned(),
                    added: Some(today),
                    ..NewCustomer::default()
                });
            }
            data.edit_customer(&customer(2), "Name", "Renamed behind the page");
            data.edit_customer(&customer(9), "Name", "Renamed before the page");
        });
        site.settle(8);
        let found = agreement::differences(&site);
        assert!(found.is_empty(), "at page {nth}: {found:#?}");
    }
}

#[test]
fn equal_values_on_the_edge_of_a_page_are_all_read() {
    for rows in 1..=4 {
        let mut data = distributor(5);
        let today = data.today();
        // One number, five customers, two types: the order of the sweep begins with it.
        let mut keys = Vec::new();
        for number in 1..=5 {
            for kind in ["I", "D"] {
                let invoice = NewInvoice {
                    document_type: kind.to_owned(),
                    ..numbered("77", &customer(number), today)
                };
                keys.push(data.post_invoice(invoice));
            }
        }
        let site = narrow(data, rows);
        site.settle(8);
        let found = agreement::differences(&site);
        assert!(found.is_empty(), "{rows} rows a page: {found:#?}");
        // And again when they are looked at by their balances.
        for key in &keys {
            let mut erp = site.erp.borrow_mut();
            erp.data.pay(key, money("42.50"), today);
        }
        site.next_tick();
        for key in &keys {
            let status = site.value(Kind::Invoice, &hubspot_key(key), "syspro_status");
            assert_eq!(status, "paid", "{rows} rows a page: {key:?}");
        }
    }
}

/// A short page without a link to the next one may be the last, and an empty one too.
#[test]
fn lines_left_out_of_an_answer_are_asked_for_again_before_they_are_archived() {
    let site = narrow(distributor(2), 2);
    site.settle(8);
    let (key, today) = (first_invoice(1), site.today());
    site.erp.borrow_mut().data.pay(&key, money("10.00"), today);
    let (erp, ends_early) = (site.erp.clone(), Rc::new(Cell::new(true)));
    let ends = ends_early.clone();
    site.world.on_landing(move |_, landing| {
        let Landing::Exchange { request, .. } = landing else {
            return;
        };
        let uri = request.uri().to_string();
        let first_page = uri.contains("/ArTrnDetail?") && !uri.contains("DetailLine%20gt");
        if first_page && ends.get() {
            let rest = Fault::once("/ArTrnDetail?", Trouble::Empty);
            erp.borrow_mut().faults.push_back(rest);
        }
    });
    site.next_tick();
    let record = site.record("invoices", &hubspot_key(&key));
    assert_eq!(record["reason"]["code"], "lines_missing", "{record}");
    ends_early.set(false);
    site.erp.borrow_mut().faults.clear();
    site.settle(3);
    assert_eq!(archived(&site), 0, "{:?}", site.calls_by_endpoint());
    agreement::check(&site);
}

fn archived(site: &Site) -> u64 {
    let calls = site.calls_by_endpoint();
    let archives = calls
        .iter()
        .filter(|(endpoint, _)| endpoint.ends_with("archive"));
    archives.map(|(_, calls)| calls).sum()
}
