//! Writing one kind of object for all units of a chunk: new ones by upsert on our key, known ones
//! by update with their id, so that what a person merged stays merged.

mod again;
mod job;

use self::again::revise;
use super::{
    batch::{Verdict, side_by_side},
    keyless::is_keyless,
    pretence,
    steps::{Written, blocked, hold_parked, verdict},
    unit::{Unit, at, withheld_reason},
};
use crate::{
    context::Run,
    fault::Refusal,
    feeds::Object,
    hubspot::{
        Kind,
        objects::{self, Write},
        refusal,
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
    sorted::SortedSet,
    store::targets::{Ground, Withheld},
};
pub use job::{EMAIL, STATUS};
use job::{Job, Named};

/// As often as one record may take another form: a contact that waits for whoever shares its e-mail,
/// is not there any more, may not have the e-mail, and whose key another record has.
const REVISIONS: usize = 4;

pub async fn write<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
) -> Result<(), Halt> {
    if hold_parked(run, units, kind, |unit| !lacking(unit, kind).is_empty()) {
        return Ok(());
    }
    let mut jobs: Vec<Job> = Vec::new();
    for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.is_open()) {
        for (place, object) in lacking(unit, kind) {
            let mut job = Job::of(run, at, place, object, unit.target(object));
            job.only_if_there = unit.payload.may_not_make(object);
            // One that was refused would be refused with all it goes along with.
            let has_status = job.target.status.is_some();
            if kind == Kind::Invoice && !job.is_new() && has_status && unit.lines_stand() {
                job.take_along(unit.status_to_set().map(|(_, status)| status));
            }
            jobs.push(job);
        }
    }
    if is_keyless(run, kind) {
        // The others were created, or wait.
        jobs.retain(|job| !job.is_new());
    }
    let (mut jobs, mut later) = match kind {
        Kind::Contact => share_no_email(jobs, units, &run.key_property()),
        _ => (jobs, Vec::new()),
    };
    for _ in 0..REVISIONS {
        let refused = send_jobs(run, units, kind, jobs).await?;
        if run.parked(kind.path()).is_some() {
            return Ok(());
        }
        // What could not be sent as it was goes once more as it can be.
        jobs = revise(run, units, kind, refused).await?;
        later.retain(|job| at(units, job.unit).is_open());
        jobs.append(&mut later);
    }
    for (job, refusal) in send_jobs(run, units, kind, jobs).await? {
        at(units, job.unit).fail(refusal::reason(&refusal, kind));
    }
    Ok(())
}

/// The objects of a kind that HubSpot does not have as they shall be, with their places.
pub fn lacking(unit: &Unit, kind: Kind) -> Vec<(usize, &Object)> {
    let objects = unit.payload.objects.iter().enumerate();
    objects
        .filter(|(_, object)| object.kind == kind && !unit.stands(object))
        .collect()
}

/// Of contacts that share an e-mail the first is sent with it, since HubSpot would refuse the others
/// beside it. Those that ever had one follow in a batch of their own, still with it: they may be the
/// one that has it, and then the first is refused and nobody may lose it.
fn share_no_email(jobs: Vec<Job>, units: &mut [Unit], key: &str) -> (Vec<Job>, Vec<Job>) {
    // A contact just found by its e-mail has it, though it is not sent.
    let found = |job: &&Job| job.target.adopted == Some(Ground::Email) && job.target.is_fresh(key);
    let mut seen: SortedSet<String> = jobs
        .iter()
        .filter(found)
        .filter_map(|job| at(units, job.unit).email())
        .collect();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for mut job in jobs {
        if found(&&job) {
            first.push(job);
            continue;
        }
        let email = job.properties.get(EMAIL).map(|email| email.to_lowercase());
        let shared = email.is_some_and(|email| !email.is_empty() && !seen.insert(email));
        if shared && job.target.filled.contains(EMAIL) {
            later.push(job);
            continue;
        }
        if shared {
            let unit = at(units, job.unit);
            leave_out_email(&mut job, unit);
        }
        first.push(job);
    }
    (first, later)
}

