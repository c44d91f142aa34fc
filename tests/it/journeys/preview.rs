//! A preview: looked at before anything is written, and then it comes about as it was told.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice},
    hubspot::Kind,
    peopled::Case,
};

mod ended;

use super::home::unconnected;
use super::{company, customer, distributor, first_invoice, hubspot_key, lines, loaded};
use crate::agreement;
use crate::site::{Site, day, options};
use crate::world::{Fate, Start, Weather, seeds};

const PATH: &str = "/connections/acme/preview";

/// A connection that was made paused: nothing was written yet.
fn paused(data: Distributor, settings: Json) -> Site {
    let site = Site::bare(Start::calm(), data, options());
    make_paused(&site, settings);
    site
}

fn make_paused(site: &Site, settings: Json) {
    let mut body = site.connection(settings);
    body["paused"] = json!(true);
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["state"], "paused", "{}", made.body);
    site.portal.borrow_mut().reset_calls();
}

fn ask(site: &Site) -> String {
    let asked = site.ask("POST", PATH, "");
    assert_eq!(asked.status, 202, "{}", asked.body);
    asked.body["run"].as_str().expect("a run").to_owned()
}

fn run(site: &Site, id: &str) -> Json {
    site.get(&format!("/connections/acme/runs/{id}"))
}

/// Ticks until the preview has come to its end, and how many it took.
fn ended(site: &Site, id: &str, tick: impl Fn(&Site)) -> (Json, usize) {
    for ticks in 1..200 {
        tick(site);
        let run = run(site, id);
        if run["state"] != "running" && run["state"] != "asked" {
            return (run, ticks);
        }
    }
    panic!("no end: {:#}", run(site, id));
}

fn preview(site: &Site) -> Json {
    let id = ask(site);
    ended(site, &id, Site::next_tick).0
}

