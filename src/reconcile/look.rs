//! Reading what HubSpot holds of a page of records: by our keys, never by search.

use super::verdict::{Lost, Seen, Sent, Sight, is_ours};
use crate::{
    context::Run,
    crm::{self, By},
    hubspot::{
        Kind, associations,
        objects::{self, Found},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
    sorted::{SortedMap, SortedSet},
};

/// So many records of a page that do not answer to their id are followed to a survivor, one call each.
const FOLLOWED: usize = 20;
/// The kinds that people can merge.
const MERGED: [Kind; 2] = [Kind::Company, Kind::Contact];

/// What is asked of one kind of object.
#[derive(Default)]
struct Asked<'a> {
    /// Our key -> the id we know it under.
    objects: SortedMap<&'a str, Option<&'a str>>,
    properties: SortedSet<String>,
}

/// `headers` are asked for beside what was `sent`: the key of a kind of object, of which only
/// `amounts` are shown.
pub async fn look<P: Platform>(
    run: &Run<'_, P>,
    sent: &[Sent<'_>],
    headers: (Kind, &[&str]),
    amounts: &[String],
) -> Result<Seen, Halt> {
    let prefix = run.connection.hubspot.prefix.as_str();
    let mut asked: SortedMap<Kind, Asked<'_>> = SortedMap::new();
    for sent in sent {
        for object in sent.objects() {
            let target = sent.target(object);
            let id = target.and_then(|target| target.hubspot_id.as_deref());
            let of_kind = asked.get_or_default(object.kind);
            of_kind.objects.insert(&object.key, id);
            let names = object.properties.keys();
            let ours = names.filter(|name| is_ours(object.kind, name, prefix));
            for name in ours {
                if !of_kind.properties.contains(name) {
                    of_kind.properties.insert(name.clone());
                }
            }
        }
    }
    let (kind, keys) = headers;
    let of_kind = asked.get_or_default(kind);
    for key in keys {
        of_kind.objects.get_or_default(key);
    }
    of_kind.properties.extend(amounts.iter().cloned());
    let mut seen = Seen::default();
    for (kind, asked) in &asked {
        let sights = objects(run, *kind, asked).await?;
        let named = sights.into_iter().map(|(key, sight)| ((*kind, key), sight));
        seen.objects.extend(named);
    }
    links(run, sent, &mut seen).await?;
    Ok(seen)
}

async fn objects<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    asked: &Asked<'_>,
) -> Result<SortedMap<String, Sight>, Halt> {
    let properties: Vec<&str> = asked.properties.iter().map(String::as_str).collect();
    if kind == Kind::LineItem && run.account.without.line_keys {
        return without_keys(run, asked, &properties).await;
    }
    let keys: Vec<&str> = asked.objects.keys().copied().collect();
    let mut found = crm::records(run, kind, By::Key, &keys, &properties).await?;
    let mut sights = SortedMap::new();
    let mut lost: Vec<(&str, &str)> = Vec::new();
    for (key, id) in &asked.objects {
        let sight = match (found.remove(*key), id) {
            (None, _) => Sight::Unread,
            (Some(Some(found)), _) => Sight::Found(found),
            (Some(None), None) => Sight::Lost(Lost::Missing),
            (Some(None), Some(id)) => {
                lost.push((key, id));
                continue;
            }
        };
        sights.insert((*key).to_owned(), sight);
    }
    for (key, lost) in follow(run, kind, &lost).await? {
        sights.insert(key, Sight::Lost(lost));
    }
    Ok(sights)
}

/// Lines that bear no key: all that is known of them is their ids.
async fn without_keys<P: Platform>(
    run: &Run<'_, P>,
    asked: &Asked<'_>,
    properties: &[&str],
) -> Result<SortedMap<String, Sight>, Halt> {
    let ids: SortedSet<&str> = asked.objects.values().flatten().copied().collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let found = crm::records(run, Kind::LineItem, By::Id, &ids, properties).await?;
    let sight = |(key, id): (&&str, &Option<&str>)| {
        let sight = match id.map(|id| found.get(id)) {
            None => Sight::Lost(Lost::Missing),
            Some(None) => Sight::Unread,
            Some(Some(Some(found))) => Sight::Found(found.clone()),
            Some(Some(None)) => Sight::Lost(Lost::Deleted),
        };
        ((*key).to_owned(), sight)
    };
    Ok(asked.objects.iter().map(sight).collect())
}

