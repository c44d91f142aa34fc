//! Weather: seeds of bad days. Whatever happens, the end is that of a quiet day, and at no moment
//! is anything lost, doubled or older than it was.
//!
//! Half of the seeds live without sweep and lookback once the backfill is done: those two heal the
//! very faults that are looked for here. `SEEDS=n` runs the first n seeds, `SEED=n` the nth alone.

mod changes;
mod invariants;
mod regressions;

use std::{
    collections::BTreeMap,
    env, fmt, panic,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use fastrand::Rng;
use serde_json::{Value, json};
use simulators::data::Distributor;
use syspro_hubspot_sync::{
    books::Books,
    platform::{HOUR, MINUTE, Millis},
    routes,
    syspro::record_key,
    tick,
};

use self::changes::People;
use crate::{
    agreement,
    site::{ADMIN_TOKEN, Site, config, day, options},
    world::{Start, Weather},
};

const SEEDS: u64 = 300;
/// How many cron calls a storm lasts.
const STORM: Millis = 8;

#[test]
fn whatever_the_weather_hubspot_ends_up_as_syspro_is() {
    let one = env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let count = env::var("SEEDS").ok().and_then(|count| count.parse().ok());
    let (first, end) = match one {
        Some(seed) => (seed, seed + 1),
        None => (0, count.unwrap_or(SEEDS)),
    };
    let next = AtomicU64::new(first);
    let (total, bad) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    // A bad day has told its story; the others are lived all the same.
                    match panic::catch_unwind(|| Life::of(seed).live()) {
                        Ok(tally) => total.lock().expect("adding never fails").add(&tally),
                        Err(_) => bad.lock().expect("pushing never fails").push(seed),
                    }
                }
            });
        }
    });
    let total = total.into_inner().expect("adding never fails");
    let bad = bad.into_inner().expect("pushing never fails");
    eprint!("{total}");
    assert!(bad.is_empty(), "seeds that went wrong: {bad:?}");
    eprintln!("0 lost, 0 doubled, 0 stale");
}

/// One seed: a site, what happens there, and what became of it.
struct Life {
    site: Site,
    rng: Rng,
    /// Nothing heals: no sweep, no lookback.
    bare: bool,
}

impl Life {
    fn of(seed: u64) -> Life {
        let mut rng = Rng::with_seed(seed ^ 0x5eed);
        let start = Start {
            seed,
            now: Start::NOW + rng.i64(0..24 * HOUR),
            ..Start::calm()
        };
        let (customers, invoices) = (rng.usize(4..20), rng.usize(4..30));
        let data = Distributor::believable(seed, customers, invoices, day(start.now));
        let site = Site::bare(start, data, options());
        site.erp.borrow_mut().quirks.row_cap = [3, 7, 20, 5_000][rng.usize(..4)];
        let bare = rng.bool();
        site.connect(match bare {
            true => json!({"sweep_pages": 0, "lookback_days": 0}),
            false => json!({"sweep_pages": 100}),
        });
        Life { site, rng, bare }
    }

    fn live(mut self) -> Tally {
        invariants::watch(&self.site);
        let backfilled = self.bare || self.rng.bool();
        if backfilled {
            self.site.settle(10);
        }
        self.storm();
        self.calm_down();
        self.look();
        Tally::of(&self.site)
    }

    fn storm(&mut self) {
        let world = &self.site.world;
        let rng = &mut self.rng;
        world.set_weather(Weather::storm(rng));
        let span = STORM * 5 * MINUTE;
        for n in 0..STORM {
            let at = world.now() + n * 5 * MINUTE;
            // Cron calls twice now and then, and a message may come at any time.
            let again = (rng.u8(..4) == 0).then(|| at + rng.i64(0..MINUTE));
            let message = (rng.u8(..4) == 0).then(|| at + rng.i64(0..5 * MINUTE));
            for at in std::iter::once(at).chain(again).chain(message) {
                world.spawn_at(at, "tick", |edge| async move {
                    tick::tick(&edge, &config()).await;
                });
            }
        }
        let people = People::new(&self.site, rng.u64(..), self.bare);
        for _ in 0..rng.usize(..30) {
            people.act(world, span);
        }
        for _ in 0..rng.usize(..4) {
            let request = request(&self.site, rng);
            world.spawn_at(world.now() + rng.i64(0..span), "route", |edge| async move {
                routes::respond(&edge, &config(), request).await;
            });
        }
        world.settle();
    }

