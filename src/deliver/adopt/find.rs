//! Looking for records. What an answer does not speak of is not known, which is another thing than
//! not there.

use crate::{
    context::Run,
    deliver::{
        batch::{Blocked, Verdict, side_by_side},
        write::EMAIL,
    },
    hubspot::{
        Kind,
        objects::{self, Found},
        search::{self, Filter, Search},
    },
    pace::Lane,
    platform::{Platform, StoreError},
    send::{Effect, Halt},
    sorted::{SortedMap, SortedSet},
};

pub const DOMAIN: &str = "domain";
/// Records of one domain that are looked at, those that nobody has first.
const LOOKED_AT: usize = 100;
/// Names an answer says nothing of that are asked for once more, each alone.
const ALONE: usize = 10;
/// A contact's further addresses, which it is found by as well.
const FURTHER: &str = "hs_additional_emails";

/// The records found under each name that was answered for.
pub type Known = SortedMap<String, Vec<Found>>;

pub enum Unread {
    Halt(Halt),
    Blocked(Blocked),
}

impl From<Halt> for Unread {
    fn from(halt: Halt) -> Self {
        Unread::Halt(halt)
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Unread::Halt(error.into())
    }
}

/// The contact that has each of these addresses, as its first or a further one.
pub async fn contacts<P: Platform>(
    run: &Run<'_, P>,
    emails: &[&str],
    shown: &[String],
) -> Result<Known, Unread> {
    let mut shown = shown.to_vec();
    shown.push(FURTHER.to_owned());
    records(run, Kind::Contact, Some(EMAIL), emails, &shown).await
}

/// The companies that have each of these domains, the oldest first. The index they are found in lags
/// behind what was written, so each is read again.
pub async fn companies<P: Platform>(
    run: &Run<'_, P>,
    domains: &[&str],
    shown: &[String],
) -> Result<Known, Unread> {
    let mut ids: SortedMap<&str, Vec<String>> = SortedMap::new();
    let key = run.key_property();
    let most = fewest_fitting(domains, &[DOMAIN, &key]);
    let sent = side_by_side(domains, most, async |some| ask(run, some).await).await;
    for (domain, verdict) in domains.iter().zip(sent.verdicts) {
        match verdict {
            Ok(Some(found)) => _ = ids.insert(domain, found),
            Ok(None) => {}
            // A domain nobody can search for is nobody's.
            Err(_) => _ = ids.insert(domain, Vec::new()),
        }
    }
    if let Some(why) = sent.blocked {
        return Err(Unread::Blocked(why));
    }
    let all: SortedSet<&str> = ids.values().flatten().map(String::as_str).collect();
    let all: Vec<&str> = all.into_iter().collect();
    let read = records(run, Kind::Company, None, &all, shown).await?;
    let mut known = Known::new();
    for (domain, ids) in ids {
        let found: Option<Vec<&Vec<Found>>> = ids.iter().map(|id| read.get(id)).collect();
        if let Some(found) = found {
            let found = found.into_iter().flatten();
            let found = found.filter(|found| value(found, DOMAIN) == domain);
            // Ids grow: the shorter one is the older one. Two of them may lead to one survivor.
            let found = found.map(|found| ((found.id.len(), found.id.clone()), found.clone()));
            let found: SortedMap<_, Found> = found.collect();
            known.insert(domain.to_owned(), found.into_values().collect());
        }
    }
    Ok(known)
}

/// So many of these domains go into one search; one that is too long all the same is halved.
fn fewest_fitting(domains: &[&str], properties: &[&str]) -> usize {
    let (search, mut rest, mut fewest) = (by_domain(&[], properties), domains, domains.len());
    while !rest.is_empty() {
        let fits = search::fitting(&search, rest).clamp(1, rest.len());
        (_, rest) = rest.split_at(fits);
        if !rest.is_empty() {
            fewest = fewest.min(fits);
        }
    }
    fewest
}

