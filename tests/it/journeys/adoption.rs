//! Sales has worked in the portal for years: what is there is taken over, and nothing of it is lost.

mod linking;
mod relinked;
mod remembered;

use std::time::Duration;

use serde_json::{Value, json};
use simulators::{
    data::{Distributor, NewCustomer},
    hubspot::Kind,
};

use super::{company, contact, customer, distributor, first_invoice, hubspot_key, money};
use crate::site::{Site, day, options};
use crate::world::Start;

const HOUR: i64 = 3_600_000;

/// Something people made an hour ago.
fn theirs(site: &Site, kind: Kind, properties: &[(&str, &str)]) -> u64 {
    let now = site.world.now() - HOUR;
    site.portal.borrow_mut().create(now, kind, properties)
}

fn value(site: &Site, kind: Kind, id: u64, property: &str) -> String {
    let portal = site.portal.borrow();
    let object = portal.object(kind, id).expect("it is there");
    object.get(property).unwrap_or_default().to_owned()
}

fn live(site: &Site, kind: Kind) -> usize {
    let portal = site.portal.borrow();
    portal.objects(kind).filter(|it| !it.archived).count()
}

fn edit(site: &Site, number: u32, column: &str, value: &str) {
    let mut erp = site.erp.borrow_mut();
    erp.data.edit_customer(&customer(number), column, value);
}

fn with(settings: Value, customers: usize) -> Site {
    Site::with(distributor(customers), options(), settings)
}

