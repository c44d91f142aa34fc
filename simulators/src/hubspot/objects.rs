//! What the portal holds: records, their unique values, their links, and how a call is undone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Kind;
use super::links::Links;
use crate::Millis;

pub type Id = u64;

/// One record. Properties that are empty are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub id: Id,
    pub properties: BTreeMap<Arc<str>, String>,
    pub archived: bool,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// How often it was written by the API or by people.
    pub writes: u64,
}

impl Object {
    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }

    /// Every value the record holds under a unique property.
    fn unique_values<'a>(&'a self, property: &str) -> impl Iterator<Item = &'a str> {
        let further = if property == "email" {
            self.get("hs_additional_emails")
        } else {
            None
        };
        self.get(property)
            .into_iter()
            .chain(further.into_iter().flat_map(|list| list.split(';')))
    }
}

/// One record written by one call: the trail by which a test proves that nothing was made twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// Which call, counted from 1.
    pub call: u64,
    pub at: Millis,
    pub kind: Kind,
    pub id: Id,
    /// Its custom unique value, if it has one.
    pub key: Option<String>,
    pub created: bool,
}

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<Id, Object>,
    unique: HashMap<Arc<str>, HashMap<String, Id>>,
    merged: HashMap<Id, Id>,
}

enum Undo {
    Object {
        kind: Kind,
        id: Id,
        before: Option<Object>,
    },
    Link {
        from: (Kind, Id),
        to: (Kind, Id),
        before: Vec<u16>,
    },
}

pub struct Store {
    shelves: [Shelf; Kind::ALL.len()],
    links: Links,
    next_id: Id,
    case_matters: bool,
    undo: Vec<Undo>,
    pub landings: Vec<Landing>,
}

/// A point a refused batch goes back to.
#[derive(Clone, Copy)]
pub struct Mark {
    undo: usize,
    landings: usize,
}

impl Store {
    pub fn new(first_id: Id, case_matters: bool) -> Store {
        Store {
            shelves: Default::default(),
            links: Links::default(),
            next_id: first_id,
            case_matters,
            undo: Vec::new(),
            landings: Vec::new(),
        }
    }

    fn shelf(&self, kind: Kind) -> &Shelf {
        &self.shelves[kind as usize]
    }

    fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf {
        &mut self.shelves[kind as usize]
    }

    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.shelf(kind).objects.values()
    }

    /// A record by its id, archived ones included.
    pub fn get(&self, kind: Kind, id: Id) -> Option<&Object> {
        self.shelf(kind).objects.get(&id)
    }

    pub fn live(&self, kind: Kind, id: Id) -> Option<&Object> {
        self.get(kind, id).filter(|object| !object.archived)
    }

    /// The record an id leads to, through merges.
    pub fn survivor(&self, kind: Kind, id: Id) -> Option<&Object> {
        let merged = &self.shelf(kind).merged;
        let mut id = id;
        while let Some(&next) = merged.get(&id) {
            id = next;
        }
        self.live(kind, id)
    }

    pub fn is_unique(&self, kind: Kind, property: &str) -> bool {
        self.shelf(kind).unique.contains_key(property)
    }

    /// From now on no two records of this kind may share a value of this property.
    pub fn make_unique(&mut self, kind: Kind, property: Arc<str>) {
        self.shelf_mut(kind).unique.entry(property).or_default();
    }

    pub fn by_value(&self, kind: Kind, property: &str, value: &str) -> Option<&Object> {
        let spelled = self.spelled(property, value);
        let id = *self.shelf(kind).unique.get(property)?.get(&spelled)?;
        self.live(kind, id)
    }

    /// How a unique value is compared.
    pub fn spelled(&self, property: &str, value: &str) -> String {
        spelled(self.case_matters, property, value)
    }

    /// The custom unique value a record is known by.
    pub fn key_of<'a>(&self, kind: Kind, object: &'a Object) -> Option<&'a str> {
        let names = self.shelf(kind).unique.keys();
        let mut keys: Vec<_> = names.filter(|name| &***name != "email").collect();
        keys.sort();
        keys.into_iter().find_map(|name| object.get(name))
    }

    pub fn fresh_id(&mut self) -> Id {
        // Ids grow, with gaps, as they do where many portals share one counter.
        self.next_id += 1 + self.next_id % 3;
        self.next_id
    }

    pub fn put(&mut self, kind: Kind, object: Object) {
        let id = object.id;
        let before = self.exchange(kind, id, Some(object));
        self.undo.push(Undo::Object { kind, id, before });
    }

    fn exchange(&mut self, kind: Kind, id: Id, after: Option<Object>) -> Option<Object> {
        let case_matters = self.case_matters;
        let shelf = self.shelf_mut(kind);
        let before = match after {
            Some(object) => shelf.objects.insert(id, object),
            None => shelf.objects.remove(&id),
        };
        for (property, index) in &mut shelf.unique {
            if let Some(old) = before.as_ref().filter(|object| !object.archived) {
                for value in old.unique_values(property) {
                    let value = spelled(case_matters, property, value);
                    if index.get(&value) == Some(&id) {
                        index.remove(&value);
                    }
                }
            }
            if let Some(new) = shelf.objects.get(&id).filter(|object| !object.archived) {
                for value in new.unique_values(property) {
                    index.insert(spelled(case_matters, property, value), id);
                }
            }
        }
        before
    }

    pub fn merge_into(&mut self, kind: Kind, gone: Id, survivor: Id) {
        self.shelf_mut(kind).merged.insert(gone, survivor);
    }

    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Sets the types of one pair, both ways; none unlinks it.
    pub fn set_link(&mut self, from: (Kind, Id), to: (Kind, Id), types: Vec<u16>) {
        let before = self.links.set(from, to, types);
        self.undo.push(Undo::Link { from, to, before });
    }

    /// Starts a call: nothing before it can be undone any more.
    pub fn begin(&mut self) {
        self.undo.clear();
    }

    pub fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            landings: self.landings.len(),
        }
    }

    pub fn back_to(&mut self, mark: Mark) {
        while self.undo.len() > mark.undo {
            match self.undo.pop() {
                Some(Undo::Object { kind, id, before }) => {
                    self.exchange(kind, id, before);
                }
                Some(Undo::Link { from, to, before }) => {
                    self.links.set(from, to, before);
                }
                None => break,
            }
        }
        self.landings.truncate(mark.landings);
    }
}

fn spelled(case_matters: bool, property: &str, value: &str) -> String {
    if case_matters && property != "email" {
        value.into()
    } else {
        value.to_lowercase()
    }
}
