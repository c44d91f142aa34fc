//! Line items where the portal lets us give them no key.
//!
//! Nothing tells a second create from the first, so a line is created only for an invoice that was
//! made in this very run, or after the lines its invoice has were read. What is about to be created is
//! committed first: whoever comes after a lost answer knows what to look for, even if SYSPRO says
//! something else by then. A create is never repeated: the row waits, the portal is held until
//! whatever was begun has landed, and the next run reads.
//!
//! 1. Read the lines of invoices that have some unknown here. Those that hold what was last tried, or
//!    what is wanted, are ours; lines people added match nothing and are left alone.
//! 2. Commit the content of each line about to be created.
//! 3. Create, linked to the invoice. Where the answer names a line nowhere, read once more.
//!
//! Known lines are then updated and archived by their ids, as any object is. Once the portal takes
//! keys, 1 still comes before lines are made, and what is found gets its key with the update.

use std::iter::once;

use rust_decimal::Decimal;

use super::{
    batch::{Verdict, side_by_side},
    beyond,
    commit::of_targets,
    pretence,
    steps::{Written, blocked, hold_parked, verdict},
    unit::{Unit, at},
};
use crate::{
    context::Run,
    crm::{self, By},
    hash::hash,
    hubspot::{
        Kind,
        objects::{self, Found, Write},
        refusal,
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
    sorted::{SortedMap, SortedSet},
    store::targets::Target,
};

/// Whether nothing but its id tells an object of this kind from another.
pub fn is_keyless<P: Platform>(run: &Run<'_, P>, kind: Kind) -> bool {
    kind == Kind::LineItem && run.account.without.line_keys
}

/// What a line is told by: all that is sent of one beside what is ours alone.
const CONTENT: [&str; 5] = [
    "name",
    "hs_sku",
    "quantity",
    "price",
    "hs_line_item_currency_code",
];

/// Finds or creates the lines that are not known here.
pub async fn lines<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    units: &mut [Unit],
) -> Result<(), Halt> {
    if !run.account.lines_without_keys {
        return Ok(());
    }
    let lacks = |unit: &Unit| !unit.unknown_lines().is_empty();
    if hold_parked(run, units, Kind::LineItem, lacks) {
        return Ok(());
    }
    let (mut certain, doubtful): (Vec<Place>, Vec<Place>) =
        places(units).into_iter().partition(|place| place.is_new);
    certain.extend(adopt(run, units, doubtful).await?);
    match run.account.without.line_keys {
        true => create(run, feed, units, &certain).await,
        false => Ok(()),
    }
}

/// A unit with lines that are not known, and its invoice.
struct Place {
    unit: usize,
    invoice: String,
    is_new: bool,
}

fn places(units: &[Unit]) -> Vec<Place> {
    let open = units.iter().enumerate().filter(|(_, unit)| unit.is_open());
    let lacking = open.filter(|(_, unit)| !unit.unknown_lines().is_empty());
    let place = |(at, unit): (usize, &Unit)| {
        Some(Place {
            unit: at,
            invoice: unit.id_of(Kind::Invoice)?.to_owned(),
            is_new: unit.invoice_is_new || pretence::is_never_made(unit.id_of(Kind::Invoice)?),
        })
    };
    lacking.filter_map(place).collect()
}

/// Reads the lines these invoices have and takes what is ours. Answers the places whose lines were all
/// read: what is still unknown there does not exist.
async fn adopt<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    places: Vec<Place>,
) -> Result<Vec<Place>, Halt> {
    let invoices = places.iter().map(|place| place.invoice.clone()).collect();
    let linked = crm::links(run, (Kind::Invoice, Kind::LineItem), invoices).await?;
    let mut strangers: SortedMap<usize, Vec<String>> = SortedMap::new();
    for place in &places {
        let known = at(units, place.unit).line_ids();
        let ids = linked.get(&place.invoice).into_iter().flatten();
        let ids = ids.filter(|id| !known.contains(id.as_str())).cloned();
        strangers.insert(place.unit, ids.collect());
    }
    let contents = contents(run, strangers.values().flatten()).await?;
    let mut certain = Vec::new();
    for place in places {
        let ids = strangers.remove(&place.unit).unwrap_or_default();
        let found: Option<Vec<_>> = ids.iter().map(|id| contents.get(id)).collect();
        if let (true, Some(found)) = (linked.contains_key(&place.invoice), found) {
            let lines = found.into_iter().flatten().collect();
            take_ours(run, at(units, place.unit), &place.invoice, lines);
            certain.push(place);
        }
    }
    Ok(certain)
}

