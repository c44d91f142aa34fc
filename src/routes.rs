//! The HTTP API: which route a path names, who may use it, and the form of every answer.

mod checks;
mod connections;
mod health;
mod keys;
mod links;
mod query;
mod records;
mod reply;
mod runs;
mod staleness;

use chrono::{DateTime, SecondsFormat};
use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    config::Config,
    platform::{Millis, Platform, Statement, StoreError},
    store::{
        Rows,
        connections::{Stored, one},
        rows_as, shadow,
    },
    typed,
};

pub use query::Query;
pub use reply::{ApiError, Reply};

/// Bodies over this are not read.
pub const MAX_BODY: usize = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Health,
    Connections,
    Connection(String),
    Checks(String),
    Sync(String),
    Replay(String),
    Reconcile(String),
    Preview(String),
    Links(String),
    Runs(String),
    Run(String, String),
    Records(String),
    Record {
        connection: String,
        feed: String,
        key: String,
    },
    Audit(String),
    RotateKeys,
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
            ["keys", "rotate"] => return Some(Route::RotateKeys),
            ["connections", id, rest @ ..] if !shadow::is_one(id) => ((*id).to_owned(), rest),
            _ => return None,
        };
        Some(match rest {
            [] => Route::Connection(id),
            ["checks"] => Route::Checks(id),
            ["sync"] => Route::Sync(id),
            ["replay"] => Route::Replay(id),
            ["reconcile"] => Route::Reconcile(id),
            ["preview"] => Route::Preview(id),
            ["links"] => Route::Links(id),
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
            Route::Checks(_)
            | Route::Sync(_)
            | Route::Replay(_)
            | Route::Reconcile(_)
            | Route::Preview(_)
            | Route::Links(_)
            | Route::RotateKeys => &[Method::POST],
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
    platform: &P,
    config: &Config,
    request: &http::Request<String>,
) -> Result<Reply, ApiError> {
    let (method, path) = (request.method(), request.uri().path());
    // Before the route is looked for: without the token there is nothing to find here.
    if path != "/health" {
        authorize(config, request.headers())?;
    }
    let (query, body) = (request.uri().query(), request.body().as_str());
    match Route::parse(method, path)? {
        Route::Health => health::health(platform, config).await,
        Route::Connections if method == Method::POST => {
            connections::create(platform, config, body).await
        }
        Route::Connections => connections::list(platform, config).await,
        Route::Connection(id) => match *method {
            Method::PATCH => connections::change(platform, config, &id, body).await,
            Method::DELETE => connections::delete(platform, config, &id).await,
            _ => connections::one(platform, config, &id).await,
        },
        Route::Checks(id) => checks::check(platform, config, &id, body).await,
        Route::Sync(id) => runs::sync(platform, &id, body).await,
        Route::Replay(id) => runs::replay(platform, &id, body).await,
        Route::Reconcile(id) => runs::reconcile(platform, &id, body).await,
        Route::Preview(id) => runs::preview(platform, &id, body).await,
        Route::Links(id) => links::link(platform, config, &id, body).await,
        Route::Runs(id) => runs::list(platform, &id, query).await,
        Route::Run(id, run) => runs::one(platform, &id, &run).await,
        Route::Records(id) => records::list(platform, &id, query).await,
        Route::Record {
            connection,
            feed,
            key,
        } => records::one(platform, &connection, &feed, &key).await,
        Route::Audit(id) => records::audit(platform, &id, query).await,
        Route::RotateKeys => keys::rotate(platform, config).await,
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

async fn database<P: Platform>(
    platform: &P,
    statements: Vec<Statement>,
) -> Result<Vec<Rows>, ApiError> {
    Ok(platform.batch(&statements).await?)
}

async fn stored<P: Platform>(platform: &P, id: &str) -> Result<Stored, ApiError> {
    let mut rows = database(platform, vec![one(id)]).await?;
    let stored: Vec<Stored> = rows_as(rows.pop().unwrap_or_default())?;
    let found = stored.into_iter().next();
    found.ok_or_else(|| ApiError::not_found("connection"))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = match error {
            StoreError::Refused(why) => format!("The database refuses: {why}."),
            StoreError::Unknown | StoreError::Overtaken => {
                "The database did not answer; the change may have been made.".to_owned()
            }
        };
        ApiError::new(
            http::StatusCode::SERVICE_UNAVAILABLE,
            "database",
            message,
            "Wait a minute, look whether it was done, and repeat it if not. If the product was just updated, run `make deploy`: it brings the database up to date.",
        )
    }
}

/// JSON that was stored as text; null where there is none.
fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| typed::parse(text.as_bytes()).ok())
        .unwrap_or_default()
}

/// The same where the rest of an answer is put into it.
fn parsed_object(text: &str) -> Value {
    let parsed = parsed(Some(text));
    if parsed.is_object() {
        parsed
    } else {
        json!({})
    }
}

fn time(at: Option<Millis>) -> Value {
    let at = at.and_then(DateTime::from_timestamp_millis);
    json!(at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)))
}

/// Puts what `show` makes of a field in its place.
fn reshape(row: &mut Value, names: &[&str], show: impl Fn(&Value) -> Value) {
    for name in names {
        if let Some(field) = row.get_mut(*name) {
            *field = show(field);
        }
    }
}

/// Where the next page begins, if this one is full.
fn next_page(
    rows: &[Value],
    limit: u32,
    place: impl Fn(&Value) -> Option<String>,
) -> Option<String> {
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    rows.last().filter(|_| full).and_then(place)
}

#[cfg(test)]
mod tests;
