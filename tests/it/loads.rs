//! The loads whose cost is counted: `journeys/load.rs` holds the counts, `make bench` shows them.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde_json::json;
use simulators::data::{Distributor, InvoiceKey, NewCustomer, NewInvoice, NewLine, padded};

use crate::site::{Site, day, options};
use crate::world::{ERP, Landing, Shared, Start, shared};

/// What happened between two instants, as the other systems and the database saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Calls to HubSpot by endpoint.
    pub calls: BTreeMap<String, u64>,
    /// Requests to SYSPRO.
    pub reads: u64,
    /// D1 statements, every one of a batch counted.
    pub statements: u64,
    /// Rows handed to those statements, one at least each.
    pub handed_in: u64,
    pub ticks: u64,
}

impl Cost {
    /// What `act` costs at this site.
    pub fn of(site: &Site, act: impl FnOnce(&Site) -> u64) -> Cost {
        let reads = |site: &Site| {
            let log = site.world.fetch_log();
            log.iter().filter(|call| call.host() == ERP).count() as u64
        };
        let (read, asked) = (reads(site), site.world.queries());
        let handed_in = site.world.rows_handed_in();
        site.portal.borrow_mut().reset_calls();
        let ticks = act(site);
        Cost {
            calls: site.calls_by_endpoint(),
            reads: reads(site) - read,
            statements: site.world.queries() - asked,
            handed_in: site.world.rows_handed_in() - handed_in,
            ticks,
        }
    }

    pub fn all_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    /// One line for the totals and one for each endpoint.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let Cost {
            reads,
            statements,
            handed_in,
            ticks,
            ..
        } = self;
        let (calls, in_ticks) = (self.all_calls(), if *ticks == 1 { "tick" } else { "ticks" });
        let head = format!(
            "{name}: {calls} HubSpot calls, {statements} D1 statements handed {handed_in} rows, {reads} SYSPRO requests, {ticks} {in_ticks}"
        );
        let each = self.calls.iter();
        let each = each.map(|(endpoint, calls)| format!("{calls:>5} {endpoint}"));
        std::iter::once(head).chain(each).collect()
    }
}

/// A load with what a reader of its figures is to know.
pub struct Load {
    pub name: &'static str,
    pub reading: &'static str,
    pub run: fn() -> Cost,
}

/// Those of a hundred customers. One search an hour for the order numbers on deals is in the first
/// load and in no other.
pub const LOADS: [Load; 6] = [
    Load {
        name: "first load",
        reading: "100 companies, contacts and invoices, 300 lines, all linked: 600 objects; set-up apart",
        run: || Cost::of(&Site::new(distributor(100)), one_tick),
    },
    Load {
        name: "quiet tick",
        reading: "nothing changed; each page read counts one statement",
        run: || Cost::of(&loaded(100), one_tick),
    },
    Load {
        name: "one changed customer",
        reading: "a telephone number, in company and contact",
        run: || {
            changed(|data| {
                data.edit_customer(&customer(7), "Telephone", "+1 555 0100");
            })
        },
    },
    Load {
        name: "its e-mail changed",
        reading: "at another domain: the contact's address and the company's domain",
        run: || {
            changed(|data| {
                data.edit_customer(&customer(7), "Email", "jo@renamed7.example");
            })
        },
    },
    Load {
        name: "part payment",
        reading: "the invoice's header and its customer's balance; no line",
        run: || changed(|data| data.pay(&first_invoice(7), money("10.00"), day(Start::NOW))),
    },
    Load {
        name: "full payment",
        reading: "header and status of the invoice, balance of its customer",
        run: || changed(|data| data.pay(&first_invoice(7), money("42.50"), day(Start::NOW))),
    },
];

pub fn changed(change: fn(&mut Distributor)) -> Cost {
    let site = loaded(100);
    change(&mut site.erp.borrow_mut().data);
    Cost::of(&site, one_tick)
}

pub fn one_tick(site: &Site) -> u64 {
    site.next_tick();
    1
}

/// Whole customers with five invoices of four lines each, until all is in HubSpot.
pub fn many(customers: usize) -> (Site, Cost) {
    let site = Site::new(many_of(customers));
    let cost = Cost::of(&site, |site| until_quiet(site, 100));
    (site, cost)
}

pub fn many_of(customers: usize) -> Distributor {
    let mut data = customers_only(customers, day(Start::NOW));
    for number in 1..=customers {
        let key = customer(number as u32);
        for _ in 0..5 {
            let mut lines = lines();
            lines.push(NewLine::charge('4', money("7.50")));
            data.post_invoice(NewInvoice::of(&key, day(Start::NOW), lines));
        }
    }
    data
}

