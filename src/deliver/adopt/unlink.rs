//! The links of ours to a record that a person took from a customer: it is not that customer any more,
//! so neither are its invoices. What may have been linked before us stays.

use super::find::Unread;
use crate::{
    context::Run,
    deliver::{
        batch::{Verdict, halving},
        steps,
        unit::Unit,
    },
    hubspot::{
        Kind,
        associations::{self, MAX_ARCHIVED},
        refusal,
    },
    pace::Lane,
    platform::Platform,
    send::Halt,
    store::{
        rows_as,
        targets::{self, Target},
    },
};

/// A contact that is somebody else now keeps its links: it was told of those invoices.
pub async fn unlink<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    target: &Target,
    former: &str,
) -> Result<(), Unread> {
    let Some(now) = target.hubspot_id.as_deref() else {
        return Ok(());
    };
    for former in former.split(',').filter(|former| *former != now) {
        let (made, invoices) = left_behind(run, unit, target, former).await?;
        forget(run, unit, target, former).await?;
        let invoices: Vec<_> = invoices.iter().map(|id| (id.as_str(), former)).collect();
        take_away(run, unit, (Kind::Invoice, target.kind), &invoices).await?;
        let others = others(run, unit, target, made).await?;
        let pairs = others.iter().map(|other| match target.kind {
            Kind::Company => (other.as_str(), former),
            _ => (former, other.as_str()),
        });
        let pairs: Vec<_> = pairs.collect();
        take_away(run, unit, (Kind::Contact, Kind::Company), &pairs).await?;
    }
    Ok(())
}

/// Before they are taken away: whoever is cut off in between, or links it back, does not take them for
/// standing.
async fn forget<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    target: &Target,
    former: &str,
) -> Result<(), Halt> {
    let contact = unit
        .payload
        .objects
        .iter()
        .find(|it| it.kind == Kind::Contact);
    let contact = contact.map(|contact| unit.target(contact));
    if let Some(mut contact) =
        contact.filter(|it| it.links.get(&target.kind).is_some_and(|id| id == former))
    {
        contact.links.remove(&target.kind);
        unit.keep(contact);
    }
    let key = unit.due.key.as_str();
    let forget = targets::forget_links(&run.connection.id, key, target.kind, former);
    run.store.commit(forget.into()).await?;
    Ok(())
}

async fn left_behind<P: Platform>(
    run: &Run<'_, P>,
    unit: &Unit,
    target: &Target,
    former: &str,
) -> Result<(bool, Vec<String>), Halt> {
    #[derive(serde::Deserialize)]
    struct Row {
        id: String,
    }
    let asked = targets::left_behind(&run.connection.id, &unit.due.key, target, former);
    let mut rows = run.store.read(&asked).await?.into_iter();
    let made = rows.next().is_some_and(|rows| !rows.is_empty());
    let invoices: Vec<Row> = rows_as(rows.next().unwrap_or_default())?;
    Ok((made, invoices.into_iter().map(|row| row.id).collect()))
}

/// The contact's companies, or the company's contacts: the one there is now, and those that it is about
/// to leave behind. Where we made one of two, nobody can have linked them before us.
async fn others<P: Platform>(
    run: &Run<'_, P>,
    unit: &Unit,
    target: &Target,
    made: bool,
) -> Result<Vec<String>, Halt> {
    let other = match target.kind {
        Kind::Company => Kind::Contact,
        _ => Kind::Company,
    };
    let mut objects = unit.payload.objects.iter();
    let Some(object) = objects.find(|object| object.kind == other) else {
        return Ok(Vec::new());
    };
    let other = unit.target(object);
    let now = other.hubspot_id.as_ref();
    let now = now.filter(|_| made || other.adopted.is_none());
    let mut ids: Vec<String> = now.into_iter().cloned().collect();
    for left in other.former.iter().flat_map(|former| former.split(',')) {
        if made || left_behind(run, unit, &other, left).await?.0 {
            ids.push(left.to_owned());
        }
    }
    Ok(ids)
}

async fn take_away<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    (from, to): (Kind, Kind),
    pairs: &[(&str, &str)],
) -> Result<(), Unread> {
    for some in pairs.chunks(MAX_ARCHIVED) {
        let sent = halving(some, async |some| archive(run, from, to, some).await).await;
        let refused = sent.verdicts.into_iter().filter_map(Result::err);
        // What is not there is not linked; what stays is for a person to see.
        let refused = refused.filter(|refusal| !refusal::is_missing(refusal));
        let warnings = refused.map(|refusal| refusal::reason(&refusal, from));
        unit.warnings.extend(warnings);
        if let Some(why) = sent.blocked {
            return Err(Unread::Blocked(why));
        }
    }
    Ok(())
}

async fn archive<P: Platform>(
    run: &Run<'_, P>,
    from: Kind,
    to: Kind,
    pairs: &[(&str, &str)],
) -> Result<Vec<Verdict<()>>, Halt> {
    let request = associations::archive(&run.api(), from, to, pairs);
    steps::take_away(run, Lane::Associations, request).await?;
    Ok(pairs.iter().map(|_| Ok(Some(()))).collect())
}
