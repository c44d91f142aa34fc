//! A deployment with a queue, as wrangler.toml has it: one cron call, and the rest by messages.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Plant, nothing_secret_was_logged};

const WITHIN: Duration = Duration::from_secs(120);

#[test]
#[ignore = "needs the built Worker: make test-workerd"]
fn a_load_too_long_for_one_run_goes_on_by_the_queue() {
    let mut plant = Plant::new(3, 40, 120);
    plant.start();
    plant.connect();
    // A run of its own for every ten calls.
    plant.start_queued(&[("MAX_CALLS", "10")]);
    let took = plant.tick();
    assert!(
        took < Duration::from_secs(10),
        "cron only says whose turn it is: {took:?}"
    );
    until(&plant, |plant| plant.differences().is_empty());
    let runs = runs(&plant);
    let spent = runs.iter().filter(|run| run["report"]["spent"].is_string());
    assert!(spent.count() >= 1, "{runs:#?}");

    let asked = plant.ask("POST", "/connections/acme/sync", "");
    assert_eq!(asked.status, 202, "{}", asked.body);
    let id = &asked.body["run"];
    until(&plant, |plant| {
        let runs = self::runs(plant);
        runs.iter()
            .any(|run| run["id"] == *id && run["state"] == "green")
    });
    plant.stop();
    nothing_secret_was_logged(&plant);
}

fn runs(plant: &Plant) -> Vec<Value> {
    let runs = plant
        .ask("GET", "/connections/acme/runs?limit=200", "")
        .body;
    runs["runs"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| panic!("{}", json!(runs)))
}

/// Without a further cron call.
fn until(plant: &Plant, so: impl Fn(&Plant) -> bool) {
    let began = Instant::now();
    while !so(plant) {
        assert!(
            began.elapsed() < WITHIN,
            "never so: {:#?}",
            plant.differences()
        );
        thread::sleep(Duration::from_millis(200));
    }
    eprintln!("so after {:.1?}", began.elapsed());
}
