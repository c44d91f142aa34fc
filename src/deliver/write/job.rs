//! One object on its way: what is sent of it, and by which name HubSpot is to know it.

use std::collections::BTreeMap;

use crate::{feeds::Object, hash::hash, hubspot::objects::Write, store::targets::Target};

pub const EMAIL: &str = "email";

/// One object to be written, as it will be sent.
pub struct Job {
    pub unit: usize,
    pub trace: String,
    /// Of the properties wanted, whether or not all of them are sent.
    pub hash: String,
    pub target: Target,
    pub properties: BTreeMap<String, String>,
    pub only_if_there: bool,
}

/// How the records of a batch are named.
#[derive(Clone, Copy)]
pub enum Named {
    /// By our key: made where they are not there.
    New,
    /// By our key, and never made.
    Perhaps,
    /// By HubSpot's id.
    Known,
}

impl Job {
    pub fn of(unit: usize, at: usize, object: &Object, target: Target) -> Self {
        let new = target.hubspot_id.is_none();
        let filled = |name: &str| target.filled.contains(name);
        let mut properties: BTreeMap<String, String> = object
            .properties
            .iter()
            .filter(|(name, value)| !value.is_empty() || filled(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if new {
            let missing = |(name, value): (&String, &String)| (name.clone(), value.clone());
            properties.extend(object.on_create.iter().map(missing));
        }
        Self {
            unit,
            trace: format!("{unit}.{at}"),
            hash: hash(&object.properties),
            target,
            properties,
            only_if_there: false,
        }
    }

    pub fn named(&self) -> Named {
        match (self.is_new(), self.only_if_there) {
            (true, false) => Named::New,
            (true, true) => Named::Perhaps,
            (false, _) => Named::Known,
        }
    }

    pub fn as_write(&self) -> Write<'_> {
        let id = self.target.hubspot_id.as_deref();
        Write {
            id: id.unwrap_or(&self.target.object_key),
            trace: &self.trace,
            properties: &self.properties,
        }
    }

    pub fn has_email(&self) -> bool {
        let email = self.properties.get(EMAIL);
        email.is_some_and(|email| !email.is_empty())
    }

    pub fn is_new(&self) -> bool {
        self.target.hubspot_id.is_none()
    }

    /// The record is not there under the id we knew: nothing of what it was linked to stands.
    pub fn forget_id(&mut self, object: &Object) {
        self.target.hubspot_id = None;
        self.target.links.clear();
        self.target.filled.clear();
        self.target.status = None;
        self.properties.extend(
            object
                .on_create
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        self.properties.retain(|_, value| !value.is_empty());
    }
}
