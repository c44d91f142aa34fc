//! A first load of some 2,000 records during which workerd is killed again and again, at random
//! moments: what HubSpot holds in the end is what a quiet load leaves there.
//!
//! `KILLS` says how often (8 by itself, `make chaos` 30 times), `SEED` where.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use serde_json::{Value, json};
use simulators::hubspot::Kind;

use super::{
    number,
    plant::{Plant, TickEnd},
};

const CUSTOMERS: usize = 400;
const INVOICES: usize = 1_600;
/// The test ends by itself, whatever the Worker does.
const TICKS_FOR_A_KILL: u64 = 3;

/// When a tick is to die.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after it began: reading, committing, waiting.
    After(Duration),
    /// So long after its so many-th call reached HubSpot: between two effects.
    AtCall(u64, Duration),
}

impl Moment {
    fn draw(rng: &mut Rng) -> Moment {
        let pause = Duration::from_millis(rng.u64(0..60));
        match rng.u8(..4) {
            0 => Moment::After(Duration::from_millis(rng.u64(0..1_500))),
            // Before the first commit of what it sends.
            1 => Moment::AtCall(rng.u64(1..12), pause),
            _ => Moment::AtCall(rng.u64(1..30), pause),
        }
    }
}

#[test]
#[ignore = "needs the built Worker: make test-workerd"]
fn a_load_killed_again_and_again_ends_like_a_quiet_one() {
    let kills = number("KILLS", 8);
    let mut plant = Plant::new(number("SEED", 5), CUSTOMERS, INVOICES);
    let began = Instant::now();
    plant.start();
    plant.connect();
    let mut rng = Rng::with_seed(plant.seed);
    let (mut killed, mut ticks, mut loads) = (0, 0, 1);
    while killed < kills {
        assert!(
            ticks < kills * TICKS_FOR_A_KILL,
            "{killed} of {ticks} ticks died"
        );
        let moment = Moment::draw(&mut rng);
        let end = tick_until(&mut plant, moment);
        ticks += 1;
        killed += u64::from(end == TickEnd::Killed);
        if plant.is_down() {
            plant.pass_the_lease();
            plant.start();
        }
        let (records, calls) = (records(&plant), plant.hubspot_calls());
        eprintln!("tick {ticks}, {moment:?}: {end:?}; {records} HubSpot records, {calls} calls");
        if killed < kills && is_loaded(&plant) {
            loads += u64::from(load_again(&plant));
        }
    }
    plant.settle(12);
    plant.compare(&format!("after {killed} kills"));
    nothing_was_ever_made_twice(&plant);
    let calls = plant.hubspot_calls();
    plant.tick();
    assert_eq!(plant.hubspot_calls(), calls, "a quiet tick asks nothing");
    let records = records(&plant);
    plant.stop();
    eprintln!(
        "killed {killed} times in {ticks} ticks of {loads} loads: {CUSTOMERS} customers, {INVOICES} \
         invoices, {records} HubSpot records, {calls} calls, 0 missing, 0 doubled, {:.0?}",
        began.elapsed()
    );
}

fn tick_until(plant: &mut Plant, moment: Moment) -> TickEnd {
    let began = Instant::now();
    let before = plant.hubspot_calls();
    let reached = std::cell::Cell::new(None);
    plant.tick_unless(|plant| match moment {
        Moment::After(pause) => began.elapsed() >= pause,
        Moment::AtCall(calls, pause) => {
            if reached.get().is_none() && plant.hubspot_calls() >= before + calls {
                reached.set(Some(Instant::now()));
            }
            reached
                .get()
                .is_some_and(|at: Instant| at.elapsed() >= pause)
        }
    })
}

/// Both tables are read to their end, and nothing waits.
fn is_loaded(plant: &Plant) -> bool {
    let connection = plant.ask("GET", "/connections/acme", "").body;
    let done =
        |feed: &Value| feed["first_sweep"]["done"] == json!(true) && feed["waiting"] == json!(0);
    ["customers", "invoices"]
        .map(|name| &connection["feeds"][name])
        .into_iter()
        .all(done)
}

/// Everything is sent once more, so that there is a load to be killed in; false where it is asked
/// already.
fn load_again(plant: &Plant) -> bool {
    let everything = json!({ "since": "2000-01-01" }).to_string();
    let asked = plant.ask("POST", "/connections/acme/replay", &everything);
    assert!([202, 409].contains(&asked.status), "{}", asked.body);
    asked.status == 202
}

fn records(plant: &Plant) -> usize {
    plant.hubspot(|portal| KINDS.map(|kind| portal.objects(kind).count()).iter().sum())
}

const KINDS: [Kind; 4] = [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem];

/// Archived ones count too: whoever makes a second one and takes it away again is found out.
fn nothing_was_ever_made_twice(plant: &Plant) {
    plant.hubspot(|portal| {
        for kind in KINDS {
            let mut made: BTreeMap<String, usize> = BTreeMap::new();
            for object in portal.objects(kind) {
                let key = object.get("syspro_key").unwrap_or_default().to_owned();
                assert_ne!(key, "", "a {kind:?} without a key");
                *made.entry(key).or_default() += 1;
            }
            made.retain(|_, count| *count > 1);
            assert!(made.is_empty(), "{kind:?}: {made:?}");
        }
    });
}
