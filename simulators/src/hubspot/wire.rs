//! One call and its answer, between HTTP and the handlers.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Crm;
use super::errors::{Body, Refusal};
use crate::{Millis, Request, Response};

/// The dated versions the portal knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V2026_03,
    V2026_09,
}

impl Version {
    pub fn named(name: &str) -> Option<Version> {
        match name {
            "2026-03" => Some(Version::V2026_03),
            "2026-09" => Some(Version::V2026_09),
            _ => None,
        }
    }
}

pub struct Call<'a> {
    pub now: Millis,
    /// Which call of the portal this is.
    pub number: u64,
    pub version: Version,
    pub path: &'a str,
    pub body: &'a str,
    /// Of path and query together.
    pub length: usize,
    query: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    pub fn new(now: Millis, number: u64, version: Version, request: &'a Request) -> Call<'a> {
        let uri = request.uri();
        let query = uri.query().unwrap_or_default();
        Call {
            now,
            number,
            version,
            path: uri.path(),
            body: request.body(),
            length: uri.path().len() + query.len(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    pub fn asks(&self, name: &str, value: &str) -> bool {
        self.query(name) == Some(value)
    }

    /// A list given comma-separated, repeated, or both.
    pub fn names(&self, name: &str) -> Vec<String> {
        let lists = self.query.iter().filter(|(key, _)| key == name);
        let names = lists.flat_map(|(_, list)| list.split(','));
        names.map(str::to_owned).collect()
    }

    pub fn number_of(&self, name: &str, otherwise: usize) -> usize {
        let given = self.query(name).and_then(|value| value.parse().ok());
        given.unwrap_or(otherwise)
    }
}

impl Crm {
    /// Reads a body. Property values are texts; whether others pass is a switch.
    pub(super) fn parse<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Refusal> {
        if !self.options.scalars_as_text {
            return serde_json::from_str(call.body).map_err(|e| Refusal::unreadable(&e));
        }
        let mut value: Value =
            serde_json::from_str(call.body).map_err(|e| Refusal::unreadable(&e))?;
        soften(&mut value);
        serde_json::from_value(value).map_err(|e| Refusal::unreadable(&e))
    }
}

/// Turns the numbers and booleans among property values into texts.
fn soften(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(soften),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::Object(values) if name == "properties" => {
                        for scalar in values.values_mut() {
                            if scalar.is_number() || scalar.is_boolean() {
                                *scalar = Value::String(scalar.to_string());
                            }
                        }
                    }
                    other => soften(other),
                }
            }
        }
        _ => {}
    }
}

pub enum Answer {
    Raw(Vec<u8>),
    /// Still lacks its correlation id.
    Refused(Box<Body>),
}

pub struct Reply {
    pub status: u16,
    pub body: Answer,
    pub headers: Vec<(Cow<'static, str>, String)>,
}

impl Reply {
    pub fn json(status: u16, body: &impl Serialize) -> Reply {
        // Maps here have text keys only, so this cannot fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Reply::raw(status, body).header("content-type", "application/json;charset=utf-8")
    }

    pub fn raw(status: u16, body: Vec<u8>) -> Reply {
        Reply {
            status,
            body: Answer::Raw(body),
            headers: Vec::new(),
        }
    }

    pub fn empty(status: u16) -> Reply {
        Reply::raw(status, Vec::new())
    }

    pub fn refused(refusal: Refusal) -> Reply {
        Reply {
            status: refusal.status,
            body: Answer::Refused(refusal.body),
            headers: vec![(
                "content-type".into(),
                "application/json;charset=utf-8".into(),
            )],
        }
    }

    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn into_response(self, correlation: String) -> Response {
        let mut response = Response::new(match self.body {
            Answer::Raw(body) => body,
            Answer::Refused(mut body) => {
                body.correlation_id = Some(correlation.clone());
                serde_json::to_vec(&body).unwrap_or_default()
            }
        });
        let status = http::StatusCode::from_u16(self.status);
        *response.status_mut() = status.unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let own = ("x-hubspot-correlation-id".into(), correlation);
        for (name, value) in self.headers.into_iter().chain([own]) {
            let name = http::HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
