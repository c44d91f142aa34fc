//! Journeys: what people see when something happens in SYSPRO. Calm weather, whole product.

use rust_decimal::Decimal;
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice, NewLine},
    hubspot::Kind,
};

use crate::site::{Site, day};
use crate::world::Start;

fn money(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// So many customers, each with a contact and one invoice of three lines.
fn distributor(customers: usize) -> Distributor {
    let today = day(Start::NOW);
    let mut data = Distributor::empty();
    for number in 1..=customers {
        let key = data.add_customer(NewCustomer {
            name: format!("Customer {number}"),
            contact: format!("Jo Number{number}"),
            email: format!("jo@customer{number}.example"),
            added: Some(today),
            ..NewCustomer::default()
        });
        let line = |value: &str| NewLine::stocked("A100", money("2"), money(value), money("0"));
        let lines = vec![line("10.00"), line("20.00"), line("12.50")];
        data.post_invoice(NewInvoice::of(&key, today, lines));
    }
    data
}

#[test]
fn six_hundred_objects_load_in_at_most_twelve_calls_and_then_none() {
    let site = Site::new(distributor(100));
    site.tick();
    let calls = site.calls_by_endpoint();
    assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::Contact).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::Invoice).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::LineItem).count(), 300);
    assert!(site.hubspot_calls() <= 12, "{calls:#?}");
    let before = site.hubspot_calls();
    let statements = site.world.queries();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "a quiet tick");
    eprintln!(
        "statements of a quiet tick: {}",
        site.world.queries() - statements
    );
    eprintln!("{calls:#?}");
}
