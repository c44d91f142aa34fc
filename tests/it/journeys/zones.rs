//! Days and hours: another zone than the portal's, summer time, and what else a portal says of itself.

use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use serde_json::json;
use simulators::{data::NewInvoice, hubspot::Kind};

use super::{company, customer, distributor, first_invoice, hubspot_key, lines, loaded, money};
use crate::agreement;
use crate::site::{Site, options};

const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MS: i64 = 3_600_000;

fn pay(site: &Site, number: u32, value: &str) {
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(&first_invoice(number), money(value), today);
}

/// How often the portal was asked about itself.
fn asked(site: &Site) -> u64 {
    let calls = site.calls_by_endpoint();
    let of = calls.iter().filter(|(name, _)| name.contains("details"));
    of.map(|(_, times)| times).sum()
}

#[test]
fn summer_time_is_learned_and_sends_no_invoice_again() {
    let site = loaded(3);
    let day = |number: u32| {
        let key = hubspot_key(&first_invoice(number));
        site.value(Kind::Invoice, &key, "hs_invoice_date")
    };
    let noons: Vec<String> = (1..=3).map(day).collect();
    // The clocks go forward on Sunday, 8 March 2026.
    site.world.advance(HOUR * 24 * 7);
    site.portal.borrow_mut().options_mut().utc_offset_ms = -4 * HOUR_MS;
    site.next_tick();
    assert_eq!(asked(&site), 0, "a quiet tick asks nothing of HubSpot");
    pay(&site, 1, "2.50");
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(asked(&site), 1);
    // The invoice, its company, and the portal about itself.
    assert_eq!(site.hubspot_calls() - before, 3);
    let portal = site.get("/connections/acme")["portal"].clone();
    assert_eq!(portal["utc_offset_ms"], -4 * HOUR_MS, "{portal}");
    let before = site.hubspot_calls();
    for _ in 0..3 {
        site.next_tick();
    }
    assert_eq!(site.hubspot_calls(), before, "no invoice is news by it");
    assert_eq!((1..=3).map(day).collect::<Vec<_>>(), noons);
    // Nor by somebody who has the connection looked at anew.
    let patch = site.ask("PATCH", "/connections/acme", "{}");
    assert_eq!(patch.status, 200, "{}", patch.body);
    site.portal.borrow_mut().reset_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), 0);

    // A new one is shown on its day, by whichever clock.
    let invoice = NewInvoice::of(&customer(2), site.today(), lines());
    let key = hubspot_key(&site.erp.borrow_mut().data.post_invoice(invoice));
    site.next_tick();
    let at = site.value(Kind::Invoice, &key, "hs_invoice_date");
    let at = DateTime::parse_from_rfc3339(&at).expect("an instant");
    for offset in [-4, -5] {
        let there: NaiveDate = (at.naive_utc() + chrono::TimeDelta::hours(offset)).date();
        assert_eq!(there, site.today());
    }
}

#[test]
fn a_portal_is_asked_about_itself_once_a_day_at_most() {
    let site = loaded(2);
    for hour in 0..50 {
        let mut erp = site.erp.borrow_mut();
        let name = format!("Name {hour}");
        erp.data.edit_customer(&customer(1), "Name", name.as_str());
        drop(erp);
        site.world.advance(HOUR);
        site.tick();
    }
    assert_eq!(site.value(Kind::Company, &company(1), "name"), "Name 49");
    assert_eq!(asked(&site), 2);
}

#[test]
fn a_currency_added_in_the_portal_is_seen_within_a_day() {
    let site = loaded(2);
    let invoice = first_invoice(1);
    let mut erp = site.erp.borrow_mut();
    erp.data
        .set("ArInvoice", &invoice.parts(), "PostCurrency", "CAD");
    drop(erp);
    site.next_tick();
    let record = hubspot_key(&invoice);
    assert_eq!(site.status("invoices", &record), "failing");
    let mut portal = site.portal.borrow_mut();
    let currencies = &mut portal.options_mut().additional_currencies;
    currencies.push("CAD".to_owned());
    drop(portal);
    site.world.advance(HOUR * 24);
    pay(&site, 2, "1.00");
    site.next_tick();
    site.next_tick();
    assert_eq!(site.status("invoices", &record), "synced");
    assert_eq!(site.value(Kind::Invoice, &record, "hs_currency"), "CAD");
}

#[test]
fn a_site_in_another_zone_than_the_portal_has_days_of_its_own() {
    let mut data = distributor(1);
    data.edit_customer(&customer(1), "TermsCode", "0");
    let today = data.today();
    let key = data.post_invoice(NewInvoice::of(&customer(1), today, lines()));
    // Ten hours ahead of UTC, the portal five behind.
    let site = Site::with(data, options(), json!({ "site_utc_offset_minutes": 600 }));
    site.tick();
    let key = hubspot_key(&key);
    let status = || site.value(Kind::Invoice, &key, "syspro_status");
    assert_eq!(status(), "open", "due today, and it is 18:00 there");
    site.world.advance(HOUR * 5 + HOUR / 2);
    site.next_tick();
    assert_eq!(status(), "open", "half past eleven at night");
    site.world.advance(HOUR / 2);
    site.next_tick();
    assert_eq!(status(), "overdue", "and after midnight");
    let noon = site.value(Kind::Invoice, &key, "hs_invoice_date");
    assert_eq!(noon, format!("{today}T17:00:00Z"), "noon is the portal's");
    agreement_of_money(&site);
}

/// Days apart, all is as SYSPRO has it.
fn agreement_of_money(site: &Site) {
    let found = agreement::differences(site);
    let apart = |line: &&String| !line.contains("syspro_status");
    assert_eq!(found.iter().filter(apart).count(), 0, "{found:#?}");
}
