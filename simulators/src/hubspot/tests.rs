//! Requests in, status and essential body out.

mod associations;
mod flaws;
mod happy;
mod invoices;
mod people;
mod rates;
mod refusals;

use serde_json::{Value, json};

use super::{Exchange, Id, Kind, Options, Portal};
use crate::{Millis, Request, Response};

/// 2026-11-02T08:00:00.100Z
const START: Millis = 1_793_606_400_100;

struct Desk {
    portal: Portal,
    now: Millis,
    token: String,
}

impl Desk {
    /// A portal with the keys and custom properties of a sync.
    fn new(options: Options) -> Desk {
        let mut desk = Desk::bare(options);
        for kind in Kind::ALL {
            let plural = kind.plural();
            let group = json!({ "name": "erp", "label": "ERP" });
            let path = format!("POST /crm/properties/2026-09/{plural}/groups");
            desk.check(&path, group, 201, json!({ "name": "erp" }));
            let properties = json!({ "inputs": [
                property("erp_key", "string", "text", true),
                property("erp_day", "date", "date", false),
                property("erp_balance", "number", "number", false),
            ] });
            let path = format!("POST /crm/properties/2026-09/{plural}/batch/create");
            desk.check(&path, properties, 201, json!({ "status": "COMPLETE" }));
        }
        desk.portal.reset_calls();
        desk.now += 60_000;
        desk
    }

    fn bare(options: Options) -> Desk {
        Desk {
            portal: Portal::new(7, options),
            now: START - 60_000,
            token: Options::TOKEN.into(),
        }
    }

    fn request(&self, call: &str, body: &Value) -> Request {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.raw(call, body)
    }

    fn raw(&self, call: &str, body: String) -> Request {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        http::Request::builder()
            .method(method)
            .uri(format!("https://api.hubapi.com{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(body)
            .expect("a request")
    }

    fn send(&mut self, call: &str, body: Value) -> Response {
        let request = self.request(call, &body);
        self.portal.answer(self.now, &request)
    }

    /// The answer's body; it must have this status and hold what is expected, if anything is.
    #[track_caller]
    fn check(&mut self, call: &str, body: Value, status: u16, expected: Value) -> Value {
        let response = self.send(call, body);
        verify(call, &response, status, &expected)
    }

    /// Creates one record over the API.
    #[track_caller]
    fn create(&mut self, kind: Kind, properties: Value) -> Id {
        let call = format!("POST /crm/objects/2026-09/{}", kind.plural());
        let body = json!({ "properties": properties });
        id_of(&self.check(&call, body, 201, json!({})))
    }

    #[track_caller]
    fn link(&mut self, from: (Kind, Id), to: (Kind, Id)) {
        let (kind, other) = (from.0.plural(), to.0.plural());
        let call = format!("POST /crm/associations/2026-09/{kind}/{other}/batch/associate/default");
        let pair =
            json!({ "from": { "id": from.1.to_string() }, "to": { "id": to.1.to_string() } });
        self.check(&call, json!({ "inputs": [pair] }), 200, json!({}));
    }
}

fn property(name: &str, of: &str, field: &str, unique: bool) -> Value {
    json!({
        "groupName": "erp", "name": name, "label": name, "type": of, "fieldType": field,
        "hasUniqueValue": unique, "formField": false, "description": "",
    })
}

/// Inputs of an upsert by `erp_key`, with a trace id each.
fn upserts(inputs: &[(&str, Value)]) -> Value {
    let inputs: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(place, (key, properties))| {
            json!({
                "idProperty": "erp_key", "id": key, "properties": properties,
                "objectWriteTraceId": format!("t-{place}"),
            })
        })
        .collect();
    json!({ "inputs": inputs })
}

/// The same inputs without their trace ids.
fn untraced(mut body: Value) -> Value {
    for input in body["inputs"].as_array_mut().expect("inputs") {
        input
            .as_object_mut()
            .expect("an input")
            .remove("objectWriteTraceId");
    }
    body
}

fn id_of(record: &Value) -> Id {
    let id = record["id"].as_str().expect("an id");
    id.parse().expect("a numeric id")
}

#[track_caller]
fn verify(call: &str, response: &Response, status: u16, expected: &Value) -> Value {
    let text = String::from_utf8_lossy(response.body());
    assert_eq!(response.status().as_u16(), status, "{call}: {text}");
    assert!(status != 204 || text.is_empty(), "{call}: {text}");
    let body: Value = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    let met = expected.is_null() || holds(&body, expected);
    assert!(met, "{call}: {text}\nlacks {expected}");
    body
}

#[track_caller]
fn answered(exchange: Exchange) -> Response {
    match exchange {
        Exchange::Answer(response) => response,
        other => panic!("no plain answer: {other:?}"),
    }
}

/// Whether a body holds what is expected: named fields, items in any order, `*` in texts.
fn holds(body: &Value, expected: &Value) -> bool {
    match (body, expected) {
        (Value::Object(body), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| body.get(name).is_some_and(|found| holds(found, value))),
        (Value::Array(body), Value::Array(expected)) => {
            body.len() == expected.len()
                && expected
                    .iter()
                    .all(|value| body.iter().any(|found| holds(found, value)))
        }
        (Value::String(body), Value::String(expected)) => like(body, expected),
        _ => body == expected,
    }
}

fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(place) = rest.find(part) else {
            return false;
        };
        rest = &rest[place + part.len()..];
        last = Some(part);
    }
    last.map_or(rest.is_empty(), |part| {
        part.is_empty() || text.ends_with(part)
    })
}
