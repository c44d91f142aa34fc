//! COMFND, the object that reads any table.
//!
//! It has no way to skip rows: a table is read behind the last key, in the server's own order.

use http::Response;
use quick_xml::escape::escape;
use serde_json::{Map, Value};

use super::{document, document::Element, unreadable};
use crate::{fault::Fault, syspro::Row};

/// What is read, in the order of `key`, whose columns together are unique.
#[derive(Clone, Copy, Debug)]
pub struct Find<'a> {
    pub table: &'a str,
    /// Empty means all.
    pub columns: &'a [&'a str],
    pub key: &'a [&'a str],
    pub rows: u32,
}

/// The question for the rows behind `after`, or for the first. Short: it travels in a URL.
pub fn find(what: &Find<'_>, after: Option<&[String]>) -> String {
    let Find {
        table,
        columns,
        key,
        rows,
    } = what;
    let tag = |name: &str, value: &str| format!("<{name}>{}</{name}>", escape(value));
    let named = |names: &[&str]| -> String { names.iter().map(|it| tag("Column", it)).collect() };
    let mut xml = format!(
        "<Query>{}{}",
        tag("TableName", table),
        tag("ReturnRows", &rows.to_string())
    );
    xml.push_str(&match columns.is_empty() {
        true => tag("AllColumns", "Y"),
        false => format!("<Columns>{}</Columns>", named(columns)),
    });
    if let Some(after) = after {
        xml.push_str(&format!("<Where>{}</Where>", behind(key, after)));
    }
    xml.push_str(&format!("<OrderBy>{}</OrderBy></Query>", named(key)));
    xml
}

/// `(a > x) or (a = x and b > y)`: one bracket deep, for COMFND takes no more than three.
fn behind(key: &[&str], after: &[String]) -> String {
    let mut xml = String::new();
    for last in 0..key.len().min(after.len()) {
        let parts = key.iter().zip(after).take(last + 1).enumerate();
        for (at, (column, value)) in parts {
            let joined = match (at, last) {
                (0, 0) => "",
                (0, _) => "<AndOr>Or</AndOr>",
                _ => "<AndOr>And</AndOr>",
            };
            let open = if at == 0 {
                "<OpenBracket>(</OpenBracket>"
            } else {
                ""
            };
            let (condition, close) = match at == last {
                true => ("GT", "<CloseBracket>)</CloseBracket>"),
                false => ("EQ", ""),
            };
            xml.push_str(&format!(
                "<Expression>{joined}{open}<Column>{}</Column><Condition>{condition}</Condition>\
                 <Value>{}</Value>{close}</Expression>",
                escape(*column),
                escape(value)
            ));
        }
    }
    xml
}

/// The rows of an answer. A column is called as we asked for it, whatever the case it comes in.
///
/// # Errors
/// A refusal, an error inside the document, or what is no whole document of this table.
pub fn read_rows(what: &Find<'_>, response: &Response<Vec<u8>>) -> Result<Vec<Row>, Fault> {
    let root = document(response)?;
    if !root.is(what.table) {
        return Err(unreadable(&format!(
            "another document than rows of {}",
            what.table
        )));
    }
    let row = |row: &Element| {
        let mut columns = Map::new();
        for element in &row.below {
            let value = Value::String(element.text.clone());
            columns.insert(called(what, &element.name), value);
        }
        Row(columns)
    };
    let rows: Vec<Row> = root.all("Row").map(row).collect();
    let promised: Option<usize> = root.field("RowsReturned").parse().ok();
    if promised.is_some_and(|promised| promised != rows.len()) {
        return Err(unreadable("another number of rows than it says itself"));
    }
    Ok(rows)
}

fn called(what: &Find<'_>, column: &str) -> String {
    let mut names = what.columns.iter().chain(what.key);
    let name = names.find(|name| name.eq_ignore_ascii_case(column));
    name.map_or(column, |name| name).to_owned()
}
