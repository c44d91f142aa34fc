//! A unit: one ledger row on its way, with all the HubSpot objects that come of it.

mod words;

pub use words::{ambiguous, deleted_reason, withheld_reason};

use super::write::EMAIL;
use crate::{
    fault::Reason,
    feeds::{Object, Payload},
    hash::hash,
    hubspot::Kind,
    platform::Millis,
    sorted::{SortedMap, SortedSet},
    store::{
        ledger::Due,
        targets::{Ground, Target, Withheld},
    },
    typed,
};

pub struct Unit {
    pub due: Due,
    pub payload: Payload,
    /// HubSpot ids of the customer an invoice belongs to.
    pub customer: SortedMap<Kind, String>,
    pub state: State,
    pub warnings: Vec<Reason>,
    /// HubSpot answered at least one write of it.
    pub answered: bool,
    pub taken_at: Option<String>,
    pub created: u32,
    pub updated: u32,
    /// Records of people's that were taken over, and why.
    pub adopted: Vec<(Kind, String, Ground)>,
    /// Keys of lines archived because SYSPRO no longer has them.
    pub archived: Vec<String>,
    /// One of its objects is new in HubSpot or another than before: what was linked to it is not.
    pub moved: bool,
    /// Its invoice was made in this run, so that all lines it has are ours and known.
    pub invoice_is_new: bool,
    /// HubSpot would not take its status in this run. The next writing of it asks again, or the warning
    /// would go and the status stay wrong.
    pub status_refused: bool,
    /// The customer's company or contact may be gone from HubSpot.
    pub doubts_customer: bool,
    targets: SortedMap<(Kind, String), Target>,
    changed: SortedSet<(Kind, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Open,
    /// HubSpot refuses it; a person must act.
    Failed(Reason),
    /// Put off for no fault of its own.
    Held {
        until: Millis,
        reason: Option<Reason>,
    },
    /// Refused for something the next run can mend.
    Retried(Reason),
    /// HubSpot does not have it either: nothing is left of it that could be sent.
    Nowhere(Reason),
    /// People do not want it in HubSpot.
    Excluded(Reason),
}

impl Unit {
    /// A row whose stored JSON this version cannot read fails by itself: reading it again mends it.
    pub fn of(due: Due) -> Self {
        let payload = typed::from_str(&due.payload);
        let targets = typed::from_str::<Vec<Target>>(&due.targets);
        let customer = due.customer.as_deref().unwrap_or("{}");
        let customer = typed::from_str(customer);
        let state = if payload.is_err() || targets.is_err() || customer.is_err() {
            State::Failed(Reason::new(
                "stored_form",
                "It was stored by another version of this software.",
                "Replay it: it is read from SYSPRO again.",
            ))
        } else {
            State::Open
        };
        let mut unit = Self {
            due,
            payload: payload.unwrap_or_default(),
            customer: customer.unwrap_or_default(),
            state,
            warnings: Vec::new(),
            answered: false,
            taken_at: None,
            created: 0,
            updated: 0,
            adopted: Vec::new(),
            archived: Vec::new(),
            moved: false,
            invoice_is_new: false,
            status_refused: false,
            doubts_customer: false,
            targets: SortedMap::new(),
            changed: SortedSet::new(),
        };
        for target in targets.unwrap_or_default() {
            unit.targets
                .insert((target.kind, target.object_key.clone()), target);
        }
        unit.warnings = unit.payload.warnings.clone();
        if unit.is_open() && unit.main_is(Withheld::Deleted) {
            let kind = unit.payload.objects.first().map(|main| main.kind);
            unit.exclude(deleted_reason(kind.unwrap_or(Kind::Company)));
        }
        unit
    }

    /// Whether the object it is about, a company or an invoice, is left out for this.
    fn main_is(&self, withheld: Withheld) -> bool {
        let main = self.payload.objects.first();
        main.is_some_and(|main| self.target(main).withheld == Some(withheld))
    }

    /// Its row is not to be in HubSpot by itself: its record was merged into another customer's.
    pub fn excluded(&self) -> Option<Reason> {
        self.main_is(Withheld::Merged)
            .then(|| withheld_reason(Withheld::Merged))
    }

    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// What we know of an object in HubSpot; nothing yet makes a blank one.
    pub fn target(&self, object: &Object) -> Target {
        self.targets
            .get(&(object.kind, object.key.clone()))
            .cloned()
            .unwrap_or_else(|| Target::new(object.kind, &object.key))
    }

