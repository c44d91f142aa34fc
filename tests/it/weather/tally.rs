//! What the seeds came to: how much was lived through, and what went wrong how often.

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

use syspro_hubspot_sync::platform::{HOUR, Millis};

use crate::{
    site::Site,
    world::{ERP, Fate, HUBSPOT, Start, TROUBLES},
};

/// What people did and which troubles were arranged, counted while it happens.
#[derive(Clone, Default)]
pub struct Events(Rc<RefCell<BTreeMap<String, u64>>>);

impl Events {
    pub fn count(&self, what: &str) {
        *self.0.borrow_mut().entry(what.to_owned()).or_default() += 1;
    }
}

#[derive(Default)]
pub struct Tally {
    seeds: u64,
    records: u64,
    /// Simulated.
    time: Millis,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    pub fn of(site: &Site, events: &Events) -> Tally {
        let mut counts = events.0.borrow().clone();
        let mut count = |what: String| *counts.entry(what).or_default() += 1;
        for call in site.world.fetch_log().iter() {
            let system = match call.host() {
                ERP => "SYSPRO",
                _ => "HubSpot",
            };
            match (call.fate, &call.told) {
                (Some(Fate::Answers) | None, Some(Ok(status))) => {
                    if *status >= 400 || (*status == 207 && call.host() == HUBSPOT) {
                        count(format!("{system}: answers {status}"));
                    }
                }
                (Some(Fate::Answers) | None, _) => {}
                (Some(fate), _) => count(format!("{system}: {}", named(fate))),
            }
        }
        for line in site.world.trace() {
            let fate = line.rsplit(' ').next().unwrap_or_default();
            let fate = TROUBLES.iter().find(|each| format!("{each:?}") == fate);
            if let (Some(fate), true) = (fate, line.contains(" batch of ")) {
                count(format!("D1: {}", named(*fate)));
            }
        }
        let ledger = site.world.rows("select count(*) as n from ledger");
        Tally {
            seeds: 1,
            records: ledger[0]["n"].as_u64().unwrap_or(0),
            time: site.world.now() - Start::NOW,
            counts,
        }
    }

    pub fn add(&mut self, other: &Tally) {
        self.seeds += other.seeds;
        self.records += other.records;
        self.time += other.time;
        for (what, count) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
    }
}

fn named(fate: Fate) -> &'static str {
    match fate {
        Fate::Answers => "answers",
        Fate::Slow => "slow",
        Fate::Refused => "not reached",
        Fate::AnswerLost => "done, answer lost",
        Fate::FailsAfter => "done, then an error",
        Fate::LandsLate => "done after the caller gave up",
        Fate::Never => "silent, never done",
        Fate::DiesBefore => "Worker dies, not done",
        Fate::DiesAfter => "Worker dies, done",
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { seeds, records, .. } = self;
        let hours = self.time / HOUR;
        writeln!(
            f,
            "{seeds} seeds, {records} records, {hours} simulated hours"
        )?;
        for (what, count) in &self.counts {
            writeln!(f, "  {count:>9} {what}")?;
        }
        Ok(())
    }
}
