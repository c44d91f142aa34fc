//! SYSPRO: OData and e.net over one company's tables.

mod comfnd;
mod enet;
mod expression;
mod filter;
mod metadata;
mod odata;
mod quirks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use http::StatusCode;
use http::header::CONTENT_TYPE;

pub use self::quirks::{
    Beyond, Collation, DateAnswer, DateLiteral, Decimals, Fault, Quirks, Support, Trouble,
};
use crate::data::Distributor;
use crate::{Millis, Request, Response};

/// Where the two services are rooted; IIS and WCF take them in any case.
const ODATA: &str = "/syspro8odata/sysproodata";
const ENET: &str = "/sysprowcfservice/rest";

/// Who may ask.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub company: String,
    pub odata_user: String,
    pub odata_password: String,
    pub operator: String,
    pub operator_password: String,
    pub company_password: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            company: "EDU1".to_owned(),
            odata_user: "SVC".to_owned(),
            odata_password: "odata-pass".to_owned(),
            operator: "SVC".to_owned(),
            operator_password: "operator-pass".to_owned(),
            company_password: String::new(),
        }
    }
}

/// How an answer travels, which is its carrier's to carry out. It stands in the response's
/// extensions; see [`Manner::of`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    pub delay: Millis,
    /// The connection breaks before any of it.
    pub drop: bool,
}

impl Manner {
    pub fn of(response: &Response) -> Self {
        response.extensions().get().copied().unwrap_or_default()
    }
}

/// One SYSPRO server.
pub struct Server {
    pub data: Distributor,
    pub quirks: Quirks,
    /// The first that fits a request befalls it.
    pub faults: VecDeque<Fault>,
    /// Requests so far: by table (`ArInvoice`), `$metadata`, `Logon`, `COMFND ArCustomer` and so on.
    pub calls: BTreeMap<String, u64>,
    credentials: Credentials,
    sessions: Vec<enet::Session>,
    logons: u64,
}

/// A request taken apart.
struct Asked<'a> {
    request: &'a Request,
    /// Path below the service's root, decoded.
    path: Vec<String>,
    query: Vec<(String, String)>,
}

impl Asked<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Server {
    pub fn new(data: Distributor, credentials: Credentials) -> Self {
        Self {
            data,
            quirks: Quirks::default(),
            faults: VecDeque::new(),
            calls: BTreeMap::new(),
            credentials,
            sessions: Vec::new(),
            logons: 0,
        }
    }

    pub fn answer(&mut self, now: Millis, request: &Request) -> Response {
        let trouble = self.befalls(request);
        let mut manner = Manner {
            delay: self.quirks.slow,
            drop: false,
        };
        let mut response = match &trouble {
            Some(Trouble::Page(status)) => page(*status),
            _ => self.serve(now, request),
        };
        match trouble {
            Some(Trouble::Cut(length)) => response.body_mut().truncate(length),
            Some(Trouble::Empty) => *response.body_mut() = b"{\"value\":[]}".to_vec(),
            Some(Trouble::Body(text)) => *response.body_mut() = text.into_bytes(),
            Some(Trouble::Slow(delay)) => manner.delay += delay,
            Some(Trouble::Drop) => manner.drop = true,
            Some(Trouble::Page(_)) | None => {}
        }
        response.extensions_mut().insert(manner);
        response
    }

    /// How often this endpoint was asked.
    pub fn called(&self, endpoint: &str) -> u64 {
        self.calls.get(endpoint).copied().unwrap_or_default()
    }

    /// A person signs in with the service's operator: every session of it is gone.
    pub fn evict(&mut self) {
        self.sessions.clear();
    }

    fn count(&mut self, endpoint: &str) {
        *self.calls.entry(endpoint.to_owned()).or_default() += 1;
    }

    /// The scheduled trouble that fits this request, counted down.
    fn befalls(&mut self, request: &Request) -> Option<Trouble> {
        let asked = match request.uri().query() {
            Some(query) => format!(
                "{}?{}",
                decode(request.uri().path()),
                decode(&query.replace('+', " "))
            ),
            None => decode(request.uri().path()),
        };
        let at = self
            .faults
            .iter()
            .position(|fault| asked.contains(&fault.on))?;
        let fault = self.faults.get_mut(at)?;
        let what = fault.what.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.faults.remove(at);
        }
        Some(what)
    }

    fn serve(&mut self, now: Millis, request: &Request) -> Response {
        let path = request.uri().path();
        let lowered = path.to_ascii_lowercase();
        let below = |root: &str| {
            lowered
                .starts_with(root)
                .then(|| path.split_at(root.len()).1)
        };
        let raw = request.uri().query().unwrap_or_default();
        let asked = |rest: &str| Asked {
            request,
            path: rest
                .split('/')
                .filter(|part| !part.is_empty())
                .map(decode)
                .collect(),
            query: url::form_urlencoded::parse(raw.as_bytes())
                .into_owned()
                .collect(),
        };
        if let Some(rest) = below(ODATA) {
            if raw.len() > self.quirks.longest_query {
                return page(404);
            }
            return self.odata(&asked(rest));
        }
        if let Some(rest) = below(ENET) {
            return self.enet(now, &asked(rest));
        }
        page(404)
    }
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// A page of the web server's own, which is no JSON.
fn page(status: u16) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = code.canonical_reason().unwrap_or("Error");
    let body = format!(
        "<!DOCTYPE html>\r\n<html><head><title>{status} - {title}</title></head>\r\n\
         <body><h2>{status} - {title}.</h2><h3>Microsoft-IIS</h3></body></html>\r\n"
    );
    reply(code, "text/html", body.into_bytes())
}

fn reply(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let content_type = http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