    /// Quiet ticks until nothing waits and HubSpot is asked for nothing more.
    fn calm_down(&self) {
        let site = &self.site;
        site.world.set_weather(Weather::calm());
        let mut quiet = 0;
        for _ in 0..80 {
            site.world.advance(Duration::from_secs(600));
            let before = site.hubspot_calls();
            site.tick();
            let waits = site.world.rows(
                "select 1 from records where status = 'waiting'
                 union all select 1 from runs where state in ('asked', 'running')",
            );
            quiet = match waits.is_empty() && site.hubspot_calls() == before {
                true => quiet + 1,
                false => 0,
            };
            if quiet == 2 {
                return;
            }
        }
        let rows = site.world.rows(
            "select feed, key, status, reason, due from records where status = 'waiting'
             union all select kind, id, state, asked, asked_at from runs
             where state in ('asked', 'running')",
        );
        panic!("never quiet: {}", json!(rows));
    }

    fn look(&self) {
        let world = &self.site.world;
        agreement::check(&self.site);
        for run in world.rows("select id, report from runs where report like '%feeds%'") {
            let report = run["report"].as_str().unwrap_or_default();
            let books: Books = serde_json::from_str(report).expect("a report is books");
            for (feed, books) in &books.feeds {
                assert!(books.balance(), "{feed} of {}: {books:?}", run["id"]);
            }
        }
        let most = world.most_connections();
        assert!(most <= 6, "{most} connections wanted at once");
    }
}

/// What somebody asks of the Worker: run now, or send something again.
fn request(site: &Site, rng: &mut Rng) -> http::Request<String> {
    let (path, body) = match rng.u8(..3) {
        0 => ("sync", json!({})),
        1 => ("replay", json!({"status": "failing"})),
        _ => ("replay", json!({"records": [some_record(site, rng)]})),
    };
    http::Request::post(format!("https://sync.example/connections/acme/{path}"))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .body(body.to_string())
        .expect("a request")
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

/// What the seeds came to.
#[derive(Default)]
struct Tally {
    seeds: u64,
    records: u64,
    /// Simulated.
    time: Millis,
    faults: BTreeMap<String, u64>,
}

impl Tally {
    fn of(site: &Site) -> Tally {
        let mut faults = BTreeMap::new();
        for line in site.world.trace() {
            let fate = line.rsplit(' ').next().unwrap_or_default();
            if TROUBLES.contains(&fate) {
                let system = if line.contains(" batch of ") {
                    "D1"
                } else {
                    "HTTP"
                };
                *faults.entry(format!("{system} {fate}")).or_default() += 1;
            }
        }
        let ledger = site.world.rows("select count(*) as n from ledger");
        Tally {
            seeds: 1,
            records: ledger[0]["n"].as_u64().unwrap_or(0),
            time: site.world.now() - Start::NOW,
            faults,
        }
    }

    fn add(&mut self, other: &Tally) {
        self.seeds += other.seeds;
        self.records += other.records;
        self.time += other.time;
        for (fault, count) in &other.faults {
            *self.faults.entry(fault.clone()).or_default() += count;
        }
    }
}

const TROUBLES: [&str; 8] = [
    "Slow",
    "Refused",
    "AnswerLost",
    "FailsAfter",
    "LandsLate",
    "Never",
    "DiesBefore",
    "DiesAfter",
];

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { seeds, records, .. } = self;
        let hours = self.time / HOUR;
        writeln!(
            f,
            "{seeds} seeds, {records} records, {hours} simulated hours"
        )?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {count:>9} {fault}")?;
        }
        Ok(())
    }
}
