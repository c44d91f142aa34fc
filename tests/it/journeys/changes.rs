//! Something happens in SYSPRO, and HubSpot shows it at the next tick.

use std::time::Duration;

use chrono::Days;
use simulators::{
    data::{NewCustomer, NewInvoice, NewLine, Value},
    hubspot::{Fault, Kind},
};

use super::{
    company, contact, customer, distributor, first_invoice, hubspot_key, lines, loaded, money,
};
use crate::agreement;
use crate::site::{Site, options};

const DAY: Duration = Duration::from_secs(86_400);

/// The next tick takes it to HubSpot whole, in at most so many calls, and the one after is quiet.
fn arrives(site: &Site, most_calls: u64) {
    let before = site.hubspot_calls();
    site.next_tick();
    let spent = site.hubspot_calls() - before;
    assert!(spent <= most_calls, "{:#?}", site.calls_by_endpoint());
    agreement::check(site);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "quiet again");
}

#[test]
fn a_new_invoice_arrives_with_its_lines_and_links() {
    let site = loaded(3);
    let invoice = NewInvoice::of(&customer(2), site.today(), lines());
    let key = site.erp.borrow_mut().data.post_invoice(invoice);
    let key = hubspot_key(&key);
    // Company, invoice, lines, three kinds of links, status.
    arrives(&site, 7);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_total"), "42.5");
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::Company), 1);
    assert_eq!(site.status("invoices", &key), "synced");
}

#[test]
fn an_edited_e_mail_reaches_the_contact() {
    let site = loaded(3);
    let edit = "ann@changed.example";
    site.erp
        .borrow_mut()
        .data
        .edit_customer(&customer(1), "Email", edit);
    arrives(&site, 3);
    assert_eq!(site.value(Kind::Contact, &contact(1), "email"), edit);
}

#[test]
fn an_edit_of_a_customer_takes_two_calls_at_most() {
    let site = loaded(3);
    let mut erp = site.erp.borrow_mut();
    erp.data
        .edit_customer(&customer(1), "Telephone", "+1 555 0100");
    drop(erp);
    arrives(&site, 2);
}

#[test]
fn a_part_payment_lowers_the_balance_of_invoice_and_company() {
    let site = loaded(3);
    let (key, today) = (first_invoice(1), site.today());
    site.erp.borrow_mut().data.pay(&key, money("12.50"), today);
    arrives(&site, 2);
    let key = hubspot_key(&key);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_balance_due"), "30");
    assert_eq!(
        site.value(Kind::Invoice, &key, "syspro_status"),
        "part paid"
    );
    assert_eq!(
        site.value(Kind::Company, &company(1), "syspro_balance"),
        "30"
    );
}

#[test]
fn a_full_payment_makes_the_invoice_paid() {
    let site = loaded(3);
    let (key, today) = (first_invoice(1), site.today());
    site.erp.borrow_mut().data.pay(&key, money("42.50"), today);
    arrives(&site, 3);
    let key = hubspot_key(&key);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_status"), "paid");
    assert_eq!(site.value(Kind::Invoice, &key, "hs_invoice_status"), "paid");
}

#[test]
fn a_back_dated_invoice_older_than_the_lookback_arrives_too() {
    let site = loaded(3);
    let dated = site.today() - Days::new(90);
    let invoice = NewInvoice {
        invoice_date: Some(dated),
        ..NewInvoice::of(&customer(2), site.today(), lines())
    };
    let key = site.erp.borrow_mut().data.post_invoice(invoice);
    arrives(&site, 7);
    let status = site.value(Kind::Invoice, &hubspot_key(&key), "syspro_status");
    assert_eq!(status, "overdue");
}

#[test]
fn a_credit_note_is_a_draft_without_lines_and_without_hubspot_amounts() {
    let site = loaded(3);
    let credit = NewInvoice {
        document_type: "C".to_owned(),
        ..NewInvoice::of(&customer(2), site.today(), lines())
    };
    let key = site.erp.borrow_mut().data.post_invoice(credit);
    arrives(&site, 7);
    let key = hubspot_key(&key);
    let value = |name: &str| site.value(Kind::Invoice, &key, name);
    assert_eq!(value("syspro_document_type"), "credit note");
    assert_eq!(value("syspro_total"), "-42.5");
    assert_eq!(value("hs_amount_billed"), "");
    assert_eq!(value("hs_invoice_status"), "draft");
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 0);
}

