//! A trial: the first customers and their invoices, to be looked at, and then all of them.

use serde_json::json;
use simulators::{
    data::{NewCustomer, NewInvoice},
    hubspot::Kind,
};

use super::{company, customer, distributor, lines};
use crate::agreement;
use crate::site::{Site, options};

fn widen(site: &Site, trial: Option<u32>) {
    let body = json!({ "settings": { "trial": trial } }).to_string();
    let answer = site.ask("PATCH", "/connections/acme", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["settings"]["trial"], json!(trial));
}

fn counts(site: &Site) -> [usize; 4] {
    let portal = site.portal.borrow();
    [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem]
        .map(|kind| portal.objects(kind).filter(|it| !it.archived).count())
}

#[test]
fn a_trial_takes_up_so_many_customers_and_their_invoices_and_is_widened_without_a_trace() {
    let site = Site::with(distributor(12), options(), json!({ "trial": 5 }));
    site.settle(4);
    assert_eq!(counts(&site), [5, 5, 5, 15]);
    let left = site.get("/connections/acme/records?feed=customers&status=excluded");
    let left = left["records"].as_array().cloned().unwrap_or_default();
    assert_eq!(left.len(), 7);
    for record in left {
        let reason = &record["reason"];
        assert_eq!(reason["code"], "trial", "{record}");
        assert_eq!(
            reason["reason"],
            "The trial has all its customers, and this is none of them (rule: trial = 5)."
        );
    }
    assert_eq!(site.last_run()["state"], "green");
    let kept = site
        .world
        .rows("select key from ledger where payload is not null");
    assert!(kept.is_empty(), "{kept:?}");

    // Whoever is in it stays in step; whoever is not stays out, whatever happens to it.
    let today = site.today();
    for number in 1..=12 {
        let mut erp = site.erp.borrow_mut();
        erp.data
            .edit_customer(&customer(number), "Name", format!("Renamed {number}"));
        erp.data
            .post_invoice(NewInvoice::of(&customer(number), today, lines()));
    }
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        added: Some(today),
        ..NewCustomer::default()
    });
    site.settle(4);
    assert_eq!(counts(&site), [5, 5, 10, 30]);

    widen(&site, Some(8));
    site.settle(6);
    assert_eq!(counts(&site), [8, 8, 16, 48]);
    widen(&site, None);
    site.settle(6);
    assert_eq!(counts(&site), [13, 13, 24, 72]);
    agreement::check(&site);
    let excluded = site.get("/connections/acme/records?status=excluded");
    assert_eq!(excluded["records"], json!([]));
}

#[test]
fn a_trial_set_later_takes_nobody_back() {
    let site = Site::new(distributor(4));
    site.settle(4);
    widen(&site, Some(1));
    site.settle(4);
    for number in 1..=4 {
        assert_eq!(site.status("customers", &company(number)), "synced");
    }
    let today = site.today();
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        added: Some(today),
        ..NewCustomer::default()
    });
    site.settle(4);
    assert_eq!(counts(&site)[0], 4);
}

#[test]
fn a_place_that_falls_free_is_given_to_the_next() {
    let site = Site::with(
        distributor(4),
        options(),
        json!({ "trial": 2, "exclude": { "customer_classes": ["INT"] } }),
    );
    site.settle(4);
    let mut taken = (1..=4).filter(|number| site.find(Kind::Company, &company(*number)).is_some());
    let first = taken.next().expect("one of the two");
    let column = ("CustomerClass", "INT");
    site.erp
        .borrow_mut()
        .data
        .edit_customer(&customer(first), column.0, column.1);
    site.settle(4);
    let today = site.today();
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        added: Some(today),
        ..NewCustomer::default()
    });
    site.settle(4);
    // The one that left keeps what it had, and has one more beside it.
    assert_eq!(counts(&site)[0], 3);
}
