//! Batches of records: `/crm/objects/{version}/{kind}/batch/…`.
//!
//! With a trace id on every input a bad record is refused alone (207); without one, or for a few
//! errors of the whole request, HubSpot refuses all hundred. Results come in any order.

mod keyed;

use http::{Request, Response};
use serde_json::{Value, json};

use super::{Api, Kind, associations, body, id_text, list, refusal, unreadable};
use crate::{
    fault::{Fault, Reason, Refusal},
    sorted::SortedMap,
};

pub use keyed::read_found_by;

/// Inputs HubSpot takes in one call.
pub const MAX_INPUTS: usize = 100;

/// One record to be written.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The unique property's value for an upsert, HubSpot's id for an update.
    pub id: &'a str,
    /// Unique in its batch.
    pub trace: &'a str,
    pub properties: &'a SortedMap<String, String>,
}

/// What became of one [`Write`].
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Written {
        id: String,
        /// Created by this call.
        new: bool,
        /// When HubSpot took it, as it says it.
        at: Option<String>,
        warnings: Vec<Reason>,
    },
    Refused(Refusal),
    /// The answer speaks of others only: it may or may not have been written.
    Unnamed,
}

/// One record as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub id: String,
    /// Those that have a value.
    pub properties: SortedMap<String, String>,
}

/// Creates the records or brings them up to date, told apart by the unique `key_property`.
pub fn upsert(api: &Api, kind: Kind, key_property: &str, writes: &[Write]) -> Request<String> {
    let inputs = writes.iter().map(|write| {
        let mut properties: SortedMap<&str, &str> = write
            .properties
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        // The answer shows what was sent, and so names the record even where it drops the trace.
        properties.insert(key_property, write.id);
        json!({
            "idProperty": key_property,
            "id": write.id,
            "objectWriteTraceId": write.trace,
            "properties": properties,
        })
    });
    batch(
        api,
        kind,
        "upsert",
        json!({ "inputs": inputs.collect::<Vec<_>>() }),
    )
}

/// Brings records up to date that are there, named by HubSpot's id or by the unique `key_property`.
pub fn update(
    api: &Api,
    kind: Kind,
    key_property: Option<&str>,
    writes: &[Write],
) -> Request<String> {
    let inputs = writes.iter().map(|write| {
        let mut input = json!({
            "id": write.id,
            "objectWriteTraceId": write.trace,
            "properties": write.properties,
        });
        if let Some(name) = key_property {
            input["idProperty"] = name.into();
        }
        input
    });
    batch(
        api,
        kind,
        "update",
        json!({ "inputs": inputs.collect::<Vec<_>>() }),
    )
}

/// Makes records, each linked to the parent at its place. Nothing tells a second one from the first:
/// never to be repeated.
pub fn create(
    api: &Api,
    kind: Kind,
    parent: Kind,
    writes: &[Write],
    parents: &[&str],
) -> Request<String> {
    let types = associations::types(kind, parent).unwrap_or_default();
    let types: Vec<Value> = types.iter().map(|id| associations::spec(*id)).collect();
    let inputs = writes.iter().zip(parents).map(|(write, parent)| {
        json!({
            "objectWriteTraceId": write.trace,
            "properties": write.properties,
            "associations": [{ "to": { "id": parent }, "types": types }],
        })
    });
    let inputs = json!({ "inputs": inputs.collect::<Vec<_>>() });
    batch(api, kind, "create", inputs)
}

/// Records by their ids; no id stands twice.
pub fn read(api: &Api, kind: Kind, ids: &[&str], properties: &[&str]) -> Request<String> {
    read_by(api, kind, None, ids, properties)
}

/// Records by the values of a unique property, or by their ids where none is named.
pub fn read_by(
    api: &Api,
    kind: Kind,
    unique: Option<&str>,
    values: &[&str],
    properties: &[&str],
) -> Request<String> {
    let mut asked = json!({
        "inputs": inputs(values),
        "properties": properties,
        "propertiesWithHistory": [],
    });
    if let Some(unique) = unique {
        asked["idProperty"] = unique.into();
    }
    batch(api, kind, "read", asked)
}

/// Answered with no words at all, also for ids that are gone.
pub fn archive(api: &Api, kind: Kind, ids: &[&str]) -> Request<String> {
    batch(api, kind, "archive", json!({ "inputs": inputs(ids) }))
}

/// One record. Unlike a batch it finds the survivor under the id of a record merged away.
pub fn get(api: &Api, kind: Kind, id: &str, property: &str) -> Request<String> {
    let path = format!("{}/{id}?properties={property}", kind.path());
    api.get("crm/objects", &path)
}

/// Any one record: whether this kind may be read at all.
pub fn any(api: &Api, kind: Kind) -> Request<String> {
    api.get("crm/objects", &format!("{}?limit=1", kind.path()))
}

/// One answer per write, in the order of the writes, matched by trace id, else by the value of
/// `key_property` (an upsert) or by HubSpot's id (an update, without one); never by position.
///
/// # Errors
/// A refusal of the batch as a whole, of which nothing was written, is a [`Fault::Refused`].
pub fn read_written(
    writes: &[Write],
    key_property: Option<&str>,
    response: &Response<Vec<u8>>,
) -> Result<Vec<Answer>, Fault> {
    let body = body(response)?;
    let results = list(response, &body, "results")?;
    let names = Names::of(writes);
    let mut answers = vec![Answer::Unnamed; writes.len()];
    for result in results {
        if let (Some(at), Some(answer)) = (names.result(result, key_property), written(result)) {
            // cannot fail: named by their place among the writes, and each has its answer
            answers[at] = answer;
        }
    }
    let mut anonymous = None;
    for error in errors(&body) {
        let named = names.error(error);
        if named.is_empty() {
            anonymous = Some(error);
        }
        // Named as written and as refused: refused, so that it is sent again.
        for at in named {
            // cannot fail: as above
            answers[at] = Answer::Refused(refusal::read(error));
        }
    }
    if let Some(error) = anonymous {
        blame_the_only_one_left(&mut answers, error);
    }
    Ok(answers)
}

