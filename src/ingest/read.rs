//! Reading SYSPRO: pages by key, rows by their keys, and what stands beside them.
//!
//! A page that is short is not the last one: a server may cap what it gives. Only an empty page
//! is, and only an answer that adds nothing means that the rest is not there.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::Value;

use super::lookups::Codes;
use crate::{
    context::Run,
    fault::{Fault, System},
    feeds::{Feed, invoices::LINE_NUMBER},
    platform::Platform,
    send::Halt,
    syspro::{
        Row,
        odata::{self, Filter, Literal, Query, Service},
        record_key,
    },
};

/// IIS refuses longer query strings at some sites.
const MAX_URL_BYTES: usize = 2_000;
/// The same, with room for the key that a further page is behind.
const MAX_URL_BYTES_PAGED: usize = 1_200;

/// What is read, in which order and how much at once.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    pub name: &'a str,
    pub select: Vec<String>,
    /// The columns a page is ordered and continued by; together unique.
    pub key: &'a [&'a str],
    pub filter: Option<Filter>,
    pub page: u32,
}

pub struct Reader<'a, P> {
    pub run: &'a Run<'a, P>,
    service: Service,
    pub(super) codes: RefCell<Codes>,
}

impl<'a, P: Platform> Reader<'a, P> {
    pub fn new(run: &'a Run<'a, P>) -> Self {
        let connection = run.connection;
        Self {
            run,
            service: Service::new(&connection.syspro, &connection.settings, run.dialect),
            codes: RefCell::default(),
        }
    }

    /// The page behind a key, or the first.
    pub async fn page(&self, table: &Table<'_>, after: Option<&[Value]>) -> Result<Vec<Row>, Halt> {
        let mut filters: Vec<Filter> = table.filter.clone().into_iter().collect();
        // A stored place that is none, after a change by hand, is no filter: the poll begins anew.
        let after = after.filter(|after| is_place(table.key, after));
        if let Some(after) = after {
            filters.push(behind(table.key, after)?);
        }
        let query = Query {
            table: table.name,
            select: table.select.clone(),
            filter: (!filters.is_empty()).then(|| Filter::all(filters)),
            order_by: table.key,
            top: Some(table.page),
        };
        let request = odata::request(&self.service, &query);
        let rows: Vec<Row> = self.run.sender.odata(request, odata::read_page).await?;
        let last = rows.iter().rev().find_map(|row| row.cursor(table.key));
        if after.is_some() && last.as_deref() == after {
            return Err(unreadable("the same page again instead of the next"));
        }
        Ok(rows)
    }

    /// Every row of a table, or of the part the filter names.
    pub async fn all(&self, table: &Table<'_>) -> Result<Vec<Row>, Halt> {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            let after = match rows.as_slice() {
                [] => None,
                rows => Some(cursor(table, rows)?),
            };
            let page = self.page(table, after.as_deref()).await?;
            all_keyed(table, &page)?;
            if page.is_empty() {
                return Ok(rows);
            }
            rows.extend(page);
        }
    }

    /// The rows with these keys, as far as they are there. `key` are the table's key columns that
    /// `keys` give values for.
    pub async fn by_keys(&self, table: &Table<'_>, keys: &[Vec<String>]) -> Result<Vec<Row>, Halt> {
        let mut wanted: BTreeMap<String, &Vec<String>> =
            keys.iter().map(|key| (record_key(key), key)).collect();
        let mut found = Vec::new();
        while !wanted.is_empty() {
            let literals: Vec<Vec<(&str, Literal)>> = wanted
                .values()
                .map(|key| literals(table.key, key))
                .collect();
            let before = wanted.len();
            for (filter, _) in odata::any_of(&self.service, &query(table), &literals, MAX_URL_BYTES)
            {
                let part = Table {
                    filter: Some(filter),
                    ..table.clone()
                };
                let rows = self.page(&part, None).await?;
                all_keyed(table, &rows)?;
                for row in rows {
                    let key = record_key(table.key.iter().map(|column| row.key_text(column)));
                    if wanted.remove(&key).is_some() {
                        found.push(row);
                    }
                }
            }
            if wanted.len() == before {
                break;
            }
        }
        Ok(found)
    }

    /// The `ArTrnDetail` or other rows that belong to a set of groups, each named by the values of
    /// `by`: `[(year, month, number)]`. All of them: pages go on until one is empty.
    pub async fn grouped(
        &self,
        table: &Table<'_>,
        groups: &[Vec<(&str, Literal)>],
    ) -> Result<Vec<Row>, Halt> {
        let mut rows = Vec::new();
        for (filter, _) in odata::any_of(&self.service, &query(table), groups, MAX_URL_BYTES_PAGED)
        {
            let part = Table {
                filter: Some(filter),
                ..table.clone()
            };
            rows.extend(self.all(&part).await?);
        }
        Ok(rows)
    }
}

