//! What was taken over stays what it is: through answers that do not come, replays, and the loss of all
//! that was known.

use std::time::Duration;

use serde_json::json;
use simulators::{
    data::NewCustomer,
    hubspot::{Fault, Kind},
};

use super::{
    adopted, company, contact, distributor, edit, linking::link_company, live, theirs, value, with,
};
use crate::site::Site;

const NOTHING: &str = r#"{"status":"COMPLETE","results":[]}"#;

fn replay(site: &Site, number: u32) {
    let body = json!({ "records": [{ "feed": "customers", "key": company(number) }] });
    site.ask("POST", "/connections/acme/replay", &body.to_string());
}

/// HubSpot answers, and says neither that the record is there nor that it is not.
#[test]
fn what_an_answer_does_not_speak_of_is_not_made_a_second_time() {
    let site = Site::new(distributor(1));
    let domain = [("domain", "customer1.example"), ("name", "Theirs")];
    let own = theirs(&site, Kind::Company, &domain);
    let person = theirs(&site, Kind::Contact, &[("email", "jo@customer1.example")]);
    for (kind, place) in [
        (Kind::Company, "companies/batch/read"),
        (Kind::Contact, "contacts/batch/read"),
    ] {
        let silent = Fault::refuse(200, NOTHING).times(u64::MAX, place);
        site.portal.borrow_mut().add_fault(silent);
        site.next_tick();
        site.next_tick();
        assert_eq!(live(&site, kind), 1, "{place}");
        assert_eq!(site.status("customers", &company(1)), "waiting", "{place}");
        site.portal.borrow_mut().clear_faults();
    }
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, own, "syspro_key"), company(1));
    assert_eq!(
        value(&site, Kind::Contact, person, "syspro_key"),
        contact(1)
    );
    assert_eq!(site.status("customers", &company(1)), "synced");
}

/// HubSpot may answer for a record that was merged away by naming its survivor.
#[test]
fn a_survivor_is_looked_at_before_it_is_written() {
    for survivors_are_named in [false, true] {
        let site = Site::new(distributor(1));
        let mut portal = site.portal.borrow_mut();
        portal.options_mut().merged_ids_in_batch_read = survivors_are_named;
        drop(portal);
        let domain = [("domain", "customer1.example"), ("name", "Theirs")];
        let own = theirs(&site, Kind::Company, &domain);
        site.settle(3);
        let other = [("name", "The group"), ("phone", "+44 1")];
        let other = theirs(&site, Kind::Company, &other);
        let now = site.world.now();
        let survivor = site
            .portal
            .borrow_mut()
            .merge(now, Kind::Company, other, own);
        edit(&site, 1, "Telephone", "+1 555 0100");
        edit(&site, 1, "SoldToAddr2", "Unit 4");
        site.settle(4);
        assert_eq!(site.status("customers", &company(1)), "synced");
        let held = |property: &str| value(&site, Kind::Company, survivor, property);
        assert_eq!(
            (held("phone").as_str(), held("address2").as_str()),
            ("+44 1", "Unit 4"),
            "{survivors_are_named}"
        );
    }
}

/// The new one was made, and whoever made it did not live to tell.
#[test]
fn several_are_listed_also_after_a_crash() {
    let site = Site::new(distributor(1));
    let domain = [("domain", "customer1.example"), ("name", "One of several")];
    for _ in 0..2 {
        theirs(&site, Kind::Company, &domain);
    }
    site.settle(3);
    site.world
        .rows("update targets set hubspot_id = null, hash = '', filled = '[]', links = '{}'");
    // Until what was made is found by its domain.
    site.world.advance(Duration::from_secs(300));
    replay(&site, 1);
    site.settle(4);
    assert_eq!(live(&site, Kind::Company), 3);
    let record = site.record("customers", &company(1));
    assert_eq!(record["status"], "synced", "{record}");
    assert_eq!(record["reason"]["code"], "ambiguous", "{record}");
}

#[test]
fn what_was_taken_over_once_is_told_once() {
    let site = Site::new(distributor(1));
    let domain = [("domain", "customer1.example"), ("name", "Theirs")];
    theirs(&site, Kind::Company, &domain);
    theirs(&site, Kind::Contact, &[("email", "jo@customer1.example")]);
    site.settle(3);
    for _ in 0..2 {
        replay(&site, 1);
        site.portal.borrow_mut().reset_calls();
        site.settle(3);
        let calls = site.calls_by_endpoint();
        let invoices = calls.keys().any(|call| call.contains("invoices"));
        assert!(!invoices, "nothing is new for its invoices: {calls:?}");
    }
    assert_eq!(adopted(&site, 1).len(), 2, "{:?}", adopted(&site, 1));
}

