//! Left alone for long: what is kept, what is not, and who is told when nothing runs any more.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::hubspot::Fault;

use super::{company, customer, loaded};
use crate::site::{Site, config_with};
use syspro_hubspot_sync::routes;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn count(site: &Site, table: &str) -> u64 {
    let rows = site
        .world
        .rows(&format!("select count(*) as n from {table}"));
    rows[0]["n"].as_f64().expect("a number") as u64
}

/// Audit rows and a run of long ago, of a connection that is no more.
fn grow_old(site: &Site, rows: u32) {
    site.world.rows(&format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {rows})
         insert into audit (connection, id, feed, key, outcome, at, said)
         select 'gone', printf('0160000%04x-old/1/customers/%d', i, i), 'customers', i, 'synced', 1, '{{}}' from n"
    ));
}

#[test]
fn audit_and_runs_of_long_ago_go_and_the_ledger_stays() {
    let site = loaded(3);
    let (audit, runs) = (count(&site, "audit"), count(&site, "runs"));
    assert!(audit >= 6 && runs >= 1);
    let kept = [count(&site, "ledger"), count(&site, "targets")];
    site.world.advance(DAY * 399);
    site.tick();
    assert!(count(&site, "audit") >= audit, "not before its time");
    assert!(count(&site, "runs") >= runs);
    site.world.advance(DAY * 3);
    site.tick();
    let old = site.world.now() - 400 * 86_400_000;
    let left = |table: &str, at: &str| {
        let sql = format!("select * from {table} where {at} < {old}");
        site.world.rows(&sql)
    };
    assert_eq!(left("audit", "at"), Vec::<Json>::new());
    assert_eq!(left("runs", "asked_at"), Vec::<Json>::new());
    assert_eq!([count(&site, "ledger"), count(&site, "targets")], kept);
}

#[test]
fn the_audit_of_a_removed_connection_goes_in_its_time_too() {
    let site = loaded(2);
    let removed = site.ask("DELETE", "/connections/acme", "");
    assert_eq!(removed.status, 204);
    site.tick();
    assert!(count(&site, "audit") > 0);
    site.world.advance(DAY * 401);
    site.tick();
    assert_eq!(count(&site, "audit"), 0);
}

#[test]
fn pruning_goes_by_slices_once_a_day_and_costs_a_quiet_tick_nothing() {
    let site = loaded(2);
    let quiet = |site: &Site| {
        let before = site.world.queries();
        site.next_tick();
        site.world.queries() - before
    };
    let usual = quiet(&site);
    grow_old(&site, 12_000);
    assert_eq!(quiet(&site), usual, "done today already");
    site.world.advance(DAY);
    let audit = count(&site, "audit");
    site.tick();
    assert_eq!(count(&site, "audit"), audit - 5_000);
    site.tick();
    site.tick();
    assert_eq!(count(&site, "audit"), audit - 12_000);
    assert_eq!(quiet(&site), usual, "and then not before tomorrow");
    for (sql, cost) in site.world.d1().costs() {
        assert!(cost.steps < 150_000, "{} steps: {sql}", cost.steps);
    }
}

#[test]
fn a_deployment_with_few_statements_prunes_all_the_same() {
    let site = loaded(2);
    grow_old(&site, 3_000);
    let audit = count(&site, "audit");
    site.deploy_with(&[("MAX_QUERIES", "20")]);
    site.world.advance(DAY);
    site.tick();
    assert!(count(&site, "audit") <= audit - 1_000);
}

#[test]
fn a_tick_does_not_read_the_runs_of_years() {
    let site = loaded(1);
    let steps = |site: &Site| {
        site.next_tick();
        let d1 = site.world.d1();
        let costs = d1.costs().iter();
        costs
            .filter(|(sql, _)| sql.contains("as under_way"))
            .map(|(_, cost)| cost.steps)
            .max()
            .expect("each tick asks")
    };
    let before = steps(&site);
    site.world.rows(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
         insert into runs (connection, id, kind, state, asked, asked_at)
         select 'acme', 'old' || i, 'cron', 'green', '{}', 1 from n",
    );
    let after = steps(&site);
    assert!(after < before * 2, "{before} steps, then {after}");
}

