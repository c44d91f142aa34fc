//! Reconciliation: what people did to HubSpot is found, each thing with its reason, and the replay
//! that is given mends it.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value as Json, json};
use simulators::{
    data::{NewInvoice, NewLine},
    hubspot::{Id, Kind},
};

use super::{
    company, contact, customer, distributor, first_invoice, hubspot_key, lines, loaded, money,
};
use crate::agreement;
use crate::site::{Answer, Site, day, options};
use crate::world::{Fate, Start, Weather};

const PATH: &str = "/connections/acme/reconcile";

fn ask(site: &Site, body: &Json) -> Answer {
    site.ask("POST", PATH, &body.to_string())
}

/// The year in which all invoices of these tests are.
fn year() -> Json {
    json!({ "from": "2026-01-01", "to": "2026-12-31" })
}

fn run(site: &Site, id: &Json) -> Json {
    site.get(&format!(
        "/connections/acme/runs/{}",
        id.as_str().expect("an id")
    ))
}

fn is_over(run: &Json) -> bool {
    !matches!(run["state"].as_str(), Some("asked" | "running"))
}

/// Asks for a reconciliation and ticks until it is over; its run, and how many ticks it took.
fn reconcile_over(site: &Site, most: usize) -> (Json, usize) {
    let asked = ask(site, &year());
    assert_eq!(asked.status, 202, "{}", asked.body);
    for ticks in 1..=most {
        site.next_tick();
        let run = run(site, &asked.body["run"]);
        if is_over(&run) {
            return (run, ticks);
        }
    }
    panic!(
        "not over after {most} ticks: {}",
        run(site, &asked.body["run"])
    );
}

fn reconcile(site: &Site) -> Json {
    let (run, _) = reconcile_over(site, 1);
    run["report"].clone()
}

fn assert_clean(report: &Json) {
    assert_eq!(report["clean"], true, "{report:#}");
    assert_eq!(report["differing"], 0, "{report:#}");
    assert_eq!(report["replay"], Json::Null, "{report:#}");
    let sums = ["months", "balances"].map(|name| report[name].as_array().cloned());
    for sum in sums.into_iter().flatten().flatten() {
        assert_eq!(sum["same"], true, "{report:#}");
    }
}

/// The codes of all that differs, by key.
fn differences(report: &Json) -> BTreeMap<String, Vec<String>> {
    let all = report["differences"].as_array().expect("a list");
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let codes = |it: &Json| {
        let why = it["why"].as_array().expect("reasons");
        why.iter().map(|why| text(&why["code"])).collect()
    };
    all.iter().map(|it| (text(&it["key"]), codes(it))).collect()
}

/// Codes and how many records were left aside for it.
fn aside(report: &Json) -> Vec<(String, String, u64)> {
    let all = report["not_compared"].as_array().expect("a list");
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let one = |it: &Json| {
        let records = it["records"].as_u64().unwrap_or_default();
        (text(&it["status"]), text(&it["code"]), records)
    };
    all.iter().map(one).collect()
}

/// Posts the body a report gives, and ticks until nothing more is sent.
fn mend(site: &Site, report: &Json) {
    let body = report["replay"].to_string();
    let asked = site.ask("POST", "/connections/acme/replay", &body);
    assert_eq!(asked.status, 202, "{}", asked.body);
    site.settle(8);
}

fn invoice(number: u32) -> String {
    hubspot_key(&first_invoice(number))
}

fn id(site: &Site, kind: Kind, key: &str) -> Id {
    site.object(kind, key).id
}

fn edit(site: &Site, kind: Kind, key: &str, property: &str, value: &str) {
    let id = id(site, kind, key);
    let now = site.world.now();
    let mut portal = site.portal.borrow_mut();
    assert!(portal.edit(now, kind, id, &[(property, value)]));
}

fn delete(site: &Site, kind: Kind, key: &str) {
    let id = id(site, kind, key);
    site.portal.borrow_mut().delete(site.world.now(), kind, id);
}

/// The keys of an invoice's lines.
fn line_keys(site: &Site, invoice: &str) -> Vec<String> {
    let id = id(site, Kind::Invoice, invoice);
    let portal = site.portal.borrow();
    let linked = portal.associations(Kind::Invoice, id, Kind::LineItem);
    let lines = linked
        .into_iter()
        .filter_map(|(id, _)| portal.object(Kind::LineItem, id));
    let mut keys: Vec<String> = lines
        .filter_map(|line| line.get("syspro_key").map(str::to_owned))
        .collect();
    keys.sort();
    keys
}

