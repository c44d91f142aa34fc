//! Salespeople write SYSPRO's order numbers on their deals; invoices are linked to them by that.

mod anew;

use std::time::Duration;

use serde_json::json;
use simulators::{
    data::{InvoiceKey, NewInvoice},
    hubspot::{Fault, Kind, Options},
};

use super::{customer, distributor, hubspot_key, lines, loaded, money};
use crate::agreement;
use crate::site::{Site, options};
use crate::world::{Effect, Fate, Landing, Weather};

const HOUR: Duration = Duration::from_secs(3600);
const SEARCH: &str = "POST deals/search";
const LINK: &str = "POST associations/invoices/deals/batch/associate/default";
const LOOK: &str = "POST associations/invoices/deals/batch/read";
const UNLINK: &str = "POST associations/invoices/deals/batch/archive";

/// A deal with these numbers on it.
fn deal(site: &Site, numbers: &str) -> u64 {
    let properties = [("dealname", "Big one"), ("syspro_sales_orders", numbers)];
    let mut portal = site.portal.borrow_mut();
    portal.create(site.world.now(), Kind::Deal, &properties)
}

fn write(site: &Site, deal: u64, numbers: &str) {
    let mut portal = site.portal.borrow_mut();
    let numbers = [("syspro_sales_orders", numbers)];
    assert!(portal.edit(site.world.now(), Kind::Deal, deal, &numbers));
}

/// An invoice of the first customer, made from this order.
fn invoice(site: &Site, order: &str) -> String {
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    let new = NewInvoice {
        sales_order: order.to_owned(),
        ..NewInvoice::of(&customer(1), today, lines())
    };
    hubspot_key(&erp.data.post_invoice(new))
}

fn key_of(key: &str) -> InvoiceKey {
    let mut parts = key.split('/').skip(1).map(str::to_owned);
    let mut next = || parts.next().expect("four parts");
    InvoiceKey {
        customer: next(),
        invoice: next(),
        document_type: next(),
    }
}

/// The deals an invoice is linked to.
fn deals_of(site: &Site, invoice: &str) -> Vec<u64> {
    let id = site.object(Kind::Invoice, invoice).id;
    let links = site
        .portal
        .borrow()
        .associations(Kind::Invoice, id, Kind::Deal);
    links.into_iter().map(|(deal, _)| deal).collect()
}

fn calls(site: &Site, endpoint: &str) -> u64 {
    site.calls_by_endpoint().get(endpoint).copied().unwrap_or(0)
}

/// An hour and the minute search needs to see what people did last; then a tick.
fn an_hour_later(site: &Site) {
    site.world.advance(HOUR + Duration::from_secs(60));
    site.tick();
}

#[test]
fn an_invoice_finds_the_deal_its_order_stands_on() {
    let site = loaded(1);
    let deal = deal(&site, "1024");
    an_hour_later(&site);
    let invoice = invoice(&site, "00000000000000001024");
    site.next_tick();
    assert_eq!(
        deals_of(&site, &invoice),
        [deal],
        "at once: the number was there"
    );
    assert_eq!(site.last_run()["report"]["deals"]["linked"], 1);
    let attempts = &site.record("invoices", &invoice)["attempts"];
    let said = attempts.as_array().expect("attempts");
    let links = said.iter().filter(|it| it["said"]["link"] == "linked");
    let links: Vec<_> = links.map(|it| &it["said"]["deal"]).collect();
    assert_eq!(links, [&deal.to_string()], "{attempts:#}");
    agreement::check(&site);
}

#[test]
fn a_number_entered_months_later_finds_its_invoices() {
    let site = loaded(1);
    let invoices = ["000801", "000801", "000802"].map(|order| invoice(&site, order));
    site.next_tick();
    let deal = deal(&site, "");
    for _ in 0..90 {
        site.world.advance(24 * HOUR);
        site.tick();
    }
    write(&site, deal, "801");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &invoices[0]), [deal]);
    assert_eq!(
        deals_of(&site, &invoices[1]),
        [deal],
        "two invoices of one order"
    );
    assert!(deals_of(&site, &invoices[2]).is_empty());
}

#[test]
fn several_orders_on_a_deal_and_several_deals_on_an_order() {
    let site = loaded(1);
    let invoices = ["000000000000801", "802", "AB-7", "804"].map(|order| invoice(&site, order));
    let first = deal(&site, "0801, #802;ab-7");
    let second = deal(&site, "802\n\n 00804");
    deal(&site, "8, 80, 8010, about 800");
    site.next_tick();
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &invoices[0]), [first]);
    assert_eq!(deals_of(&site, &invoices[1]), [first, second]);
    assert_eq!(deals_of(&site, &invoices[2]), [first]);
    assert_eq!(deals_of(&site, &invoices[3]), [second]);
}

