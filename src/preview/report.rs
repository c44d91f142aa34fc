//! What a preview tells: figures counted under the shadow, calls, some records before and after.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Preview;
use crate::{
    books::{Books, Colour},
    fault::Reason,
    feeds::FEEDS,
    hubspot::{
        Kind,
        objects::{self, Found},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, NEVER_MADE, Pretence, Sample},
    sorted::{SortedMap, SortedSet},
    store::{Rows, records, rows_as, shadow},
    typed,
};

/// So many failing records are listed; all are counted.
const LISTED: u32 = 100;

/// How far it is, while it goes on.
pub async fn so_far<P: Platform>(preview: &Preview<'_, P>) -> Result<Value, Halt> {
    let statements = [records::summary(preview.id())];
    let mut rows = preview.run.store.read(&statements).await?;
    let summary = rows.pop().unwrap_or_default();
    Ok(json!({ "complete": false, "records": by_status(&summary) }))
}

/// The whole of it, and its colour.
pub async fn whole<P: Platform>(
    preview: &Preview<'_, P>,
    noted: &Pretence,
    books: &Books,
) -> Result<(Colour, Value), Halt> {
    let failing = records::Filter {
        status: Some("failing"),
        ..records::Filter::default()
    };
    let ambiguous = records::Filter {
        reason: Some("ambiguous"),
        ..records::Filter::default()
    };
    let id = preview.id();
    let statements = [
        records::summary(id),
        shadow::objects(preview.real(), id, NEVER_MADE),
        records::page(id, &failing, None, LISTED),
        shadow::deals(preview.real(), id),
        records::page(id, &ambiguous, None, LISTED),
    ];
    let mut rows = preview.run.store.read(&statements).await?.into_iter();
    let mut next = || rows.next().unwrap_or_default();
    let (summary, objects, failing) = (next(), rows_as(next())?, next());
    let (deals, ambiguous) = (next().into_iter().next(), next());
    let samples = samples(preview, &noted.samples).await?;
    let calls: u32 = noted.calls.values().sum();
    let daily = preview.run.sender.daily_limit();
    let share = daily.map(|limit| f64::from(calls) / limit.max(1) as f64);
    let fails = !failing.is_empty();
    let report = json!({
        "complete": books.problems.is_empty(),
        "objects": by_kind(&objects),
        "deals": deals,
        "records": by_status(&summary),
        "reasons": summary.iter().filter(|row| !row["code"].is_null()).collect::<Vec<_>>(),
        "failing": failing.into_iter().map(named).collect::<Vec<_>>(),
        "ambiguous": ambiguous.into_iter().map(named).collect::<Vec<_>>(),
        "hubspot": {
            "calls": calls,
            "by_endpoint": noted.calls,
            "daily_limit": daily,
            "share_of_day": share,
        },
        "samples": samples,
        "warnings": warnings(preview, &objects, share),
        "problems": books.problems,
        "notes": books.notes,
    });
    let colour = match (books.problems.is_empty(), fails) {
        (false, _) => Colour::Red,
        (true, true) => Colour::Amber,
        (true, false) => Colour::Green,
    };
    Ok((colour, report))
}

/// Counts by feed and status.
fn by_status(summary: &Rows) -> Value {
    let count = |feed: &str, status: &str| -> u64 {
        let rows = summary.iter();
        let rows = rows.filter(|row| row["feed"] == feed && row["status"] == status);
        rows.filter_map(|row| row["records"].as_u64()).sum()
    };
    let feeds = FEEDS.iter().map(|feed| {
        let statuses = ["synced", "waiting", "failing", "excluded"];
        let counts = statuses.map(|status| (status.to_owned(), json!(count(feed.name, status))));
        (feed.name.to_owned(), json!(SortedMap::from(counts)))
    });
    json!(feeds.collect::<SortedMap<_, _>>())
}

/// What would become of one kind of object.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Objects {
    kind: Kind,
    created: u64,
    adopted: u64,
    found: u64,
    updated: u64,
    unchanged: u64,
}

