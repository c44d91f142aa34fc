//! What salespeople do with deals while the weather is bad: they write order numbers on them and take
//! them away, merge and delete deals, and link invoices by hand.

use std::{cell::RefCell, rc::Rc};

use fastrand::Rng;
use simulators::{
    hubspot::{Kind, Object, Portal},
    syspro::Server,
};
use syspro_hubspot_sync::platform::Millis;

use super::{portal::Deeds, tally::Events};
use crate::{
    site::Site,
    world::{Shared, World},
};

/// The deals that people link by hand bear this name, and no numbers.
const BY_HAND: &str = "By hand";

#[derive(Clone)]
pub struct Sellers {
    portal: Shared<Portal>,
    erp: Shared<Server>,
    deeds: Shared<Deeds>,
    events: Events,
    rng: Rc<RefCell<Rng>>,
}

impl Sellers {
    pub fn new(site: &Site, deeds: &Shared<Deeds>, events: &Events, seed: u64) -> Sellers {
        Sellers {
            portal: site.portal.clone(),
            erp: site.erp.clone(),
            deeds: deeds.clone(),
            events: events.clone(),
            rng: Rc::new(RefCell::new(Rng::with_seed(seed ^ 0xdea1))),
        }
    }

    /// Deals there are before anything else happens.
    pub fn begin(&self, world: &World) {
        let many = self.rng.borrow_mut().usize(..8);
        for _ in 0..many {
            self.open(world);
        }
    }

    /// Has things happen at instants of the next `span`.
    pub fn work(&self, world: &World, span: Millis) {
        let many = self.rng.borrow_mut().usize(..20);
        for _ in 0..many {
            let at = world.now() + self.rng.borrow_mut().i64(0..span);
            let sellers = self.clone();
            world.at(at, move |world| sellers.act(world));
        }
    }

    fn act(&self, world: &World) {
        let what = self.rng.borrow_mut().u8(..20);
        let (event, deal) = match what {
            0..4 => ("deal opened", Some(self.open(world))),
            4..11 => ("numbers written", self.write(world, true)),
            11..16 => ("numbers taken away", self.write(world, false)),
            16 => ("deal deleted", self.delete(world)),
            17 => ("deals merged", self.merge(world)),
            _ => ("invoice linked by hand", self.link(world)),
        };
        if let Some(deal) = deal {
            world.note(&format!("HubSpot {event}: {deal}"));
            self.events.count(&format!("HubSpot: {event}"));
        }
    }

    fn open(&self, world: &World) -> u64 {
        let numbers = self.numbers();
        let properties = [("dealname", "A deal"), ("syspro_sales_orders", &*numbers)];
        let mut portal = self.portal.borrow_mut();
        portal.create(world.now(), Kind::Deal, &properties)
    }

    fn write(&self, world: &World, some: bool) -> Option<u64> {
        let deal = self.somebody()?;
        let numbers = if some { self.numbers() } else { String::new() };
        let mut portal = self.portal.borrow_mut();
        let numbers = [("syspro_sales_orders", &*numbers)];
        portal.edit(world.now(), Kind::Deal, deal, &numbers);
        Some(deal)
    }

    fn delete(&self, world: &World) -> Option<u64> {
        let deal = self.somebody()?;
        let mut portal = self.portal.borrow_mut();
        portal.delete(world.now(), Kind::Deal, deal);
        Some(deal)
    }

    fn merge(&self, world: &World) -> Option<u64> {
        let (winner, loser) = (self.somebody()?, self.somebody()?);
        if winner == loser {
            return None;
        }
        let mut portal = self.portal.borrow_mut();
        let survivor = portal.merge(world.now(), Kind::Deal, winner, loser);
        self.deeds.borrow_mut().merged_deals.insert(survivor);
        Some(survivor)
    }

    fn link(&self, world: &World) -> Option<u64> {
        let mut portal = self.portal.borrow_mut();
        let invoice = one_of(portal.objects(Kind::Invoice), &self.rng)?;
        let deal = portal.create(world.now(), Kind::Deal, &[("dealname", BY_HAND)]);
        portal.associate((Kind::Invoice, invoice), (Kind::Deal, deal), &[]);
        self.deeds
            .borrow_mut()
            .linked_by_hand
            .insert((invoice, deal));
        Some(deal)
    }

    fn somebody(&self) -> Option<u64> {
        let portal = self.portal.borrow();
        let deals = portal.objects(Kind::Deal);
        let deals = deals.filter(|deal| deal.get("dealname") != Some(BY_HAND));
        one_of(deals, &self.rng)
    }

    /// Some orders of SYSPRO's, each as its seller writes it, and now and then one there is not.
    fn numbers(&self) -> String {
        let mut rng = self.rng.borrow_mut();
        let erp = self.erp.borrow();
        let invoices = erp.data.table("ArInvoice");
        let mut text = String::new();
        for _ in 0..rng.usize(..4) {
            let row = invoices.rows().nth(rng.usize(..invoices.len().max(1)));
            let order = row.map_or_else(String::new, |row| row.text("SalesOrder").to_owned());
            let order = order.trim().trim_start_matches('0');
            text += &match rng.u8(..4) {
                0 => format!("{order:0>20}"),
                1 => format!("0{order}"),
                2 => order.to_owned(),
                _ => rng.u32(..99_999).to_string(),
            };
            text += [",", ";", " ", "\n", ", "][rng.usize(..5)];
        }
        text
    }
}

fn one_of<'a>(objects: impl Iterator<Item = &'a Object>, rng: &RefCell<Rng>) -> Option<u64> {
    let live: Vec<u64> = objects.filter(|it| !it.archived).map(|it| it.id).collect();
    let place = rng.borrow_mut().usize(..live.len().max(1));
    live.get(place).copied()
}
