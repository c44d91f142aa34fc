//! Is HubSpot as SYSPRO is, what people did there apart?
//!
//! What somebody deleted or overwrote is replayed first, as the README tells them to, and then has
//! to be right like anything else. Weaker rules hold for two cases only. Two of ours that people
//! merged: the one whose key the record keeps must be right in every value, the other is not looked
//! for, and whose links are which is judged here. A connection made anew: it knows nothing of what
//! the former one sent, so what SYSPRO has blanked or purged meanwhile stays.

use std::collections::BTreeSet;

use serde_json::json;
use simulators::hubspot::Kind;
use syspro_hubspot_sync::syspro::record_key;

use super::{
    office::CONNECTION,
    portal::{Deeds, customer_of, quoted},
};
use crate::{agreement, site::Site};

/// Asks for what people broke to be sent again.
pub fn replay(site: &Site, deeds: &Deeds) -> bool {
    let of = |feed: &str, keys: &BTreeSet<String>| -> Vec<serde_json::Value> {
        let record = |key: &String| json!({"feed": feed, "key": key});
        keys.iter().map(record).collect()
    };
    let mut records = of("customers", &deeds.customers_to_mend);
    records.extend(of("invoices", &deeds.invoices_to_mend));
    if records.is_empty() {
        return false;
    }
    let body = json!({ "records": records }).to_string();
    let asked = site.ask("POST", &format!("{CONNECTION}/replay"), &body);
    assert_eq!(asked.status, 202, "{}", asked.body);
    true
}

pub fn check(site: &Site, deeds: &Deeds, renewed: bool) {
    let keyless = site.get(CONNECTION)["portal"]["without"]["line_keys"] == true;
    let mut found = match keyless {
        true => agreement::differences_without_line_keys(site),
        false => agreement::differences(site),
    };
    found.retain(|line| !(of_merged(line, deeds) || renewed && forgotten(site, line)));
    found.retain(|line| !gone_and_deleted(site, deeds, line));
    found.retain(|line| !of_adopted(site, line));
    found.retain(|line| !of_former(site, deeds, line) && !email_of_own(site, deeds, line));
    found.retain(|line| !(gone_and_excluded(site, line) || of_linked(deeds, line)));
    own(site, deeds, &mut found);
    shared(site, &mut found);
    theirs(site, deeds, &mut found);
    merged(site, deeds, &mut found);
    deals(site, deeds, renewed, &mut found);
    let shown = &found[..found.len().min(40)];
    assert!(
        found.is_empty(),
        "HubSpot and SYSPRO differ in {} places:\n{}",
        found.len(),
        shown.join("\n")
    );
}

/// An invoice is linked to the deals its order stands on, and to those people linked it to. What a
/// connection that is no more has linked stays; and what this one never heard of, because a rule came
/// first and then it left SYSPRO, is linked to nothing.
fn deals(site: &Site, deeds: &Deeds, renewed: bool, found: &mut Vec<String>) {
    let portal = site.portal.borrow();
    let live = |kind| portal.objects(kind).filter(|it| !it.archived);
    for invoice in live(Kind::Invoice) {
        let key = invoice.get("syspro_key").unwrap_or_default();
        let held = format!("select 1 from targets where object_key = {}", quoted(key));
        let may_be_unheard = renewed || gone_and_excluded(site, key);
        let known = !may_be_unheard || !site.world.rows(&held).is_empty();
        let order = invoice.get("syspro_sales_order").unwrap_or_default();
        let links = portal.associations(Kind::Invoice, invoice.id, Kind::Deal);
        for deal in live(Kind::Deal) {
            let linked = links.iter().any(|(id, _)| *id == deal.id);
            let numbers = deal.get("syspro_sales_orders").unwrap_or_default();
            let numbers = numbers.split([',', ';', ' ', '\n']);
            let mut numbers = numbers.map(|number| number.trim_start_matches('0'));
            let named = !order.is_empty() && numbers.any(|number| number == order);
            let by_hand = deeds.linked_by_hand.contains(&(invoice.id, deal.id));
            let may_stay = renewed || deeds.merged_deals.contains(&deal.id);
            if linked != (named || by_hand) && !(linked && may_stay) && known {
                let id = deal.id;
                found.push(format!(
                    "Invoice {key} of order {order:?}: linked to deal {id}: {linked}"
                ));
            }
        }
    }
}

/// What people wrote where SYSPRO has nothing is theirs.
fn theirs(site: &Site, deeds: &Deeds, found: &mut Vec<String>) {
    found.retain(|line| {
        let mut theirs = deeds.theirs.iter();
        !theirs.any(|((kind, key), (property, value))| {
            *line == format!("{kind:?} {key} {property}: {value:?}, not \"\"")
        })
    });
    let portal = site.portal.borrow();
    for ((kind, key), (property, value)) in &deeds.theirs {
        let object = portal.by_value(*kind, "syspro_key", key);
        let has = object.and_then(|object| object.get(property));
        // On the record the customer had until its link to another was taken up.
        let before = || {
            let mut all = portal.objects(*kind).filter(|it| !it.archived);
            deeds.linked.contains(key) && all.any(|it| it.get(property) == Some(value))
        };
        if has != Some(value) && !before() {
            found.push(format!(
                "{kind:?} {key} {property}: people wrote {value}, it is {has:?}"
            ));
        }
    }
}

