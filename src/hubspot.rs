//! What HubSpot's requests and answers mean. Pure: values in, values out.
//!
//! Every call is two functions, one that builds the request and one that reads the answer;
//! whoever sends adds the token. What all answers have in common is read here.

pub mod account;
pub mod associations;
pub mod objects;
pub mod properties;
pub mod refusal;
pub mod scopes;
pub mod search;

use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    fault::{Fault, Refusal, Silence, System, Window},
    typed,
};

/// A kind of HubSpot object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Company,
    Contact,
    Invoice,
    LineItem,
    Deal,
}

impl Kind {
    pub const ALL: [Kind; 5] = [
        Kind::Company,
        Kind::Contact,
        Kind::Invoice,
        Kind::LineItem,
        Kind::Deal,
    ];

    /// Its name in paths.
    pub fn path(self) -> &'static str {
        match self {
            Kind::Company => "companies",
            Kind::Contact => "contacts",
            Kind::Invoice => "invoices",
            Kind::LineItem => "line_items",
            Kind::Deal => "deals",
        }
    }

    /// Its number in links into HubSpot and in webhooks.
    pub fn type_id(self) -> &'static str {
        match self {
            Kind::Company => "0-2",
            Kind::Contact => "0-1",
            Kind::Invoice => "0-53",
            Kind::LineItem => "0-8",
            Kind::Deal => "0-3",
        }
    }

    /// What a person calls it.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Company => "company",
            Kind::Contact => "contact",
            Kind::Invoice => "invoice",
            Kind::LineItem => "line item",
            Kind::Deal => "deal",
        }
    }
}

/// Where a portal's API is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Without a trailing slash.
    pub url: String,
    /// `2026-09`: a segment of the path behind the area's name.
    pub version: String,
}

impl Api {
    fn get(&self, area: &str, rest: &str) -> Request<String> {
        self.request(Method::GET, area, rest, String::new())
    }

    fn post(&self, area: &str, rest: &str, body: &Value) -> Request<String> {
        self.request(Method::POST, area, rest, body.to_string())
    }

    fn request(&self, method: Method, area: &str, rest: &str, body: String) -> Request<String> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        // A base URL that made it into a connection parses; one that did not goes nowhere.
        *request.uri_mut() = format!("{}/{area}/{}/{rest}", self.url, self.version)
            .parse()
            .unwrap_or_default();
        let json = header::HeaderValue::from_static("application/json");
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, json.clone());
        if !request.body().is_empty() {
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        request
    }
}

/// The JSON of an answer that says yes; null where yes needs no words (204).
///
/// # Errors
/// Every other answer, as the fault that says what to do next.
pub fn body(response: &Response<Vec<u8>>) -> Result<Value, Fault> {
    if !response.status().is_success() {
        return Err(fault(response));
    }
    if response.body().trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    typed::parse(response.body()).map_err(|_| unreadable(response, "not JSON"))
}

/// The list an answer promises under `name`.
fn list<'a>(
    response: &Response<Vec<u8>>,
    body: &'a Value,
    name: &str,
) -> Result<&'a [Value], Fault> {
    match body.get(name).and_then(Value::as_array) {
        Some(list) => Ok(list),
        None => Err(unreadable(response, &format!("no list `{name}`"))),
    }
}

fn unreadable(response: &Response<Vec<u8>>, why: &str) -> Fault {
    Fault::Unreadable {
        system: System::HubSpot,
        shape: shape(response, why),
    }
}

/// Enough to tell a proxy's page from a cut answer, and not a byte of what it says.
fn shape(response: &Response<Vec<u8>>, why: &str) -> String {
    let body = response.body();
    let looks = match body.trim_ascii().first() {
        None => "empty",
        Some(b'{') => "begins like a JSON object",
        Some(b'[') => "begins like a JSON list",
        Some(b'<') => "begins like HTML or XML",
        Some(_) => "text",
    };
    format!(
        "status {}, {} bytes, {looks}: {why}",
        response.status().as_u16(),
        body.len()
    )
}

fn fault(response: &Response<Vec<u8>>) -> Fault {
    let system = System::HubSpot;
    let status = response.status().as_u16();
    let error = typed::parse(response.body()).ok().filter(Value::is_object);
    let retry_after = retry_after(response.headers());
    match (status, error) {
        (401, Some(error)) if error["category"] == "EXPIRED_AUTHENTICATION" => {
            Fault::Expired { system }
        }
        (401, _) => Fault::Unauthorized { system },
        (403, error) => Fault::Forbidden {
            system,
            missing: error.as_ref().map(refusal::scopes).unwrap_or_default(),
        },
        (423, _) => Fault::Locked { system },
        (429, error) => Fault::Throttled {
            system,
            window: window(error.as_ref()),
            retry_after,
        },
        (477, _) => Fault::Moving {
            system,
            retry_after,
        },
        (408 | 500.., _) => Fault::NoAnswer {
            system,
            what: Silence::of(response),
        },
        // A smaller request is the cure for both, so they must be told from a broken answer.
        (413 | 414, _) => refused(status, Refusal::coded("REQUEST_TOO_LARGE")),
        (400.., Some(error)) => refused(status, refusal::read(&error)),
        (400.., None) => unreadable(response, "a refusal without a reason"),
        _ => unreadable(response, "neither an answer nor a refusal"),
    }
}

fn refused(status: u16, refusal: Refusal) -> Fault {
    Fault::Refused {
        system: System::HubSpot,
        status,
        refusal: Box::new(refusal),
    }
}

/// Seconds only: a date would need a clock, and HubSpot sends none.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    seconds.parse().ok().map(Duration::from_secs)
}

/// The policy's name where it is given, else the sentence, which spells it in small letters.
fn window(error: Option<&Value>) -> Window {
    let text = |name| error.and_then(|error| error.get(name)?.as_str());
    let said = text("policyName")
        .or_else(|| text("message"))
        .unwrap_or_default()
        .to_ascii_uppercase();
    if said.contains("DAILY") {
        Window::Day
    } else if said.contains("SECONDLY") && !said.contains("TEN_SECONDLY") {
        Window::Second
    } else {
        Window::TenSeconds
    }
}

/// Ids come as strings, and as numbers where an older form shows through.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
