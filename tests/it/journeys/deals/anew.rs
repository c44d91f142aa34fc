//! Links of what was there before: an upgrade, and a link that was refused once.

use serde_json::json;
use simulators::hubspot::{Fault, Kind};
use syspro_hubspot_sync::platform::NoAnswer;

use super::*;
use crate::world::ERP;

const MIGRATION: &str = include_str!("../../../../migrations/0007_deals.sql");

/// The database as it was before it knew of deals, and the upgrade.
fn upgrade(site: &Site) {
    let mut d1 = site.world.d1();
    d1.deploy(
        "drop table deals; drop table deal_links; drop index ledger_order;
         alter table ledger drop column sales_order; delete from cursors where feed = 'deals'",
    );
    d1.deploy(MIGRATION);
}

#[test]
fn invoices_from_before_an_upgrade_find_their_deals() {
    for sweep_pages in [0, 1] {
        let settings = json!({ "sweep_pages": sweep_pages, "history_days": 100 });
        let site = Site::with(distributor(1), options(), settings);
        let old = invoice(&site, "801");
        site.settle(3);
        let today = site.today();
        site.erp
            .borrow_mut()
            .data
            .pay(&key_of(&old), money("42.50"), today);
        site.settle(3);
        // Paid, and older than the history by now; the other is not.
        site.world.advance(200 * 24 * HOUR);
        let young = invoice(&site, "802");
        site.settle(3);
        let deal = deal(&site, "801, 802");
        upgrade(&site);
        // The deals are looked at while SYSPRO answers nothing: its invoices come later.
        site.world.unplug(ERP, NoAnswer::Refused);
        an_hour_later(&site);
        site.world.plug_in(ERP);
        for _ in 0..4 {
            an_hour_later(&site);
        }
        assert_eq!(deals_of(&site, &young), [deal], "{sweep_pages}");
        assert_eq!(deals_of(&site, &old), [deal], "{sweep_pages}");
    }
}

#[test]
fn a_link_that_was_refused_and_made_by_people_meanwhile_is_theirs() {
    let site = loaded(1);
    let key = invoice(&site, "801");
    site.next_tick();
    let deal = deal(&site, "801");
    let refused = Fault::refuse(400, r#"{"status":"error","category":"VALIDATION_ERROR"}"#);
    let mut portal = site.portal.borrow_mut();
    portal.add_fault(refused.times(4, "invoices/deals/batch/associate"));
    drop(portal);
    an_hour_later(&site);
    assert!(deals_of(&site, &key).is_empty());
    let made = site.world.rows("select made from deal_links");
    assert_eq!(made[0]["made"], "refused", "{made:?}");
    let mut portal = site.portal.borrow_mut();
    portal.clear_faults();
    let id = portal
        .by_value(Kind::Invoice, "syspro_key", &key)
        .map(|it| it.id);
    portal.associate(
        (Kind::Invoice, id.unwrap_or_default()),
        (Kind::Deal, deal),
        &[],
    );
    drop(portal);
    let body = json!({ "records": [{ "feed": "invoices", "key": key }] });
    let asked = site.ask("POST", "/connections/acme/replay", &body.to_string());
    assert_eq!(asked.status, 202);
    an_hour_later(&site);
    write(&site, deal, "");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key), [deal], "made by hand");
}

/// Seeds 28908, 75186 and 80700.
#[test]
fn a_number_that_comes_back_after_its_link_went_unheard_has_it_again() {
    for fate in [Fate::DiesBefore, Fate::DiesAfter, Fate::AnswerLost] {
        let site = loaded(1);
        let key = invoice(&site, "801");
        let deal = deal(&site, "801");
        an_hour_later(&site);
        assert_eq!(deals_of(&site, &key), [deal]);
        write(&site, deal, "");
        meet(&site, UNLINK, Effect::D1, fate);
        site.world.advance(HOUR + Duration::from_secs(60));
        site.tick_later(0);
        site.world.settle();
        site.world.set_weather(Weather::calm());
        assert!(deals_of(&site, &key).is_empty(), "{fate:?}");
        write(&site, deal, "801");
        for _ in 0..3 {
            an_hour_later(&site);
        }
        assert_eq!(deals_of(&site, &key), [deal], "{fate:?}");
        write(&site, deal, "");
        an_hour_later(&site);
        assert!(deals_of(&site, &key).is_empty(), "ours still, {fate:?}");
    }
}
