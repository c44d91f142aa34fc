//! Turns by queue: a cron call only says whose turn it is, and each run is an invocation of its own.

use serde_json::{Value, json};
use simulators::{
    hubspot::{Kind, Options, Portal},
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::{
    config::Config,
    platform::{MINUTE, NoAnswer, SECOND},
    tick::Turns,
};

use super::{company, distributor, loaded, rivals};
use crate::agreement;
use crate::queue::Queue;
use crate::site::{ODATA_PASSWORD, Site, config, config_with, options};
use crate::world::{ERP, Effect, Fate, Weather, shared};

/// A cron call now, and every message it leads to, each when the one before it is done.
fn cron(site: &Site, config: Config) -> usize {
    let queue = Queue::default();
    queue.cron_at(&site.world, site.world.now(), config.clone());
    site.world.settle();
    let mut delivered = 0;
    while queue.len() > 0 {
        queue.deliver_at(&site.world, site.world.now(), config.clone(), false);
        site.world.settle();
        delivered += 1;
        assert!(delivered < 100, "it goes round for ever");
    }
    delivered
}

fn runs(site: &Site, connection: &str) -> Vec<Value> {
    let runs = site.get(&format!("/connections/{connection}/runs"));
    runs["runs"].as_array().expect("a list").clone()
}

#[test]
fn a_backfill_that_is_too_much_for_one_run_goes_on_by_itself() {
    let site = Site::with(distributor(700), options(), json!({}));
    let bounds = [("MAX_ROWS", "1000"), ("MAX_CALLS", "15")];
    let delivered = cron(&site, config_with(&bounds));
    assert!(delivered > 3, "{delivered} messages");
    agreement::check(&site);
    let runs = runs(&site, "acme");
    let spent = runs.iter().filter(|run| run["report"]["spent"].is_string());
    assert_eq!(
        spent.count(),
        delivered - 1,
        "each run but the last: {runs:#?}"
    );
    assert_eq!(cron(&site, config()), 1, "a quiet tick has no second run");
}

#[test]
fn a_replay_of_many_goes_on_by_itself() {
    let site = loaded(600);
    let all = json!({ "feed": "customers", "since": "2026-01-01T00:00:00Z" }).to_string();
    let asked = site.ask("POST", "/connections/acme/replay", &all);
    assert_eq!(asked.status, 202, "{}", asked.body);
    cron(&site, config());
    let left = site
        .world
        .rows("select 1 from records where status = 'waiting'");
    assert_eq!(
        left.len(),
        0,
        "all were read and sent again without a further tick"
    );
}

#[test]
fn what_is_asked_for_has_its_turn_at_once() {
    let site = loaded(1);
    site.erp
        .borrow_mut()
        .data
        .edit_customer("000000000000001", "Name", "Renamed Inc");
    let queue = Queue::default();
    let (asked, turns) = site.ask_for_turns("POST", "/connections/acme/sync", "");
    assert_eq!(asked.status, 202, "{}", asked.body);
    queue.send(turns.expect("whose turn it is"));
    queue.deliver_at(&site.world, site.world.now(), config(), false);
    site.world.settle();
    let run = asked.body["run"].as_str().expect("an id");
    let run = site.get(&format!("/connections/acme/runs/{run}"));
    assert_eq!(run["state"], "green", "{run}");
    let (listed, turns) = site.ask_for_turns("GET", "/connections/acme/runs", "");
    assert_eq!(
        (listed.status, turns),
        (200, None),
        "who only looks wakes nobody"
    );
}

/// The first connection's SYSPRO takes twenty seconds for every answer.
#[test]
fn a_slow_syspro_delays_no_other_connection() {
    let site = with_another_portal();
    site.erp.borrow_mut().quirks.slow = 20_000;
    let queue = Queue::default();
    let began = site.world.now();
    queue.cron_at(&site.world, began, two_portals());
    site.world.settle();
    assert_eq!(queue.len(), 2, "a message for each portal");
    for _ in 0..2 {
        queue.deliver_at(&site.world, site.world.now(), two_portals(), false);
    }
    site.world.settle();
    let took = |id: &str| {
        let ended = format!("select last_run_at from connections where id = '{id}'");
        let ended = site.world.rows(&ended)[0]["last_run_at"].as_i64();
        ended.expect("its end") - began
    };
    let (slow, other) = (took("acme"), took("beta"));
    assert!(slow > MINUTE, "{slow} ms: it was not slow");
    assert!(other < 20 * SECOND, "{other} ms beside {slow} ms");
}

fn two_portals() -> Config {
    config_with(&[("ALLOW_HOSTS", HUBSPOT2)])
}

const ERP2: &str = "erp2.example";
const HUBSPOT2: &str = "hubspot2.example";

fn with_another_portal() -> Site {
    let site = loaded(3);
    site.deploy_with(&[("ALLOW_HOSTS", HUBSPOT2)]);
    let credentials = Credentials {
        odata_password: ODATA_PASSWORD.to_owned(),
        ..Credentials::default()
    };
    let server = Server::new(distributor(3), credentials);
    let portal = Portal::new(
        1,
        Options {
            portal_id: 2_222_222,
            ..options()
        },
    );
    site.world.join(ERP2, &shared(server));
    site.world.join(HUBSPOT2, &shared(portal));
    let mut body = site.connection(json!({}));
    body["id"] = json!("beta");
    body["syspro"]["odata_url"] = json!(format!("https://{ERP2}/SYSPRO8Odata/SYSPROOData"));
    body["hubspot"]["api_url"] = json!(format!("https://{HUBSPOT2}"));
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.body["state"], "active", "{}", made.body);
    site
}

