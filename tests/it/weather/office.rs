//! What people ask of the Worker while the weather is bad: runs, replays, changes of the connection,
//! its removal and making anew.

use fastrand::Rng;
use http::{Method, Request};
use serde_json::{Value, json};
use simulators::hubspot::Kind;
use syspro_hubspot_sync::{
    platform::{MINUTE, Millis},
    routes,
    syspro::record_key,
};

use super::{portal::Deeds, tally::Events};
use crate::{
    site::{ADMIN_TOKEN, Site, config},
    world::{Shared, World},
};

pub const CONNECTION: &str = "/connections/acme";

/// Somebody asks for something at an instant of the next `span`.
/// A change of a setting has everything read once more, which heals what is looked for where nothing
/// else sweeps.
pub fn ask(site: &Site, events: &Events, rng: &mut Rng, span: Millis, swept: bool) {
    let at = site.world.now() + rng.i64(0..span);
    let day = |at: Millis| {
        let day = chrono::DateTime::from_timestamp_millis(at);
        day.expect("a time").format("%Y-%m-%d").to_string()
    };
    let (what, method, path, body) = match rng.u8(..12) {
        0 | 1 => ("sync", Method::POST, "/sync", json!({})),
        2 => (
            "replay failing",
            Method::POST,
            "/replay",
            json!({"status": "failing"}),
        ),
        3 => {
            let feed = ["customers", "invoices"][rng.usize(..2)];
            let window = json!({"since": day(at), "feed": feed});
            ("replay window", Method::POST, "/replay", window)
        }
        4 | 5 => {
            let one = json!({"records": [some_record(site, rng)]});
            ("replay one", Method::POST, "/replay", one)
        }
        6 => {
            let preview = json!({"status": "failing", "preview": true});
            ("replay preview", Method::POST, "/replay", preview)
        }
        7 | 8 if swept => {
            let share = [0.5, 0.7, 0.9][rng.usize(..3)];
            let settings = json!({"settings": {"rate_share": share}});
            ("PATCH settings", Method::PATCH, "", settings)
        }
        7..=9 => ("PATCH nothing: check again", Method::PATCH, "", json!({})),
        10 => {
            let later = at + rng.i64(1..10 * MINUTE);
            send(
                &site.world,
                events,
                later,
                "PATCH resume",
                Method::PATCH,
                "",
                json!({"paused": false}),
            );
            ("PATCH pause", Method::PATCH, "", json!({"paused": true}))
        }
        _ => ("GET", Method::GET, "", json!({})),
    };
    send(&site.world, events, at, what, method, path, body);
}

fn send(
    world: &World,
    events: &Events,
    at: Millis,
    what: &'static str,
    method: Method,
    path: &str,
    body: Value,
) {
    let request = request(method, &format!("{CONNECTION}{path}"), &body);
    let events = events.clone();
    world.at(at, move |world| {
        world.note(&format!("somebody asks: {what}"));
        events.count(&format!("API: {what}"));
    });
    world.spawn_at(at, "route", |edge| async move {
        routes::respond(&edge, &config(), request).await;
    });
}

/// A rule leaves some out, and is lifted after a while.
pub fn rule(site: &Site, events: &Events, rng: &mut Rng, span: Millis) {
    let at = site.world.now() + rng.i64(0..span);
    let of_some = |rng: &mut Rng, column: &str| {
        let erp = site.erp.borrow();
        let customers = erp.data.table("ArCustomer");
        let row = customers.rows().nth(rng.usize(..customers.len().max(1)));
        row.map_or("", |row| row.text(column)).trim_end().to_owned()
    };
    let rule = match rng.u8(..4) {
        0 => json!({"document_types": ["C"]}),
        1 => json!({"on_hold": true}),
        2 => json!({"customer_classes": [of_some(rng, "CustomerClass")]}),
        _ => json!({"branches": [of_some(rng, "Branch")]}),
    };
    let lifted = at + rng.i64(1..20 * MINUTE);
    let rules = [
        (at, "PATCH a rule", json!({"settings": {"exclude": rule}})),
        (
            lifted,
            "PATCH the rule away",
            json!({"settings": {"exclude": null}}),
        ),
    ];
    for (at, what, body) in rules {
        send(&site.world, events, at, what, Method::PATCH, "", body);
    }
}

