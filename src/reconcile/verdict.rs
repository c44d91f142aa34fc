//! A record against what HubSpot shows of it: each difference with its reason, and no values.

use serde::{Deserialize, Serialize};

use super::same::Forms;
use crate::{
    feeds::{Object, Payload},
    hubspot::{Kind, associations, objects::Found},
    sorted::SortedMap,
    store::{
        reconcile::Customer,
        targets::{Target, Withheld},
    },
};

/// One reason why a record differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
}

/// What HubSpot shows under a key of ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    Found(Found),
    Lost(Lost),
    /// The answers do not speak of it.
    Unread,
}

/// What became of a record that does not answer to its key.
#[derive(Clone, Debug, PartialEq)]
pub enum Lost {
    /// It was never there, or nobody knows what became of it.
    Missing,
    Deleted,
    /// Into a record that bears this key, if any.
    Merged(Option<String>),
    /// It is there, and its key is another or none.
    Unkeyed,
}

/// What HubSpot shows of a page of records.
#[derive(Debug, Default)]
pub struct Seen {
    pub objects: SortedMap<(Kind, String), Sight>,
    /// From which to which kind: id -> the ids it is linked to, where the answers tell.
    pub links: SortedMap<(Kind, Kind), SortedMap<String, Vec<String>>>,
    /// The records of customers that invoices are to be linked to and that are there.
    pub ends: SortedMap<Kind, Vec<String>>,
}

/// A record that is in sync, as far as we know.
pub struct Sent<'a> {
    pub payload: &'a Payload,
    pub targets: &'a [Target],
    pub customer: &'a Customer,
}

impl Sent<'_> {
    pub fn target(&self, object: &Object) -> Option<&Target> {
        let mut targets = self.targets.iter();
        targets.find(|it| it.kind == object.kind && it.object_key == object.key)
    }

    /// Those of its objects that HubSpot is to hold as we sent them.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        let objects = self.payload.objects.iter();
        objects.filter(|object| !self.target(object).is_some_and(Target::is_left_alone))
    }

    /// The id of the customer's record that this one is to be linked to.
    pub fn end(&self, kind: Kind) -> Option<&str> {
        self.customer.get(&kind).map(|linked| linked.id.as_str())
    }
}

pub struct Judge<'a> {
    pub prefix: &'a str,
    pub forms: &'a Forms,
    pub seen: &'a Seen,
}

