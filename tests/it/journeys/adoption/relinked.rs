//! A person changes the mind: what was linked is linked elsewhere, or back.

use std::time::Duration;

use serde_json::json;
use simulators::{
    data::NewCustomer,
    hubspot::{Fault, Kind},
};

use super::{
    company, contact, distributor, edit,
    linking::{link, link_company},
    live, theirs, value, with,
};
use crate::{
    journeys::{first_invoice, hubspot_key},
    site::Site,
};

fn linked(site: &Site, from: (Kind, u64), to: Kind) -> Vec<u64> {
    let portal = site.portal.borrow();
    let links = portal.associations(from.0, from.1, to);
    links.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn linked_back_a_record_of_ours_is_ours_as_before() {
    for run_between in [true, false] {
        let site = Site::new(distributor(1));
        site.settle(3);
        let made = site.object(Kind::Company, &company(1)).id;
        let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
        assert_eq!(link_company(&site, 1, own).status, 202);
        if run_between {
            site.settle(5);
        }
        assert_eq!(link_company(&site, 1, made).status, 202);
        site.settle(5);
        let key = |id: u64| value(&site, Kind::Company, id, "syspro_key");
        assert_eq!((key(made), key(own)), (company(1), String::new()));
        edit(&site, 1, "Name", "Renamed Inc");
        site.settle(3);
        assert_eq!(value(&site, Kind::Company, made, "name"), "Renamed Inc");
        assert_eq!(value(&site, Kind::Company, own, "name"), "Theirs");
        let invoice = hubspot_key(&first_invoice(1));
        let invoice = site.object(Kind::Invoice, &invoice).id;
        assert_eq!(
            linked(&site, (Kind::Invoice, invoice), Kind::Company),
            [made],
            "{run_between}"
        );
    }
}

#[test]
fn linked_back_a_record_of_theirs_has_what_we_filled_kept_up() {
    let site = Site::new(distributor(1));
    edit(&site, 1, "Telephone", "+1 555 0100");
    let own = [
        ("domain", "customer1.example"),
        ("name", "Theirs"),
        ("city", "Shelbyville"),
    ];
    let own = theirs(&site, Kind::Company, &own);
    site.settle(3);
    let [one, other] = ["One", "Other"].map(|name| theirs(&site, Kind::Company, &[("name", name)]));
    for id in [one, other, own] {
        assert_eq!(link_company(&site, 1, id).status, 202);
        site.settle(5);
    }
    edit(&site, 1, "Telephone", "+1 555 0199");
    edit(&site, 1, "SoldToAddr3", "Ogdenville");
    edit(&site, 1, "Name", "Renamed Inc");
    site.settle(3);
    let held = |property: &str| value(&site, Kind::Company, own, property);
    assert_eq!(held("phone"), "+1 555 0199");
    assert_eq!(
        (held("name").as_str(), held("city").as_str()),
        ("Theirs", "Shelbyville")
    );
    assert_eq!(value(&site, Kind::Company, one, "phone"), "+1 555 0100");
}

#[test]
fn what_we_linked_to_the_former_record_goes_with_our_key() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let made = site.object(Kind::Company, &company(1)).id;
    let ours = site.object(Kind::Contact, &contact(1)).id;
    let colleague = theirs(&site, Kind::Contact, &[("firstname", "Ann")]);
    let to = (Kind::Company, made);
    let mut portal = site.portal.borrow_mut();
    portal.associate((Kind::Contact, colleague), to, &[]);
    drop(portal);
    let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
    assert_eq!(link_company(&site, 1, own).status, 202);
    site.settle(5);
    let of = |id: u64, kind: Kind| linked(&site, (Kind::Company, id), kind);
    assert_eq!(of(made, Kind::Contact), [colleague], "people linked it");
    assert_eq!(of(made, Kind::Invoice), [0; 0]);
    assert_eq!(of(own, Kind::Contact), [ours]);
    assert_eq!(of(own, Kind::Invoice).len(), 1);

    // The contact likewise.
    let person = theirs(&site, Kind::Contact, &[("firstname", "Josephine")]);
    let body =
        json!({"feed": "customers", "key": company(1), "hubspot_id": person, "kind": "contact"});
    assert_eq!(link(&site, body).status, 202);
    site.settle(5);
    let of = |id: u64, kind: Kind| linked(&site, (Kind::Contact, id), kind);
    assert_eq!(
        (of(ours, Kind::Company), of(ours, Kind::Invoice)),
        (vec![], vec![])
    );
    assert_eq!(of(person, Kind::Company), [own]);
    assert_eq!(of(person, Kind::Invoice).len(), 1);
}

/// Company and contact are both given to records of theirs before any run: the two they were before
/// were linked by us alone.
#[test]
fn of_two_former_records_the_link_between_them_goes_too() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let [made, person] = [(Kind::Company, company(1)), (Kind::Contact, contact(1))]
        .map(|(kind, key)| site.object(kind, &key).id);
    let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
    let own_person = theirs(&site, Kind::Contact, &[("email", "new@theirs.example")]);
    assert_eq!(link_company(&site, 1, own).status, 202);
    let body = json!({"feed": "customers", "key": company(1), "kind": "contact",
        "hubspot_id": own_person.to_string()});
    assert_eq!(link(&site, body).status, 202);
    assert_eq!(
        linked(&site, (Kind::Contact, person), Kind::Company),
        [made]
    );
    site.settle(5);
    assert_eq!(
        linked(&site, (Kind::Contact, person), Kind::Company),
        Vec::<u64>::new()
    );
    assert_eq!(
        linked(&site, (Kind::Contact, own_person), Kind::Company),
        [own]
    );
}

