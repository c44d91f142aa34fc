//! `/_sim/…`: how a demo or a test looks into the simulators and moves them on.
//!
//! | route | port | does |
//! |---|---|---|
//! | `GET /_sim/state` | both | every table (`?table=` one of them), or every object, as JSON |
//! | `GET`, `DELETE /_sim/calls` | both | calls so far by endpoint; forgets them |
//! | `POST /_sim/day` | SYSPRO | `{"today":"YYYY-MM-DD"}`, by default the next day: a day of changes, a line each |
//! | `GET`, `POST /_sim/quirks` | both | the switches; merges new settings into them |
//! | `POST`, `DELETE /_sim/faults` | both | schedules one fault or a list; forgets SYSPRO's or HubSpot's |

use chrono::Days;
use http::{Method, StatusCode, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use crate::data::{Distributor, Table, Value};
use crate::serve::{Shared, Side, World, lock};
use crate::{Request, Response};

/// The answer to a control route; nothing where the request is for the simulator itself.
pub fn answer(side: Side, world: &Shared, request: &Request) -> Option<Response> {
    let route = request.uri().path().strip_prefix("/_sim/")?;
    let mut world = lock(world);
    let result = match (request.method(), route, side) {
        (&Method::GET, "state", Side::Syspro) => tables(&world.syspro.data, request.uri().query()),
        (&Method::GET, "state", Side::Hubspot) => Ok(world.hubspot.state()),
        (&Method::GET, "calls", Side::Syspro) => Ok(json!(world.syspro.calls)),
        (&Method::GET, "calls", Side::Hubspot) => Ok(json!(world.hubspot.calls())),
        (&Method::DELETE, "calls", Side::Syspro) => {
            world.syspro.calls.clear();
            Ok(json!({}))
        }
        (&Method::DELETE, "calls", Side::Hubspot) => {
            world.hubspot.reset_calls();
            Ok(json!({}))
        }
        (&Method::POST, "day", Side::Syspro) => day(&mut world, request.body()),
        (&Method::GET, "quirks", Side::Syspro) => Ok(json!(world.syspro.quirks)),
        (&Method::GET, "quirks", Side::Hubspot) => Ok(json!(world.hubspot.options())),
        (&Method::POST, "quirks", Side::Syspro) => merge(&mut world.syspro.quirks, request.body()),
        (&Method::POST, "quirks", Side::Hubspot) => {
            merge(world.hubspot.options_mut(), request.body())
        }
        (&Method::POST, "faults", _) => faults(&mut world, side, request.body()),
        (&Method::DELETE, "faults", Side::Syspro) => {
            world.syspro.faults.clear();
            Ok(json!({}))
        }
        (&Method::DELETE, "faults", Side::Hubspot) => {
            world.hubspot.clear_faults();
            Ok(json!({}))
        }
        _ => {
            return Some(reply(
                StatusCode::NOT_FOUND,
                &json!({ "error": "no such control" }),
            ));
        }
    };
    Some(match result {
        Ok(body) => reply(StatusCode::OK, &body),
        Err(problem) => reply(StatusCode::BAD_REQUEST, &json!({ "error": problem })),
    })
}

fn reply(status: StatusCode, body: &Json) -> Response {
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| error.to_string())
}

fn tables(data: &Distributor, query: Option<&str>) -> Result<Json, String> {
    let wanted = query.and_then(|query| query.strip_prefix("table="));
    let tables = data.tables().iter();
    let tables: serde_json::Map<_, _> = tables
        .filter(|table| wanted.is_none_or(|wanted| wanted == table.name))
        .map(|table| (table.name.to_owned(), rows(table)))
        .collect();
    match wanted {
        Some(wanted) if tables.is_empty() => Err(format!("no table {wanted}")),
        _ => Ok(Json::Object(tables)),
    }
}

fn rows(table: &Table) -> Json {
    let row = |values: &[Value]| -> serde_json::Map<String, Json> {
        let cells = table.columns().iter().zip(values);
        cells
            .map(|(column, value)| (column.name.to_owned(), cell(value)))
            .collect()
    };
    table
        .rows()
        .map(|found| Json::Object(row(found.values)))
        .collect()
}

/// Money as text: no reader of this shall be tempted by floats.
fn cell(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Text(text) => json!(text),
        Value::Decimal(number) => json!(number.to_string()),
        Value::Integer(number) => json!(number),
        Value::Date(date) => json!(date.to_string()),
        Value::Stamp(stamp) => json!(stamp),
    }
}

fn day(world: &mut World, body: &str) -> Result<Json, String> {
    #[derive(Default, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        today: Option<chrono::NaiveDate>,
    }
    let asked: Asked = if body.trim().is_empty() {
        Asked::default()
    } else {
        read(body)?
    };
    let data = &mut world.syspro.data;
    let today = asked.today.unwrap_or_else(|| data.today() + Days::new(1));
    let lines = data.a_day(&mut world.rng, today);
    Ok(json!({ "today": today, "happened": lines }))
}

/// Puts the settings named in the body in place of the old ones; all of them or none.
fn merge<T: Serialize + DeserializeOwned>(settings: &mut T, body: &str) -> Result<Json, String> {
    let changes: serde_json::Map<String, Json> = read(body)?;
    let mut all = json!(settings);
    if let Some(all) = all.as_object_mut() {
        all.extend(changes);
    }
    *settings = serde_json::from_value(all.clone()).map_err(|error| error.to_string())?;
    Ok(all)
}

fn faults(world: &mut World, side: Side, body: &str) -> Result<Json, String> {
    let list: Vec<Json> = match read(body)? {
        Json::Array(list) => list,
        one => vec![one],
    };
    let scheduled = list.len();
    match side {
        Side::Syspro => {
            let list: Result<Vec<_>, _> = list.into_iter().map(serde_json::from_value).collect();
            world
                .syspro
                .faults
                .extend(list.map_err(|error| error.to_string())?);
        }
        Side::Hubspot => {
            let list: Result<Vec<_>, _> = list.into_iter().map(serde_json::from_value).collect();
            for rule in list.map_err(|error| error.to_string())? {
                world.hubspot.add_fault(rule);
            }
        }
    }
    Ok(json!({ "scheduled": scheduled }))
}
