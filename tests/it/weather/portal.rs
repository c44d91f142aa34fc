//! What people do in HubSpot while the weather is bad: they edit, merge and delete.
//!
//! They leave alone what the sync has only just made: a create that HubSpot may still do a second
//! time, because its first answer was lost, brings back whatever was merged away meanwhile, and no
//! key can prevent that.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use fastrand::Rng;
use simulators::{
    data::Distributor,
    hubspot::{Kind, Object, Portal},
    syspro::Server,
};
use syspro_hubspot_sync::{
    platform::{HOUR, MINUTE, Millis},
    syspro::key_parts,
};

use super::tally::Events;
use crate::{
    site::Site,
    world::{Shared, World},
};

/// Older than this, no write that made it can still land.
const SETTLED: Millis = 6 * MINUTE;

/// Properties with their values.
type Values = Vec<(&'static str, String)>;

/// What people did in HubSpot that whoever judges has to know.
#[derive(Default)]
pub struct Deeds {
    /// Customers whose record must be replayed to be whole again.
    pub customers_to_mend: BTreeSet<String>,
    /// Invoices likewise.
    pub invoices_to_mend: BTreeSet<String>,
    /// Objects that may be made once more.
    pub made_again: BTreeMap<(Kind, String), u32>,
    /// Two of ours that became one: the kind, whose key it keeps, and the other's.
    pub merged: Vec<(Kind, String, String)>,
    /// Customers that people linked to a record of their own.
    pub linked: BTreeSet<String>,
    /// Links between invoices and deals that people made.
    pub linked_by_hand: BTreeSet<(u64, u64)>,
    /// Deals that others were merged into: they have the links of all.
    pub merged_deals: BTreeSet<u64>,
    /// Values people wrote where SYSPRO has none: object, property, value.
    pub theirs: BTreeMap<(Kind, String), (&'static str, String)>,
    /// Records people made themselves, with all they put there.
    pub own: Vec<(Kind, u64, Values)>,
}

impl Deeds {
    /// Whether an object there was before may be made again: once for each time it was deleted.
    pub fn forgive(&mut self, name: &(Kind, String)) -> bool {
        let left = self.made_again.get_mut(name).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }

    /// Whether this is one of two that people merged.
    pub fn is_of_a_pair(&self, key: &str) -> bool {
        let customer = customer_of(key);
        let mut merged = self.merged.iter();
        merged.any(|(_, a, b)| customer_of(a) == customer || customer_of(b) == customer)
    }
}

#[derive(Clone)]
pub struct Colleagues {
    portal: Shared<Portal>,
    erp: Shared<Server>,
    deeds: Shared<Deeds>,
    events: Events,
    rng: Rc<RefCell<Rng>>,
}

impl Colleagues {
    pub fn new(site: &Site, deeds: &Shared<Deeds>, events: &Events, seed: u64) -> Colleagues {
        Colleagues {
            portal: site.portal.clone(),
            erp: site.erp.clone(),
            deeds: deeds.clone(),
            events: events.clone(),
            rng: Rc::new(RefCell::new(Rng::with_seed(seed))),
        }
    }

    /// Has something happen at an instant of the next `span`.
    pub fn act(&self, world: &World, span: Millis) {
        let at = world.now() + self.rng.borrow_mut().i64(0..span);
        let colleagues = self.clone();
        world.at(at, move |world| colleagues.change(world));
    }

    /// Sales knows some of the customers already: one or two companies of a domain, contacts.
    pub fn prospect(&self, world: &World) {
        // Long enough ago to be found.
        let made = world.now() - HOUR;
        let known = self.rng.borrow_mut().usize(1..8);
        for _ in 0..known {
            let Some((email, domain)) = self.address() else {
                continue;
            };
            let city = format!("their city {}", self.rng.borrow_mut().u16(..));
            let company = vec![
                ("name", "As sales calls it".to_owned()),
                ("domain", domain),
                ("city", city),
            ];
            let person = vec![
                ("email", email),
                ("firstname", "Whom sales knows".to_owned()),
            ];
            let times = 1 + usize::from(self.rng.borrow_mut().u8(..4) == 0);
            for _ in 0..times {
                self.make(made, Kind::Company, company.clone());
            }
            if self.rng.borrow_mut().bool() {
                self.make(made, Kind::Contact, person);
            }
            self.events.count("HubSpot: a prospect there");
        }
    }

    /// An address of some customer's in SYSPRO, and its domain.
    fn address(&self) -> Option<(String, String)> {
        let erp = self.erp.borrow();
        let customers = erp.data.table("ArCustomer").rows();
        let emails: Vec<String> = customers
            .map(|row| row.text("Email").trim().to_lowercase())
            .filter(|email| !email.contains([',', ';', ' ']))
            .collect();
        let email = emails.get(self.rng.borrow_mut().usize(..emails.len().max(1)))?;
        let (_, domain) = email.split_once('@')?;
        Some((email.clone(), domain.to_owned()))
    }

    fn make(&self, at: Millis, kind: Kind, values: Values) {
        let mut portal = self.portal.borrow_mut();
        let email = values.iter().find(|(name, _)| *name == "email");
        if email.is_some_and(|(_, email)| portal.by_value(kind, "email", email).is_some()) {
            return;
        }
        let properties: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let id = portal.create(at, kind, &properties);
        self.deeds.borrow_mut().own.push((kind, id, values));
    }

    /// Has what they wrote on a record of their own changed.
    pub fn revise(&self, world: &World, span: Millis) {
        let at = world.now() + self.rng.borrow_mut().i64(0..span);
        let colleagues = self.clone();
        world.at(at, move |world| {
            let mut deeds = colleagues.deeds.borrow_mut();
            let mut rng = colleagues.rng.borrow_mut();
            let place = rng.usize(..deeds.own.len().max(1));
            let Some((kind, id, values)) = deeds.own.get_mut(place) else {
                return;
            };
            let own = |name: &str| matches!(name, "city" | "firstname");
            let written = values.iter_mut().find(|(name, _)| own(name));
            let Some((name, value)) = written else {
                return;
            };
            *value = format!("revised {}", rng.u16(..));
            let mut portal = colleagues.portal.borrow_mut();
            portal.edit(world.now(), *kind, *id, &[(name, value)]);
            colleagues.events.count("HubSpot: their own record edited");
        });
    }

    fn change(&self, world: &World) {
        let what = self.rng.borrow_mut().u8(..11);
        if what == 10 {
            return self.prospect(world);
        }
        let done = match what {
            0..3 => self.fill_in(world),
            3 => self.correct(world),
            4 => self.absorb(world),
            5 => self.delete(world, Kind::Company),
            6 => self.delete(world, Kind::Contact),
            7 => self.delete(world, Kind::Invoice),
            8 => self.merge(world, Kind::Company),
            _ => self.merge(world, Kind::Contact),
        };
        if let Some((event, key)) = done {
            world.note(&format!("HubSpot {event}: {key}"));
            self.events.count(&format!("HubSpot: {event}"));
        }
    }

    /// Fills in what SYSPRO leaves blank: theirs from then on.
    fn fill_in(&self, world: &World) -> Option<(&'static str, String)> {
        let (key, id) = self.somebody(world, Kind::Company)?;
        let erp = self.erp.borrow();
        let property = match ["SoldToAddr2", "SoldPostalCode"].map(|it| blank(&erp.data, &key, it))
        {
            [true, _] => "address2",
            [_, true] => "zip",
            _ => "website",
        };
        let value = format!("theirs{}", self.rng.borrow_mut().u16(..));
        let mut portal = self.portal.borrow_mut();
        portal.edit(world.now(), Kind::Company, id, &[(property, &value)]);
        let mut deeds = self.deeds.borrow_mut();
        deeds
            .theirs
            .insert((Kind::Company, key.clone()), (property, value));
        Some(("field filled in", key))
    }

    /// Changes what is SYSPRO's by mistake: a replay puts it right.
    fn correct(&self, world: &World) -> Option<(&'static str, String)> {
        let (key, id) = self.somebody(world, Kind::Company)?;
        let mut portal = self.portal.borrow_mut();
        portal.edit(world.now(), Kind::Company, id, &[("name", "Wrong Inc")]);
        let mut deeds = self.deeds.borrow_mut();
        deeds.customers_to_mend.insert(key.clone());
        Some(("field overwritten", key))
    }

    /// Merges a company of ours into one of their own making.
    fn absorb(&self, world: &World) -> Option<(&'static str, String)> {
        let (key, id) = self.somebody(world, Kind::Company)?;
        let now = world.now();
        let mut portal = self.portal.borrow_mut();
        let own = portal.create(now, Kind::Company, &[("name", "Made by a person")]);
        portal.merge(now, Kind::Company, own, id);
        let mut deeds = self.deeds.borrow_mut();
        deeds.customers_to_mend.insert(key.clone());
        Some(("company merged into their own", key))
    }

    fn delete(&self, world: &World, kind: Kind) -> Option<(&'static str, String)> {
        let (key, id) = self.somebody(world, kind)?;
        let mut portal = self.portal.borrow_mut();
        let lines: Vec<String> = portal
            .associations(kind, id, Kind::LineItem)
            .into_iter()
            .filter_map(|(line, _)| portal.object(Kind::LineItem, line)?.get("syspro_key"))
            .map(str::to_owned)
            .collect();
        portal.delete(world.now(), kind, id);
        let mut deeds = self.deeds.borrow_mut();
        let lines = lines.into_iter().map(|line| (Kind::LineItem, line));
        for name in lines.chain([(kind, key.clone())]) {
            *deeds.made_again.entry(name).or_default() += 1;
        }
        match kind {
            Kind::Invoice => deeds.invoices_to_mend.insert(key.clone()),
            _ => deeds.customers_to_mend.insert(customer_of(&key)),
        };
        deeds.theirs.remove(&(kind, key.clone()));
        Some((
            match kind {
                Kind::Company => "company deleted",
                Kind::Contact => "contact deleted",
                _ => "invoice deleted",
            },
            key,
        ))
    }

    /// Merges two of ours. Nobody is merged twice, nor merged and deleted.
    fn merge(&self, world: &World, kind: Kind) -> Option<(&'static str, String)> {
        let (winner, loser) = (self.somebody(world, kind)?, self.somebody(world, kind)?);
        let mut deeds = self.deeds.borrow_mut();
        let touched = |key: &str| {
            let customer = customer_of(key);
            deeds.customers_to_mend.contains(&customer) || deeds.is_of_a_pair(key)
        };
        if winner.0 == loser.0 || touched(&winner.0) || touched(&loser.0) {
            return None;
        }
        let mut portal = self.portal.borrow_mut();
        if kind == Kind::Contact
            && !(self.has_its_email(&portal, &winner) && self.has_its_email(&portal, &loser))
        {
            return None;
        }
        portal.merge(world.now(), kind, winner.1, loser.1);
        deeds.theirs.remove(&(kind, winner.0.clone()));
        deeds.theirs.remove(&(kind, loser.0.clone()));
        deeds.merged.push((kind, winner.0.clone(), loser.0));
        Some(("two merged", winner.0))
    }

    /// Whether the contact is still the one SYSPRO names.
    fn has_its_email(&self, portal: &Portal, (key, id): &(String, u64)) -> bool {
        let erp = self.erp.borrow();
        let customer = key_parts(key).into_iter().nth(1).unwrap_or_default();
        let mut customers = erp.data.table("ArCustomer").rows();
        let row = customers.find(|row| row.text("Customer").trim_end() == customer);
        let email = row
            .map_or("", |row| row.text("Email"))
            .trim()
            .to_lowercase();
        let contact = portal.object(Kind::Contact, *id);
        contact.is_some_and(|contact| contact.get("email").unwrap_or("") == email)
    }

    /// A record the ledger knows by its id, with its key; none of a merged pair.
    fn somebody(&self, world: &World, kind: Kind) -> Option<(String, u64)> {
        let portal = self.portal.borrow();
        let before = world.now() - SETTLED;
        let live = |object: &&Object| !object.archived && object.created_at < before;
        let all: Vec<&Object> = portal.objects(kind).filter(live).collect();
        let object = all.get(self.rng.borrow_mut().usize(..all.len().max(1)))?;
        let key = object.get("syspro_key")?.to_owned();
        let known = format!(
            "select 1 from targets where kind = '{}' and object_key = {}
             and hubspot_id = '{}'",
            match kind {
                Kind::Company => "company",
                Kind::Contact => "contact",
                _ => "invoice",
            },
            quoted(&key),
            object.id
        );
        let deeds = self.deeds.borrow();
        // What is theirs is looked at value by value in the end.
        if deeds
            .own
            .iter()
            .any(|(of, id, _)| (*of, *id) == (kind, object.id))
        {
            return None;
        }
        let known = !world.rows(&known).is_empty();
        (known && !deeds.is_of_a_pair(&key)).then_some((key, object.id))
    }
}

/// The customer's key that any key of ours begins with.
pub fn customer_of(key: &str) -> String {
    key.split('/').take(2).collect::<Vec<_>>().join("/")
}

/// As SQL takes it.
pub fn quoted(key: &str) -> String {
    format!("'{}'", key.replace('\'', "''"))
}

fn blank(data: &Distributor, key: &str, column: &str) -> bool {
    let mut customers = data.table("ArCustomer").rows();
    let row = customers.find(|row| Some(row.text("Customer").trim_end()) == key.split('/').nth(1));
    row.is_some_and(|row| row.text(column).trim().is_empty())
}
