//! `$filter` from typed values.

use std::ops::Range;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{Dialect, Query, Service, encode, url_of};
use crate::connection::DateStyle;

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// As the server gave it, padding included.
    Text(String),
    Decimal(Decimal),
    Integer(i64),
    Date(NaiveDate),
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    Compare(String, Op, Literal),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

impl Literal {
    /// A raw value of a key, to be compared with on the server that gave it.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Literal::Text(text.clone())),
            Value::Number(number) => super::super::exact(&number.to_string()).map(Literal::Decimal),
            _ => None,
        }
    }

    fn render(&self, style: DateStyle) -> String {
        match self {
            Literal::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Literal::Decimal(number) => number.to_string(),
            Literal::Integer(number) => number.to_string(),
            Literal::Date(day) => match style {
                DateStyle::Datetimeoffset => format!("{day}T00:00:00Z"),
                DateStyle::Date => day.to_string(),
                DateStyle::V3 => format!("datetime'{day}T00:00:00'"),
            },
            Literal::Null => "null".to_owned(),
        }
    }
}

impl Op {
    fn name(self) -> &'static str {
        match self {
            Op::Eq => "eq",
            Op::Ne => "ne",
            Op::Gt => "gt",
            Op::Ge => "ge",
            Op::Lt => "lt",
            Op::Le => "le",
        }
    }
}

impl Filter {
    pub fn compare(column: &str, op: Op, literal: Literal) -> Self {
        Filter::Compare(column.to_owned(), op, literal)
    }

    /// All of them, without a needless level around one.
    pub fn all(mut filters: Vec<Filter>) -> Self {
        match filters.len() {
            1 => filters.remove(0),
            _ => Filter::All(filters),
        }
    }

    /// Any of them, without a needless level around one.
    pub fn any(mut filters: Vec<Filter>) -> Self {
        match filters.len() {
            1 => filters.remove(0),
            _ => Filter::Any(filters),
        }
    }

    /// Filters that together name the same rows and need no `or`, where the server knows none.
    pub fn apart(&self, can: Dialect) -> Vec<Filter> {
        match self {
            _ if self.can_be_said(can) => vec![self.clone()],
            Filter::Compare(column, _, literal) => [Op::Gt, Op::Lt]
                .map(|op| Filter::compare(column, op, literal.clone()))
                .into(),
            Filter::Any(parts) => parts.iter().flat_map(|part| part.apart(can)).collect(),
            Filter::All(parts) => {
                let none = vec![Vec::new()];
                let with = |so_far: Vec<Vec<Filter>>, part: &Filter| {
                    let choices = part.apart(can);
                    let each = |left: &Vec<Filter>| {
                        let left = left.clone();
                        let both = move |choice: &Filter| {
                            [&left[..], std::slice::from_ref(choice)].concat()
                        };
                        choices.iter().map(both).collect::<Vec<_>>()
                    };
                    so_far.iter().flat_map(each).collect()
                };
                let found = parts.iter().fold(none, with);
                found.into_iter().map(Filter::all).collect()
            }
        }
    }

    /// Whether one request can ask for it.
    fn can_be_said(&self, can: Dialect) -> bool {
        let all = |parts: &[Filter]| parts.iter().all(|part| part.can_be_said(can));
        match self {
            _ if can.or => true,
            Filter::Compare(_, op, literal) => can.ne || *op != Op::Ne || *literal == Literal::Null,
            Filter::All(parts) => all(parts),
            Filter::Any(parts) => {
                parts.len() < 2 && all(parts) || can.in_list && listed(parts).is_some()
            }
        }
    }

    pub fn render(&self, service: &Service) -> String {
        match self {
            Filter::Compare(column, op, literal) => compare(service, column, *op, literal),
            Filter::All(parts) => join(service, parts, " and "),
            Filter::Any(parts) => {
                in_list(service, parts).unwrap_or_else(|| join(service, parts, " or "))
            }
        }
    }
}

/// The rows behind this key: `a gt x or (a eq x and (b gt y or …))`. The server compares, so its
/// collation decides what comes after what.
pub fn after(key: &[(&str, Literal)]) -> Filter {
    let [(column, value), rest @ ..] = key else {
        return Filter::Any(Vec::new());
    };
    let behind = Filter::compare(column, Op::Gt, value.clone());
    if rest.is_empty() {
        return behind;
    }
    let level = Filter::compare(column, Op::Eq, value.clone());
    Filter::Any(vec![behind, Filter::All(vec![level, after(rest)])])
}