impl Judge<'_> {
    /// Why this record is not in HubSpot what it was sent as; nothing where it is.
    pub fn judge(&self, sent: &Sent<'_>) -> Vec<Why> {
        let mut why = Vec::new();
        for object in sent.objects() {
            let invoice_is_lost = object.kind == Kind::LineItem
                && sent.objects().any(|it| {
                    it.kind == Kind::Invoice && !matches!(self.sight(it), Some(Sight::Found(_)))
                });
            // HubSpot deletes an invoice's lines with it.
            if invoice_is_lost {
                continue;
            }
            match self.sight(object) {
                Some(Sight::Found(found)) => {
                    why.extend(self.differs(sent, object, found));
                    why.extend(self.unlinked(sent, object, found));
                }
                Some(Sight::Lost(lost)) => why.push(gone(object, lost)),
                Some(Sight::Unread) | None => why.push(say(
                    "unread",
                    object,
                    "was not told of in HubSpot's answer, so nothing is known of it",
                )),
            }
        }
        why
    }

    pub fn sight(&self, object: &Object) -> Option<&Sight> {
        self.seen.objects.get(&(object.kind, object.key.clone()))
    }

    /// The values of the properties that are ours: people may have worked on a company's or contact's
    /// other properties since.
    fn differs(&self, sent: &Sent<'_>, object: &Object, found: &Found) -> Option<Why> {
        let target = sent.target(object)?;
        if target
            .hubspot_id
            .as_deref()
            .is_some_and(|id| id != found.id)
        {
            return Some(say(
                "other_record",
                object,
                "is another record in HubSpot than the one that was sent: merged, or made anew by people",
            ));
        }
        let differing: Vec<&str> = object
            .properties
            .iter()
            .filter(|(name, _)| is_ours(object.kind, name, self.prefix))
            .filter(|(name, _)| target.filled.contains(*name))
            .filter(|(name, _)| target.withheld != Some(Withheld::Email) || *name != "email")
            .filter(|(name, wanted)| {
                let shown = found.properties.get(*name).map_or("", String::as_str);
                !self.forms.same(name, wanted, shown)
            })
            .map(|(name, _)| name.as_str())
            .collect();
        (!differing.is_empty()).then(|| {
            let names = differing.join(", ");
            Why {
                field: Some(names.clone()),
                ..say("property", object, &format!("has other values in {names}"))
            }
        })
    }

    fn unlinked(&self, sent: &Sent<'_>, object: &Object, found: &Found) -> Vec<Why> {
        let links = associations::TYPES.iter();
        let from_here = links.filter(|(from, _, _)| *from == object.kind);
        let why = |(_, to, _): &(Kind, Kind, &[u16])| {
            let label = to.label();
            match self.is_linked(sent, found, object.kind, *to)? {
                Some(true) => None,
                Some(false) => {
                    let what = format!("is not linked to its {label}");
                    Some(say(&format!("link_{label}"), object, &what))
                }
                None => {
                    let what =
                        format!("may or may not be linked to its {label}: HubSpot did not tell");
                    Some(say("unread", object, &what))
                }
            }
        };
        from_here.filter_map(why).collect()
    }

    /// Nothing where the other end is not there, which is its own difference; and nothing known where
    /// the answers do not tell.
    fn is_linked(
        &self,
        sent: &Sent<'_>,
        found: &Found,
        from: Kind,
        to: Kind,
    ) -> Option<Option<bool>> {
        let own = sent.objects().find(|object| object.kind == to);
        let end = match own.map(|object| self.sight(object)) {
            Some(Some(Sight::Found(end))) => end.id.as_str(),
            Some(_) => return None,
            None => {
                let ends = self.seen.ends.get(&to);
                let stands = |id: &&str| ends.is_some_and(|ends| ends.iter().any(|it| it == id));
                sent.end(to).filter(stands)?
            }
        };
        // Of lines there are many: their invoice tells which it has.
        let (asked, id, end) = match from {
            Kind::LineItem => ((to, from), end, found.id.as_str()),
            from => ((from, to), found.id.as_str(), end),
        };
        let links = self.seen.links.get(&asked).and_then(|links| links.get(id));
        Some(links.map(|linked| linked.iter().any(|it| it == end)))
    }
}

/// On companies and contacts only what bears our prefix; an invoice and its lines are ours as a whole.
pub fn is_ours(kind: Kind, name: &str, prefix: &str) -> bool {
    matches!(kind, Kind::Invoice | Kind::LineItem) || name.starts_with(prefix)
}

fn gone(object: &Object, lost: &Lost) -> Why {
    match lost {
        Lost::Missing => say("missing", object, "is not in HubSpot"),
        Lost::Deleted => say("deleted", object, "was deleted in HubSpot"),
        Lost::Merged(Some(key)) => say(
            "merged",
            object,
            &format!("was merged in HubSpot into the record of {key}"),
        ),
        Lost::Merged(None) => say(
            "merged",
            object,
            "was merged in HubSpot into a record that bears no key of ours",
        ),
        Lost::Unkeyed => say(
            "key_changed",
            object,
            "is in HubSpot and no longer bears its SYSPRO key",
        ),
    }
}

/// `The line item EDU1/… was deleted in HubSpot.`
fn say(code: &str, object: &Object, what: &str) -> Why {
    let name = match object.kind {
        Kind::LineItem => format!("line item {}", object.key),
        kind => kind.label().to_owned(),
    };
    Why {
        code: code.replace(' ', "_"),
        field: None,
        reason: format!("The {name} {what}."),
    }
}
