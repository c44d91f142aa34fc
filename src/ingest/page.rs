//! From one page to the next, in the way this server knows.
//!
//! A page that is short is not the last one: a server may cap what it gives. By key and by count only
//! an empty page is the last; a server that links its pages says itself which one is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::read::{Reader, Table};
use crate::{
    fault::{Fault, System},
    feeds::invoices::LINE_NUMBER,
    platform::Platform,
    send::Halt,
    syspro::{
        Row,
        odata::{self, Filter, Literal, Paging, Query},
    },
};

/// Where a pass over a table is. One stored under another way of paging leads nowhere: the pass
/// begins anew.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Which of the filter's alternatives, where the server knows no `or`.
    #[serde(skip_serializing_if = "is_first")]
    part: usize,
    /// The server's own key of the last row.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// The link was given, or the rows counted, in this run: it has not grown old.
    #[serde(skip)]
    fresh: bool,
}

#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Where the pass goes on; nothing when it is at its end.
    pub next: Option<Place>,
}

impl Place {
    fn start(part: usize) -> Self {
        Self {
            part,
            ..Self::default()
        }
    }

    fn leads_on(&self, paging: Paging, key: &[&str]) -> bool {
        match (paging, &self.key, self.skip, &self.link) {
            (_, None, None, None) => true,
            (Paging::Key, Some(place), None, None) => is_place(key, place),
            (Paging::Skip, _, Some(_), None) | (Paging::Link, _, None, Some(_)) => true,
            _ => false,
        }
    }
}

impl<P: Platform> Reader<'_, P> {
    /// The page at this place, or the first.
    pub async fn page(&self, table: &Table<'_>, from: Option<&Place>) -> Result<Page, Halt> {
        let parts = self.parts(table);
        let leads_on =
            |from: &&Place| from.leads_on(self.paging(), table.key) && from.part < parts.len();
        let mut place = from.filter(leads_on).cloned().unwrap_or_default();
        loop {
            let filter = parts.get(place.part).cloned().flatten();
            let mut page = match self.paging() {
                Paging::Key => self.behind_key(table, filter, &place).await?,
                Paging::Link => self.at_link(table, filter, &place).await?,
                Paging::Skip => self.after_rows(table, filter, &place).await?,
            };
            let next_part = place.part + 1;
            if page.next.is_some() || next_part == parts.len() {
                return Ok(page);
            }
            if !page.rows.is_empty() {
                page.next = Some(Place::start(next_part));
                return Ok(page);
            }
            place = Place::start(next_part);
        }
    }

    /// Whether a pass over this table runs in the order of its key from beginning to end.
    pub fn in_order(&self, table: &Table<'_>) -> bool {
        self.service.dialect.order_by && self.parts(table).len() == 1
    }

    fn paging(&self) -> Paging {
        self.service.dialect.paging().unwrap_or(Paging::Key)
    }

    /// What is asked for one after the other, because the server knows no `or`.
    fn parts(&self, table: &Table<'_>) -> Vec<Option<Filter>> {
        match &table.filter {
            Some(filter) => {
                let parts = filter.apart(self.service.dialect).into_iter();
                parts.map(Some).collect()
            }
            None => vec![None],
        }
    }

    /// Without `or` the levels of the key are asked one by one, the innermost first: what is there
    /// comes before all that the outer ones hold.
    async fn behind_key(
        &self,
        table: &Table<'_>,
        filter: Option<Filter>,
        place: &Place,
    ) -> Result<Page, Halt> {
        let levels = match &place.key {
            Some(key) => {
                let levels = behind(table.key, key)?.apart(self.service.dialect);
                levels.into_iter().rev().map(Some).collect()
            }
            None => vec![None],
        };
        for level in levels {
            let filters: Vec<Filter> = filter.iter().cloned().chain(level).collect();
            let filter = (!filters.is_empty()).then(|| Filter::all(filters));
            let rows = self.answer_to(&table.query(filter)).await?.rows;
            if !rows.is_empty() {
                let key = Some(cursor(table, &rows)?);
                moved(key == place.key)?;
                let next = Some(Place {
                    key,
                    ..Place::start(place.part)
                });
                return Ok(Page { rows, next });
            }
        }
        Ok(Page::default())
    }

    /// A link that was kept from an earlier run and is refused has grown old: the pass begins anew.
    async fn at_link(
        &self,
        table: &Table<'_>,
        filter: Option<Filter>,
        place: &Place,
    ) -> Result<Page, Halt> {
        let first = Query {
            top: None,
            ..table.query(filter)
        };
        let linked = match &place.link {
            Some(link) => {
                let request = odata::follow(&self.service, table.name, link)?;
                match self.run.sender.odata(request, odata::read_page).await {
                    Err(Halt::Fault(Fault::Refused { .. })) if !place.fresh => None,
                    answer => Some(answer?),
                }
            }
            None => None,
        };
        let answer = match linked {
            Some(answer) => {
                moved(answer.next_link == place.link)?;
                answer
            }
            None => self.answer_to(&first).await?,
        };
        let next = answer.next_link.map(|link| Place {
            link: Some(link),
            fresh: true,
            ..Place::start(place.part)
        });
        Ok(Page {
            rows: answer.rows,
            next,
        })
    }

    async fn after_rows(
        &self,
        table: &Table<'_>,
        filter: Option<Filter>,
        place: &Place,
    ) -> Result<Page, Halt> {
        let ask = async |skip: u64| {
            let query = Query {
                skip: Some(skip),
                ..table.query(filter.clone())
            };
            Ok::<_, Halt>(self.answer_to(&query).await?.rows)
        };
        let mut skip = place.skip.unwrap_or_default();
        let mut rows = ask(skip).await?;
        if place.key.is_some() && last_key(table, &rows) == place.key {
            // Rows that came since push the last one behind a place kept from an earlier run.
            moved(place.fresh)?;
            skip = 0;
            rows = ask(skip).await?;
        }
        if rows.is_empty() {
            return Ok(Page::default());
        }
        let next = Some(Place {
            key: last_key(table, &rows),
            skip: Some(skip.saturating_add(rows.len() as u64)),
            fresh: true,
            ..Place::start(place.part)
        });
        Ok(Page { rows, next })
    }

    async fn answer_to(&self, query: &Query<'_>) -> Result<odata::Page, Halt> {
        let request = odata::request(&self.service, query);
        self.run.sender.odata(request, odata::read_page).await
    }
}

/// A server that does not heed where a page is to begin would keep a pass for ever.
fn moved(same: bool) -> Result<(), Halt> {
    match same {
        true => Err(unreadable("the same page again instead of the next")),
        false => Ok(()),
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
fn cursor(table: &Table<'_>, rows: &[Row]) -> Result<Vec<Value>, Halt> {
    last_key(table, rows).ok_or_else(|| keyless(table.key))
}

fn last_key(table: &Table<'_>, rows: &[Row]) -> Option<Vec<Value>> {
    rows.iter().rev().find_map(|row| row.cursor(table.key))
}

fn is_place(key: &[&str], after: &[Value]) -> bool {
    let plain = |value: &Value| value.is_string() || value.is_number();
    after.len() == key.len() && after.iter().all(plain)
}

fn is_first(part: &usize) -> bool {
    *part == 0
}

fn keyless(key: &[&str]) -> Halt {
    let key = key.join(", ");
    unreadable(&format!("a page of rows none of which has {key}"))
}

pub fn unreadable(shape: &str) -> Halt {
    Halt::Fault(Fault::Unreadable {
        system: System::Odata,
        shape: shape.to_owned(),
    })
}
