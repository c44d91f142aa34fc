//! A connection as the API shows it: its public part, how it is doing, and what became of its records.

use serde_json::{Map, Value, json};

use crate::{
    config::Config,
    feeds::FEEDS,
    platform::Platform,
    routes::{parsed, parsed_object, staleness, time},
    sorted::SortedMap,
    store::connections::Stored,
};

pub fn show<P: Platform>(platform: &P, config: &Config, stored: &Stored) -> Value {
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
pub fn feeds(summary: &[Value], cursors: &[Value]) -> Value {
    let feeds = FEEDS.iter().map(|feed| {
        let shown = shown_feed(feed.name, summary, cursors);
        (feed.name.to_owned(), shown)
    });
    json!(feeds.collect::<SortedMap<_, _>>())
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