#[test]
fn after_a_first_load_both_sides_agree_and_nothing_is_written_or_searched() {
    let site = loaded(3);
    let report = reconcile(&site);
    assert_clean(&report);
    assert_eq!(report["compared"], json!({ "customers": 3, "invoices": 3 }));
    let side = json!({ "invoices": 3, "total": "127.50" });
    assert_eq!(report["months"][0]["syspro"], side, "{report:#}");
    assert_eq!(report["months"][0]["hubspot"]["invoices"], 3);
    assert_eq!(report["months"][0]["currency"], "USD");
    assert_eq!(report["balances"][0]["hubspot"]["customers"], 3);
    assert_eq!(report["not_compared"], json!([]));
    let calls = site.calls_by_endpoint();
    assert!(
        calls.keys().all(|call| call.ends_with("/batch/read")),
        "{calls:#?}"
    );
    assert_eq!(calls.values().sum::<u64>(), 8, "{calls:#?}");
    assert_eq!(site.last_run()["state"], "green");
}

#[test]
fn each_damage_is_found_with_its_reason_and_mended_by_the_replay() {
    let site = loaded(10);
    delete(&site, Kind::Invoice, &invoice(1));
    edit(&site, Kind::Invoice, &invoice(2), "syspro_total", "1");
    let ends = [(Kind::Invoice, invoice(3)), (Kind::Company, company(3))];
    let [from, to] = ends.map(|(kind, key)| (kind, id(&site, kind, &key)));
    site.portal.borrow_mut().dissociate(from, to);
    let [first, second, third] = <[String; 3]>::try_from(line_keys(&site, &invoice(4))).unwrap();
    delete(&site, Kind::LineItem, &first);
    edit(&site, Kind::LineItem, &second, "price", "7");
    let ends = [(Kind::LineItem, third), (Kind::Invoice, invoice(4))];
    let [from, to] = ends.map(|(kind, key)| (kind, id(&site, kind, &key)));
    site.portal.borrow_mut().dissociate(from, to);
    edit(&site, Kind::Company, &company(5), "syspro_balance", "3");
    edit(&site, Kind::Company, &company(6), "syspro_key", "");
    delete(&site, Kind::Company, &company(7));
    let [winner, loser] = [8, 9].map(|number| id(&site, Kind::Company, &company(number)));
    let now = site.world.now();
    site.portal
        .borrow_mut()
        .merge(now, Kind::Company, winner, loser);
    // People's own work is no damage.
    edit(&site, Kind::Company, &company(10), "phone", "555 0100");

    let report = reconcile(&site);
    assert_eq!(report["clean"], false, "{report:#}");
    let found = differences(&report);
    let of = |key: String| {
        found
            .get(&key)
            .map(|codes| codes.join(" "))
            .unwrap_or_default()
    };
    assert_eq!(of(invoice(1)), "deleted", "{report:#}");
    assert_eq!(of(invoice(2)), "property");
    assert_eq!(of(invoice(3)), "link_company");
    assert_eq!(of(invoice(4)), "deleted property link_invoice");
    assert_eq!(of(company(5)), "property");
    assert_eq!(of(company(6)), "key_changed");
    assert_eq!(of(company(7)), "deleted");
    assert_eq!(of(company(9)), "merged");
    assert_eq!(of(company(10)), "");
    let wrong = &report["differences"];
    let wrong = wrong.as_array().unwrap().iter();
    let amount = wrong
        .clone()
        .find(|it| it["key"] == json!(invoice(2)))
        .unwrap();
    assert_eq!(amount["why"][0]["field"], "syspro_total");
    let merged = wrong
        .clone()
        .find(|it| it["key"] == json!(company(9)))
        .unwrap();
    let said = merged["why"][0]["reason"].as_str().unwrap();
    assert!(said.contains(&company(8)), "{said}");
    let balance = &report["balance_by_customer"];
    let balance = balance.as_array().unwrap().iter();
    let balance = balance
        .clone()
        .find(|it| it["key"] == json!(company(5)))
        .unwrap();
    assert_eq!(
        (&balance["syspro"], &balance["hubspot"]),
        (&json!("42.50"), &json!("3.00"))
    );
    assert_eq!(report["months"][0]["syspro"]["invoices"], 10);
    assert_eq!(report["months"][0]["hubspot"]["invoices"], 9);

    mend(&site, &report);
    let report = reconcile(&site);
    assert_eq!(differences(&report), BTreeMap::new(), "{report:#}");
    assert_eq!(report["clean"], true);
    let left = aside(&report);
    assert_eq!(left.len(), 1, "the merged one, and no other: {left:?}");
    assert_eq!((left[0].1.as_str(), left[0].2), ("merged", 1));
    assert_eq!(site.value(Kind::Company, &company(10), "phone"), "555 0100");
}

