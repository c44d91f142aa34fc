//! The association calls.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::{Inputs, Named, Outcome, check_distinct, check_size};
use super::errors::Refusal;
use super::linking::Spec;
use super::links::{End, type_by_id, types_between};
use super::objects::Id;
use super::options::BadPair;
use super::records::{Page, Paging};
use super::wire::{Call, Reply};
use super::{Crm, Kind};

const MOST_PAIRS: usize = 2_000;
const MOST_READS: usize = 1_000;
const MOST_ARCHIVED: usize = 100;
const PAGE: usize = 500;

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

impl Crm {
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