#[test]
fn connections_of_one_portal_follow_each_other() {
    let site = rivals::with_neighbour();
    assert_eq!(cron(&site, config()), 2);
    assert_eq!(
        site.value(Kind::Company, rivals::NEIGHBOUR, "name"),
        "Neighbour 1"
    );
}

#[test]
fn a_message_that_finds_the_portal_taken_has_nothing_to_do() {
    let site = loaded(1);
    site.erp.borrow_mut().quirks.slow = 5_000;
    let queue = Queue::default();
    let now = site.world.now();
    queue.cron_at(&site.world, now, config());
    queue.deliver_at(&site.world, now + SECOND, config(), true);
    site.world.advance(std::time::Duration::from_secs(2));
    let before = site.world.queries();
    queue.deliver_at(&site.world, now + 3 * SECOND, config(), false);
    site.world.advance(std::time::Duration::from_secs(2));
    assert_eq!(
        site.world.queries() - before,
        2,
        "the claim, and what it would have begun with"
    );
    site.world.settle();
    assert_eq!(queue.len(), 0, "nobody tries it again");
}

#[test]
fn what_is_tried_in_vain_marks_its_run_and_lets_the_next_one_on() {
    let site = rivals::with_neighbour();
    site.tick();
    let turns: Turns = serde_json::from_value(json!({
        "portal": site.world.rows("select portal from connections")[0]["portal"],
        "connections": ["acme", "beta"],
        "rounds": 5,
    }))
    .expect("turns");
    let (told, now) = (runs(&site, "acme").len(), site.world.now() + 1_000);
    let heard = site
        .world
        .run(move |edge| async move { turns.give_up(&edge).await });
    let next = heard.next.map(|next| json!(next)["connections"].clone());
    assert_eq!(next, Some(json!(["beta"])));
    let runs = runs(&site, "acme");
    assert_eq!(runs.len(), told + 1);
    let newest = &runs[0];
    assert_eq!(
        (&newest["kind"], &newest["state"]),
        (&json!("cron"), &json!("red"))
    );
    assert_eq!(
        newest["report"]["problems"][0]["code"], "given_up",
        "{newest}"
    );
    let ran = site
        .world
        .rows("select id from connections order by last_run_at, id");
    assert_eq!(
        ran[0]["id"], "beta",
        "the next tick begins with it: {ran:?} at {now}"
    );
}

#[test]
fn a_dead_letter_of_a_connection_that_was_removed_says_nothing() {
    let site = loaded(1);
    let turns = Turns::one("1", "removed");
    let heard = site
        .world
        .run(move |edge| async move { turns.give_up(&edge).await });
    assert_eq!((heard.next, heard.again), (None, false));
}

/// D1 is away: the message is tried again, and once D1 is back nothing is missing.
#[test]
fn a_run_that_the_database_stops_is_tried_again() {
    let site = Site::with(distributor(3), options(), json!({}));
    let queue = Queue::default();
    queue.cron_at(&site.world, site.world.now(), config());
    site.world.settle();
    site.world
        .set_weather(Weather::always(Effect::D1, Fate::Never));
    queue.deliver_at(&site.world, site.world.now(), config(), false);
    site.world.settle();
    assert_eq!(queue.len(), 1, "it is kept");
    site.world.set_weather(Weather::calm());
    site.world.advance(std::time::Duration::from_secs(180));
    queue.deliver_at(&site.world, site.world.now(), config(), false);
    site.world.settle();
    agreement::check(&site);
}

#[test]
fn a_connection_whose_syspro_is_away_is_not_run_again_at_once() {
    let site = loaded(1);
    site.world.unplug(ERP, NoAnswer::Broken);
    assert_eq!(cron(&site, config()), 1);
    assert!(!site.object(Kind::Company, &company(1)).archived);
}