pub fn between(column: &str, first: Literal, last: Literal) -> Filter {
    Filter::All(vec![
        Filter::compare(column, Op::Ge, first),
        Filter::compare(column, Op::Le, last),
    ])
}

/// Filters that together name all these keys, each with the range of keys it names. No URL of
/// `query` with one of them is longer than `max_url_bytes`, a key's own length aside. Neighbours
/// share their leading columns, so sorted keys make the fewest requests.
pub fn any_of(
    service: &Service,
    query: &Query,
    keys: &[Vec<(&str, Literal)>],
    max_url_bytes: usize,
) -> Vec<(Filter, Range<usize>)> {
    let fits = |filter: &Filter| url_with(service, query, filter) <= max_url_bytes;
    let mut found = Vec::new();
    let mut start = 0;
    while start < keys.len() {
        let mut end = start + 1;
        // cannot fail: `start` is below the length, and `end` at most that
        let mut filter = one_of(&keys[start..end]);
        while end < keys.len() {
            // cannot fail: `end` is below the length here
            let wider = one_of(&keys[start..=end]);
            if !wider.can_be_said(service.dialect) || !fits(&wider) {
                break;
            }
            filter = wider;
            end += 1;
        }
        found.push((filter, start..end));
        start = end;
    }
    found
}

fn url_with(service: &Service, query: &Query, filter: &Filter) -> usize {
    let plain = url_of(service, query).len();
    let filter = encode(&filter.render(service)).len();
    let own = match query.filter {
        // ` and ` between the two, with brackets around each.
        Some(_) => "(%20and%20)()".len(),
        None => "&$filter=".len(),
    };
    plain + own + filter
}

/// Neighbours with the same first column make one group: `a eq x and (b eq y or b eq z)`.
fn one_of(keys: &[Vec<(&str, Literal)>]) -> Filter {
    let slices: Vec<_> = keys.iter().map(Vec::as_slice).collect();
    grouped(&slices)
}

fn grouped(keys: &[&[(&str, Literal)]]) -> Filter {
    let same = |a: &&[(&str, Literal)], b: &&[(&str, Literal)]| a.first() == b.first();
    let group = |group: &[&[(&str, Literal)]]| {
        let (column, value) = group.first()?.first()?;
        let own = Filter::compare(column, Op::Eq, value.clone());
        let rest: Vec<_> = group.iter().filter_map(|key| key.get(1..)).collect();
        let rest: Vec<_> = rest.into_iter().filter(|rest| !rest.is_empty()).collect();
        Some(match rest.is_empty() {
            true => own,
            false => Filter::All(vec![own, grouped(&rest)]),
        })
    };
    Filter::any(keys.chunk_by(same).filter_map(group).collect())
}

fn compare(service: &Service, column: &str, op: Op, literal: &Literal) -> String {
    let value = literal.render(service.date_style);
    if op == Op::Ne && !service.dialect.ne && *literal != Literal::Null {
        return format!("({column} gt {value} or {column} lt {value})");
    }
    format!("{column} {} {value}", op.name())
}

fn join(service: &Service, parts: &[Filter], word: &str) -> String {
    let part = |part: &Filter| {
        let text = part.render(service);
        match part {
            Filter::All(parts) | Filter::Any(parts) if parts.len() > 1 => format!("({text})"),
            _ => text,
        }
    };
    parts.iter().map(part).collect::<Vec<_>>().join(word)
}

/// `a in (x,y)` for `a eq x or a eq y`, where the server knows it.
fn in_list(service: &Service, parts: &[Filter]) -> Option<String> {
    if !service.dialect.in_list || parts.len() < 2 {
        return None;
    }
    let (column, values) = listed(parts)?;
    let values = values.iter().map(|value| value.render(service.date_style));
    Some(format!(
        "{column} in ({})",
        values.collect::<Vec<_>>().join(",")
    ))
}

/// The column that all of these ask for, and the values they ask for.
fn listed(parts: &[Filter]) -> Option<(&str, Vec<&Literal>)> {
    let Some(Filter::Compare(first, ..)) = parts.first() else {
        return None;
    };
    let values: Option<Vec<_>> = parts
        .iter()
        .map(|part| match part {
            Filter::Compare(column, Op::Eq, literal) if column == first => Some(literal),
            _ => None,
        })
        .collect();
    Some((first, values?))
}
