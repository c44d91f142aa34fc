//! `PATCH /connections/{id}`: what may change, and what must come with it.
//!
//! A patch is merged as RFC 7396 has it, `null` resetting a field to its default. Secrets it does
//! not name stay, except where a URL leads to another server: whoever may change a connection may
//! still not have its stored secrets sent elsewhere.

use serde_json::{Map, Value};

use super::{Connection, Problem, body, reader, rules::SET, stored};
use crate::origin::{Guard, origin_of};

#[derive(Debug)]
pub struct Changed {
    pub connection: Connection,
    pub touched: Touched,
    /// What the patch says about pausing, which is a state and not part of the connection.
    pub paused: Option<bool>,
}

/// Which parts now differ. A setting counts for the system it is about as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub name: bool,
    pub odata: bool,
    pub enet: bool,
    pub hubspot: bool,
    pub settings: bool,
}

const ENET_FIELDS: [&str; 4] = [
    "enet_url",
    "operator",
    "operator_password",
    "company_password",
];
const ODATA_SETTINGS: [&str; 4] = [
    "tables",
    "modified_columns",
    "address_columns",
    "date_style",
];
const HUBSPOT_SETTINGS: [&str; 2] = ["currencies", "foreign_currency"];

#[derive(Debug, PartialEq)]
pub enum Rejected {
    /// The patch is wrong in itself.
    Problems(Vec<Problem>),
    /// The patch would change what is fixed for a connection's life.
    Conflict(Vec<Problem>),
}

impl Connection {
    /// The connection as the patch leaves it.
    ///
    /// # Errors
    /// Everything that stands against it; nothing is changed then.
    pub fn merge(&self, patch: &str, guard: &Guard) -> Result<Changed, Rejected> {
        let mut problems = Vec::new();
        let Some(mut patch) = reader::object(patch, &mut problems) else {
            return Err(Rejected::Problems(problems));
        };
        let paused = take_paused(&mut patch, &mut problems);
        settle(&mut patch);
        let before = self.body();
        let mut merged = Value::Object(before.clone());
        merge_into(&mut merged, &Value::Object(patch.clone()));
        let merged = merged.as_object().cloned().unwrap_or_default();
        let connection = body::read(merged, Some(guard), &mut problems);
        if problems.is_empty() {
            self.fixed(&connection).map_err(Rejected::Conflict)?;
            problems = self.carried_elsewhere(&connection, &Value::Object(patch));
        }
        if !problems.is_empty() {
            return Err(Rejected::Problems(problems));
        }
        Ok(Changed {
            touched: Touched::between(&before, &connection.body()),
            connection,
            paused,
        })
    }

    /// Those of some secrets' fields that a patch neither replaces nor takes away. None when it is no
    /// patch: merging it says so.
    pub fn left_alone<'a>(
        patch: &str,
        fields: impl Iterator<Item = &'a String>,
    ) -> Vec<&'a String> {
        let Some(mut patch) = reader::object(patch, &mut Vec::new()) else {
            return Vec::new();
        };
        settle(&mut patch);
        let patch = Value::Object(patch);
        fields.filter(|field| !names(&patch, field)).collect()
    }

    fn body(&self) -> Map<String, Value> {
        stored::with_secrets(&self.public_json(), &self.secrets())
    }

    fn fixed(&self, after: &Self) -> Result<(), Vec<Problem>> {
        let conflicts: Vec<Problem> = [
            ("id", &self.id, &after.id),
            (
                "syspro.company",
                &self.syspro.company,
                &after.syspro.company,
            ),
            (
                "hubspot.prefix",
                &self.hubspot.prefix,
                &after.hubspot.prefix,
            ),
        ]
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(path, ..)| {
            Problem::new(
                path,
                "is fixed for the life of a connection",
                "Make a new connection.",
            )
        })
        .collect();
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(conflicts)
        }
    }

    /// The stored secrets that the patch would have sent to a server they were not given for.
    fn carried_elsewhere(&self, after: &Self, patch: &Value) -> Vec<Problem> {
        let [known_odata, known_enet, known_hubspot] = self.origins();
        let [odata, enet, hubspot] = after.origins();
        let enet_moved = enet.is_some() && enet != known_enet;
        let syspros = [&known_odata, &known_enet];
        // The added headers go to both of SYSPRO's servers.
        let gateway_moved =
            !syspros.contains(&&odata) || (enet.is_some() && !syspros.contains(&&enet));
        let kept = after.secrets();
        let mut problems = Vec::new();
        for (field, secret) in &self.secrets() {
            let at_risk = match field.as_str() {
                "hubspot.token" => hubspot != known_hubspot,
                "syspro.odata_password" => odata != known_odata,
                "syspro.operator_password" | "syspro.company_password" => enet_moved,
                _ => gateway_moved,
            };
            if at_risk && kept.get(field) == Some(secret) && !names(patch, field) {
                problems.push(Problem::new(
                    field,
                    "must be given again, because a URL of its system leads to another server",
                    "Send it in the same request as the URL.",
                ));
            }
        }
        problems
    }

    /// Of OData, e.net and HubSpot.
    fn origins(&self) -> [Option<String>; 3] {
        let enet = self.syspro.enet.as_ref();
        [
            origin_of(&self.syspro.odata_url),
            enet.and_then(|enet| origin_of(&enet.url)),
            origin_of(&self.hubspot.api_url),
        ]
    }
}

