//! What people do in SYSPRO while the weather is bad.

use std::{cell::RefCell, rc::Rc};

use chrono::{Days, NaiveDate};
use fastrand::Rng;
use rust_decimal::Decimal;
use simulators::{
    data::{Distributor, InvoiceKey, NewCustomer, NewInvoice, NewLine, Row},
    syspro::Server,
};
use syspro_hubspot_sync::{
    platform::{HOUR, MINUTE, Millis, SECOND},
    syspro::record_key,
};

use super::{
    portal::{Deeds, quoted},
    tally::Events,
};
use crate::{
    site::{Site, day},
    world::{Shared, World},
};

/// The site is where its portal is: five hours behind.
pub const BEHIND: Millis = 5 * HOUR;
/// Every edit of a customer raises the number at the end of its telephone, so that whoever sees
/// two states of it can tell which is the older one.
pub const MARK: &str = "+1 555-010-";

/// So few they come back to.
const FEW: usize = 3;

/// The people at one site.
#[derive(Clone)]
pub struct People {
    erp: Shared<Server>,
    deeds: Shared<Deeds>,
    rng: Rc<RefCell<Rng>>,
    events: Events,
    /// Nothing will ever sweep: only what another poll can see may happen.
    seen_by_date: bool,
    /// They come back to the same few customers again and again.
    busy: bool,
}

impl People {
    pub fn new(
        site: &Site,
        deeds: &Shared<Deeds>,
        events: &Events,
        seed: u64,
        (seen_by_date, busy): (bool, bool),
    ) -> People {
        People {
            erp: site.erp.clone(),
            deeds: deeds.clone(),
            events: events.clone(),
            rng: Rc::new(RefCell::new(Rng::with_seed(seed))),
            seen_by_date,
            busy,
        }
    }

    /// Has something happen at an instant of the next `span`.
    pub fn act(&self, world: &World, span: Millis) {
        let at = world.now() + self.rng.borrow_mut().i64(0..span);
        let people = self.clone();
        world.at(at, move |world| people.change(world));
    }

    fn change(&self, world: &World) {
        let mut rng = self.rng.borrow_mut();
        let now = world.now() - BEHIND;
        // Two clocks do not agree which day it is; without lookback nobody is told twice.
        let midnight = now.rem_euclid(24 * HOUR);
        if !(10 * SECOND..24 * HOUR - 10 * SECOND).contains(&midnight) {
            return;
        }
        let today = day(now);
        let mut erp = self.erp.borrow_mut();
        let data = &mut erp.data;
        let what = rng.u8(..19);
        let before = latest(data);
        match what {
            0 | 1 => self.sell(data, &mut rng, today, "I", 0),
            2 => self.sell(data, &mut rng, today, "C", 0),
            // Overdue at once, or as soon as the day is over.
            3 => {
                let ago = [40, 30][rng.usize(..2)];
                self.sell(data, &mut rng, today, "I", ago);
            }
            4 | 5 => self.receive(data, &mut rng, today, Decimal::new(4, 1)),
            6 | 7 => self.receive(data, &mut rng, today, Decimal::ONE),
            8 => {
                if let Some(key) = self.purge(world, data, &mut rng, today) {
                    world.note(&format!(
                        "SYSPRO ArInvoice {} is purged",
                        key.parts().join("/")
                    ));
                }
            }
            9 => self.join(data, &mut rng, today),
            10 => self.edit(data, &mut rng, today, "CustomerOnHold", "Y"),
            11 => self.edit(data, &mut rng, today, "CustomerOnHold", "N"),
            12 => {
                let name = format!("Renamed {} Ltd", rng.u16(..));
                self.edit(data, &mut rng, today, "Name", &name);
            }
            13 => {
                let street = format!("{} New Street", rng.u16(..));
                self.edit(data, &mut rng, today, "SoldToAddr1", &street);
            }
            14 => self.move_office(data, &mut rng, today),
            15 | 16 => self.correct(data, &mut rng),
            _ => self.reconsider(world, data, &mut rng, today),
        }
        for line in moved(before, data) {
            world.note(&line);
        }
        self.events.count(match what {
            0..4 => "SYSPRO: document posted",
            4..8 => "SYSPRO: payment",
            8 => "SYSPRO: purge",
            9 => "SYSPRO: new customer",
            15 | 16 => "SYSPRO: balance corrected",
            _ => "SYSPRO: customer edited",
        });
    }

