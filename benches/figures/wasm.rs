//! The built wasm in workerd with a local D1: rows read and written as D1 counts them, memory, size and
//! start-up.
//!
//! The processor time is that of the whole process of workerd, from /proc where there is one: its
//! local database and its HTTP are in it, and on Cloudflare they are not.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use simulators::{data::Distributor, serve::today};

use crate::cpu::parse_of_a_page;
use crate::loads::{Cost, LOADS, changed, customer, customers_only, distributor_on, one_tick};
use crate::report::{Report, Values, rounded, value};
use crate::site::Site;
use crate::workerd::plant::Plant;

pub fn measure(report: &mut Report) {
    report.section(
        "The built Worker in workerd",
        "Rows are D1's own count, which is what it bills; memory is what the isolate has needed so far.",
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("build/index_bg.wasm").exists() {
        report.missing("the built Worker: `make build` first, or `make bench`");
        return;
    }
    size_and_start(report, root);
    six_hundred(report);
    two_thousand(report);
}

fn size_and_start(report: &mut Report, root: &Path) {
    let said = Command::new("node")
        .arg("benches/startup.mjs")
        .current_dir(root)
        .output();
    // The Worker's own lines, of what it is not configured with, come before the last.
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let last = said.unwrap_or_default();
    let last = last.lines().last().unwrap_or_default();
    let Ok(said) = serde_json::from_str::<Value>(last) else {
        report.missing("size and start-up: benches/startup.mjs did not answer");
        return;
    };
    let whole = |name: &str| said[name].as_u64().unwrap_or(0);
    let values = vec![
        value("KB", whole("raw") / 1_000),
        value("KB gzip", whole("gzip") / 1_000),
    ];
    report.figure(
        "size of the wasm",
        values,
        "3 MB gzip is the limit of the free plan, 10 MB of the paid one",
    );
    let values = vec![
        value("ms", said["ours_ms"].clone()),
        value("ms for an empty Worker", said["empty_ms"].clone()),
    ];
    report.figure("start-up", values, "workerd started until the first answer, median of five; the difference is the Worker's own. The limit is 1 s");
}

/// A hundred customers with an invoice each: first load, nothing new, and all customers changed.
fn six_hundred(report: &mut Report) {
    let mut plant = plant(distributor_on(100, today()));
    let mut tick = |plant: &Plant, name: &str, records: u64, same: Cost, reading: &str| {
        let spent = Spent::in_a_tick(plant);
        report.figure(name, spent.values(records, &same), reading);
    };
    tick(
        &plant,
        "first load of 600 objects",
        200,
        (LOADS[0].run)(),
        "rows written for each SYSPRO record, 100 customers and 100 invoices",
    );
    tick(
        &plant,
        "quiet tick",
        0,
        (LOADS[1].run)(),
        "nothing changed: what is spent every five minutes",
    );
    let all_change = |data: &mut Distributor| {
        for number in 1..=100 {
            data.edit_customer(&customer(number), "Telephone", "+1 555 0100");
        }
    };
    plant.syspro(all_change);
    tick(
        &plant,
        "a hundred changed customers",
        100,
        changed(all_change),
        "found by the sweep, delivered as one chunk",
    );
    plant.stop();
}

/// A full page of customers, with nothing else.
fn two_thousand(report: &mut Report) {
    let old = today() - chrono::Days::new(300);
    let mut plant = plant(customers_only(2_000, old));
    let site = Site::new(customers_only(2_000, old));
    let [loads, unchanged] = [(); 2].map(|()| Cost::of(&site, one_tick));
    let first = Spent::in_a_tick(&plant);
    report.figure(
        "first load of 2,000 customers",
        first.values(2_000, &loads),
        "one page of news, its lookups, and its delivery in 20 chunks",
    );
    let again = Spent::in_a_tick(&plant);
    let mut values = again.values(2_000, &unchanged);
    values.push(value(
        "ms for the bare parse of the same answers, native",
        parse_of_a_page(),
    ));
    report.figure(
        "the same page again, unchanged",
        values,
        "a sweep page without news; rows read are the ledger's",
    );
    plant.stop();
}

fn plant(data: Distributor) -> Plant {
    let mut plant = Plant::of(1, data);
    plant.start();
    plant.connect();
    plant
}

struct Spent {
    /// The tick's own log line.
    told: Value,
    calls: u64,
    seconds: f64,
    processor: Option<f64>,
}

impl Spent {
    fn in_a_tick(plant: &Plant) -> Spent {
        let (before, calls) = (processor(plant), plant.hubspot_calls());
        let (took, told) = plant.tick_told();
        Spent {
            told,
            calls: plant.hubspot_calls() - calls,
            seconds: took.as_secs_f64(),
            processor: before.zip(processor(plant)).map(|(from, to)| to - from),
        }
    }

    /// `same` is what the stand-in counts of the same tick: D1 does not tell what it was handed.
    fn values(&self, records: u64, same: &Cost) -> Values {
        let told = |name: &str| self.told[name].as_u64().unwrap_or(0);
        let mut values = vec![
            value("D1 statements", told("d1_statements")),
            value("rows read", told("d1_rows_read")),
            value("rows written", told("d1_rows_written")),
        ];
        if records > 0 {
            let written = told("d1_rows_written") as f64 / records as f64;
            values.push(value("written a record", rounded(written)));
            let read = told("d1_rows_read") as f64 / records as f64;
            values.push(value("read a record", rounded(read)));
        }
        let read = told("d1_rows_read") as f64 / same.handed_in as f64;
        values.push(value("read for each row handed in", rounded(read)));
        values.push(value("HubSpot calls", self.calls));
        values.push(value(
            "MB of wasm memory",
            rounded(told("memory_bytes") as f64 / 1e6),
        ));
        values.push(value("s", rounded(self.seconds)));
        if let Some(processor) = self.processor {
            values.push(value("s of workerd's processor time", rounded(processor)));
        }
        values
    }
}

/// Seconds that workerd has computed since it started.
fn processor(plant: &Plant) -> Option<f64> {
    const TICKS_IN_A_SECOND: f64 = 100.0;
    let workerds = plant.serve.as_ref()?.workerds().into_iter();
    let spent = workerds.map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name: state is the first field, user and system time the 12th and 13th.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let time = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some((time(11)? + time(12)?) / TICKS_IN_A_SECOND)
    });
    spent.sum()
}
