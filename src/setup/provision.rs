//! Our properties in the portal: made when missing, keys first, and read again before they are
//! believed. Without its unique flag a key would let HubSpot make doubles, so its absence stops.

use http::Request;

use super::portal::api;
use crate::{
    connection::Connection,
    fault::Refusal,
    feeds::properties::{Definition, definitions},
    hubspot::{
        Kind,
        properties::{self, NewProperty, Property},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
};

/// What a kind of object is ready for.
pub struct Ready {
    /// Properties of ours that are there and cannot be used, in words.
    pub wrong: Vec<String>,
    /// HubSpot's own properties that may be written.
    pub properties: Vec<String>,
}

pub async fn provision<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
) -> Result<Ready, Halt> {
    let ours = definitions(kind, &connection.hubspot.prefix);
    let mut there = list(sender, connection, kind).await?;
    let missing: Vec<&Definition> = ours
        .iter()
        .filter(|one| find(&there, one).is_none())
        .collect();
    if !missing.is_empty() {
        create(sender, connection, kind, &missing).await?;
        there = list(sender, connection, kind).await?;
    }
    Ok(Ready {
        wrong: ours
            .iter()
            .filter_map(|one| wrong(one, find(&there, one)))
            .collect(),
        properties: there
            .into_iter()
            .filter(|property| property.writable() && property.name.starts_with("hs_"))
            .map(|property| property.name)
            .collect(),
    })
}

async fn list<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
) -> Result<Vec<Property>, Halt> {
    let request = properties::list_all(&api(connection), kind);
    sender
        .hubspot(Lane::General, Effect::Read, request, properties::read_all)
        .await
}

/// That something is there already is no error: another set-up may be under way. What counts is
/// what is read afterwards.
async fn create<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
    missing: &[&Definition],
) -> Result<(), Halt> {
    let api = api(connection);
    let group = connection.hubspot.prefix.trim_end_matches('_');
    let request = properties::create_group(&api, kind, group, "SYSPRO");
    make(sender, request).await?;
    for some in missing.chunks(properties::MAX_INPUTS) {
        let new: Vec<NewProperty<'_>> = some.iter().map(|one| new(one)).collect();
        let request = properties::create_batch(&api, kind, group, &new);
        let refused = make(sender, request).await?;
        // A batch with one that exists may be refused as a whole: the others go one by one.
        if !refused.is_empty() {
            for one in &new {
                let request =
                    properties::create_batch(&api, kind, group, std::slice::from_ref(one));
                make(sender, request).await?;
            }
        }
    }
    Ok(())
}

/// What was refused of it.
async fn make<P: Platform>(
    sender: &Sender<'_, P>,
    request: Request<String>,
) -> Result<Vec<Refusal>, Halt> {
    let read = properties::read_created;
    sender
        .hubspot(Lane::General, Effect::Write, request, read)
        .await
}

fn new(one: &Definition) -> NewProperty<'_> {
    NewProperty {
        name: &one.name,
        label: one.label,
        description: one.description,
        data_type: one.data_type,
        field_type: one.field_type,
        options: &one.options,
        unique: one.unique,
    }
}

fn find<'a>(there: &'a [Property], one: &Definition) -> Option<&'a Property> {
    there.iter().find(|property| property.name == one.name)
}

fn wrong(one: &Definition, there: Option<&Property>) -> Option<String> {
    let Some(there) = there else {
        return Some(format!("{} could not be created", one.name));
    };
    if there.data_type != one.data_type {
        Some(format!(
            "{} is {} where {} is needed",
            one.name, there.data_type, one.data_type
        ))
    } else if one.unique && !there.has_unique_value {
        Some(format!("{} does not require unique values", one.name))
    } else {
        None
    }
}