/// Ticks until one asks nothing of HubSpot; how many did ask.
pub fn until_quiet(site: &Site, most: u64) -> u64 {
    for tick in 0..most {
        let before = site.hubspot_calls();
        site.next_tick();
        if site.hubspot_calls() == before {
            return tick;
        }
    }
    panic!("not quiet after {most} ticks");
}

/// Statements of one page of a sweep over customers, from its answer to the next request for a page:
/// with news as the first load finds it, and unchanged.
pub fn sweep_page(customers: usize) -> [u64; 2] {
    let old = day(Start::NOW) - Days::new(300);
    let site = Site::bare(Start::calm(), customers_only(2 * customers, old), options());
    site.connect(json!({ "sweep_pages": 10 }));
    [(); 2].map(|()| {
        let seen = timeline(&site);
        site.next_tick();
        let seen = seen.borrow();
        // In the middle of the pass, so that neither its beginning nor its end is in it.
        let pages = seen.iter().enumerate().filter(|(_, event)| event.is_page());
        let second = pages.map(|(at, _)| at).nth(1).expect("a second page");
        let since = seen.iter().skip(second + 1);
        let until_next = since.take_while(|event| !event.is_page());
        until_next.map(Event::statements).sum()
    })
}

enum Event {
    /// A page of the sweep over customers.
    Page,
    Other,
    Batch(u64),
}

impl Event {
    fn is_page(&self) -> bool {
        matches!(self, Event::Page)
    }

    fn statements(&self) -> u64 {
        match self {
            Event::Batch(statements) => *statements,
            Event::Page | Event::Other => 0,
        }
    }
}

fn timeline(site: &Site) -> Shared<Vec<Event>> {
    let seen = shared(Vec::new());
    let kept = seen.clone();
    site.world.on_landing(move |_, landing| {
        kept.borrow_mut().push(match landing {
            Landing::Batch { statements, .. } => Event::Batch(statements.len() as u64),
            Landing::Exchange { request, .. } => {
                let uri = request.uri().to_string();
                // The recent poll asks by dates, and looks back further than the sweep's own filter.
                let swept = uri.contains("/ArCustomer?") && !uri.contains("DateLastPay%20ge");
                match swept && !uri.contains("%20eq%20") && uri.contains("top=2000") {
                    true => Event::Page,
                    false => Event::Other,
                }
            }
        });
    });
    seen
}

/// What every further hundred customers of a first load cost in statements: their ingest is within
/// the same page, so this is their delivery.
pub fn delivery_chunk() -> u64 {
    let old = day(Start::NOW) - Days::new(300);
    let statements = |customers| {
        let site = Site::new(customers_only(customers, old));
        Cost::of(&site, one_tick).statements
    };
    (statements(1_500) - statements(500)) / 10
}

/// So many customers, each with a contact, added that day.
pub fn customers_only(customers: usize, added: NaiveDate) -> Distributor {
    let mut data = Distributor::empty();
    for number in 1..=customers {
        data.add_customer(NewCustomer {
            name: format!("Customer {number}"),
            contact: format!("Jo Number{number}"),
            email: format!("jo@customer{number}.example"),
            added: Some(added),
            ..NewCustomer::default()
        });
    }
    data
}

/// So many customers, each with a contact and one invoice of three lines.
pub fn distributor(customers: usize) -> Distributor {
    distributor_on(customers, day(Start::NOW))
}

/// The same on another day.
pub fn distributor_on(customers: usize, today: NaiveDate) -> Distributor {
    let mut data = customers_only(customers, today);
    for number in 1..=customers {
        let key = customer(number as u32);
        data.post_invoice(NewInvoice::of(&key, today, lines()));
    }
    data
}

/// Three lines, 42.50 in all.
pub fn lines() -> Vec<NewLine> {
    let line = |value: &str| NewLine::stocked("A100", money("2"), money(value), money("0"));
    vec![line("10.00"), line("20.00"), line("12.50")]
}

/// A site that has brought all of a small distributor to HubSpot.
pub fn loaded(customers: usize) -> Site {
    let site = Site::new(distributor(customers));
    site.tick();
    site.portal.borrow_mut().reset_calls();
    site
}

pub fn money(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// SYSPRO's own key of the customer with this number.
pub fn customer(number: u32) -> String {
    padded(&number.to_string(), 15)
}

/// SYSPRO's key of the one invoice [`distributor`] gives each customer.
pub fn first_invoice(number: u32) -> InvoiceKey {
    InvoiceKey {
        customer: customer(number),
        invoice: padded(&(100_000 + number).to_string(), 20),
        document_type: "I".to_owned(),
    }
}
