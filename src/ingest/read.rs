//! Reading SYSPRO: whole tables, and rows by their keys.
//!
//! A server may cap what it gives: only an answer that adds nothing means that the rest is not there.

use std::cell::RefCell;

use super::{lookups::Codes, page::unreadable};
use crate::{
    context::Run,
    feeds::Feed,
    platform::Platform,
    send::Halt,
    sorted::SortedMap,
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

impl Table<'_> {
    pub fn query(&self, filter: Option<Filter>) -> Query<'_> {
        Query {
            table: self.name,
            select: self.select.clone(),
            filter,
            order_by: self.key,
            top: Some(self.page),
            skip: None,
        }
    }
}

pub struct Reader<'a, P> {
    pub run: &'a Run<'a, P>,
    pub(super) service: Service,
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

    /// Every row of a table, or of the part the filter names.
    pub async fn all(&self, table: &Table<'_>) -> Result<Vec<Row>, Halt> {
        let mut rows: Vec<Row> = Vec::new();
        let mut place = None;
        loop {
            let page = self.page(table, place.as_ref()).await?;
            all_keyed(table, &page.rows)?;
            rows.extend(page.rows);
            match page.next {
                Some(next) => place = Some(next),
                None => return Ok(rows),
            }
        }
    }

    /// The rows with these keys, as far as they are there. `key` are the table's key columns that
    /// `keys` give values for.
    pub async fn by_keys(&self, table: &Table<'_>, keys: &[Vec<String>]) -> Result<Vec<Row>, Halt> {
        let mut wanted: SortedMap<String, &Vec<String>> =
            keys.iter().map(|key| (record_key(key), key)).collect();
        let mut found = Vec::new();
        while !wanted.is_empty() {
            let literals: Vec<Vec<(&str, Literal)>> = wanted
                .values()
                .map(|key| literals(table.key, key))
                .collect();
            let before = wanted.len();
            for (filter, _) in odata::any_of(
                &self.service,
                &table.query(table.filter.clone()),
                &literals,
                MAX_URL_BYTES,
            ) {
                let part = Table {
                    filter: Some(filter),
                    ..table.clone()
                };
                let rows = self.page(&part, None).await?.rows;
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
        for (filter, _) in odata::any_of(
            &self.service,
            &table.query(table.filter.clone()),
            groups,
            MAX_URL_BYTES_PAGED,
        ) {
            let part = Table {
                filter: Some(filter),
                ..table.clone()
            };
            rows.extend(self.all(&part).await?);
        }
        Ok(rows)
    }
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