/// What the audit says was taken over for a record: kind and ground.
fn adopted(site: &Site, number: u32) -> Vec<(String, String)> {
    let record = site.record("customers", &company(number));
    let attempts = record["attempts"].as_array().expect("attempts");
    let said = attempts.iter().map(|it| &it["said"]["adopted"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    said.filter_map(Value::as_array)
        .flatten()
        .map(|it| (text(&it["kind"]), text(&it["ground"])))
        .collect()
}

#[test]
fn what_people_have_is_taken_over_and_only_its_gaps_are_filled() {
    let site = Site::new(distributor(1));
    edit(&site, 1, "Telephone", "+1 555 0100");
    edit(&site, 1, "SoldToAddr3", "Springfield");
    let own = theirs(
        &site,
        Kind::Company,
        &[
            ("name", "Customer One, as sales calls it"),
            ("domain", "Customer1.example"),
            ("city", "Shelbyville"),
            ("lifecyclestage", "evangelist"),
            ("website", "https://customer1.example"),
        ],
    );
    let person = theirs(
        &site,
        Kind::Contact,
        &[
            ("email", "jo@customer1.example"),
            ("firstname", "Josephine"),
            ("lifecyclestage", "evangelist"),
        ],
    );
    site.settle(3);
    assert_eq!(
        (live(&site, Kind::Company), live(&site, Kind::Contact)),
        (1, 1)
    );
    for (kind, id, key) in [
        (Kind::Company, own, company(1)),
        (Kind::Contact, person, contact(1)),
    ] {
        assert_eq!(value(&site, kind, id, "syspro_key"), key);
        assert_eq!(value(&site, kind, id, "lifecyclestage"), "evangelist");
        assert_eq!(value(&site, kind, id, "phone"), "+1 555 0100", "a gap");
    }
    let held = |property: &str| value(&site, Kind::Company, own, property);
    assert_eq!(held("name"), "Customer One, as sales calls it");
    assert_eq!(held("city"), "Shelbyville");
    assert_eq!(held("website"), "https://customer1.example");
    assert_eq!(
        value(&site, Kind::Contact, person, "firstname"),
        "Josephine"
    );
    assert_eq!(value(&site, Kind::Contact, person, "lastname"), "Number1");
    assert_eq!(site.linked(Kind::Company, &company(1), Kind::Contact), 1);
    let invoice = hubspot_key(&first_invoice(1));
    assert_eq!(site.linked(Kind::Invoice, &invoice, Kind::Company), 1);
    assert_eq!(
        adopted(&site, 1),
        [("company", "domain"), ("contact", "email")]
            .map(|(kind, ground)| (kind.to_owned(), ground.to_owned()))
    );

    // What we filled is ours from then on; what was theirs stays so.
    edit(&site, 1, "Telephone", "+1 555 0199");
    edit(&site, 1, "SoldToAddr3", "Ogdenville");
    edit(&site, 1, "Name", "Renamed Inc");
    site.settle(3);
    assert_eq!(held("phone"), "+1 555 0199");
    assert_eq!(held("city"), "Shelbyville");
    assert_eq!(held("name"), "Customer One, as sales calls it");
    // A blank goes where we filled, and nowhere else.
    edit(&site, 1, "Telephone", "");
    edit(&site, 1, "SoldToAddr3", "");
    site.settle(3);
    assert_eq!(held("phone"), "");
    assert_eq!(held("city"), "Shelbyville");
}

#[test]
fn a_value_that_comes_later_is_sent_only_where_people_have_none() {
    let site = Site::new(distributor(1));
    let own = theirs(
        &site,
        Kind::Company,
        &[("domain", "customer1.example"), ("name", "One")],
    );
    site.settle(3);
    let now = site.world.now();
    let filled_in = [("phone", "+1 555 0177")];
    site.portal
        .borrow_mut()
        .edit(now, Kind::Company, own, &filled_in);
    edit(&site, 1, "Telephone", "+1 555 0100");
    edit(&site, 1, "SoldToAddr2", "Unit 4");
    site.portal.borrow_mut().reset_calls();
    site.next_tick();
    assert_eq!(value(&site, Kind::Company, own, "phone"), "+1 555 0177");
    assert_eq!(value(&site, Kind::Company, own, "address2"), "Unit 4");
    let calls = site.calls_by_endpoint();
    assert_eq!(
        calls.get("POST companies/batch/read"),
        Some(&1),
        "{calls:?}"
    );
    // Known from then on: it is not asked for again.
    edit(&site, 1, "Telephone", "+1 555 0101");
    site.portal.borrow_mut().reset_calls();
    site.next_tick();
    let calls = site.calls_by_endpoint();
    assert_eq!(calls.get("POST companies/batch/read"), None, "{calls:?}");
    assert_eq!(value(&site, Kind::Company, own, "phone"), "+1 555 0177");
}

#[test]
fn with_overwrite_syspro_has_the_last_word() {
    let site = with(json!({"adopted_fields": "overwrite"}), 1);
    let own = theirs(
        &site,
        Kind::Company,
        &[
            ("domain", "customer1.example"),
            ("name", "One"),
            ("zip", "12345"),
        ],
    );
    let person = [
        ("email", "jo@customer1.example"),
        ("firstname", "Josephine"),
    ];
    let person = theirs(&site, Kind::Contact, &person);
    site.settle(3);
    assert_eq!(live(&site, Kind::Company), 1);
    assert_eq!(value(&site, Kind::Company, own, "name"), "Customer 1");
    assert_eq!(live(&site, Kind::Contact), 1);
    assert_eq!(value(&site, Kind::Contact, person, "firstname"), "Jo");
    let record = site.record("customers", &company(1));
    assert_eq!(record["reason"], json!(null), "its e-mail is its own");
    assert_eq!(
        value(&site, Kind::Company, own, "zip"),
        "12345",
        "a blank wipes nothing"
    );
}

#[test]
fn of_several_none_is_taken_and_all_are_listed() {
    let site = Site::new(distributor(2));
    let domain = [("domain", "customer1.example"), ("name", "One of several")];
    let twins = [0, 1].map(|_| theirs(&site, Kind::Company, &domain));
    site.settle(3);
    assert_eq!(
        live(&site, Kind::Company),
        4,
        "a new one is made beside them"
    );
    let listed = site.get("/connections/acme/records?reason=ambiguous");
    let listed = listed["records"].as_array().expect("records");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["key"], company(1).as_str());
    assert_eq!(listed[0]["status"], "synced");
    let record = site.record("customers", &company(1));
    let targets = record["targets"].as_array().expect("targets");
    let target = targets
        .iter()
        .find(|it| it["kind"] == "company")
        .expect("a company");
    let candidates = target["candidates"].as_array().expect("candidates");
    for (candidate, twin) in candidates.iter().zip(twins) {
        assert_eq!(candidate["hubspot_id"], twin.to_string());
        let url = candidate["url"].as_str().unwrap_or_default();
        assert!(url.ends_with(&format!("/record/0-2/{twin}")), "{url}");
    }
    // It is told as long as nobody chose.
    edit(&site, 1, "Name", "Renamed Inc");
    site.settle(3);
    let record = site.record("customers", &company(1));
    assert_eq!(record["reason"]["code"], "ambiguous", "{record}");
}

#[test]
fn held_until_a_person_merges_them() {
    let site = with(json!({"on_ambiguous": "hold"}), 1);
    let domain = [("domain", "customer1.example"), ("name", "One of several")];
    let [one, other] = [0, 1].map(|_| theirs(&site, Kind::Company, &domain));
    site.settle(3);
    assert_eq!(live(&site, Kind::Company), 2);
    let record = site.record("customers", &company(1));
    assert_eq!(record["status"], "failing");
    assert_eq!(record["reason"]["code"], "ambiguous", "{record}");
    let now = site.world.now();
    let survivor = site
        .portal
        .borrow_mut()
        .merge(now, Kind::Company, one, other);
    site.world.advance(Duration::from_secs(300));
    let failing = json!({"status": "failing"}).to_string();
    site.ask("POST", "/connections/acme/replay", &failing);
    site.settle(4);
    assert_eq!(
        value(&site, Kind::Company, survivor, "syspro_key"),
        company(1)
    );
    assert_eq!(live(&site, Kind::Company), 1);
    assert_eq!(site.status("customers", &company(1)), "synced");
    assert_eq!(
        site.status("invoices", &hubspot_key(&first_invoice(1))),
        "synced"
    );
}

/// So many customers of one domain and one mailbox.
fn family(members: usize) -> Distributor {
    let mut data = Distributor::empty();
    for number in 1..=members {
        data.add_customer(NewCustomer {
            name: format!("Branch {number}"),
            contact: "Ann Lee".to_owned(),
            email: "office@family.example".to_owned(),
            added: Some(day(Start::NOW)),
            ..NewCustomer::default()
        });
    }
    data
}

#[test]
fn one_record_goes_to_one_customer_the_first_by_key() {
    let site = Site::new(family(3));
    let own = theirs(
        &site,
        Kind::Company,
        &[("domain", "family.example"), ("name", "Family")],
    );
    let person = theirs(&site, Kind::Contact, &[("email", "office@family.example")]);
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, own, "syspro_key"), company(1));
    assert_eq!(
        value(&site, Kind::Contact, person, "syspro_key"),
        contact(1)
    );
    assert_eq!(
        (live(&site, Kind::Company), live(&site, Kind::Contact)),
        (3, 3)
    );
    let refused = site.get("/connections/acme/records?reason=email_withheld");
    assert_eq!(
        refused["records"].as_array().map(Vec::len),
        Some(2),
        "{refused}"
    );
    let ambiguous = site.get("/connections/acme/records?reason=ambiguous");
    assert_eq!(
        ambiguous["records"],
        json!([]),
        "another's record is no candidate"
    );

    // One that joins later finds the family's company taken.
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        name: "Branch 4".to_owned(),
        email: "office@family.example".to_owned(),
        added: Some(site.today()),
        ..NewCustomer::default()
    });
    site.settle(3);
    assert_eq!(live(&site, Kind::Company), 4);
    assert_eq!(value(&site, Kind::Company, own, "syspro_key"), company(1));
}

