//! One object on its way: what is sent of it, and by which name HubSpot is to know it.

use crate::{
    connection::AdoptedFields,
    context::Run,
    deliver::{adopt::marker, person},
    feeds::Object,
    hash::hash,
    hubspot::objects::Write,
    platform::Platform,
    sorted::SortedMap,
    store::targets::Target,
};

pub const EMAIL: &str = "email";
pub const STATUS: &str = "hs_invoice_status";

/// One object to be written, as it will be sent.
pub struct Job {
    pub unit: usize,
    pub trace: String,
    /// Of the properties wanted, whether or not all of them are sent.
    pub hash: String,
    pub target: Target,
    pub properties: SortedMap<String, String>,
    pub only_if_there: bool,
    /// The status sent along with the invoice.
    pub status: Option<String>,
    /// Whom the contact is for, as hashes.
    pub person: Option<String>,
}

/// How the records of a batch are named.
#[derive(Clone, Copy)]
pub enum Named {
    /// By our key: made where they are not there.
    New,
    /// By our key, and never made.
    Perhaps,
    /// By HubSpot's id.
    Known,
}

impl Job {
    pub fn of<P: Platform>(
        run: &Run<'_, P>,
        unit: usize,
        at: usize,
        object: &Object,
        target: Target,
    ) -> Self {
        let mut job = Self {
            unit,
            trace: format!("{unit}.{at}"),
            hash: hash(&object.properties),
            target,
            properties: SortedMap::new(),
            only_if_there: false,
            status: None,
            person: person::of(object),
        };
        job.fill(run, object);
        job
    }

    /// What is sent of it. Of a record that people had before us the standard properties are theirs,
    /// but for those we filled.
    fn fill<P: Platform>(&mut self, run: &Run<'_, P>, object: &Object) {
        let target = &self.target;
        let filled = |name: &str| target.filled.contains(name);
        let prefix = run.connection.hubspot.prefix.as_str();
        // What it was last sent is in doubt, and so is what of ours was filled by it.
        let in_doubt = target.hubspot_id.is_some() && target.hash.is_empty();
        let ours = |name: &str| in_doubt && name.starts_with(prefix);
        let all = target.adopted.is_none()
            || run.connection.settings.adopted_fields == AdoptedFields::Overwrite;
        self.properties = object
            .properties
            .iter()
            .filter(|(name, value)| !value.is_empty() || filled(name) || ours(name))
            .filter(|(name, _)| all || filled(name) || name.starts_with(prefix))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if target.hubspot_id.is_none() {
            let missing = |(name, value): (&String, &String)| (name.clone(), value.clone());
            self.properties.extend(object.on_create.iter().map(missing));
        }
        if let Some(marker) = marker::of(run, &self.target, &self.properties) {
            self.properties.insert(marker::name(run), marker);
        }
    }

    /// An invoice whose lines stand gets its new status in the same call.
    pub fn take_along(&mut self, status: Option<&str>) {
        if let Some(status) = status {
            self.properties.insert(STATUS.to_owned(), status.to_owned());
            self.status = Some(status.to_owned());
        }
    }

    /// The status is left to a call of its own, so that refused it takes nothing else with it; answers
    /// whether there was one.
    pub fn leave_status(&mut self) -> bool {
        self.properties.remove(STATUS);
        self.status.take().is_some()
    }

    pub fn named(&self) -> Named {
        match (self.is_new(), self.only_if_there) {
            (true, false) => Named::New,
            (true, true) => Named::Perhaps,
            (false, _) => Named::Known,
        }
    }

    pub fn as_write(&self) -> Write<'_> {
        let id = self.target.hubspot_id.as_deref();
        Write {
            id: id.unwrap_or(&self.target.object_key),
            trace: &self.trace,
            properties: &self.properties,
        }
    }

    pub fn has_email(&self) -> bool {
        let email = self.properties.get(EMAIL);
        email.is_some_and(|email| !email.is_empty())
    }

    pub fn is_new(&self) -> bool {
        self.target.hubspot_id.is_none()
    }

    /// The record is not there under the id we knew, or is not ours: it is made anew, or found by
    /// its key.
    pub fn forget_id<P: Platform>(&mut self, run: &Run<'_, P>, object: &Object) {
        self.target.begin_anew();
        self.fill(run, object);
    }
}