impl Touched {
    fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Self {
        let of = |part: &str| fields_that_differ(before.get(part), after.get(part));
        let (syspro, hubspot, settings) = (of("syspro"), of("hubspot"), of("settings"));
        let any =
            |fields: &[String], of: &[&str]| fields.iter().any(|it| of.contains(&it.as_str()));
        let is_odatas = |field: &String| !ENET_FIELDS.contains(&field.as_str());
        Self {
            name: before.get("name") != after.get("name"),
            odata: syspro.iter().any(is_odatas) || any(&settings, &ODATA_SETTINGS),
            // The headers go to both of SYSPRO's servers.
            enet: any(&syspro, &ENET_FIELDS) || any(&syspro, &["headers"]),
            hubspot: !hubspot.is_empty()
                || any(&syspro, &["local_currency"])
                || any(&settings, &HUBSPOT_SETTINGS),
            settings: !settings.is_empty(),
        }
    }
}

fn fields_that_differ(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let fields =
        |part: Option<&Value>| part.and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (fields(before), fields(after));
    let names = before.keys().chain(after.keys());
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

pub(super) fn take_paused(
    patch: &mut Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Option<bool> {
    let value = patch.remove("paused")?;
    let paused = value.as_bool();
    if paused.is_none() {
        problems.push(Problem::new(
            "paused",
            "is neither true nor false",
            "Send {\"paused\": true} or {\"paused\": false}.",
        ));
    }
    paused
}

/// Brings a patch to the form the stored connection has.
fn settle(patch: &mut Map<String, Value>) {
    // What a GET showed may come back: the mark of a secret is not a new one.
    for system in ["syspro", "hubspot"] {
        if let Some(Value::Object(fields)) = patch.get_mut(system) {
            fields.retain(|name, value| !(value == SET && is_secret(name)));
        }
    }
    let Some(Value::Object(syspro)) = patch.get_mut("syspro") else {
        return;
    };
    if let Some(Value::Object(headers)) = syspro.get_mut("headers") {
        let given = std::mem::take(headers).into_iter();
        let given = given.filter(|(_, value)| value != SET);
        headers.extend(given.map(|(name, value)| (name.to_ascii_lowercase(), value)));
    }
    // Taking the URL away takes e.net away.
    if syspro.get("enet_url").is_some_and(Value::is_null) {
        for name in ["operator", "operator_password", "company_password"] {
            syspro.entry(name).or_insert(Value::Null);
        }
    }
}

pub(super) fn is_secret(name: &str) -> bool {
    name == "token" || name.ends_with("_password")
}

/// Whether the patch says anything of this field: a value, or that it goes with all around it.
fn names(patch: &Value, field: &str) -> bool {
    // A header's name may hold dots.
    let parts = if field.starts_with("syspro.headers.") {
        3
    } else {
        2
    };
    let mut at = patch;
    for part in field.splitn(parts, '.') {
        match at.get(part) {
            Some(Value::Null) => return true,
            Some(value) => at = value,
            None => return false,
        }
    }
    true
}

fn merge_into(target: &mut Value, patch: &Value) {
    let (Value::Object(fields), Value::Object(changes)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge_into(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests;
