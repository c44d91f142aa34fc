//! Runs: asked for, listed, shown; and replays, which are runs that send again.

use http::StatusCode;
use serde_json::{Value, json};

use super::{ApiError, Query, Reply, database, next_page, parsed, reshape, stored, time};
use crate::{
    platform::Platform,
    reconcile::Period,
    replay::Replay,
    run::new_id,
    store::{connections::Stored, records, runs},
};

pub async fn sync<P: Platform>(platform: &P, id: &str, body: &str) -> Result<Reply, ApiError> {
    takes_no_body(
        body,
        "A sync takes no body.",
        "Send none; to send certain records again use /replay.",
    )?;
    let stored = stored(platform, id).await?;
    ask(platform, &stored, "sync", &json!({})).await
}

pub async fn preview<P: Platform>(platform: &P, id: &str, body: &str) -> Result<Reply, ApiError> {
    takes_no_body(
        body,
        "A preview takes no body: it looks at the whole connection.",
        "Send none; to count the records of a replay send it with \"preview\": true.",
    )?;
    let stored = stored(platform, id).await?;
    ask(platform, &stored, "preview", &json!({})).await
}

fn takes_no_body(body: &str, message: &str, remedy: &str) -> Result<(), ApiError> {
    match body.trim() {
        "" | "{}" => Ok(()),
        _ => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            message,
            remedy,
        )),
    }
}

pub async fn replay<P: Platform>(platform: &P, id: &str, body: &str) -> Result<Reply, ApiError> {
    let replay = Replay::parse(body).map_err(|it| ApiError::invalid(&it))?;
    let stored = stored(platform, id).await?;
    if replay.preview {
        let count = records::count(id, &replay.selection);
        let rows = database(platform, vec![count]).await?;
        let count = rows.first().and_then(|rows| rows.first());
        let count = count.map_or(Value::Null, |row| row["records"].clone());
        return Ok(Reply::ok(json!({ "records": count })));
    }
    ask(platform, &stored, "replay", &parsed(Some(body))).await
}

pub async fn reconcile<P: Platform>(platform: &P, id: &str, body: &str) -> Result<Reply, ApiError> {
    let Period { from, to } = Period::parse(body).map_err(|it| ApiError::invalid(&it))?;
    let stored = stored(platform, id).await?;
    let asked = json!({ "from": from, "to": to });
    ask(platform, &stored, "reconcile", &asked).await
}

async fn ask<P: Platform>(
    platform: &P,
    stored: &Stored,
    kind: &'static str,
    asked: &Value,
) -> Result<Reply, ApiError> {
    may_ask(stored, kind)?;
    let id = new_id(platform);
    let statement = runs::ask(&stored.id, &id, kind, asked, platform.now());
    let rows = database(platform, vec![statement]).await?;
    if rows.first().is_none_or(Vec::is_empty) {
        self::stored(platform, &stored.id).await?;
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "already_asked",
            "The same was asked for already and is not done yet.",
            "Wait for its end; GET /connections/{id}/runs shows it.",
        ));
    }
    let reply = Reply::new(StatusCode::ACCEPTED, json!({ "run": id }));
    Ok(reply.wakes(stored))
}

/// What writes nothing to HubSpot needs no more than to know the portal.
fn may_ask(stored: &Stored, kind: &str) -> Result<(), ApiError> {
    let not_active = |message, remedy| {
        Err(ApiError::new(
            StatusCode::CONFLICT,
            "not_active",
            message,
            remedy,
        ))
    };
    match runs::spans(kind) {
        true if stored.account.is_none() => not_active(
            "The HubSpot portal behind the token is not known yet.",
            "GET /connections/{id} shows which checks failed: mend what they name, then ask for them again (POST /connections/{id}/checks).",
        ),
        false if !stored.state.runs() => not_active(
            "The connection does not run in its present state.",
            "GET /connections/{id} shows its state and the reason. A paused one goes on after PATCH with {\"paused\": false}; mend what an incomplete one names, then ask for the checks again (POST /connections/{id}/checks).",
        ),
        _ => Ok(()),
    }
}

pub async fn list<P: Platform>(
    platform: &P,
    id: &str,
    query: Option<&str>,
) -> Result<Reply, ApiError> {
    let query = Query::parse(query, &["cursor", "limit"])?;
    stored(platform, id).await?;
    let page = runs::page(id, query.cursor.as_deref(), query.limit);
    let rows = database(platform, vec![page])
        .await?
        .pop()
        .unwrap_or_default();
    let next = next_page(&rows, query.limit, |last| {
        last["id"].as_str().map(str::to_owned)
    });
    let shown: Vec<Value> = rows.into_iter().map(show).collect();
    Ok(Reply::ok(json!({ "runs": shown, "next": next })))
}

pub async fn one<P: Platform>(platform: &P, id: &str, run: &str) -> Result<Reply, ApiError> {
    let rows = database(platform, vec![runs::one(id, run)]).await?;
    let row = rows
        .into_iter()
        .next()
        .and_then(|rows| rows.into_iter().next());
    row.map(|row| Reply::ok(show(row)))
        .ok_or_else(|| ApiError::not_found("run"))
}

fn show(mut row: Value) -> Value {
    reshape(&mut row, &["asked_at", "began_at", "ended_at"], |at| {
        time(at.as_i64())
    });
    reshape(&mut row, &["asked", "report"], |text| parsed(text.as_str()));
    row
}
