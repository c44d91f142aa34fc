//! `POST /connections/{id}/checks`: both systems and the deployment are looked at now, and what was
//! found is kept with the connection.

use http::StatusCode;
use serde_json::json;

use super::{
    ApiError, Reply,
    connections::{draft, known},
    database, stored,
};
use crate::{
    config::Config,
    credentials,
    platform::Platform,
    setup::{Look, SetUp, set_up},
    store::checks,
};

pub async fn check<P: Platform>(
    platform: &P,
    config: &Config,
    id: &str,
    body: &str,
) -> Result<Reply, ApiError> {
    if !matches!(body.trim(), "" | "{}") {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            "The checks take no body: they look at the connection as it is stored.",
            "Send none; to change the connection first, PATCH it.",
        ));
    }
    let before = stored(platform, id).await?;
    let connection = match credentials::open(&config.keys, &before) {
        Ok(connection) => connection,
        // Nothing is asked of anybody, and so nothing new is known.
        Err(reason) => return Ok(told(&known(&before).shut(&reason))),
    };
    let known = known(&before);
    let found = set_up(platform, config, &connection, Look::AT_ALL, known.clone()).await?;
    let state = found.state(before.state);
    let draft = draft(&connection, state, before.secrets.clone(), &found);
    let remap = !found.maps_as(&known);
    let mut statements = vec![checks::found(&draft, &before, remap)];
    if draft.account != before.account {
        statements.push(checks::overtake(&draft));
    }
    if state != before.state {
        statements.extend(checks::moved(&draft, &before, platform.now()));
    }
    let rows = database(platform, statements).await?;
    if rows.first().is_none_or(Vec::is_empty) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "conflict",
            "This connection, or what is known of its portal, changed while it was looked at.",
            "Ask for the checks again (POST /connections/{id}/checks).",
        ));
    }
    Ok(told(&found))
}

fn told(found: &SetUp) -> Reply {
    Reply::ok(json!({ "checks": found.checks }))
}
