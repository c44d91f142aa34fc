//! Journeys: what people see when something happens in SYSPRO. Calm weather, whole product.

mod load;

use rust_decimal::Decimal;
use simulators::data::{Distributor, NewCustomer, NewInvoice, NewLine};

use crate::site::day;
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
        data.post_invoice(NewInvoice::of(&key, today, lines()));
    }
    data
}

/// Three lines, 42.50 in all.
fn lines() -> Vec<NewLine> {
    let line = |value: &str| NewLine::stocked("A100", money("2"), money(value), money("0"));
    vec![line("10.00"), line("20.00"), line("12.50")]
}
