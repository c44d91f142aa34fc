//! Defining properties and groups.

use std::sync::Arc;

use serde::Deserialize;

use super::batch::{Inputs, Outcome, check_size};
use super::errors::Refusal;
use super::records::Page;
use super::schema::{Choice, Modification, Property, Type};
use super::values::instant;
use super::wire::{Call, Reply};
use super::{Crm, Kind};
use crate::Millis;

const MOST_UNIQUE: usize = 10;
const MOST_INPUTS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewProperty {
    pub name: String,
    pub label: String,
    #[serde(rename = "type")]
    pub kind: Type,
    pub field_type: String,
    pub group_name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub options: Vec<Choice>,
    #[serde(default)]
    pub has_unique_value: bool,
    #[serde(default)]
    pub form_field: bool,
    #[serde(default)]
    pub hidden: bool,
    #[serde(default)]
    pub display_order: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    label: Option<String>,
    description: Option<String>,
    group_name: Option<String>,
    options: Option<Vec<Choice>>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Crm {
    pub(super) fn list_properties(&self, call: &Call<'_>, kind: Kind) -> Reply {
        let archived = call.asks("archived", "true");
        let all = self.schema.of(kind).properties.values();
        let results: Vec<&Property> = all.filter(|p| p.archived == archived).collect();
        Reply::json(200, &page(results))
    }

    pub(super) fn read_property(&self, kind: Kind, name: &str) -> Result<Reply, Refusal> {
        let property = self.schema.of(kind).live(name);
        let property = property.ok_or_else(|| unknown_property(name))?;
        Ok(Reply::json(200, property))
    }

    pub(super) fn create_property(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
    ) -> Result<Reply, Refusal> {
        let input: NewProperty = self.parse(call)?;
        let property = self.define(call.now, kind, input)?;
        let place = format!("{}/{}", call.path, property.name);
        Ok(Reply::json(201, &property).header("location", place))
    }

    pub(super) fn create_properties(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<NewProperty> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_INPUTS)?;
        let (mut results, mut refusals) = (Vec::new(), Vec::new());
        for input in inputs {
            let name = input.name.clone();
            match self.define(call.now, kind, input) {
                Ok(property) => results.push(property),
                Err(refusal) => refusals.push(refusal.with("name", vec![name])),
            }
        }
        let outcome = Outcome::new(call, results, refusals);
        Ok(Reply::json(outcome.status(201), &outcome))
    }

    pub(super) fn read_properties(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<Named> { inputs } = self.parse(call)?;
        let (mut results, mut refusals) = (Vec::new(), Vec::new());
        for input in &inputs {
            match self.schema.of(kind).live(&input.name) {
                Some(property) => results.push(property),
                None => refusals.push(unknown_property(&input.name)),
            }
        }
        let outcome = Outcome::new(call, results, refusals);
        Ok(Reply::json(outcome.status(200), &outcome))
    }

    pub(super) fn archive_properties(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<Named> { inputs } = self.parse(call)?;
        for input in &inputs {
            self.archive_property(kind, &input.name);
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn archive_property(&mut self, kind: Kind, name: &str) -> Reply {
        let definitions = self.schema.of_mut(kind);
        let property = definitions.properties.get_mut(name);
        if let Some(property) = property.filter(|p| p.modification_metadata.archivable) {
            property.archived = true;
            if !property.has_unique_value {
                let name = property.name.clone();
                definitions.once_plain.insert(name);
            }
        }
        Reply::empty(204)
    }

    pub(super) fn change_property(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
        name: &str,
    ) -> Result<Reply, Refusal> {
        let change: Change = self.parse(call)?;
        if let Some(group) = &change.group_name {
            self.check_group(kind, group)?;
        }
        let definitions = self.schema.of_mut(kind);
        let property = definitions.properties.get_mut(name);
        let property = property
            .filter(|property| !property.archived)
            .ok_or_else(|| unknown_property(name))?;
        if property.modification_metadata.read_only_definition {
            return Err(Refusal::invalid(format!(
                "The definition of property '{name}' is read only"
            )));
        }
        property.label = change.label.unwrap_or_else(|| property.label.clone());
        if let Some(description) = change.description {
            property.description = description;
        }
        if let Some(group) = change.group_name {
            property.group_name = group;
        }
        if let Some(options) = change.options {
            property.options = options;
        }
        property.updated_at = instant(call.now);
        Ok(Reply::json(200, property))
    }

    /// Makes a property, or brings an archived one back under its name.
    pub(super) fn define(
        &mut self,
        now: Millis,
        kind: Kind,
        input: NewProperty,
    ) -> Result<Property, Refusal> {
        self.check_definition(kind, &input)?;
        let at = instant(now);
        let name: Arc<str> = input.name.into();
        let property = Property {
            updated_at: at.clone(),
            created_at: at,
            name: name.clone(),
            label: input.label,
            kind: input.kind,
            field_type: input.field_type,
            description: input.description,
            group_name: input.group_name,
            options: input.options,
            display_order: input.display_order.unwrap_or(-1),
            calculated: false,
            external_options: false,
            archived: false,
            has_unique_value: input.has_unique_value,
            hidden: input.hidden,
            hubspot_defined: false,
            modification_metadata: Modification {
                archivable: true,
                read_only_definition: false,
                read_only_value: false,
            },
            form_field: input.form_field,
        };
        let definitions = self.schema.of_mut(kind);
        definitions
            .properties
            .insert(name.clone(), property.clone());
        if property.has_unique_value {
            self.store.make_unique(kind, name);
        }
        Ok(property)
    }

    fn check_definition(&self, kind: Kind, input: &NewProperty) -> Result<(), Refusal> {
        let definitions = self.schema.of(kind);
        let name = input.name.as_str();
        if definitions.live(name).is_some() {
            let message = format!("A property named '{name}' already exists.");
            return Err(Refusal::new(409, "OBJECT_ALREADY_EXISTS", message)
                .sub_category("Properties.PROPERTY_WITH_NAME_EXISTS"));
        }
        let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 100
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !sound {
            return Err(Refusal::invalid(format!(
                "Property name '{name}' is invalid"
            )));
        }
        self.check_group(kind, &input.group_name)?;
        if !fits(input.kind, &input.field_type) {
            return Err(Refusal::invalid(format!(
                "fieldType '{}' does not fit the type of property '{name}'",
                input.field_type
            )));
        }
        let values: Vec<&str> = input.options.iter().map(|o| o.value.as_str()).collect();
        let both = ["true", "false"].iter().all(|value| values.contains(value));
        if input.kind == Type::Bool && !(both && values.len() == 2) {
            return Err(Refusal::invalid(format!(
                "Boolean property '{name}' must have exactly two options, true and false"
            )));
        }
        if !input.has_unique_value {
            return Ok(());
        }
        if definitions.once_plain.contains(name) {
            return Err(Refusal::invalid(
                "The following property cannot be created with hasUniqueValue=true because a non-unique property with the same name previously existed in this portal",
            ));
        }
        let unique = definitions.properties.values();
        if unique.filter(|p| p.has_unique_value && !p.archived).count() >= MOST_UNIQUE {
            return Err(Refusal::invalid(format!(
                "Only {MOST_UNIQUE} unique properties are allowed for an object"
            )));
        }
        Ok(())
    }
}

pub fn page<R>(results: Vec<R>) -> Page<R> {
    Page {
        total: None,
        results,
        paging: None,
    }
}

fn unknown_property(name: &str) -> Refusal {
    let message = format!("Property {name} does not exist");
    Refusal::new(404, "OBJECT_NOT_FOUND", message)
}

fn fits(kind: Type, field: &str) -> bool {
    match kind {
        Type::Bool => {
            ["booleancheckbox", "radio", "select", "calculation_equation"].contains(&field)
        }
        Type::Date | Type::DateTime => field == "date",
        Type::Enumeration => ["checkbox", "radio", "select", "booleancheckbox"].contains(&field),
        Type::Number => ["number", "calculation_equation"].contains(&field),
        Type::PhoneNumber => field == "phonenumber",
        Type::String => ["text", "textarea", "html", "file", "phonenumber"].contains(&field),
    }
}
