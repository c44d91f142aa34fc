//! The links: what the index and the ledger say together is made so in HubSpot.
//!
//! A link is noted before it is asked for, so that one whose answer was lost is known to be ours when
//! its number is taken away; and before it is taken away, so that it is made again when its number
//! comes back. One that stands already when we come to it is people's.

use std::cell::Cell;

use super::outcome::Outcome;
use crate::{
    context::{DEALS, Run},
    deliver::{
        batch::{Blocked, Verdict, halving},
        steps::{self, associate, blocked},
    },
    hubspot::{
        Kind,
        associations::{self, Links, Source},
        refusal,
    },
    pace::Lane,
    platform::{DAY, Millis, Platform, Statement},
    send::{Effect, Halt, NEVER_MADE},
    sorted::{SortedMap, SortedSet},
    store::{
        deals::{self, End, Link, Made},
        rows_as,
    },
};

/// Numbers, or links, looked at in one read.
const SLICE: u32 = 1_000;

/// Makes what is missing and takes away what no number stands for any more, if an earlier step, or
/// run, says that there may be any; a day after HubSpot would not take one away, too.
pub async fn pass<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    let now = run.platform.now();
    let owed: bool = run.cursors.borrow().position(DEALS, "links");
    let refused: Option<Millis> = run.cursors.borrow().position(DEALS, "refused");
    // A time further ahead was written by a wrong clock.
    let again = refused.is_some_and(|at| !(0..DAY).contains(&(now - at)));
    if !owed && !again {
        return Ok(());
    }
    let stays = Cell::new(false);
    let connection = run.connection.id.as_str();
    let mut whole = true;
    let mut after = Some((String::new(), String::new()));
    while let Some((key, deal)) = after {
        let slice = deals::unfounded(connection, (&key, &deal), SLICE);
        let (links, end) = read(run, &slice).await?;
        for some in links.chunks(associations::MAX_ARCHIVED) {
            whole &= take_away(run, some, &stays).await?;
        }
        after = end;
    }
    let mut after = Some((String::new(), String::new()));
    while let Some((deal, number)) = after {
        let slice = deals::missing(connection, (&deal, &number), SLICE);
        let (links, end) = read(run, &slice).await?;
        for some in links.chunks(run.sender.most_pairs()) {
            whole &= make(run, some).await?;
        }
        after = end;
    }
    if whole {
        let mut cursors = run.cursors.borrow_mut();
        cursors.moved(DEALS, "links", &false);
        if refused.is_some() || stays.get() {
            cursors.moved(DEALS, "refused", &stays.get().then_some(now));
        }
    }
    Ok(())
}

/// A slice of links, and where it ends if anything may come after it.
async fn read<P: Platform>(
    run: &Run<'_, P>,
    slice: &[Statement],
) -> Result<(Vec<Link>, Option<(String, String)>), Halt> {
    let mut rows = run.store.read(slice).await?.into_iter();
    let links: Vec<Link> = rows_as(rows.next().unwrap_or_default())?;
    let ends: Vec<End> = rows_as(rows.next().unwrap_or_default())?;
    let end = ends.into_iter().next();
    Ok((links, end.map(|end| (end.first, end.second))))
}

/// Answers whether all of them are done with.
async fn make<P: Platform>(run: &Run<'_, P>, links: &[Link]) -> Result<bool, Halt> {
    if links.is_empty() || is_parked(run) {
        return Ok(links.is_empty());
    }
    let mut links = links.to_vec();
    let stand = standing(run, &links).await?;
    let asked = links.len();
    // Of these nobody said what stands: taken for ours, a person's link would go with its number.
    links.retain(|link| {
        link.made == Some(Made::Trying)
            || link.invoice_id.starts_with(NEVER_MADE)
            || stand.contains_key(&link.invoice_id)
    });
    let untold = links.len() < asked;
    for link in links
        .iter_mut()
        .filter(|link| link.made != Some(Made::Trying))
    {
        let stands = stand.get(&link.invoice_id);
        let stands = stands.is_some_and(|links| links.to.contains(&link.deal));
        link.made = Some(if stands { Made::Theirs } else { Made::Trying });
    }
    let connection = run.connection.id.as_str();
    run.store
        .commit(vec![deals::save(connection, &links)])
        .await?;
    // Two rows whose invoices people merged are one pair, and a pair twice is refused.
    let mut pairs = SortedSet::new();
    links.retain(|link| {
        link.made == Some(Made::Trying)
            && pairs.insert((link.invoice_id.clone(), link.deal.clone()))
    });
    let sent = halving(&links, async |some| send_links(run, some).await).await;
    let mut done = Outcome::default();
    done.left = untold;
    for (link, verdict) in links.into_iter().zip(sent.verdicts) {
        match verdict {
            Ok(Some(())) => done.linked(link),
            // Named nowhere: it is asked for again.
            Ok(None) => done.left = true,
            Err(refusal) => done.not_linked(link, &refusal),
        }
    }
    done.commit(run).await?;
    settle(run, &done, sent.blocked)
}

