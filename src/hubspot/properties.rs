//! Property definitions: `/crm/properties/{version}/{kind}`.

use http::{Request, Response};
use serde_json::{Value, json};

use super::{Api, Kind, body, list, objects, refusal};
use crate::fault::{Fault, Refusal};

/// Definitions in one call; not documented, so no more than records.
pub const MAX_INPUTS: usize = 100;

/// A property as the portal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    /// `string`, `number`, `date`, `datetime`, `enumeration`, `bool`, …
    pub data_type: String,
    /// The values an enumeration takes.
    pub options: Vec<String>,
    pub has_unique_value: bool,
    pub read_only: bool,
    pub calculated: bool,
}

/// A property to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProperty<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub description: &'a str,
    pub data_type: &'a str,
    pub field_type: &'a str,
    /// Value and label, in the order shown; a `bool` needs `true` and `false`.
    pub options: &'a [(&'a str, &'a str)],
    pub unique: bool,
}

impl Property {
    /// Whether a value may be sent for it.
    pub fn writable(&self) -> bool {
        !self.read_only && !self.calculated
    }
}

pub fn list_all(api: &Api, kind: Kind) -> Request<String> {
    api.get("crm/properties", kind.path())
}

pub fn create_batch(
    api: &Api,
    kind: Kind,
    group: &str,
    properties: &[NewProperty],
) -> Request<String> {
    let inputs: Vec<Value> = properties
        .iter()
        .map(|new| definition(new, group))
        .collect();
    let path = format!("{}/batch/create", kind.path());
    api.post("crm/properties", &path, &json!({ "inputs": inputs }))
}

pub fn create_group(api: &Api, kind: Kind, name: &str, label: &str) -> Request<String> {
    let path = format!("{}/groups", kind.path());
    let group = json!({ "name": name, "label": label, "displayOrder": -1 });
    api.post("crm/properties", &path, &group)
}

pub fn get_group(api: &Api, kind: Kind, name: &str) -> Request<String> {
    api.get("crm/properties", &format!("{}/groups/{name}", kind.path()))
}

/// # Errors
/// Every answer that is not the list.
pub fn read_all(response: &Response<Vec<u8>>) -> Result<Vec<Property>, Fault> {
    let body = body(response)?;
    let results = list(response, &body, "results")?;
    Ok(results.iter().filter_map(property).collect())
}

/// What was refused of a group or a batch of properties.
///
/// A refusal says nothing of the rest of its batch, and that something exists already
/// ([`refusal::already_exists`]) nothing of its type: what counts is what is read afterwards.
///
/// # Errors
/// Every answer that is neither yes nor a refusal.
pub fn read_created(response: &Response<Vec<u8>>) -> Result<Vec<Refusal>, Fault> {
    match body(response) {
        Ok(body) => Ok(objects::errors(&body).iter().map(refusal::read).collect()),
        Err(Fault::Refused { refusal, .. }) => Ok(vec![*refusal]),
        Err(fault) => Err(fault),
    }
}

fn definition(new: &NewProperty, group: &str) -> Value {
    let options: Vec<Value> = new
        .options
        .iter()
        .enumerate()
        .map(|(order, (value, label))| {
            json!({ "value": value, "label": label, "displayOrder": order, "hidden": false })
        })
        .collect();
    let mut definition = json!({
        "groupName": group,
        "name": new.name,
        "label": new.label,
        "description": new.description,
        "type": new.data_type,
        "fieldType": new.field_type,
        "hasUniqueValue": new.unique,
        "formField": false,
    });
    if !options.is_empty() {
        definition["options"] = options.into();
    }
    definition
}

fn property(result: &Value) -> Option<Property> {
    let text = |name: &str| result.get(name)?.as_str().map(str::to_owned);
    let flag = |name: &str| result.get(name).and_then(Value::as_bool) == Some(true);
    let metadata = result.get("modificationMetadata");
    let options = result.get("options").and_then(Value::as_array);
    let value = |option: &Value| option.get("value")?.as_str().map(str::to_owned);
    let read_only = metadata.and_then(|metadata| metadata.get("readOnlyValue"));
    Some(Property {
        name: text("name")?,
        data_type: text("type").unwrap_or_default(),
        options: options.into_iter().flatten().filter_map(value).collect(),
        has_unique_value: flag("hasUniqueValue"),
        read_only: read_only.and_then(Value::as_bool) == Some(true),
        calculated: flag("calculated"),
    })
}

#[cfg(test)]
mod tests;
