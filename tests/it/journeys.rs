//! Journeys: what people see when something happens in SYSPRO. Calm weather, whole product.

mod adoption;
mod api;
mod canaries;
mod changes;
mod checks;
mod codes;
mod connections;
mod deals;
mod detection;
mod dialects;
mod documents;
mod faults;
mod home;
mod input;
mod keyless;
mod keys;
mod lists;
mod load;
mod meanwhile;
mod mending;
mod overtaken;
mod partial;
mod people;
mod preview;
mod provisioning;
mod reconcile;
mod refusals;
mod replay;
mod rivals;
mod rules;
mod sessions;
mod trial;
mod upkeep;
mod zones;

use rust_decimal::Decimal;
use simulators::data::{Distributor, InvoiceKey, NewCustomer, NewInvoice, NewLine, padded};

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
        data.post_invoice(NewInvoice::of(&key, today, lines()));
    }
    data
}

/// Three lines, 42.50 in all.
fn lines() -> Vec<NewLine> {
    let line = |value: &str| NewLine::stocked("A100", money("2"), money(value), money("0"));
    vec![line("10.00"), line("20.00"), line("12.50")]
}

/// A site that has brought all of a small distributor to HubSpot.
fn loaded(customers: usize) -> Site {
    let site = Site::new(distributor(customers));
    site.tick();
    site.portal.borrow_mut().reset_calls();
    site
}

/// SYSPRO's own key of the customer with this number.
fn customer(number: u32) -> String {
    padded(&number.to_string(), 15)
}

/// The key HubSpot has for it.
fn company(number: u32) -> String {
    format!("EDU1/{}", customer(number))
}

fn contact(number: u32) -> String {
    format!("{}/AR", company(number))
}

/// SYSPRO's key of the one invoice [`distributor`] gives each customer.
fn first_invoice(number: u32) -> InvoiceKey {
    InvoiceKey {
        customer: customer(number),
        invoice: padded(&(100_000 + number).to_string(), 20),
        document_type: "I".to_owned(),
    }
}

/// The key HubSpot has for an invoice.
fn hubspot_key(key: &InvoiceKey) -> String {
    let parts = key.parts().map(str::trim_end);
    format!("EDU1/{}", parts.join("/"))
}
