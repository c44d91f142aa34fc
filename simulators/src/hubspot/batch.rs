//! Records by the hundred.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::errors::{Body, Refusal};
use super::linking::NewLink;
use super::objects::Id;
use super::values::instant;
use super::wire::{Call, Reply};
use super::write::{Properties, Record, Written};
use super::{Crm, Kind};

const MOST_INPUTS: usize = 100;

#[derive(Deserialize)]
pub struct Inputs<T> {
    pub inputs: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Upsert {
    id: String,
    id_property: Option<String>,
    object_write_trace_id: Option<String>,
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    object_write_trace_id: Option<String>,
    properties: Properties,
    #[serde(default)]
    associations: Vec<NewLink>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    id: String,
    id_property: Option<String>,
    object_write_trace_id: Option<String>,
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    id_property: Option<String>,
    #[serde(default)]
    properties: Vec<String>,
    inputs: Vec<Named>,
}

#[derive(Deserialize)]
pub struct Named {
    pub id: String,
}

/// The answer to every batch.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome<R> {
    status: &'static str,
    results: Vec<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_errors: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Body>,
    started_at: String,
    completed_at: String,
}

impl<R> Outcome<R> {
    pub fn new(call: &Call<'_>, results: Vec<R>, refusals: Vec<Refusal>) -> Outcome<R> {
        let errors: Vec<Body> = refusals
            .into_iter()
            .map(|refusal| Body {
                errors: Vec::new(),
                ..*refusal.body
            })
            .collect();
        Outcome {
            status: "COMPLETE",
            results,
            num_errors: (!errors.is_empty()).then_some(errors.len()),
            errors,
            started_at: instant(call.now),
            completed_at: instant(call.now + 60),
        }
    }

    /// `good`, or 207 when something was refused.
    pub fn status(&self, good: u16) -> u16 {
        if self.errors.is_empty() { good } else { 207 }
    }
}

pub fn check_size(inputs: usize, limit: usize) -> Result<(), Refusal> {
    if inputs > limit {
        return Err(Refusal::too_many(limit, inputs));
    }
    Ok(())
}

pub fn check_distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    let mut twice: Vec<String> = ids
        .filter(|id| !seen.insert(*id))
        .map(str::to_owned)
        .collect();
    twice.dedup();
    if twice.is_empty() {
        return Ok(());
    }
    Err(Refusal::duplicate_ids(twice))
}

