//! The world keeps its own promises, or no test in it means anything.

mod fates;
mod remotes;

use std::collections::BTreeMap;

use futures_util::future::{join_all, pending};
use serde_json::json;
use syspro_hubspot_sync::platform::{
    Allow, MINUTE, NoAnswer, Platform, SECOND, Statement, StoreError,
};

use super::*;

/// A system that remembers when it was asked what.
#[derive(Default)]
struct Echo {
    heard: Vec<(Millis, String)>,
    arranged: BTreeMap<&'static str, Reply>,
}

impl Remote for Echo {
    fn answer(&mut self, now: Millis, request: &Request) -> Response {
        self.heard.push((now, request.uri().path().to_owned()));
        http::Response::new(b"heard".to_vec())
    }

    fn exchange(&mut self, now: Millis, request: &Request) -> Reply {
        let arranged = self.arranged.remove(request.uri().path());
        if let Some(Reply::After(..) | Reply::Done) = arranged {
            self.answer(now, request);
        }
        arranged.unwrap_or_else(|| Reply::Now(self.answer(now, request)))
    }
}

fn world(start: Start) -> (World, Shared<Echo>) {
    let echo = shared(Echo::default());
    let world = World::new(start, &shared(Echo::default()), &echo);
    (world, echo)
}

fn under(weather: Weather) -> (World, Shared<Echo>) {
    world(Start {
        weather,
        ..Start::calm()
    })
}

const ALLOW: Allow = Allow {
    within: Duration::from_secs(30),
    max_bytes: 100,
};

async fn ask(world: &Invocation, path: &str) -> Result<u16, NoAnswer> {
    let uri = format!("https://{HUBSPOT}{path}");
    let request = http::Request::get(uri).body(String::new()).expect("valid");
    let answer = world.fetch(&request, ALLOW).await;
    answer.map(|response| response.status().as_u16())
}

async fn write(world: &Invocation, sql: &'static str) -> Result<Vec<Vec<Value>>, StoreError> {
    world.batch(&[Statement::new(sql, [])]).await
}

/// Milliseconds since the world began at which the system was asked.
fn heard(echo: &Shared<Echo>) -> Vec<Millis> {
    let echo = echo.borrow();
    echo.heard.iter().map(|(at, _)| at - Start::NOW).collect()
}

const TABLE: &str = "create table t(id integer primary key) strict";
const INSERT: &str = "insert into t default values";

#[test]
fn calm_is_calm() {
    let echo = shared(Echo::default());
    let world = World::calm(&shared(Echo::default()), &echo);
    let said = world.run(|inv| async move {
        let answer = ask(&inv, "/a?b=c").await;
        inv.sleep(Duration::from_secs(60)).await;
        let rows = write(&inv, "select 1 as one").await;
        inv.log("a line");
        (answer, rows, inv.now() - Start::NOW)
    });
    assert_eq!(said, (Ok(200), Ok(vec![vec![json!({"one": 1})]]), 60_046));
    assert_eq!(heard(&echo), [20]);
    let log = world.fetch_log();
    let call = log.first().expect("one call");
    assert_eq!((call.line().as_str(), call.body()), ("GET /a?b=c", ""));
    assert_eq!((call.host(), call.told), (HUBSPOT, Some(Ok(200))));
    let since = |at: Option<Millis>| at.map(|at| at - call.issued);
    assert_eq!(
        (since(call.landed), since(call.answered)),
        (Some(20), Some(40))
    );
    assert_eq!((world.logs(), world.queries()), (vec!["a line".into()], 1));
}

#[test]
fn same_seed_same_story() {
    let story = |seed| {
        let (world, _) = world(Start::storm(seed));
        world.run(|inv| async move { inv.now() });
        for minute in 0..4 {
            world.spawn_at(Start::NOW + minute * MINUTE, "tick", |inv| async move {
                for _ in 0..10 {
                    join_all((0..4).map(|_| ask(&inv, "/"))).await;
                    let _ = write(&inv, "select 1 as one").await;
                    inv.sleep(Duration::from_secs(5)).await;
                }
            });
        }
        world.settle();
        world.trace()
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
    assert!(story(7).len() > 50);
}

#[test]
fn a_seventh_connection_waits_its_turn() {
    let (world, echo) = world(Start::calm());
    world.run(|inv| async move { join_all((0..8).map(|_| ask(&inv, "/"))).await });
    assert_eq!(heard(&echo), [20, 20, 20, 20, 20, 20, 60, 60]);
    assert_eq!(world.most_connections(), 8);
}

#[test]
fn waiting_for_a_turn_counts_towards_the_time_allowed() {
    let (world, echo) = under(Weather::always(Effect::Http, Fate::Never));
    let told = world.run(|inv| async move { join_all((0..7).map(|_| ask(&inv, "/"))).await });
    assert_eq!(told, [Err(NoAnswer::TimedOut); 7]);
    assert_eq!(world.now() - Start::NOW, 30 * SECOND);
    world.settle();
    assert!(heard(&echo).is_empty());
}

#[test]
fn caps_bite() {
    let caps = Caps {
        queries: 3,
        subrequests: 3,
        ..Caps::PAID
    };
    let ending = |body: fn(Invocation) -> std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let (world, _) = world(Start {
            caps,
            ..Start::calm()
        });
        let task = world.spawn_at(world.now(), "tick", body);
        world.settle();
        world.ending(task)
    };
    let queries = ending(|inv| {
        Box::pin(async move {
            let one = || Statement::new("select 1 as one", []);
            let _ = inv.batch(&[one(), one(), one()]).await;
            let _ = inv.batch(&[one()]).await;
        })
    });
    assert_eq!(queries, Some(Ending::Died("past the cap of queries")));
    let subrequests = ending(|inv| {
        Box::pin(async move {
            join_all((0..4).map(|_| ask(&inv, "/"))).await;
        })
    });
    assert_eq!(
        subrequests,
        Some(Ending::Died("past the cap of subrequests"))
    );
    let wall = ending(|inv| Box::pin(async move { inv.sleep(Duration::from_secs(901)).await }));
    assert_eq!(wall, Some(Ending::Died("past its wall time")));
}

