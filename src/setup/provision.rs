//! Our properties in the portal: made when missing, keys first, and read again before they are
//! believed. Without its unique flag a key would let HubSpot make doubles, so its absence stops; and
//! what would stand beside a key that cannot be had is not made at all.

mod wrong;

use http::Request;

use super::portal::api;
use crate::{
    connection::Connection,
    fault::{Fault, Refusal},
    feeds::properties::{Definition, definitions},
    hubspot::{
        Kind, body,
        properties::{self, NewProperty, Property},
        refusal,
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
    sorted::SortedMap,
};
pub use wrong::Wrong;

/// What a kind of object is ready for.
pub struct Ready {
    /// Properties of ours that are not there, or cannot be used as they are.
    pub wrong: Vec<Wrong>,
    /// HubSpot's own properties that may be written.
    pub writable: Vec<String>,
}

/// The properties that a kind of object has.
///
/// # Errors
/// A [`Fault::Refused`] says that the portal has no such kind.
pub async fn list<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
) -> Result<Vec<Property>, Halt> {
    let request = properties::list_all(&api(connection), kind);
    let read = properties::read_all;
    sender
        .hubspot(Lane::General, Effect::Read, request, read)
        .await
}

/// Makes what is not `there` yet.
///
/// # Errors
/// What HubSpot refuses to make is none.
pub async fn provision<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    kind: Kind,
    mut there: Vec<Property>,
) -> Result<Ready, Halt> {
    let ours = definitions(kind, &connection.hubspot.prefix);
    let maker = Maker {
        sender,
        connection,
        kind,
    };
    let mut refused = SortedMap::new();
    if !lacking(&ours, &there).is_empty() {
        if let Some(refusal) = maker.group().await? {
            return Ok(Ready {
                wrong: vec![Wrong::Group(refusal)],
                writable: Vec::new(),
            });
        }
        let (keys, rest): (Vec<_>, Vec<_>) = ours.iter().cloned().partition(|one| one.unique);
        for some in [keys, rest] {
            refused.extend(maker.create(&lacking(&some, &there)).await?);
            there = maker.list().await?;
            let wrong = wrong::find(&some, &there, &refused);
            if !wrong.is_empty() {
                return Ok(Ready {
                    wrong,
                    writable: writable(there),
                });
            }
        }
    }
    Ok(Ready {
        wrong: wrong::find(&ours, &there, &refused),
        writable: writable(there),
    })
}

fn lacking<'a>(ours: &'a [Definition], there: &[Property]) -> Vec<&'a Definition> {
    let is_there = |one: &Definition| there.iter().any(|property| property.name == one.name);
    ours.iter().filter(|one| !is_there(one)).collect()
}

fn writable(there: Vec<Property>) -> Vec<String> {
    there
        .into_iter()
        .filter(|property| property.writable() && property.name.starts_with("hs_"))
        .map(|property| property.name)
        .collect()
}

struct Maker<'a, P> {
    sender: &'a Sender<'a, P>,
    connection: &'a Connection,
    kind: Kind,
}

impl<P: Platform> Maker<'_, P> {
    async fn list(&self) -> Result<Vec<Property>, Halt> {
        list(self.sender, self.connection, self.kind).await
    }

    fn group_name(&self) -> &str {
        self.connection.hubspot.prefix.trim_end_matches('_')
    }

    /// The refusal, where the group is not there in the end. HubSpot may say in more than one way
    /// that it was before.
    async fn group(&self) -> Result<Option<Refusal>, Halt> {
        let (api, name) = (api(self.connection), self.group_name());
        let request = properties::create_group(&api, self.kind, name, "SYSPRO");
        let refused = self.make(request).await?.into_iter().next();
        let Some(refusal) = refused.filter(|refusal| !refusal::already_exists(refusal)) else {
            return Ok(None);
        };
        let request = properties::get_group(&api, self.kind, name);
        let there = self
            .sender
            .hubspot(Lane::General, Effect::Read, request, body)
            .await;
        match there {
            Ok(_) => Ok(None),
            Err(Halt::Fault(Fault::Refused { .. })) => Ok(Some(refusal)),
            Err(halt) => Err(halt),
        }
    }

    /// What was refused, by name. That something is there already is no refusal: another set-up may
    /// be under way.
    async fn create(&self, missing: &[&Definition]) -> Result<SortedMap<String, Refusal>, Halt> {
        let mut refused = SortedMap::new();
        for some in missing.chunks(properties::MAX_INPUTS) {
            if self.batch(some).await?.is_empty() {
                continue;
            }
            // A refusal may mean one of them or all: those still missing go one by one.
            let there = self.list().await?;
            for one in some {
                if there.iter().any(|property| property.name == one.name) {
                    continue;
                }
                let refusals = self.batch(&[one]).await?;
                refused.extend(refusals.into_iter().map(|it| (one.name.clone(), it)));
            }
        }
        Ok(refused)
    }

    async fn batch(&self, some: &[&Definition]) -> Result<Vec<Refusal>, Halt> {
        let new: Vec<NewProperty<'_>> = some.iter().map(|one| new(one)).collect();
        let api = api(self.connection);
        let request = properties::create_batch(&api, self.kind, self.group_name(), &new);
        self.make(request).await
    }

    /// What was refused of it.
    async fn make(&self, request: Request<String>) -> Result<Vec<Refusal>, Halt> {
        let read = properties::read_created;
        self.sender
            .hubspot(Lane::General, Effect::Write, request, read)
            .await
    }
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
