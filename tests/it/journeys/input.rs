//! What SYSPRO gives is not always what it should be. Nothing of it is lost, and what cannot go on
//! says why.

use serde_json::{Value as Json, json};
use simulators::{
    data::{NewCustomer, NewInvoice, Value},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::{company, contact, customer, distributor, hubspot_key, lines, loaded, money};
use crate::agreement;
use crate::site::{Site, options};

fn befall(site: &Site, on: &str, what: Trouble) {
    let mut erp = site.erp.borrow_mut();
    erp.faults.push_back(Fault {
        on: on.to_owned(),
        times: 40,
        what,
    });
}

#[test]
fn an_unreadable_answer_makes_the_run_red_and_the_next_one_goes_on() {
    let html = "<html><title>Sign in</title></html>".to_owned();
    let troubles = [
        Trouble::Page(500),
        Trouble::Body(html),
        Trouble::Body(String::new()),
        Trouble::Body("[]".to_owned()),
        Trouble::Cut(300),
        Trouble::Drop,
    ];
    for trouble in troubles {
        let site = loaded(3);
        let today = site.today();
        let mut erp = site.erp.borrow_mut();
        let key = erp
            .data
            .post_invoice(NewInvoice::of(&customer(1), today, lines()));
        drop(erp);
        befall(&site, "/ArInvoice?", trouble.clone());
        site.next_tick();
        let run = site.last_run();
        assert_eq!(run["state"], "red", "{trouble:?}: {run}");
        let problem = &run["report"]["problems"][0];
        assert!(problem["reason"].is_string(), "{trouble:?}: {run}");
        assert!(
            !run.to_string().contains("Sign in"),
            "bodies are not quoted"
        );

        site.erp.borrow_mut().faults.clear();
        site.next_tick();
        assert_eq!(site.last_run()["state"], "green", "{trouble:?}");
        assert_eq!(site.status("invoices", &hubspot_key(&key)), "synced");
        agreement::check(&site);
    }
}

#[test]
fn an_answer_cut_short_of_open_invoices_marks_nothing_as_paid() {
    let site = Site::new(distributor(120));
    site.tick();
    befall(&site, "InvoiceBal1 ne 0", Trouble::Empty);
    befall(&site, "/ArInvoice?", Trouble::Empty);
    site.next_tick();
    assert_eq!(site.last_run()["state"], "red");
    assert_eq!(
        site.last_run()["report"]["problems"][0]["code"],
        "many_vanished"
    );
    site.erp.borrow_mut().faults.clear();
    site.settle(3);
    agreement::check(&site);
}

#[test]
fn a_row_without_a_key_is_in_the_audit_once_and_stops_nobody() {
    let site = loaded(2);
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    let cells = vec![
        ("Customer", Value::from(" ")),
        ("Name", Value::from("Nobody")),
        ("DateCustAdded", Value::from(today)),
    ];
    erp.data.insert("ArCustomer", cells);
    erp.data.edit_customer(&customer(1), "Name", "Renamed Inc");
    drop(erp);
    site.next_tick();
    assert_eq!(site.last_run()["state"], "amber");
    assert_eq!(
        site.value(Kind::Company, &company(1), "name"),
        "Renamed Inc"
    );
    let run = site.last_run()["id"].clone();
    site.next_tick();
    site.next_tick();
    assert_eq!(site.last_run()["id"], run, "said once, not at every tick");
    let audit = site.ask("GET", "/connections/acme/audit?limit=100", "");
    let audit = audit.body["audit"].as_array().cloned().unwrap_or_default();
    let rejected: Vec<&Json> = audit
        .iter()
        .filter(|entry| entry["outcome"] == "rejected")
        .collect();
    assert_eq!(rejected.len(), 1, "{rejected:#?}");
    assert_eq!(rejected[0]["said"]["reason"]["field"], "Customer");
}

#[test]
fn an_invoice_waits_for_a_customer_never_seen_and_goes_with_it() {
    let site = loaded(1);
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    let late = erp.data.add_customer(NewCustomer {
        key: Some("LATE".to_owned()),
        added: Some(today),
        ..NewCustomer::default()
    });
    let key = erp.data.post_invoice(NewInvoice::of(&late, today, lines()));
    let row = erp.data.table("ArCustomer").row(&[&late]).expect("a row");
    let kept = row.values.to_vec();
    erp.data.remove("ArCustomer", &[&late]);
    drop(erp);
    site.next_tick();
    let key = hubspot_key(&key);
    assert_eq!(site.status("invoices", &key), "waiting");
    assert!(site.find(Kind::Invoice, &key).is_none());
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "waiting costs nothing");

    let mut erp = site.erp.borrow_mut();
    let columns: Vec<&'static str> = {
        let columns = erp.data.table("ArCustomer").columns();
        columns.iter().map(|column| column.name).collect()
    };
    let cells = columns.into_iter().zip(kept).collect();
    erp.data.insert("ArCustomer", cells);
    drop(erp);
    site.next_tick();
    assert_eq!(site.status("invoices", &key), "synced");
    agreement::check(&site);
}

