//! `/connections`: made, shown, changed and removed. Secrets go in and never come out.

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{ApiError, Reply, database, parsed, parsed_object, staleness, stored, time};
use crate::{
    config::Config,
    connection::{Connection, Rejected, Touched},
    credentials,
    fault::Reason,
    feeds::FEEDS,
    platform::{Platform, StoreError},
    setup::{Look, SetUp, set_up},
    store::{
        connections::{self, Draft, Rivalry, State, Stored},
        cursors, records, rows_as,
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
    let taken = || {
        ApiError::new(
            StatusCode::CONFLICT,
            "conflict",
            format!("There is a connection {} already.", connection.id),
            "Choose another id, or change that one with PATCH.",
        )
    };
    let mut rows = database(platform, vec![connections::one(&connection.id)]).await?;
    if rows.pop().is_some_and(|rows| !rows.is_empty()) {
        return Err(taken());
    }
    let found = set_up(
        platform,
        config,
        &connection,
        Look::AT_ALL,
        SetUp::default(),
    )
    .await;
    let state = match found.complete() {
        true => State::Active,
        false => State::Incomplete,
    };
    let secrets = credentials::seal(platform, &config.keys, &connection);
    let draft = draft(&connection, state, secrets, &found);
    let create = [connections::create(&draft, platform.now())];
    let mut rows = platform.batch(&create).await.map_err(rival)?;
    if rows.pop().is_none_or(|rows| rows.is_empty()) {
        return Err(taken());
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
    let connection = credentials::open(&config.keys, &before).map_err(|reason| {
        let Reason { reason, remedy, .. } = reason;
        ApiError::new(StatusCode::CONFLICT, "sealed", reason, remedy)
    })?;
    let changed = connection
        .merge(body, &config.guard)
        .map_err(|it| match it {
            Rejected::Problems(problems) => ApiError::invalid(&problems),
            Rejected::Conflict(problems) => ApiError::fixed(&problems),
        })?;
    let paused = changed.paused.unwrap_or(before.state == State::Paused);
    let known = known(&before);
    let ailing =
        matches!(before.state, State::Incomplete | State::Broken) || known.account.is_none();
    let look = match ailing && !paused {
        true => Look::AT_ALL,
        false => to_look_at(body, changed.touched),
    };
    let found = set_up(platform, config, &changed.connection, look, known).await;
    let portal = found
        .account
        .as_ref()
        .map(|account| account.portal_id.as_str());
    if portal.is_some_and(|portal| !before.portal.is_empty() && portal != before.portal) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "conflict",
            "The token opens another HubSpot portal than this connection's.",
            "A connection keeps its portal for life: make a new connection for the other one.",
        ));
    }
    let state = match (paused, found.complete()) {
        (true, _) => State::Paused,
        (false, true) => State::Active,
        (false, false) => State::Incomplete,
    };
    let secrets = credentials::seal(platform, &config.keys, &changed.connection);
    let draft = draft(&changed.connection, state, secrets, &found);
    let now = platform.now();
    // Whatever the mapping looks at: the same rows may now become something else.
    let remap = changed.touched.settings
        || changed.connection.syspro.local_currency != connection.syspro.local_currency
        || draft.account != before.account;
    let statements = connections::change(&draft, &before, remap, now).to_vec();
    let rows = platform.batch(&statements).await.map_err(rival)?;
    if rows.first().is_none_or(Vec::is_empty) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "conflict",
            "Somebody else changed this connection meanwhile.",
            "Read it again and repeat the change.",
        ));
    }
    let stored = stored(platform, id).await?;
    Ok(Reply::ok(show(platform, config, &stored)))
}

/// What was known of the systems before the change.
fn known(before: &Stored) -> SetUp {
    fn read<T: DeserializeOwned>(text: Option<&str>) -> Option<T> {
        serde_json::from_str(text?).ok()
    }
    SetUp {
        account: read(before.account.as_deref()),
        dialect: read(before.dialect.as_deref()),
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
        hubspot: touched.hubspot || named("hubspot"),
    }
}

