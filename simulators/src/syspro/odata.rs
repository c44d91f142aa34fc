//! The OData service: Basic auth, a company, a table, query options, a page of JSON.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use rust_decimal::Decimal;

use super::expression::{self, find};
use super::filter::{Filter, compare};
use super::quirks::{Beyond, Collation, DateAnswer, Decimals, Quirks, Support};
use super::{Asked, Server, metadata, page, reply};
use crate::Response;
use crate::data::{Key, Row, Table, Value};

const JSON: &str = "application/json; odata.metadata=minimal; odata.streaming=true";

/// What a query asks of a table.
#[derive(Default)]
struct Query {
    columns: Vec<usize>,
    filter: Option<Filter>,
    /// Positions; true where the order is descending.
    order: Vec<(usize, bool)>,
    top: Option<usize>,
    skip: usize,
    count: bool,
    /// Rows already given on earlier pages of a server that pages by itself.
    given: usize,
}

impl Server {
    pub(super) fn odata(&mut self, asked: &Asked) -> Response {
        if !self.knows(asked) {
            self.count("401");
            let mut response = refuse(StatusCode::UNAUTHORIZED, "Authentication is required.");
            let realm = HeaderValue::from_static("Basic realm=\"SYSPRO OData\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, realm);
            return response;
        }
        if asked.request.method() != Method::GET {
            return page(405);
        }
        match asked.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [company, ..] if company != self.credentials.company => refuse(
                StatusCode::NOT_FOUND,
                "The company is not known to this service.",
            ),
            [_, "$metadata"] => {
                self.count("$metadata");
                let xml = metadata::document(&self.data, &self.quirks);
                reply(StatusCode::OK, "application/xml", xml.into_bytes())
            }
            [_, table] => {
                self.count(table);
                self.rows(asked, table)
            }
            _ => refuse(StatusCode::NOT_FOUND, "No such resource."),
        }
    }

    fn knows(&self, asked: &Asked) -> bool {
        let credentials = &self.credentials;
        let pair = format!("{}:{}", credentials.odata_user, credentials.odata_password);
        let wanted = format!("Basic {}", STANDARD.encode(pair));
        let given = asked.request.headers().get(AUTHORIZATION);
        given.is_some_and(|given| given.as_bytes() == wanted.as_bytes())
    }

    fn rows(&self, asked: &Asked, table: &str) -> Response {
        let table = metadata::exposed(&self.data, &self.quirks).find(|known| known.name == table);
        let Some(table) = table else {
            return refuse(
                StatusCode::NOT_FOUND,
                "Resource not found for this segment.",
            );
        };
        match query(asked, table, &self.quirks) {
            Ok(query) => self.page(asked, table, &query),
            Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
        }
    }

    fn page(&self, asked: &Asked, table: &Table, query: &Query) -> Response {
        let quirks = &self.quirks;
        let from = query.skip.saturating_add(query.given);
        let left = query
            .top
            .map_or(usize::MAX, |top| top.saturating_sub(query.given));
        let size = left.min(quirks.row_cap);
        let (rows, total) = chosen(table, query, quirks, from.saturating_add(size));
        let here: Vec<&Row> = rows.iter().skip(from).take(size).collect();
        let more = rows.len() > from.saturating_add(here.len()) && left > here.len();

        let root = format!(
            "{}/SYSPRO8Odata/SYSPROOData/{}",
            origin(asked),
            self.credentials.company
        );
        let mut body = format!("{{\"@odata.context\":\"{root}/$metadata#{}\",", table.name);
        if query.count {
            body.push_str(&format!("\"@odata.count\":{total},"));
        }
        body.push_str("\"value\":[");
        for (at, row) in here.iter().enumerate() {
            body.push_str(if at == 0 { "\n" } else { ",\n" });
            render(&mut body, table, row, &query.columns, at, quirks);
        }
        body.push(']');
        if more && let Some(link) = next_link(asked, &root, table, query.given + here.len(), quirks)
        {
            body.push_str(&format!(",\"@odata.nextLink\":{}", quoted(&link)));
        }
        body.push('}');
        let mut response = reply(StatusCode::OK, JSON, body.into_bytes());
        let version = HeaderValue::from_static("4.0");
        response.headers_mut().insert("OData-Version", version);
        response
    }
}

