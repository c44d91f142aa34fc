//! The index: which order numbers stand on which deals.

use serde::{Deserialize, Serialize};

use crate::{
    context::{DEALS, Run},
    feeds::sales_orders,
    hubspot::{
        Kind,
        objects::Found,
        search::{self, Filter, Search},
    },
    pace::Lane,
    platform::{HOUR, MINUTE, Millis, Platform},
    send::{Effect, Halt},
    sorted::{SortedMap, SortedSet},
    store::{
        cursors,
        deals::{self, Number},
        rows_as,
    },
};

/// Search shows a change some time after it was made: what changed so shortly before the last look is
/// looked at again.
const LAG: Millis = 15 * MINUTE;
/// HubSpot's names: by the id nothing is passed over, however many deals there are and whatever
/// becomes of them meanwhile; the other is when people last changed something.
const ID: &str = "hs_object_id";
const CHANGED: &str = "hs_lastmodifieddate";
/// The ids of deals that people merged into this one.
const MERGED: &str = "hs_merged_object_ids";

/// How far HubSpot's deals have been looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Look {
    /// When the last look at all of them began.
    complete: Option<Millis>,
    /// The one under way: when it began, and the id of the last deal it saw.
    pass: Option<(Millis, String)>,
}

/// Reads the deals that changed since the last look, if that was an hour ago; the first time, those
/// that bear a number.
pub async fn refresh<P: Platform>(run: &Run<'_, P>) -> Result<(), Halt> {
    let mut look: Look = run.cursors.borrow().position(DEALS, "index");
    let now = run.platform.now();
    // A time ahead of ours was written by a wrong clock.
    let rests = |at: Millis| (0..HOUR).contains(&(now - at));
    let (began, mut last) = match look.pass.take() {
        Some(pass) => pass,
        None if look.complete.is_some_and(rests) => return Ok(()),
        None => (now, "0".to_owned()),
    };
    let since = look.complete.map(|at| (at.min(now) - LAG).to_string());
    let property = format!("{}sales_orders", run.connection.hubspot.prefix);
    loop {
        let mut filters = vec![Filter::Above(ID, &last)];
        match &since {
            Some(since) => filters.push(Filter::From(CHANGED, since)),
            None => filters.push(Filter::Has(&property)),
        }
        let search = Search {
            kind: Kind::Deal,
            filters: &filters,
            // One somebody removed looks as if all numbers had been taken away.
            exists: since.is_some().then_some(&property),
            sort: Some(ID),
            properties: &[&property, MERGED],
        };
        let request = search::request(&run.api(), &search, None);
        let page = run
            .sender
            .hubspot(Lane::Search, Effect::Read, request, search::read)
            .await?;
        let highest = page.found.iter().filter_map(|deal| id(&deal.id)).max();
        let next = highest.filter(|next| id(&last).is_some_and(|last| *next > last));
        match next.filter(|_| page.after.is_some()) {
            Some(next) => {
                last = next.to_string();
                look.pass = Some((began, last.clone()));
            }
            None => {
                look = Look {
                    complete: Some(began),
                    pass: None,
                };
            }
        }
        // Before the page is committed, and with it: the next look would take itself for the first,
        // and not see what was taken away.
        run.cursors.borrow_mut().moved(DEALS, "index", &look);
        take(run, &page.found, &property).await?;
        if look.pass.is_none() {
            return Ok(());
        }
    }
}

fn id(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// Puts what stands on these deals in the place of what was held of them.
async fn take<P: Platform>(run: &Run<'_, P>, found: &[Found], property: &str) -> Result<(), Halt> {
    if found.is_empty() {
        return Ok(());
    }
    let mut stand: SortedSet<Number> = SortedSet::new();
    let mut into: SortedMap<&str, &str> = SortedMap::new();
    for deal in found {
        let text = deal.properties.get(property).map_or("", String::as_str);
        stand.extend(
            sales_orders::numbers(text)
                .into_iter()
                .map(|sales_order| Number {
                    deal: deal.id.clone(),
                    sales_order,
                }),
        );
        let merged = deal.properties.get(MERGED).map_or("", String::as_str);
        let merged = merged.split(';').map(str::trim);
        into.extend(
            merged
                .filter(|gone| !gone.is_empty() && *gone != deal.id)
                .map(|gone| (gone, deal.id.as_str())),
        );
    }
    let connection = run.connection.id.as_str();
    let read: Vec<&str> = found.iter().map(|deal| deal.id.as_str()).collect();
    let gone: Vec<&str> = into.keys().copied().collect();
    let mut statements = vec![deals::of_deals(connection, &read)];
    if !gone.is_empty() {
        statements.push(deals::known(connection, &gone));
    }
    let mut rows = run.store.read(&statements).await?.into_iter();
    let held: Vec<Number> = rows_as(rows.next().unwrap_or_default())?;
    let known: Vec<Known> = rows_as(rows.next().unwrap_or_default())?;
    let mut statements = Vec::new();
    if held.into_iter().collect::<SortedSet<_>>() != stand {
        let stand: Vec<Number> = stand.into_iter().collect();
        statements.extend(deals::replace(connection, &read, &stand));
    }
    if !known.is_empty() {
        let known: Vec<&str> = known.iter().map(|known| known.deal.as_str()).collect();
        into.retain(|gone, _| known.contains(gone));
        let into: Vec<(&str, &str)> = into.into_iter().collect();
        statements.push(deals::merged(connection, &into));
        statements.extend(deals::forget(connection, &known));
    }
    if !statements.is_empty() {
        statements.extend(run.owe_deals());
        let cursors = run.cursors.borrow_mut().to_save();
        statements.push(cursors::save(connection, &cursors));
        run.store.commit(statements).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Known {
    deal: String,
}