impl Crm {
    pub(super) fn batch_upsert(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let Inputs::<Upsert> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_INPUTS)?;
        let mut spelled = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let Some(property) = &input.id_property else {
                return Err(Refusal::invalid("idProperty is required to upsert"));
            };
            self.check_key(kind, property)?;
            spelled.push(self.store.spelled(property, &input.id));
        }
        check_distinct(spelled.iter().map(String::as_str))?;
        let traces = inputs.iter().map(|i| i.object_write_trace_id.as_deref());
        let traces: Vec<_> = traces.collect();
        self.write_all(call, kind, 200, &traces, |crm, place| {
            let input = &inputs[place];
            let property = input.id_property.as_deref().unwrap_or_default();
            let holder = crm.store.by_value(kind, property, &input.id);
            let target = holder.map(|object| object.id);
            if input.properties.contains_key(property) {
                return crm.write(call, kind, target, &input.properties);
            }
            let mut properties = input.properties.clone();
            properties.insert(property.into(), input.id.clone());
            crm.write(call, kind, target, &properties)
        })
    }

    pub(super) fn batch_create(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let Inputs::<Create> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_INPUTS)?;
        let traces = inputs.iter().map(|i| i.object_write_trace_id.as_deref());
        let traces: Vec<_> = traces.collect();
        self.write_all(call, kind, 201, &traces, |crm, place| {
            let input = &inputs[place];
            crm.create_linked(call, kind, &input.properties, &input.associations)
        })
    }

    pub(super) fn batch_update(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let Inputs::<Update> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_INPUTS)?;
        for property in inputs.iter().filter_map(|i| i.id_property.as_deref()) {
            self.check_key(kind, property)?;
        }
        check_distinct(inputs.iter().map(|input| input.id.as_str()))?;
        let traces = inputs.iter().map(|i| i.object_write_trace_id.as_deref());
        let traces: Vec<_> = traces.collect();
        self.write_all(call, kind, 200, &traces, |crm, place| {
            let input = &inputs[place];
            // The id of a record that was merged away is not accepted here.
            let target = match &input.id_property {
                Some(property) => crm.store.by_value(kind, property, &input.id),
                None => input
                    .id
                    .parse()
                    .ok()
                    .and_then(|id| crm.store.live(kind, id)),
            };
            match target.map(|object| object.id) {
                Some(id) => crm.write(call, kind, Some(id), &input.properties),
                None => Err(Refusal::missing_objects(kind, vec![input.id.clone()])),
            }
        })
    }

    /// Writes input after input. With a trace id on each, the good ones stand; without, one bad
    /// one undoes all.
    fn write_all(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
        good: u16,
        traces: &[Option<&str>],
        mut write: impl FnMut(&mut Crm, usize) -> Result<Written, Refusal>,
    ) -> Result<Reply, Refusal> {
        let distinct: HashSet<&str> = traces.iter().filter_map(|trace| *trace).collect();
        let partial = self.options.partial_batches && distinct.len() == traces.len();
        let (mut written, mut refusals) = (Vec::new(), Vec::new());
        let start = self.store.mark();
        for (place, trace) in traces.iter().enumerate() {
            let mark = self.store.mark();
            match write(self, place) {
                Ok(done) => written.push((done, *trace)),
                Err(refusal) if partial => {
                    self.store.back_to(mark);
                    let trace = trace.unwrap_or_default().to_owned();
                    refusals.push(refusal.with("objectWriteTraceId", vec![trace]));
                }
                Err(refusal) => {
                    self.store.back_to(start);
                    return Err(refusal);
                }
            }
        }
        self.rng.shuffle(&mut written);
        let records = written
            .iter()
            .filter_map(|(done, trace)| self.written_record(kind, done, *trace, good == 201))
            .collect();
        let outcome = Outcome::new(call, records, refusals);
        Ok(Reply::json(outcome.status(good), &outcome))
    }

    fn written_record<'a>(
        &'a self,
        kind: Kind,
        done: &'a Written,
        trace: Option<&str>,
        creating: bool,
    ) -> Option<Record<'a>> {
        let object = self.store.get(kind, done.id)?;
        let names = done.names.iter().map(String::as_str);
        let mut record = if done.created {
            self.record(kind, object, object.properties.keys().map(|name| &**name))
        } else {
            self.record(kind, object, names)
        };
        record.new = (!creating).then_some(done.created);
        if self.options.echo_trace_ids {
            record.object_write_trace_id = trace.map(str::to_owned);
        }
        record.warnings.clone_from(&done.warnings);
        Some(record)
    }

    pub(super) fn batch_read(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let Read {
            id_property,
            properties,
            inputs,
        } = self.parse(call)?;
        check_size(inputs.len(), MOST_INPUTS)?;
        if let Some(property) = &id_property {
            self.check_key(kind, property)?;
        }
        check_distinct(inputs.iter().map(|input| input.id.as_str()))?;
        let names = names_to_show(kind, &properties);
        let archived = call.asks("archived", "true");
        let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
        for input in &inputs {
            let id = input.id.parse::<Id>().ok();
            let object = match &id_property {
                Some(property) => self.store.by_value(kind, property, &input.id),
                None if self.options.merged_ids_in_batch_read => {
                    id.and_then(|id| self.store.survivor(kind, id))
                }
                None => id.and_then(|id| self.store.get(kind, id)),
            };
            match object.filter(|object| object.archived == archived) {
                Some(object) => {
                    found.insert(object.id, object);
                }
                None => missing.push(input.id.clone()),
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        self.rng.shuffle(&mut found);
        let records = found
            .into_iter()
            .map(|object| self.record(kind, object, names.iter().copied()))
            .collect();
        let refusals = if missing.is_empty() {
            Vec::new()
        } else {
            vec![Refusal::missing_objects(kind, missing)]
        };
        let outcome = Outcome::new(call, records, refusals);
        Ok(Reply::json(outcome.status(200), &outcome))
    }

    pub(super) fn batch_archive(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let Inputs::<Named> { inputs } = self.parse(call)?;
        check_size(inputs.len(), MOST_INPUTS)?;
        check_distinct(inputs.iter().map(|input| input.id.as_str()))?;
        let start = self.store.mark();
        for id in inputs.iter().filter_map(|input| input.id.parse().ok()) {
            if let Err(refusal) = self.archive(call.now, kind, id) {
                self.store.back_to(start);
                return Err(refusal);
            }
        }
        Ok(Reply::empty(204))
    }

    /// A batch may name records only by a property that is unique.
    pub(super) fn check_key(&self, kind: Kind, property: &str) -> Result<(), Refusal> {
        if self.store.is_unique(kind, property) {
            return Ok(());
        }
        let portal_id = self.options.portal_id;
        Err(Refusal::not_unique(kind, property, portal_id))
    }
}

pub fn names_to_show(kind: Kind, asked: &[String]) -> Vec<&str> {
    if asked.is_empty() {
        kind.shown_by_default().to_vec()
    } else {
        asked.iter().map(String::as_str).collect()
    }
}
