//! The steps of a unit, each for all units of a chunk at once: objects, links, lines too many,
//! status.

use std::{cell::Cell, iter::once};

use http::Request;

use super::{
    adopt,
    batch::{Blocked, Verdict, side_by_side},
    beyond, keyless,
    park::{park_for, park_kind},
    pretence,
    unit::{LINKS, Unit, at},
    write::{STATUS, write},
};
use crate::{
    context::Run,
    fault::{Fault, Reason, Refusal},
    hubspot::{
        Kind,
        associations::{self, LinkAnswer},
        body,
        objects::{self, Answer, Write},
        refusal,
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
    sorted::SortedMap,
    store::targets::Target,
};

/// What HubSpot said of an object it wrote.
#[derive(Clone, Debug)]
pub struct Written {
    pub id: String,
    pub new: bool,
    pub at: Option<String>,
    pub warnings: Vec<Reason>,
}

/// In the order they are written: a link needs both its ends.
const OBJECTS: [Kind; 4] = [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem];

pub async fn all<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    units: &mut [Unit],
    stopped: &Cell<bool>,
) -> Result<(), Halt> {
    for kind in OBJECTS {
        if stopped.get() {
            return Ok(());
        }
        match kind {
            Kind::LineItem => {
                keyless::lines(run, feed, units).await?;
                beyond::find_stand_in(run, units).await?;
            }
            kind => adopt::adopt(run, feed, units, kind).await?,
        }
        write(run, units, kind).await?;
    }
    for (from, to) in LINKS {
        link(run, units, from, to).await?;
    }
    beyond::archive(run, units).await?;
    set_status(run, units).await
}

/// Holds back units that need a kind which may not be written now; answers whether there is one.
pub fn hold_parked<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
    needs: impl Fn(&Unit) -> bool,
) -> bool {
    let Some(park) = run.parked(kind.path()) else {
        return false;
    };
    for unit in units.iter_mut().filter(|unit| unit.is_open()) {
        if needs(unit) {
            unit.hold(park.until, Some(park.reason.clone()));
        }
    }
    true
}

/// What a batch that could not be sent means: the portal's fault parks the kind, a missing scope
/// too; anything else ends the chunk.
pub fn blocked<P: Platform>(run: &Run<'_, P>, kind: Kind, blocked: Blocked) -> Result<(), Halt> {
    match blocked {
        Blocked::Portal(refusal) => {
            park_kind(run, kind, refusal::reason(&refusal, kind));
            Ok(())
        }
        Blocked::Halt(Halt::Fault(fault @ Fault::Forbidden { .. })) => {
            park_for(run, kind.path(), &fault);
            Ok(())
        }
        Blocked::Halt(halt) => Err(halt),
    }
}

async fn link<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    from: Kind,
    to: Kind,
) -> Result<(), Halt> {
    if hold_parked(run, units, from, |unit| {
        !unit.missing_links(from, to).is_empty()
    }) {
        return Ok(());
    }
    let open = units.iter().enumerate().filter(|(_, unit)| unit.is_open());
    let (mut ours, mut adopted): (Vec<(usize, Target, String)>, Vec<_>) = Default::default();
    for (at, unit) in open {
        for (target, to_id) in unit.missing_links(from, to) {
            match target.adopted {
                None => ours.push((at, target, to_id)),
                Some(_) => adopted.push((at, target, to_id)),
            }
        }
    }
    for wanted in [ours, adopted] {
        let most = run.sender.most_pairs();
        let send = async |some: &[_]| send_links(run, from, to, some).await;
        let sent = side_by_side(&wanted, most, send).await;
        if let Some(pairs) = sent.fits {
            run.sender.takes_pairs(pairs);
        }
        for ((place, mut target, to_id), verdict) in wanted.into_iter().zip(sent.verdicts) {
            let unit = at(units, place);
            match verdict {
                Ok(Some(())) => {
                    target.links.insert(to, to_id);
                    unit.answered = true;
                    unit.keep(target);
                }
                // Named nowhere: it is asked for again.
                Ok(None) => {}
                Err(refusal) if refusal::is_missing(&refusal) => {
                    // One end is gone: written again, it is found or made anew.
                    target.hash.clear();
                    unit.keep(target);
                    unit.doubts_customer |= from == Kind::Invoice;
                    unit.try_once_more(refusal::reason(&refusal, from));
                }
                Err(refusal) => unit.fail(refusal::reason(&refusal, from)),
            }
        }
        if let Some(why) = sent.blocked {
            blocked(run, from, why)?;
            hold_parked(run, units, from, |unit| {
                !unit.missing_links(from, to).is_empty()
            });
            return Ok(());
        }
    }
    Ok(())
}

async fn send_links<P: Platform>(
    run: &Run<'_, P>,
    from: Kind,
    to: Kind,
    some: &[(usize, Target, String)],
) -> Result<Vec<Verdict<()>>, Halt> {
    let pairs: Vec<(&str, &str)> = some
        .iter()
        .filter_map(|(_, target, to_id)| Some((target.hubspot_id.as_deref()?, to_id.as_str())))
        .collect();
    let request = match associations::types(from, to) {
        // A contact's company is to be its primary one as well: that takes naming the types, which
        // takes a pair's other labels away. What people gave a contact of theirs stays.
        Some(types) if types.len() > 1 && !some.iter().any(|(_, it, _)| it.adopted.is_some()) => {
            associations::create(&run.api(), from, to, &pairs, types)
        }
        _ => associations::associate_default(&run.api(), from, to, &pairs),
    };
    associate(run, request, &pairs).await
}

