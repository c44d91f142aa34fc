//! How much of HubSpot's window is used, and whether a 429 comes: in simulated time, at 300 ms a call.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use http::Method;
use serde_json::json;
use simulators::{
    data::Distributor,
    hubspot::{Fault, Kind as Sort, Limits, Rule},
};
use syspro_hubspot_sync::{
    config::Bounds,
    connection::Connection,
    fault::System,
    hubspot::{
        Api, Kind,
        objects::{self, Write},
    },
    origin::Guard,
    pace::{Lane, MOST_WIDTH},
    platform::{MINUTE, Millis, Platform, SECOND, Statement},
    send::{Effect, Halt, Sender},
    sorted::SortedMap,
    store::Store,
};

use crate::loads::{customers_only, until_quiet};
use crate::report::{Report, Values, rounded, value};
use crate::site::{HUBSPOT_TOKEN, Site, day, options};
use crate::world::{HUBSPOT, Shared, Start, Weather, shared};

const COMPANIES: usize = 30_000;
const BATCH: usize = 100;
/// Rows that a delivery takes up at once: with the last of them under way nothing new begins.
const LOT: usize = 300;
/// One way.
const LATENCY: Millis = 150;
const TEN_SECONDS: Millis = 10 * SECOND;
/// The setting's default.
const RATE_SHARE: f64 = 0.8;

/// How calls are kept under way.
#[derive(Clone, Copy)]
enum Manner {
    /// As many as the governor lets, all the time.
    Full,
    /// Lot after lot, as a delivery takes up its rows.
    Lots,
}

#[derive(Clone, Copy)]
enum Trouble {
    None,
    /// Another process with the same token makes so many calls in ten seconds.
    Others(usize),
    /// Every so-manieth call is answered 503, or done and answered 502.
    Failing(u64),
    /// Every so-manieth call is answered 423.
    Locked(u64),
}

struct Scenario {
    name: &'static str,
    reading: &'static str,
    limit: usize,
    manner: Manner,
    trouble: Trouble,
}

const fn scenario(
    name: &'static str,
    limit: usize,
    trouble: Trouble,
    reading: &'static str,
) -> Scenario {
    Scenario {
        name,
        reading,
        limit,
        manner: Manner::Full,
        trouble,
    }
}

const SCENARIOS: [Scenario; 7] = [
    scenario(
        "190 in 10 s",
        190,
        Trouble::None,
        "the floor is 300 calls and no 429",
    ),
    Scenario {
        manner: Manner::Lots,
        ..scenario(
            "190 in 10 s, 300 rows at a time",
            190,
            Trouble::None,
            "as a delivery does it: calls pause between two lots",
        )
    },
    scenario("100 in 10 s", 100, Trouble::None, "the smallest tier"),
    scenario(
        "250 in 10 s",
        250,
        Trouble::None,
        "the largest: 5 calls in flight at 300 ms are 167 in 10 s",
    ),
    scenario(
        "190 in 10 s, a third eaten by others",
        190,
        Trouble::Others(63),
        "another process with the same token, evenly; the share is of what it leaves",
    ),
    scenario(
        "190 in 10 s, 3 % of 5xx",
        190,
        Trouble::Failing(33),
        "503 without effect and 502 after it, in turn; each is sent again after a wait",
    ),
    scenario(
        "190 in 10 s, 4 % of 423",
        190,
        Trouble::Locked(25),
        "each lock is waited out, with fewer calls in flight from then on",
    ),
];

pub fn measure(report: &mut Report) {
    report.section(
        "Pace",
        "30,000 companies by batches of 100 at 300 ms a call, in simulated time. The share allowed is 80 % of the window (`rate_share`); over 100 % is the burst that may go first.",
    );
    for scenario in &SCENARIOS {
        report.figure(scenario.name, bare(scenario), scenario.reading);
    }
    whole(report);
}

fn bare(scenario: &Scenario) -> Values {
    let site = site(scenario.limit, Distributor::empty());
    let others = beset(&site, scenario.trouble);
    let before = site.world.fetch_log().len();
    let (body, manner) = (site.connection(json!({})).to_string(), scenario.manner);
    let halts = site
        .world
        .run(move |edge| async move { deliver(&edge, &body, manner).await });
    assert_eq!(halts, Vec::<String>::new(), "{}", scenario.name);
    let left = match scenario.trouble {
        Trouble::Others(eaten) => scenario.limit - eaten,
        _ => scenario.limit,
    };
    let allowed = (scenario.limit as f64 * RATE_SHARE).min(left as f64);
    let mut values = Wire::of(&site, before).values(allowed);
    let portal = site.portal.borrow();
    values.push(value(
        "companies stored",
        portal.objects(Sort::Company).count(),
    ));
    if let Trouble::Others(_) = scenario.trouble {
        values.push(value("429s of the other process", *others.borrow()));
    }
    values
}

