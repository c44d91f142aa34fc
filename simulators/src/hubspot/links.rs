//! Links between records, and which kinds of link there are.

use std::collections::{BTreeMap, HashMap};

use super::Kind;
use super::objects::Id;

/// One kind of link in one direction.
pub struct LinkType {
    pub from: Kind,
    pub to: Kind,
    pub id: u16,
    pub reverse: u16,
    pub label: Option<&'static str>,
}

const fn link(from: Kind, to: Kind, id: u16, reverse: u16) -> LinkType {
    LinkType {
        from,
        to,
        id,
        reverse,
        label: None,
    }
}

const fn labelled(from: Kind, to: Kind, id: u16, reverse: u16, label: &'static str) -> LinkType {
    LinkType {
        from,
        to,
        id,
        reverse,
        label: Some(label),
    }
}

use Kind::{Company, Contact, Deal, Invoice, LineItem};

/// The unlabelled type of each pair of kinds comes first: it is what `default` gives.
static TYPES: [LinkType; 26] = [
    link(Contact, Company, 279, 280),
    labelled(Contact, Company, 1, 2, "Primary"),
    labelled(Contact, Company, 931, 930, "Billing contact"),
    link(Company, Contact, 280, 279),
    labelled(Company, Contact, 2, 1, "Primary"),
    labelled(Company, Contact, 930, 931, "Billing contact"),
    link(Company, Company, 450, 450),
    labelled(Company, Company, 13, 14, "Child Company"),
    labelled(Company, Company, 14, 13, "Parent Company"),
    link(Contact, Contact, 449, 449),
    link(Deal, Company, 341, 342),
    labelled(Deal, Company, 5, 6, "Primary"),
    link(Company, Deal, 342, 341),
    labelled(Company, Deal, 6, 5, "Primary"),
    link(Deal, Contact, 3, 4),
    link(Contact, Deal, 4, 3),
    link(Deal, LineItem, 19, 20),
    link(LineItem, Deal, 20, 19),
    link(Invoice, Contact, 177, 178),
    link(Contact, Invoice, 178, 177),
    link(Invoice, Company, 179, 180),
    link(Company, Invoice, 180, 179),
    link(Invoice, Deal, 175, 176),
    link(Deal, Invoice, 176, 175),
    link(Invoice, LineItem, 409, 410),
    link(LineItem, Invoice, 410, 409),
];

pub fn types_between(from: Kind, to: Kind) -> impl Iterator<Item = &'static LinkType> {
    TYPES
        .iter()
        .filter(move |link| link.from == from && link.to == to)
}

pub fn default_type(from: Kind, to: Kind) -> Option<&'static LinkType> {
    types_between(from, to).next()
}

pub fn type_by_id(id: u16) -> Option<&'static LinkType> {
    TYPES.iter().find(|link| link.id == id)
}

/// Whether a pair may be the only one of its type on its `from` side.
pub fn is_primary(link: &LinkType) -> bool {
    link.label == Some("Primary") && link.to == Company
}

/// One record at the end of a link.
pub type End = (Kind, Id);

#[derive(Default)]
pub struct Links {
    ends: HashMap<End, BTreeMap<End, Vec<u16>>>,
}

impl Links {
    /// What a record is linked to, kind by kind.
    pub fn of(&self, from: End, to: Kind) -> impl Iterator<Item = (Id, &[u16])> {
        self.ends
            .get(&from)
            .into_iter()
            .flat_map(move |links| links.range((to, 0)..=(to, Id::MAX)))
            .map(|(end, types)| (end.1, types.as_slice()))
    }

    /// Everything a record is linked to.
    pub fn all_of(&self, from: End) -> impl Iterator<Item = (End, &[u16])> {
        let links = self.ends.get(&from).into_iter().flatten();
        links.map(|(end, types)| (*end, types.as_slice()))
    }

    pub fn between(&self, from: End, to: End) -> &[u16] {
        let links = self.ends.get(&from).and_then(|links| links.get(&to));
        links.map(Vec::as_slice).unwrap_or_default()
    }

    /// Sets a pair's types in both directions and returns what they were.
    pub fn set(&mut self, from: End, to: End, mut types: Vec<u16>) -> Vec<u16> {
        types.sort_unstable();
        types.dedup();
        let reverse = types
            .iter()
            .filter_map(|id| type_by_id(*id))
            .map(|link| link.reverse)
            .collect::<Vec<_>>();
        self.set_one(to, from, reverse);
        self.set_one(from, to, types)
    }

    fn set_one(&mut self, from: End, to: End, mut types: Vec<u16>) -> Vec<u16> {
        types.sort_unstable();
        let links = self.ends.entry(from).or_default();
        let before = if types.is_empty() {
            links.remove(&to)
        } else {
            links.insert(to, types)
        };
        before.unwrap_or_default()
    }
}