    /// What its object of this kind and key shall be.
    pub fn object(&self, kind: Kind, key: &str) -> Option<&Object> {
        let mut objects = self.payload.objects.iter();
        objects.find(|object| object.kind == kind && object.key == key)
    }

    /// The e-mail its contact shall have, in small letters.
    pub fn email(&self) -> Option<String> {
        let mut objects = self.payload.objects.iter();
        let contact = objects.find(|object| object.kind == Kind::Contact)?;
        let email = contact.properties.get(EMAIL)?;
        (!email.is_empty()).then(|| email.to_lowercase())
    }

    pub fn keep(&mut self, target: Target) {
        let name = (target.kind, target.object_key.clone());
        let before = self
            .targets
            .get(&name)
            .and_then(|it| it.hubspot_id.as_ref());
        self.moved |= target.hubspot_id.is_some() && target.hubspot_id.as_ref() != before;
        self.changed.insert(name.clone());
        self.targets.insert(name, target);
    }

    pub fn changed(&self) -> impl Iterator<Item = &Target> {
        self.changed
            .iter()
            .filter_map(|name| self.targets.get(name))
    }

    /// The id of its one object of a kind, or of its customer's.
    pub fn id_of(&self, kind: Kind) -> Option<&str> {
        let own = self
            .payload
            .objects
            .iter()
            .find(|object| object.kind == kind)
            .and_then(|object| self.targets.get(&(kind, object.key.clone())));
        match own {
            Some(target) => target.hubspot_id.as_deref(),
            None => self.customer.get(&kind).map(String::as_str),
        }
    }

    /// Whether what HubSpot last got of the object is what it shall have.
    pub fn stands(&self, object: &Object) -> bool {
        let target = self.targets.get(&(object.kind, object.key.clone()));
        // What is left out is not made for it; where it may be, that is asked.
        let unmade = target.is_none_or(|target| target.hubspot_id.is_none());
        if self.payload.excluded.is_some() && unmade && !self.payload.only_if_there {
            return true;
        }
        let Some(target) = target else {
            return false;
        };
        target.is_left_alone()
            || target.hubspot_id.is_some() && target.hash == hash(&object.properties)
    }

    /// The pairs of ids that are to be linked and are not.
    pub fn missing_links(&self, from: Kind, to: Kind) -> Vec<(Target, String)> {
        let Some(to_id) = self.id_of(to) else {
            return Vec::new();
        };
        self.payload
            .objects
            .iter()
            .filter(|object| object.kind == from)
            .map(|object| self.target(object))
            .filter(|target| target.hubspot_id.is_some())
            .filter(|target| !target.is_left_alone())
            .filter(|target| target.links.get(&to).map(String::as_str) != Some(to_id))
            .map(|target| (target, to_id.to_owned()))
            .collect()
    }

    /// Lines HubSpot has of it and SYSPRO no longer: key and id.
    pub fn lines_beyond(&self) -> Vec<(String, String)> {
        if !self.payload.lines_complete {
            return Vec::new();
        }
        let wanted = |key: &str| self.payload.objects.iter().any(|object| object.key == key);
        self.targets
            .values()
            .filter(|target| target.kind == Kind::LineItem && !wanted(&target.object_key))
            .filter(|target| !self.archived.contains(&target.object_key))
            .filter_map(|target| Some((target.object_key.clone(), target.hubspot_id.clone()?)))
            .collect()
    }

    /// Keys of line items that may be in HubSpot under an id not known here: wanted, or tried once
    /// without an answer.
    pub fn unknown_lines(&self) -> SortedSet<String> {
        let is_line = |kind: Kind| kind == Kind::LineItem;
        let objects = self.payload.objects.iter();
        let wanted = objects.filter(|object| is_line(object.kind));
        let wanted = wanted.filter(|object| self.target(object).hubspot_id.is_none());
        let tried = self.targets.values().filter(|it| is_line(it.kind));
        let tried = tried.filter(|target| target.is_tried());
        let wanted = wanted.map(|object| object.key.clone());
        wanted
            .chain(tried.map(|it| it.object_key.clone()))
            .collect()
    }