#[test]
fn a_further_address_finds_its_contact_too() {
    let site = Site::new(distributor(1));
    let [kept, gone] = ["josephine@home.example", "Jo@customer1.example"].map(|email| {
        theirs(
            &site,
            Kind::Contact,
            &[("email", email), ("firstname", "Jo")],
        )
    });
    let now = site.world.now() - HOUR;
    let person = site
        .portal
        .borrow_mut()
        .merge(now, Kind::Contact, kept, gone);
    site.settle(3);
    assert_eq!(
        value(&site, Kind::Contact, person, "syspro_key"),
        contact(1)
    );
    assert_eq!(
        value(&site, Kind::Contact, person, "email"),
        "josephine@home.example"
    );
    assert_eq!(live(&site, Kind::Contact), 1);
}

#[test]
fn a_prospect_that_becomes_a_customer_is_taken_over_then() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let own = theirs(
        &site,
        Kind::Company,
        &[("domain", "prospect.example"), ("name", "Prospect")],
    );
    site.erp.borrow_mut().data.add_customer(NewCustomer {
        name: "Prospect Ltd".to_owned(),
        email: "info@prospect.example".to_owned(),
        added: Some(site.today()),
        ..NewCustomer::default()
    });
    site.settle(3);
    assert_eq!(value(&site, Kind::Company, own, "syspro_key"), company(2));
    assert_eq!(live(&site, Kind::Company), 2);
}

