//! Adoption: what people have in HubSpot already is taken over instead of being made a second time.
//!
//! Before companies and contacts are written, those that are not known there are looked for: contacts
//! by e-mail, companies by their own domain. A record that bears a key of ours is somebody's already;
//! exactly one that bears none is taken over; several are a person's choice.
//!
//! What is decided is committed before it is written: a run cut off in between leaves behind which
//! fields were filled, and the next one does not take them for people's. Whatever else is cut off is
//! decided again, and comes out alike: a record that we made has our key, and the update of another
//! is refused for it.

mod find;
pub mod marker;
mod recall;
mod release;
mod unlink;

use super::{
    commit::of_targets,
    person,
    steps::{blocked, hold_parked},
    unit::{Unit, ambiguous, at},
    write::{EMAIL, lacking},
};
use crate::{
    connection::{AdoptedFields, OnAmbiguous},
    context::Run,
    feeds::Object,
    hubspot::{Kind, objects::Found},
    platform::Platform,
    send::Halt,
    sorted::{SortedMap, SortedSet},
    store::{
        rows_as,
        targets::{self, Ground, Target},
    },
};
use find::{DOMAIN, Unread};

/// Candidates a person is shown; more of one domain are no better known by being more.
const MOST: usize = 10;

/// Finds out what of a kind is in HubSpot already, and which of its fields are people's.
pub async fn adopt<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    units: &mut [Unit],
    kind: Kind,
) -> Result<(), Halt> {
    let lacks = |unit: &Unit| !lacking(unit, kind).is_empty();
    if hold_parked(run, units, kind, lacks) {
        return Ok(());
    }
    if person::replace(units, kind) {
        store(run, feed, units).await?;
    }
    let looked = async {
        release::release(run, units, kind).await?;
        let recalled = recall::recall(run, feed, units, kind).await?;
        let taken = take_over(run, units, kind).await?;
        let filled = look_at_adopted(run, units, kind).await?;
        Ok(recalled || taken || filled)
    };
    match looked.await {
        Ok(true) => store(run, feed, units).await,
        Ok(false) => Ok(()),
        Err(Unread::Halt(halt)) => Err(halt),
        Err(Unread::Blocked(why)) => {
            blocked(run, kind, why)?;
            hold_parked(run, units, kind, lacks);
            Ok(())
        }
    }
}

async fn store<P: Platform>(run: &Run<'_, P>, feed: &str, units: &[Unit]) -> Result<(), Halt> {
    let decided = of_targets(run, feed, units);
    run.store.commit(decided).await?;
    Ok(())
}

/// An object that is not known in HubSpot, and what a record of it would be found by.
struct Wish {
    key: String,
    unit: usize,
    value: String,
}

/// The first by key comes first: where two could take a record, it does.
fn wishes(units: &[Unit], kind: Kind, property: &str) -> Vec<Wish> {
    let open = units.iter().enumerate().filter(|(_, unit)| unit.is_open());
    let wishes: SortedMap<String, Wish> = open
        .flat_map(|(at, unit)| {
            let objects = lacking(unit, kind).into_iter();
            let new = objects.filter(|(_, object)| unit.target(object).hubspot_id.is_none());
            new.filter_map(move |(_, object)| {
                let value = object.properties.get(property)?.to_lowercase();
                let wish = Wish {
                    key: object.key.clone(),
                    unit: at,
                    value,
                };
                (!wish.value.is_empty()).then(|| (wish.key.clone(), wish))
            })
        })
        .collect();
    wishes.into_values().collect()
}

/// Takes over what people have of those not known yet; answers whether anything was decided.
async fn take_over<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
) -> Result<bool, Unread> {
    let (property, ground) = match kind {
        Kind::Contact => (EMAIL, Ground::Email),
        Kind::Company => (DOMAIN, Ground::Domain),
        _ => return Ok(false),
    };
    let wishes = wishes(units, kind, property);
    if wishes.is_empty() {
        return Ok(false);
    }
    let values: SortedSet<&str> = wishes.iter().map(|wish| wish.value.as_str()).collect();
    let values: Vec<&str> = values.into_iter().collect();
    let shown = shown(run, units, kind);
    let found = match kind {
        Kind::Contact => find::contacts(run, &values, &shown).await?,
        _ => find::companies(run, &values, &shown).await?,
    };
    let key = run.key_property();
    let free = |found: &&Found| !found.properties.contains_key(&key);
    let all = found.values().flatten().filter(free);
    let ids: SortedSet<&str> = all.map(|found| found.id.as_str()).collect();
    let taken = taken(run, kind, &ids).await?;
    let mut decided = false;
    for wish in wishes {
        let unit = at(units, wish.unit);
        let Some(found) = found.get(&wish.value) else {
            // Not to be made while nobody knows what is there.
            unit.hold(0, None);
            continue;
        };
        let ours = |found: &&Found| found.properties.get(&key) == Some(&wish.key);
        if let Some(ours) = found.iter().find(ours) {
            decided |= go_on(run, unit, kind, &wish.key, ours);
            continue;
        }
        let mut candidates: Vec<&Found> = found.iter().filter(free).collect();
        candidates.retain(|found| {
            let name = (kind, found.id.clone());
            !taken.contains(&found.id) && !run.claimed.borrow().contains(&name)
        });
        decided |= decide(run, unit, kind, &wish.key, &candidates, ground);
    }
    Ok(decided)
}

