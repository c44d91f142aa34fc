//! What a record that was people's says of itself: how we came by it, and which of HubSpot's own fields
//! we fill. It outlives all that we know: a connection made anew reads there what is not ours.

use serde_json::json;

use crate::{
    context::Run,
    hubspot::objects::Found,
    platform::Platform,
    sorted::{SortedMap, SortedSet},
    store::targets::{Ground, Target},
    typed,
};

const NAME: &str = "adopted";

pub fn name<P: Platform>(run: &Run<'_, P>) -> String {
    format!("{}{NAME}", run.connection.hubspot.prefix)
}

/// As it stands once these properties are sent: `domain: city, phone`. Nothing for one that we made.
pub fn of<P: Platform>(
    run: &Run<'_, P>,
    target: &Target,
    sent: &SortedMap<String, String>,
) -> Option<String> {
    let ground = json!(target.adopted?);
    let prefix = run.connection.hubspot.prefix.as_str();
    let sent = sent.iter().filter(|(_, value)| !value.is_empty());
    let names = sent.map(|(name, _)| name).chain(&target.filled);
    let names: SortedSet<&str> = names
        .map(String::as_str)
        .filter(|name| !name.starts_with(prefix))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    Some(format!("{}: {}", ground.as_str()?, names.join(", ")))
}

/// The ground, and the fields we fill. A word that is none of ours tells only that it was people's.
pub fn read<P: Platform>(run: &Run<'_, P>, found: &Found) -> Option<(Ground, SortedSet<String>)> {
    let text = found.properties.get(&name(run))?;
    let (ground, names) = text.split_once(':').unwrap_or((text, ""));
    let ground = typed::from_value(json!(ground.trim())).unwrap_or(Ground::Hand);
    let names = names.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
    Some((ground, names.collect()))
}
