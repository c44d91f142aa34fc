//! A system that repeats all it was sent in whatever it refuses, as web servers in debug mode do.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};
use syspro_hubspot_sync::platform::Millis;

use crate::world::{Remote, Reply, Request, Response, Shared};

pub struct Parrot<R> {
    inner: Shared<R>,
    says: Option<Says>,
    /// How often it said it.
    pub said: usize,
}

/// What the requests whose address has `on` in it are answered.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    pub on: &'static str,
    pub status: u16,
    pub manner: Manner,
}

#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// A web server's page.
    Page,
    /// e.net's way: the word and a sentence.
    Error(&'static str),
    /// OData's way.
    Odata,
    /// HubSpot's, with this category, code and beginning of the message.
    HubSpot(&'static str, &'static str, &'static str),
    /// HubSpot's 207: every record is refused, by its trace id.
    Partly,
}

impl<R> Parrot<R> {
    pub fn of(inner: &Shared<R>) -> Parrot<R> {
        Parrot {
            inner: inner.clone(),
            says: None,
            said: 0,
        }
    }

    pub fn learns(&mut self, says: Option<Says>) {
        self.says = says;
        self.said = 0;
    }

    fn repeats(&mut self, request: &Request) -> Option<Response> {
        let says = self.says?;
        let address = request.uri().to_string();
        if !address.contains(says.on) {
            return None;
        }
        self.said += 1;
        let heard = heard(request);
        let body = match says.manner {
            Manner::Page => format!("<!DOCTYPE html><title>{heard}</title><p>{heard}"),
            Manner::Error(text) => format!("ERROR: {text} {heard}"),
            Manner::Odata => {
                let error = json!({ "code": "", "message": heard, "innererror": { "url": heard } });
                json!({ "error": error, "@odata.context": heard }).to_string()
            }
            Manner::HubSpot(category, code, text) => {
                hubspot(category, code, &format!("{text} {heard}")).to_string()
            }
            Manner::Partly => partly(request, &heard).to_string(),
        };
        let mut response = Response::new(body.into_bytes());
        *response.status_mut() = says.status.try_into().expect("a status");
        let heard =
            HeaderValue::from_str(&heard.replace(|it: char| !(' '..'\x7f').contains(&it), " "));
        let heard = heard.expect("plain ASCII");
        for name in ["www-authenticate", "x-hubspot-correlation-id", "server"] {
            response.headers_mut().insert(name, heard.clone());
        }
        Some(response)
    }
}

impl<R: Remote> Remote for Parrot<R> {
    fn answer(&mut self, now: Millis, request: &Request) -> Response {
        match self.repeats(request) {
            Some(response) => response,
            None => self.inner.borrow_mut().answer(now, request),
        }
    }

    fn exchange(&mut self, now: Millis, request: &Request) -> Reply {
        match self.repeats(request) {
            Some(response) => Reply::Now(response),
            None => self.inner.borrow_mut().exchange(now, request),
        }
    }
}

/// The whole request, as it came and as it was meant.
pub fn heard(request: &Request) -> String {
    let address = request.uri().to_string();
    let meant = percent_decode_str(&address).decode_utf8_lossy();
    let mut heard = format!("{address} {meant}");
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap_or_default();
        let basic = value.strip_prefix("Basic ").unwrap_or_default();
        let basic = STANDARD.decode(basic).unwrap_or_default();
        let basic = String::from_utf8_lossy(&basic);
        heard.push_str(&format!(" {name}: {value} {basic}"));
    }
    heard + " " + request.body()
}

fn hubspot(category: &str, code: &str, message: &str) -> Json {
    json!({
        "status": "error",
        "category": category,
        "message": message,
        "correlationId": "8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c",
        "errors": [{
            "message": message,
            "code": code,
            "in": message,
            "context": { "propertyName": ["email"], "propertyValue": [message] },
        }],
        "context": { "id": [message] },
        "links": { "help": message },
    })
}

fn partly(request: &Request, heard: &str) -> Json {
    let body: Json = serde_json::from_str(request.body()).unwrap_or_default();
    let inputs = body["inputs"].as_array().cloned().unwrap_or_default();
    let errors: Vec<Json> = inputs
        .iter()
        .map(|input| {
            let mut error = hubspot("VALIDATION_ERROR", "INVALID_EMAIL", heard);
            error["context"] = json!({ "objectWriteTraceId": [input["objectWriteTraceId"]] });
            error
        })
        .collect();
    json!({ "status": "COMPLETE", "results": [], "numErrors": errors.len(), "errors": errors })
}
