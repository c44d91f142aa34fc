//! Search: `/crm/objects/{version}/{kind}/search`, the one way to find what bears no key of ours.
//!
//! Its index lags behind what was written by seconds, and it gives ten thousand results and no more.
//! So nothing is decided on what it says alone: a record it shows is read again by its id, and one it
//! does not show may be there all the same.

use http::{Request, Response};
use serde_json::{Value, json};

use super::{
    Api, Kind, body, id_text, list,
    objects::{Found, found},
};
use crate::fault::Fault;

/// Results HubSpot gives for one search, whatever the page: asked for more it refuses.
pub const MAX_RESULTS: u32 = 10_000;
/// Values in one list.
pub const MAX_VALUES: usize = 100;
/// Results on a page.
const PAGE: u32 = 200;
/// The longest body HubSpot takes.
const MAX_BODY: usize = 3_000;
/// Room for the place of the next page, which is not known yet when values are counted out.
const PLACE: usize = 40;

/// Records of a kind that pass all of the filters.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    pub kind: Kind,
    pub filters: &'a [Filter<'a>],
    /// Whether it has a value or not: HubSpot refuses the search where there is no such property.
    pub exists: Option<&'a str>,
    /// Ascending by this property.
    pub sort: Option<&'a str>,
    /// What is shown of each.
    pub properties: &'a [&'a str],
}

#[derive(Clone, Copy, Debug)]
pub enum Filter<'a> {
    /// One of these, in small letters; at most as many as [`fitting`] says.
    In(&'a str, &'a [&'a str]),
    /// This or above; a time in milliseconds.
    From(&'a str, &'a str),
    /// Any value at all.
    Has(&'a str),
    /// Above this number.
    Above(&'a str, &'a str),
}

/// One page of what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub found: Vec<Found>,
    /// Where the next page begins; nothing after the last one.
    pub after: Option<String>,
}

/// `after` is the place the page before gave.
pub fn request(api: &Api, search: &Search<'_>, after: Option<&str>) -> Request<String> {
    let path = format!("{}/search", search.kind.path());
    api.post("crm/objects", &path, &question(search, after))
}

/// How many of `values` one list of this search holds: at least one, so that whoever cuts them into
/// runs comes to an end.
pub fn fitting(search: &Search<'_>, values: &[&str]) -> usize {
    let mut length = question(search, None).to_string().len() + PLACE;
    let fits = values.iter().take(MAX_VALUES).take_while(|value| {
        // As it is spelled in JSON, with a comma.
        length += Value::from(**value).to_string().len() + 1;
        length <= MAX_BODY
    });
    fits.count().max(1)
}

fn question(search: &Search<'_>, after: Option<&str>) -> Value {
    let filters = || search.filters.iter().map(filter);
    let also = |property: &str, operator: &str| {
        let also = json!({ "propertyName": property, "operator": operator });
        json!({ "filters": filters().chain([also]).collect::<Vec<_>>() })
    };
    let groups = match search.exists {
        None => vec![json!({ "filters": filters().collect::<Vec<_>>() })],
        // Either group will do.
        Some(property) => ["HAS_PROPERTY", "NOT_HAS_PROPERTY"]
            .map(|operator| also(property, operator))
            .to_vec(),
    };
    let mut question = json!({
        "filterGroups": groups,
        "properties": search.properties,
        "limit": PAGE,
    });
    if let Some(property) = search.sort {
        question["sorts"] = json!([{ "propertyName": property, "direction": "ASCENDING" }]);
    }
    if let Some(after) = after {
        question["after"] = after.into();
    }
    question
}

fn filter(filter: &Filter<'_>) -> Value {
    match filter {
        Filter::In(property, values) => {
            json!({ "propertyName": property, "operator": "IN", "values": values })
        }
        Filter::From(property, value) => {
            json!({ "propertyName": property, "operator": "GTE", "value": value })
        }
        Filter::Above(property, value) => {
            json!({ "propertyName": property, "operator": "GT", "value": value })
        }
        Filter::Has(property) => {
            json!({ "propertyName": property, "operator": "HAS_PROPERTY" })
        }
    }
}

/// # Errors
/// Every answer that is not a page.
pub fn read(response: &Response<Vec<u8>>) -> Result<Page, Fault> {
    let body = body(response)?;
    let results = list(response, &body, "results")?;
    Ok(Page {
        found: results.iter().filter_map(found).collect(),
        after: body.pointer("/paging/next/after").and_then(id_text),
    })
}

#[cfg(test)]
mod tests;
