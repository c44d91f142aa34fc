//! Records and the audit: what became of each, and what HubSpot said.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{ApiError, Query, Reply, database, next_page, parsed, reshape, stored, time};
use crate::{
    hubspot::{Kind, account::Account},
    platform::Platform,
    store::{audit, ledger::Fate, records},
    typed,
};

pub async fn list<P: Platform>(
    platform: &P,
    id: &str,
    query: Option<&str>,
) -> Result<Reply, ApiError> {
    let query = Query::parse(query, &["feed", "status", "reason", "q", "cursor", "limit"])?;
    stored(platform, id).await?;
    let after = query.cursor.as_deref().map(place).transpose()?;
    let filter = records::Filter {
        feed: query.feed.as_deref(),
        status: query.status.map(status),
        q: query.q.as_deref(),
        reason: query.reason.as_deref(),
    };
    let after = after
        .as_ref()
        .map(|(feed, key)| (feed.as_str(), key.as_str()));
    let page = records::page(id, &filter, after, query.limit);
    let rows = database(platform, vec![page])
        .await?
        .pop()
        .unwrap_or_default();
    let next = next_page(&rows, query.limit, |last| {
        let place = json!([last["feed"], last["key"]]).to_string();
        Some(BASE64_URL_SAFE_NO_PAD.encode(place))
    });
    let shown: Vec<Value> = rows.into_iter().map(show).collect();
    Ok(Reply::ok(json!({ "records": shown, "next": next })))
}

pub async fn one<P: Platform>(
    platform: &P,
    id: &str,
    feed: &str,
    key: &str,
) -> Result<Reply, ApiError> {
    let stored = stored(platform, id).await?;
    let account: Option<Account> = stored
        .account
        .as_deref()
        .and_then(|text| typed::from_str(text).ok());
    let rows = database(platform, records::one(id, feed, key).to_vec()).await?;
    let mut rows = rows.into_iter();
    let record = rows.next().unwrap_or_default().into_iter().next();
    let mut shown = show(record.ok_or_else(|| ApiError::not_found("record"))?);
    let targets = rows.next().unwrap_or_default();
    let targets: Vec<Value> = targets
        .into_iter()
        .map(|target| show_target(target, account.as_ref()))
        .collect();
    let attempts: Vec<Value> = rows
        .next()
        .unwrap_or_default()
        .into_iter()
        .map(show_attempt)
        .collect();
    shown["targets"] = json!(targets);
    shown["attempts"] = json!(attempts);
    Ok(Reply::ok(shown))
}

pub async fn audit<P: Platform>(
    platform: &P,
    id: &str,
    query: Option<&str>,
) -> Result<Reply, ApiError> {
    let query = Query::parse(query, &["since", "feed", "key", "cursor", "limit"])?;
    let filter = audit::Filter {
        since: query.since,
        feed: query.feed.as_deref(),
        key: query.key.as_deref(),
    };
    let page = audit::page(id, &filter, query.cursor.as_deref(), query.limit);
    let rows = database(platform, vec![page])
        .await?
        .pop()
        .unwrap_or_default();
    let next = next_page(&rows, query.limit, |last| {
        last["id"].as_str().map(str::to_owned)
    });
    let shown: Vec<Value> = rows.into_iter().map(show_attempt).collect();
    Ok(Reply::ok(json!({ "audit": shown, "next": next })))
}

fn show(mut row: Value) -> Value {
    let times = ["due", "seen_at", "synced_at", "gone_at"];
    reshape(&mut row, &times, |at| time(at.as_i64()));
    reshape(&mut row, &["reason"], |text| parsed(text.as_str()));
    if let Some(row) = row.as_object_mut() {
        row.remove("connection");
    }
    row
}

fn show_target(mut target: Value, account: Option<&Account>) -> Value {
    let kind: Option<Kind> = typed::from_value(target["kind"].clone()).ok();
    let url = |id: Option<&str>| match (kind, account, id) {
        (Some(kind), Some(account), Some(id)) => url(account, kind, id),
        _ => None,
    };
    target["links"] = parsed(target["links"].as_str());
    target["url"] = json!(url(target["hubspot_id"].as_str()));
    let candidates = parsed(target["candidates"].as_str());
    let candidates = candidates.as_array().into_iter().flatten();
    let candidate = |id: &Value| json!({ "hubspot_id": id, "url": url(id.as_str()) });
    target["candidates"] = candidates.map(candidate).collect();
    target
}

/// Where a person sees the record in HubSpot; a line item has no page of its own.
pub(super) fn url(account: &Account, kind: Kind, id: &str) -> Option<String> {
    let shown = || {
        let Account {
            ui_domain,
            portal_id,
            ..
        } = account;
        let kind = kind.type_id();
        format!("https://{ui_domain}/contacts/{portal_id}/record/{kind}/{id}")
    };
    (kind != Kind::LineItem).then(shown)
}

fn show_attempt(mut attempt: Value) -> Value {
    reshape(&mut attempt, &["at", "seen_at"], |at| time(at.as_i64()));
    reshape(&mut attempt, &["said"], |text| parsed(text.as_str()));
    attempt
}

fn place(cursor: &str) -> Result<(String, String), ApiError> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    text.and_then(|text| typed::from_str(str::from_utf8(&text).ok()?).ok())
        .ok_or_else(|| {
            ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "invalid",
                "The cursor is none that this route gave.",
                "Leave it out to begin at the first page.",
            )
        })
}

fn status(fate: Fate) -> &'static str {
    match fate {
        Fate::Waiting => "waiting",
        Fate::Synced => "synced",
        Fate::Failing => "failing",
        Fate::Excluded => "excluded",
    }
}
