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
        if let Some((contact, company)) = ends(unit, target, former, made) {
            let pair = [(contact.as_str(), company.as_str())];
            take_away(run, unit, (Kind::Contact, Kind::Company), &pair).await?;
        }
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

/// Contact and company, where we made one of them: before it nobody can have linked the two.
fn ends(unit: &Unit, target: &Target, former: &str, made: bool) -> Option<(String, String)> {
    let other = match target.kind {
        Kind::Company => Kind::Contact,
        _ => Kind::Company,
    };
    let mut objects = unit.payload.objects.iter();
    let other = unit.target(objects.find(|object| object.kind == other)?);
    let id = other
        .hubspot_id
        .filter(|_| made || other.adopted.is_none())?;
    Some(match target.kind {
        Kind::Company => (id, former.to_owned()),
        _ => (former.to_owned(), id),
    })
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
