//! A connection's first day in the built Worker: made with a wrong password, mended by what the checks
//! say, in sync, and then under another master key.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{nothing_secret_was_logged, plant::Plant, text};
use crate::site::{MASTER_KEY, NEW_MASTER_KEY, ODATA_PASSWORD};

#[test]
#[ignore = "needs the built Worker: make test-workerd"]
fn a_connection_is_mended_by_its_checks_and_outlives_its_master_key() {
    let began = Instant::now();
    let mut plant = Plant::new(7, 12, 30);
    plant.start();
    made_with_a_wrong_password(&plant);
    let patch = json!({ "syspro": { "odata_password": ODATA_PASSWORD } }).to_string();
    let mended = plant.ask("PATCH", "/connections/acme", &patch);
    assert_eq!(mended.body["state"], "active", "{}", mended.body);
    plant.settle(8);
    plant.compare("after the first load");

    plant.start_with((NEW_MASTER_KEY, Some(MASTER_KEY)));
    let rotated = plant.ask("POST", "/keys/rotate", "");
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let done = json!({ "version": "1865c008", "resealed": 2, "remaining": 0, "unopenable": [] });
    assert_eq!(rotated.body, done);

    plant.start_with((NEW_MASTER_KEY, None));
    plant.a_day();
    plant.settle(8);
    plant.compare("under the new master key");
    plant.stop();
    nothing_secret_was_logged(&plant);
    assert!(began.elapsed() < Duration::from_secs(120), "{began:?}");
    eprintln!("the whole of it took {:.1?}", began.elapsed());
}

fn made_with_a_wrong_password(plant: &Plant) {
    let mut body = plant.connection();
    body["syspro"]["odata_password"] = json!("canary-wrong");
    let made = plant.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["state"], "incomplete", "{}", made.body);
    let shown = plant.ask("GET", "/connections/acme", "").body;
    assert_eq!(shown["checks"], made.body["checks"]);
    let reason = &shown["reason"];
    assert_eq!(
        text(&reason["reason"]),
        "SYSPRO OData does not accept the operator and password."
    );
    assert!(
        text(&reason["remedy"]).contains("`syspro.odata_password`"),
        "{reason}"
    );
    let calls = plant.hubspot_calls();
    plant.tick();
    assert_eq!(plant.hubspot_calls(), calls, "it does not run yet");
}