/// The record, if it is there.
///
/// # Errors
/// Every answer but yes and no.
pub fn read_one(response: &Response<Vec<u8>>) -> Result<Option<Found>, Fault> {
    match body(response) {
        // Only a 404 says that it is gone; half a yes must not pass for one.
        Ok(body) => match found(&body) {
            Some(found) => Ok(Some(found)),
            None => Err(unreadable(response, "no record")),
        },
        Err(Fault::Refused { status: 404, .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// What became of each of these ids: the record, or nothing where it is not there. One the answer
/// does not speak of is not among them.
///
/// # Errors
/// Every answer that is not the list.
pub fn read_found(
    ids: &[&str],
    response: &Response<Vec<u8>>,
) -> Result<SortedMap<String, Option<Found>>, Fault> {
    let body = body(response)?;
    let results = list(response, &body, "results")?;
    let found = results.iter().filter_map(found);
    let mut all: SortedMap<_, _> = found.map(|it| (it.id.clone(), Some(it))).collect();
    for error in errors(&body) {
        if !refusal::is_missing(&refusal::read(error)) {
            continue;
        }
        let missing = refusal::context(error, "ids").into_iter();
        for id in missing.filter(|id| ids.contains(&id.as_str())) {
            all.get_or_default(id);
        }
    }
    Ok(all)
}

/// The errors of a 207, none elsewhere.
pub(super) fn errors(body: &Value) -> &[Value] {
    body.get("errors")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn inputs(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

fn batch(api: &Api, kind: Kind, verb: &str, body: Value) -> Request<String> {
    api.post(
        "crm/objects",
        &format!("{}/batch/{verb}", kind.path()),
        &body,
    )
}

/// Where each write stands, by what an answer may call it.
struct Names<'a> {
    traces: SortedMap<&'a str, usize>,
    ids: SortedMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn of(writes: &[Write<'a>]) -> Self {
        let index = |name: fn(&Write<'a>) -> &'a str| {
            let named = writes.iter().enumerate();
            named.map(|(at, write)| (name(write), at)).collect()
        };
        Self {
            traces: index(|write| write.trace),
            ids: index(|write| write.id),
        }
    }

    fn result(&self, result: &Value, key_property: Option<&str>) -> Option<usize> {
        let by_trace = || self.traces.get(result.get("objectWriteTraceId")?.as_str()?);
        let by_id = || {
            let id = match key_property {
                Some(name) => result.get("properties")?.get(name)?,
                None => result.get("id")?,
            };
            self.ids.get(id_text(id)?.as_str())
        };
        match (by_trace(), by_id()) {
            // One record by its trace and another by its key or id: it can be believed of neither.
            (Some(traced), Some(named)) if traced != named => None,
            (traced, named) => traced.or(named).copied(),
        }
    }

    fn error(&self, error: &Value) -> Vec<usize> {
        let find = |names: Vec<String>, map: &SortedMap<&str, usize>| -> Vec<usize> {
            let found = names.iter().filter_map(|name| map.get(name.as_str()));
            found.copied().collect()
        };
        let traced = find(refusal::context(error, "objectWriteTraceId"), &self.traces);
        if !traced.is_empty() {
            return traced;
        }
        let ids = ["ids", "id", "objectId"].iter();
        find(
            ids.flat_map(|name| refusal::context(error, name)).collect(),
            &self.ids,
        )
    }
}

/// An error that names nobody, and one record nobody spoke of: it is that one's.
fn blame_the_only_one_left(answers: &mut [Answer], error: &Value) {
    let mut left = answers
        .iter_mut()
        .filter(|answer| **answer == Answer::Unnamed);
    if let (Some(only), None) = (left.next(), left.next()) {
        *only = Answer::Refused(refusal::read(error));
    }
}

fn written(result: &Value) -> Option<Answer> {
    let warnings = result.get("warnings").and_then(Value::as_array);
    Some(Answer::Written {
        id: id_text(result.get("id")?)?,
        new: result.get("new").and_then(Value::as_bool) == Some(true),
        at: result.get("updatedAt").and_then(id_text),
        warnings: warnings.into_iter().flatten().map(warning).collect(),
    })
}

fn warning(warning: &Value) -> Reason {
    let said = refusal::read(warning);
    let field = said.field.as_deref().unwrap_or("a property");
    let what = match said.code.as_str() {
        "PROPERTY_VALUE_NORMALIZED" => {
            format!("HubSpot changed the form of the value of `{field}`.")
        }
        code => format!("HubSpot took the record and remarked {code} on `{field}`."),
    };
    Reason {
        code: said.code.to_ascii_lowercase(),
        field: said.field,
        reason: what,
        remedy: String::new(),
    }
}

pub(super) fn found(result: &Value) -> Option<Found> {
    let properties = result.get("properties").and_then(Value::as_object);
    let texts = properties
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let text = match value {
                Value::Bool(flag) => flag.to_string(),
                value => id_text(value)?,
            };
            Some((name.clone(), text))
        });
    Some(Found {
        id: id_text(result.get("id")?)?,
        properties: texts.collect(),
    })
}

#[cfg(test)]
mod tests;