/// Standard properties of what was taken over are people's where they had any.
fn of_adopted(site: &Site, line: &str) -> bool {
    let Some((kind, rest)) = line.split_once(' ') else {
        return false;
    };
    let adopted = format!(
        "select object_key from targets where kind = '{}' and adopted is not null",
        kind.to_lowercase()
    );
    let keys = site.world.rows(&adopted);
    let mut keys = keys.iter().filter_map(|row| row["object_key"].as_str());
    keys.any(|key| {
        let of = rest.strip_prefix(key).and_then(|it| it.strip_prefix(' '));
        let property = of.and_then(|it| it.split_once(": "));
        property.is_some_and(|(property, _)| !property.starts_with("syspro_"))
    })
}

/// An address that a contact of people's has: ours goes without it. What stands there instead is left
/// alone where this connection does not know that it wrote it: it could be people's. A call that nobody
/// heard of may have.
fn email_of_own(site: &Site, deeds: &Deeds, line: &str) -> bool {
    let mut values = deeds.own.iter().flat_map(|(_, _, values)| values);
    let is_theirs =
        values.any(|(name, value)| *name == "email" && line.ends_with(&format!(", not {value:?}")));
    let unheard = || {
        let goes_without = format!(
            "select 1 from targets where kind = 'contact' and withheld = 'email'
               and instr({}, object_key || ' email: ') > 0
               and not exists (select 1 from json_each(filled) where value = 'email')",
            quoted(line)
        );
        !site.world.rows(&goes_without).is_empty()
    };
    is_theirs && (line.contains(" email: \"\", not ") || unheard())
}

/// Who had the job before keeps what was linked to them, and people's own records need no key.
fn of_former(site: &Site, deeds: &Deeds, line: &str) -> bool {
    let has_no_key = || {
        let (name, _) = line.split_once(": has no key")?;
        let (kind, id) = name.split_once(' ')?;
        let id: u64 = id.parse().ok()?;
        let own = deeds.own.iter().any(|(_, own, _)| *own == id);
        let portal = site.portal.borrow();
        let kind = match kind {
            "Company" => Kind::Company,
            _ => Kind::Contact,
        };
        let former = portal.object(kind, id);
        let former = former.is_some_and(|it| it.get("syspro_customer_number").is_some());
        Some(own || former)
    };
    let linked = || {
        let (_, links) = line
            .split_once("→ Contact: ")
            .or_else(|| line.split_once("→ Company: "))?;
        let (has, wanted) = links.split_once(", not ")?;
        Some(has.replace("\"?\", ", "") == wanted)
    };
    has_no_key().or_else(linked).unwrap_or_default()
}

/// Every value people put there themselves is there.
fn own(site: &Site, deeds: &Deeds, found: &mut Vec<String>) {
    let portal = site.portal.borrow();
    for (kind, id, values) in &deeds.own {
        let object = portal.object(*kind, *id).filter(|it| !it.archived);
        for (property, value) in values {
            let has = object.and_then(|object| object.get(property));
            if has != Some(value) {
                found.push(format!(
                    "{kind:?} {id} {property}: people's {value} is {has:?}"
                ));
            }
        }
    }
}

/// No record of HubSpot's is two customers', unless people merged theirs.
fn shared(site: &Site, found: &mut Vec<String>) {
    let rows = site.world.rows(
        "select kind, hubspot_id, group_concat(object_key) as keys from targets
         where hubspot_id is not null and withheld is not 'merged'
         group by kind, hubspot_id having count(*) > 1",
    );
    found.extend(
        rows.into_iter()
            .map(|row| format!("one record of several: {row}")),
    );
}

/// One that was merged into another is not there, and links are judged by [`merged`].
fn of_merged(line: &str, deeds: &Deeds) -> bool {
    deeds.merged.iter().any(|(kind, winner, loser)| {
        let of = |key: &str| line.contains(&customer_of(key));
        line.starts_with(&format!("{kind:?} {loser}:"))
            || line.starts_with(&format!("customers {}: excluded, ", customer_of(loser)))
            // What the one lacks it has from the other.
            || line.starts_with(&format!("{kind:?} {winner} ")) && line.ends_with("not \"\"")
            || line.contains('→') && (of(winner) || of(loser))
    })
}