fn refuse(status: StatusCode, message: &str) -> Response {
    let body = serde_json::json!({ "error": { "code": "", "message": message } });
    reply(status, JSON, body.to_string().into_bytes())
}

fn query(asked: &Asked, table: &Table, quirks: &Quirks) -> Result<Query, String> {
    let mut query = Query::default();
    for (name, value) in &asked.query {
        match name.as_str() {
            "$select" => {
                for column in value.split(',') {
                    query.columns.push(find(table, column.trim(), quirks)?.0);
                }
            }
            "$filter" => query.filter = Some(expression::read(value, table, quirks)?),
            "$orderby" if heeded(quirks.orderby, name)? => {
                query.order = order(value, table, quirks)?;
            }
            "$top" if heeded(quirks.top, name)? => query.top = Some(number(name, value)?),
            "$skip" if heeded(quirks.skip, name)? => query.skip = number(name, value)?,
            "$count" if heeded(quirks.count, name)? => query.count = value == "true",
            "$skiptoken" => query.given = number(name, value)?,
            "$orderby" | "$top" | "$skip" | "$count" | "$format" => {}
            other if other.starts_with('$') => {
                return Err(format!("The query option '{other}' is not supported."));
            }
            _ => {}
        }
    }
    if quirks.beyond_cap == Beyond::Refused && query.top.is_some_and(|top| top > quirks.row_cap) {
        let cap = quirks.row_cap;
        return Err(format!(
            "The limit of '{cap}' for Top query has been exceeded."
        ));
    }
    if query.columns.is_empty() {
        let columns = table.columns().iter().enumerate();
        let columns = columns.filter(|(_, column)| quirks.has(table.name, column.name));
        query.columns = columns.map(|(at, _)| at).collect();
    }
    Ok(query)
}

fn heeded(support: Support, option: &str) -> Result<bool, String> {
    match support {
        Support::Yes => Ok(true),
        Support::Ignored => Ok(false),
        Support::Refused => Err(format!("The query option '{option}' is not allowed.")),
    }
}

fn number(option: &str, value: &str) -> Result<usize, String> {
    let number = value.parse();
    number.map_err(|_| format!("Invalid value '{value}' for {option} query option found."))
}

fn order(text: &str, table: &Table, quirks: &Quirks) -> Result<Vec<(usize, bool)>, String> {
    let parts = text.split(',').map(|part| {
        let mut words = part.split_whitespace();
        let (position, _) = find(table, words.next().unwrap_or_default(), quirks)?;
        match (words.next(), words.next()) {
            (None | Some("asc"), None) => Ok((position, false)),
            (Some("desc"), None) => Ok((position, true)),
            _ => Err(format!("Syntax error in '{part}'.")),
        }
    });
    parts.collect()
}