fn by_kind(objects: &[Objects]) -> Value {
    let kinds = objects.iter().map(|it| {
        let counts = json!({
            "created": it.created,
            "adopted": it.adopted,
            "updated": it.updated + it.found,
            "unchanged": it.unchanged,
        });
        (it.kind.path().to_owned(), counts)
    });
    json!(kinds.collect::<SortedMap<_, _>>())
}

fn named(row: Value) -> Value {
    let reason = row["reason"].as_str();
    let reason: Value = reason
        .and_then(|text| typed::parse(text.as_bytes()).ok())
        .unwrap_or_default();
    json!({ "feed": row["feed"], "key": row["key"], "reason": reason })
}

/// Some records as HubSpot has them, and as they would be.
async fn samples<P: Platform>(
    preview: &Preview<'_, P>,
    samples: &[Sample],
) -> Result<Vec<Value>, Halt> {
    let mut before: SortedMap<(Kind, String), Found> = SortedMap::new();
    for kind in Kind::ALL {
        let there = samples.iter().filter(|it| it.kind == kind);
        let there: Vec<&Sample> = there.filter(|it| it.hubspot_id.is_some()).collect();
        let ids: Vec<&str> = there
            .iter()
            .filter_map(|it| it.hubspot_id.as_deref())
            .collect();
        if ids.is_empty() {
            continue;
        }
        let names: SortedSet<&str> = there
            .iter()
            .flat_map(|it| it.properties.keys().map(String::as_str))
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        let request = objects::read(&preview.run.api(), kind, &ids, &names);
        let sender = preview.run.sender;
        let read = |response: &_| objects::read_found(&ids, response);
        let found = match sender
            .hubspot(Lane::General, Effect::Aside, request, read)
            .await
        {
            Err(halt @ Halt::Store(_)) => return Err(halt),
            // The figures are worth telling without.
            found => found.unwrap_or_default().into_iter(),
        };
        before.extend(found.filter_map(|(id, found)| Some(((kind, id), found?))));
    }
    let shown = samples.iter().map(|sample| {
        let id = sample.hubspot_id.clone();
        let before = id.and_then(|id| before.get(&(sample.kind, id)));
        let before = before.map(|found| {
            let sent = |(name, _): &(&String, &String)| sample.properties.contains_key(*name);
            found
                .properties
                .iter()
                .filter(sent)
                .collect::<SortedMap<_, _>>()
        });
        json!({
            "kind": sample.kind,
            "hubspot_id": sample.hubspot_id,
            "before": before,
            "after": sample.properties,
        })
    });
    Ok(shown.collect())
}

/// What HubSpot, or the day's quota, would do about it.
fn warnings<P: Platform>(
    preview: &Preview<'_, P>,
    objects: &[Objects],
    share: Option<f64>,
) -> Vec<Reason> {
    let created = |kind: Kind| {
        let mut of = objects.iter().filter(|it| it.kind == kind);
        of.next().map_or(0, |it| it.created)
    };
    let (companies, contacts, invoices) = (
        created(Kind::Company),
        created(Kind::Contact),
        created(Kind::Invoice),
    );
    let mut warnings = Vec::new();
    if contacts > 0 {
        warnings.push(Reason::new(
            "company_from_email",
            format!(
                "{contacts} contacts would be created. If HubSpot is set to create companies from contacts' e-mail domains, it makes companies of its own beside ours."
            ),
            "Look in HubSpot under Settings, Objects, Companies: switch off \"Create and associate companies with contacts\" before the first sync.",
        ));
    }
    if companies + contacts + invoices > 0 {
        warnings.push(Reason::new(
            "creation_workflows",
            format!(
                "{companies} companies, {contacts} contacts and {invoices} invoices would be created. Workflows that start when a record is created, or when it reaches a lifecycle stage, start for each of them."
            ),
            format!(
                "In such workflows exclude records whose `{}key` is known, or switch the workflows off for the first sync.",
                preview.run.connection.hubspot.prefix
            ),
        ));
    }
    let allowed = preview.run.connection.settings.daily_share;
    if share.is_some_and(|share| share > allowed) {
        warnings.push(Reason::new(
            "more_than_a_day",
            "It would take more HubSpot calls than `daily_share` allows in a day: the rest follows on the next days.",
            "Raise `daily_share` for the first sync, or let it take its time.",
        ));
    }
    warnings
}
