//! One record at a time: create, read, change, archive, merge, list.

use serde::{Deserialize, Serialize};

use super::batch::names_to_show;
use super::errors::Refusal;
use super::linking::NewLink;
use super::objects::{Id, Object};
use super::wire::{Call, Reply};
use super::write::{Properties, Record, Written};
use super::{Crm, Kind};

#[derive(Deserialize)]
struct Create {
    properties: Properties,
    #[serde(default)]
    associations: Vec<NewLink>,
}

#[derive(Deserialize)]
struct Update {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Merge {
    primary_object_id: String,
    object_id_to_merge: String,
}

#[derive(Serialize)]
pub struct Page<R> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    pub results: Vec<R>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
}

#[derive(Serialize)]
pub struct Paging {
    next: Next,
}

#[derive(Serialize)]
struct Next {
    after: String,
    link: String,
}

impl Paging {
    pub fn after(after: impl ToString) -> Paging {
        let after = after.to_string();
        let link = format!("?after={after}");
        Paging {
            next: Next { after, link },
        }
    }
}

impl Crm {
    /// Creates a record and links it; both or neither.
    pub(super) fn create_linked(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
        properties: &Properties,
        links: &[NewLink],
    ) -> Result<Written, Refusal> {
        let start = self.store.mark();
        let written = self.write(call, kind, None, properties)?;
        for link in links {
            if let Err(refusal) = self.link_new(kind, written.id, link) {
                self.store.back_to(start);
                return Err(refusal);
            }
        }
        Ok(written)
    }

    pub(super) fn create(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let input: Create = self.parse(call)?;
        let written = self.create_linked(call, kind, &input.properties, &input.associations)?;
        self.show_written(kind, 201, written)
    }

    pub(super) fn update(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
        id: &str,
    ) -> Result<Reply, Refusal> {
        let input: Update = self.parse(call)?;
        let id = self.find(call, kind, id)?.id;
        let written = self.write(call, kind, Some(id), &input.properties)?;
        self.show_written(kind, 200, written)
    }

    fn show_written(&self, kind: Kind, status: u16, written: Written) -> Result<Reply, Refusal> {
        let object = self.store.get(kind, written.id);
        let object = object.ok_or_else(Refusal::not_found)?;
        let mut record = self.record(kind, object, object.properties.keys().map(|name| &**name));
        record.warnings = written.warnings;
        Ok(Reply::json(status, &record))
    }

    pub(super) fn read(&self, call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Refusal> {
        let asked = call.names("properties");
        let names = names_to_show(kind, &asked);
        let record = if call.asks("archived", "true") {
            let id = id.parse().map_err(|_| Refusal::no_such_object())?;
            let object = self.store.get(kind, id).filter(|object| object.archived);
            object.ok_or_else(Refusal::not_found)?
        } else {
            self.find(call, kind, id)?
        };
        let record: Record<'_> = self.record(kind, record, names.iter().copied());
        Ok(Reply::json(200, &record))
    }

    /// The live record a path names: by id, through merges, or by a unique value.
    fn find(&self, call: &Call<'_>, kind: Kind, id: &str) -> Result<&Object, Refusal> {
        if let Some(property) = call.query("idProperty") {
            self.check_key(kind, property)?;
            let object = self.store.by_value(kind, property, id);
            return object.ok_or_else(Refusal::not_found);
        }
        let id: Id = id.parse().map_err(|_| Refusal::no_such_object())?;
        self.store.survivor(kind, id).ok_or_else(Refusal::not_found)
    }

    pub(super) fn delete(
        &mut self,
        call: &Call<'_>,
        kind: Kind,
        id: &str,
    ) -> Result<Reply, Refusal> {
        if let Ok(id) = id.parse() {
            self.archive(call.now, kind, id)?;
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn list(&self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let asked = call.names("properties");
        let names = names_to_show(kind, &asked);
        let limit = call.number_of("limit", 10).min(100);
        let after = call.number_of("after", 0) as Id;
        let archived = call.asks("archived", "true");
        let mut rest = self
            .store
            .all(kind)
            .filter(|object| object.archived == archived && object.id > after);
        let page: Vec<&Object> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let last = page.last().map_or(0, |object| object.id);
        Ok(Reply::json(
            200,
            &Page {
                total: None,
                results: page
                    .into_iter()
                    .map(|object| self.record(kind, object, names.iter().copied()))
                    .collect(),
                paging: more.then(|| Paging::after(last)),
            },
        ))
    }

    pub(super) fn merge_call(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let input: Merge = self.parse(call)?;
        let live = |id: &str| {
            let id = id.parse().ok()?;
            self.store.live(kind, id).map(|object| object.id)
        };
        let pair = live(&input.primary_object_id).zip(live(&input.object_id_to_merge));
        let (winner, loser) = pair
            .filter(|(winner, loser)| winner != loser)
            .ok_or_else(Refusal::not_found)?;
        let id = self.merge(call.now, kind, winner, loser);
        self.show_written(
            kind,
            200,
            Written {
                id,
                created: false,
                names: Vec::new(),
                warnings: Vec::new(),
            },
        )
    }
}