fn shown(site: &Site) -> Json {
    let one = site.get("/connections/acme");
    let all = site.get("/connections");
    for name in ["stale", "last_good_run_age_seconds", "stale_reason"] {
        assert_eq!(all["connections"][0][name], one[name]);
    }
    one
}

fn health(site: &Site) -> u16 {
    site.ask_as("GET", "/health", "", None).status
}

#[test]
fn a_cron_that_stopped_is_told_by_whoever_asks() {
    let site = loaded(1);
    let fresh = shown(&site);
    assert_eq!(fresh["stale"], false);
    assert_eq!(fresh["stale_reason"], Json::Null);
    site.world.advance(MINUTE * 19);
    assert_eq!(
        (shown(&site)["stale"].as_bool(), health(&site)),
        (Some(false), 200)
    );
    site.world.advance(MINUTE * 2);
    let stale = shown(&site);
    assert_eq!((stale["stale"].as_bool(), health(&site)), (Some(true), 503));
    assert_eq!(stale["state"], "active");
    assert_eq!(stale["stale_reason"]["code"], "no_run", "{stale:#}");
    assert!(stale["stale_reason"]["remedy"].to_string().contains("cron"));
    let age = stale["last_good_run_age_seconds"].as_i64();
    assert!(age >= Some(21 * 60), "{stale:#}");
    site.tick();
    assert_eq!(
        (shown(&site)["stale"].as_bool(), health(&site)),
        (Some(false), 200)
    );
}

#[test]
fn runs_that_come_and_are_not_good_are_told_otherwise() {
    let site = loaded(1);
    let fault = Fault::Html { status: 503 };
    site.portal
        .borrow_mut()
        .add_fault(fault.times(1_000, "/crm/"));
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(1), "Name", "Renamed Inc");
    drop(erp);
    for _ in 0..6 {
        site.next_tick();
    }
    let stale = shown(&site);
    assert_eq!(stale["stale_reason"]["code"], "no_good_run", "{stale:#}");
    assert_eq!(health(&site), 503);
    assert_eq!(site.status("customers", &company(1)), "waiting");
}

#[test]
fn a_connection_that_rests_is_not_stale_and_has_its_time_when_it_goes_on() {
    let site = loaded(1);
    let pause = |paused: bool| {
        let body = json!({ "paused": paused }).to_string();
        assert_eq!(site.ask("PATCH", "/connections/acme", &body).status, 200);
    };
    pause(true);
    site.world.advance(DAY * 3);
    assert_eq!(
        (shown(&site)["stale"].as_bool(), health(&site)),
        (Some(false), 200)
    );
    pause(false);
    assert_eq!(
        (shown(&site)["stale"].as_bool(), health(&site)),
        (Some(false), 200)
    );
    site.world.advance(MINUTE * 21);
    assert_eq!(
        (shown(&site)["stale"].as_bool(), health(&site)),
        (Some(true), 503)
    );
}

#[test]
fn a_longer_interval_makes_patience_longer() {
    const EVERY: [&[(&str, &str)]; 2] =
        [&[("INTERVAL_MINUTES", "10")], &[("INTERVAL_MINUTES", "30")]];
    let site = loaded(1);
    site.tick_with(EVERY[1]);
    site.world.advance(MINUTE * 89);
    let health = |vars: &'static [(&str, &str)]| {
        let request = http::Request::get("https://sync.example/health");
        let request = request.body(String::new()).expect("a request");
        let answer = site.world.run(move |edge| async move {
            routes::respond(&edge, &config_with(vars), request).await
        });
        answer.status().as_u16()
    };
    assert_eq!(health(EVERY[1]), 200);
    assert_eq!(health(EVERY[0]), 503);
    site.world.advance(MINUTE * 2);
    assert_eq!(health(EVERY[1]), 503);
}