/// The create was done and nobody heard of it, and then people make a company of the same domain.
#[test]
fn what_we_made_ourselves_comes_before_what_people_have() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let ours = site.object(Kind::Company, &company(1)).id;
    site.world.rows("delete from targets");
    let now = site.world.now();
    // Ours is not found by its domain.
    let hidden = [("domain", "elsewhere.example")];
    site.portal
        .borrow_mut()
        .edit(now, Kind::Company, ours, &hidden);
    let own = theirs(
        &site,
        Kind::Company,
        &[("domain", "customer1.example"), ("name", "Theirs")],
    );
    edit(&site, 1, "Name", "Renamed Inc");
    site.settle(3);
    assert_eq!(
        site.value(Kind::Company, &company(1), "name"),
        "Renamed Inc"
    );
    assert_eq!(site.object(Kind::Company, &company(1)).id, ours);
    assert_eq!(value(&site, Kind::Company, own, "syspro_key"), "");
    assert_eq!(value(&site, Kind::Company, own, "name"), "Theirs");
    assert_eq!(site.status("customers", &company(1)), "synced");
}

#[test]
fn somebody_else_in_the_job_is_a_new_contact_and_the_old_one_stays_who_it_is() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let jo = site.object(Kind::Contact, &contact(1)).id;
    let bob = theirs(
        &site,
        Kind::Contact,
        &[("email", "bob@customer1.example"), ("phone", "+44")],
    );
    edit(&site, 1, "Contact", "Bob Ray");
    edit(&site, 1, "Email", "bob@customer1.example");
    site.settle(3);
    let of = |id: u64, property: &str| value(&site, Kind::Contact, id, property);
    assert_eq!(of(jo, "syspro_key"), "");
    assert_eq!(
        (of(jo, "email").as_str(), of(jo, "firstname").as_str()),
        ("jo@customer1.example", "Jo")
    );
    assert_eq!(of(bob, "syspro_key"), contact(1));
    assert_eq!(
        (of(bob, "lastname").as_str(), of(bob, "phone").as_str()),
        ("Ray", "+44")
    );
    assert_eq!(live(&site, Kind::Contact), 2);
    let invoice = hubspot_key(&first_invoice(1));
    assert_eq!(
        site.linked(Kind::Invoice, &invoice, Kind::Contact),
        2,
        "both were told of it"
    );

    // The first one comes back, and is who it was.
    edit(&site, 1, "Contact", "Jo Number1");
    edit(&site, 1, "Email", "jo@customer1.example");
    site.settle(3);
    assert_eq!(of(jo, "syspro_key"), contact(1));
    assert_eq!(of(bob, "syspro_key"), "");
    assert_eq!(of(bob, "email"), "bob@customer1.example");
    assert_eq!(live(&site, Kind::Contact), 2);
}