/// The wanted rows in their order, at least the first `enough` and one more; and how many there
/// are in all where the query counts.
fn chosen<'a>(
    table: &'a Table,
    query: &Query,
    quirks: &Quirks,
    enough: usize,
) -> (Vec<Row<'a>>, usize) {
    let by = quirks.collation;
    // The primary index is kept in the usual collation.
    let indexed = by == Collation::CaseInsensitive;
    let first = if indexed { query.filter.as_ref() } else { None };
    let start = first
        .and_then(|filter| filter.lowest(0))
        .map(|lowest| Key(vec![lowest]));
    let wanted = |row: &Row| {
        let filter = query.filter.as_ref();
        filter.is_none_or(|filter| filter.keeps(row.values, by))
    };
    let rows = table.rows_from(start.as_ref()).filter(wanted);
    if indexed && !query.count && follows_key(table, &query.order) {
        return (rows.take(enough.saturating_add(1)).collect(), 0);
    }
    let mut rows: Vec<Row> = rows.collect();
    if query.order.is_empty() {
        rows.sort_by_cached_key(shuffled);
    } else {
        rows.sort_by(|left, right| {
            let columns = query.order.iter().map(|(column, descending)| {
                let ordering = compare(&left.values[*column], &right.values[*column], by);
                if *descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
            columns.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
    }
    let total = rows.len();
    (rows, total)
}

/// Whether the order asked for is that of the primary index, so that a page can stop early.
fn follows_key(table: &Table, order: &[(usize, bool)]) -> bool {
    let keys = table
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| column.key);
    let mut keys = keys.map(|(at, _)| (at, false));
    !order.is_empty() && order.iter().all(|part| keys.next() == Some(*part))
}

/// Without `$orderby` no order is promised: one that looks like none, yet always the same.
fn shuffled(row: &Row) -> u64 {
    let text = format!("{:?}", row.key);
    let bytes = text.bytes();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn origin(asked: &Asked) -> String {
    let uri = asked.request.uri();
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = asked.request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(http::uri::Authority::as_str);
    format!("{scheme}://{}", authority.or(host).unwrap_or("localhost"))
}

fn next_link(
    asked: &Asked,
    root: &str,
    table: &Table,
    given: usize,
    quirks: &Quirks,
) -> Option<String> {
    let pairs = asked.query.iter().filter(|(name, _)| name != "$skiptoken");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    query.append_pair("$skiptoken", &given.to_string());
    let tail = format!("{}?{}", table.name, query.finish());
    match quirks.beyond_cap {
        Beyond::Silent | Beyond::Refused => None,
        Beyond::Absolute => Some(format!("{root}/{tail}")),
        Beyond::Relative => Some(tail),
        Beyond::Foreign => Some(format!("https://collector.example/{tail}")),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn render(
    body: &mut String,
    table: &Table,
    row: &Row,
    columns: &[usize],
    at: usize,
    quirks: &Quirks,
) {
    body.push('{');
    for (nth, column) in columns.iter().enumerate() {
        let (Some(about), Some(value)) = (table.columns().get(*column), row.values.get(*column))
        else {
            continue;
        };
        if nth > 0 {
            body.push(',');
        }
        body.push('"');
        body.push_str(about.name);
        body.push_str("\":");
        cell(body, value, at + nth, quirks);
    }
    body.push('}');
}

fn cell(body: &mut String, value: &Value, at: usize, quirks: &Quirks) {
    match value {
        Value::Null => body.push_str("null"),
        Value::Text(text) if quirks.trimmed => quote(body, text.trim_end()),
        Value::Text(text) => quote(body, text),
        Value::Decimal(number) => decimal(body, *number, at, quirks),
        Value::Integer(number) => decimal(body, Decimal::from(*number), at, quirks),
        Value::Date(date) => {
            let time = match (quirks.date_answer, at % 2) {
                (DateAnswer::Utc, _) | (DateAnswer::Mixed, 0) => "T00:00:00Z",
                (DateAnswer::Offset | DateAnswer::Mixed, _) => "T00:00:00+02:00",
                (DateAnswer::Naive, _) => "T00:00:00",
                (DateAnswer::Date, _) => "",
            };
            write(body, format_args!("\"{date}{time}\""));
        }
        Value::Stamp(_) if quirks.stampless => body.push_str("null"),
        Value::Stamp(stamp) => quote(body, &STANDARD.encode(stamp.to_be_bytes())),
    }
}

fn decimal(body: &mut String, number: Decimal, at: usize, quirks: &Quirks) {
    match quirks.decimals {
        Decimals::Mixed if at.is_multiple_of(2) => write(body, format_args!("{number}")),
        Decimals::Number => write(body, format_args!("{number}")),
        Decimals::Text | Decimals::Mixed => write(body, format_args!("\"{number}\"")),
    }
}

/// Most texts hold nothing that JSON would have escaped.
fn quote(body: &mut String, text: &str) {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    match text.bytes().all(plain) {
        true => {
            body.push('"');
            body.push_str(text);
            body.push('"');
        }
        false => body.push_str(&quoted(text)),
    }
}

fn write(body: &mut String, what: fmt::Arguments<'_>) {
    body.write_fmt(what)
        .expect("a text takes whatever is written");
}
