//! What people do in the portal, past the API: the sync has to live with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::links::default_type;
use super::objects::{Id, Object};
use super::properties::NewProperty;
use super::schema::{Group, Type};
use super::{Crm, Kind, Portal};
use crate::Millis;

/// The group the properties people add are in.
const GROUP: &str = "added_by_people";

impl Portal {
    pub fn create(&mut self, now: Millis, kind: Kind, properties: &[(&str, &str)]) -> Id {
        let id = self.crm.store.fresh_id();
        let object = Object {
            id,
            properties: BTreeMap::new(),
            archived: false,
            created_at: now,
            updated_at: now,
            writes: 0,
        };
        self.crm.store.put(kind, object);
        self.edit(now, kind, id, properties);
        id
    }

    /// Changes a record; an empty value clears. False when there is no such record.
    pub fn edit(&mut self, now: Millis, kind: Kind, id: Id, properties: &[(&str, &str)]) -> bool {
        let Some(mut object) = self.crm.store.live(kind, id).cloned() else {
            return false;
        };
        for (name, value) in properties {
            if value.is_empty() {
                object.properties.remove(*name);
            } else {
                object.properties.insert((*name).into(), (*value).into());
            }
        }
        object.updated_at = now;
        object.writes += 1;
        self.crm.store.put(kind, object);
        true
    }

    pub fn delete(&mut self, now: Millis, kind: Kind, id: Id) {
        self.crm.archive_anyway(now, kind, id);
    }

    /// Merges two live records; the id of the survivor.
    pub fn merge(&mut self, now: Millis, kind: Kind, winner: Id, loser: Id) -> Id {
        self.crm.merge(now, kind, winner, loser)
    }

    /// Links two records with the unlabelled type and any further ones.
    pub fn associate(&mut self, from: (Kind, Id), to: (Kind, Id), further: &[u16]) {
        let plain = default_type(from.0, to.0).map(|link| link.id);
        let types = further.iter().copied().chain(plain).collect();
        self.crm.set_pair(from, to, types);
    }

    /// Takes all links of a pair away.
    pub fn dissociate(&mut self, from: (Kind, Id), to: (Kind, Id)) {
        self.crm.set_pair(from, to, Vec::new());
    }

    /// Adds a property; false when the name is taken or cannot be had.
    pub fn add_property(
        &mut self,
        now: Millis,
        kind: Kind,
        name: &str,
        of: Type,
        unique: bool,
    ) -> bool {
        let groups = &mut self.crm.schema.of_mut(kind).groups;
        groups.entry(GROUP.into()).or_insert_with(|| Group {
            name: GROUP.into(),
            label: "Added by people".into(),
            display_order: -1,
            archived: false,
        });
        let field_type = match of {
            Type::Bool => "booleancheckbox",
            Type::Date | Type::DateTime => "date",
            Type::Enumeration => "select",
            Type::Number => "number",
            Type::PhoneNumber => "phonenumber",
            Type::String => "text",
        };
        let property = NewProperty {
            name: name.into(),
            label: name.into(),
            kind: of,
            field_type: field_type.into(),
            group_name: GROUP.into(),
            description: String::new(),
            options: if of == Type::Bool {
                yes_and_no()
            } else {
                Vec::new()
            },
            has_unique_value: unique,
            form_field: false,
            hidden: false,
            display_order: None,
        };
        self.crm.define(now, kind, property).is_ok()
    }

    /// Archives a property of people's or of the sync's.
    pub fn remove_property(&mut self, kind: Kind, name: &str) {
        self.crm.archive_property(kind, name);
    }
}

fn yes_and_no() -> Vec<super::schema::Choice> {
    ["true", "false"]
        .into_iter()
        .zip(0..)
        .map(|(value, display_order)| super::schema::Choice {
            label: value.into(),
            value: value.into(),
            display_order,
            hidden: false,
        })
        .collect()
}

impl Crm {
    /// The winner's values stand, the loser's fill what is empty; links move over.
    pub(super) fn merge(&mut self, now: Millis, kind: Kind, winner: Id, loser: Id) -> Id {
        let pair = self
            .store
            .live(kind, winner)
            .zip(self.store.live(kind, loser));
        let Some((kept, gone)) = pair.map(|(kept, gone)| (kept.clone(), gone.clone())) else {
            return winner;
        };
        let new_id = self.options.merge_makes_new_id;
        let id = if new_id {
            self.store.fresh_id()
        } else {
            winner
        };
        let mut survivor = merged(&kept, &gone);
        survivor.id = id;
        survivor.updated_at = now;
        survivor.writes += 1;
        let parts: &[Id] = if new_id { &[winner, loser] } else { &[loser] };
        for part in parts {
            let links: Vec<_> = self
                .store
                .links()
                .all_of((kind, *part))
                .map(|(end, types)| (end, types.to_vec()))
                .collect();
            for (end, types) in links {
                self.store.set_link((kind, *part), end, Vec::new());
                let mut all = self.store.links().between((kind, id), end).to_vec();
                all.extend(types);
                if end != (kind, id) {
                    self.store.set_link((kind, id), end, all);
                }
            }
            self.archive_anyway(now, kind, *part);
            self.store.merge_into(kind, *part, id);
        }
        self.store.put(kind, survivor);
        id
    }
}

fn merged(kept: &Object, gone: &Object) -> Object {
    let mut survivor = kept.clone();
    for (name, value) in &gone.properties {
        let mine = survivor.properties.entry(name.clone());
        mine.or_insert_with(|| value.clone());
    }
    let joined = |name: &str, further: Option<&str>| {
        let parts = [kept.get(name), gone.get(name), further];
        parts.into_iter().flatten().collect::<Vec<_>>().join(";")
    };
    let mut set = |name: &str, value: String| {
        if !value.is_empty() {
            survivor.properties.insert(Arc::from(name), value);
        }
    };
    let other = gone.get("email").filter(|_| kept.get("email").is_some());
    set(
        "hs_additional_emails",
        joined("hs_additional_emails", other),
    );
    let ids = format!("{};{}", kept.id, gone.id);
    set(
        "hs_merged_object_ids",
        joined("hs_merged_object_ids", Some(&ids)),
    );
    survivor
}