/// Everything that hung on either of the two hangs on the one, once.
fn merged(site: &Site, deeds: &Deeds, found: &mut Vec<String>) {
    let portal = site.portal.borrow();
    for (kind, winner, loser) in &deeds.merged {
        if portal
            .by_value(*kind, "syspro_key", loser)
            .is_some_and(|it| !it.archived)
        {
            found.push(format!(
                "{kind:?} {loser}: merged by people, and there again"
            ));
        }
        let Some(survivor) = portal.by_value(*kind, "syspro_key", winner) else {
            found.push(format!("{kind:?} {winner}: the survivor is not there"));
            continue;
        };
        let invoices = portal.objects(Kind::Invoice).filter(|it| !it.archived);
        for invoice in invoices {
            let key = invoice.get("syspro_key").unwrap_or_default();
            if ![winner, loser]
                .map(|it| customer_of(it))
                .contains(&customer_of(key))
            {
                continue;
            }
            let mut links = portal.associations(Kind::Invoice, invoice.id, *kind);
            // Who had the job before keeps them, and has no key.
            let has_key = |id| portal.object(*kind, id).and_then(|it| it.get("syspro_key"));
            links.retain(|(id, _)| *id == survivor.id || has_key(*id).is_some());
            if links.len() != 1 || links[0].0 != survivor.id {
                found.push(format!(
                    "Invoice {key} → {kind:?}: {links:?}, not {}",
                    survivor.id
                ));
            }
        }
    }
}

/// What only the former connection knew: paid, purged or inactive since, so that this one never
/// read it; or blank by now, and this one never filled it.
fn forgotten(site: &Site, line: &str) -> bool {
    let feed = match line.starts_with("Invoice") || line.starts_with("LineItem") {
        true => "invoices",
        false => "customers",
    };
    // One that left SYSPRO before this connection had sent it: it does not know that it was sent.
    let sent = match line.contains(" left SYSPRO: ") {
        true => "and exists (select 1 from targets t where t.key = l.key and t.feed = l.feed)",
        false => "",
    };
    let held = format!(
        "select 1 from ledger l where feed = '{feed}' and fate <> 'excluded'
         and instr({}, key) > 0 {sent}",
        quoted(line)
    );
    line.ends_with("not \"\"") || site.world.rows(&held).is_empty()
}

/// The record a customer had before people linked it elsewhere keeps its links, whoever finds it next.
fn of_linked(deeds: &Deeds, line: &str) -> bool {
    let Some((_, links)) = line.split_once("→ Company: ") else {
        return false;
    };
    let mut linked = deeds.linked.iter();
    linked.any(|key| line.contains(key.as_str()) && links.matches(key.as_str()).count() == 2)
}

/// What left SYSPRO while a rule left it out was left as it was.
fn gone_and_excluded(site: &Site, line: &str) -> bool {
    let held = format!(
        "select 1 from ledger where fate = 'excluded' and gone_at is not null
           and feed = 'invoices' and instr({}, key) > 0",
        quoted(line)
    );
    !site.world.rows(&held).is_empty()
}

/// The product's own proof says the same. What people merged shows there, and its replay mends it.
pub fn reconcile(site: &Site, deeds: &Deeds) {
    let mut report = reconciled(site);
    if !deeds.merged.is_empty() && report["clean"] == false {
        let replay = report["replay"].to_string();
        let asked = site.ask("POST", &format!("{CONNECTION}/replay"), &replay);
        assert_eq!(asked.status, 202, "{}", asked.body);
        site.settle(30);
        report = reconciled(site);
    }
    assert_eq!(report["clean"], true, "{report:#}");
    let unseen = paid_and_purged(site);
    assert_eq!(report["not_shown_by_syspro"], unseen, "{report:#}");
}

fn reconciled(site: &Site) -> serde_json::Value {
    let period = json!({"from": "2000-01-01", "to": "2099-12-31"}).to_string();
    let asked = site.ask("POST", &format!("{CONNECTION}/reconcile"), &period);
    assert_eq!(asked.status, 202, "{}", asked.body);
    let id = asked.body["run"].as_str().unwrap_or_default();
    for _ in 0..20 {
        site.next_tick();
        let run = site.get(&format!("{CONNECTION}/runs/{id}"));
        if run["state"] != "asked" && run["state"] != "running" {
            return run["report"].clone();
        }
    }
    panic!("the reconciliation came to no end");
}

/// Invoices that left SYSPRO when nothing was owed on them any more: nobody looks for those.
fn paid_and_purged(site: &Site) -> usize {
    let erp = site.erp.borrow();
    let there: BTreeSet<String> = erp
        .data
        .table("ArInvoice")
        .rows()
        .map(|row| {
            let parts = ["Customer", "Invoice", "DocumentType"];
            let parts = parts.iter().map(|column| row.text(column).trim_end());
            record_key(std::iter::once("EDU1").chain(parts))
        })
        .collect();
    let held = site.world.rows(
        "select key from ledger
         where feed = 'invoices' and gone_at is null and source_date is not null",
    );
    let keys = held.iter().filter_map(|row| row["key"].as_str());
    keys.filter(|key| !there.contains(*key)).count()
}

/// Deleted by people after it left SYSPRO, or before it was seen to: nothing can be sent again.
fn gone_and_deleted(site: &Site, deeds: &Deeds, line: &str) -> bool {
    let mut gone = deeds.invoices_to_mend.iter();
    gone.any(|key| {
        let held = format!(
            "select 1 from ledger where key = {} and gone_at is not null",
            quoted(key)
        );
        line.contains(key.as_str()) && !site.world.rows(&held).is_empty()
    })
}
