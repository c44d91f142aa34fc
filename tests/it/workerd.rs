//! The built wasm in workerd, with a local D1, against both simulators over HTTP: cron is fired, and
//! HubSpot ends as SYSPRO's copy, through lost answers and a killed process.
//!
//! `make test-workerd` runs it; it needs the build, and real time. `SEED` chooses the distributor
//! and the moment of death.

#![expect(
    clippy::disallowed_methods,
    reason = "real processes are waited for in real time"
)]

mod api;
mod connections;
mod killed;
pub mod plant;
mod process;
mod serve;
mod turns;

use std::time::Duration;

use serde_json::{Value, json};
use simulators::hubspot::{Fault, Portal};

use self::plant::Plant;

const CUSTOMERS: usize = 60;
const INVOICES: usize = 240;

#[test]
#[ignore = "needs the built Worker: make test-workerd"]
fn the_built_worker_keeps_hubspot_as_syspro_is() {
    let mut plant = Plant::new(number("SEED", 11), CUSTOMERS, INVOICES);
    plant.start();
    strangers_are_turned_away(&plant);
    nonsense_is_refused(&plant);
    plant.connect();

    killed_while_it_loads(&mut plant);
    plant.settle(12);
    plant.compare("after the first load");

    let happened = plant.a_day();
    let broken = Fault::Html { status: 503 }.times(2, "companies/batch/update");
    let locked = Fault::Locked.once("line_items/batch/upsert");
    plant.hubspot(|portal| {
        portal.add_fault(broken);
        portal.add_fault(locked);
    });
    assert_ne!(
        plant.differences(),
        Vec::<String>::new(),
        "the day changed nothing"
    );
    plant.settle(12);
    plant.compare(&format!("after a day: {happened:#?}"));

    a_quiet_tick_asks_nothing_of_hubspot(&plant);
    plant.stop();
    nothing_secret_was_logged(&plant);
}

fn strangers_are_turned_away(plant: &Plant) {
    for token in [None, Some("wrong")] {
        let answer = plant.ask_as(token, "GET", "/connections", "");
        assert_eq!(answer.status, 401, "{token:?}: {}", answer.body);
        assert_eq!(answer.body["error"]["code"], "unauthorized");
    }
    let answer = plant.ask_as(None, "GET", "/health", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn nonsense_is_refused(plant: &Plant) {
    let oversized = format!("{{\"id\":\"{}\"}}", "x".repeat(1_200_000));
    for (body, status, code) in [
        (oversized.as_str(), 413, "too_large"),
        ("{\"id\":", 400, "invalid"),
        ("{\"colour\":\"red\"}", 400, "invalid"),
    ] {
        let answer = plant.ask("POST", "/connections", body);
        let start: String = body.chars().take(20).collect();
        assert_eq!(answer.status, status, "{start}: {}", answer.body);
        assert_eq!(answer.body["error"]["code"], code, "{start}");
    }
    let answer = plant.ask("GET", "/connections", "");
    assert_eq!(answer.body, json!({ "connections": [] }));
}

/// HubSpot answers badly, then the process dies between two calls; another one goes on.
fn killed_while_it_loads(plant: &mut Plant) {
    let lost = Fault::LoseAnswer.once("contacts/batch/upsert");
    let done = Fault::DoneBut { status: 502 }.once("invoices/batch/upsert");
    plant.hubspot(|portal| {
        portal.add_fault(lost);
        portal.add_fault(done);
    });
    let calls = fastrand::Rng::with_seed(plant.seed).u64(2..14);
    eprintln!("it dies once HubSpot has got {calls} calls");
    plant.kill_during_a_tick(|plant| plant.hubspot_calls() >= calls);
    // One that is met only now would close the portal for as long as a lost write may take.
    plant.hubspot(Portal::clear_faults);
    // The dead run's lease, and the time a lost write may still land in.
    plant.pass_the_lease();
    plant.start();
    assert_ne!(
        plant.differences(),
        Vec::<String>::new(),
        "the comparison sees nothing"
    );
}

fn a_quiet_tick_asks_nothing_of_hubspot(plant: &Plant) {
    let before = plant.hubspot_calls();
    let asked = plant.ask("POST", "/connections/acme/sync", "");
    assert_eq!(asked.status, 202, "{}", asked.body);
    let again = plant.ask("POST", "/connections/acme/sync", "");
    assert_eq!(again.status, 409, "{}", again.body);
    let (took, told) = plant.tick_told();
    assert_eq!(plant.hubspot_calls(), before, "calls of a quiet tick");
    // As D1 counts them, which the stand-in cannot.
    let rows = |name: &str| told[name].as_u64().expect("a count");
    eprintln!("{told}");
    assert!(rows("d1_rows_written") <= 12, "{told}");
    assert!(rows("d1_rows_read") <= 1_200, "{told}");

    let run = asked.body["run"].as_str().expect("a run's id");
    let run = plant
        .ask("GET", &format!("/connections/acme/runs/{run}"), "")
        .body;
    assert_ne!(run["state"], "red", "{run}");
    assert_eq!(run["report"]["hubspot_calls"], 0, "{run}");
    let figure = |name: &str| run["report"][name].as_u64().expect("a count");
    eprintln!(
        "a quiet tick, asked for: 0 HubSpot calls, {} D1 statements before its closing commit, {} reads of SYSPRO, {took:.1?}",
        figure("d1_statements"),
        figure("syspro_reads"),
    );
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// Neither what is secret nor what is personal.
fn nothing_secret_was_logged(plant: &Plant) {
    let log = plant.log();
    assert!(
        log.contains("\"event\":\"run\""),
        "the log was not caught:\n{log}"
    );
    let people = plant.syspro(|data| {
        let customers = data.table("ArCustomer").rows();
        let texts = customers.flat_map(|row| {
            ["Email", "Telephone"].map(|column| row.text(column).trim().to_owned())
        });
        texts.filter(|text| text.len() > 6).collect::<Vec<_>>()
    });
    let secrets = plant::SECRETS.map(str::to_owned);
    for word in secrets.iter().chain(&people) {
        assert!(!log.contains(word.as_str()), "the log holds {word}");
    }
    assert!(!log.contains("\"event\":\"panic\""), "{log}");
    let unanswered: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("d1_unanswered"))
        .collect();
    assert_eq!(unanswered, Vec::<&str>::new());
}

/// What the environment sets, or the usual.
fn number(name: &str, usual: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(usual, |set| {
        set.parse().expect("a number in the environment")
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
