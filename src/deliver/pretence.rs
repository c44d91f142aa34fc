//! What HubSpot would answer to a preview: records that bear our key are found, others are made; no
//! two contacts have one e-mail; whatever else is asked is done.

use serde_json::json;

use crate::{
    context::Run,
    fault::Refusal,
    hash::hash,
    hubspot::{
        Kind,
        objects::{self, Answer, Found, Write},
    },
    pace::Lane,
    platform::{Platform, Statement},
    send::{Effect, Halt, NEVER_MADE, NOTED, PREVIEW, Pretence, Sample},
    sorted::{SortedMap, SortedSet},
    store::cursors::{self, Cursor},
};

const EMAIL: &str = "email";
/// Records shown of each kind, of those that are new and of those that are not.
const SHOWN: usize = 3;

/// What a preview noted until now, for the commit of what it was noted of.
pub fn noted<P: Platform>(run: &Run<'_, P>) -> Option<Statement> {
    let position = run.sender.noted(|pretence| json!(pretence).to_string())?;
    let noted = Cursor {
        feed: PREVIEW.to_owned(),
        poll: NOTED.to_owned(),
        position,
    };
    Some(cursors::save(&run.connection.id, &[noted]))
}

/// Records known by their ids are brought up to date.
pub fn updated(writes: &[Write<'_>]) -> Vec<Answer> {
    let answers = writes
        .iter()
        .map(|write| answer(write.id.to_owned(), false));
    answers.collect()
}

/// Records with these keys are made.
pub fn created<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<Answer> {
    keys.map(|key| answer(never_made(key), true)).collect()
}

/// Whether a record with this id was only pretended to be made.
pub fn is_never_made(id: &str) -> bool {
    id.starts_with(NEVER_MADE)
}

fn never_made(key: &str) -> String {
    format!("{NEVER_MADE}{key}")
}

fn answer(id: String, new: bool) -> Answer {
    Answer::Written {
        id,
        new,
        at: None,
        warnings: Vec::new(),
    }
}

/// Without a `key_property` records are named by their ids. Records that are not there are made, or else
/// missed.
pub async fn written<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    key_property: Option<&str>,
    makes: bool,
    writes: &[Write<'_>],
) -> Result<Vec<Answer>, Halt> {
    let known = match key_property {
        Some(property) => by_key(run, kind, property, writes).await?,
        None => SortedMap::new(),
    };
    let holders = match kind {
        Kind::Contact => holders(run, writes).await?,
        _ => SortedMap::new(),
    };
    let taken = |write: &Write<'_>| {
        let there = match key_property {
            Some(_) => known.get(write.id).cloned(),
            None => Some(write.id.to_owned()),
        };
        if there.is_none() && !makes {
            return Answer::Refused(missing());
        }
        let id = there.clone().unwrap_or_else(|| never_made(write.id));
        if kind == Kind::Contact
            && let Some(refusal) = takes_no_email(run, write, &id, &holders)
        {
            return Answer::Refused(refusal);
        }
        run.sender
            .note(|pretence| sample(pretence, kind, write, there.as_deref()));
        answer(id, there.is_none())
    };
    Ok(writes.iter().map(taken).collect())
}

fn missing() -> Refusal {
    Refusal {
        code: "OBJECT_NOT_FOUND".to_owned(),
        field: None,
        other_id: None,
        correlation_id: None,
    }
}

/// The ids of the records that bear these keys already.
async fn by_key<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    property: &str,
    writes: &[Write<'_>],
) -> Result<SortedMap<String, String>, Halt> {
    let keys: Vec<&str> = writes.iter().map(|write| write.id).collect();
    let found = read_by(run, kind, property, &keys, property).await?;
    let bears = |found: Found| Some((found.properties.get(property)?.clone(), found.id));
    Ok(found.into_iter().filter_map(bears).collect())
}

/// The ids of the contacts that have these e-mails in HubSpot.
async fn holders<P: Platform>(
    run: &Run<'_, P>,
    writes: &[Write<'_>],
) -> Result<SortedMap<String, String>, Halt> {
    let emails: SortedSet<String> = writes.iter().filter_map(email).collect();
    let emails: Vec<&str> = emails.iter().map(String::as_str).collect();
    if emails.is_empty() {
        return Ok(SortedMap::new());
    }
    let found = read_by(run, Kind::Contact, EMAIL, &emails, EMAIL).await?;
    let has = |found: Found| Some((found.properties.get(EMAIL)?.to_lowercase(), found.id));
    Ok(found.into_iter().filter_map(has).collect())
}

async fn read_by<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    unique: &str,
    values: &[&str],
    property: &str,
) -> Result<Vec<Found>, Halt> {
    let request = objects::read_by(&run.api(), kind, Some(unique), values, &[property]);
    let found = run
        .sender
        .hubspot(Lane::General, Effect::Aside, request, |response| {
            objects::read_found(values, response)
        })
        .await?;
    Ok(found.into_values().flatten().collect())
}

fn email(write: &Write<'_>) -> Option<String> {
    let email = write.properties.get(EMAIL)?;
    (!email.is_empty()).then(|| email.to_lowercase())
}

/// HubSpot's refusal, where another contact has the e-mail already, or would have it by now.
fn takes_no_email<P: Platform>(
    run: &Run<'_, P>,
    write: &Write<'_>,
    id: &str,
    holders: &SortedMap<String, String>,
) -> Option<Refusal> {
    if !write.properties.contains_key(EMAIL) {
        return None;
    }
    let email = email(write);
    let hashed = email.as_ref().map(hash);
    let mut holder = None;
    run.sender.note(|pretence| {
        if let (Some(email), Some(hashed)) = (&email, &hashed) {
            let holds = pretence.who_has(hashed, holders.get(email));
            holder = holds.filter(|holder| *holder != id).cloned();
        }
        if holder.is_none() {
            pretence.address(id, hashed);
        }
    });
    let other_id = holder?;
    Some(Refusal {
        code: "CONFLICT".to_owned(),
        field: Some(EMAIL.to_owned()),
        other_id: Some(other_id),
        correlation_id: None,
    })
}

fn sample(pretence: &mut Pretence, kind: Kind, write: &Write<'_>, there: Option<&str>) {
    let alike = |it: &&Sample| it.kind == kind && it.hubspot_id.is_some() == there.is_some();
    if pretence.samples.iter().filter(alike).count() < SHOWN {
        pretence.samples.push(Sample {
            kind,
            hubspot_id: there.map(str::to_owned),
            properties: write.properties.clone(),
        });
    }
}