#[test]
fn credit_notes_stay_away_where_the_setting_says_so() {
    let mut data = distributor(1);
    let today = data.today();
    let key = data.post_invoice(NewInvoice {
        document_type: "C".to_owned(),
        ..NewInvoice::of(&customer(1), today, lines())
    });
    let settings = serde_json::json!({ "credit_notes": "exclude" });
    let site = Site::with(data, options(), settings);
    site.tick();
    let record = site.record("invoices", &hubspot_key(&key));
    assert_eq!(record["status"], "excluded");
    assert_eq!(record["reason"]["code"], "credit_notes");
    assert_eq!(site.portal.borrow().objects(Kind::Invoice).count(), 1);
}

#[test]
fn a_customer_put_on_hold_is_seen_by_sales() {
    let site = loaded(3);
    site.erp
        .borrow_mut()
        .data
        .edit_customer(&customer(3), "CustomerOnHold", "Y");
    arrives(&site, 2);
    assert_eq!(
        site.value(Kind::Company, &company(3), "syspro_on_hold"),
        "true"
    );
}

#[test]
fn a_purged_invoice_of_an_open_item_customer_was_paid() {
    let site = loaded(3);
    site.erp.borrow_mut().data.purge(&first_invoice(1));
    arrives(&site, 3);
    let key = hubspot_key(&first_invoice(1));
    let value = |name: &str| site.value(Kind::Invoice, &key, name);
    assert_eq!(value("syspro_balance_due"), "0");
    assert_eq!(value("syspro_status"), "paid");
    assert_eq!(value("hs_invoice_status"), "paid");
    assert_eq!(value("syspro_total"), "42.5", "what was billed stands");
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    assert!(site.record("invoices", &key)["gone_at"].is_string());
}

#[test]
fn a_purged_invoice_of_a_balance_forward_customer_was_consolidated() {
    let mut data = distributor(1);
    data.edit_customer(&customer(1), "BalanceType", "B");
    let site = Site::new(data);
    site.tick();
    site.erp.borrow_mut().data.purge(&first_invoice(1));
    arrives(&site, 3);
    let key = hubspot_key(&first_invoice(1));
    let value = |name: &str| site.value(Kind::Invoice, &key, name);
    assert_eq!(value("syspro_status"), "consolidated");
    assert_eq!(value("syspro_balance_due"), "0");
    assert_eq!(
        site.value(Kind::Company, &company(1), "syspro_balance"),
        "42.5",
        "it is still owed"
    );
}

#[test]
fn an_invoice_becomes_overdue_by_the_calendar_alone() {
    let mut data = distributor(1);
    data.edit_customer(&customer(1), "TermsCode", "0");
    let today = data.today();
    let key = data.post_invoice(NewInvoice::of(&customer(1), today, lines()));
    let site = Site::new(data);
    site.tick();
    let key = hubspot_key(&key);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_status"), "open");
    // It is not yet the next day at the site, which is five hours behind.
    site.world.advance(Duration::from_secs(19 * 3600));
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
    site.world.advance(DAY - Duration::from_secs(17 * 3600));
    // And once a day the portal is asked about itself.
    arrives(&site, 2);
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_status"), "overdue");
}

#[test]
fn a_line_taken_away_is_archived_and_a_line_added_arrives() {
    let site = loaded(2);
    let key = hubspot_key(&first_invoice(1));
    let line = |site: &Site, number: &str| {
        let erp = site.erp.borrow();
        let table = erp.data.table("ArTrnDetail");
        let row = table.rows().find(|row| {
            row.text("Invoice") == first_invoice(1).invoice
                && row.decimal("DetailLine") == money(number)
        });
        row.expect("a line").values.to_vec()
    };
    let third = line(&site, "3");
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        other => panic!("{other:?} in a key"),
    };
    let parts: Vec<String> = third.iter().take(6).map(text).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    assert!(site.erp.borrow_mut().data.remove("ArTrnDetail", &parts));
    site.next_tick();
    // The others do not add up to its total: the answer may have left it out.
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    let record = site.record("invoices", &key);
    assert_eq!(record["reason"]["code"], "lines_missing", "{record}");
    site.next_tick();
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 2);
    agreement::check(&site);

    let columns: Vec<&'static str> = {
        let erp = site.erp.borrow();
        let columns = erp.data.table("ArTrnDetail").columns();
        columns.iter().map(|column| column.name).collect()
    };
    let cells = columns.into_iter().zip(third).collect();
    site.erp.borrow_mut().data.insert("ArTrnDetail", cells);
    site.next_tick();
    assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
    agreement::check(&site);
}

