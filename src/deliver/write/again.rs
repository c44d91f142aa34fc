//! What becomes of a write that was refused as it was, and may go again in another form.

use super::{
    job::{Job, Named},
    leave_out_email,
};
use crate::{
    context::Run,
    deliver::{
        keyless::is_keyless,
        unit::{State, Unit, at, deleted_reason, withheld_reason},
    },
    fault::{Fault, Reason, Refusal},
    hubspot::{Kind, objects, refusal},
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
    store::targets::{Ground, Target, Withheld},
};

/// What a refused job may still become: an invoice without its status, a contact without its e-mail, the survivor of a merge, a
/// record made anew. The others fail here.
pub(super) async fn revise<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
    refused: Vec<(Job, Refusal)>,
) -> Result<Vec<Job>, Halt> {
    let mut again = Vec::new();
    for (mut job, refusal) in refused {
        let unit = at(units, job.unit);
        if !refusal::is_missing(&refusal) && job.leave_status() {
            again.push(job);
        } else if job.has_email() && refusal::takes_email(&refusal) {
            leave_out_email(&mut job, unit);
            again.push(job);
        } else if refusal::is_missing(&refusal) && matches!(job.named(), Named::Perhaps) {
            unit.state = match unit.payload.unless_there() {
                Some(rule) => State::Excluded(rule.clone()),
                None => State::Nowhere(Reason::gone()),
            };
        } else if refusal::is_missing(&refusal) && !job.is_new() {
            again.extend(find_again(run, unit, kind, job).await?);
        } else if refusal::is_taken(&refusal, &run.key_property()) && job.target.adopted.is_some() {
            again.extend(give_way(run, unit, job, refusal, kind));
        } else {
            unit.fail(refusal::reason(&refusal, kind));
        }
    }
    Ok(again)
}

/// Another record has our key: the one we made, when its answer was lost. That one is ours, and the
/// one about to be taken over stays as it is; unless a person chose it, for then the other gives the
/// key up.
fn give_way<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    mut job: Job,
    refusal: Refusal,
    kind: Kind,
) -> Option<Job> {
    if job.target.adopted == Some(Ground::Hand) {
        if let Some(holder) = refusal.other_id.clone() {
            job.target.leave(holder);
        }
        unit.keep(job.target);
        unit.try_once_more(refusal::reason(&refusal, kind));
        return None;
    }
    let object = unit.object(kind, &job.target.object_key)?;
    job.forget_id(run, object);
    Some(job)
}

/// A known id that is not there: merged away, and then it leads to its survivor, or deleted. A
/// deleted contact stays deleted unless it is replayed; anything else is made anew once.
async fn find_again<P: Platform>(
    run: &Run<'_, P>,
    unit: &mut Unit,
    kind: Kind,
    mut job: Job,
) -> Result<Option<Job>, Halt> {
    let Some(id) = job.target.hubspot_id.clone() else {
        return Ok(None);
    };
    let key = run.key_property();
    let request = objects::get(&run.api(), kind, &id, &key);
    let found = run
        .sender
        .hubspot(Lane::General, Effect::Read, request, objects::read_one)
        .await;
    let survivor = match found {
        Ok(found) => found,
        Err(Halt::Fault(Fault::Refused { refusal, .. })) => {
            unit.fail(refusal::reason(&refusal, kind));
            return Ok(None);
        }
        Err(halt) => return Err(halt),
    };
    match survivor {
        Some(survivor) => {
            let holder = survivor.properties.get(&key);
            let others = holder.is_some_and(|holder| *holder != job.target.object_key);
            job.leave_status();
            job.target.hubspot_id = Some(survivor.id);
            job.target.links.clear();
            // Whoever merged it had a look.
            job.target.candidates.clear();
            if others {
                // Two of ours became one: it keeps saying what the one it is named after says.
                job.target.withheld = Some(Withheld::Merged);
                unit.warnings.push(withheld_reason(Withheld::Merged));
                unit.keep(job.target);
                return Ok(None);
            }
            if job.target.adopted.is_some() {
                // What of the survivor is people's is looked at before it is written.
                unit.keep(job.target);
                unit.hold(0, None);
                return Ok(None);
            }
            Ok(Some(job))
        }
        None if unit.payload.excluded.is_some() => {
            let mut target = job.target;
            target.begin_anew();
            unit.keep(target);
            Ok(None)
        }
        None if is_keyless(run, kind) => {
            // The next run makes it anew, after reading what lines there are.
            unit.keep(Target::new(kind, &job.target.object_key));
            unit.hold(0, None);
            Ok(None)
        }
        None if stays_deleted(&job.target) => {
            let mut target = job.target;
            target.begin_anew();
            target.withheld = Some(Withheld::Deleted);
            let reason = deleted_reason(kind);
            match kind {
                Kind::Contact => unit.warnings.push(reason),
                _ => unit.exclude(reason),
            }
            unit.keep(target);
            Ok(None)
        }
        None => {
            let Some(object) = unit.object(kind, &job.target.object_key) else {
                return Ok(None);
            };
            job.leave_status();
            job.forget_id(run, object);
            job.target.remade += 1;
            if kind == Kind::Invoice {
                unit.forget_lines();
            }
            Ok(Some(job))
        }
    }
}

/// Whoever deletes a contact, or anything a second time, means it.
fn stays_deleted(target: &Target) -> bool {
    match target.kind {
        Kind::Contact => !target.is_replayed(),
        Kind::LineItem => false,
        _ => target.remade > 0,
    }
}
