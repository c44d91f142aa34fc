//! Search: an index that lags behind what was written.

use std::cmp::Ordering;

use serde::Deserialize;

use super::batch::names_to_show;
use super::errors::Refusal;
use super::objects::Object;
use super::records::{Page, Paging};
use super::schema::Type;
use super::values::{moment, number};
use super::wire::{Call, Reply};
use super::{Crm, Kind};
use crate::Millis;

const MOST_RESULTS: usize = 10_000;
const MOST_A_PAGE: usize = 200;
const LONGEST_BODY: usize = 3_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    #[serde(default)]
    filter_groups: Vec<Group>,
    #[serde(default)]
    sorts: Vec<Sort>,
    #[serde(default)]
    properties: Vec<String>,
    limit: Option<usize>,
    after: Option<After>,
}

/// The page token, a text or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum After {
    Text(String),
    Number(usize),
}

#[derive(Deserialize)]
struct Group {
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    property_name: String,
    operator: Operator,
    value: Option<String>,
    high_value: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    HasProperty,
    NotHasProperty,
    ContainsToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sort {
    property_name: String,
    #[serde(default)]
    direction: Direction,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Direction {
    #[default]
    Ascending,
    Descending,
}

impl Crm {
    pub(super) fn search(&self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        if call.body.len() > LONGEST_BODY {
            return Err(Refusal::invalid(format!(
                "A search may be {LONGEST_BODY} characters long at most"
            )));
        }
        let search: Search = self.parse(call)?;
        self.check_search(kind, &search)?;
        let limit = search.limit.unwrap_or(10);
        let after = match &search.after {
            Some(After::Text(text)) => text.parse().unwrap_or(0),
            Some(After::Number(number)) => *number,
            None => 0,
        };
        if limit > MOST_A_PAGE || after + limit > MOST_RESULTS {
            return Err(Refusal::invalid(format!(
                "A search gives {MOST_A_PAGE} results a page and {MOST_RESULTS} in all"
            )));
        }
        let indexed = call.now - self.options.search_lag_ms;
        let mut found: Vec<&Object> = self
            .store
            .all(kind)
            .filter(|object| !object.archived && object.created_at <= indexed)
            .filter(|object| self.meets(kind, object, &search, indexed))
            .collect();
        for sort in search.sorts.iter().rev() {
            found.sort_by(|one, other| {
                let held = |object| self.indexed(kind, object, &sort.property_name, indexed);
                let order = self.compare(kind, &sort.property_name, &held(one), &held(other));
                match sort.direction {
                    Direction::Ascending => order,
                    Direction::Descending => order.reverse(),
                }
            });
        }
        let names = names_to_show(kind, &search.properties);
        let page = found.iter().skip(after).take(limit);
        let results = page
            .map(|object| self.record(kind, object, names.iter().copied()))
            .collect();
        let next = after + limit;
        Ok(Reply::json(
            200,
            &Page {
                total: Some(found.len()),
                results,
                paging: (next < found.len()).then(|| Paging::after(next)),
            },
        ))
    }

    fn check_search(&self, kind: Kind, search: &Search) -> Result<(), Refusal> {
        let groups = &search.filter_groups;
        let filters = || groups.iter().flat_map(|group| &group.filters);
        if groups.len() > 5 || groups.iter().any(|g| g.filters.len() > 6) || filters().count() > 18
        {
            return Err(Refusal::invalid("Too many filters in a search"));
        }
        let sorted = search.sorts.iter().map(|sort| &sort.property_name);
        let names = filters().map(|filter| &filter.property_name).chain(sorted);
        for name in names {
            if self.schema.of(kind).live(name).is_none() {
                return Err(Refusal::invalid(format!(
                    "There was a problem with the request: property {name} does not exist"
                )));
            }
        }
        Ok(())
    }

    fn meets(&self, kind: Kind, object: &Object, search: &Search, indexed: Millis) -> bool {
        search.filter_groups.is_empty()
            || search.filter_groups.iter().any(|group| {
                let mut filters = group.filters.iter();
                filters.all(|filter| self.passes(kind, object, filter, indexed))
            })
    }

    fn passes(&self, kind: Kind, object: &Object, filter: &Filter, indexed: Millis) -> bool {
        let name = filter.property_name.as_str();
        let held = self.indexed(kind, object, name, indexed);
        let against = |value: &Option<String>| {
            let value = value.as_deref().unwrap_or_default();
            self.compare(kind, name, &held, value)
        };
        let order = || against(&filter.value);
        let listed = || {
            let mut values = filter.values.iter();
            values.any(|value| self.compare(kind, name, &held, value) == Ordering::Equal)
        };
        if held.is_empty() {
            return matches!(
                filter.operator,
                Operator::NotHasProperty | Operator::Neq | Operator::NotIn
            );
        }
        match filter.operator {
            Operator::Eq => order().is_eq(),
            Operator::Neq => order().is_ne(),
            Operator::Lt => order().is_lt(),
            Operator::Lte => order().is_le(),
            Operator::Gt => order().is_gt(),
            Operator::Gte => order().is_ge(),
            Operator::Between => order().is_ge() && against(&filter.high_value).is_le(),
            Operator::In => listed(),
            Operator::NotIn => !listed(),
            Operator::HasProperty => true,
            Operator::NotHasProperty => false,
            Operator::ContainsToken => {
                let token = filter.value.as_deref().unwrap_or_default();
                let token = token.trim_matches('*').to_lowercase();
                held.to_lowercase().contains(&token)
            }
        }
    }

    /// A value as the index has it: a change younger than the lag has not moved the date yet.
    fn indexed(&self, kind: Kind, object: &Object, name: &str, indexed: Millis) -> String {
        if name == "hs_object_id" {
            return object.id.to_string();
        }
        if name == kind.created_property() {
            return object.created_at.to_string();
        }
        if name == kind.modified_property() {
            let seen = object.updated_at <= indexed;
            let at = if seen {
                object.updated_at
            } else {
                object.created_at
            };
            return at.to_string();
        }
        object.get(name).unwrap_or_default().to_owned()
    }

    fn compare(&self, kind: Kind, name: &str, one: &str, other: &str) -> Ordering {
        let property = self.schema.of(kind).live(name);
        match property.map(|property| property.kind) {
            Some(Type::Date | Type::DateTime) => moment(one).cmp(&moment(other)),
            Some(Type::Number) => number(one).cmp(&number(other)),
            _ => one.to_lowercase().cmp(&other.to_lowercase()),
        }
    }
}
