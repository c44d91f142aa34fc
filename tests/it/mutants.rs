//! Mutants: what both systems, the callers of the API and the database hold is dropped, retyped,
//! cut and doubled. Never a panic, a reason where one is due, and whatever was not lied about is in
//! sync afterwards.

mod answers;
mod bodies;
mod requests;
mod rows;
mod stored;

use std::env;

use fastrand::Rng;
use serde_json::{Map, Value, json};
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice, NewLine},
    hubspot::Kind,
};

use crate::site::{Site, day};
use crate::world::Start;

/// What stands where another value should: every JSON type, and texts that are nearly right.
fn retyped() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "NaN",
        "Infinity",
        "1e400",
        "-0",
        "12,50",
        "0x10",
        "2024-02-30",
        "31/12/2024",
        "0000-00-00",
        "Z\u{0}\u{1}\u{7f}\r\n\t",
        "👩‍🚀é\u{202e}",
        "'; -- \\",
    ];
    let mut values = vec![
        Value::Null,
        json!(true),
        json!({}),
        json!({ "value": 1 }),
        json!([]),
        json!(["1"]),
        json!(0),
        json!(-1),
        json!(1.5),
        json!("x".repeat(10_000)),
        json!("9".repeat(40)),
        number("99999999999999999999999999999999999999"),
        number("1e400"),
        number("9.99e28"),
        number("-1e-400"),
    ];
    values.extend(texts.map(Value::from));
    values
}

/// A number JSON can write and no machine type holds.
fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("a JSON number")
}

/// Every object like this one with a single field dropped or retyped, at any depth, and its name.
fn field_mutants(whole: &Value, values: &[Value]) -> Vec<(String, Value)> {
    let mut mutants = Vec::new();
    let mut paths = Vec::new();
    paths_of(whole, &mut Vec::new(), &mut paths);
    for path in paths {
        let pointer: String = path.iter().map(|part| format!("/{part}")).collect();
        let mut dropped = whole.clone();
        let (last, parents) = path.split_last().expect("a path has a part");
        let parent: String = parents.iter().map(|part| format!("/{part}")).collect();
        match dropped.pointer_mut(&parent).expect("it was found there") {
            Value::Object(fields) => drop(fields.remove(last)),
            Value::Array(items) => drop(items.remove(last.parse().expect("a place"))),
            _ => unreachable!("only these have parts"),
        }
        mutants.push((format!("{pointer} dropped"), dropped));
        for value in values {
            let mut other = whole.clone();
            *other.pointer_mut(&pointer).expect("it was found there") = value.clone();
            let shown: String = value.to_string().chars().take(40).collect();
            mutants.push((format!("{pointer} = {shown}"), other));
        }
    }
    mutants
}

fn paths_of(value: &Value, here: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(items) => (0..)
            .zip(items)
            .map(|(at, it): (u32, _)| (at.to_string(), it))
            .collect(),
        _ => Vec::new(),
    };
    for (name, part) in parts {
        here.push(name);
        all.push(here.clone());
        paths_of(part, here, all);
        here.pop();
    }
}

/// The seed of a test that draws: printed, and `SEED=n` replays it.
fn rng(test: &str) -> Rng {
    let seed = env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(0..1_000_000));
    eprintln!("{test}: SEED={seed} replays this");
    Rng::with_seed(seed)
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

/// So many customers, each with a contact and one invoice of two lines.
fn distributor(customers: usize) -> Distributor {
    let today = day(Start::NOW);
    let mut data = Distributor::empty();
    for number in 1..=customers {
        let key = data.add_customer(NewCustomer {
            name: format!("Customer {number}"),
            contact: format!("Jo Number{number}"),
            email: format!("jo@customer{number}.example"),
            added: Some(today),
            ..NewCustomer::default()
        });
        let line = |value: i64| NewLine::stocked("A100", 2.into(), value.into(), 0.into());
        data.post_invoice(NewInvoice::of(&key, today, vec![line(10), line(32)]));
    }
    data
}

/// HubSpot holds what SYSPRO does, nothing twice, and every record is in sync.
fn assert_whole(site: &Site, customers: usize, story: &str) {
    let fates = site
        .world
        .rows("select feed, key, fate, reason from ledger where fate <> 'synced'");
    assert!(fates.is_empty(), "{story}: {fates:#?}");
    let many = [
        (Kind::Company, customers),
        (Kind::Contact, customers),
        (Kind::Invoice, customers),
        (Kind::LineItem, 2 * customers),
    ];
    for (kind, count) in many {
        // Archived ones count too: nothing is ever created twice.
        let made = site.portal.borrow().objects(kind).count();
        assert_eq!(made, count, "{story}: {kind:?}");
    }
    let targets = site
        .world
        .rows("select kind, object_key, hubspot_id from targets");
    assert_eq!(targets.len(), 5 * customers, "{story}");
    for target in targets {
        let key = target["object_key"].as_str().expect("a key");
        let kind = match target["kind"].as_str() {
            Some("company") => Kind::Company,
            Some("contact") => Kind::Contact,
            Some("invoice") => Kind::Invoice,
            _ => Kind::LineItem,
        };
        let id = json!(site.object(kind, key).id.to_string());
        assert_eq!(target["hubspot_id"], id, "{story}: {key}");
        let links: &[(Kind, usize)] = match kind {
            Kind::Contact => &[(Kind::Company, 1)],
            Kind::Invoice => &[(Kind::Company, 1), (Kind::Contact, 1), (Kind::LineItem, 2)],
            _ => &[],
        };
        for (to, count) in links {
            assert_eq!(
                site.linked(kind, key, *to),
                *count,
                "{story}: {key} to {to:?}"
            );
        }
    }
}

/// A run that is not green says why.
fn assert_says_why(run: &Value, story: &str) {
    let state = run["state"].as_str().unwrap_or_default();
    assert!(matches!(state, "red" | "amber"), "{story}: {run}");
    let report = &run["report"];
    let said = [&report["problems"], &report["notes"]];
    let reasons: Vec<&Value> = said
        .iter()
        .filter_map(|it| it.as_array())
        .flatten()
        .collect();
    for reason in &reasons {
        let text = reason["reason"].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{story}: {run}");
    }
    let counted = report["feeds"].as_object().is_some_and(|feeds| {
        let of = |books: &Value, name: &str| books[name].as_u64().unwrap_or_default();
        feeds
            .values()
            .any(|books| of(books, "rejected") + of(books, "failing") + of(books, "refused") > 0)
    });
    assert!(!reasons.is_empty() || counted, "{story}: {run}");
}