/// 30,000 companies through the [`Sender`]; what could not be sent.
async fn deliver<P: Platform>(edge: &P, body: &str, manner: Manner) -> Vec<String> {
    let connection = Connection::parse(body, &Guard::new(false, "")).expect("a connection");
    let nothing = Statement::new("select 1 as one", []);
    let claimed = Store::claim(edge, "portal", "bench", nothing).await;
    let (store, _) = claimed.expect("a database").expect("a free lease");
    let sender = Sender::new(edge, &connection, None, Some(&store), Bounds::default());
    let batches = (0..COMPANIES / BATCH).map(|number| batch(&sender, &connection, number));
    let mut halts = Vec::new();
    match manner {
        Manner::Lots => {
            let mut batches = batches.peekable();
            while batches.peek().is_some() {
                let lot: Vec<_> = batches.by_ref().take(LOT / BATCH).collect();
                let mut lot = stream::iter(lot).buffer_unordered(MOST_WIDTH);
                while let Some(halt) = lot.next().await {
                    halts.extend(halt);
                }
            }
        }
        Manner::Full => {
            // How many of them are under way is the governor's to say.
            let mut batches = stream::iter(batches).buffer_unordered(2 * MOST_WIDTH);
            while let Some(halt) = batches.next().await {
                halts.extend(halt);
            }
        }
    }
    halts
}

async fn batch<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    number: usize,
) -> Option<String> {
    let api = Api {
        url: connection.hubspot.api_url.clone(),
        version: connection.hubspot.api_version.clone(),
    };
    let key = format!("{}key", connection.hubspot.prefix);
    let companies: Vec<_> = (number * BATCH..(number + 1) * BATCH)
        .map(|at| {
            let name = ("name".to_owned(), format!("Customer {at}"));
            (format!("EDU1/{at:015}"), SortedMap::from([name]))
        })
        .collect();
    let writes: Vec<Write<'_>> = companies
        .iter()
        .map(|(id, properties)| Write {
            id,
            trace: id,
            properties,
        })
        .collect();
    let request = objects::upsert(&api, Kind::Company, &key, &writes);
    let read = |response: &_| objects::read_written(&writes, Some(&key), response);
    let sent = sender
        .hubspot(Lane::General, Effect::Write, request, read)
        .await;
    match sent {
        Ok(_) => None,
        Err(Halt::Fault(fault)) => Some(format!("{:?}: {}", System::HubSpot, fault.sentence())),
        Err(Halt::Spent(bound)) => Some(bound.to_owned()),
        Err(Halt::Store(error)) => Some(format!("{error:?}")),
    }
}

/// A connected site whose portal allows so many calls in ten seconds, far away.
fn site(limit: usize, data: Distributor) -> Site {
    let mut options = options();
    options.limits = Limits {
        general_in_ten_seconds: limit,
        ..Limits::PROFESSIONAL
    };
    let mut start = Start::calm();
    start.weather = far_away();
    let site = Site::bare(start, data, options);
    site.connect(json!({ "rate_share": RATE_SHARE, "sweep_pages": 0, "lookback_days": 0 }));
    // What connecting spent of the window is past.
    site.world.advance(std::time::Duration::from_secs(60));
    site
}

fn far_away() -> Weather {
    let mut weather = Weather::calm();
    weather.latency[0] = LATENCY..LATENCY + 1;
    weather
}