fn query<'a>(table: &'a Table<'_>) -> Query<'a> {
    Query {
        table: table.name,
        select: table.select.clone(),
        filter: table.filter.clone(),
        order_by: table.key,
        top: Some(table.page),
    }
}

/// The filter for what the server holds behind this row, in the server's own values.
fn behind(key: &[&str], after: &[Value]) -> Result<Filter, Halt> {
    let literals: Option<Vec<(&str, Literal)>> = key
        .iter()
        .zip(after)
        .map(|(column, value)| Some((*column, literal(column, value)?)))
        .collect();
    match literals {
        Some(literals) if literals.len() == key.len() => Ok(odata::after(&literals)),
        _ => Err(keyless(key)),
    }
}

/// A server may spell numbers as texts, and still compares them with numbers only.
fn literal(column: &str, value: &Value) -> Option<Literal> {
    let number = value.as_str().filter(|_| LINE_NUMBER.contains(&column));
    match number {
        Some(text) => text.trim().parse().ok().map(Literal::Decimal),
        None => Literal::of(value),
    }
}

/// Where these rows are continued: behind the last that has a key. Those after it are rejected, and
/// read again.
pub fn cursor(table: &Table<'_>, rows: &[Row]) -> Result<Vec<Value>, Halt> {
    let last = rows.iter().rev().find_map(|row| row.cursor(table.key));
    last.ok_or_else(|| keyless(table.key))
}

/// Rows that stand beside a record or are asked for by key are believed only all together: one that
/// cannot be told apart may be the one that is missed.
fn all_keyed(table: &Table<'_>, rows: &[Row]) -> Result<(), Halt> {
    if rows.iter().all(|row| row.cursor(table.key).is_some()) {
        return Ok(());
    }
    let key = table.key.join(", ");
    Err(unreadable(&format!("a row without {key}")))
}

fn is_place(key: &[&str], after: &[Value]) -> bool {
    let plain = |value: &Value| value.is_string() || value.is_number();
    after.len() == key.len() && after.iter().all(plain)
}

fn keyless(key: &[&str]) -> Halt {
    let key = key.join(", ");
    unreadable(&format!("a page of rows none of which has {key}"))
}

fn unreadable(shape: &str) -> Halt {
    Halt::Fault(Fault::Unreadable {
        system: System::Odata,
        shape: shape.to_owned(),
    })
}

fn literals<'a>(columns: &[&'a str], key: &[String]) -> Vec<(&'a str, Literal)> {
    let values = key.iter().map(|value| Literal::Text(value.clone()));
    columns.iter().copied().zip(values).collect()
}

/// A feed's own table, in the order of its key.
pub fn table<P: Platform>(run: &Run<'_, P>, feed: &Feed, filter: Option<Filter>) -> Table<'static> {
    Table {
        name: feed.table,
        select: (feed.columns)(&run.connection.settings),
        key: feed.key,
        filter,
        page: feed.page,
    }
}