#[test]
fn a_renamed_customer_keeps_its_records() {
    let site = loaded(2);
    let before = site.object(Kind::Company, &company(1)).id;
    site.erp
        .borrow_mut()
        .data
        .edit_customer(&customer(1), "Name", "Renamed Inc");
    arrives(&site, 2);
    let after = site.object(Kind::Company, &company(1));
    assert_eq!(after.id, before);
    assert_eq!(after.get("name"), Some("Renamed Inc"));
}

#[test]
fn a_blank_wipes_only_what_we_filled() {
    let site = loaded(2);
    let id = site.object(Kind::Company, &company(1)).id;
    let now = site.world.now();
    let phone = || site.value(Kind::Company, &company(1), "phone");
    let edit = |column: &str, value: &str| {
        let mut erp = site.erp.borrow_mut();
        erp.data.edit_customer(&customer(1), column, value);
    };
    site.portal
        .borrow_mut()
        .edit(now, Kind::Company, id, &[("phone", "by a person")]);
    edit("Name", "Renamed Inc");
    site.next_tick();
    assert_eq!(phone(), "by a person");
    edit("Telephone", "+1 555 0100");
    site.next_tick();
    assert_eq!(phone(), "+1 555 0100");
    edit("Telephone", " ");
    site.next_tick();
    assert_eq!(phone(), "");
}

#[test]
fn a_value_that_changes_back_before_it_is_sent_is_sent_as_it_is_now() {
    let site = loaded(2);
    let set = |name: &str| {
        let mut erp = site.erp.borrow_mut();
        erp.data.edit_customer(&customer(1), "Name", name);
    };
    set("Renamed Inc");
    // HubSpot has a bad hour: the change waits.
    let fault = simulators::hubspot::Fault::Html { status: 503 };
    site.portal.borrow_mut().add_fault(fault.times(50, "/crm/"));
    site.next_tick();
    assert_eq!(site.status("customers", &company(1)), "waiting");
    set("Customer 1");
    site.portal.borrow_mut().clear_faults();
    site.world.advance(Duration::from_secs(7 * 3600));
    site.next_tick();
    assert_eq!(site.value(Kind::Company, &company(1), "name"), "Customer 1");
    assert_eq!(site.status("customers", &company(1)), "synced");
}

#[test]
fn a_new_customer_with_an_invoice_of_the_same_minute_arrives_in_one_run() {
    let site = loaded(1);
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    let key = erp.data.add_customer(NewCustomer {
        name: "Newcomer".to_owned(),
        added: Some(today),
        ..NewCustomer::default()
    });
    let line = NewLine::stocked("A100", money("1"), money("5"), money("0"));
    erp.data
        .post_invoice(NewInvoice::of(&key, today, vec![line]));
    drop(erp);
    arrives(&site, 12);
    // Nobody is named and there is no e-mail: the contact goes by the customer's name.
    assert_eq!(
        site.value(Kind::Contact, &contact(2), "lastname"),
        "Newcomer"
    );
}

/// What was last answered for is then what it shall be, and HubSpot holds the other.
#[test]
fn a_change_taken_back_after_its_answer_was_lost_is_taken_back_in_hubspot_too() {
    let site = loaded(2);
    let name = |name: &str| {
        let mut erp = site.erp.borrow_mut();
        assert!(erp.data.edit_customer(&customer(1), "Name", name));
    };
    let lost = Fault::LoseAnswer.times(100, "companies/batch/update");
    site.portal.borrow_mut().add_fault(lost);
    name("A mistake");
    site.next_tick();
    assert_eq!(site.value(Kind::Company, &company(1), "name"), "A mistake");
    site.portal.borrow_mut().clear_faults();
    name("Customer 1");
    site.world.advance(Duration::from_secs(7 * 3_600));
    site.settle(10);
    agreement::check(&site);
}