/// What became of objects, key and id, that do not answer to their key.
async fn follow<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    lost: &[(&str, &str)],
) -> Result<Vec<(String, Lost)>, Halt> {
    let key_property = run.key_property();
    let ids: SortedSet<&str> = lost.iter().map(|(_, id)| *id).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let found = crm::records(run, kind, By::Id, &ids, &[&key_property]).await?;
    let mut followed = 0;
    let mut all = Vec::new();
    for (key, id) in lost {
        let mut survivor = None;
        let lost = match found.get(*id) {
            Some(Some(_)) => Lost::Unkeyed,
            _ if !MERGED.contains(&kind) => Lost::Deleted,
            _ if followed == FOLLOWED => Lost::Missing,
            _ => {
                followed += 1;
                survivor = one(run, kind, id, &key_property).await?;
                match &survivor {
                    Some(survivor) => Lost::Merged(survivor.properties.get(&key_property).cloned()),
                    None => Lost::Deleted,
                }
            }
        };
        let unmoved = survivor.is_some_and(|survivor| survivor.id == *id);
        let lost = if unmoved { Lost::Unkeyed } else { lost };
        all.push(((*key).to_owned(), lost));
    }
    Ok(all)
}

async fn one<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    id: &str,
    property: &str,
) -> Result<Option<Found>, Halt> {
    let request = objects::get(&run.api(), kind, id, property);
    run.sender
        .hubspot(Lane::General, Effect::Read, request, objects::read_one)
        .await
}

/// What the objects that are there are linked to, and whether the customers' records are that
/// invoices should be linked to and are not.
async fn links<P: Platform>(
    run: &Run<'_, P>,
    sent: &[Sent<'_>],
    seen: &mut Seen,
) -> Result<(), Halt> {
    for (from, to, _) in associations::TYPES {
        // Of lines there are many: their invoice tells which it has.
        let (from, to) = match from {
            Kind::LineItem => (*to, *from),
            from => (*from, *to),
        };
        let mut ids = SortedSet::new();
        let mut ends = SortedSet::new();
        // Deals have no end here: they are linked by a pass of their own.
        let to_link = |sent: &&Sent<'_>| {
            sent.end(to).is_some() || sent.objects().any(|object| object.kind == to)
        };
        for sent in sent.iter().filter(to_link) {
            for object in sent.objects().filter(|object| object.kind == from) {
                let name = (object.kind, object.key.clone());
                if let Some(Sight::Found(found)) = seen.objects.get(&name) {
                    ids.insert(found.id.clone());
                    ends.extend(sent.end(to).map(|end| (found.id.clone(), end.to_owned())));
                }
            }
        }
        if ids.is_empty() {
            continue;
        }
        let links = crm::links(run, (from, to), ids.into_iter().collect()).await?;
        let stands = |(id, end): &(String, String)| {
            let linked = links.get(id);
            linked.is_some_and(|linked| linked.contains(end))
        };
        let (linked, missing): (Vec<_>, Vec<_>) = ends.into_iter().partition(stands);
        let missing: SortedSet<&str> = missing.iter().map(|(_, end)| end.as_str()).collect();
        let missing: Vec<&str> = missing.into_iter().collect();
        let found = crm::records(run, to, By::Id, &missing, &[]).await?;
        let there = found
            .into_iter()
            .filter_map(|(id, found)| found.map(|_| id));
        let linked = linked.into_iter().map(|(_, end)| end);
        let ends = seen.ends.get_or_default(to);
        ends.extend(there.chain(linked));
        seen.links.insert((from, to), links);
    }
    Ok(())
}