fn resume(site: &Site) {
    let patched = site.ask("PATCH", "/connections/acme", r#"{"paused":false}"#);
    assert_eq!(patched.body["state"], "active", "{}", patched.body);
    site.portal.borrow_mut().reset_calls();
}

/// What a preview may change nowhere: HubSpot, and the connection's own rows.
fn untouched(site: &Site) -> (Json, Json) {
    let rows = |table: &str| {
        let sql = format!("select * from {table} where connection = 'acme'");
        json!(site.world.rows(&sql))
    };
    let tables = ["ledger", "targets", "cursors", "audit", "lookups"];
    (
        site.portal.borrow().state(),
        tables.iter().map(|table| rows(table)).collect(),
    )
}

fn nothing_is_left(site: &Site) {
    for table in [
        "ledger",
        "targets",
        "cursors",
        "lookups",
        "deals",
        "deal_links",
        "audit",
    ] {
        let sql = format!("select * from {table} where connection <> 'acme'");
        assert_eq!(site.world.rows(&sql), Vec::<Json>::new(), "{table}");
    }
    assert_eq!(site.world.rows("select id from connections").len(), 1);
}

fn reads_only(site: &Site) {
    for label in site.calls_by_endpoint().keys() {
        let reads = ["batch/read", "/search", "GET "];
        assert!(reads.iter().any(|read| label.contains(read)), "{label}");
    }
}

/// Some that will be in sync, some that fail, some that are left out, two that share a mailbox.
fn mixed(customers: usize) -> Distributor {
    let today = day(Start::NOW);
    let mut data = distributor(customers);
    let mut add = |name: &str, email: &str, currency: &str, added: bool| {
        let key = data.add_customer(NewCustomer {
            name: name.to_owned(),
            contact: "Kim Doe".to_owned(),
            email: email.to_owned(),
            added: added.then_some(today),
            ..NewCustomer::default()
        });
        if added {
            data.post_invoice(NewInvoice {
                currency: Some(currency.to_owned()),
                ..NewInvoice::of(&key, today, lines())
            });
        }
    };
    add("Foreign Ltd", "kim@foreign.example", "XXX", true);
    add("Second Ltd", "JO@customer1.example", "$", true);
    add("Asleep Ltd", "kim@asleep.example", "$", false);
    data
}

/// How many records each feed has in which state.
fn states(site: &Site) -> BTreeMap<String, Json> {
    let feeds = &site.get("/connections/acme")["feeds"];
    let of = |feed: &str| {
        let names = ["synced", "waiting", "failing", "excluded"];
        let counts = names.iter().map(|name| (*name, feeds[feed][name].clone()));
        (feed.to_owned(), counts.collect())
    };
    ["customers", "invoices"].map(of).into()
}

fn compare(site: &Site, report: &Json) {
    for (feed, states) in states(site) {
        assert_eq!(report["records"][&feed], states, "{feed}: {report:#}");
    }
    let calls: BTreeMap<String, u64> = site.calls_by_endpoint();
    assert_eq!(report["hubspot"]["by_endpoint"], json!(calls), "{report:#}");
    let sum = calls.values().sum::<u64>();
    assert_eq!(report["hubspot"]["calls"], sum);
    let share = sum as f64 / options().limits.daily as f64;
    assert_eq!(report["hubspot"]["share_of_day"], share);
}

#[test]
fn what_it_tells_comes_about_call_by_call_and_record_by_record() {
    let mut data = mixed(130);
    data.post_invoice(NewInvoice {
        sales_order: "000000000012345".to_owned(),
        ..NewInvoice::of(&customer(1), day(Start::NOW), lines())
    });
    let site = paused(data, json!({}));
    let deal = [("dealname", "Big one"), ("syspro_sales_orders", "12345")];
    let an_hour_ago = site.world.now() - 3_600_000;
    site.portal
        .borrow_mut()
        .create(an_hour_ago, Kind::Deal, &deal);
    let before = untouched(&site);
    let run = preview(&site);
    let report = &run["report"];
    assert_eq!(run["state"], "amber", "some are failing: {report:#}");
    assert_eq!(untouched(&site), before, "nothing was written");
    reads_only(&site);
    nothing_is_left(&site);
    assert_eq!(site.get("/connections/acme")["state"], "paused");

    resume(&site);
    site.settle(5);
    compare(&site, report);
    for (kind, name) in [
        (Kind::Company, "companies"),
        (Kind::Contact, "contacts"),
        (Kind::Invoice, "invoices"),
        (Kind::LineItem, "line_items"),
    ] {
        let made = site.portal.borrow().objects(kind).count();
        let told = &report["objects"][name];
        assert_eq!(told["created"], made, "{report:#}");
        assert_eq!(told["updated"], 0, "{report:#}");
    }
    assert_eq!(report["deals"], json!({ "linked": 1, "unlinked": 0 }));
    let failing = report["failing"].as_array().expect("a list");
    assert_eq!(failing.len(), 1, "{report:#}");
    assert_eq!(failing[0]["reason"]["code"], "unknown_currency");
    let codes: Vec<&str> = report["warnings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|warning| warning["code"].as_str())
        .collect();
    assert_eq!(codes, ["company_from_email", "creation_workflows"]);
    agreement::check(&site);
}

/// Customers of whom people have companies and contacts already.
#[test]
fn what_people_have_is_told_as_adopted_and_what_nobody_can_tell_as_ambiguous() {
    let (site, town) = unconnected();
    make_paused(&site, json!({}));
    let before = untouched(&site);
    let count = |kind| site.portal.borrow().objects(kind).count();
    let theirs = [Kind::Company, Kind::Contact].map(count);
    let run = preview(&site);
    let report = &run["report"];
    assert_eq!(untouched(&site), before, "nothing was written");

    resume(&site);
    site.settle(8);
    compare(&site, report);
    let kinds = [Kind::Company, Kind::Contact];
    for ((kind, word), theirs) in kinds.into_iter().zip(["company", "contact"]).zip(theirs) {
        let told = &report["objects"][kind.plural()];
        assert_eq!(told["created"], count(kind) - theirs, "{report:#}");
        let sql = format!("select 1 from targets where kind = '{word}' and adopted is not null");
        let adopted = site.world.rows(&sql).len();
        assert!(adopted > 0, "the town has some");
        assert_eq!(told["adopted"], adopted, "{report:#}");
    }
    let ambiguous = report["ambiguous"].as_array().expect("a list");
    assert_eq!(ambiguous.len(), town.of(Case::Twice).count());
    let taken_over = |sample: &&Json| !sample["before"].is_null();
    let samples = report["samples"].as_array().expect("a list");
    assert!(samples.iter().any(|it| taken_over(&it)), "{samples:#?}");
}

#[test]
fn of_what_is_in_sync_already_only_what_differs_is_told() {
    let site = loaded(12);
    let pause = site.ask("PATCH", "/connections/acme", r#"{"paused":true}"#);
    assert_eq!(pause.status, 200);
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(3), "Name", "Renamed Inc");
    erp.data
        .pay(&first_invoice(5), super::money("42.50"), day(Start::NOW));
    erp.data.purge(&first_invoice(7));
    drop(erp);
    let before = untouched(&site);
    let run = preview(&site);
    let report = &run["report"];
    assert_eq!(run["state"], "green", "{report:#}");
    assert_eq!(untouched(&site), before);
    let told = |kind: &str| {
        (
            report["objects"][kind]["created"].clone(),
            report["objects"][kind]["updated"].clone(),
        )
    };
    assert_eq!(told("invoices"), (json!(0), json!(2)), "{report:#}");
    assert_eq!(told("line_items"), (json!(0), json!(0)), "{report:#}");
    // The one renamed, and those whose balances the invoices changed.
    assert_eq!(told("companies").0, 0);
    let samples = report["samples"].as_array().expect("a list");
    let renamed = samples
        .iter()
        .find(|it| it["after"]["name"] == "Renamed Inc");
    let renamed = renamed.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(renamed["before"]["name"], "Customer 3");
    let id = site.object(Kind::Company, &company(3)).id;
    assert_eq!(renamed["hubspot_id"], id.to_string());
    resume(&site);
    site.settle(5);
    for (feed, states) in states(&site) {
        assert_eq!(report["records"][&feed], states, "{feed}");
    }
    let paid = hubspot_key(&first_invoice(5));
    assert_eq!(site.value(Kind::Invoice, &paid, "syspro_status"), "paid");
}

#[test]
fn what_bears_our_key_already_is_not_told_as_new() {
    let site = loaded(4);
    assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
    let mut body = site.connection(json!({}));
    body["paused"] = json!(true);
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.body["state"], "paused", "{}", made.body);
    site.portal.borrow_mut().reset_calls();
    let run = preview(&site);
    reads_only(&site);
    for kind in ["companies", "contacts", "invoices", "line_items"] {
        assert_eq!(run["report"]["objects"][kind]["created"], 0, "{run:#}");
    }
    assert_eq!(run["report"]["objects"]["companies"]["updated"], 4);
}

/// So few rows and statements that it takes many ticks.
const SMALL: &[(&str, &str)] = &[("MAX_QUERIES", "60"), ("MAX_ROWS", "1000")];

#[test]
fn one_that_is_too_much_for_a_tick_goes_on_with_the_next() {
    let site = paused(mixed(60), json!({}));
    let before = untouched(&site);
    let id = ask(&site);
    let (run, ticks) = ended(&site, &id, |site| {
        let again = site.ask("POST", PATH, "");
        assert_eq!(again.status, 409, "{}", again.body);
        site.world.advance(std::time::Duration::from_secs(300));
        site.tick_with(SMALL);
    });
    assert!(ticks > 2, "{ticks} ticks");
    assert_eq!(run["state"], "amber", "{run:#}");
    assert_eq!(untouched(&site), before);
    nothing_is_left(&site);
    resume(&site);
    for _ in 0..3 * ticks {
        site.world.advance(std::time::Duration::from_secs(300));
        site.tick_with(SMALL);
    }
    // Where a tick ends is not the same in both, and with it how chunks are cut; what is called is.
    let told = run["report"]["hubspot"]["by_endpoint"].as_object();
    let told: Vec<&String> = told.expect("calls").keys().collect();
    let calls = site.calls_by_endpoint();
    assert_eq!(told, calls.keys().collect::<Vec<_>>());
    for (feed, states) in states(&site) {
        assert_eq!(run["report"]["records"][&feed], states, "{feed}");
    }
    let companies = site.portal.borrow().objects(Kind::Company).count();
    assert_eq!(run["report"]["objects"]["companies"]["created"], companies);
}

#[test]
fn one_that_is_cut_off_goes_on_from_what_it_committed() {
    for seed in seeds(3) {
        let start = Start {
            seed,
            ..Start::calm()
        };
        let site = Site::bare(start, mixed(60), options());
        make_paused(&site, json!({}));
        let before = untouched(&site);
        let id = ask(&site);
        let mut bad = Weather::calm();
        bad.odds = [
            vec![
                (Fate::DiesBefore, 5),
                (Fate::DiesAfter, 5),
                (Fate::AnswerLost, 10),
            ],
            vec![
                (Fate::DiesBefore, 25),
                (Fate::DiesAfter, 25),
                (Fate::AnswerLost, 5),
            ],
        ];
        let (run, ticks) = ended(&site, &id, |site| {
            site.world.set_weather(bad.clone());
            site.tick_later(300_000);
            site.world.settle();
            site.world.set_weather(Weather::calm());
        });
        assert_eq!(run["state"], "amber", "{seed}: {run:#}");
        assert_eq!(untouched(&site), before, "{seed}");
        nothing_is_left(&site);
        resume(&site);
        site.settle(5);
        for (feed, states) in states(&site) {
            assert_eq!(
                run["report"]["records"][&feed], states,
                "{seed}, {ticks} ticks"
            );
        }
        let companies = site.portal.borrow().objects(Kind::Company).count();
        assert_eq!(run["report"]["objects"]["companies"]["created"], companies);
    }
}

#[test]
fn while_a_connection_runs_it_is_synced_first() {
    let site = loaded(3);
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(3), "Name", "Renamed Inc");
    drop(erp);
    let run = preview(&site);
    assert_eq!(run["state"], "green", "{run:#}");
    let name = site.value(Kind::Company, &company(3), "name");
    assert_eq!(name, "Renamed Inc", "its own tick went on");
    let companies = &run["report"]["objects"]["companies"];
    assert_eq!(
        companies,
        &json!({ "created": 0, "adopted": 0, "updated": 0, "unchanged": 3 })
    );
    assert_eq!(run["report"]["hubspot"]["calls"], 0, "{run:#}");
    assert!(site.get("/connections/acme")["last_good_at"].is_string());
}