pub async fn delete<P: Platform>(platform: &P, id: &str) -> Result<Reply, ApiError> {
    let before = stored(platform, id).await?;
    let statements = connections::delete(id, &before.portal).to_vec();
    let rows = database(platform, statements).await?;
    if rows.first().is_none_or(Vec::is_empty) {
        return Err(ApiError::not_found("connection"));
    }
    Ok(Reply::new(StatusCode::NO_CONTENT, Value::Null))
}

/// Another connection has what only one may have.
fn rival(error: StoreError) -> ApiError {
    let (message, remedy) = match connections::rivalry(&error) {
        Some(Rivalry::Company) => (
            "Another connection syncs this SYSPRO company to this HubSpot portal already.",
            "Change that one with PATCH, or delete it first.",
        ),
        Some(Rivalry::Operator) => (
            "Another connection logs on to this e.net server with this operator already.",
            "Give each connection an operator of its own: SYSPRO allows an operator one session.",
        ),
        None => return error.into(),
    };
    ApiError::new(StatusCode::CONFLICT, "conflict", message, remedy)
}

fn draft<'a>(
    connection: &'a Connection,
    state: State,
    secrets: String,
    found: &'a SetUp,
) -> Draft<'a> {
    let failed = found.checks.iter().find(|check| !check.ok);
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
        company: connection.syspro.company.to_uppercase(),
        operator: connection.operator(),
        checks: json!(found.checks).to_string(),
    }
}

fn show<P: Platform>(platform: &P, config: &Config, stored: &Stored) -> Value {
    let mut shown = parsed_object(&stored.public);
    shown["id"] = json!(stored.id);
    shown["state"] = json!(stored.state);
    shown["reason"] = parsed(stored.state_reason.as_deref());
    shown["portal"] = parsed(stored.account.as_deref());
    shown["odata"] = parsed(stored.dialect.as_deref());
    shown["checks"] = parsed(Some(&stored.checks));
    shown["parks"] = parks(&stored.parks);
    shown["created_at"] = time(Some(stored.created_at));
    shown["last_run_at"] = time(stored.last_run_at);
    shown["last_good_at"] = time(stored.last_good_at);
    staleness::add(&mut shown, stored, config, platform.now());
    shown
}

fn parks(stored: &str) -> Value {
    let mut parks = parsed_object(stored);
    let each = parks.as_object_mut().into_iter().flat_map(Map::values_mut);
    for park in each.filter(|park| park.is_object()) {
        park["until"] = time(park["until"].as_i64());
    }
    parks
}

/// Per feed: how many records have which status, why, and how far the first sweep is.
fn feeds(summary: &[Value], cursors: &[Value]) -> Value {
    FEEDS
        .iter()
        .map(|feed| {
            (
                feed.name.to_owned(),
                shown_feed(feed.name, summary, cursors),
            )
        })
        .collect()
}

fn shown_feed(feed: &str, summary: &[Value], cursors: &[Value]) -> Value {
    let rows = || summary.iter().filter(|row| row["feed"] == feed);
    let of = |status: &str| -> u64 {
        let rows = rows().filter(|row| row["status"] == status);
        rows.filter_map(|row| row["records"].as_u64()).sum()
    };
    let reasons: Vec<Value> = rows()
        .filter(|row| !row["code"].is_null())
        .map(|row| {
            json!({
                "status": row["status"],
                "code": row["code"],
                "example": row["example"],
                "records": row["records"],
            })
        })
        .collect();
    let sweep = cursors
        .iter()
        .find(|row| row["feed"] == feed && row["poll"] == "sweep")
        .map_or(Value::Null, |row| parsed(row["position"].as_str()));
    json!({
        "waiting": of("waiting"),
        "synced": of("synced"),
        "failing": of("failing"),
        "excluded": of("excluded"),
        "reasons": reasons,
        "first_sweep": {
            "done": sweep["complete"].as_u64().unwrap_or_default() > 0,
            "rows": sweep["rows"].as_u64().unwrap_or_default(),
        },
    })
}