/// A record that has the key of this very object. One that we made is found by it, and what stood
/// beside it then is still a person's choice. One that says it was people's is taken over as it was.
fn go_on<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    kind: Kind,
    key: &str,
    ours: &Found,
) -> bool {
    let Some(object) = unit.object(kind, key) else {
        return false;
    };
    let mut target = unit.target(object);
    let Some((ground, filled)) = marker::read(run, ours) else {
        let made = run.connection.settings.on_ambiguous == OnAmbiguous::Create;
        match (target.candidates.is_empty(), made) {
            (true, _) => return false,
            (false, true) => {
                let told = ambiguous(kind, &target.candidates, true);
                unit.warnings.push(told);
                return false;
            }
            (false, false) => target.candidates.clear(),
        }
        unit.keep(target);
        return true;
    };
    target.take_over(ours.id.clone(), ground);
    target.filled = filled;
    sort_out(run, &mut target, object, ours);
    run.claimed.borrow_mut().insert((kind, ours.id.clone()));
    unit.keep(target);
    true
}

/// One is taken over, several are a person's choice; answers whether anything is to be kept.
fn decide<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    kind: Kind,
    key: &str,
    candidates: &[&Found],
    ground: Ground,
) -> bool {
    let Some(object) = unit.object(kind, key) else {
        return false;
    };
    if unit.payload.may_not_make(object) {
        return false;
    }
    let mut target = unit.target(object);
    let before = std::mem::take(&mut target.candidates);
    match candidates {
        [] if before.is_empty() => return false,
        [] => {}
        [found] => {
            run.claimed.borrow_mut().insert((kind, found.id.clone()));
            target.take_over(found.id.clone(), ground);
            sort_out(run, &mut target, object, found);
        }
        several => {
            let ids = several.iter().take(MOST).map(|found| found.id.clone());
            target.candidates = ids.collect();
        }
    }
    let hold = run.connection.settings.on_ambiguous == OnAmbiguous::Hold;
    if !target.candidates.is_empty() {
        match hold {
            true => unit.fail(ambiguous(kind, &target.candidates, false)),
            false => unit
                .warnings
                .push(ambiguous(kind, &target.candidates, true)),
        }
    }
    unit.keep(target);
    true
}

/// Of these records those that are another customer's, though its key is not there: not yet, or not
/// any more.
async fn taken<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    ids: &SortedSet<&str>,
) -> Result<SortedSet<String>, Halt> {
    #[derive(serde::Deserialize)]
    struct Row {
        id: String,
    }
    if ids.is_empty() {
        return Ok(SortedSet::new());
    }
    let ids: Vec<&str> = ids.iter().copied().collect();
    let asked = targets::taken_ids(&run.connection.id, kind, &ids);
    let rows = run.store.read(&[asked]).await?.pop().unwrap_or_default();
    let rows: Vec<Row> = rows_as(rows)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Looks at records taken over that are about to get a standard property they never had from us.
async fn look_at_adopted<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
) -> Result<bool, Unread> {
    if run.connection.settings.adopted_fields == AdoptedFields::Overwrite {
        return Ok(false);
    }
    let mut places: Vec<(usize, String, String)> = Vec::new();
    for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.is_open()) {
        for (_, object) in lacking(unit, kind) {
            let target = unit.target(object);
            if target.adopted.is_none() || unsure(run, &target, object).is_empty() {
                continue;
            }
            if let Some(id) = target.hubspot_id {
                places.push((at, object.key.clone(), id));
            }
        }
    }
    if places.is_empty() {
        return Ok(false);
    }
    let ids: SortedSet<&str> = places.iter().map(|(_, _, id)| id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let shown = shown(run, units, kind);
    let known = find::records(run, kind, None, &ids, &shown).await?;
    for (place, key, id) in places {
        let unit = at(units, place);
        let Some(found) = known.get(&id) else {
            unit.hold(0, None);
            continue;
        };
        // One that is gone is looked for once the update is refused.
        if let (Some(found), Some(object)) = (found.first(), unit.object(kind, &key)) {
            let mut target = unit.target(object);
            sort_out(run, &mut target, object, found);
            unit.keep(target);
        }
    }
    Ok(true)
}

/// Standard properties that have a value and that are neither ours nor known to be people's.
fn unsure<'a, P: Platform>(
    run: &Run<'_, P>,
    target: &Target,
    object: &'a Object,
) -> Vec<&'a String> {
    let prefix = run.connection.hubspot.prefix.as_str();
    let known = |name: &String| target.filled.contains(name) || target.theirs.contains(name);
    let properties = object.properties.iter();
    properties
        .filter(|(name, value)| !value.is_empty() && !name.starts_with(prefix) && !known(name))
        .map(|(name, _)| name)
        .collect()
}

/// What is empty in HubSpot is ours to fill, what has a value is people's.
fn sort_out<P: Platform>(run: &Run<'_, P>, target: &mut Target, object: &Object, found: &Found) {
    if run.connection.settings.adopted_fields == AdoptedFields::Overwrite {
        return;
    }
    for name in unsure(run, target, object) {
        match found.properties.contains_key(name) {
            true => target.theirs.insert(name.clone()),
            false => target.filled.insert(name.clone()),
        };
    }
}

/// All that is to be seen of a record: whose it is, and every standard property we might fill.
fn shown<P: Platform>(run: &Run<'_, P>, units: &[Unit], kind: Kind) -> Vec<String> {
    let prefix = run.connection.hubspot.prefix.as_str();
    let objects = units.iter().flat_map(|unit| &unit.payload.objects);
    let names = objects
        .filter(|object| object.kind == kind)
        .flat_map(|object| object.properties.keys());
    let standard: SortedSet<&String> = names.filter(|name| !name.starts_with(prefix)).collect();
    [run.key_property(), marker::name(run)]
        .into_iter()
        .chain(standard.into_iter().cloned())
        .collect()
}
