//! People change HubSpot by hand: delete, merge, take a name away.

use serde_json::json;
use simulators::hubspot::Kind;

use super::{company, contact, customer, first_invoice, hubspot_key, loaded, money};
use crate::agreement;
use crate::site::Site;

fn delete(site: &Site, kind: Kind, key: &str) -> u64 {
    let id = site.object(kind, key).id;
    site.portal.borrow_mut().delete(site.world.now(), kind, id);
    id
}

fn rename(site: &Site, number: u32, name: &str) {
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(number), "Name", name);
}

fn replay(site: &Site, feed: &str, key: &str) {
    let body = json!({ "records": [{ "feed": feed, "key": key }] });
    let asked = site.ask("POST", "/connections/acme/replay", &body.to_string());
    assert_eq!(asked.status, 202, "{}", asked.body);
    site.next_tick();
}

#[test]
fn a_company_deleted_by_a_person_is_made_anew_with_its_links() {
    let site = loaded(2);
    let before = delete(&site, Kind::Company, &company(1));
    rename(&site, 1, "Renamed Inc");
    site.next_tick();
    let after = site.object(Kind::Company, &company(1));
    assert_ne!(after.id, before);
    assert_eq!(after.get("name"), Some("Renamed Inc"));
    assert_eq!(after.get("lifecyclestage"), Some("customer"));
    assert_eq!(site.linked(Kind::Company, &company(1), Kind::Contact), 1);
    assert_eq!(site.status("customers", &company(1)), "synced");
    // Its invoices follow: nothing of them is sent but the link.
    let before = site.hubspot_calls();
    site.next_tick();
    let invoice = hubspot_key(&first_invoice(1));
    assert_eq!(site.linked(Kind::Invoice, &invoice, Kind::Company), 1);
    assert_eq!(site.hubspot_calls() - before, 1);
    agreement::check(&site);
}

#[test]
fn a_contact_deleted_by_a_person_is_left_out_until_a_replay() {
    let site = loaded(2);
    delete(&site, Kind::Contact, &contact(1));
    let mut erp = site.erp.borrow_mut();
    erp.data
        .edit_customer(&customer(1), "Contact", "Someone Else");
    drop(erp);
    site.next_tick();
    assert!(site.find(Kind::Contact, &contact(1)).is_none());
    let record = site.record("customers", &company(1));
    assert_eq!(record["status"], "synced");
    assert_eq!(record["reason"]["code"], "contact_deleted", "{record}");
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "it is not asked for again");

    replay(&site, "customers", &company(1));
    let found = site.find(Kind::Contact, &contact(1)).expect("made again");
    assert_eq!(found.get("lastname"), Some("Else"));
    assert_eq!(site.linked(Kind::Contact, &contact(1), Kind::Company), 1);
    site.next_tick();
    agreement::check(&site);
}

#[test]
fn a_change_goes_to_the_survivor_of_a_merge() {
    for makes_new_id in [true, false] {
        let site = loaded(2);
        site.portal.borrow_mut().options_mut().merge_makes_new_id = makes_new_id;
        let now = site.world.now();
        let ours = site.object(Kind::Company, &company(1)).id;
        let mut portal = site.portal.borrow_mut();
        let theirs = portal.create(now, Kind::Company, &[("name", "Made by a person")]);
        let survivor = portal.merge(now, Kind::Company, theirs, ours);
        drop(portal);
        rename(&site, 1, "Renamed Inc");
        site.next_tick();
        let portal = site.portal.borrow();
        let object = portal.object(Kind::Company, survivor).expect("a survivor");
        assert_eq!(object.get("name"), Some("Renamed Inc"));
        let live = portal.objects(Kind::Company).filter(|it| !it.archived);
        assert_eq!(live.count(), 2, "no third was made");
        drop(portal);
        assert_eq!(site.status("customers", &company(1)), "synced");
    }
}

#[test]
fn an_invoice_deleted_by_a_person_is_made_anew_whole() {
    let site = loaded(1);
    let key = hubspot_key(&first_invoice(1));
    delete(&site, Kind::Invoice, &key);
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(&first_invoice(1), money("2.50"), today);
    drop(erp);
    site.settle(4);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_balance_due"), "40");
    assert_eq!(site.value(Kind::Invoice, &key, "hs_invoice_status"), "open");
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::Company), 1);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    assert_eq!(site.status("invoices", &key), "synced");
}

#[test]
fn two_customers_merged_into_one_company_do_not_overwrite_each_other() {
    for makes_new_id in [true, false] {
        let site = loaded(2);
        site.portal.borrow_mut().options_mut().merge_makes_new_id = makes_new_id;
        let [first, second] = [1, 2].map(|number| site.object(Kind::Company, &company(number)).id);
        let now = site.world.now();
        let survivor = site
            .portal
            .borrow_mut()
            .merge(now, Kind::Company, first, second);
        for round in 0..2 {
            rename(&site, 1, &format!("The one {round}"));
            rename(&site, 2, &format!("The other {round}"));
            let today = site.today();
            let mut erp = site.erp.borrow_mut();
            erp.data.pay(&first_invoice(2), money("1.00"), today);
            drop(erp);
            site.settle(4);
            let name = site.value(Kind::Company, &company(1), "name");
            assert_eq!(name, format!("The one {round}"));
            assert!(site.find(Kind::Company, &company(2)).is_none());
            let record = site.record("customers", &company(2));
            assert_eq!(record["reason"]["code"], "merged", "{round} {record}");
            replay(&site, "customers", &company(2));
        }
        let name = site.value(Kind::Company, &company(1), "name");
        assert_eq!(name, "The one 1", "a replay does not change that");
        assert_eq!(site.status("customers", &company(1)), "synced");
        let invoice = hubspot_key(&first_invoice(2));
        assert_eq!(site.status("invoices", &invoice), "synced");
        let portal = site.portal.borrow();
        let id = portal.by_value(Kind::Invoice, "syspro_key", &invoice);
        let id = id.expect("an invoice").id;
        let linked = portal.associations(Kind::Invoice, id, Kind::Company);
        assert_eq!(linked.len(), 1, "{linked:?}");
        assert_eq!(linked[0].0, survivor);
    }
}
