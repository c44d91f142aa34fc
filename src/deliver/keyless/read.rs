//! Reading the lines of invoices. What an answer does not speak of is not known, which is another
//! thing than not there.

use std::collections::{BTreeSet, HashMap};

use super::{CONTENT, key_property};
use crate::{
    context::Run,
    hubspot::{
        Kind,
        associations::{self, Source},
        objects::{self, Found},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
};

/// The ids of the lines of each invoice, as far as the answers speak of it.
pub async fn linked<P: Platform>(
    run: &Run<'_, P>,
    invoices: Vec<String>,
) -> Result<HashMap<String, Vec<String>>, Halt> {
    let mut ids: HashMap<String, Vec<String>> = HashMap::new();
    let first = |id| Source { id, after: None };
    let mut sources: Vec<Source> = invoices.into_iter().map(first).collect();
    while !sources.is_empty() {
        let request = associations::read(&run.api(), Kind::Invoice, Kind::LineItem, &sources);
        let mut found = run
            .sender
            .hubspot(Lane::Associations, Effect::Read, request, |response| {
                associations::read_links(&sources, response)
            })
            .await?;
        let mut next = Vec::new();
        for Source { id, .. } in sources {
            let Some(links) = found.remove(&id) else {
                // Half of its lines are not its lines.
                ids.remove(&id);
                continue;
            };
            ids.entry(id.clone()).or_default().extend(links.to);
            let after = links.after;
            next.extend(after.map(|after| Source {
                id,
                after: Some(after),
            }));
        }
        sources = next;
    }
    Ok(ids)
}

/// What these lines hold; nothing where one is gone. One the answer does not speak of is not here.
pub async fn contents<P: Platform>(
    run: &Run<'_, P>,
    ids: impl Iterator<Item = &String>,
) -> Result<HashMap<String, Option<Found>>, Halt> {
    let ids: BTreeSet<&str> = ids.map(String::as_str).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let key = key_property(run);
    let mut properties = CONTENT.to_vec();
    if !run.account.without.line_keys {
        properties.push(&key);
    }
    let mut all = HashMap::new();
    for some in ids.chunks(objects::MAX_INPUTS) {
        let request = objects::read(&run.api(), Kind::LineItem, some, &properties);
        let found = run
            .sender
            .hubspot(Lane::General, Effect::Read, request, |response| {
                objects::read_found(some, response)
            })
            .await?;
        all.extend(found);
    }
    Ok(all)
}