#[test]
fn a_link_that_hubspot_would_not_take_away_is_asked_for_again_a_day_later() {
    let site = loaded(1);
    let key = invoice(&site, "801");
    site.next_tick();
    let deal = deal(&site, "801");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key), [deal]);
    let body = json!({"status": "error", "category": "VALIDATION_ERROR", "message": "Not now."});
    let refused = Fault::refuse(400, body.to_string());
    let refused = refused.once("invoices/deals/batch/archive");
    site.portal.borrow_mut().add_fault(refused);
    write(&site, deal, "");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key), [deal]);
    assert_eq!(site.last_run()["report"]["deals"]["refused"], 1);
    let before = site.hubspot_calls();
    an_hour_later(&site);
    assert_eq!(
        site.hubspot_calls(),
        before,
        "but for the search of every hour"
    );
    site.world.advance(Duration::from_secs(24 * 3_600));
    site.tick();
    assert_eq!(deals_of(&site, &key), [0; 0]);
}

#[test]
fn a_number_taken_away_takes_our_link_and_nobody_elses() {
    let site = loaded(1);
    let keys = ["801", "802"].map(|order| invoice(&site, order));
    site.next_tick();
    let [own, other] = [deal(&site, "801 802"), deal(&site, "")];
    // One of the two was linked by hand before, and a deal without any number as well.
    let mut portal = site.portal.borrow_mut();
    let ids = keys.each_ref().map(|key| {
        let object = portal.by_value(Kind::Invoice, "syspro_key", key);
        object.expect("an invoice").id
    });
    portal.associate((Kind::Invoice, ids[0]), (Kind::Deal, own), &[]);
    portal.associate((Kind::Invoice, ids[1]), (Kind::Deal, other), &[]);
    drop(portal);
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &keys[1]), [own, other]);
    write(&site, own, "");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &keys[0]), [own], "made by hand");
    assert_eq!(deals_of(&site, &keys[1]), [other], "the other was ours");
    assert_eq!(site.last_run()["report"]["deals"]["unlinked"], 1);
    // What people unlink by hand stays unlinked while the number stands.
    write(&site, other, "801");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &keys[0]), [own, other]);
    let mut portal = site.portal.borrow_mut();
    portal.dissociate((Kind::Invoice, ids[0]), (Kind::Deal, other));
    drop(portal);
    write(&site, other, "801 999");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &keys[0]), [own]);
    // A replay of the invoice is to make it whole again.
    let body = format!(
        r#"{{"records":[{{"feed":"invoices","key":"{}"}}]}}"#,
        keys[0]
    );
    site.ask("POST", "/connections/acme/replay", &body);
    site.next_tick();
    assert_eq!(deals_of(&site, &keys[0]), [own, other]);
}

#[test]
fn an_order_that_changes_in_syspro_changes_the_deal() {
    let site = loaded(1);
    let key = invoice(&site, "801");
    let [first, second] = [deal(&site, "801"), deal(&site, "802")];
    site.next_tick();
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key), [first]);
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_invoice(&key_of(&key), "SalesOrder", "000802");
    drop(erp);
    site.next_tick();
    assert_eq!(deals_of(&site, &key), [second]);
}

#[test]
fn a_deal_deleted_or_merged_by_people_is_lived_with() {
    for makes_new_id in [true, false] {
        let site = loaded(1);
        site.portal.borrow_mut().options_mut().merge_makes_new_id = makes_new_id;
        let keys = ["801", "802", "803"].map(|order| invoice(&site, order));
        let [gone, winner, loser] = ["801", "802", "803"].map(|order| deal(&site, order));
        site.next_tick();
        an_hour_later(&site);
        assert_eq!(
            keys.each_ref().map(|key| deals_of(&site, key).len()),
            [1, 1, 1]
        );

        let now = site.world.now();
        let mut portal = site.portal.borrow_mut();
        portal.delete(now, Kind::Deal, gone);
        let survivor = portal.merge(now, Kind::Deal, winner, loser);
        drop(portal);
        // Nobody told us yet: what is new is tried with a deal that is no more.
        let later = ["801", "803"].map(|order| invoice(&site, order));
        site.next_tick();
        assert_eq!(
            later.each_ref().map(|key| site.status("invoices", key)),
            ["synced"; 2]
        );
        an_hour_later(&site);
        site.settle(3);
        assert!(deals_of(&site, &later[0]).is_empty());
        assert_eq!(deals_of(&site, &keys[1]), [survivor]);
        assert_eq!(
            deals_of(&site, &keys[2]),
            [survivor],
            "the merge moved it, and it stays"
        );
        assert_eq!(site.last_run()["state"], "green", "{:#}", site.last_run());

        // The survivor's number is what counts from now on.
        write(&site, survivor, "803");
        an_hour_later(&site);
        assert!(deals_of(&site, &keys[1]).is_empty(), "{makes_new_id}");
        assert_eq!(deals_of(&site, &keys[2]), [survivor]);
        assert_eq!(deals_of(&site, &later[1]), [survivor]);
    }
}

