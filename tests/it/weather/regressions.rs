//! What the weather once showed, each as its smallest story.

use std::{cell::Cell, rc::Rc, time::Duration};

use rust_decimal::Decimal;
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice, NewLine},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use crate::{
    loads::{customer, loaded},
    site::{Site, day},
    world::{Effect, Fate, Landing, Start, Weather},
};

/// The one without the address comes first in the batch: it must not cost the other its own.
#[test]
fn an_e_mail_two_share_stays_with_the_one_who_has_it() {
    let customer = |key: &str| NewCustomer {
        key: Some(key.to_owned()),
        name: format!("Customer {key}"),
        contact: format!("Jo Number{key}"),
        email: "jo@shared.example".to_owned(),
        added: Some(day(Start::NOW)),
        ..NewCustomer::default()
    };
    let mut data = Distributor::empty();
    let has = data.add_customer(customer("2"));
    let site = Site::new(data);
    site.tick();
    let goes_without = site.erp.borrow_mut().data.add_customer(customer("1"));
    site.settle(5);
    for key in [&has, &goes_without] {
        let mut erp = site.erp.borrow_mut();
        assert!(erp.data.edit_customer(key, "Contact", "Joanna Renamed"));
    }
    site.settle(5);
    let email = |key: &str| site.value(Kind::Contact, &format!("EDU1/{key}/AR"), "email");
    assert_eq!(
        [email(&has), email(&goes_without)],
        ["jo@shared.example", ""]
    );
}

/// Seed 48529. The one who once had it waits for the one who has it by now, and people deleted it.
#[test]
fn a_contact_deleted_and_replayed_goes_without_an_e_mail_another_has_by_now() {
    let customer = |key: &str, email: &str| NewCustomer {
        key: Some(key.to_owned()),
        name: format!("Customer {key}"),
        contact: format!("Jo Number{key}"),
        email: email.to_owned(),
        added: Some(day(Start::NOW)),
        ..NewCustomer::default()
    };
    let mut data = Distributor::empty();
    let has = data.add_customer(customer("1", ""));
    let had = data.add_customer(customer("2", "jo@shared.example"));
    let site = Site::new(data);
    site.settle(5);
    let contact = |key: &str| format!("EDU1/{key}/AR");
    let id = site.object(Kind::Contact, &contact(&had)).id;
    let now = site.world.now();
    site.portal.borrow_mut().delete(now, Kind::Contact, id);
    let mut erp = site.erp.borrow_mut();
    assert!(erp.data.edit_customer(&has, "Email", "jo@shared.example"));
    drop(erp);
    let records = serde_json::json!([{"feed": "customers", "key": format!("EDU1/{had}")}]);
    let body = serde_json::json!({ "records": records }).to_string();
    assert_eq!(
        site.ask("POST", "/connections/acme/replay", &body).status,
        202
    );
    site.settle(5);
    let email = |key: &str| site.value(Kind::Contact, &contact(key), "email");
    assert_eq!(
        [email(&has), email(&had)],
        ["jo@shared.example".to_owned(), String::new()]
    );
    let row = site.record("customers", &format!("EDU1/{had}"));
    assert_eq!(row["status"], "synced", "{row:#}");
}

/// HubSpot made it, and no commit came to know of that; paid in part it was read without its lines,
/// and then it was gone.
#[test]
fn an_invoice_made_unheard_and_purged_is_settled_by_its_key() {
    let mut data = Distributor::empty();
    let customer = data.add_customer(NewCustomer {
        name: "Customer 1".to_owned(),
        added: Some(day(Start::NOW)),
        ..NewCustomer::default()
    });
    let site = Site::new(data);
    site.settle(5);
    let today = site.today();
    let lines = vec![NewLine::stocked(
        "A100",
        Decimal::ONE,
        Decimal::TEN,
        Decimal::ZERO,
    )];
    let invoice = NewInvoice::of(&customer, today, lines);
    let invoice = site.erp.borrow_mut().data.post_invoice(invoice);
    let struck = Cell::new(false);
    site.world.on_landing(move |world, landing| {
        let Landing::Exchange { request, .. } = landing else {
            return;
        };
        if request.uri().path().ends_with("invoices/batch/upsert") && !struck.replace(true) {
            world.set_weather(Weather {
                odds: [Vec::new(), vec![(Fate::Refused, 1_000)]],
                ..Weather::calm()
            });
        }
    });
    site.next_tick();
    site.world.set_weather(Weather::calm());
    let known = "select 1 from targets where kind = 'invoice'";
    assert!(site.world.rows(known).is_empty());
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(&invoice, Decimal::TWO, today);
    let lines_lack = Fault::once("/ArTrnDetail?", Trouble::Empty);
    erp.faults.push_back(lines_lack);
    drop(erp);
    site.next_tick();
    site.erp.borrow_mut().data.purge(&invoice);
    site.settle(5);
    let key = format!("EDU1/{}", invoice.parts().map(str::trim_end).join("/"));
    let value = |name: &str| site.value(Kind::Invoice, &key, name);
    assert_eq!(value("syspro_status"), "paid");
    assert_eq!(value("syspro_balance_due"), "0");
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::Company), 1);
    assert_eq!(site.status("invoices", &key), "synced");
}

/// People deleted the company, and its contact is a new person's: who that is was committed, with the
/// company's new id, and then the Worker died.
#[test]
fn invoices_follow_a_company_made_anew_whatever_comes_in_between() {
    let site = loaded(1);
    let now = site.world.now();
    let key = format!("EDU1/{}", customer(1));
    let before = site.object(Kind::Company, &key).id;
    site.portal.borrow_mut().delete(now, Kind::Company, before);
    let mut erp = site.erp.borrow_mut();
    for (column, value) in [
        ("Name", "Renamed Inc"),
        ("Contact", "Nell Newcomer"),
        ("Email", "nell@newcomer.example"),
    ] {
        assert!(erp.data.edit_customer(&customer(1), column, value));
    }
    drop(erp);
    let died = Rc::new(Cell::new(false));
    let dies = died.clone();
    site.world.on_landing(move |world, landing| {
        if let Landing::Exchange { request, .. } = landing
            && request.uri().path().ends_with("contacts/batch/read")
            && !dies.replace(true)
        {
            world.set_weather(Weather::always(Effect::Http, Fate::DiesAfter));
        }
    });
    site.tick_later(0);
    site.world.settle();
    assert!(died.get());
    site.world.set_weather(Weather::calm());
    site.world.advance(Duration::from_secs(600));
    site.settle(6);
    let company = site.object(Kind::Company, &key).id;
    let portal = site.portal.borrow();
    assert_ne!(company, before);
    for invoice in portal.objects(Kind::Invoice) {
        let linked = portal.associations(Kind::Invoice, invoice.id, Kind::Company);
        let ids: Vec<u64> = linked.into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [company]);
    }
}
