//! Changes that no date shows, that come and go between two looks, or that meet a page on its way:
//! none is missed.

mod backfill;
mod paging;

use std::time::Duration;

use chrono::{Days, NaiveDate};
use fastrand::Rng;
use simulators::{
    data::{Distributor, InvoiceKey, NewInvoice, Value},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::{Start, company, customer, day, distributor, first_invoice, hubspot_key, lines};
use super::{loaded, money};
use crate::agreement;
use crate::site::Site;

const DAY: Duration = Duration::from_secs(86_400);

/// Posts an invoice of three lines, dated as said.
fn post(site: &Site, number: u32, dated: Option<NaiveDate>) -> InvoiceKey {
    let invoice = NewInvoice {
        invoice_date: dated,
        ..NewInvoice::of(&customer(number), site.today(), lines())
    };
    site.erp.borrow_mut().data.post_invoice(invoice)
}

fn set(site: &Site, key: &InvoiceKey, column: &str, value: impl Into<Value>) {
    let mut erp = site.erp.borrow_mut();
    erp.data.set("ArInvoice", &key.parts(), column, value);
}

fn invoice(site: &Site, key: &InvoiceKey, property: &str) -> String {
    site.value(Kind::Invoice, &hubspot_key(key), property)
}

/// The next tick takes it over whole, and the one after is quiet.
fn arrives(site: &Site) {
    site.next_tick();
    agreement::check(site);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "quiet again");
}

#[test]
fn a_future_dated_invoice_arrives_and_hides_none_dated_today() {
    let site = loaded(2);
    let later = post(&site, 1, Some(site.today() + Days::new(45)));
    arrives(&site);
    assert_eq!(invoice(&site, &later, "syspro_status"), "open");
    let now = post(&site, 2, Some(site.today()));
    arrives(&site);
    assert_eq!(invoice(&site, &now, "syspro_status"), "open");
}

#[test]
fn an_invoice_without_a_date_arrives_open_or_paid() {
    let site = loaded(2);
    let open = post(&site, 1, None);
    arrives(&site);
    assert_eq!(invoice(&site, &open, "syspro_balance_due"), "42.5");
    let paid = post(&site, 2, None);
    set(&site, &paid, "InvoiceBal1", money("0"));
    site.next_tick();
    assert_eq!(invoice(&site, &paid, "syspro_status"), "paid");
    assert_eq!(site.status("invoices", &hubspot_key(&paid)), "synced");
}

#[test]
fn an_edit_of_an_old_paid_invoice_arrives_with_the_sweep() {
    let site = loaded(2);
    let key = post(&site, 1, Some(site.today() - Days::new(200)));
    let today = site.today();
    site.erp.borrow_mut().data.pay(&key, money("42.50"), today);
    arrives(&site);
    set(&site, &key, "CustomerPoNumber", "PO-4711");
    arrives(&site);
    let number = invoice(&site, &key, "hs_purchase_order_number");
    assert_eq!(number, "PO-4711");
}

#[test]
fn a_payment_taken_back_raises_the_balance_again() {
    let site = loaded(2);
    let key = first_invoice(1);
    let today = site.today();
    let pay = |value: &str| {
        let mut erp = site.erp.borrow_mut();
        erp.data.pay(&key, money(value), today);
    };
    pay("42.50");
    arrives(&site);
    assert_eq!(invoice(&site, &key, "hs_invoice_status"), "paid");
    pay("-42.50");
    site.next_tick();
    assert_eq!(invoice(&site, &key, "syspro_balance_due"), "42.5");
    assert_eq!(invoice(&site, &key, "syspro_status"), "open");
    let balance = site.value(Kind::Company, &company(1), "syspro_balance");
    assert_eq!(balance, "42.5");
    // HubSpot lets no paid invoice become open again: a warning says so, once.
    assert_eq!(invoice(&site, &key, "hs_invoice_status"), "paid");
    let record = site.record("invoices", &hubspot_key(&key));
    assert_eq!(record["status"], "synced", "{record:#}");
    assert_eq!(record["reason"]["code"], "status_refused", "{record:#}");
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
}

#[test]
fn a_payment_and_a_purge_between_two_looks_leave_it_paid() {
    for (kind, status) in [("I", "paid"), ("B", "consolidated")] {
        let mut data = distributor(2);
        data.edit_customer(&customer(1), "BalanceType", kind);
        let site = Site::new(data);
        site.tick();
        let (key, today) = (first_invoice(1), site.today());
        let mut erp = site.erp.borrow_mut();
        erp.data.pay(&key, money("42.50"), today);
        erp.data.purge(&key);
        drop(erp);
        arrives(&site);
        assert_eq!(invoice(&site, &key, "syspro_status"), status);
        assert_eq!(invoice(&site, &key, "syspro_balance_due"), "0");
        assert_eq!(invoice(&site, &key, "hs_invoice_status"), "paid");
        let balance = site.value(Kind::Company, &company(1), "syspro_balance");
        assert_eq!(balance, "0");
    }
}

#[test]
fn an_invoice_that_is_purged_paid_stays_as_it_was() {
    let site = loaded(2);
    let (key, today) = (first_invoice(1), site.today());
    site.erp.borrow_mut().data.pay(&key, money("42.50"), today);
    arrives(&site);
    site.erp.borrow_mut().data.purge(&key);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
    assert_eq!(invoice(&site, &key, "syspro_status"), "paid");
}

#[test]
fn a_line_that_changes_alone_arrives() {
    let site = loaded(2);
    let key = {
        let erp = site.erp.borrow();
        let mut rows = erp.data.table("ArTrnDetail").rows();
        let row = rows.find(|row| row.text("Invoice") == first_invoice(1).invoice);
        let row = row.expect("a line");
        let part = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            other => panic!("{other:?} in a key"),
        };
        row.key.0.iter().map(part).collect::<Vec<_>>()
    };
    let parts: Vec<&str> = key.iter().map(String::as_str).collect();
    let mut erp = site.erp.borrow_mut();
    erp.data
        .set("ArTrnDetail", &parts, "QtyInvoiced", money("4"));
    drop(erp);
    arrives(&site);
    let portal = site.portal.borrow();
    let four = portal.objects(Kind::LineItem);
    assert_eq!(
        four.filter(|line| line.get("quantity") == Some("4"))
            .count(),
        1
    );
}

#[test]
fn lines_missing_from_the_answer_of_a_known_invoice_are_not_archived() {
    let site = loaded(2);
    let (key, today) = (first_invoice(1), site.today());
    site.erp.borrow_mut().data.pay(&key, money("10.00"), today);
    let fault = Fault {
        times: 40,
        ..Fault::once("/ArTrnDetail?", Trouble::Empty)
    };
    site.erp.borrow_mut().faults.push_back(fault);
    for _ in 0..3 {
        site.next_tick();
        let linked = site.linked(Kind::Invoice, &hubspot_key(&key), Kind::LineItem);
        assert_eq!(linked, 3);
    }
    assert_eq!(invoice(&site, &key, "syspro_balance_due"), "32.5");
    site.erp.borrow_mut().faults.clear();
    site.settle(4);
    agreement::check(&site);
}

#[test]
fn a_cron_dead_for_three_days_catches_up_with_all_of_them() {
    let data = Distributor::believable(5, 80, 240, day(Start::NOW));
    let site = Site::new(data);
    site.settle(12);
    let mut rng = Rng::with_seed(5);
    for _ in 0..3 {
        site.world.advance(DAY);
        site.erp.borrow_mut().data.a_day(&mut rng, site.today());
    }
    site.settle(12);
    agreement::check(&site);
}
