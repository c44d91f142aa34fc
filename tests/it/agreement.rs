//! Does HubSpot say what SYSPRO says? Worked out from the distributor's tables by plain
//! arithmetic, without any of the product's own mapping, so that both cannot err alike.
//!
//! It holds for settings as they are by default, and where nobody merged or deleted anything.

mod expected;
mod invoices;

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use rust_decimal::Decimal;
use serde_json::Value;
use simulators::{
    data::Distributor,
    hubspot::{Kind, Object, Portal},
};
use syspro_hubspot_sync::platform::Millis;

use self::expected::{Expected, Wanted};
use crate::site::Site;

/// Both sides at one moment, and what the ledger says of them.
pub struct Sides<'a> {
    pub data: &'a Distributor,
    pub portal: &'a Portal,
    pub now: Millis,
    /// Feed, key, status and reason of every record.
    pub records: Vec<Value>,
}

/// Fails with everything in which the two differ.
pub fn check(site: &Site) {
    let found = differences(site);
    let shown = &found[..found.len().min(40)];
    assert!(
        found.is_empty(),
        "HubSpot and SYSPRO differ in {} places:\n{}",
        found.len(),
        shown.join("\n")
    );
}

/// Every value, link or record in which HubSpot is not what SYSPRO makes it.
pub fn differences(site: &Site) -> Vec<String> {
    let records = "select feed, key, status, reason from records";
    between(&Sides {
        data: &site.erp.borrow().data,
        portal: &site.portal.borrow(),
        now: site.world.now(),
        records: site.world.rows(records),
    })
}

/// The same where the portal lets line items have no key of ours: they are told by what they say.
pub fn differences_without_line_keys(site: &Site) -> Vec<String> {
    let of_lines = |text: &String| {
        ["LineItem ", "→ LineItem", "its lines sum"]
            .iter()
            .any(|part| text.contains(part))
    };
    let mut found = differences(site);
    found.retain(|text| !of_lines(text));
    let portal = site.portal.borrow();
    let data = &site.erp.borrow().data;
    let expected = Expected::of(data, site.world.now(), &sent_companies(&portal));
    let lines = &expected.records[&Kind::LineItem];
    for (key, wanted) in &expected.records[&Kind::Invoice] {
        let held = portal.by_value(Kind::Invoice, "syspro_key", key);
        let Some(invoice) = held.filter(|invoice| !invoice.archived) else {
            continue;
        };
        let linked = portal.associations(Kind::Invoice, invoice.id, Kind::LineItem);
        let linked = linked
            .into_iter()
            .filter_map(|(id, _)| portal.object(Kind::LineItem, id));
        let live: Vec<&Object> = linked.filter(|line| !line.archived).collect();
        let mut has: Vec<&str> = live
            .iter()
            .map(|line| line.get("hs_sku").unwrap_or_default())
            .collect();
        let keys = wanted.links.get(&Kind::LineItem).into_iter().flatten();
        let properties: Vec<_> = keys
            .filter_map(|key| lines.get(key))
            .map(|line| &line.properties)
            .collect();
        let mut skus: Vec<&str> = properties
            .iter()
            .map(|line| line.get("hs_sku").map_or("", String::as_str))
            .collect();
        has.sort_unstable();
        skus.sort_unstable();
        // A price below zero stands in the name alone; others are rounded.
        let told = properties
            .iter()
            .all(|it| !it.contains_key("syspro_line_total"));
        let sum: Decimal = live.into_iter().map(line_value).sum();
        let off = (sum - wanted.lines_value.unwrap_or_default()).abs();
        if has != skus || told && off > Decimal::ONE {
            found.push(format!(
                "Invoice {key}: its lines are {has:?} of {sum}, not {skus:?} of {:?}",
                wanted.lines_value
            ));
        }
    }
    found
}

pub fn between(sides: &Sides<'_>) -> Vec<String> {
    let expected = Expected::of(sides.data, sides.now, &sent_companies(sides.portal));
    let mut found = Vec::new();
    fates(&sides.records, &expected, &mut found);
    for (kind, records) in &expected.records {
        for (key, wanted) in records {
            one(sides.portal, *kind, key, wanted, &mut found);
        }
        strangers(sides.portal, *kind, records, &expected, &mut found);
    }
    found
}

/// Customers that HubSpot has: they stay in step even when nothing else would send them any more. Of
/// two that people merged it has both, under the key of one.
fn sent_companies(portal: &Portal) -> BTreeSet<String> {
    let companies = portal.objects(Kind::Company);
    let there = companies.filter(|it| portal.survivor(Kind::Company, it.id).is_some());
    there
        .filter_map(|company| company.get("syspro_key").map(str::to_owned))
        .collect()
}

/// What the ledger says of every record is what SYSPRO's data deserves.
fn fates(records: &[Value], expected: &Expected, found: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for row in records {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (feed, key, status) = (text("feed"), text("key"), text("status"));
        let deserved = expected.fates.get(&key).map_or("synced", |fate| *fate);
        let reason = &row["reason"];
        // It left SYSPRO before it was ever sent, perhaps as the last that kept its customer active.
        let never = status == "excluded" || text("reason").contains("\"gone\"");
        let gone = never && !expected.fates.contains_key(&key);
        if status != deserved && deserved != "either" && !gone {
            found.push(format!("{feed} {key}: {status}, not {deserved} ({reason})"));
        }
        seen.insert(key);
    }
    let must = expected
        .fates
        .iter()
        .filter(|(_, fate)| **fate != "either")
        .map(|(key, _)| key);
    for key in must.filter(|key| !seen.contains(*key)) {
        found.push(format!("{key}: the ledger does not know it"));
    }
}