#[test]
fn a_change_of_the_connection_ends_it() {
    let site = paused(mixed(60), json!({}));
    let id = ask(&site);
    site.tick_with(SMALL);
    assert_eq!(run(&site, &id)["state"], "running");
    let patch = json!({ "settings": { "customers": "all" } }).to_string();
    assert_eq!(site.ask("PATCH", "/connections/acme", &patch).status, 200);
    site.next_tick();
    let ended = run(&site, &id);
    assert_eq!(ended["state"], "red");
    assert_eq!(
        ended["report"]["problems"][0]["code"], "changed",
        "{ended:#}"
    );
    nothing_is_left(&site);
    // And the next one is of the connection as it is now.
    let run = preview(&site);
    assert_eq!(
        run["report"]["records"]["customers"]["excluded"], 0,
        "{run:#}"
    );
}

#[test]
fn a_removal_of_the_connection_takes_it_away() {
    let site = paused(mixed(60), json!({}));
    ask(&site);
    site.tick_with(SMALL);
    assert!(!site.world.rows("select key from ledger").is_empty());
    assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
    for table in [
        "connections",
        "ledger",
        "targets",
        "cursors",
        "runs",
        "lookups",
    ] {
        let sql = format!("select * from {table}");
        assert_eq!(site.world.rows(&sql), Vec::<Json>::new(), "{table}");
    }
    site.next_tick();
}