#[test]
fn an_invoice_made_anew_is_linked_anew() {
    let site = loaded(1);
    let key = invoice(&site, "801");
    let deal = deal(&site, "801");
    site.next_tick();
    an_hour_later(&site);
    let now = site.world.now();
    let id = site.object(Kind::Invoice, &key).id;
    site.portal.borrow_mut().delete(now, Kind::Invoice, id);
    // Something to do for the pass, while the invoice is away.
    let other = invoice(&site, "801");
    site.next_tick();
    assert_eq!(deals_of(&site, &other), [deal]);
    let mut erp = site.erp.borrow_mut();
    let today = erp.data.today();
    erp.data.pay(&key_of(&key), money("2.50"), today);
    drop(erp);
    site.settle(4);
    assert_eq!(deals_of(&site, &key), [deal]);
}

#[test]
fn a_death_or_a_lost_answer_in_mid_link_loses_nothing_and_leaves_nothing() {
    let calls = [
        Fate::DiesBefore,
        Fate::DiesAfter,
        Fate::AnswerLost,
        Fate::LandsLate,
    ];
    let after_calls = |path| calls.map(|fate| (Effect::Http, path, fate));
    let commits = [Fate::DiesBefore, Fate::DiesAfter, Fate::AnswerLost];
    let after_commits = |path| commits.map(|fate| (Effect::D1, path, fate));
    let troubles = [after_calls(SEARCH), after_calls(LOOK)]
        .into_iter()
        .flatten();
    let troubles = troubles.chain([SEARCH, LOOK, LINK].into_iter().flat_map(after_commits));
    for (effect, path, fate) in troubles {
        for (first, taken_away) in [(false, false), (false, true), (true, false), (true, true)] {
            // The very first look, or a later one.
            let site = Site::new(distributor(1));
            let key = invoice(&site, "801");
            if !first {
                site.tick();
            }
            let deal = deal(&site, "801");
            meet(&site, path, effect, fate);
            site.world.advance(HOUR + Duration::from_secs(60));
            site.tick_later(0);
            site.world.settle();
            site.world.set_weather(Weather::calm());
            if taken_away {
                write(&site, deal, "");
            }
            for _ in 0..3 {
                an_hour_later(&site);
            }
            let expected = if taken_away { vec![] } else { vec![deal] };
            let said = format!("{effect:?} after {path}: {fate:?}, {first} {taken_away}");
            assert_eq!(deals_of(&site, &key), expected, "{said}");
        }
    }
}

/// What comes after the first call of an endpoint meets this fate, until the weather changes.
fn meet(site: &Site, endpoint: &str, effect: Effect, fate: Fate) {
    let (_, path) = endpoint.split_once(' ').expect("a method and a path");
    let end = path.trim_start_matches("associations/").to_owned();
    let mut met = false;
    site.world.on_landing(move |world, landing| {
        if let Landing::Exchange { request, .. } = landing
            && request.uri().path().ends_with(&end)
            && !met
        {
            met = true;
            world.set_weather(Weather::always(effect, fate));
        }
    });
}

#[test]
fn a_quiet_tick_asks_for_deals_once_an_hour_and_for_nothing_else() {
    let site = loaded(3);
    let key = invoice(&site, "801");
    let deal = deal(&site, "801");
    site.next_tick();
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key), [deal]);
    site.portal.borrow_mut().reset_calls();
    let statements = site.world.queries();
    for _ in 0..12 * 6 {
        site.next_tick();
    }
    let calls = site.calls_by_endpoint();
    assert_eq!(calls.keys().collect::<Vec<_>>(), [SEARCH]);
    assert_eq!(calls[SEARCH], 6, "six hours");
    let each = (site.world.queries() - statements) / (12 * 6);
    assert!(each <= 12, "{each} D1 statements a tick");
    let runs = site.world.rows("select count(*) as n from runs");
    site.next_tick();
    assert_eq!(
        site.world.rows("select count(*) as n from runs"),
        runs,
        "no run to show"
    );
}

