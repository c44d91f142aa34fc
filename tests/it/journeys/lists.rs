//! What the lists, the audit and the health page tell.

use std::time::Duration;

use serde_json::Value as Json;
use simulators::{data::NewInvoice, hubspot::Kind};

use super::{company, contact, customer, distributor, lines, loaded};
use crate::site::Site;

/// Every page of a list, each entry once.
fn pages(site: &Site, path: &str, name: &str) -> Vec<Json> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = site.get(&format!("{path}limit=7{cursor}"));
        let entries = page[name].as_array().cloned().unwrap_or_default();
        assert!(entries.len() <= 7);
        all.extend(entries);
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
        assert!(all.len() < 500, "it never ends");
    }
}

#[test]
fn records_are_listed_by_page_and_found_by_filter() {
    let mut data = distributor(20);
    let today = data.today();
    let mut pounds = NewInvoice::of(&customer(3), today, lines());
    pounds.currency = Some("STG".to_owned());
    data.post_invoice(pounds);
    let site = Site::new(data);
    site.tick();
    let list = |query: &str| {
        pages(
            &site,
            &format!("/connections/acme/records?{query}"),
            "records",
        )
    };
    let all = list("");
    assert_eq!(all.len(), 41);
    let mut keys: Vec<String> = all
        .iter()
        .map(|row| format!("{} {}", row["feed"], row["key"]))
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 41, "each once");
    assert_eq!(list("feed=customers&").len(), 20);
    assert_eq!(list("status=failing&").len(), 1);
    assert_eq!(list("feed=customers&status=failing&").len(), 0);
    assert_eq!(list("q=100007&").len(), 1);
    let row = &list("status=failing&")[0];
    assert_eq!(row["reason"]["code"], "unknown_currency", "{row}");
    let one = site.record("customers", &company(1));
    let targets = one["targets"].as_array().expect("targets");
    assert_eq!(targets.len(), 2, "{one}");
    let id = site.object(Kind::Contact, &contact(1)).id;
    let url = format!("https://app.hubspot.com/contacts/891936587/record/0-1/{id}");
    assert!(targets.iter().any(|target| target["url"] == url.as_str()));
    assert_eq!(one["attempts"][0]["outcome"], "synced");
}

#[test]
fn the_audit_is_paged_and_filtered() {
    let site = loaded(20);
    let list = |query: &str| pages(&site, &format!("/connections/acme/audit?{query}"), "audit");
    let all = list("");
    assert_eq!(all.len(), 40);
    let key = company(3);
    let of_one = list(&format!("feed=customers&key={key}&"));
    assert_eq!(of_one.len(), 1);
    assert!(of_one[0]["taken_at"].is_string(), "{}", of_one[0]);
    assert!(of_one[0]["said"]["created"].is_number());
    assert_eq!(list("since=2026-03-03&").len(), 0);
    assert_eq!(list("since=2026-03-02&").len(), 40);
}

#[test]
fn health_is_ok_while_runs_are_good_and_503_when_they_are_not() {
    let site = loaded(1);
    let health = || site.ask_as("GET", "/health", "", None);
    assert_eq!(health().status, 200);
    assert_eq!(health().body["ok"], true);
    site.world.advance(Duration::from_secs(21 * 60));
    let stale = health();
    assert_eq!(stale.status, 503);
    assert_eq!(stale.body["ok"], false);
    assert_eq!(stale.body.as_object().map(|all| all.len()), Some(2));
    site.tick();
    assert_eq!(health().status, 200, "a quiet run is a good one");
}
