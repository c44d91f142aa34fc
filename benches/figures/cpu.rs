//! What the Worker computes and holds: the time its own steps take, beside a bare JSON parse of the
//! same bytes, and the most memory a page of customers needs.
//!
//! In the world the other systems and the database answer between two steps of the Worker, so that
//! nothing of theirs is in it. Time is the processor's, for this thread.

use std::{cell::Cell, rc::Rc, time::Duration};

use chrono::Days;
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use syspro_hubspot_sync::platform::NoAnswer;

use crate::ALLOCATED;
use crate::loads::{customers_only, many_of, until_quiet};
use crate::report::{Report, rounded, value};
use crate::site::{Site, day, options};
use crate::world::{ERP, HUBSPOT, Landing, Shared, Start, shared};
use simulators::data::Distributor;

const CUSTOMERS: usize = 10_000;
const WITH_INVOICES: usize = 1_000;

pub fn measure(report: &mut Report) {
    report.section(
        "Processor time and memory, native",
        "Optimised for speed, as the wasm is not. Times tell of this machine; the ratio to the bare parse is the figure.",
    );
    let old = day(Start::NOW) - Days::new(300);
    phases(report, "customers", customers_only(CUSTOMERS, old));
    phases(
        report,
        "customers with 5 invoices of 4 lines",
        many_of(WITH_INVOICES),
    );
    memory(report);
}

/// Reads all of it while HubSpot is away, looks at it again, and then sends it.
fn phases(report: &mut Report, what: &str, data: Distributor) {
    let site = Site::bare(Start::calm(), data, options());
    site.connect(json!({ "sweep_pages": 10, "lookback_days": 0 }));
    site.world.unplug(HUBSPOT, NoAnswer::Refused);
    let meter = Meter::on(&site);

    site.next_tick();
    let read = meter.take(ERP);
    tell(
        report,
        &format!("ingest of {what}, all news"),
        &read,
        "read, compared, mapped, hashed; bytes are SYSPRO's answers",
    );

    // One pass more is owed after the backfill, and HubSpot's park ends meanwhile.
    for _ in 0..6 {
        site.next_tick();
    }
    meter.take(ERP);
    site.next_tick();
    let again = meter.take(ERP);
    tell(
        report,
        &format!("ingest of {what}, unchanged"),
        &again,
        "read and compared",
    );

    site.world.plug_in(HUBSPOT);
    site.world.advance(Duration::from_secs(7 * 3_600));
    meter.take(HUBSPOT);
    until_quiet(&site, 100);
    let mut sent = meter.take(HUBSPOT);
    sent.rows = read.rows;
    tell(
        report,
        &format!("delivery of {what}"),
        &sent,
        "of the rows that were read; bytes are both ways over the wire to HubSpot",
    );
}

fn tell(report: &mut Report, name: &str, spent: &Spent, reading: &str) {
    let parse = spent.parse();
    let per_thousand = |time: Duration| time.as_secs_f64() * 1e6 / spent.rows as f64;
    let values = vec![
        value("rows", spent.rows),
        value("bytes", spent.bodies.iter().map(Vec::len).sum::<usize>()),
        value(
            "rows/s",
            (spent.rows as f64 / spent.steps.as_secs_f64()) as u64,
        ),
        value("ms per 1,000 rows", rounded(per_thousand(spent.steps))),
        value("ms for the bare parse", rounded(per_thousand(parse))),
        value(
            "× the bare parse",
            rounded(spent.steps.as_secs_f64() / parse.as_secs_f64()),
        ),
    ];
    report.figure(name, values, reading);
}

/// Milliseconds for a bare parse of what SYSPRO answers in a tick that looks at 2,000 customers again.
pub fn parse_of_a_page() -> Value {
    let old = day(Start::NOW) - Days::new(300);
    let site = Site::new(customers_only(2_000, old));
    site.tick();
    let meter = Meter::on(&site);
    site.next_tick();
    rounded(meter.take(ERP).parse().as_secs_f64() * 1e3)
}

/// What the Worker's own steps took, and what went over the wire meanwhile.
#[derive(Default)]
struct Spent {
    steps: Duration,
    bodies: Vec<Vec<u8>>,
    rows: u64,
}

impl Spent {
    /// The time to read the same bytes as JSON, and nothing more.
    fn parse(&self) -> Duration {
        let began = ThreadTime::now();
        for body in &self.bodies {
            let read: Result<Value, _> = serde_json::from_slice(body);
            std::hint::black_box(read.is_ok());
        }
        began.elapsed()
    }
}

struct Meter {
    steps: Rc<Cell<Duration>>,
    wire: Shared<Vec<(String, Vec<u8>)>>,
}

impl Meter {
    fn on(site: &Site) -> Meter {
        let meter = Meter {
            steps: Rc::default(),
            wire: shared(Vec::new()),
        };
        let (steps, wire) = (meter.steps.clone(), meter.wire.clone());
        site.world.around_steps(move |step| {
            let began = ThreadTime::now();
            step();
            steps.set(steps.get() + began.elapsed());
        });
        site.world.on_landing(move |_, landing| {
            if let Landing::Exchange { request, response } = landing {
                let host = request.uri().host().unwrap_or_default();
                let mut wire = wire.borrow_mut();
                let answer = response.map(|response| response.body().clone());
                let bodies = [Some(request.body().clone().into_bytes()), answer];
                let bodies = bodies.into_iter().flatten().filter(|body| !body.is_empty());
                wire.extend(bodies.map(|body| (host.to_owned(), body)));
            }
        });
        meter
    }

    /// What was spent since the last time, with the bytes that this host sent and got.
    fn take(&self, host: &str) -> Spent {
        let wire = self.wire.take().into_iter();
        let bodies: Vec<Vec<u8>> = wire
            .filter(|(its, _)| its == host)
            .map(|(_, body)| body)
            .collect();
        let rows = bodies.iter().map(|body| {
            let read: Value = serde_json::from_slice(body).unwrap_or_default();
            read["value"].as_array().map_or(0, Vec::len) as u64
        });
        Spent {
            steps: self.steps.take(),
            rows: rows.sum(),
            bodies,
        }
    }
}

/// The most that is held in the Worker's own steps above what stood before the tick: its page of 2,000
/// customers, and what the world keeps of the story.
fn memory(report: &mut Report) {
    let old = day(Start::NOW) - Days::new(300);
    let site = Site::new(customers_only(2_000, old));
    site.world.unplug(HUBSPOT, NoAnswer::Refused);
    let before = ALLOCATED.current_usage();
    let most = Rc::new(Cell::new(0));
    let kept = most.clone();
    site.world.around_steps(move |step| {
        ALLOCATED.reset_peak_usage();
        step();
        kept.set(kept.get().max(ALLOCATED.peak_usage()));
    });
    site.next_tick();
    let most = most.get().saturating_sub(before);
    let values = vec![value("MB", rounded(most as f64 / 1e6))];
    report.figure("peak memory of a page of 2,000 customers", values, "allocated above what stood before the tick, the page's bytes included; 128 MB is the platform's limit");
}
