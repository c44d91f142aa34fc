//! The HTTP API: which route a path names, who may use it, and the form of every answer.

mod query;
mod reply;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::{config::Config, platform::Platform};

pub use query::Query;
pub use reply::{ApiError, Reply};

/// Bodies over this are not read.
pub const MAX_BODY: usize = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Health,
    Connections,
    Connection(String),
    Sync(String),
    Replay(String),
    Runs(String),
    Run(String, String),
    Records(String),
    Record {
        connection: String,
        feed: String,
        key: String,
    },
    Audit(String),
}

impl Route {
    /// # Errors
    /// 404 for a path that names nothing, 405 for a method the route does not have.
    pub fn parse(method: &Method, path: &str) -> Result<Self, ApiError> {
        let route = Self::find(path).ok_or_else(|| ApiError::not_found("route"))?;
        let allowed = route.methods();
        if allowed.contains(method) {
            Ok(route)
        } else {
            Err(ApiError::method_not_allowed(allowed))
        }
    }

    fn find(path: &str) -> Option<Self> {
        let parts: Vec<String> = path
            .strip_prefix('/')?
            .split('/')
            .map(|part| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned()))
            .collect::<Option<_>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if parts.contains(&"") {
            return None;
        }
        let (id, rest) = match parts.as_slice() {
            ["health"] => return Some(Route::Health),
            ["connections"] => return Some(Route::Connections),
            ["connections", id, rest @ ..] => ((*id).to_owned(), rest),
            _ => return None,
        };
        Some(match rest {
            [] => Route::Connection(id),
            ["sync"] => Route::Sync(id),
            ["replay"] => Route::Replay(id),
            ["runs"] => Route::Runs(id),
            ["runs", run] => Route::Run(id, (*run).to_owned()),
            ["records"] => Route::Records(id),
            // A key holds slashes: they may come encoded or as they are.
            ["records", feed, key @ ..] if !key.is_empty() => Route::Record {
                connection: id,
                feed: (*feed).to_owned(),
                key: key.join("/"),
            },
            ["audit"] => Route::Audit(id),
            _ => return None,
        })
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Route::Connections => &[Method::GET, Method::POST],
            Route::Connection(_) => &[Method::GET, Method::PATCH, Method::DELETE],
            Route::Sync(_) | Route::Replay(_) => &[Method::POST],
            Route::Health
            | Route::Runs(_)
            | Route::Run(..)
            | Route::Records(_)
            | Route::Record { .. }
            | Route::Audit(_) => &[Method::GET],
        }
    }
}

/// Answers one request, whatever it is.
pub async fn respond<P: Platform>(
    platform: &P,
    config: &Config,
    request: http::Request<String>,
) -> http::Response<String> {
    match answer(platform, config, &request).await {
        Ok(reply) => reply.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer<P: Platform>(
    _platform: &P,
    config: &Config,
    request: &http::Request<String>,
) -> Result<Reply, ApiError> {
    let path = request.uri().path();
    // Before the route is looked for: without the token there is nothing to find here.
    if path != "/health" {
        authorize(config, request.headers())?;
    }
    match Route::parse(request.method(), path)? {
        Route::Health => Ok(Reply::ok(serde_json::json!({ "ok": true }))),
        _ => Err(ApiError::not_found("route")),
    }
}

fn authorize(config: &Config, headers: &http::HeaderMap) -> Result<(), ApiError> {
    let presented = headers
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match presented {
        Some(token) if config.admin_token.matches(token) => Ok(()),
        _ => Err(ApiError::unauthorized()),
    }
}

#[cfg(test)]
mod tests;
