//! Two connections that want what only one may have, and what to say then. Looked for before anything
//! is tested or made; the database's unique indexes have the last word.

use http::StatusCode;

use crate::{
    platform::{Platform, StoreError},
    routes::ApiError,
    setup::Conflict,
    store::connections::{self, Draft, Named, Rivalry},
};

pub fn conflict(message: impl Into<String>, remedy: &str) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "conflict", message, remedy)
}

pub fn id(id: &str) -> ApiError {
    conflict(
        format!("There is a connection {id} already."),
        "Choose another id, or change that one with PATCH.",
    )
}

pub fn operator(other: Option<&str>) -> ApiError {
    conflict(
        format!(
            "{} logs on to this e.net server with this operator already.",
            named(other)
        ),
        "Give each connection an operator of its own: SYSPRO allows an operator one session.",
    )
}

fn company(other: Option<&str>) -> ApiError {
    conflict(
        format!(
            "{} syncs this SYSPRO company to this HubSpot portal already.",
            named(other)
        ),
        "Change that one with PATCH, or delete it first.",
    )
}

fn named(other: Option<&str>) -> String {
    other.map_or_else(
        || "Another connection".to_owned(),
        |id| format!("Connection {id}"),
    )
}

impl From<Conflict> for ApiError {
    fn from(found: Conflict) -> Self {
        match found {
            Conflict::OtherPortal => conflict(
                "The token opens another HubSpot portal than this connection's.",
                "A connection keeps its portal for life: make a new connection for the other one.",
            ),
            Conflict::Company(other) => company(Some(&other)),
        }
    }
}

/// The database refused what another connection has, who came first by a moment.
pub async fn refused<P: Platform>(platform: &P, error: StoreError, draft: &Draft<'_>) -> ApiError {
    let (look, say): (_, fn(Option<&str>) -> ApiError) = match connections::rivalry(&error) {
        Some(Rivalry::Company) => (
            connections::with_company(draft.portal, &draft.company, draft.id),
            company,
        ),
        Some(Rivalry::Operator) => (
            connections::with_operator(draft.operator.as_deref().unwrap_or_default(), draft.id),
            operator,
        ),
        None => return error.into(),
    };
    let rows = platform.batch(&[look]).await.unwrap_or_default();
    say(Named::first(rows).as_deref())
}