/// Sends a request that links these pairs.
pub async fn associate<P: Platform>(
    run: &Run<'_, P>,
    request: Request<String>,
    pairs: &[(&str, &str)],
) -> Result<Vec<Verdict<()>>, Halt> {
    let answers = run
        .sender
        .write(
            Lane::Associations,
            Effect::Write,
            request,
            |response| associations::read_linked(pairs, response),
            async || Ok(pairs.iter().map(|_| LinkAnswer::Linked).collect()),
        )
        .await?;
    Ok(answers.into_iter().map(link_verdict).collect())
}

fn link_verdict(answer: LinkAnswer) -> Verdict<()> {
    match answer {
        LinkAnswer::Linked => Ok(Some(())),
        LinkAnswer::Refused(refusal) => Err(refusal),
        LinkAnswer::Unnamed => Ok(None),
    }
}

/// Sends what archives records or takes links away: its answer names none of them.
pub async fn take_away<P: Platform>(
    run: &Run<'_, P>,
    lane: Lane,
    request: Request<String>,
) -> Result<(), Halt> {
    let read = |response: &_| body(response).map(|_| ());
    let done = async || Ok(());
    run.sender
        .write(lane, Effect::Write, request, read, done)
        .await
}

/// Sets the status in a call of its own, once lines and links stand. A refused status is a warning,
/// not a lost invoice: `syspro_status` tells it all the same, and whatever is next sent of it brings the
/// status along again.
async fn set_status<P: Platform>(run: &Run<'_, P>, units: &mut [Unit]) -> Result<(), Halt> {
    let due: Vec<(usize, Target, String)> = units
        .iter()
        .enumerate()
        .filter(|(_, unit)| unit.is_open())
        .filter_map(|(at, unit)| {
            let (target, status) = unit.status_to_set()?;
            Some((at, target, status.to_owned()))
        })
        .collect();
    let send = async |some: &[_]| send_status(run, some).await;
    let sent = side_by_side(&due, objects::MAX_INPUTS, send).await;
    let refused_all = match &sent.blocked {
        Some(Blocked::Portal(refusal)) => Some(refusal),
        _ => None,
    };
    for ((place, mut target, status), verdict) in due.into_iter().zip(sent.verdicts) {
        let unit = at(units, place);
        let refusal = match (verdict, refused_all) {
            (Ok(None), None) => continue,
            (Ok(Some(written)), _) => {
                unit.taken_at = written.at.or(unit.taken_at.take());
                unit.warnings.extend(written.warnings);
                None
            }
            (Err(refusal), _) => Some(refusal),
            (Ok(None), Some(refusal)) => Some(refusal.clone()),
        };
        target.status = refusal.is_none().then_some(status);
        unit.status_refused = refusal.is_some();
        unit.warnings.extend(refusal.as_ref().map(status_refused));
        unit.answered = true;
        unit.keep(target);
    }
    if let Some(Blocked::Halt(halt)) = sent.blocked {
        blocked(run, Kind::Invoice, Blocked::Halt(halt))?;
        hold_parked(run, units, Kind::Invoice, |unit| {
            unit.status_to_set().is_some()
        });
    }
    Ok(())
}

fn status_refused(refusal: &Refusal) -> Reason {
    let mut reason = refusal::reason(refusal, Kind::Invoice);
    reason.code = "status_refused".to_owned();
    let again = "Then replay the invoice, or its status waits for the next change in SYSPRO.";
    reason.remedy = format!("{} {again}", reason.remedy).trim_start().to_owned();
    reason.on(STATUS)
}

async fn send_status<P: Platform>(
    run: &Run<'_, P>,
    some: &[(usize, Target, String)],
) -> Result<Vec<Verdict<Written>>, Halt> {
    let properties: Vec<SortedMap<String, String>> = some
        .iter()
        .map(|(_, _, status)| once((STATUS.to_owned(), status.clone())).collect())
        .collect();
    let writes: Vec<Write<'_>> = some
        .iter()
        .zip(&properties)
        .filter_map(|((_, target, _), properties)| {
            Some(Write {
                id: target.hubspot_id.as_deref()?,
                trace: &target.object_key,
                properties,
            })
        })
        .collect();
    let answers = update(run, Kind::Invoice, &writes).await?;
    Ok(answers.into_iter().map(verdict).collect())
}

/// Writes these properties of records known by their ids.
pub async fn update<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    writes: &[Write<'_>],
) -> Result<Vec<Answer>, Halt> {
    let request = objects::update(&run.api(), kind, None, writes);
    run.sender
        .write(
            Lane::General,
            Effect::Write,
            request,
            |response| objects::read_written(writes, None, response),
            async || Ok(pretence::updated(writes)),
        )
        .await
}

pub fn verdict(answer: Answer) -> Verdict<Written> {
    match answer {
        Answer::Written {
            id,
            new,
            at,
            warnings,
        } => Ok(Some(Written {
            id,
            new,
            at,
            warnings,
        })),
        Answer::Refused(refusal) => Err(refusal),
        Answer::Unnamed => Ok(None),
    }
}