/// Sales has a record of its own for some customer, and says so.
pub fn link(site: &Site, deeds: &Shared<Deeds>, events: &Events, rng: &mut Rng, span: Millis) {
    let at = site.world.now() + rng.i64(0..span);
    let (portal, deeds, events) = (site.portal.clone(), deeds.clone(), events.clone());
    let draw = rng.usize(..);
    site.world.at(at, move |world| {
        let sql = "select key from ledger where feed = 'customers' and fate <> 'excluded'";
        let keys = world.rows(sql);
        let key = keys.get(draw % keys.len().max(1));
        let Some(key) = key.and_then(|row| row["key"].as_str()) else {
            return;
        };
        let mut deeds = deeds.borrow_mut();
        if deeds.is_of_a_pair(key) {
            return;
        }
        let values = vec![
            ("name", "Known to sales".to_owned()),
            ("city", "Theirs".to_owned()),
        ];
        let shown: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let id = portal
            .borrow_mut()
            .create(world.now(), Kind::Company, &shown);
        deeds.own.push((Kind::Company, id, values));
        // What they wrote on the record before is there, which is the customer's no more.
        deeds.theirs.remove(&(Kind::Company, key.to_owned()));
        deeds.linked.insert(key.to_owned());
        // Cut off, it has to be asked for again: a replay is as good.
        deeds.customers_to_mend.insert(key.to_owned());
        let body = json!({"feed": "customers", "key": key, "hubspot_id": id.to_string()});
        let (path, post) = ("/links", Method::POST);
        send(
            world,
            &events,
            world.now() + 1,
            "POST links",
            post,
            path,
            body,
        );
    });
}

/// The connection is removed and made anew, as far as the weather lets them.
pub fn renew(site: &Site, events: &Events, rng: &mut Rng, span: Millis, settings: Value) {
    let at = site.world.now() + rng.i64(0..span);
    let delete = request(Method::DELETE, CONNECTION, &Value::Null);
    let create = request(Method::POST, "/connections", &site.connection(settings));
    let events = events.clone();
    site.world.at(at, move |world| {
        world.note("somebody removes the connection and makes it anew");
        events.count("API: DELETE and POST");
    });
    site.world.spawn_at(at, "route", |edge| async move {
        routes::respond(&edge, &config(), delete).await;
        routes::respond(&edge, &config(), create).await;
    });
}

fn request(method: Method, path: &str, body: &Value) -> Request<String> {
    Request::builder()
        .method(method)
        .uri(format!("https://sync.example{path}"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(body.to_string())
        .expect("a request")
}

/// Whatever the storm left of the connection, it is there and runs.
pub fn mend(site: &Site, settings: &Value, ruled: bool) {
    if site.ask("GET", CONNECTION, "").status == 404 {
        site.connect(settings.clone());
    }
    let body = match ruled {
        true => json!({"paused": false, "settings": {"exclude": null}}),
        false => json!({"paused": false}),
    };
    let resumed = site.ask("PATCH", CONNECTION, &body.to_string());
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    // What a check found missing while something was amiss is left out until it is looked at again.
    let mut checks = resumed.body["checks"].as_array().into_iter().flatten();
    let amiss = checks.any(|check| {
        let name = check["name"].as_str().unwrap_or_default();
        name.starts_with("hubspot_") && check["ok"] != true
    });
    if amiss || resumed.body["state"] != "active" {
        let mended = site.ask("PATCH", CONNECTION, "{}");
        assert_eq!(mended.body["state"], "active", "{}", mended.body);
    }
}

/// A customer or an invoice there is today; it need not be there when it is sent.
fn some_record(site: &Site, rng: &mut Rng) -> Value {
    let erp = site.erp.borrow();
    let (feed, table, columns) = match rng.bool() {
        true => ("customers", "ArCustomer", &["Customer"][..]),
        false => (
            "invoices",
            "ArInvoice",
            &["Customer", "Invoice", "DocumentType"][..],
        ),
    };
    let table = erp.data.table(table);
    let row = table.rows().nth(rng.usize(..table.len().max(1)));
    let parts = columns
        .iter()
        .map(|column| row.as_ref().map_or("", |row| row.text(column)).trim_end());
    let key = record_key(std::iter::once("EDU1").chain(parts));
    json!({"feed": feed, "key": key})
}
