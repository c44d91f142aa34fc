//! `make bench`: what the sync costs, measured in the tests' own world and in workerd.
//!
//! Counts and ratios are the figures: they repeat. Times are context: they tell of the machine, and
//! stand beside a bare JSON parse of the same bytes in the same run. `ONLY=pace` measures one part.

mod calls;
mod cpu;
mod pace;
mod report;
mod wasm;

/// The tests' own: there is one implementation of the simulated world, and one of the plant.
#[allow(dead_code, unused_imports, reason = "the tests need more of it")]
#[path = "../../tests/it"]
mod it {
    pub mod agreement;
    pub mod loads;
    pub mod site;
    pub mod workerd;
    pub mod world;
}

use it::{agreement, loads, site, workerd, world};
use report::Report;

/// Counts what is allocated, and nothing else.
#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

type Part = (&'static str, fn(&mut Report));

const PARTS: [Part; 4] = [
    ("calls", calls::measure),
    ("pace", pace::measure),
    ("cpu", cpu::measure),
    ("wasm", wasm::measure),
];

fn main() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut report = Report::default();
    for (name, measure) in PARTS {
        if only.is_empty() || only == name {
            measure(&mut report);
        }
    }
    // A part alone must not take the place of the whole.
    if only.is_empty() {
        report.keep();
    }
}
