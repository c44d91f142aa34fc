//! `/connections`: made, shown, changed and removed. Secrets go in and never come out.

mod rival;
mod session;
mod shown;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use self::shown::{feeds, show};
use super::{ApiError, Reply, database, parsed, stored};
use crate::{
    config::Config,
    connection::{Connection, Problem, Rejected, Touched},
    credentials,
    fault::Reason,
    platform::Platform,
    setup::{Look, SetUp, set_up},
    store::{
        connections::{self, Draft, Named, State, Stored},
        cursors, records, rows_as, sessions,
    },
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
    let state = match found.complete() {
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

pub async fn change<P: Platform>(
    platform: &P,
    config: &Config,
    id: &str,
    body: &str,
) -> Result<Reply, ApiError> {
    let before = stored(platform, id).await?;
    let connection = credentials::open_to_patch(&config.keys, &before, body).map_err(sealed)?;
    let changed = connection
        .merge(body, &config.guard)
        .map_err(|it| match it {
            Rejected::Problems(problems) => ApiError::invalid(&problems),
            Rejected::Conflict(problems) => ApiError::fixed(&problems),
        })?;
    alone_as_operator(platform, &changed.connection).await?;
    let paused = changed.paused.unwrap_or(before.state == State::Paused);
    let known = known(&before);
    let mut look = to_look_at(body, changed.touched);
    if !paused {
        look = look.or(known.doubtful());
    }
    let others = unchanged(changed.touched);
    let found = set_up(platform, config, &changed.connection, look, known.clone())
        .await?
        .bearing_with(others, &known);
    let ran_on = before.state == State::Active && found.is_only_silent(others);
    let state = match (paused, found.complete()) {
        (true, _) => State::Paused,
        (false, true) => State::Active,
        (false, false) if ran_on => State::Active,
        (false, false) => State::Incomplete,
    };
    let secrets = credentials::seal(platform, &config.keys, &changed.connection);
    let draft = draft(&changed.connection, state, secrets, &found);
    // Whatever the mapping looks at: the same rows may now become something else.
    let remap = changed.touched.settings
        || changed.connection.syspro.local_currency != connection.syspro.local_currency
        || draft.account != before.account;
    let mut statements = connections::change(&draft, &before, remap, platform.now()).to_vec();
    let leaves = changed.touched.enet || state == State::Paused && before.state != State::Paused;
    if leaves {
        statements.extend(session::anew(&draft));
    }
    statements.extend(session::not_at_once(&draft, &found));
    match platform.batch(&statements).await {
        Ok(rows) if rows.first().is_none_or(Vec::is_empty) => Err(rival::conflict(
            "Somebody else changed this connection meanwhile.",
            "Read it again and repeat the change.",
        )),
        Ok(rows) => {
            session::log_off(platform, config, &connection, &rows).await;
            let stored = stored(platform, id).await?;
            Ok(Reply::ok(show(platform, config, &stored)))
        }
        Err(error) => Err(rival::refused(platform, error, &draft).await),
    }
}

/// Some stored secrets do not open, and the patch does not bring them along.
fn sealed((reason, missing): (Reason, Vec<Problem>)) -> ApiError {
    let Reason { reason, remedy, .. } = reason;
    let error = ApiError::new(StatusCode::CONFLICT, credentials::SEALED, reason, remedy);
    match missing.is_empty() {
        true => error,
        false => error.with_details(json!(missing)),
    }
}

/// What was known of the systems before the change.
pub(super) fn known(before: &Stored) -> SetUp {
    fn read<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
        serde_json::from_str(text?).ok()
    }
    SetUp {
        account: read(before.account.as_deref()),
        dialect: read(before.dialect.as_deref()),
        refused: None,
        checks: read(Some(&before.checks)).unwrap_or_default(),
    }
}

/// What the patch touches. One that names a system, even without a change, or nothing at all asks for
/// it to be looked at again: a currency may have been added in the portal, a property restored.
fn to_look_at(patch: &str, touched: Touched) -> Look {
    let patch = parsed(Some(patch));
    let empty = patch.as_object().is_some_and(Map::is_empty);
    let named = |system: &str| empty || patch.get(system).is_some();
    Look {
        odata: touched.odata || named("syspro"),
        enet: touched.enet || named("syspro"),
        hubspot: touched.hubspot || named("hubspot"),
    }
}

fn unchanged(touched: Touched) -> Look {
    Look {
        odata: !touched.odata,
        enet: !touched.enet,
        hubspot: !touched.hubspot,
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
    let failed = found
        .checks
        .iter()
        .find(|check| !check.ok && !check.optional)
        .filter(|_| state != State::Active);
    let reason = failed.map(|check| Reason::new(&check.name, &check.why, &check.remedy));
    let account = found.account.as_ref();
    Draft {
        id: &connection.id,
        state,
        state_reason: reason.map(|reason| json!(reason).to_string()),
        public: connection.public_json().to_string(),
        secrets,
        portal: account.map_or("", |account| &account.portal_id),
        account: account.map(|account| json!(account).to_string()),
        dialect: found.dialect.map(|dialect| json!(dialect).to_string()),
        company: connection.company_key(),
        operator: connection.operator(),
        checks: json!(found.checks).to_string(),
    }
}
