//! Links between records: `/crm/associations/{version}/{from}/{to}/batch/…`.
//!
//! To link what is linked is harmless. The same pair twice in one call is refused, and an empty
//! list of types is accepted and links nothing: neither is ever built here.

use http::{Request, Response};
use serde_json::{Value, json};

use super::objects::errors;
use super::{Api, Kind, body, id_text, list, refusal, unreadable};
use crate::{
    fault::{Fault, Refusal},
    sorted::{SortedMap, SortedSet},
};

/// Records in one call to read what they are linked to.
pub const MAX_SOURCES: usize = 1_000;

/// Pairs in one call to take links away.
pub const MAX_ARCHIVED: usize = 100;

/// The links we make, by direction. A labelled link replaces a pair's labels, so the list is all
/// the pair shall have: a contact's company is linked (279) and primary (1).
pub const TYPES: &[(Kind, Kind, &[u16])] = &[
    (Kind::Contact, Kind::Company, &[279, 1]),
    (Kind::Invoice, Kind::Company, &[179]),
    (Kind::Invoice, Kind::Contact, &[177]),
    (Kind::LineItem, Kind::Invoice, &[410]),
    (Kind::Invoice, Kind::Deal, &[175]),
];

/// What became of one pair.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkAnswer {
    Linked,
    Refused(Refusal),
    /// The answer speaks of others only.
    Unnamed,
}

/// A record whose links are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub id: String,
    /// Where the page before ended.
    pub after: Option<String>,
}

/// What one record is linked to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    pub to: Vec<String>,
    /// There are more; ask again from here.
    pub after: Option<String>,
}

/// The types for links in this direction, where we make them.
pub fn types(from: Kind, to: Kind) -> Option<&'static [u16]> {
    let found = TYPES.iter().find(|(f, t, _)| (*f, *t) == (from, to));
    found.map(|(_, _, types)| *types)
}

/// Links the pairs with exactly these types. `pairs` holds no pair twice, `types` is not empty.
pub fn create(
    api: &Api,
    from: Kind,
    to: Kind,
    pairs: &[(&str, &str)],
    types: &[u16],
) -> Request<String> {
    debug_assert!(!types.is_empty(), "no types link nothing");
    let types: Vec<Value> = types.iter().map(|id| spec(*id)).collect();
    let input =
        |(a, b): &(&str, &str)| json!({ "from": { "id": a }, "to": { "id": b }, "types": types });
    batch(api, from, to, "create", pairs, input)
}

pub(super) fn spec(id: u16) -> Value {
    json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id })
}

/// Links the pairs with the portal's default type. `pairs` holds no pair twice.
pub fn associate_default(
    api: &Api,
    from: Kind,
    to: Kind,
    pairs: &[(&str, &str)],
) -> Request<String> {
    let input = |(a, b): &(&str, &str)| json!({ "from": { "id": a }, "to": { "id": b } });
    batch(api, from, to, "associate/default", pairs, input)
}

/// Takes the links of these pairs away, whatever they are labelled. Those that are not there are
/// taken as taken away.
pub fn archive(api: &Api, from: Kind, to: Kind, pairs: &[(&str, &str)]) -> Request<String> {
    let mut fans: SortedMap<&str, Vec<Value>> = SortedMap::new();
    for (a, b) in pairs {
        fans.get_or_default(a).push(json!({ "id": b }));
    }
    let fans = fans.into_iter();
    let inputs: Vec<Value> = fans
        .map(|(from, to)| json!({ "from": { "id": from }, "to": to }))
        .collect();
    post(api, from, to, "archive", &inputs)
}

/// What the records are linked to: no more than [`MAX_SOURCES`].
pub fn read(api: &Api, from: Kind, to: Kind, sources: &[Source]) -> Request<String> {
    let input = |source: &Source| match &source.after {
        Some(after) => json!({ "id": source.id, "after": after }),
        None => json!({ "id": source.id }),
    };
    let inputs: Vec<Value> = sources.iter().map(input).collect();
    post(api, from, to, "read", &inputs)
}

/// The links of each record the answer speaks of. One linked to nothing is named in an error, or
/// nowhere; beside an error that names nobody, nowhere means nothing.
///
/// # Errors
/// Every answer that is not the list.
pub fn read_links(
    sources: &[Source],
    response: &Response<Vec<u8>>,
) -> Result<SortedMap<String, Links>, Fault> {
    let body = body(response)?;
    let results = list(response, &body, "results")?;
    let mut found: SortedMap<String, Links> = results.iter().filter_map(links).collect();
    let mut doubtful = false;
    let mut without: Vec<&String> = Vec::new();
    for error in errors(&body) {
        let said = refusal::contexts(error);
        let ids: Vec<&str> = said.iter().flat_map(|text| numbers(text)).collect();
        let named = sources.iter().map(|source| &source.id);
        let named: Vec<&String> = named.filter(|id| ids.contains(&id.as_str())).collect();
        match refusal::is_missing(&refusal::read(error)) && !named.is_empty() {
            true => without.extend(named),
            false => doubtful = true,
        }
    }
    for Source { id, .. } in sources {
        if !doubtful || without.contains(&id) {
            found.get_or_default(id.clone());
        }
    }
    Ok(found)
}