#[test]
fn nobody_is_told_of_its_shadow() {
    let site = paused(mixed(60), json!({}));
    ask(&site);
    site.tick_with(SMALL);
    assert_eq!(site.world.rows("select id from connections").len(), 2);
    let all = site.get("/connections");
    assert_eq!(all["connections"].as_array().map(Vec::len), Some(1));
    for path in ["", "/records", "/runs"] {
        let path = format!("/connections/acme~preview{path}");
        assert_eq!(site.ask("GET", &path, "").status, 404, "{path}");
    }
    assert_eq!(
        site.ask("DELETE", "/connections/acme~preview", "").status,
        404
    );
    assert_eq!(site.world.rows("select id from connections").len(), 2);
}

#[test]
fn its_shadow_has_every_column_of_what_it_stands_for() {
    let site = loaded(2);
    let columns = |table: &str| {
        let sql = format!("select name from pragma_table_info('{table}')");
        let rows = site.world.rows(&sql);
        let names = rows.iter().filter_map(|row| row["name"].as_str());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let copies: Vec<&str> = {
        let sql = include_str!("../../../src/store/shadow.rs");
        sql.split("insert into ").skip(1).collect()
    };
    for table in [
        "ledger",
        "targets",
        "cursors",
        "lookups",
        "deals",
        "deal_links",
    ] {
        let copy = copies
            .iter()
            .find(|copy| copy.starts_with(&format!("{table} ")));
        let copy = copy.unwrap_or_else(|| panic!("{table} is not copied"));
        let copy = copy.split("\",").next().unwrap_or_default();
        for column in columns(table) {
            let named = copy.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let times = named.filter(|word| *word == column).count();
            assert!(times >= 1, "{table}.{column}");
        }
    }
}
