//! A connection that was removed and made anew knows nothing of its records, but for what the audit has
//! kept: which of them were people's. They are found there whatever they are called by now.

use super::{
    find::{self, Unread},
    go_on, shown,
};
use crate::{
    context::Run,
    deliver::{
        unit::{Unit, at},
        write::lacking,
    },
    hubspot::Kind,
    platform::Platform,
    sorted::{SortedMap, SortedSet},
    store::{audit, rows_as, targets},
};

/// Takes over again what bears the key and says that it was people's; answers whether anything is to be
/// kept.
pub async fn recall<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    units: &mut [Unit],
    kind: Kind,
) -> Result<bool, Unread> {
    #[derive(serde::Deserialize)]
    struct Row {
        key: String,
        id: Option<String>,
    }
    let mut unknown: SortedMap<String, (usize, String)> = SortedMap::new();
    for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.is_open()) {
        let new = lacking(unit, kind).into_iter().map(|(_, object)| object);
        let new = new.filter(|object| unit.target(object).hubspot_id.is_none());
        unknown.extend(new.map(|object| (unit.due.key.clone(), (at, object.key.clone()))));
    }
    if unknown.is_empty() || !matches!(kind, Kind::Company | Kind::Contact) {
        return Ok(false);
    }
    let keys: Vec<&str> = unknown.keys().map(String::as_str).collect();
    let asked = audit::adopted(&run.connection.id, feed, &targets::kind_name(kind), &keys);
    let rows = run.store.read(&[asked]).await?.pop().unwrap_or_default();
    let rows: Vec<Row> = rows_as(rows)?;
    let ids: SortedSet<&str> = rows.iter().filter_map(|row| row.id.as_deref()).collect();
    if ids.is_empty() {
        return Ok(false);
    }
    let ids: Vec<&str> = ids.into_iter().collect();
    let shown = shown(run, units, kind);
    let found = find::records(run, kind, None, &ids, &shown).await?;
    let key_property = run.key_property();
    let mut decided = false;
    for Row { key, id } in &rows {
        let (Some((place, key)), Some(id)) = (unknown.get(key), id) else {
            continue;
        };
        let unit = at(units, *place);
        match found.get(id) {
            // Not to be written while nobody knows whose it is.
            None => unit.hold(0, None),
            Some(found) => {
                let has_key = |name: &String| name == key;
                let mut found = found.iter();
                let ours = found.find(|it| it.properties.get(&key_property).is_some_and(has_key));
                decided |= ours.is_some_and(|ours| go_on(run, unit, kind, key, ours));
            }
        }
    }
    Ok(decided)
}