#[test]
fn an_invoice_of_an_excluded_customer_says_so_and_follows_when_it_comes_back() {
    let mut data = distributor(1);
    let key = data.add_customer(NewCustomer {
        key: Some("OLD".to_owned()),
        added: Some("2010-01-01".parse().expect("a day")),
        ..NewCustomer::default()
    });
    let today = data.today();
    let invoice = data.post_invoice(NewInvoice {
        // Without a date it is no sign of life, paid it is no balance.
        invoice_date: None,
        ..NewInvoice::of(&key, today, lines())
    });
    data.pay(&invoice, money("42.50"), today);
    let site = Site::new(data);
    site.tick();
    let record = site.record("customers", "EDU1/OLD");
    assert_eq!(record["status"], "excluded", "{record}");
    assert_eq!(record["reason"]["code"], "customers_active");
    let record = site.record("invoices", &hubspot_key(&invoice));
    assert_eq!(record["status"], "excluded", "{record}");
    assert_eq!(record["reason"]["code"], "customer_excluded");

    let again = NewInvoice::of(&key, today, lines());
    site.erp.borrow_mut().data.post_invoice(again);
    site.settle(3);
    assert_eq!(site.status("customers", "EDU1/OLD"), "synced");
    assert_eq!(site.status("invoices", &hubspot_key(&invoice)), "synced");
    agreement::check(&site);
}

#[test]
fn an_unknown_currency_fails_by_name_until_the_settings_explain_it() {
    for taken_on in [false, true] {
        let mut data = distributor(1);
        let today = data.today();
        let mut invoice = NewInvoice {
            currency: Some("STG".to_owned()),
            ..NewInvoice::of(&customer(1), today, lines())
        };
        if taken_on {
            invoice.lines.clear();
            invoice.taken_on = money("500.00");
        }
        let key = hubspot_key(&data.post_invoice(invoice));
        let mut options = options();
        options.additional_currencies.push("GBP".to_owned());
        let site = Site::with(data, options, json!({}));
        site.settle(4);
        let record = site.record("invoices", &key);
        assert_eq!(record["status"], "failing", "{record}");
        assert_eq!(record["reason"]["code"], "unknown_currency");
        assert_eq!(record["reason"]["field"], "PostCurrency");
        assert!(record["reason"]["reason"].to_string().contains("STG"));
        assert_eq!(site.last_run()["state"], "amber");

        let patch = json!({ "settings": { "currencies": { "STG": "GBP" } } });
        let answer = site.ask("PATCH", "/connections/acme", &patch.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        site.next_tick();
        site.next_tick();
        assert_eq!(site.status("invoices", &key), "synced");
        assert_eq!(site.value(Kind::Invoice, &key, "hs_currency"), "GBP");
    }
}

#[test]
fn of_two_customers_with_one_e_mail_the_second_goes_without_it() {
    let mut data = distributor(2);
    data.edit_customer(&customer(2), "Email", "jo@customer1.example");
    let site = Site::new(data);
    site.tick();
    agreement::check(&site);
    let email = |number: u32| site.value(Kind::Contact, &contact(number), "email");
    let both = [email(1), email(2)];
    assert_eq!(both.iter().filter(|email| email.is_empty()).count(), 1);
    let without = if both[0].is_empty() { 1 } else { 2 };
    let own = site.value(Kind::Contact, &contact(without), "syspro_email");
    assert_eq!(own, "jo@customer1.example");
    let record = site.record("customers", &company(without));
    assert_eq!(record["status"], "synced");
    assert_eq!(record["reason"]["code"], "email_withheld", "{record}");
}

#[test]
fn a_junk_e_mail_stays_in_our_own_property() {
    let site = loaded(1);
    let junk = "call Jo, no mail";
    site.erp
        .borrow_mut()
        .data
        .edit_customer(&customer(1), "Email", junk);
    site.next_tick();
    assert_eq!(site.value(Kind::Contact, &contact(1), "email"), "");
    assert_eq!(site.value(Kind::Contact, &contact(1), "syspro_email"), junk);
    let record = site.record("customers", &company(1));
    assert_eq!(record["reason"]["code"], "invalid_email", "{record}");
}