#[test]
fn what_is_not_in_sync_is_told_as_such_and_not_as_damage() {
    let site = loaded(3);
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    let foreign = NewInvoice {
        currency: Some("XXQ".to_owned()),
        ..NewInvoice::of(&customer(1), today, lines())
    };
    erp.data.post_invoice(foreign);
    let unknown = NewInvoice {
        document_type: "D".to_owned(),
        ..NewInvoice::of(&customer(1), today, lines())
    };
    erp.data.post_invoice(unknown);
    drop(erp);
    site.next_tick();
    let pause = |paused: bool| {
        let body = json!({ "paused": paused }).to_string();
        let patched = site.ask("PATCH", "/connections/acme", &body);
        assert_eq!(patched.status, 200, "{}", patched.body);
    };
    pause(true);
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(&first_invoice(2), money("2.50"), today);
    erp.data
        .post_invoice(NewInvoice::of(&customer(3), today, lines()));
    drop(erp);
    delete(&site, Kind::Invoice, &invoice(3));
    let before = site.portal.borrow().objects(Kind::Invoice).count();
    let report = reconcile(&site);
    let found = differences(&report);
    assert_eq!(found.len(), 1, "{report:#}");
    assert_eq!(found[&invoice(3)], ["deleted"]);
    let left = aside(&report);
    let count = |status: &str, code: &str| {
        let of = left.iter().filter(|it| it.0 == status && it.1 == code);
        of.map(|it| it.2).sum::<u64>()
    };
    assert_eq!(count("failing", "unknown_currency"), 1, "{left:?}");
    // Two customers' balances and an invoice's.
    assert_eq!(count("waiting", "changed"), 3, "{left:?}");
    assert_eq!(count("waiting", "not_read"), 1, "{left:?}");
    let portal = site.portal.borrow();
    assert_eq!(
        portal.objects(Kind::Invoice).count(),
        before,
        "nothing was written"
    );
    drop(portal);
    assert_eq!(site.get("/connections/acme")["state"], "paused");
    pause(false);
    mend(&site, &report);
    assert_clean_but(&reconcile(&site), "unknown_currency");
    assert!(site.find(Kind::Invoice, &invoice(3)).is_some());
}

/// Nothing differs, and nothing is left aside but for this.
fn assert_clean_but(report: &Json, code: &str) {
    assert_eq!(report["clean"], true, "{report:#}");
    let left = aside(report);
    assert!(left.iter().all(|it| it.1 == code), "{left:?}");
}

#[test]
fn a_period_goes_on_over_ticks_that_have_room_for_a_page_and_are_cut_off() {
    let site = Site::new(distributor(230));
    site.settle(8);
    delete(&site, Kind::Invoice, &invoice(7));
    delete(&site, Kind::Invoice, &invoice(228));
    site.deploy_with(&[("MAX_CALLS", "12")]);
    let (calm, ticks) = reconcile_over(&site, 12);
    assert!(ticks > 2, "{ticks} ticks");
    let report = &calm["report"];
    assert_eq!(
        report["compared"],
        json!({ "customers": 230, "invoices": 230 })
    );
    let keys: Vec<String> = differences(report).into_keys().collect();
    assert_eq!(keys, [invoice(7), invoice(228)]);
    assert_eq!(report["months"][0]["hubspot"]["invoices"], 228);

    let mut stormy = 0;
    for seed in 0..2 {
        let asked = ask(&site, &year());
        assert_eq!(asked.status, 202, "{}", asked.body);
        let mut rng = Rng::with_seed(seed);
        for _ in 0..15 {
            let dies = |chance| vec![(Fate::DiesBefore, chance), (Fate::DiesAfter, chance)];
            site.world.set_weather(Weather {
                odds: [dies(rng.u32(0..60)), dies(rng.u32(0..120))],
                ..Weather::calm()
            });
            site.tick_later(300_000);
            site.world.settle();
            stormy += 1;
        }
        site.world.set_weather(Weather::calm());
        for _ in 0..12 {
            site.next_tick();
        }
        let run = run(&site, &asked.body["run"]);
        assert!(is_over(&run), "{run:#}");
        assert_eq!(&run["report"], report, "after {stormy} ticks");
    }
}