#[test]
fn two_customers_on_one_company_are_one_in_sync_and_one_excluded() {
    let site = Site::new(distributor(2));
    site.settle(3);
    let [first, second] = [1, 2].map(|number| site.object(Kind::Company, &company(number)).id);
    let now = site.world.now();
    let survivor = site
        .portal
        .borrow_mut()
        .merge(now, Kind::Company, first, second);
    edit(&site, 2, "Name", "The other");
    let today = site.today();
    site.erp
        .borrow_mut()
        .data
        .pay(&first_invoice(2), money("1.00"), today);
    site.settle(4);
    let record = site.record("customers", &company(2));
    assert_eq!(record["status"], "excluded", "{record}");
    assert_eq!(record["reason"]["code"], "merged");
    let invoice = hubspot_key(&first_invoice(2));
    assert_eq!(site.status("invoices", &invoice), "synced");
    assert_eq!(site.linked(Kind::Invoice, &invoice, Kind::Company), 1);
    let portal = site.portal.borrow();
    let id = portal
        .by_value(Kind::Invoice, "syspro_key", &invoice)
        .expect("an invoice")
        .id;
    assert_eq!(
        portal.associations(Kind::Invoice, id, Kind::Company)[0].0,
        survivor
    );
}

#[test]
fn what_people_delete_twice_stays_away_until_it_is_replayed() {
    let site = Site::new(distributor(1));
    site.settle(3);
    let invoice = hubspot_key(&first_invoice(1));
    let cases = [
        (Kind::Invoice, "invoices", invoice.clone()),
        (Kind::Company, "customers", company(1)),
    ];
    for (kind, feed, key) in cases {
        for round in 0..2 {
            let id = site.object(kind, &key).id;
            site.portal.borrow_mut().delete(site.world.now(), kind, id);
            match kind {
                Kind::Company => edit(&site, 1, "Name", &format!("Name {round}")),
                _ => {
                    let today = site.today();
                    let mut erp = site.erp.borrow_mut();
                    erp.data.pay(&first_invoice(1), money("1.00"), today);
                }
            }
            site.settle(4);
            assert_eq!(
                site.find(kind, &key).is_some(),
                round == 0,
                "{kind:?} {round}"
            );
        }
        let record = site.record(feed, &key);
        assert_eq!(record["status"], "excluded", "{record}");
        assert_eq!(record["reason"]["code"], "deleted_in_hubspot");
        // Its news go nowhere, and cost nothing.
        let before = site.hubspot_calls();
        match kind {
            Kind::Company => edit(&site, 1, "Name", "News"),
            _ => {
                let today = site.today();
                let mut erp = site.erp.borrow_mut();
                erp.data.pay(&first_invoice(1), money("1.00"), today);
            }
        }
        site.next_tick();
        // An invoice that changed has its customer's balance changed.
        let customer = if kind == Kind::Company { 0 } else { 1 };
        assert_eq!(site.hubspot_calls() - before, customer);
        assert_eq!(site.status(feed, &key), "excluded");

        let body = json!({ "records": [{ "feed": feed, "key": key }] });
        site.ask("POST", "/connections/acme/replay", &body.to_string());
        site.settle(5);
        assert!(site.find(kind, &key).is_some());
        assert_eq!(site.status(feed, &key), "synced");
    }
    assert_eq!(site.linked(Kind::Invoice, &invoice, Kind::Company), 1);
    assert_eq!(site.linked(Kind::Invoice, &invoice, Kind::LineItem), 3);
}

/// Calls that a first load makes, by whether there is anything to find people's records by.
#[test]
fn looking_for_what_is_there_costs_four_calls_a_hundred_customers_at_most() {
    let calls = |populated: bool, known: bool| {
        let mut data = distributor(100);
        if !known {
            for number in 1..=100 {
                data.edit_customer(&customer(number), "Email", "");
            }
        }
        let site = Site::new(data);
        for number in (1..=100).filter(|_| populated) {
            let domain = format!("customer{number}.example");
            theirs(
                &site,
                Kind::Company,
                &[("domain", &domain), ("name", "Theirs")],
            );
            theirs(&site, Kind::Contact, &[("email", &format!("jo@{domain}"))]);
        }
        site.tick();
        assert_eq!(live(&site, Kind::Company), 100);
        site.hubspot_calls()
    };
    let without = calls(false, false);
    assert_eq!(calls(false, true) - without, 2, "an empty portal");
    assert_eq!(calls(true, true) - without, 3, "all of them are there");
}