fn links(result: &Value) -> Option<(String, Links)> {
    let to = result.get("to").and_then(Value::as_array)?;
    let after = || result.get("paging")?.get("next")?.get("after");
    let to = to
        .iter()
        .filter_map(|to| id_text(to.get("toObjectId").or_else(|| to.get("id"))?));
    let links = Links {
        to: to.collect(),
        after: after().and_then(id_text),
    };
    Some((id_text(result.get("from")?.get("id")?)?, links))
}

/// One answer per pair, in the order of the pairs.
///
/// Results are not counted: nobody promises one for each pair, nor that the reverse is left out.
/// A success that names no error has linked all; one that says nothing at all is no success.
///
/// # Errors
/// A refusal of the call as a whole is a [`Fault::Refused`].
pub fn read_linked(
    pairs: &[(&str, &str)],
    response: &Response<Vec<u8>>,
) -> Result<Vec<LinkAnswer>, Fault> {
    let body = body(response)?;
    if !body.is_object() {
        return Err(unreadable(response, "no word on the links"));
    }
    let errors = errors(&body);
    let mut answers = vec![LinkAnswer::Linked; pairs.len()];
    let mut anonymous = false;
    for error in errors {
        let named = named(pairs, error);
        anonymous |= named.is_empty();
        for at in named {
            // cannot fail: named by their place among the pairs, and each has its answer
            answers[at] = LinkAnswer::Refused(refusal::read(error));
        }
    }
    if anonymous {
        keep_only_what_is_listed(&mut answers, pairs, &body);
        if let (true, Some(error)) = (pairs.len() == 1, errors.first()) {
            answers = vec![LinkAnswer::Refused(refusal::read(error))];
        }
    }
    Ok(answers)
}

fn batch(
    api: &Api,
    from: Kind,
    to: Kind,
    verb: &str,
    pairs: &[(&str, &str)],
    input: impl Fn(&(&str, &str)) -> Value,
) -> Request<String> {
    debug_assert!(no_pair_twice(pairs), "a pair twice is refused");
    post(
        api,
        from,
        to,
        verb,
        &pairs.iter().map(input).collect::<Vec<_>>(),
    )
}

fn post(api: &Api, from: Kind, to: Kind, verb: &str, inputs: &[Value]) -> Request<String> {
    let path = format!("{}/{}/batch/{verb}", from.path(), to.path());
    api.post("crm/associations", &path, &json!({ "inputs": inputs }))
}

fn no_pair_twice(pairs: &[(&str, &str)]) -> bool {
    let mut seen = SortedSet::new();
    pairs.iter().all(|pair| seen.insert(pair))
}

/// The pairs an error speaks of: those it names both ends of, else those it names one end of.
fn named(pairs: &[(&str, &str)], error: &Value) -> Vec<usize> {
    let contexts = refusal::contexts(error);
    let ids: SortedSet<&str> = contexts.iter().flat_map(|text| numbers(text)).collect();
    let with = |ends: usize| -> Vec<usize> {
        let count =
            |(a, b): &(&str, &str)| usize::from(ids.contains(a)) + usize::from(ids.contains(b));
        let named = pairs
            .iter()
            .enumerate()
            .filter(|(_, pair)| count(pair) >= ends);
        named.map(|(at, _)| at).collect()
    };
    let both = with(2);
    if both.is_empty() { with(1) } else { both }
}

/// `CONTACT=226 is not valid` names 226.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
}

/// Beside an error that names nobody only the results can say which pairs it does not mean.
fn keep_only_what_is_listed(answers: &mut [LinkAnswer], pairs: &[(&str, &str)], body: &Value) {
    let results = body.get("results").and_then(Value::as_array);
    let listed: SortedSet<(String, String)> =
        results.into_iter().flatten().filter_map(ends).collect();
    for (answer, (a, b)) in answers.iter_mut().zip(pairs) {
        let (a, b) = ((*a).to_owned(), (*b).to_owned());
        let there = listed.contains(&(a.clone(), b.clone())) || listed.contains(&(b, a));
        if *answer == LinkAnswer::Linked && !there {
            *answer = LinkAnswer::Unnamed;
        }
    }
}

/// Both forms of a result: `{from:{id},to:{id}}` and `{fromObjectId,toObjectId}`.
fn ends(result: &Value) -> Option<(String, String)> {
    let end = |nested: &str, flat: &str| {
        id_text(
            result
                .get(nested)
                .and_then(|end| end.get("id"))
                .or_else(|| result.get(flat))?,
        )
    };
    Some((end("from", "fromObjectId")?, end("to", "toObjectId")?))
}

#[cfg(test)]
mod tests;