/// Arranges the trouble; how often the other process, if there is one, is told 429.
fn beset(site: &Site, trouble: Trouble) -> Shared<u64> {
    let refused = shared(0);
    let every = |nth: u64, fault: fn(u64) -> Fault| {
        let mut portal = site.portal.borrow_mut();
        for strike in 1..=40 {
            portal.add_fault(Rule {
                method: None,
                matches: "companies/batch/upsert".to_owned(),
                after: strike * nth - 1,
                times: 1,
                fault: fault(strike),
            });
        }
    };
    match trouble {
        Trouble::None => {}
        Trouble::Failing(nth) => every(nth, |strike| match strike % 2 {
            0 => Fault::Html { status: 503 },
            _ => Fault::DoneBut { status: 502 },
        }),
        Trouble::Locked(nth) => every(nth, |_| Fault::Locked),
        Trouble::Others(calls) => {
            let gap = TEN_SECONDS / calls as Millis;
            for at in (0..2 * MINUTE).step_by(gap as usize) {
                let (portal, refused) = (site.portal.clone(), refused.clone());
                site.world.at(site.world.now() + at, move |world| {
                    let answer = portal.borrow_mut().answer(world.now(), &look());
                    *refused.borrow_mut() += u64::from(answer.status() == 429);
                });
            }
        }
    }
    refused
}

/// Something any app may ask.
fn look() -> http::Request<String> {
    http::Request::builder()
        .method(Method::GET)
        .uri(format!("https://{HUBSPOT}/crm/objects/2026-09/companies/1"))
        .header("authorization", format!("Bearer {HUBSPOT_TOKEN}"))
        .body(String::new())
        .expect("a request of constants")
}

/// 30,000 customers with a contact each, by the sync itself, tick after tick.
fn whole(report: &mut Report) {
    let site = site(190, customers_only(COMPANIES, day(Start::NOW)));
    let (before, queries) = (site.world.fetch_log().len(), site.world.queries());
    site.portal.borrow_mut().reset_calls();
    let began = site.world.now();
    let ticks = until_quiet(&site, 100);
    let minutes = (site.world.now() - began) / MINUTE;
    let wire = Wire::of(&site, before);
    let portal = site.portal.borrow();
    let (allowed, mut values) = (190.0 * RATE_SHARE, Vec::new());
    values.extend(wire.values(allowed));
    values.push(value("ticks", ticks));
    values.push(value(
        "simulated minutes, pauses between ticks included",
        minutes,
    ));
    values.push(value("D1 statements", site.world.queries() - queries));
    values.push(value(
        "companies stored",
        portal.objects(Sort::Company).count(),
    ));
    values.push(value(
        "contacts stored",
        portal.objects(Sort::Contact).count(),
    ));
    let name = "30,000 whole customers, 190 in 10 s";
    report.figure(name, values, "company, contact, link and the look for what people have already, by the sync itself; the share is of the time calls were under way");
    report.details(name, portal.calls().iter());
}

/// The calls to HubSpot as they arrived there.
struct Wire {
    landed: Vec<Millis>,
    statuses: BTreeMap<u16, u64>,
}

impl Wire {
    fn of(site: &Site, since: usize) -> Wire {
        let log = site.world.fetch_log();
        let mut wire = Wire {
            landed: Vec::new(),
            statuses: BTreeMap::new(),
        };
        for call in log.iter().skip(since).filter(|call| call.host() == HUBSPOT) {
            wire.landed.extend(call.landed);
            if let Some(Ok(status)) = call.told {
                *wire.statuses.entry(status).or_default() += 1;
            }
        }
        wire.landed.sort_unstable();
        wire
    }

    /// `allowed` calls in ten seconds are ours to make.
    fn values(&self, allowed: f64) -> Values {
        let told = |statuses: std::ops::Range<u16>| -> u64 {
            self.statuses.range(statuses).map(|(_, count)| count).sum()
        };
        let calls = self.landed.len();
        let busy = self.busy() as f64 / TEN_SECONDS as f64;
        let mut values = vec![
            value("calls", calls),
            value("× 429", told(429..430)),
            value(
                "% of the share allowed",
                rounded(100.0 * calls as f64 / (busy * allowed)),
            ),
            value("in the busiest 10 s", self.busiest()),
            value("s", rounded(busy * 10.0)),
        ];
        for (what, statuses) in [("× 423", 423..424), ("× 5xx", 500..600)] {
            let count = told(statuses);
            if count > 0 {
                values.push(value(what, count));
            }
        }
        values
    }

    /// From the first call to the last, but for pauses that are no waiting for the window.
    fn busy(&self) -> Millis {
        let pairs = self.landed.windows(2).map(|pair| pair[1] - pair[0]);
        pairs.filter(|gap| *gap < MINUTE).sum()
    }

    fn busiest(&self) -> usize {
        let mut first = 0;
        let ends = self.landed.iter().enumerate().map(|(at, end)| {
            while *end - self.landed[first] >= TEN_SECONDS {
                first += 1;
            }
            at + 1 - first
        });
        ends.max().unwrap_or(0)
    }
}
