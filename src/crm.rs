//! Reading HubSpot by the batch: records by their ids or by our keys, and what they are linked to.
//! What an answer does not speak of is not known, which is another thing than not there.

use futures_util::{StreamExt, stream};

use crate::{
    context::Run,
    hubspot::{
        Kind,
        associations::{self, MAX_SOURCES, Source},
        objects::{self, Found, MAX_INPUTS},
    },
    pace::{Lane, MOST_WIDTH},
    platform::Platform,
    send::{Effect, Halt},
    sorted::SortedMap,
};

/// By what records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Id,
    /// Our unique property.
    Key,
}

/// What became of each of these: the record, or nothing where there is none. One the answers do not
/// speak of is not among them. None stands twice.
pub async fn records<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    by: By,
    names: &[&str],
    properties: &[&str],
) -> Result<SortedMap<String, Option<Found>>, Halt> {
    let mut answers = stream::iter(names.chunks(MAX_INPUTS))
        .map(|some| batch(run, kind, by, some, properties))
        .buffer_unordered(MOST_WIDTH);
    let mut all = Ok(SortedMap::new());
    // Each is waited for: a call that is dropped keeps its place.
    while let Some(found) = answers.next().await {
        match (&mut all, found) {
            (Ok(all), Ok(found)) => all.extend(found),
            (Ok(_), Err(halt)) => all = Err(halt),
            (Err(_), _) => {}
        }
    }
    all
}

async fn batch<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    by: By,
    names: &[&str],
    properties: &[&str],
) -> Result<SortedMap<String, Option<Found>>, Halt> {
    let key = run.key_property();
    let request = match by {
        By::Id => objects::read(&run.api(), kind, names, properties),
        By::Key => {
            let others = properties.iter().copied().filter(|name| *name != key);
            let shown: Vec<&str> = std::iter::once(key.as_str()).chain(others).collect();
            objects::read_by(&run.api(), kind, Some(&key), names, &shown)
        }
    };
    let read = |response: &_| match by {
        By::Id => objects::read_found(names, response),
        By::Key => objects::read_found_by(&key, names, response),
    };
    run.sender
        .hubspot(Lane::General, Effect::Read, request, read)
        .await
}

/// The ids each of these records is linked to, as far as the answers speak of it whole.
pub async fn links<P: Platform>(
    run: &Run<'_, P>,
    (from, to): (Kind, Kind),
    ids: Vec<String>,
) -> Result<SortedMap<String, Vec<String>>, Halt> {
    let mut all: SortedMap<String, Vec<String>> = SortedMap::new();
    let first = |id| Source { id, after: None };
    let mut left: Vec<Source> = ids.into_iter().map(first).collect();
    while !left.is_empty() {
        let rest = left.split_off(left.len().min(MAX_SOURCES));
        let sources = std::mem::replace(&mut left, rest);
        let request = associations::read(&run.api(), from, to, &sources);
        let mut found = run
            .sender
            .hubspot(Lane::Associations, Effect::Read, request, |response| {
                associations::read_links(&sources, response)
            })
            .await?;
        for Source { id, .. } in sources {
            let Some(links) = found.remove(&id) else {
                // Half of its links are not its links.
                all.remove(&id);
                continue;
            };
            all.get_or_default(id.clone()).extend(links.to);
            let after = links.after;
            left.extend(after.map(|after| Source {
                id,
                after: Some(after),
            }));
        }
    }
    Ok(all)
}
