//! Property definitions: what a record of a kind may hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Kind, standard};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    Bool,
    Date,
    #[serde(rename = "datetime")]
    DateTime,
    Enumeration,
    Number,
    PhoneNumber,
    String,
}

/// A property as the properties API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    pub updated_at: String,
    pub created_at: String,
    #[serde(serialize_with = "text")]
    pub name: Arc<str>,
    pub label: String,
    #[serde(rename = "type")]
    pub kind: Type,
    pub field_type: String,
    pub description: String,
    pub group_name: String,
    pub options: Vec<Choice>,
    pub display_order: i64,
    pub calculated: bool,
    pub external_options: bool,
    pub archived: bool,
    pub has_unique_value: bool,
    pub hidden: bool,
    /// Own properties leave it out instead of saying false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hubspot_defined: bool,
    pub modification_metadata: Modification,
    pub form_field: bool,
}

fn text<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Modification {
    pub archivable: bool,
    pub read_only_definition: bool,
    pub read_only_value: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    pub label: String,
    pub value: String,
    pub display_order: i64,
    pub hidden: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    pub name: String,
    pub label: String,
    pub display_order: i64,
    pub archived: bool,
}

/// The definitions of one kind.
pub struct Definitions {
    pub properties: BTreeMap<Arc<str>, Property>,
    pub groups: BTreeMap<String, Group>,
    /// Names once held by a property without the unique flag; they can never have it.
    pub once_plain: BTreeSet<Arc<str>>,
}

impl Definitions {
    /// A property that is there and not archived.
    pub fn live(&self, name: &str) -> Option<&Property> {
        self.properties
            .get(name)
            .filter(|property| !property.archived)
    }
}

pub struct Schema {
    kinds: [Definitions; Kind::ALL.len()],
}

impl Schema {
    /// The properties every portal has.
    pub fn new(invoice_amounts_writable: bool) -> Schema {
        Schema {
            kinds: Kind::ALL.map(|kind| standard::definitions(kind, invoice_amounts_writable)),
        }
    }

    pub fn of(&self, kind: Kind) -> &Definitions {
        &self.kinds[kind as usize]
    }

    pub fn of_mut(&mut self, kind: Kind) -> &mut Definitions {
        &mut self.kinds[kind as usize]
    }
}