/// What these lines hold; nothing where one is gone. One the answer does not speak of is not here.
async fn contents<P: Platform>(
    run: &Run<'_, P>,
    ids: impl Iterator<Item = &String>,
) -> Result<SortedMap<String, Option<Found>>, Halt> {
    let ids: SortedSet<&str> = ids.map(String::as_str).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let key = run.key_property();
    let mut properties = CONTENT.to_vec();
    if !run.account.without.line_keys {
        properties.push(&key);
    }
    crm::records(run, Kind::LineItem, By::Id, &ids, &properties).await
}

/// Of an invoice's lines that are not known, those with the content that was last tried come first,
/// then those with what is wanted. What was tried and is not there was never created.
fn take_ours<P: Platform>(run: &Run<'_, P>, unit: &mut Unit, invoice: &str, lines: Vec<&Found>) {
    let key_property = run.key_property();
    let stand_in = beyond::stand_in(run, unit);
    // One that bears a key is found by it.
    let free = lines
        .into_iter()
        .filter(|line| !line.properties.contains_key(&key_property));
    let mut free: Vec<(String, &Found)> =
        free.map(|line| (content(&line.properties), line)).collect();
    for by_what_was_tried in [true, false] {
        for key in unit.unknown_lines() {
            let (mut target, object) = unit.line(&key);
            let wanted = object.map(|object| content(&object.properties));
            let sought = match by_what_was_tried {
                true => Some(&target.hash).filter(|hash| !hash.is_empty()),
                false => wanted.as_ref(),
            };
            let Some(place) = free.iter().position(|(it, _)| Some(it) == sought) else {
                continue;
            };
            let (content, line) = free.swap_remove(place);
            target.hubspot_id = Some(line.id.clone());
            target.links = once((Kind::Invoice, invoice.to_owned())).collect();
            target.filled = line.properties.keys().cloned().collect();
            // All it shall hold is its content, and that is there: nothing is to be sent.
            let stands = wanted == Some(content) && run.account.without.line_keys;
            target.hash = match object.filter(|_| stands) {
                Some(object) => hash(&object.properties),
                None => String::new(),
            };
            unit.keep(target);
        }
    }
    if let Some((key, properties)) = stand_in {
        let sought = content(&properties);
        if let Some((_, line)) = free.iter().find(|(content, _)| *content == sought) {
            let mut target = Target::new(Kind::LineItem, &key);
            target.hubspot_id = Some(line.id.clone());
            unit.keep(target);
        }
    }
    for key in unit.unknown_lines() {
        let (target, _) = unit.line(&key);
        if target.is_tried() {
            unit.keep(Target::new(Kind::LineItem, &key));
        }
    }
}

/// By which a line is known again, however HubSpot spells its numbers.
fn content(properties: &SortedMap<String, String>) -> String {
    let value = |name: &&str| {
        let text = properties.get(*name).map_or("", |text| text.trim());
        let number = match *name {
            "quantity" | "price" => text.parse::<Decimal>().ok(),
            _ => None,
        };
        number.map_or_else(|| text.to_owned(), |number| number.normalize().to_string())
    };
    let values: Vec<String> = CONTENT.iter().map(value).collect();
    hash(&values)
}

/// A line to be created.
struct New {
    unit: usize,
    trace: String,
    invoice: String,
    target: Target,
    /// As it will be sent: blanks left out.
    properties: SortedMap<String, String>,
    hash: String,
}