#[test]
fn a_long_body_and_an_unknown_host() {
    let (world, _) = world(Start::calm());
    let told = world.run(|inv| async move {
        let get = |uri: &str| http::Request::get(uri).body(String::new()).expect("valid");
        let tight = Allow {
            max_bytes: 4,
            ..ALLOW
        };
        let long = inv.fetch(&get("https://erp.example/"), tight).await;
        let nowhere = inv.fetch(&get("https://nowhere.example/"), ALLOW).await;
        (long.err(), nowhere.err())
    });
    assert_eq!(told, (Some(NoAnswer::TooLong), Some(NoAnswer::NoSuchHost)));
}

#[test]
fn an_unplugged_host_is_not_reached_in_the_way_that_was_said() {
    let (world, _) = world(Start::calm());
    let mut told = Vec::new();
    for how in [
        NoAnswer::Refused,
        NoAnswer::BadCertificate,
        NoAnswer::TimedOut,
    ] {
        world.unplug(ERP, how);
        let before = world.now();
        let answer = world.run(|inv| async move {
            let get = http::Request::get("https://erp.example/").body(String::new());
            inv.fetch(&get.expect("valid"), ALLOW).await
        });
        told.push((answer.err(), world.now() - before));
    }
    let within = ALLOW.within.as_millis() as Millis;
    let expected = [
        (Some(NoAnswer::Refused), 0),
        (Some(NoAnswer::BadCertificate), 0),
        (Some(NoAnswer::TimedOut), within),
    ];
    assert_eq!(told, expected);
    world.plug_in(ERP);
    let answer = world.run(|inv| async move {
        let get = http::Request::get("https://erp.example/").body(String::new());
        inv.fetch(&get.expect("valid"), ALLOW).await
    });
    assert!(answer.is_ok());
}

#[test]
#[should_panic(expected = "deadlock")]
fn waiting_for_nothing_is_a_failure() {
    world(Start::calm()).0.run(|_| pending::<()>());
}

#[test]
fn landings_are_seen_as_they_happen() {
    let (world, echo) = world(Start::calm());
    echo.borrow_mut()
        .arranged
        .insert("/late", Reply::DoneLater(500));
    let (seen, asked) = (Rc::new(RefCell::new(Vec::new())), echo.clone());
    let kept = seen.clone();
    world.on_landing(move |world, landing| {
        let what = match landing {
            Landing::Exchange { request, response } => {
                format!("{} {}", request.uri().path(), response.is_some())
            }
            Landing::Batch { statements, rows } => format!("{} {rows:?}", statements[0].sql),
        };
        let tables = world.rows("select name from sqlite_master where name = 't'");
        kept.borrow_mut()
            .push((what, tables.len(), asked.borrow().heard.len()));
    });
    world.run(|inv| async move {
        let _ = ask(&inv, "/late").await;
        let _ = write(&inv, TABLE).await;
    });
    world.settle();
    let expected = [(format!("{TABLE} [[]]"), 1, 0), ("/late true".into(), 1, 1)];
    assert_eq!(*seen.borrow(), expected);
}

/// The one promise the sync's own margins rest on.
#[test]
fn time_moves_by_itself_and_things_happen_in_it() {
    let (world, echo) = world(Start::calm());
    let edited = echo.clone();
    world.at(world.now() + MINUTE, move |world| {
        edited
            .borrow_mut()
            .heard
            .push((world.now(), "an edit".into()));
    });
    world.advance(Duration::from_secs(59));
    assert!(heard(&echo).is_empty());
    world.advance(Duration::from_secs(1));
    assert_eq!(heard(&echo), [60_000]);
}

#[test]
fn every_invocation_has_a_clock_of_its_own() {
    let mut weather = Weather::calm();
    weather.skew = 5 * SECOND;
    let (world, _) = under(weather);
    let clocks: Vec<Millis> = (0..10)
        .map(|_| world.run(|inv| async move { inv.now() }) - world.now())
        .collect();
    assert!(clocks.iter().all(|skew| skew.abs() <= 5 * SECOND));
    assert!(
        clocks.windows(2).any(|pair| pair[0] != pair[1]),
        "{clocks:?}"
    );
}

#[test]
fn randomness_comes_from_the_seed() {
    let bytes = |seed| {
        let (world, _) = world(Start {
            seed,
            ..Start::calm()
        });
        world.run(|inv| async move {
            let mut bytes = [0; 16];
            inv.random(&mut bytes);
            bytes
        })
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn an_invocations_own_steps_can_be_watched() {
    let (world, _) = world(Start::calm());
    let steps = Rc::new(RefCell::new(0));
    let kept = steps.clone();
    world.around_steps(move |step| {
        step();
        *kept.borrow_mut() += 1;
    });
    world.run(|inv| async move { ask(&inv, "/").await.is_ok() });
    // To its one call, and from the answer to its end.
    assert_eq!(*steps.borrow(), 2);
}
