//! Property groups, and how many properties there may be.

use serde::Deserialize;
use serde_json::json;

use super::errors::Refusal;
use super::properties::page;
use super::schema::Group;
use super::wire::{Call, Reply};
use super::{Crm, Kind};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewGroup {
    name: String,
    label: String,
    #[serde(default)]
    display_order: i64,
}

impl Crm {
    pub(super) fn check_group(&self, kind: Kind, name: &str) -> Result<(), Refusal> {
        let group = self.schema.of(kind).groups.get(name);
        if group.is_some_and(|group| !group.archived) {
            return Ok(());
        }
        Err(Refusal::invalid(format!(
            "Property group {name} does not exist"
        )))
    }

    pub(super) fn list_groups(&self, kind: Kind) -> Reply {
        let groups = self.schema.of(kind).groups.values();
        let live: Vec<&Group> = groups.filter(|group| !group.archived).collect();
        Reply::json(200, &page(live))
    }

    pub(super) fn read_group(&self, kind: Kind, name: &str) -> Result<Reply, Refusal> {
        let group = self.schema.of(kind).groups.get(name);
        let group = group.filter(|group| !group.archived).ok_or_else(|| {
            let message = format!("Unable to find property group {name}");
            Refusal::new(404, "OBJECT_NOT_FOUND", message)
        })?;
        Ok(Reply::json(200, group))
    }

    pub(super) fn create_group(&mut self, call: &Call<'_>, kind: Kind) -> Result<Reply, Refusal> {
        let input: NewGroup = self.parse(call)?;
        if self.check_group(kind, &input.name).is_ok() {
            let message = format!("A property group named '{}' already exists.", input.name);
            return Err(Refusal::new(409, "OBJECT_ALREADY_EXISTS", message));
        }
        let group = Group {
            name: input.name.clone(),
            label: input.label,
            display_order: input.display_order,
            archived: false,
        };
        let reply = Reply::json(201, &group);
        self.schema.of_mut(kind).groups.insert(input.name, group);
        Ok(reply)
    }

    /// How many own properties each kind has, of how many it may have.
    pub(super) fn property_limits(&self) -> Reply {
        const MOST: usize = 1_000;
        let used = |kind: Kind| {
            let all = self.schema.of(kind).properties.values();
            all.filter(|p| !p.hubspot_defined && !p.archived).count()
        };
        let by_kind: Vec<_> = Kind::ALL
            .into_iter()
            .map(|kind| {
                json!({
                    "objectTypeId": kind.type_id(),
                    "limit": MOST,
                    "usage": used(kind),
                    "percentage": used(kind) * 100 / MOST,
                })
            })
            .collect();
        let overall: usize = Kind::ALL.into_iter().map(used).sum();
        let most = MOST * Kind::ALL.len();
        Reply::json(
            200,
            &json!({
                "byObjectType": by_kind,
                "overallLimit": most,
                "overallUsage": overall,
                "overallPercentage": overall * 100 / most,
            }),
        )
    }
}
