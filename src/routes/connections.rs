//! `/connections`: made, shown, changed and removed. Secrets go in and never come out.

mod change;
mod rival;
mod session;
mod shown;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use self::change::change;
use self::shown::{feeds, show};
use super::{ApiError, Reply, database, parsed, stored};
use crate::{
    config::Config,
    connection::Connection,
    credentials,
    fault::Reason,
    platform::Platform,
    setup::{Look, SetUp, set_up},
    store::{
        connections::{self, Draft, Named, State, Stored},
        cursors, records, rows_as, sessions,
    },
    typed,
};

pub async fn list<P: Platform>(platform: &P, config: &Config) -> Result<Reply, ApiError> {
    let mut rows = database(platform, vec![connections::all()]).await?;
    let stored: Vec<Stored> = rows_as(rows.pop().unwrap_or_default()).map_err(ApiError::from)?;
    let shown: Vec<Value> = stored
        .iter()
        .map(|stored| show(platform, config, stored))
        .collect();
    Ok(Reply::ok(json!({ "connections": shown })))
}

pub async fn create<P: Platform>(
    platform: &P,
    config: &Config,
    body: &str,
) -> Result<Reply, ApiError> {
    let connection = Connection::parse(body, &config.guard).map_err(|it| ApiError::invalid(&it))?;
    let taken = || rival::id(&connection.id);
    let rows = database(platform, vec![connections::one(&connection.id)]).await?;
    if rows.first().is_some_and(|rows| !rows.is_empty()) {
        return Err(taken());
    }
    alone_as_operator(platform, &connection).await?;
    let found = set_up(
        platform,
        config,
        &connection,
        Look::AT_ALL,
        SetUp::default(),
    )
    .await?;
    let paused = parsed(Some(body))["paused"] == true;
    let state = match found.complete() {
        _ if paused => State::Paused,
        true => State::Active,
        false => State::Incomplete,
    };
    let secrets = credentials::seal(platform, &config.keys, &connection);
    let draft = draft(&connection, state, secrets, &found);
    let mut create = vec![connections::create(&draft, platform.now())];
    create.extend(session::not_at_once(&draft, &found));
    match platform.batch(&create).await {
        Ok(rows) if rows.first().is_none_or(Vec::is_empty) => return Err(taken()),
        Ok(_) => {}
        Err(error) => return Err(rival::refused(platform, error, &draft).await),
    }
    let stored = stored(platform, &connection.id).await?;
    Ok(Reply::new(
        StatusCode::CREATED,
        show(platform, config, &stored),
    ))
}

pub async fn one<P: Platform>(platform: &P, config: &Config, id: &str) -> Result<Reply, ApiError> {
    let stored = stored(platform, id).await?;
    let rows = database(platform, vec![records::summary(id), cursors::load(id)]).await?;
    let mut rows = rows.into_iter();
    let summary = rows.next().unwrap_or_default();
    let cursors = rows.next().unwrap_or_default();
    let mut shown = show(platform, config, &stored);
    shown["feeds"] = feeds(&summary, &cursors);
    Ok(Reply::ok(shown))
}

/// What was known of the systems before.
pub(super) fn known(before: &Stored) -> SetUp {
    fn read<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
        typed::from_str(text?).ok()
    }
    SetUp {
        portal: before.portal.clone(),
        account: read(before.account.as_deref()),
        dialect: read(before.dialect.as_deref()),
        refused: None,
        checks: read(Some(&before.checks)).unwrap_or_default(),
    }
}

pub async fn delete<P: Platform>(
    platform: &P,
    config: &Config,
    id: &str,
) -> Result<Reply, ApiError> {
    let mut statements = vec![connections::one(id), sessions::of(id)];
    statements.extend(connections::delete(id));
    let mut rows = database(platform, statements).await?;
    if rows.last().is_none_or(Vec::is_empty) {
        return Err(ApiError::not_found("connection"));
    }
    let before: Vec<Stored> = rows_as(rows.remove(0))?;
    let before = before.first().map(|it| credentials::open(&config.keys, it));
    if let Some(Ok(connection)) = before {
        session::log_off(platform, config, &connection, &rows).await;
    }
    Ok(Reply::new(StatusCode::NO_CONTENT, Value::Null))
}

/// SYSPRO gives an operator of e.net one session: two connections would end each other's.
async fn alone_as_operator<P: Platform>(
    platform: &P,
    connection: &Connection,
) -> Result<(), ApiError> {
    let Some(operator) = connection.operator() else {
        return Ok(());
    };
    let look = connections::with_operator(&operator, &connection.id);
    match Named::first(database(platform, vec![look]).await?) {
        Some(other) => Err(rival::operator(Some(&other))),
        None => Ok(()),
    }
}

pub(super) fn draft<'a>(
    connection: &'a Connection,
    state: State,
    secrets: String,
    found: &'a SetUp,
) -> Draft<'a> {
    let failed = found.gravest().filter(|_| state != State::Active);
    let reason = failed.map(|check| Reason::new(&check.name, &check.why, &check.remedy));
    let account = found.account.as_ref();
    Draft {
        id: &connection.id,
        state,
        state_reason: reason.map(|reason| json!(reason).to_string()),
        public: connection.public_json().to_string(),
        secrets,
        portal: &found.portal,
        account: account.map(|account| json!(account).to_string()),
        dialect: found.dialect.map(|dialect| json!(dialect).to_string()),
        company: connection.company_key(),
        operator: connection.operator(),
        checks: json!(found.checks).to_string(),
    }
}