    fn sell(&self, data: &mut Distributor, rng: &mut Rng, today: NaiveDate, kind: &str, ago: u64) {
        let Some(customer) = self.somebody(data, rng) else {
            return;
        };
        let lines = (0..rng.usize(1..4)).map(|_| line(rng)).collect();
        data.post_invoice(NewInvoice {
            document_type: kind.to_owned(),
            invoice_date: Some(today - Days::new(ago)),
            ..NewInvoice::of(&customer, today, lines)
        });
    }

    /// An invoice that came and went before anybody looked is seen by the sweep alone, if its date is
    /// an old one.
    fn comes_unseen(&self, row: &Row<'_>, today: NaiveDate) -> bool {
        let long_ago = today - Days::new(20);
        self.seen_by_date && row.date("InvoiceDate").is_some_and(|date| date < long_ago)
    }

    /// An invoice somebody owes on, or one that is paid, leaves the books. Not one of which only the
    /// customer's balance was read yet: that it is a lower one again moves no date.
    fn purge(
        &self,
        world: &World,
        data: &mut Distributor,
        rng: &mut Rng,
        today: NaiveDate,
    ) -> Option<InvoiceKey> {
        let rows = data.table("ArInvoice").rows();
        let all: Vec<InvoiceKey> = rows
            .filter(|row| row.text("DocumentType") == "I" && !self.comes_unseen(row, today))
            .map(|row| key(&row))
            .collect();
        let key = all.get(rng.usize(..all.len().max(1)))?;
        if self.seen_by_date && !is_held(world, key) {
            return None;
        }
        data.purge(key);
        Some(key.clone())
    }

    /// Money for an invoice.
    fn receive(&self, data: &mut Distributor, rng: &mut Rng, today: NaiveDate, share: Decimal) {
        let whole = share == Decimal::ONE;
        let unseen = |row: &Row<'_>| whole && self.comes_unseen(row, today);
        if let Some((key, balance)) = self.owing(data, rng, unseen) {
            data.pay(&key, (balance * share).round_dp(2), today);
        }
    }

    /// Less is owed on an invoice, and no date tells of it.
    fn correct(&self, data: &mut Distributor, rng: &mut Rng) {
        if let Some((key, balance)) = self.owing(data, rng, |_| false) {
            data.owe(&key, (balance * Decimal::new(9, 1)).round_dp(2));
        }
    }

