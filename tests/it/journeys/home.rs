//! At home in a portal where people have worked for years: nothing of theirs is doubled or wiped.

mod compare;

use std::collections::BTreeSet;

use serde_json::json;
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice},
    hubspot::{Id, Kind},
    peopled::{COMPANIES, CONTACTS, Case, Neighbour, Town},
};

use super::lines;
use crate::site::{Site, day, options};
use crate::world::Start;
use compare::Portrait;

/// A distributor and a portal that know each other, and no connection between them.
pub fn unconnected() -> (Site, Town) {
    let start = Start::calm();
    let now = start.now;
    let site = Site::bare(start, Distributor::empty(), options());
    let town = Town::settle(
        &mut site.erp.borrow_mut().data,
        &mut site.portal.borrow_mut(),
        now,
        day(Start::NOW),
    );
    (site, town)
}

/// The same with a connection that has done nothing yet, and what stands in the portal.
fn town() -> (Site, Town, Portrait) {
    let (site, town) = unconnected();
    let before = Portrait::of(&site);
    assert_eq!(before.count(Kind::Company), COMPANIES);
    assert_eq!(before.count(Kind::Contact), CONTACTS);
    site.connect(json!({}));
    (site, town, before)
}

fn company_key(neighbour: &Neighbour) -> String {
    format!("EDU1/{}", neighbour.key)
}

fn contact_key(neighbour: &Neighbour) -> String {
    format!("EDU1/{}/AR", neighbour.key)
}

/// The record of the people's that it is to be, if any.
fn adoptable(neighbour: &Neighbour) -> (Option<Id>, Option<Id>) {
    let is_first = neighbour.number % 2 == 1;
    let company = neighbour.companies.first().copied();
    match neighbour.case {
        Case::Both | Case::CompanyOnly => (company, neighbour.contact),
        Case::SharedDomain => (company.filter(|_| is_first), None),
        Case::SharedMailbox => (None, neighbour.contact.filter(|_| is_first)),
        _ => (None, neighbour.contact),
    }
}

/// The keys of the customers listed with this code.
fn listed(site: &Site, code: &str) -> BTreeSet<String> {
    let path = format!("/connections/acme/records?feed=customers&limit=200&reason={code}");
    let records = site.get(&path)["records"].clone();
    let keys = records.as_array().into_iter().flatten();
    keys.filter_map(|record| record["key"].as_str().map(str::to_owned))
        .collect()
}

fn change_everyone(site: &Site, town: &Town, round: u32) {
    for neighbour in &town.neighbours {
        let phone = format!("+1 555 030{round} {}", neighbour.number);
        let mut erp = site.erp.borrow_mut();
        erp.data.edit_customer(&neighbour.key, "Telephone", phone);
        let place = format!("Newtown {round}");
        erp.data.edit_customer(&neighbour.key, "SoldToAddr3", place);
        erp.data
            .edit_customer(&neighbour.key, "CreditLimit", i64::from(round) * 1000);
    }
}

fn is_home(site: &Site, town: &Town) {
    for neighbour in &town.neighbours {
        let (company, contact) = adoptable(neighbour);
        let story = format!("{:?} {}", neighbour.case, neighbour.number);
        let its_company = site.object(Kind::Company, &company_key(neighbour)).id;
        let its_contact = site.object(Kind::Contact, &contact_key(neighbour)).id;
        match company {
            Some(company) => assert_eq!(its_company, company, "{story}"),
            None => assert!(!neighbour.companies.contains(&its_company), "{story}"),
        }
        match contact {
            Some(contact) => assert_eq!(its_contact, contact, "{story}"),
            None => assert_ne!(Some(its_contact), neighbour.contact, "{story}"),
        }
        let portal = site.portal.borrow();
        let linked = portal.associations(Kind::Contact, its_contact, Kind::Company);
        assert!(
            linked.iter().any(|(id, _)| *id == its_company),
            "{story}: {linked:?}"
        );
        let invoices = portal.associations(Kind::Company, its_company, Kind::Invoice);
        assert_eq!(invoices.len(), 1, "{story}");
    }
}

#[test]
fn a_first_sync_adopts_what_is_theirs_and_changes_nothing_of_it() {
    let (site, town, before) = town();
    site.settle(8);
    is_home(&site, &town);
    let after = Portrait::of(&site);
    after.keeps(&before);
    // What could be adopted was, so only what could not is new.
    let new = |kind, adopted: fn(&Neighbour) -> bool| {
        let adopted = town.neighbours.iter().filter(|it| adopted(it)).count();
        assert_eq!(
            after.count(kind),
            before.count(kind) + town.neighbours.len() - adopted
        );
    };
    new(Kind::Company, |it| adoptable(it).0.is_some());
    new(Kind::Contact, |it| adoptable(it).1.is_some());
    let twice: BTreeSet<String> = town.of(Case::Twice).map(company_key).collect();
    assert_eq!(listed(&site, "ambiguous"), twice);
}