#[test]
fn more_deals_than_one_search_gives_are_all_read() {
    let site = loaded(1);
    let key = invoice(&site, "900001");
    site.next_tick();
    let now = site.world.now();
    let mut portal = site.portal.borrow_mut();
    for order in 0..10_300 {
        let number = [("syspro_sales_orders", &*order.to_string())];
        portal.create(now, Kind::Deal, &number);
    }
    let last = portal.create(now, Kind::Deal, &[("syspro_sales_orders", "900001")]);
    portal.reset_calls();
    drop(portal);
    // A run that may make thirty calls goes on in the next.
    site.world.advance(HOUR);
    let mut ticks = 0;
    while site
        .world
        .rows("select 1 from deals where sales_order = '900001'")
        .is_empty()
    {
        site.world.advance(Duration::from_secs(300));
        site.tick_with(&[("MAX_CALLS", "30")]);
        ticks += 1;
        assert!(ticks < 5, "it never gets there");
    }
    assert_eq!(ticks, 2);
    site.settle(3);
    assert_eq!(calls(&site, SEARCH), 52, "each page once");
    assert_eq!(deals_of(&site, &key), [last]);
    let held = site.world.rows("select count(*) as n from deals");
    assert_eq!(held[0]["n"].as_f64(), Some(10_300.0), "0 is no number");
}

#[test]
fn a_portal_without_deals_is_never_asked_for_them() {
    let without = |scopes: &[&str]| -> Options {
        let mut options = options();
        let held = &mut options.tokens[0].scopes;
        held.retain(|scope| !scopes.contains(&scope.as_str()));
        options
    };
    let scopes = ["crm.objects.deals.read", "crm.objects.deals.write"];
    let site = Site::with(distributor(1), without(&scopes), serde_json::json!({}));
    let key = invoice(&site, "801");
    deal(&site, "801");
    site.tick();
    an_hour_later(&site);
    assert!(deals_of(&site, &key).is_empty());
    let calls = site.calls_by_endpoint();
    assert!(
        calls.keys().all(|call| !call.contains("deals")),
        "{calls:?}"
    );
    assert_eq!(site.last_run()["state"], "green");

    // With the scope, and the checks asked for again, they are linked.
    let whole = options();
    site.portal.borrow_mut().options_mut().tokens = whole.tokens;
    site.ask("POST", "/connections/acme/checks", "");
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key).len(), 1);
}

#[test]
fn a_property_that_people_removed_takes_no_link_away() {
    let site = loaded(1);
    let key = invoice(&site, "801");
    let deal = deal(&site, "801");
    site.next_tick();
    an_hour_later(&site);
    let mut portal = site.portal.borrow_mut();
    portal.remove_property(Kind::Deal, "syspro_sales_orders");
    let now = site.world.now();
    portal.edit(now, Kind::Deal, deal, &[("dealname", "Touched")]);
    drop(portal);
    an_hour_later(&site);
    assert_eq!(deals_of(&site, &key), [deal]);
    let run = site.last_run();
    assert_eq!(run["state"], "red", "{run:#}");
    assert_eq!(run["report"]["problems"].as_array().map(Vec::len), Some(1));
    // Customers and invoices go on.
    let next = invoice(&site, "7");
    site.next_tick();
    assert_eq!(site.status("invoices", &next), "synced");
}

#[test]
fn search_that_fails_holds_up_nothing_else() {
    let site = loaded(1);
    deal(&site, "801");
    let mut fault = Fault::Html { status: 503 }.once("deals/search");
    fault.times = 50;
    site.portal.borrow_mut().add_fault(fault);
    site.world.advance(HOUR);
    let key = invoice(&site, "801");
    site.next_tick();
    assert_eq!(site.status("invoices", &key), "synced");
    assert!(deals_of(&site, &key).is_empty());
    site.portal.borrow_mut().clear_faults();
    for _ in 0..8 {
        an_hour_later(&site);
    }
    assert_eq!(deals_of(&site, &key).len(), 1);
    assert_eq!(calls(&site, LINK), 1);
    assert_eq!(calls(&site, UNLINK), 0);
}