    fn owing(
        &self,
        data: &Distributor,
        rng: &mut Rng,
        leave_out: impl Fn(&Row<'_>) -> bool,
    ) -> Option<(InvoiceKey, Decimal)> {
        let rows = data.table("ArInvoice").rows();
        let open: Vec<(InvoiceKey, Decimal)> = rows
            .filter(|row| row.text("DocumentType") == "I" && !leave_out(row))
            .map(|row| (key(&row), row.decimal("InvoiceBal1")))
            .filter(|(_, balance)| *balance > Decimal::ONE)
            .collect();
        open.get(self.one_of(open.len(), rng)).cloned()
    }

    /// A place among so many.
    fn one_of(&self, all: usize, rng: &mut Rng) -> usize {
        let few = self.busy && rng.u8(..4) > 0;
        rng.usize(..if few { all.clamp(1, FEW) } else { all.max(1) })
    }

    fn somebody(&self, data: &Distributor, rng: &mut Rng) -> Option<String> {
        let customers = data.table("ArCustomer");
        let row = customers.rows().nth(self.one_of(customers.len(), rng))?;
        Some(row.text("Customer").to_owned())
    }

    fn join(&self, data: &mut Distributor, rng: &mut Rng, today: NaiveDate) {
        let number = rng.u32(..);
        data.add_customer(NewCustomer {
            name: format!("Newcomer {number}"),
            contact: format!("Nell Newcomer{number}"),
            email: format!("nell@newcomer{number}.example.com"),
            added: Some(today),
            ..NewCustomer::default()
        });
    }

    fn edit(
        &self,
        data: &mut Distributor,
        rng: &mut Rng,
        today: NaiveDate,
        column: &str,
        to: &str,
    ) {
        if let Some(customer) = self.somebody(data, rng) {
            self.write(data, &customer, today, column, to);
        }
    }

    /// An e-mail is given up for a new one. Not one that two share: a contact that went without it
    /// stays so until its own source changes. Nor that of a contact that was merged into another: with a
    /// new name beside it that is a new person, who is made, and judged as if merged.
    fn move_office(&self, data: &mut Distributor, rng: &mut Rng, today: NaiveDate) {
        let Some(customer) = self.somebody(data, rng) else {
            return;
        };
        let email = |row: &Row<'_>| row.text("Email").trim().to_lowercase();
        let customers = data.table("ArCustomer");
        let own = customers
            .row(&[&customer])
            .map_or(String::new(), |row| email(&row));
        let key = record_key(["EDU1", customer.trim_end()]);
        let merged = self.deeds.borrow().is_of_a_pair(&key);
        if !merged && customers.rows().filter(|row| email(row) == own).count() == 1 {
            let email = format!("office{}@moved.example.com", rng.u32(..));
            self.write(data, &customer, today, "Email", &email);
        }
    }

    fn write(
        &self,
        data: &mut Distributor,
        customer: &str,
        today: NaiveDate,
        column: &str,
        to: &str,
    ) {
        let row = data.table("ArCustomer").row(&[customer]);
        let telephone = row.map_or("", |row| row.text("Telephone")).to_owned();
        let next = format!("{MARK}{:04}", mark(&telephone) + 1);
        data.edit_customer(customer, "Telephone", next);
        data.edit_customer(customer, column, to);
        if self.seen_by_date {
            data.edit_customer(customer, "DateLastSale", Some(today));
        }
    }

    /// A value is changed, and some minutes later it is as it was: all of it.
    fn reconsider(&self, world: &World, data: &mut Distributor, rng: &mut Rng, today: NaiveDate) {
        let Some(customer) = self.somebody(data, rng) else {
            return;
        };
        let contact = |data: &Distributor| {
            let row = data.table("ArCustomer").row(&[&customer]);
            row.map_or("", |row| row.text("Contact")).to_owned()
        };
        let before = contact(data);
        self.write(data, &customer, today, "Contact", &before);
        let mut later = world.now();
        for contact in ["Rita Reconsidered".to_owned(), before] {
            later += rng.i64(SECOND..10 * MINUTE);
            let (people, customer) = (self.clone(), customer.clone());
            world.at(later, move |world| {
                world.note(&format!("SYSPRO ArCustomer {customer} is reconsidered"));
                let data = &mut people.erp.borrow_mut().data;
                data.edit_customer(&customer, "Contact", contact);
                if people.seen_by_date {
                    let today = day(world.now() - BEHIND);
                    data.edit_customer(&customer, "DateLastSale", Some(today));
                }
            });
        }
    }
}

/// Whether the ledger has the invoice.
fn is_held(world: &World, key: &InvoiceKey) -> bool {
    let parts = key.parts().map(str::trim_end);
    let key = record_key(std::iter::once("EDU1").chain(parts));
    let held = format!("select 1 from ledger where key = {}", quoted(&key));
    !world.rows(&held).is_empty()
}

const WATCHED: [&str; 2] = ["ArCustomer", "ArInvoice"];

/// The rowversion of the latest write.
fn latest(data: &Distributor) -> Option<u64> {
    let tables = WATCHED.iter().map(|table| data.table(table));
    tables
        .flat_map(|table| table.rows().map(|row| row.stamp()))
        .max()
        .flatten()
}

/// The rows written since, by their keys.
fn moved(before: Option<u64>, data: &Distributor) -> Vec<String> {
    let mut lines = Vec::new();
    for table in WATCHED {
        for row in data.table(table).rows().filter(|row| row.stamp() > before) {
            let columns = ["Customer", "Invoice", "DocumentType"];
            let parts = columns.iter().filter(|name| row.get(name).is_some());
            let key: Vec<&str> = parts.map(|name| row.text(name).trim_end()).collect();
            lines.push(format!("SYSPRO {table} {} changes", key.join("/")));
        }
    }
    lines
}

/// The number of the edit a telephone stands for.
pub fn mark(telephone: &str) -> u32 {
    let number = telephone.trim_end().strip_prefix(MARK);
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn key(row: &Row<'_>) -> InvoiceKey {
    InvoiceKey {
        customer: row.text("Customer").to_owned(),
        invoice: row.text("Invoice").to_owned(),
        document_type: row.text("DocumentType").to_owned(),
    }
}

fn line(rng: &mut Rng) -> NewLine {
    let value = Decimal::new(rng.i64(100..100_000), 2);
    NewLine::stocked("A100", Decimal::from(rng.i64(1..5)), value, Decimal::ZERO)
}
