//! SYSPRO's OData: requests as values, answers as pages. Read-only, so every request may be repeated.
//!
//! Literals are built from typed values, never pasted in. What a site's server can do is a
//! [`Dialect`]: what it cannot do is written in another way, or left out.

mod dialect;
mod filter;
mod metadata;

use std::time::Duration;

use http::{Request, Response, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Row;
use crate::{
    connection::{DateStyle, Settings, Syspro},
    fault::{Fault, System},
    origin,
    sorted::SortedMap,
    typed,
};

pub use dialect::{Dialect, Paging};
pub use filter::{Filter, Literal, Op, after, any_of, between};
pub use metadata::{Schema, ask_schema, read_schema};

/// Where a company's tables are, and how to ask there.
#[derive(Clone, Debug)]
pub struct Service {
    /// Without a trailing slash; `/{company}/{table}` follows.
    pub url: String,
    pub company: String,
    pub date_style: DateStyle,
    /// Tables that are called differently at this site.
    pub tables: SortedMap<String, String>,
    pub dialect: Dialect,
}

#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    pub table: &'a str,
    pub select: Vec<String>,
    pub filter: Option<Filter>,
    pub order_by: &'a [&'a str],
    pub top: Option<u32>,
    pub skip: Option<u64>,
}

/// A page of rows in the server's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Where the server says that it goes on, as it says it.
    pub next_link: Option<String>,
}

impl Service {
    pub fn new(syspro: &Syspro, settings: &Settings, dialect: Dialect) -> Self {
        Self {
            url: syspro.odata_url.trim_end_matches('/').to_owned(),
            company: syspro.company.clone(),
            date_style: dialect.dates.unwrap_or(settings.date_style),
            tables: settings.tables.clone(),
            dialect,
        }
    }

    fn table_url(&self, table: &str) -> String {
        format!("{}/{}", self.company_url(), encode(self.table_name(table)))
    }

    /// What this site calls the table.
    pub fn table_name<'a>(&'a self, table: &'a str) -> &'a str {
        self.tables.get(table).map_or(table, String::as_str)
    }

    fn company_url(&self) -> String {
        format!("{}/{}", self.url, encode(&self.company))
    }
}

/// The request without credentials: the sender adds them.
pub fn request(service: &Service, query: &Query) -> Request<String> {
    get(&url_of(service, query))
}

/// The request for the page a server's link leads to. Credentials travel with it, so it stays below
/// the company's own tables.
///
/// # Errors
/// A link that leads elsewhere is an answer nobody can work with.
pub fn follow(service: &Service, table: &str, link: &str) -> Result<Request<String>, Fault> {
    let below = service.company_url();
    let url = origin::follow(&below, &service.table_url(table), link);
    let url = url.map_err(|refused| {
        unreadable(&format!("a link to the next page that {}", refused.reason))
    })?;
    Ok(get(&url))
}

/// # Errors
/// Every answer that is no page, as the fault that says what to do next.
pub fn read_page(response: &Response<Vec<u8>>) -> Result<Page, Fault> {
    if !response.status().is_success() {
        return Err(refused(response));
    }
    let Ok(Value::Object(mut body)) = json(response.body()) else {
        return Err(unreadable(&shape(response.body())));
    };
    let Some(Value::Array(entries)) = body.remove("value") else {
        return Err(unreadable("JSON without a `value` array"));
    };
    // An entry that is no object is a row without anything: it is rejected like one without a key.
    let row = |entry| match entry {
        Value::Object(row) => Row(row),
        _ => Row::default(),
    };
    let link = body.remove("@odata.nextLink");
    Ok(Page {
        rows: entries.into_iter().map(row).collect(),
        next_link: link.and_then(|link| link.as_str().map(str::to_owned)),
    })
}

/// What no URI can hold asks for `/`, which no client sends anywhere.
fn get(url: &str) -> Request<String> {
    let mut request = Request::new(String::new());
    *request.uri_mut() = url.parse().unwrap_or_default();
    let json = header::HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::ACCEPT, json);
    request
}

fn url_of(service: &Service, query: &Query) -> String {
    let can = service.dialect;
    let mut options = Vec::new();
    if !query.select.is_empty() {
        options.push(("$select", query.select.join(",")));
    }
    if let Some(filter) = &query.filter {
        options.push(("$filter", filter.render(service)));
    }
    if can.order_by && !query.order_by.is_empty() {
        options.push(("$orderby", query.order_by.join(",")));
    }
    if let Some(top) = query.top.filter(|_| can.top) {
        options.push(("$top", top.to_string()));
    }
    if let Some(skip) = query.skip.filter(|skip| *skip > 0) {
        options.push(("$skip", skip.to_string()));
    }
    let options: Vec<_> = options
        .into_iter()
        .map(|(name, value)| format!("{name}={}", encode(&value)))
        .collect();
    let url = service.table_url(query.table);
    if options.is_empty() {
        return url;
    }
    format!("{url}?{}", options.join("&"))
}

/// What stays as it is in a query. `'` does not: the Fetch standard would encode it anyway, and the
/// length of a URL is counted here.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b':')
    .remove(b'$');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn json(body: &[u8]) -> serde_json::Result<Value> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    typed::parse(body)
}

fn refused(response: &Response<Vec<u8>>) -> Fault {
    super::said_no(System::Odata, response, retry_after(response), code)
}

fn retry_after(response: &Response<Vec<u8>>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The server's own code where it is one. Its message may quote a record, so it is not read.
fn code(response: &Response<Vec<u8>>) -> String {
    let body = json(response.body()).unwrap_or_default();
    let is_code = |code: &&str| {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !code.is_empty() && code.len() <= 64 && code.bytes().all(sign)
    };
    match body["error"]["code"].as_str().filter(is_code) {
        Some(code) => code.to_owned(),
        None => format!("http_{}", response.status().as_u16()),
    }
}

fn unreadable(shape: &str) -> Fault {
    Fault::Unreadable {
        system: System::Odata,
        shape: shape.to_owned(),
    }
}

/// What kind of thing came instead of a page, without quoting it.
fn shape(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..512).unwrap_or(body)).to_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']);
    let length = body.len();
    if text.is_empty() {
        "an empty body".to_owned()
    } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
        format!("an HTML page of {length} bytes")
    } else if text.starts_with('<') {
        format!("XML of {length} bytes")
    } else {
        match json(body) {
            Ok(_) => "JSON that is no object".to_owned(),
            Err(error) if error.is_eof() => format!("JSON that breaks off after {length} bytes"),
            Err(_) => format!("something that is not JSON, {length} bytes"),
        }
    }
}

#[cfg(test)]
mod tests;
