//! A whole distributor: how much the load costs, and that HubSpot ends as SYSPRO's copy.

use std::time::Duration;

use expect_test::expect;
use fastrand::Rng;
use serde_json::Value as Json;
use simulators::{data::Distributor, hubspot::Kind};

use super::distributor;
use crate::agreement;
use crate::loads::{LOADS, delivery_chunk, many, sweep_page};
use crate::site::{Site, day};
use crate::world::Start;

#[test]
fn what_every_load_costs_is_known() {
    let lines = LOADS
        .iter()
        .flat_map(|load| (load.run)().lines(&format!("{} ({})", load.name, load.reading)))
        .chain(
            many(60)
                .1
                .lines("60 customers, each with 5 invoices of 4 lines"),
        );
    let told: Vec<String> = lines.collect();
    expect![[r#"
        first load (100 companies, contacts and invoices, 300 lines, all linked: 600 objects; set-up apart): 14 HubSpot calls, 45 D1 statements handed 2139 rows, 39 SYSPRO requests, 1 tick
            1 POST associations/contacts/companies/batch/create
            1 POST associations/invoices/companies/batch/associate/default
            1 POST associations/invoices/contacts/batch/associate/default
            1 POST associations/line_items/invoices/batch/associate/default
            1 POST companies/batch/upsert
            1 POST companies/search
            1 POST contacts/batch/read
            1 POST contacts/batch/upsert
            1 POST deals/search
            1 POST invoices/batch/update
            1 POST invoices/batch/upsert
            3 POST line_items/batch/upsert
        quiet tick (nothing changed; each page read counts one statement): 0 HubSpot calls, 12 D1 statements handed 509 rows, 17 SYSPRO requests, 1 tick
        one changed customer (a telephone number, in company and contact): 2 HubSpot calls, 22 D1 statements handed 521 rows, 17 SYSPRO requests, 1 tick
            1 POST companies/batch/update
            1 POST contacts/batch/update
        its e-mail changed (at another domain: the contact's address and the company's domain): 2 HubSpot calls, 22 D1 statements handed 521 rows, 17 SYSPRO requests, 1 tick
            1 POST companies/batch/update
            1 POST contacts/batch/update
        part payment (the invoice's header and its customer's balance; no line): 2 HubSpot calls, 37 D1 statements handed 537 rows, 23 SYSPRO requests, 1 tick
            1 POST companies/batch/update
            1 POST invoices/batch/update
        full payment (header and status of the invoice, balance of its customer): 2 HubSpot calls, 37 D1 statements handed 536 rows, 23 SYSPRO requests, 1 tick
            1 POST companies/batch/update
            1 POST invoices/batch/update
        60 customers, each with 5 invoices of 4 lines: 27 HubSpot calls, 57 D1 statements handed 5028 rows, 78 SYSPRO requests, 1 tick
            1 POST associations/contacts/companies/batch/create
            1 POST associations/invoices/companies/batch/associate/default
            1 POST associations/invoices/contacts/batch/associate/default
            1 POST associations/line_items/invoices/batch/associate/default
            1 POST companies/batch/upsert
            1 POST companies/search
            1 POST contacts/batch/read
            1 POST contacts/batch/upsert
            1 POST deals/search
            3 POST invoices/batch/update
            3 POST invoices/batch/upsert
           12 POST line_items/batch/upsert"#]].assert_eq(&told.join("\n"));
}

#[test]
fn what_a_page_and_a_chunk_cost_in_statements_is_known() {
    let [with_news, unchanged] = sweep_page(2_000);
    let told = format!(
        "a page of 2,000 customers with news: {with_news} D1 statements
a page of 2,000 customers without: {unchanged}
every hundred customers delivered: {}",
        delivery_chunk()
    );
    expect![[r#"
        a page of 2,000 customers with news: 6 D1 statements
        a page of 2,000 customers without: 1
        every hundred customers delivered: 2"#]]
    .assert_eq(&told);
}

#[test]
fn six_hundred_objects_arrive_whole() {
    let site = Site::new(distributor(100));
    site.tick();
    assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::Contact).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::Invoice).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::LineItem).count(), 300);
    agreement::check(&site);
}

/// Left and right of every run's books are the same, and nobody needs more than a run's bounds.
fn in_order(site: &Site) {
    let runs = site.world.rows("select state, report from runs");
    assert!(!runs.is_empty());
    for run in runs {
        let report: Json =
            serde_json::from_str(run["report"].as_str().unwrap_or_default()).expect("a report");
        assert_ne!(run["state"], "red", "{report:#}");
        for (name, feed) in report["feeds"].as_object().expect("feeds") {
            let of = |names: &[&str]| names.iter().map(|it| feed[*it].as_u64().unwrap_or(0)).sum();
            let came: u64 = of(&["unchanged", "queued", "excluded", "failing", "rejected"]);
            assert_eq!(feed["read"], came, "{name} {report:#}");
            let went: u64 = of(&["written", "refused", "waiting"]);
            assert_eq!(feed["taken"], went, "{name} {report:#}");
        }
        assert!(report["d1_statements"].as_u64() < Some(200), "{report:#}");
    }
    assert!(site.world.most_connections() <= 6);
    assert_eq!(site.world.d1().refusals(), Vec::<String>::new());
    for (sql, cost) in site.world.d1().costs() {
        assert!(cost.steps < 150_000, "{} steps: {sql}", cost.steps);
    }
}

#[test]
fn a_believable_distributor_and_three_days_of_its_life_arrive_whole() {
    let data = Distributor::believable(7, 200, 600, day(Start::NOW));
    let site = Site::new(data);
    let mut rng = Rng::with_seed(7);
    site.settle(12);
    agreement::check(&site);
    in_order(&site);

    for _ in 0..3 {
        site.world.advance(Duration::from_secs(86_400));
        let done = site.erp.borrow_mut().data.a_day(&mut rng, site.today());
        site.settle(12);
        let found = agreement::differences(&site);
        assert!(found.is_empty(), "{found:#?}\nafter {done:#?}");
    }
    in_order(&site);

    let (calls, statements) = (site.hubspot_calls(), site.world.queries());
    site.next_tick();
    assert_eq!(site.hubspot_calls(), calls, "nothing changed");
    let statements = site.world.queries() - statements;
    assert!(statements <= 17, "{statements} statements of a quiet tick");
}

#[test]
fn what_fails_or_stays_out_does_so_for_a_reason_the_data_has() {
    let data = Distributor::believable(3, 100, 250, day(Start::NOW));
    let site = Site::new(data);
    site.settle(12);
    agreement::check(&site);
    let rows = site
        .world
        .rows("select feed, key, status, reason from records where status <> 'synced'");
    assert!(!rows.is_empty());
    for row in rows {
        let reason = row["reason"].as_str().unwrap_or_default();
        let reason: Json = serde_json::from_str(reason).expect("a reason");
        let code = reason["code"].as_str().unwrap_or_default();
        let allowed = match row["status"].as_str() {
            Some("failing") => ["unknown_currency", "customer_failing"],
            _ => ["customers_active", "customer_excluded"],
        };
        assert!(allowed.contains(&code), "{row}");
        assert!(reason["remedy"].is_string(), "{row}");
    }
}
