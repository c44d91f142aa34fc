//! `GET /health`: whether every connection had a good run lately. Nothing else leaks from here.

use http::StatusCode;
use serde_json::json;

use super::{ApiError, Reply, database};
use crate::{config::Config, platform::Platform, store::connections};

pub async fn health<P: Platform>(platform: &P, config: &Config) -> Result<Reply, ApiError> {
    let rows = database(platform, vec![connections::oldest_good(platform.now())]).await?;
    let oldest = rows
        .first()
        .and_then(|rows| rows.first()?.get("oldest")?.as_i64());
    let age = oldest.map(|oldest| (platform.now() - oldest).max(0));
    let ok = age.is_none_or(|age| age <= config.stale_after());
    let status = match ok {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let age_seconds = age.map(|age| age / 1000);
    Ok(Reply::new(
        status,
        json!({ "ok": ok, "last_good_run_age_seconds": age_seconds }),
    ))
}