/// What these invoices are linked to already. Those whose link was asked for before need no look.
async fn standing<P: Platform>(
    run: &Run<'_, P>,
    links: &[Link],
) -> Result<SortedMap<String, Links>, Halt> {
    let new = links.iter().filter(|link| link.made != Some(Made::Trying));
    let invoices: SortedSet<&String> = new.map(|link| &link.invoice_id).collect();
    if invoices.is_empty() {
        return Ok(SortedMap::new());
    }
    let is_there = |id: &&&String| !id.starts_with(NEVER_MADE);
    let sources: Vec<Source> = invoices
        .iter()
        .filter(is_there)
        .map(|id| Source {
            id: (*id).clone(),
            after: None,
        })
        .collect();
    let request = associations::read(&run.api(), Kind::Invoice, Kind::Deal, &sources);
    let read = |response: &_| associations::read_links(&sources, response);
    let (lane, effect) = (Lane::Associations, Effect::Read);
    if sources.is_empty() {
        // A preview, of invoices that are all to be made yet.
        let nothing = async || Ok(SortedMap::new());
        return run.sender.write(lane, effect, request, read, nothing).await;
    }
    run.sender.hubspot(lane, effect, request, read).await
}

/// Takes our links away and forgets those of people. Answers whether all of them are done with.
async fn take_away<P: Platform>(
    run: &Run<'_, P>,
    links: &[Link],
    stays: &Cell<bool>,
) -> Result<bool, Halt> {
    if links.is_empty() || is_parked(run) {
        return Ok(links.is_empty());
    }
    let is_ours = |link: &Link| matches!(link.made, Some(Made::Ours | Made::Trying));
    let (mut ours, others): (Vec<Link>, Vec<Link>) = links.iter().cloned().partition(is_ours);
    let mut done = Outcome::default();
    done.forget(others);
    for link in &mut ours {
        link.made = Some(Made::Trying);
    }
    if !ours.is_empty() {
        let noted = deals::save(run.connection.id.as_str(), &ours);
        run.store.commit(vec![noted]).await?;
    }
    let sent = halving(&ours, async |some| send_archive(run, some).await).await;
    for (link, verdict) in ours.into_iter().zip(sent.verdicts) {
        match verdict {
            Ok(Some(())) => done.unlinked(link),
            Ok(None) => done.left = true,
            // Whatever is not there is not linked.
            Err(refusal) if refusal::is_missing(&refusal) => done.forget(vec![link]),
            // It stays noted.
            Err(refusal) => {
                stays.set(true);
                done.refused(&link, &refusal);
            }
        }
    }
    done.commit(run).await?;
    settle(run, &done, sent.blocked)
}

fn is_parked<P: Platform>(run: &Run<'_, P>) -> bool {
    run.parked(Kind::Deal.path()).is_some()
}

fn settle<P: Platform>(
    run: &Run<'_, P>,
    done: &Outcome,
    why: Option<Blocked>,
) -> Result<bool, Halt> {
    match why {
        Some(why) => blocked(run, Kind::Deal, why).map(|()| false),
        None => Ok(!done.left),
    }
}

async fn send_links<P: Platform>(
    run: &Run<'_, P>,
    some: &[Link],
) -> Result<Vec<Verdict<()>>, Halt> {
    let pairs = pairs(some);
    let request = associations::associate_default(&run.api(), Kind::Invoice, Kind::Deal, &pairs);
    associate(run, request, &pairs).await
}

async fn send_archive<P: Platform>(
    run: &Run<'_, P>,
    some: &[Link],
) -> Result<Vec<Verdict<()>>, Halt> {
    let request = associations::archive(&run.api(), Kind::Invoice, Kind::Deal, &pairs(some));
    steps::take_away(run, Lane::Associations, request).await?;
    Ok(some.iter().map(|_| Ok(Some(()))).collect())
}

fn pairs(links: &[Link]) -> Vec<(&str, &str)> {
    links
        .iter()
        .map(|link| (link.invoice_id.as_str(), link.deal.as_str()))
        .collect()
}
