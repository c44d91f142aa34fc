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
mod left_out;
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
mod stand_in;
mod trial;
mod turns;
mod upkeep;
mod zones;

use simulators::data::InvoiceKey;

use crate::loads::{customer, distributor, first_invoice, lines, loaded, money};
use crate::site::day;
use crate::world::Start;

/// The key HubSpot has for the customer with this number.
fn company(number: u32) -> String {
    format!("EDU1/{}", customer(number))
}

fn contact(number: u32) -> String {
    format!("{}/AR", company(number))
}

/// The key HubSpot has for an invoice.
fn hubspot_key(key: &InvoiceKey) -> String {
    let parts = key.parts().map(str::trim_end);
    format!("EDU1/{}", parts.join("/"))
}
