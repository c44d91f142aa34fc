//! A person says which record is whose.

use serde_json::{Value, json};
use simulators::hubspot::Kind;

use super::{company, contact, distributor, edit, live, theirs, value};
use crate::site::{Answer, Site};

pub fn link(site: &Site, body: Value) -> Answer {
    site.ask("POST", "/connections/acme/links", &body.to_string())
}

pub fn link_company(site: &Site, number: u32, id: u64) -> Answer {
    let body = json!({"feed": "customers", "key": company(number), "hubspot_id": id.to_string()});
    link(site, body)
}

#[test]
fn the_right_one_of_several_gets_the_key_and_the_other_loses_it() {
    let site = Site::new(distributor(1));
    edit(&site, 1, "Telephone", "+1 555 0100");
    let own = [("domain", "customer1.example"), ("name", "Theirs")];
    let [one, other] = [0, 1].map(|_| theirs(&site, Kind::Company, &own));
    site.settle(3);
    let made = site.object(Kind::Company, &company(1)).id;
    let key = |id: u64| value(&site, Kind::Company, id, "syspro_key");
    for (right, wrong) in [(one, made), (made, one), (other, made)] {
        let linked = link_company(&site, 1, right);
        assert_eq!(linked.status, 202, "{}", linked.body);
        assert_eq!(linked.body["former"], wrong.to_string(), "{}", linked.body);
        site.settle(5);
        assert_eq!((key(right), key(wrong)), (company(1), String::new()));
        let record = site.record("customers", &company(1));
        assert_eq!(record["status"], "synced", "{record}");
        assert_eq!(record["reason"], Value::Null, "{record}");
        let id = site.object(Kind::Company, &company(1)).id;
        let portal = site.portal.borrow();
        assert_eq!(
            portal.associations(Kind::Company, id, Kind::Contact).len(),
            1
        );
        assert_eq!(
            portal.associations(Kind::Company, id, Kind::Invoice).len(),
            1
        );
    }
    assert_eq!(value(&site, Kind::Company, other, "name"), "Theirs");
    assert_eq!(
        value(&site, Kind::Company, other, "phone"),
        "+1 555 0100",
        "a gap"
    );
    assert_eq!(live(&site, Kind::Company), 3, "none is made, none removed");
    let record = site.record("customers", &company(1));
    assert_eq!(
        record["attempts"][0]["said"]["adopted"][0]["ground"], "hand",
        "{record}"
    );
    // A change goes to the one it is linked to.
    edit(&site, 1, "Telephone", "+1 555 0199");
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, other, "phone"), "+1 555 0199");
    assert_eq!(value(&site, Kind::Company, one, "phone"), "+1 555 0100");
}

#[test]
fn linked_to_the_new_one_a_case_is_settled() {
    let site = Site::new(distributor(1));
    let own = [("domain", "customer1.example"), ("name", "Theirs")];
    let twins = [0, 1].map(|_| theirs(&site, Kind::Company, &own));
    site.settle(3);
    let made = site.object(Kind::Company, &company(1)).id;
    assert_eq!(link_company(&site, 1, made).status, 202);
    site.settle(5);
    let listed = site.get("/connections/acme/records?reason=ambiguous");
    assert_eq!(listed["records"], json!([]));
    assert_eq!(site.object(Kind::Company, &company(1)).id, made);
    for twin in twins {
        assert_eq!(value(&site, Kind::Company, twin, "syspro_key"), "");
    }
    // Still ours: a change of the name is sent.
    edit(&site, 1, "Name", "Renamed Inc");
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, made, "name"), "Renamed Inc");
}

#[test]
fn nobody_is_given_anothers_record() {
    let site = Site::new(distributor(2));
    site.settle(3);
    let [first, second] = [1, 2].map(|number| site.object(Kind::Company, &company(number)).id);
    let refused = link_company(&site, 1, second);
    assert_eq!(refused.status, 409, "{}", refused.body);
    let message = refused.body["error"]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        message.contains(&company(1)) && message.contains(&company(2)),
        "{message}"
    );
    // That one is linked elsewhere first.
    let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
    assert_eq!(link_company(&site, 2, own).status, 202);
    let row = || {
        site.world
            .rows("select * from ledger where feed = 'customers' order by key limit 1")
    };
    let before = row();
    assert_eq!(before.len(), 1);
    assert_eq!(
        link_company(&site, 1, own).status,
        409,
        "promised to the other"
    );
    assert_eq!(row(), before, "what is refused does nothing");
    site.settle(5);
    assert_eq!(link_company(&site, 1, second).status, 202);
    site.settle(5);
    let key = |id: u64| value(&site, Kind::Company, id, "syspro_key");
    assert_eq!(
        (key(first), key(second), key(own)),
        (String::new(), company(1), company(2))
    );
    for number in [1, 2] {
        assert_eq!(site.status("customers", &company(number)), "synced");
    }
}

#[test]
fn what_cannot_be_linked_says_why() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
    let gone = theirs(&site, Kind::Company, &[("name", "Gone")]);
    site.portal
        .borrow_mut()
        .delete(site.world.now(), Kind::Company, gone);
    assert_eq!(link_company(&site, 1, gone).status, 404);
    assert_eq!(link_company(&site, 7, own).status, 404);
    let body =
        json!({"feed": "customers", "key": company(1), "hubspot_id": own, "kind": "invoice"});
    let refused = link(&site, body);
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(refused.body["error"]["details"][0]["path"], "kind");
    let body = json!({"feed": "invoices", "key": company(1), "hubspot_id": own});
    let refused = link(&site, body);
    assert_eq!(refused.body["error"]["details"][0]["path"], "feed");
    // A contact is linked by its kind.
    let person = theirs(&site, Kind::Contact, &[("firstname", "Josephine")]);
    let body =
        json!({"feed": "customers", "key": company(1), "hubspot_id": person, "kind": "contact"});
    assert_eq!(link(&site, body).status, 202);
    site.settle(5);
    assert_eq!(
        value(&site, Kind::Contact, person, "syspro_key"),
        contact(1)
    );
    assert_eq!(
        value(&site, Kind::Contact, person, "firstname"),
        "Josephine"
    );
}

#[test]
fn a_link_during_a_run_is_what_the_next_one_does() {
    for after in [50, 400, 900, 1_500, 2_500] {
        let site = Site::new(distributor(2));
        site.settle(3);
        let own = theirs(&site, Kind::Company, &[("name", "Theirs")]);
        let made = site.object(Kind::Company, &company(1)).id;
        edit(&site, 1, "Name", "Renamed Inc");
        site.tick_later(0);
        let body = json!({"feed": "customers", "key": company(1), "hubspot_id": own});
        let answer = site.ask_later(after, "POST", "/connections/acme/links", &body.to_string());
        site.world.settle();
        let status = answer.borrow().as_ref().map(|answer| answer.status);
        assert_eq!(status, Some(202), "after {after} ms");
        site.settle(8);
        let key = |id: u64| value(&site, Kind::Company, id, "syspro_key");
        assert_eq!(
            (key(own), key(made)),
            (company(1), String::new()),
            "after {after} ms"
        );
        assert_eq!(site.status("customers", &company(1)), "synced");
    }
}