fn by_domain<'a>(filters: &'a [Filter<'a>], properties: &'a [&'a str]) -> Search<'a> {
    Search {
        kind: Kind::Company,
        filters: match filters {
            [] => &[Filter::In(DOMAIN, &[])],
            filters => filters,
        },
        exists: None,
        sort: None,
        properties,
    }
}

/// The ids of the companies of each domain.
async fn ask<P: Platform>(
    run: &Run<'_, P>,
    domains: &[&str],
) -> Result<Vec<Verdict<Vec<String>>>, Halt> {
    let key = run.key_property();
    let (filters, properties) = ([Filter::In(DOMAIN, domains)], [DOMAIN, key.as_str()]);
    let search = by_domain(&filters, &properties);
    let mut ids: SortedMap<String, SortedSet<(bool, usize, String)>> = SortedMap::new();
    let (mut seen, mut after) = (0, None);
    loop {
        let request = search::request(&run.api(), &search, after.as_deref());
        let page = run
            .sender
            .hubspot(Lane::Search, Effect::Read, request, search::read)
            .await?;
        seen += page.found.len();
        for found in page.found {
            let somebodys = found.properties.contains_key(&key);
            let of = ids.get_or_default(value(&found, DOMAIN));
            of.insert((somebodys, found.id.len(), found.id));
        }
        after = page.after;
        if after.is_none() || seen >= search::MAX_RESULTS as usize {
            break;
        }
    }
    let of = |domain: &&str| {
        let ids = ids.remove(*domain).unwrap_or_default();
        let looked_at = ids.into_iter().take(LOOKED_AT);
        Ok(Some(looked_at.map(|(_, _, id)| id).collect()))
    };
    Ok(domains.iter().map(of).collect())
}

/// Records by their ids, or by the values of a unique property. What an answer about many does not
/// speak of may be known by another name now.
pub async fn records<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    unique: Option<&str>,
    names: &[&str],
    shown: &[String],
) -> Result<Known, Unread> {
    let mut known = Known::new();
    look(
        run,
        kind,
        unique,
        names,
        objects::MAX_INPUTS,
        shown,
        &mut known,
    )
    .await?;
    let unheard: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !known.contains_key(*name))
        .take(ALONE)
        .collect();
    look(run, kind, unique, &unheard, 1, shown, &mut known).await?;
    Ok(known)
}

async fn look<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    unique: Option<&str>,
    names: &[&str],
    most: usize,
    shown: &[String],
    known: &mut Known,
) -> Result<(), Unread> {
    let sent = side_by_side(names, most, async |some| {
        read(run, kind, unique, some, shown).await
    })
    .await;
    for (name, verdict) in names.iter().zip(sent.verdicts) {
        match verdict {
            Ok(Some(found)) => _ = known.insert((*name).to_owned(), found),
            Ok(None) => {}
            // What HubSpot takes for no name at all has no record.
            Err(_) => _ = known.insert((*name).to_owned(), Vec::new()),
        }
    }
    sent.blocked.map_or(Ok(()), |why| Err(Unread::Blocked(why)))
}

async fn read<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    unique: Option<&str>,
    names: &[&str],
    shown: &[String],
) -> Result<Vec<Verdict<Vec<Found>>>, Halt> {
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    let request = objects::read_by(&run.api(), kind, unique, names, &shown);
    let answered = run
        .sender
        .hubspot(Lane::General, Effect::Read, request, |response| {
            objects::read_found(names, response)
        })
        .await?;
    let of = |name: &&str| {
        let bears = |found: &&Found| match unique {
            // Whatever is answered to one name is what has it.
            _ if names.len() == 1 => true,
            Some(_) => has_address(found, name),
            None => found.id == **name,
        };
        let found: Vec<Found> = answered.values().flatten().filter(bears).cloned().collect();
        let missing = answered.get(*name).is_some_and(Option::is_none);
        Ok((missing || !found.is_empty()).then_some(found))
    };
    Ok(names.iter().map(of).collect())
}

fn has_address(contact: &Found, email: &str) -> bool {
    let further = value(contact, FURTHER);
    value(contact, EMAIL) == email || further.split(';').any(|other| other.trim() == email)
}

/// In small letters.
fn value(found: &Found, property: &str) -> String {
    let value = found.properties.get(property);
    value
        .map(|value| value.trim().to_lowercase())
        .unwrap_or_default()
}
