//! A preview: what would be written to HubSpot is not sent. The call is noted, and whoever would have
//! made it says what HubSpot would have answered.

use http::{Request, Response};
use serde::{Deserialize, Serialize};

use super::{Effect, Halt, Sender};
use crate::{
    fault::{Fault, Silence, System},
    hubspot::Kind,
    pace::Lane,
    platform::{NoAnswer, Platform},
    sorted::SortedMap,
};

/// Ids of records that were never made begin like this.
pub const NEVER_MADE: &str = "preview:";

/// Under which name a preview keeps its places among the cursors, and what it noted.
pub const PREVIEW: &str = "preview";
pub const NOTED: &str = "noted";

/// What a preview noted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pretence {
    /// Calls the sync would make, by what they are: `POST companies/batch/upsert`.
    pub calls: SortedMap<String, u32>,
    /// Some of the records it would write.
    pub samples: Vec<Sample>,
    /// Which contact has which e-mail, as a hash: no two may have the same.
    #[serde(skip)]
    emails: SortedMap<String, String>,
    /// The same by contact.
    #[serde(skip)]
    addresses: SortedMap<String, String>,
}

impl Pretence {
    /// The contact has this e-mail from now on, and no other.
    pub fn address(&mut self, id: &str, email: Option<String>) {
        if let Some(before) = self.addresses.remove(id) {
            self.emails.remove(&before);
        }
        if let Some(email) = email {
            self.emails.insert(email.clone(), id.to_owned());
            self.addresses.insert(id.to_owned(), email);
        }
    }

    /// Which contact has this e-mail. `holder` is the one that has it in HubSpot, unless it has got
    /// another one since.
    pub fn who_has<'a>(&'a self, email: &str, holder: Option<&'a String>) -> Option<&'a String> {
        let still = |id: &&String| self.addresses.get(*id).is_none_or(|it| it == email);
        self.emails.get(email).or(holder.filter(still))
    }
}

/// A record as it would be written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub kind: Kind,
    /// Of the record HubSpot has, if it has one.
    pub hubspot_id: Option<String>,
    pub properties: SortedMap<String, String>,
}

impl<P: Platform> Sender<'_, P> {
    /// From now on, or no longer, nothing is written to HubSpot. Answers what was noted until then.
    pub fn pretend(&self, pretence: Option<Pretence>) -> Option<Pretence> {
        self.pretence.replace(pretence)
    }

    pub fn pretends(&self) -> bool {
        self.pretence.borrow().is_some()
    }

    /// Notes something, in a preview.
    pub fn note(&self, note: impl FnOnce(&mut Pretence)) {
        if let Some(pretence) = self.pretence.borrow_mut().as_mut() {
            note(pretence);
        }
    }

    /// What was noted, in a preview.
    pub fn noted<T>(&self, read: impl FnOnce(&Pretence) -> T) -> Option<T> {
        self.pretence.borrow().as_ref().map(read)
    }

    /// Has HubSpot change something. A preview counts the call, and takes the answer from `pretend`.
    pub async fn write<T>(
        &self,
        lane: Lane,
        effect: Effect,
        request: Request<String>,
        read: impl Fn(&Response<Vec<u8>>) -> Result<T, Fault>,
        pretend: impl AsyncFnOnce() -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        if !self.pretends() {
            return self.hubspot(lane, effect, request, read).await;
        }
        self.room_to_write()?;
        self.count(&request);
        pretend().await
    }

    /// Before a call is really made: a preview counts those the sync would make too. No write leaves
    /// it, whoever forgot to say what would be answered.
    pub(super) fn heed_pretence(
        &self,
        effect: Effect,
        request: &Request<String>,
    ) -> Result<(), Halt> {
        if effect == Effect::Read {
            self.count(request);
        }
        match effect.is_write() && self.pretends() {
            true => Err(Halt::Fault(Fault::NoAnswer {
                system: System::HubSpot,
                what: Silence::Network(NoAnswer::Refused),
            })),
            false => Ok(()),
        }
    }

    fn count(&self, request: &Request<String>) {
        self.note(|pretence| {
            *pretence.calls.get_or_default(endpoint(request)) += 1;
        });
    }
}

/// The method and what stands behind area and version; ids as `{id}`.
fn endpoint(request: &Request<String>) -> String {
    let path = request.uri().path();
    let parts: Vec<&str> = path.split('/').skip_while(|part| *part != "crm").collect();
    let named = match parts.as_slice() {
        ["crm", "objects", _, rest @ ..] => rest.to_vec(),
        ["crm", area, _, rest @ ..] => [&[*area], rest].concat(),
        _ => path.trim_start_matches('/').split('/').collect(),
    };
    let is_id = |part: &str| {
        part.starts_with(NEVER_MADE) || !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
    };
    let named: Vec<&str> = named
        .into_iter()
        .map(|part| if is_id(part) { "{id}" } else { part })
        .collect();
    format!("{} {}", request.method(), named.join("/"))
}
