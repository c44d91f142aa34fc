//! Which records may be linked, and what a link does to others.

use serde::{Deserialize, Serialize};

use super::batch::Named;
use super::errors::Refusal;
use super::links::{End, default_type, is_primary, type_by_id};
use super::objects::Id;
use super::{Crm, Kind};

/// A link in the body of a record that is being created.
#[derive(Deserialize)]
pub struct NewLink {
    to: Named,
    types: Vec<Spec>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    pub association_category: String,
    pub association_type_id: u16,
}

impl Crm {
    /// A link in a create body: its `to` kind is told by its types alone.
    pub(super) fn link_new(&mut self, kind: Kind, id: Id, link: &NewLink) -> Result<(), Refusal> {
        let Some(first) = link.types.first() else {
            return Ok(());
        };
        let known = type_by_id(first.association_type_id)
            .ok_or_else(|| Refusal::invalid("One or more associations are invalid"))?;
        self.link_typed((kind, id), &link.to.id, known.to, &link.types)
    }

    /// Gives a pair exactly these types (and the unlabelled one). None at all links nothing.
    pub(super) fn link_typed(
        &mut self,
        from: End,
        to: &str,
        to_kind: Kind,
        types: &[Spec],
    ) -> Result<(), Refusal> {
        for spec in types {
            let known = type_by_id(spec.association_type_id);
            match known.filter(|_| spec.association_category == "HUBSPOT_DEFINED") {
                Some(known) if (known.from, known.to) == (from.0, to_kind) => {}
                Some(known) => {
                    return Err(Refusal::invalid(format!(
                        "invalid from object type {} for associations to be created. expected: {}",
                        from.0.type_id(),
                        known.from.type_id()
                    )));
                }
                None => return Err(Refusal::invalid("One or more associations are invalid")),
            }
        }
        let to = self.check_pair(from, to, to_kind)?;
        if !types.is_empty() {
            let plain = default_type(from.0, to.0).map(|link| link.id);
            let ids = types.iter().map(|spec| spec.association_type_id);
            self.set_pair(from, to, ids.chain(plain).collect());
        }
        Ok(())
    }

    pub(super) fn link_default(
        &mut self,
        from: End,
        to: &str,
        to_kind: Kind,
    ) -> Result<Spec, Refusal> {
        let link = default_type(from.0, to_kind).ok_or_else(|| {
            Refusal::invalid("One or more associations are invalid: no default type")
        })?;
        let to = self.check_pair(from, to, to_kind)?;
        let mut types = self.store.links().between(from, to).to_vec();
        types.push(link.id);
        self.set_pair(from, to, types);
        Ok(Spec {
            association_category: "HUBSPOT_DEFINED".into(),
            association_type_id: link.id,
        })
    }

    /// Both records must be there, and a line has one parent only.
    fn check_pair(&self, from: End, to: &str, to_kind: Kind) -> Result<End, Refusal> {
        let to_id = to.parse().ok();
        let bad = [
            (from.0, from.1.to_string(), Some(from.1)),
            (to_kind, to.to_owned(), to_id),
        ]
        .into_iter()
        .filter(|(kind, _, id)| id.is_none_or(|id| self.store.live(*kind, id).is_none()))
        .map(|(kind, text, _)| format!("{}={text} is not valid", kind.shouted()))
        .collect::<Vec<_>>();
        let Some(to_id) = to_id.filter(|_| bad.is_empty()) else {
            return Err(Refusal::invalid("One or more associations are invalid")
                .with("INVALID_OBJECT_IDS", bad));
        };
        let to = (to_kind, to_id);
        self.check_parent(from, to)?;
        self.check_parent(to, from)?;
        Ok(to)
    }

    fn check_parent(&self, line: End, parent: End) -> Result<(), Refusal> {
        if line.0 != Kind::LineItem {
            return Ok(());
        }
        let mut others = self.store.links().all_of(line).map(|link| link.0);
        let Some(other) = others.find(|other| *other != parent) else {
            return Ok(());
        };
        let type_id = default_type(line.0, parent.0).map_or(0, |link| link.id);
        Err(Refusal::invalid(format!(
            "cannot pass multiple to object ids: [{}, {}] for one to one association type AssociationSpec{{associationCategory=HUBSPOT_DEFINED, associationTypeId={type_id}}}",
            other.1, parent.1
        )))
    }

    /// Sets a pair's types; a primary company stops any other from being it.
    pub(super) fn set_pair(&mut self, from: End, to: End, types: Vec<u16>) {
        for link in types.iter().filter_map(|id| type_by_id(*id)) {
            let flipped = type_by_id(link.reverse).filter(|reverse| is_primary(reverse));
            if is_primary(link) {
                self.drop_primary(from, to.1, link.id);
            } else if let Some(reverse) = flipped {
                self.drop_primary(to, from.1, reverse.id);
            }
        }
        self.store.set_link(from, to, types);
    }

    fn drop_primary(&mut self, from: End, keep: Id, primary: u16) {
        let links = self.store.links().of(from, Kind::Company);
        let others: Vec<(Id, Vec<u16>)> = links
            .filter(|(id, types)| *id != keep && types.contains(&primary))
            .map(|(id, types)| {
                let rest = types.iter().copied().filter(|t| *t != primary).collect();
                (id, rest)
            })
            .collect();
        for (id, rest) in others {
            self.store.set_link(from, (Kind::Company, id), rest);
        }
    }

    /// Takes some types off a pair, or all; without the unlabelled one nothing is left.
    pub(super) fn unlink(
        &mut self,
        from: Kind,
        id: &str,
        to: Kind,
        to_id: &str,
        types: Option<&[Spec]>,
    ) {
        let (Ok(id), Ok(to_id)) = (id.parse(), to_id.parse()) else {
            return;
        };
        let (from, to) = ((from, id), (to, to_id));
        let mut left = self.store.links().between(from, to).to_vec();
        if left.is_empty() {
            return;
        }
        let plain = default_type(from.0, to.0).map(|link| link.id);
        match types {
            Some(types) => left.retain(|id| types.iter().all(|t| t.association_type_id != *id)),
            None => left.clear(),
        }
        if plain.is_some_and(|plain| !left.contains(&plain)) {
            left.clear();
        }
        self.store.set_link(from, to, left);
    }
}