fn one(portal: &Portal, kind: Kind, key: &str, wanted: &Wanted, found: &mut Vec<String>) {
    let held = portal.by_value(kind, "syspro_key", key);
    let Some(object) = held.filter(|object| !object.archived) else {
        if wanted.must_be {
            found.push(format!("{kind:?} {key}: not in HubSpot"));
        }
        return;
    };
    for (property, value) in &wanted.properties {
        let has = object.get(property).unwrap_or_default();
        if !same(has, value) {
            found.push(format!("{kind:?} {key} {property}: {has:?}, not {value:?}"));
        }
    }
    if let Some(email) = &wanted.email {
        e_mail(
            portal,
            key,
            object.get("email").unwrap_or_default(),
            email,
            found,
        );
    }
    for (to, keys) in &wanted.links {
        let linked: BTreeSet<String> = portal
            .associations(kind, object.id, *to)
            .into_iter()
            .filter_map(|(id, _)| portal.object(*to, id))
            .filter(|other| !other.archived)
            .map(|other| other.get("syspro_key").unwrap_or("?").to_owned())
            .collect();
        if linked != *keys {
            found.push(format!("{kind:?} {key} → {to:?}: {linked:?}, not {keys:?}"));
        }
    }
    if let Some(value) = wanted.lines_value {
        let lines = portal.associations(kind, object.id, Kind::LineItem);
        let lines = lines
            .into_iter()
            .filter_map(|(id, _)| portal.object(Kind::LineItem, id));
        let sum: Decimal = lines.filter(|line| !line.archived).map(line_value).sum();
        if sum != value {
            found.push(format!(
                "{kind:?} {key}: its lines sum to {sum}, not {value}"
            ));
        }
    }
}

/// What a person reads off a line: its total where one is given, else price times quantity.
fn line_value(line: &Object) -> Decimal {
    let number = |name: &str| line.get(name).and_then(|text| text.parse().ok());
    let product = || {
        let price: Decimal = number("price").unwrap_or_default();
        price * number("quantity").unwrap_or_default()
    };
    number("syspro_line_total").unwrap_or_else(product)
}

/// The customer's first address, or none because another contact of ours has it.
fn e_mail(portal: &Portal, key: &str, has: &str, wanted: &str, found: &mut Vec<String>) {
    let held_by_other = || {
        portal.objects(Kind::Contact).any(|other| {
            !other.archived
                && holds(other, wanted)
                && other.get("syspro_key").is_some_and(|other| other != key)
        })
    };
    if has == wanted {
        return;
    }
    let wanted = if held_by_other() { "" } else { wanted };
    if has != wanted {
        found.push(format!("Contact {key} email: {has:?}, not {wanted:?}"));
    }
}

/// A survivor of a merge holds the address of the one merged into it, too.
fn holds(contact: &Object, email: &str) -> bool {
    let further = contact.get("hs_additional_emails").unwrap_or_default();
    contact.get("email") == Some(email) || further.split(';').any(|other| other == email)
}

/// Nothing is in HubSpot that is not, or was not, in SYSPRO, and nothing twice.
fn strangers(
    portal: &Portal,
    kind: Kind,
    known: &BTreeMap<String, Wanted>,
    expected: &Expected,
    found: &mut Vec<String>,
) {
    let mut seen = BTreeSet::new();
    for object in portal.objects(kind).filter(|object| !object.archived) {
        let Some(key) = object.get("syspro_key") else {
            found.push(format!("{kind:?} {}: has no key", object.id));
            continue;
        };
        if !seen.insert(key) {
            found.push(format!("{kind:?} {key}: twice"));
        }
        if known.contains_key(key) {
            continue;
        }
        match kind {
            Kind::Invoice => vanished(object, key, expected, found),
            Kind::LineItem if expected.is_of_vanished(key) => {}
            _ => found.push(format!("{kind:?} {key}: SYSPRO has no such record")),
        }
    }
}

/// An invoice that is no longer in SYSPRO was paid or consolidated.
fn vanished(invoice: &Object, key: &str, expected: &Expected, found: &mut Vec<String>) {
    let get = |name: &str| invoice.get(name).unwrap_or_default();
    let status = get("syspro_status");
    let forward = expected
        .balance_forward
        .iter()
        .any(|customer| key.starts_with(customer));
    let right = status == "paid" || forward && status == "consolidated";
    if !same(get("syspro_balance_due"), "0") || !right {
        let owes = get("syspro_balance_due");
        found.push(format!("Invoice {key} left SYSPRO: {owes:?} {status:?}"));
    }
}

/// The same text, the same number, or the same instant.
fn same(has: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<Decimal>().ok();
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    let both = |numbers: Option<(Decimal, Decimal)>| numbers.is_some_and(|(a, b)| a == b);
    let instants = instant(has).zip(instant(wanted));
    has == wanted
        || both(number(has).zip(number(wanted)))
        || instants.is_some_and(|(has, wanted)| has == wanted)
}
