//! Linking records: the rules, then the calls.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::batch::{Inputs, Named, Outcome, check_distinct, check_size};
use super::errors::Refusal;
use super::links::{default_type, is_primary, type_by_id, types_between};
use super::objects::Id;
use super::options::BadPair;
use super::records::{Page, Paging};
use super::wire::{Call, Reply};
use super::{Crm, Kind};

const MOST_PAIRS: usize = 2_000;
const MOST_READS: usize = 1_000;
const MOST_ARCHIVED: usize = 100;
const PAGE: usize = 500;

/// A link in the body of a record that is being created.
#[derive(Deserialize)]
pub struct NewLink {
    to: Named,
    types: Vec<Spec>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    association_category: String,
    association_type_id: u16,
}

#[derive(Deserialize)]
struct Pair {
    from: Named,
    to: Named,
}

#[derive(Deserialize)]
struct TypedPair {
    from: Named,
    to: Named,
    types: Vec<Spec>,
}

#[derive(Deserialize)]
struct Fan {
    from: Named,
    to: Vec<Named>,
}

#[derive(Deserialize)]
struct Source {
    id: String,
    after: Option<String>,
}

type End = (Kind, Id);

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
    fn link_typed(
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

    fn link_default(&mut self, from: End, to: &str, to_kind: Kind) -> Result<Spec, Refusal> {
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

    /// Links pair after pair; what one bad pair does to the rest is a switch.
    fn link_all(
        &mut self,
        call: &Call<'_>,
        good: u16,
        pairs: Vec<(String, String)>,
        mut link: impl FnMut(&mut Crm, usize, Id) -> Result<Value, Refusal>,
    ) -> Result<Reply, Refusal> {
        check_size(pairs.len(), MOST_PAIRS)?;
        let mut seen = HashSet::new();
        if let Some((from, to)) = pairs.iter().find(|pair| !seen.insert(*pair)) {
            return Err(Refusal::invalid(format!(
                "Duplicate associations found in batch input: {from} to {to}"
            )));
        }
        let (mut results, mut refusals) = (Vec::new(), Vec::new());
        let start = self.store.mark();
        for (place, (from, to)) in pairs.iter().enumerate() {
            // An id that is no number names no record: 0 never does.
            match link(self, place, from.parse().unwrap_or(0)) {
                Ok(result) => results.push(result),
                Err(refusal) if self.options.bad_pair == BadPair::FailsAlone => {
                    let refusal = refusal
                        .with("fromObjectId", vec![from.clone()])
                        .with("toObjectId", vec![to.clone()]);
                    refusals.push(refusal);
                }
                Err(refusal) => {
                    self.store.back_to(start);
                    return Err(refusal);
                }
            }
        }
        self.rng.shuffle(&mut results);
        let outcome = Outcome::new(call, results, refusals);
        Ok(Reply::json(outcome.status(good), &outcome))
    }

    pub(super) fn links_default(
        &mut self,
        call: &Call<'_>,
        from: Kind,
        to: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<Pair> { inputs } = self.parse(call)?;
        let pairs = inputs.iter().map(|i| (i.from.id.clone(), i.to.id.clone()));
        self.link_all(call, 200, pairs.collect(), |crm, place, id| {
            let input = &inputs[place];
            let spec = crm.link_default((from, id), &input.to.id, to)?;
            Ok(json!({
                "from": { "id": input.from.id },
                "to": { "id": input.to.id },
                "associationSpec": spec,
            }))
        })
    }

    pub(super) fn links_create(
        &mut self,
        call: &Call<'_>,
        from: Kind,
        to: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<TypedPair> { inputs } = self.parse(call)?;
        let pairs = inputs.iter().map(|i| (i.from.id.clone(), i.to.id.clone()));
        self.link_all(call, 201, pairs.collect(), |crm, place, id| {
            let input = &inputs[place];
            crm.link_typed((from, id), &input.to.id, to, &input.types)?;
            Ok(linked(from, &input.from.id, to, &input.to.id, &input.types))
        })
    }

    pub(super) fn links_archive(
        &mut self,
        call: &Call<'_>,
        from: Kind,
        to: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<Fan> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_ARCHIVED)?;
        for input in &inputs {
            for end in &input.to {
                self.unlink(from, &input.from.id, to, &end.id, None);
            }
        }
        Ok(Reply::json(
            200,
            &Outcome::<Value>::new(call, Vec::new(), Vec::new()),
        ))
    }

    pub(super) fn labels_archive(
        &mut self,
        call: &Call<'_>,
        from: Kind,
        to: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<TypedPair> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_ARCHIVED)?;
        for input in &inputs {
            self.unlink(from, &input.from.id, to, &input.to.id, Some(&input.types));
        }
        Ok(Reply::json(
            200,
            &Outcome::<Value>::new(call, Vec::new(), Vec::new()),
        ))
    }

    /// Takes some types off a pair, or all; without the unlabelled one nothing is left.
    fn unlink(&mut self, from: Kind, id: &str, to: Kind, to_id: &str, types: Option<&[Spec]>) {
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

    pub(super) fn links_read(
        &mut self,
        call: &Call<'_>,
        from: Kind,
        to: Kind,
    ) -> Result<Reply, Refusal> {
        let Inputs::<Source> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_READS)?;
        check_distinct(inputs.iter().map(|input| input.id.as_str()))?;
        let (mut results, mut refusals) = (Vec::new(), Vec::new());
        for input in &inputs {
            let id = input.id.parse().unwrap_or(0);
            let after = input.after.as_deref().and_then(|after| after.parse().ok());
            let (ends, paging) = self.ends((from, id), to, after.unwrap_or(0));
            if ends.is_empty() {
                let message = format!(
                    "No {} is associated with {} {}.",
                    to.shouted().to_lowercase(),
                    from.shouted().to_lowercase(),
                    input.id
                );
                let refusal = Refusal::new(404, "OBJECT_NOT_FOUND", message)
                    .sub_category("crm.associations.NO_ASSOCIATIONS_FOUND")
                    .with("fromObjectId", vec![input.id.clone()]);
                refusals.push(refusal);
                continue;
            }
            let mut result = json!({ "from": { "id": input.id }, "to": ends });
            if let Some(paging) = paging {
                result["paging"] = json!(paging);
            }
            results.push(result);
        }
        self.rng.shuffle(&mut results);
        let outcome = Outcome::new(call, results, refusals);
        Ok(Reply::json(outcome.status(200), &outcome))
    }

    /// One page of what a record is linked to, after a given id.
    fn ends(&self, from: End, to: Kind, after: Id) -> (Vec<Value>, Option<Paging>) {
        let mut rest = self.store.links().of(from, to).filter(|l| l.0 > after);
        let page: Vec<(Id, &[u16])> = rest.by_ref().take(PAGE).collect();
        let last = page.last().map_or(0, |(id, _)| *id);
        let paging = rest.next().map(|_| Paging::after(last));
        let ends = page.into_iter().map(|(id, types)| {
            let types: Vec<Value> = types
                .iter()
                .map(|id| {
                    let label = type_by_id(*id).and_then(|link| link.label);
                    json!({ "category": "HUBSPOT_DEFINED", "typeId": id, "label": label })
                })
                .collect();
            let id = if self.options.numeric_object_ids {
                json!(id)
            } else {
                json!(id.to_string())
            };
            json!({ "toObjectId": id, "associationTypes": types })
        });
        (ends.collect(), paging)
    }

    /// The association calls that name one record, or one pair, in the path.
    pub(super) fn record_links(
        &mut self,
        call: &Call<'_>,
        from: Kind,
        id: &str,
        to: Kind,
    ) -> Result<Reply, Refusal> {
        let id: Id = id.parse().map_err(|_| Refusal::no_such_object())?;
        let object = self.store.survivor(from, id);
        let id = object.ok_or_else(Refusal::not_found)?.id;
        let (results, paging) = self.ends((from, id), to, call.number_of("after", 0) as Id);
        let total = None;
        Ok(Reply::json(
            200,
            &Page {
                total,
                results,
                paging,
            },
        ))
    }

    pub(super) fn link_one_default(
        &mut self,
        call: &Call<'_>,
        (from, id): (Kind, &str),
        (to, to_id): (Kind, &str),
    ) -> Result<Reply, Refusal> {
        let spec = self.link_default((from, id.parse().unwrap_or(0)), to_id, to)?;
        let result = json!({
            "from": { "id": id }, "to": { "id": to_id }, "associationSpec": spec,
        });
        let outcome = Outcome::new(call, vec![result], Vec::new());
        Ok(Reply::json(200, &outcome))
    }

    pub(super) fn link_one(
        &mut self,
        call: &Call<'_>,
        (from, id): (Kind, &str),
        (to, to_id): (Kind, &str),
    ) -> Result<Reply, Refusal> {
        let types: Vec<Spec> = self.parse(call)?;
        self.link_typed((from, id.parse().unwrap_or(0)), to_id, to, &types)?;
        Ok(Reply::json(201, &linked(from, id, to, to_id, &types)))
    }

    pub(super) fn unlink_one(
        &mut self,
        (from, id): (Kind, &str),
        (to, to_id): (Kind, &str),
    ) -> Reply {
        self.unlink(from, id, to, to_id, None);
        Reply::empty(204)
    }
}

/// The types there are between two kinds.
pub fn labels(from: Kind, to: Kind) -> Reply {
    let results = types_between(from, to).map(
        |link| json!({ "category": "HUBSPOT_DEFINED", "typeId": link.id, "label": link.label }),
    );
    Reply::json(200, &json!({ "results": results.collect::<Vec<_>>() }))
}

fn linked(from: Kind, id: &str, to: Kind, to_id: &str, types: &[Spec]) -> Value {
    let labels: Vec<&str> = types
        .iter()
        .filter_map(|spec| type_by_id(spec.association_type_id)?.label)
        .collect();
    json!({
        "fromObjectTypeId": from.type_id(),
        "fromObjectId": id,
        "toObjectTypeId": to.type_id(),
        "toObjectId": to_id,
        "labels": labels,
    })
}