#[test]
fn a_second_sync_keeps_ours_in_step_and_theirs_as_it_was() {
    let (site, town, before) = town();
    site.settle(8);
    let first = Portrait::of(&site);
    change_everyone(&site, &town, 1);
    site.settle(8);
    is_home(&site, &town);
    let after = Portrait::of(&site);
    after.keeps(&before);
    after.has_as_many_as(&first);
    for neighbour in town.of(Case::Both) {
        let value = |property: &str| site.value(Kind::Company, &company_key(neighbour), property);
        assert_eq!(value("syspro_credit_limit"), "1000");
        // People had filled in phone and city of every other one.
        let theirs = neighbour.number % 2 == 0;
        assert_eq!(
            value("city"),
            if theirs {
                "Their own city"
            } else {
                "Newtown 1"
            }
        );
    }
}

#[test]
fn a_prospect_that_becomes_a_customer_keeps_its_deals_and_its_stage() {
    let (site, town, _) = town();
    site.settle(8);
    let now = site.world.now();
    let (company, contact) = {
        let mut portal = site.portal.borrow_mut();
        let company = portal.create(
            now,
            Kind::Company,
            &[
                ("name", "Promising"),
                ("domain", "promising.example"),
                ("lifecyclestage", "opportunity"),
                ("hubspot_owner_id", "907"),
            ],
        );
        let contact = portal.create(
            now,
            Kind::Contact,
            &[
                ("email", "pat@promising.example"),
                ("firstname", "Pat"),
                ("lifecyclestage", "lead"),
            ],
        );
        let deal = portal.create(now, Kind::Deal, &[("dealname", "The first order")]);
        portal.associate((Kind::Contact, contact), (Kind::Company, company), &[1]);
        portal.associate((Kind::Deal, deal), (Kind::Company, company), &[5]);
        (company, contact)
    };
    change_everyone(&site, &town, 1);
    site.settle(8);
    let before = Portrait::of(&site);
    assert!(
        site.portal
            .borrow()
            .object(Kind::Company, company)
            .is_some_and(|it| it.writes == 1)
    );
    let today = site.today();
    let key = {
        let mut erp = site.erp.borrow_mut();
        let key = erp.data.add_customer(NewCustomer {
            name: "Promising Ltd".to_owned(),
            contact: "Patricia Doe".to_owned(),
            email: "Pat@Promising.example".to_owned(),
            added: Some(today),
            ..NewCustomer::default()
        });
        erp.data.post_invoice(NewInvoice::of(&key, today, lines()));
        format!("EDU1/{key}")
    };
    site.settle(8);
    assert_eq!(site.object(Kind::Company, &key).id, company);
    assert_eq!(site.object(Kind::Contact, &format!("{key}/AR")).id, contact);
    assert_eq!(site.value(Kind::Company, &key, "name"), "Promising");
    let after = Portrait::of(&site);
    after.keeps(&before);
    assert_eq!(after.count(Kind::Company), before.count(Kind::Company));
    assert_eq!(after.count(Kind::Contact), before.count(Kind::Contact));
}

#[test]
fn what_people_merge_and_delete_in_between_stays_as_they_left_it() {
    let (site, town, _) = town();
    site.settle(8);
    let now = site.world.now();
    let twice: Vec<&Neighbour> = town.of(Case::Twice).collect();
    let both: Vec<&Neighbour> = town.of(Case::Both).collect();
    let shared: Vec<&Neighbour> = town.of(Case::SharedDomain).collect();
    let ours = |neighbour| site.object(Kind::Company, &company_key(neighbour)).id;
    // Their two become one; ours goes into one of theirs; a branch into its head office.
    let (new, first, second) = (ours(twice[1]), ours(shared[0]), ours(shared[1]));
    let survivor = {
        let mut portal = site.portal.borrow_mut();
        portal.merge(
            now,
            Kind::Company,
            twice[0].companies[0],
            twice[0].companies[1],
        );
        portal.merge(now, Kind::Company, first, second);
        portal.merge(now, Kind::Company, twice[1].companies[0], new)
    };
    // A customer's company and another's contact are deleted.
    let gone = [
        ours(both[0]),
        site.object(Kind::Contact, &contact_key(both[1])).id,
    ];
    {
        let mut portal = site.portal.borrow_mut();
        portal.delete(now, Kind::Company, gone[0]);
        portal.delete(now, Kind::Contact, gone[1]);
    }
    let before = Portrait::of(&site);
    change_everyone(&site, &town, 1);
    site.settle(8);
    let after = Portrait::of(&site);
    after.keeps(&before);
    // The deleted company is made anew once; the deleted contact stays deleted.
    assert_eq!(after.count(Kind::Company), before.count(Kind::Company) + 1);
    assert_eq!(after.count(Kind::Contact), before.count(Kind::Contact));
    assert!(site.find(Kind::Contact, &contact_key(both[1])).is_none());
    assert_eq!(ours(twice[1]), survivor);
    assert_eq!(
        listed(&site, "merged"),
        BTreeSet::from([company_key(shared[1])])
    );
    change_everyone(&site, &town, 2);
    site.settle(8);
    Portrait::of(&site).has_as_many_as(&after);
}