/// A contact that was found by its e-mail keeps that one; what SYSPRO says now may be another's.
#[test]
fn an_address_that_was_not_sent_keeps_nobody_elses() {
    let site = Site::new(distributor(1));
    let person = theirs(&site, Kind::Contact, &[("email", "jo@customer1.example")]);
    site.settle(3);
    edit(&site, 1, "Email", "office@customer1.example");
    site.settle(3);
    let email = |id: u64| value(&site, Kind::Contact, id, "email");
    assert_eq!(email(person), "jo@customer1.example");
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        name: "The office".to_owned(),
        contact: "Ann Lee".to_owned(),
        email: "office@customer1.example".to_owned(),
        added: Some(site.today()),
        ..NewCustomer::default()
    });
    replay(&site, 1);
    site.settle(4);
    assert_eq!(
        site.value(Kind::Contact, &contact(2), "email"),
        "office@customer1.example"
    );
}

/// More of one domain are other customers' than a person would be shown.
#[test]
fn others_records_do_not_hide_the_one_that_is_free() {
    let site = Site::new(distributor(1));
    for other in 1..=11 {
        let key = format!("OLD/{other}");
        let others = [
            ("domain", "customer1.example"),
            ("syspro_key", key.as_str()),
        ];
        theirs(&site, Kind::Company, &others);
    }
    let domain = [("domain", "customer1.example"), ("name", "Theirs")];
    let own = theirs(&site, Kind::Company, &domain);
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, own, "syspro_key"), company(1));
    assert_eq!(live(&site, Kind::Company), 12);
}

/// Nothing is left of what the connection knew: only HubSpot tells what was people's.
#[test]
fn a_connection_made_anew_takes_what_was_taken_over_for_peoples_again() {
    for settings in [json!({}), json!({"on_ambiguous": "hold"})] {
        let site = with(settings.clone(), 2);
        edit(&site, 1, "Telephone", "+1 555 0100");
        let own = [
            ("domain", "customer1.example"),
            ("name", "Customer One, as sales calls it"),
        ];
        let own = theirs(&site, Kind::Company, &own);
        let person = [
            ("email", "jo@customer1.example"),
            ("firstname", "Josephine"),
        ];
        let person = theirs(&site, Kind::Contact, &person);
        site.settle(3);
        let made = site.object(Kind::Company, &company(2)).id;
        assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
        site.connect(settings);
        edit(&site, 1, "Telephone", "+1 555 0199");
        edit(&site, 2, "Name", "Renamed Inc");
        site.settle(4);
        let held = |property: &str| value(&site, Kind::Company, own, property);
        assert_eq!(held("name"), "Customer One, as sales calls it");
        assert_eq!(held("phone"), "+1 555 0199", "we filled it");
        assert_eq!(
            value(&site, Kind::Contact, person, "firstname"),
            "Josephine"
        );
        assert_eq!(
            value(&site, Kind::Company, made, "name"),
            "Renamed Inc",
            "that one we made"
        );
        assert_eq!(
            (live(&site, Kind::Company), live(&site, Kind::Contact)),
            (2, 2)
        );
    }
}

/// They are found by neither domain nor e-mail any more.
#[test]
fn a_connection_made_anew_knows_also_those_that_were_linked_by_hand() {
    let site = Site::new(distributor(2));
    let person = [
        ("email", "jo@customer1.example"),
        ("firstname", "Josephine"),
    ];
    let person = theirs(&site, Kind::Contact, &person);
    site.settle(3);
    let own = [("name", "Theirs"), ("city", "Shelbyville")];
    let own = theirs(&site, Kind::Company, &own);
    assert_eq!(link_company(&site, 1, own).status, 202);
    site.settle(5);
    let (now, moved) = (site.world.now(), [("email", "josephine@home.example")]);
    let mut portal = site.portal.borrow_mut();
    portal.edit(now, Kind::Contact, person, &moved);
    drop(portal);
    assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
    site.connect(json!({}));
    edit(&site, 1, "SoldToAddr2", "Unit 4");
    site.settle(4);
    let held = |property: &str| value(&site, Kind::Company, own, property);
    assert_eq!(
        [held("name"), held("city"), held("address2")],
        ["Theirs", "Shelbyville", "Unit 4"]
    );
    let of = |property: &str| value(&site, Kind::Contact, person, property);
    assert_eq!(
        [of("firstname"), of("email")],
        ["Josephine", "josephine@home.example"]
    );
    assert_eq!(site.status("customers", &company(1)), "synced");
    assert_eq!(live(&site, Kind::Contact), 2);
}