fn leave_out_email(job: &mut Job, unit: &mut Unit) {
    // An address of ours that is there already is not this person's any more.
    match job.target.filled.contains(EMAIL) {
        true => job.properties.insert(EMAIL.to_owned(), String::new()),
        false => job.properties.remove(EMAIL),
    };
    job.target.withheld = Some(Withheld::Email);
    unit.warnings.push(withheld_reason(Withheld::Email));
}

/// Sends jobs in batches and books what was answered; answers the refused ones that may go again
/// in another form.
async fn send_jobs<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
    jobs: Vec<Job>,
) -> Result<Vec<(Job, Refusal)>, Halt> {
    let (mut new, mut perhaps, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for job in jobs {
        match job.named() {
            Named::New => new.push(job),
            Named::Perhaps => perhaps.push(job),
            Named::Known => known.push(job),
        }
    }
    let mut refused = Vec::new();
    let lots = [
        (new, Named::New),
        (perhaps, Named::Perhaps),
        (known, Named::Known),
    ];
    for (jobs, named) in lots {
        let send = async |some: &[Job]| send(run, kind, named, some).await;
        let sent = side_by_side(&jobs, objects::MAX_INPUTS, send).await;
        for (job, verdict) in jobs.into_iter().zip(sent.verdicts) {
            let unit = at(units, job.unit);
            match verdict {
                Ok(Some(written)) => book(unit, job, written, &run.key_property()),
                // Named nowhere: it stays as it is and waits.
                Ok(None) => {}
                Err(refusal) => {
                    unit.answered = true;
                    refused.push((job, refusal));
                }
            }
        }
        if let Some(why) = sent.blocked {
            blocked(run, kind, why)?;
            hold_parked(run, units, kind, |unit| !lacking(unit, kind).is_empty());
            return Ok(refused);
        }
    }
    Ok(refused)
}

fn book(unit: &mut Unit, job: Job, written: Written, key_property: &str) {
    let has_email = job.has_email();
    let mut target = job.target;
    if target
        .hubspot_id
        .as_deref()
        .is_some_and(|id| id != written.id)
    {
        target.links.clear();
    }
    unit.invoice_is_new |= written.new && target.kind == Kind::Invoice;
    if target.is_fresh(key_property) {
        // One that we made and that is linked back is chosen by hand as well.
        let ground = target.adopted.unwrap_or(Ground::Hand);
        unit.adopted.push((target.kind, written.id.clone(), ground));
        // Its id was stored before it was written.
        unit.moved = true;
    }
    target.hubspot_id = Some(written.id);
    target.hash = job.hash;
    target.person = job.person;
    target.status = job.status.or(target.status);
    if has_email {
        target.withheld = None;
    }
    let filled = job
        .properties
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && name != STATUS);
    target.filled.extend(filled.map(|(name, _)| name));
    match written.new {
        true => unit.created += 1,
        false => unit.updated += 1,
    }
    unit.answered = true;
    unit.taken_at = written.at.or(unit.taken_at.take());
    unit.warnings.extend(written.warnings);
    unit.keep(target);
}

async fn send<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    named: Named,
    some: &[Job],
) -> Result<Vec<Verdict<Written>>, Halt> {
    let writes: Vec<Write<'_>> = some.iter().map(Job::as_write).collect();
    let key_property = run.key_property();
    let (api, key) = (run.api(), Some(key_property.as_str()));
    let makes = matches!(named, Named::New);
    let (request, key_property) = match named {
        Named::New => (objects::upsert(&api, kind, &key_property, &writes), key),
        Named::Perhaps => (objects::update(&api, kind, key, &writes), key),
        Named::Known => (objects::update(&api, kind, None, &writes), None),
    };
    let answers = run
        .sender
        .write(
            Lane::General,
            Effect::Write,
            request,
            |response| objects::read_written(&writes, key_property, response),
            async || pretence::written(run, kind, key_property, makes, &writes).await,
        )
        .await?;
    Ok(answers.into_iter().map(verdict).collect())
}