    /// Ids of the line items known to be ours.
    pub fn line_ids(&self) -> SortedSet<&str> {
        let lines = self.targets.values().filter(|it| it.kind == Kind::LineItem);
        lines.filter_map(|it| it.hubspot_id.as_deref()).collect()
    }

    /// What is known of a line item, wanted or not, and what it shall be.
    pub fn line(&self, key: &str) -> (Target, Option<&Object>) {
        let object = self.object(Kind::LineItem, key);
        let target = self.targets.get(&(Kind::LineItem, key.to_owned()));
        let blank = || Target::new(Kind::LineItem, key);
        (target.cloned().unwrap_or_else(blank), object)
    }

    /// Its invoice may be gone from HubSpot: it is written again.
    pub fn doubt_invoice(&mut self) {
        let invoices = self.targets.values().filter(|it| it.kind == Kind::Invoice);
        for mut invoice in invoices.cloned().collect::<Vec<_>>() {
            invoice.hash.clear();
            self.keep(invoice);
        }
    }

    /// HubSpot deletes an invoice's lines with it: all of them are to be made anew.
    pub fn forget_lines(&mut self) {
        let lines = self.targets.values();
        let lines: Vec<Target> = lines
            .filter(|target| target.kind == Kind::LineItem)
            .map(|target| Target::new(target.kind, &target.object_key))
            .collect();
        for line in lines {
            self.keep(line);
        }
    }

    /// Its lines are in HubSpot as they shall be, and linked to it.
    pub fn lines_stand(&self) -> bool {
        let objects = self.payload.objects.iter();
        let mut lines = objects.filter(|object| object.kind == Kind::LineItem);
        lines.all(|line| self.stands(line))
            && self.missing_links(Kind::LineItem, Kind::Invoice).is_empty()
            && self.lines_beyond().is_empty()
            && !self.targets.values().any(Target::is_tried)
    }

    /// The invoice target, where its status is still to be set.
    pub fn status_to_set(&self) -> Option<(Target, &str)> {
        let status = self.payload.status.as_deref()?;
        let invoice = self
            .payload
            .objects
            .iter()
            .find(|object| object.kind == Kind::Invoice)?;
        let target = self.target(invoice);
        let unset = !self.status_refused && target.status.as_deref() != Some(status);
        (unset && target.hubspot_id.is_some()).then_some((target, status))
    }

    /// All of it stands in HubSpot: objects, links, status, and no line too many.
    pub fn complete(&self) -> bool {
        self.is_open()
            && self
                .payload
                .objects
                .iter()
                .all(|object| self.stands(object))
            && LINKS
                .iter()
                .all(|(from, to)| self.missing_links(*from, *to).is_empty())
            && self.lines_stand()
            && self.status_to_set().is_none()
    }

    pub fn fail(&mut self, reason: Reason) {
        self.state = State::Failed(reason);
    }

    /// Waits for the next run the first time, and fails the second.
    pub fn try_once_more(&mut self, reason: Reason) {
        self.state = match self.due.attempts {
            0 => State::Retried(reason),
            _ => State::Failed(reason),
        };
    }

    pub fn exclude(&mut self, reason: Reason) {
        self.state = State::Excluded(reason);
    }

    pub fn hold(&mut self, until: Millis, reason: Option<Reason>) {
        self.state = State::Held { until, reason };
    }

    /// The warning a person sees first beside a record that is in sync.
    pub fn warning(&self) -> Option<Reason> {
        let mut targets = self.targets.values();
        let unsure = targets.find(|target| !target.candidates.is_empty());
        let withheld = || self.targets.values().find_map(|target| target.withheld);
        unsure
            .map(|target| ambiguous(target.kind, &target.candidates, true))
            .or_else(|| self.warnings.first().cloned())
            .or_else(|| Some(withheld_reason(withheld()?)))
    }
}

/// The unit at this place of its chunk.
pub fn at(units: &mut [Unit], place: usize) -> &mut Unit {
    // cannot fail: places are taken from the same chunk, which never changes its length
    &mut units[place]
}

/// The links a unit makes, in the order they are made.
pub const LINKS: [(Kind, Kind); 4] = [
    (Kind::Contact, Kind::Company),
    (Kind::LineItem, Kind::Invoice),
    (Kind::Invoice, Kind::Company),
    (Kind::Invoice, Kind::Contact),
];