/// Creates the lines that do not exist.
async fn create<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    units: &mut [Unit],
    places: &[Place],
) -> Result<(), Halt> {
    let new: Vec<New> = places
        .iter()
        .flat_map(|place| new_lines(units, place))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    for line in &new {
        at(units, line.unit).keep(line.target.clone());
    }
    let tried = of_targets(run, feed, units);
    run.store.commit(tried).await?;
    let create = async |some: &[_]| send(run, some).await;
    let sent = side_by_side(&new, objects::MAX_INPUTS, create).await;
    for (line, verdict) in new.iter().zip(sent.verdicts) {
        book(at(units, line.unit), line, verdict);
    }
    if let Some(why) = sent.blocked {
        blocked(run, Kind::LineItem, why)?;
        hold_parked(run, units, Kind::LineItem, |unit| {
            !unit.unknown_lines().is_empty()
        });
        return Ok(());
    }
    let unnamed = places
        .iter()
        .map(|place| place.unit)
        .collect::<SortedSet<_>>();
    let unnamed = self::places(units)
        .into_iter()
        .filter(|place| unnamed.contains(&place.unit));
    adopt(run, units, unnamed.collect()).await?;
    Ok(())
}

fn new_lines(units: &[Unit], place: &Place) -> Vec<New> {
    let Some(unit) = units.get(place.unit) else {
        return Vec::new();
    };
    let lines = unit.unknown_lines().into_iter().enumerate();
    let new = |(number, key): (usize, String)| {
        let (mut target, object) = unit.line(&key);
        let object = object?;
        target.hash = content(&object.properties);
        let filled = object
            .properties
            .iter()
            .filter(|(_, value)| !value.is_empty());
        Some(New {
            unit: place.unit,
            trace: format!("{}.{number}", place.unit),
            invoice: place.invoice.clone(),
            target,
            properties: filled
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            hash: hash(&object.properties),
        })
    };
    lines.filter_map(new).collect()
}

async fn send<P: Platform>(run: &Run<'_, P>, some: &[New]) -> Result<Vec<Verdict<Written>>, Halt> {
    let writes: Vec<Write<'_>> = some
        .iter()
        .map(|line| Write {
            // It has none: only the trace tells which answer is whose.
            id: "",
            trace: &line.trace,
            properties: &line.properties,
        })
        .collect();
    let invoices: Vec<&str> = some.iter().map(|line| line.invoice.as_str()).collect();
    let request = objects::create(
        &run.api(),
        Kind::LineItem,
        Kind::Invoice,
        &writes,
        &invoices,
    );
    let answers = run
        .sender
        .write(
            Lane::General,
            Effect::Create,
            request,
            |response| objects::read_written(&writes, None, response),
            async || {
                Ok(pretence::created(
                    some.iter().map(|line| line.target.object_key.as_str()),
                ))
            },
        )
        .await?;
    Ok(answers.into_iter().map(verdict).collect())
}

fn book(unit: &mut Unit, line: &New, verdict: Verdict<Written>) {
    match verdict {
        Ok(Some(written)) => {
            let mut target = line.target.clone();
            target.hubspot_id = Some(written.id);
            target.hash = line.hash.clone();
            target.links = once((Kind::Invoice, line.invoice.clone())).collect();
            target.filled = line.properties.keys().cloned().collect();
            unit.created += 1;
            unit.answered = true;
            unit.taken_at = written.at.or(unit.taken_at.take());
            unit.warnings.extend(written.warnings);
            unit.keep(target);
        }
        // Named nowhere: the invoice's lines are read again.
        Ok(None) => {}
        Err(refusal) => {
            unit.answered = true;
            unit.keep(Target::new(Kind::LineItem, &line.target.object_key));
            let reason = refusal::reason(&refusal, Kind::LineItem);
            match refusal::is_missing(&refusal) {
                // The invoice is gone: written again, it is found or made anew.
                true => {
                    unit.doubt_invoice();
                    unit.try_once_more(reason);
                }
                false => unit.fail(reason),
            }
        }
    }
}
