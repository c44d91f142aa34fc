//! What a record that was people's says of itself: how we came by it, and which of HubSpot's own fields
//! we fill. It outlives all that we know: a connection made anew reads there what is not ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    context::Run,
    gather::Gather,
    hubspot::objects::Found,
    platform::Platform,
    store::targets::{Ground, Target},
};

const NAME: &str = "adopted";

pub fn name<P: Platform>(run: &Run<'_, P>) -> String {
    format!("{}{NAME}", run.connection.hubspot.prefix)
}

/// As it stands once these properties are sent: `domain: city, phone`. Nothing for one that we made.
pub fn of<P: Platform>(
    run: &Run<'_, P>,
    target: &Target,
    sent: &BTreeMap<String, String>,
) -> Option<String> {
    let ground = json!(target.adopted?);
    let prefix = run.connection.hubspot.prefix.as_str();
    let sent = sent.iter().filter(|(_, value)| !value.is_empty());
    let names = sent.map(|(name, _)| name).chain(&target.filled);
    let names: BTreeSet<&str> = names
        .map(String::as_str)
        .filter(|name| !name.starts_with(prefix))
        .gather();
    let names: Vec<&str> = names.into_iter().collect();
    Some(format!("{}: {}", ground.as_str()?, names.join(", ")))
}

/// The ground, and the fields we fill. A word that is none of ours tells only that it was people's.
pub fn read<P: Platform>(run: &Run<'_, P>, found: &Found) -> Option<(Ground, BTreeSet<String>)> {
    let text = found.properties.get(&name(run))?;
    let (ground, names) = text.split_once(':').unwrap_or((text, ""));
    let ground = serde_json::from_value(json!(ground.trim())).unwrap_or(Ground::Hand);
    let names = names.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
    Some((ground, names.gather()))
}
