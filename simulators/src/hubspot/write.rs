//! One record written: every rule it must meet, in the order HubSpot tells them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::errors::{Flaw, Refusal};
use super::objects::{Id, Landing, Object};
use super::options::{PortalRule, TakenEmail, TakenValue};
use super::standard::LIFECYCLE;
use super::values::{Warning, accept, instant};
use super::{Call, Crm, Kind, Version};

pub type Properties = BTreeMap<String, String>;

/// A write that was done.
pub struct Written {
    pub id: Id,
    pub created: bool,
    /// The properties that were sent.
    pub names: Vec<String>,
    pub warnings: Vec<Warning>,
}

/// A record on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    id: String,
    properties: BTreeMap<Cow<'a, str>, Option<Cow<'a, str>>>,
    created_at: String,
    updated_at: String,
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_write_trace_id: Option<String>,
    url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl Crm {
    /// Creates a record, or changes the one named by `target`.
    pub(super) fn write(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
        target: Option<Id>,
        properties: &Properties,
    ) -> Result<Written, Refusal> {
        let before = target.and_then(|id| self.store.live(kind, id)).cloned();
        let mut after = match &before {
            Some(object) => object.clone(),
            None => Object {
                id: self.store.fresh_id(),
                properties: BTreeMap::new(),
                archived: false,
                created_at: call.now,
                updated_at: call.now,
                writes: 0,
            },
        };
        let warnings = self.apply(call.version, kind, &mut after, properties)?;
        self.check_required(call.version, kind, before.is_none(), &after)?;
        self.check_unique(kind, &after, properties)?;
        match kind {
            Kind::Invoice => self.settle_invoice(call.now, before.as_ref(), &mut after)?,
            Kind::LineItem => self.settle_line(&mut after)?,
            Kind::Contact | Kind::Company | Kind::Deal => {}
        }
        after.updated_at = call.now;
        after.writes += 1;
        let id = after.id;
        self.store.landings.push(Landing {
            call: call.number,
            at: call.now,
            kind,
            id,
            key: self.store.key_of(kind, &after).map(str::to_owned),
            created: before.is_none(),
        });
        self.store.put(kind, after);
        if kind == Kind::Contact && before.is_none() {
            self.shadow_company(call.now, id);
        }
        Ok(Written {
            id,
            created: before.is_none(),
            names: properties.keys().cloned().collect(),
            warnings,
        })
    }

    /// Sets the values that are fit to be set, or tells all that are not.
    fn apply(
        &self,
        version: Version,
        kind: Kind,
        after: &mut Object,
        properties: &Properties,
    ) -> Result<Vec<Warning>, Refusal> {
        let definitions = self.schema.of(kind);
        let (mut flaws, mut warnings) = (Vec::new(), Vec::new());
        for (name, raw) in properties {
            let Some(property) = definitions.live(name) else {
                let message = format!("Property \"{name}\" does not exist");
                flaws.push(Flaw::new(name, "PROPERTY_DOESNT_EXIST", message));
                continue;
            };
            match accept(property, after.get(name), raw, version) {
                Err(flaw) => flaws.push(flaw),
                Ok(accepted) => {
                    warnings.extend(accepted.warning);
                    if accepted.value.is_empty() {
                        after.properties.remove(name.as_str());
                    } else if !is_step_back(name, after.get(name), &accepted.value) {
                        let name = property.name.clone();
                        after.properties.insert(name, accepted.value);
                    }
                }
            }
        }
        if flaws.is_empty() {
            Ok(warnings)
        } else {
            Err(Refusal::flawed(&flaws, self.options.portal_id))
        }
    }

    fn check_required(
        &self,
        version: Version,
        kind: Kind,
        new: bool,
        after: &Object,
    ) -> Result<(), Refusal> {
        let missing: &[&str] = match kind {
            Kind::Invoice if after.get("hs_currency").is_none() => &["hs_currency"],
            Kind::Company if after.get("name").or(after.get("domain")).is_none() => {
                &["name", "domain"]
            }
            _ => &[],
        };
        if !missing.is_empty() && (new || kind == Kind::Invoice) {
            let names = missing.iter().map(ToString::to_string).collect();
            let message = format!(
                "Error creating {}. Some required properties were not set.",
                kind.shouted()
            );
            return Err(Refusal::invalid(message).with("properties", names));
        }
        if version < Version::V2026_09 {
            return Ok(());
        }
        let flaws: Vec<Flaw> = self
            .options
            .rules
            .iter()
            .filter_map(|rule| broken(rule, kind, new, after))
            .collect();
        if flaws.is_empty() {
            Ok(())
        } else {
            Err(Refusal::flawed(&flaws, self.options.portal_id))
        }
    }

    fn check_unique(
        &self,
        kind: Kind,
        after: &Object,
        properties: &Properties,
    ) -> Result<(), Refusal> {
        for name in properties.keys().filter(|n| self.store.is_unique(kind, n)) {
            let Some(value) = after.get(name) else {
                continue;
            };
            let holder = self.store.by_value(kind, name, value);
            if let Some(holder) = holder.filter(|holder| holder.id != after.id) {
                return Err(self.taken(kind, name, value, after.id, holder.id));
            }
        }
        Ok(())
    }

    fn taken(&self, kind: Kind, name: &str, value: &str, id: Id, holder: Id) -> Refusal {
        let portal_id = self.options.portal_id;
        let email = name == "email";
        if email && self.options.taken_email == TakenEmail::Conflict {
            let message = format!("Contact already exists. Existing ID: {holder}");
            return Refusal::new(409, "CONFLICT", message);
        }
        if !email && self.options.taken_value == TakenValue::Code {
            let message = format!("{holder} already has that value for {name}.");
            let flaw = Flaw::new(name, "CONFLICTING_UNIQUE_VALUE", message);
            return Refusal::flawed(&[flaw], portal_id);
        }
        Refusal::invalid(format!(
            "Cannot set PropertyValueCoordinates{{portalId={portal_id}, objectTypeId=ObjectTypeId{{legacyObjectType={}}}, propertyName={name}, value={value}}} on {id}. {holder} already has that value.",
            kind.shouted()
        ))
    }

    /// A record with these properties and the system's own; all it holds when none are named.
    pub(super) fn record<'a>(
        &self,
        kind: Kind,
        object: &'a Object,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Record<'a> {
        let mut properties: BTreeMap<Cow<'a, str>, Option<Cow<'a, str>>> = names
            .into_iter()
            .filter(|name| self.schema.of(kind).live(name).is_some())
            .map(|name| (name.into(), object.get(name).map(Cow::from)))
            .collect();
        let (created_at, updated_at) = (instant(object.created_at), instant(object.updated_at));
        let system = [
            (kind.created_property(), created_at.clone()),
            (kind.modified_property(), updated_at.clone()),
            ("hs_object_id", object.id.to_string()),
        ];
        for (name, value) in system {
            properties.insert(name.into(), Some(value.into()));
        }
        Record {
            id: object.id.to_string(),
            properties,
            created_at,
            updated_at,
            archived: object.archived,
            new: None,
            object_write_trace_id: None,
            url: format!(
                "https://{}/contacts/{}/record/{}/{}",
                self.options.ui_domain,
                self.options.portal_id,
                kind.type_id(),
                object.id
            ),
            warnings: Vec::new(),
        }
    }
}

/// A life cycle stage only moves forward; HubSpot keeps silent about a step back.
fn is_step_back(name: &str, held: Option<&str>, value: &str) -> bool {
    let rank = |stage: &str| LIFECYCLE.iter().position(|known| *known == stage);
    name == "lifecyclestage" && held.is_some_and(|held| rank(value) < rank(held))
}

fn broken(rule: &PortalRule, kind: Kind, new: bool, after: &Object) -> Option<Flaw> {
    match rule {
        PortalRule::OnCreate { kind: of, property } => {
            let broken = *of == kind && new && after.get(property).is_none();
            let message = format!("Required property \"{property}\" is missing");
            broken.then(|| Flaw::new(property, "MISSING_REQUIRED_PROPERTY", message))
        }
        PortalRule::When {
            kind: of,
            other,
            equals,
            property,
        } => {
            let applies = *of == kind && after.get(other) == Some(equals.as_str());
            let message =
                format!("Property \"{property}\" is required when \"{other}\" is \"{equals}\"");
            let broken = applies && after.get(property).is_none();
            broken.then(|| Flaw::new(property, "MISSING_CONDITIONAL_REQUIRED_PROPERTY", message))
        }
    }
}