#[test]
fn a_page_that_one_run_has_no_room_for_is_cut_smaller() {
    let mut data = distributor(1);
    let today = day(Start::NOW);
    let line = NewLine::stocked("A100", money("1"), money("1"), money("0"));
    for _ in 0..60 {
        data.post_invoice(NewInvoice::of(&customer(1), today, vec![line.clone(); 20]));
    }
    let site = Site::new(data);
    site.settle(8);
    // All lines of all 61 alone would be 13 calls.
    site.deploy_with(&[("MAX_CALLS", "12")]);
    let (run, ticks) = reconcile_over(&site, 8);
    assert_clean(&run["report"]);
    assert_eq!(run["report"]["compared"]["invoices"], 61);
    assert!(ticks > 2, "{ticks} ticks");
}

#[test]
fn lines_without_keys_are_compared_by_what_is_known_of_them() {
    let keyless = options().without_scope("e-commerce");
    let site = Site::with(distributor(2), keyless, json!({}));
    site.settle(4);
    assert_clean(&reconcile(&site));
    let parent = id(&site, Kind::Invoice, &invoice(1));
    let lines: Vec<Id> = {
        let portal = site.portal.borrow();
        let linked = portal.associations(Kind::Invoice, parent, Kind::LineItem);
        linked.into_iter().map(|(id, _)| id).collect()
    };
    let now = site.world.now();
    let mut portal = site.portal.borrow_mut();
    portal.delete(now, Kind::LineItem, lines[0]);
    portal.edit(now, Kind::LineItem, lines[1], &[("quantity", "77")]);
    drop(portal);
    let report = reconcile(&site);
    let mut codes = differences(&report).remove(&invoice(1)).unwrap_or_default();
    codes.sort();
    assert_eq!(codes, ["deleted", "property"], "{report:#}");
    mend(&site, &report);
    assert_clean(&reconcile(&site));
    assert_eq!(site.linked(Kind::Invoice, &invoice(1), Kind::LineItem), 3);
}

#[test]
fn a_deleted_contact_is_found_and_made_again_by_the_replay() {
    let site = loaded(2);
    delete(&site, Kind::Contact, &contact(1));
    let report = reconcile(&site);
    assert_eq!(differences(&report)[&company(1)], ["deleted"], "{report:#}");
    mend(&site, &report);
    assert_clean(&reconcile(&site));
    agreement::check(&site);
}

#[test]
fn a_wrong_period_is_refused_with_the_field() {
    let site = loaded(1);
    let check = |body: Json, path: &str| {
        let answer = ask(&site, &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert_eq!(answer.body["error"]["details"][0]["path"], path, "{body}");
    };
    check(json!({ "from": "2026-02-01", "to": "2026-01-01" }), "to");
    check(json!({ "from": "01/02/2026", "to": "2026-03-01" }), "from");
    check(json!({ "from": "2026-02-01" }), "to");
    check(
        json!({ "from": "2026-02-01", "to": "2026-03-01", "feed": "invoices" }),
        "feed",
    );
    check(json!([]), "body");
    let twice = [ask(&site, &year()), ask(&site, &year())];
    assert_eq!(twice.map(|it| it.status), [202, 409]);
    assert_eq!(site.ask("GET", PATH, "").status, 405);
}

#[test]
fn an_invoice_that_comes_behind_it_is_not_missed() {
    let site = Site::new(distributor(230));
    site.settle(8);
    site.deploy_with(&[("MAX_CALLS", "12")]);
    let asked = ask(&site, &year());
    let id = asked.body["run"].clone();
    let invoices_begun = |run: &Json| run["report"]["compared"]["invoices"].as_u64() > Some(0);
    while !invoices_begun(&run(&site, &id)) {
        site.next_tick();
        assert!(!is_over(&run(&site, &id)), "all of it in one tick");
    }
    // Its number lies before all others: the page it is on was passed.
    let today = site.today();
    let new = NewInvoice {
        invoice: Some("000000000000001".to_owned()),
        ..NewInvoice::of(&customer(1), today, lines())
    };
    let new = hubspot_key(&site.erp.borrow_mut().data.post_invoice(new));
    let over = (0..12).find(|_| {
        site.next_tick();
        is_over(&run(&site, &id))
    });
    assert!(over.is_some(), "not over");
    assert_eq!(site.status("invoices", &new), "synced");
    let run = run(&site, &id);
    assert_eq!(run["report"]["not_shown_by_syspro"], 0, "{run:#}");
    assert_eq!(run["state"], "green", "{run:#}");
}