/// Who was linked before us is told by nothing: that one stays.
#[test]
fn what_may_have_been_linked_before_us_stays() {
    let site = Site::new(distributor(1));
    let domain = [("domain", "customer1.example"), ("name", "Theirs")];
    let own = theirs(&site, Kind::Company, &domain);
    let person = theirs(&site, Kind::Contact, &[("email", "jo@customer1.example")]);
    let to = (Kind::Company, own);
    let mut portal = site.portal.borrow_mut();
    portal.associate((Kind::Contact, person), to, &[]);
    drop(portal);
    site.settle(3);
    let other = theirs(&site, Kind::Company, &[("name", "Other")]);
    assert_eq!(link_company(&site, 1, other).status, 202);
    site.settle(5);
    assert_eq!(linked(&site, (Kind::Company, own), Kind::Contact), [person]);
    assert_eq!(linked(&site, (Kind::Company, own), Kind::Invoice), [0; 0]);
    assert_eq!(
        linked(&site, (Kind::Company, other), Kind::Contact),
        [person]
    );
}

/// People took our key from a record that we made: it is its customer's all the same.
#[test]
fn a_record_of_ours_is_taken_also_where_its_key_is_gone() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let made = site.object(Kind::Company, &company(1)).id;
    let now = site.world.now();
    let blank = [("syspro_key", "")];
    site.portal
        .borrow_mut()
        .edit(now, Kind::Company, made, &blank);
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        name: "Customer 1, the branch".to_owned(),
        email: "branch@customer1.example".to_owned(),
        added: Some(site.today()),
        ..NewCustomer::default()
    });
    site.settle(3);
    assert_eq!(live(&site, Kind::Company), 2);
    assert_eq!(value(&site, Kind::Company, made, "syspro_key"), "");
    let refused = link_company(&site, 2, made);
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(refused.body["error"]["code"], "linked_already");
    edit(&site, 1, "Name", "Renamed Inc");
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, made, "syspro_key"), company(1));
}

/// Two customers became one company, which is still the first one's to be settled on.
#[test]
fn the_survivor_of_two_customers_is_the_ones_it_is_named_after() {
    let site = Site::new(distributor(2));
    site.settle(3);
    let [first, second] = [1, 2].map(|number| site.object(Kind::Company, &company(number)).id);
    let now = site.world.now();
    let survivor = site
        .portal
        .borrow_mut()
        .merge(now, Kind::Company, first, second);
    edit(&site, 1, "Name", "One");
    edit(&site, 2, "Name", "The other");
    site.settle(4);
    assert_eq!(
        site.record("customers", &company(2))["reason"]["code"],
        "merged"
    );
    assert_eq!(link_company(&site, 1, survivor).status, 202);
}

#[test]
fn a_contact_that_is_not_to_be_is_linked_to_nothing() {
    let settings = json!({"exclude": {"customer_classes": ["X"]}});
    let site = with(settings, 2);
    edit(&site, 1, "CustomerClass", "X");
    site.settle(3);
    let person = theirs(&site, Kind::Contact, &[("firstname", "Josephine")]);
    let ask = |number: u32| {
        let key = company(number);
        let body =
            json!({"feed": "customers", "key": key, "hubspot_id": person, "kind": "contact"});
        link(&site, body)
    };
    let refused = ask(1);
    assert_eq!(refused.status, 400, "{}", refused.body);
    let detail = &refused.body["error"]["details"][0];
    assert_eq!(detail["path"], "kind", "{detail}");
    for part in ["reason", "remedy"] {
        assert!(
            detail[part].as_str().is_some_and(|text| text.len() > 20),
            "{detail}"
        );
    }
    assert_eq!(ask(2).status, 202);
}

/// Its invoices were taken away from the first record and not linked to the second one yet.
#[test]
fn linked_back_in_the_middle_of_it_nothing_is_taken_for_linked() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let made = site.object(Kind::Company, &company(1)).id;
    let ours = site.object(Kind::Contact, &contact(1)).id;
    let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
    let refused = Fault::Html { status: 500 };
    for pair in [
        "invoices/companies/batch/associate",
        "contacts/companies/batch/create",
    ] {
        let rule = refused.clone().times(100, pair);
        site.portal.borrow_mut().add_fault(rule);
    }
    assert_eq!(link_company(&site, 1, own).status, 202);
    site.tick();
    let of = |id: u64, kind: Kind| linked(&site, (Kind::Company, id), kind);
    assert_eq!(
        (of(made, Kind::Invoice), of(own, Kind::Invoice)),
        (vec![], vec![])
    );
    site.portal.borrow_mut().clear_faults();
    assert_eq!(link_company(&site, 1, made).status, 202);
    site.world.advance(Duration::from_secs(6 * 3_600));
    site.settle(6);
    assert_eq!(of(made, Kind::Invoice).len(), 1);
    assert_eq!(of(made, Kind::Contact), [ours]);
}
