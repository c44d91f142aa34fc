//! e.net: one session for all runs, left when nobody needs it, and never a password too often.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::{
    data::{Distributor, Value},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::{company, customer, distributor};
use crate::agreement;
use crate::site::{OPERATOR_PASSWORD, Site, options};
use crate::world::{Call, ERP, Start};

const TABLES: [&str; 4] = [
    "TblArTerms",
    "TblCustomerClass",
    "SalBranch",
    "SalSalesperson",
];
const HOUR: Duration = Duration::from_secs(3_600);

/// A site whose OData publishes no table of codes, with e.net; the body of its connection.
fn bare(data: Distributor) -> (Site, Json) {
    let site = Site::bare(Start::calm(), data, options());
    site.erp.borrow_mut().quirks.missing_tables = TABLES.map(str::to_owned).to_vec();
    let mut body = site.connection(json!({}));
    body["syspro"]["enet_url"] = json!(format!("https://{ERP}/SYSPROWCFService/Rest"));
    body["syspro"]["operator"] = json!("SVC");
    body["syspro"]["operator_password"] = json!(OPERATOR_PASSWORD);
    (site, body)
}

fn create(site: &Site, body: &Json) -> Json {
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    site.erp.borrow_mut().calls.clear();
    made.body
}

fn site(customers: usize) -> Site {
    let (site, body) = bare(distributor(customers));
    let made = create(&site, &body);
    assert_eq!(made["state"], "active", "{made:#}");
    site
}

fn called(site: &Site, what: &str) -> u64 {
    site.erp.borrow().called(what)
}

/// Every request e.net was to get.
fn asked_enet(site: &Site) -> Vec<String> {
    let log = site.world.fetch_log();
    let lines = log.iter().map(Call::line);
    lines
        .filter(|line| line.contains("SYSPROWCFService"))
        .collect()
}

/// Customer 1 gets a salesperson nobody has heard of: the next run must look it up.
fn appoint(site: &Site, number: usize) -> String {
    let (code, name) = (format!("N{number}"), format!("Newcomer {number}"));
    let mut erp = site.erp.borrow_mut();
    let text = |text: &str| Value::Text(text.to_owned());
    let branch = {
        let row = erp.data.table("ArCustomer").row(&[&customer(1)]);
        row.expect("a customer")
            .text("Branch")
            .trim_end()
            .to_owned()
    };
    let cells = vec![
        ("Branch", text(&branch)),
        ("Salesperson", text(&code)),
        ("Name", text(&name)),
    ];
    erp.data.insert("SalSalesperson", cells);
    erp.data
        .edit_customer(&customer(1), "Salesperson", code.as_str());
    name
}

fn salesperson(site: &Site) -> String {
    site.value(Kind::Company, &company(1), "syspro_salesperson_name")
}

/// What the newest run said of e.net.
fn said(site: &Site) -> String {
    let run = site.last_run();
    let notes = run["report"]["notes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut codes = notes.iter().filter_map(|note| note["code"].as_str());
    codes
        .find(|code| code.starts_with("enet_"))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn fifty_ticks_that_need_e_net_log_on_once_and_an_idle_session_is_left() {
    let site = site(2);
    for number in 0..50 {
        let name = appoint(&site, number);
        site.next_tick();
        assert_eq!(salesperson(&site), name);
    }
    assert_eq!(called(&site, "Logon"), 1);
    assert!(called(&site, "COMFND SalSalesperson") >= 50);
    assert_eq!(called(&site, "Logoff"), 0);
    agreement::check(&site);

    // The tables are read anew once an hour: in between nobody needs it.
    for _ in 0..4 {
        site.next_tick();
    }
    assert_eq!((called(&site, "Logon"), called(&site, "Logoff")), (1, 1));
    let kept = site.world.rows("select session from sessions");
    assert_eq!(kept[0]["session"], Json::Null);
    let statements = site.world.queries();
    site.next_tick();
    assert_eq!(site.world.queries() - statements, 15, "a quiet tick");
    assert_eq!((called(&site, "Logon"), called(&site, "Logoff")), (1, 1));
}

#[test]
fn a_session_that_ends_in_the_middle_of_a_run_costs_one_more_log_on_and_loses_nothing() {
    let site = site(3);
    let ended = Trouble::Body("ERROR: The supplied UserID is invalid.".to_owned());
    let third = Fault::once("<TableName>SalBranch", ended);
    site.erp.borrow_mut().faults.push_back(third);
    site.settle(4);
    assert_eq!(called(&site, "Logon"), 2);
    assert!(!salesperson(&site).is_empty());
    assert_eq!(site.last_run()["state"], "green");
    agreement::check(&site);
}

#[test]
fn whoever_signs_in_with_the_operator_is_survived_and_twice_in_an_hour_left_alone() {
    let site = site(2);
    site.tick();
    site.erp.borrow_mut().evict();
    let name = appoint(&site, 1);
    site.next_tick();
    assert_eq!(salesperson(&site), name);
    assert_eq!((called(&site, "Logon"), said(&site).as_str()), (2, ""));

    site.erp.borrow_mut().evict();
    appoint(&site, 2);
    site.next_tick();
    assert_eq!(called(&site, "Logon"), 2, "nobody is thrown out again");
    assert_eq!(said(&site), "enet_evicted");
    let run = site.last_run();
    assert_eq!(run["state"], "amber");
    assert!(
        run["report"].to_string().contains("an operator of its own"),
        "{run:#}"
    );
    for number in 3..10 {
        appoint(&site, number);
        site.next_tick();
        // The customer itself goes on, under what is known.
        assert_eq!(site.status("customers", &company(1)), "synced");
    }
    assert_eq!(called(&site, "Logon"), 2);
    site.world.advance(HOUR);
    let name = appoint(&site, 10);
    site.next_tick();
    assert_eq!(called(&site, "Logon"), 3);
    assert_eq!(salesperson(&site), name);
    agreement::check(&site);
}

#[test]
fn a_second_run_does_not_log_on_while_the_first_has_the_portal() {
    let site = site(2);
    site.erp.borrow_mut().quirks.slow = 20_000;
    let at = site.world.now();
    for second in [0, 1, 30] {
        site.world
            .spawn_at(at + second * 1_000, "tick", |edge| async move {
                syspro_hubspot_sync::tick::tick(&edge, &crate::site::config()).await;
            });
    }
    site.world.settle();
    site.erp.borrow_mut().quirks.slow = 0;
    assert_eq!(called(&site, "Logon"), 1);
    site.settle(4);
    assert_eq!(called(&site, "Logon"), 1);
    agreement::check(&site);
}

#[test]
fn ids_in_quotes_and_names_in_windows_1252_arrive_as_they_are_meant() {
    let (site, body) = bare(distributor(2));
    site.erp.borrow_mut().quirks.quoted_session = true;
    create(&site, &body);
    site.tick();
    let name = "Café Zoë – “Ltd”";
    let (branch, code) = {
        let erp = site.erp.borrow();
        let row = erp.data.table("ArCustomer").row(&[&customer(1)]);
        let row = row.expect("a customer");
        let text = |column: &str| row.text(column).trim_end().to_owned();
        (text("Branch"), text("Salesperson"))
    };
    let mut erp = site.erp.borrow_mut();
    erp.data
        .set("SalSalesperson", &[&branch, &code], "Name", name);
    drop(erp);
    site.world.advance(HOUR);
    site.settle(4);
    assert_eq!(salesperson(&site), name);
    agreement::check(&site);
}

#[test]
fn a_session_that_no_master_key_opens_is_had_anew() {
    let site = site(2);
    site.tick();
    let altered = "update sessions set session = 'v1.00000000.AAAA' returning connection";
    assert_eq!(site.world.rows(altered).len(), 1);
    let name = appoint(&site, 1);
    site.next_tick();
    assert_eq!(salesperson(&site), name);
    assert_eq!(called(&site, "Logon"), 2);
}

#[test]
fn e_net_down_leaves_records_without_descriptions_for_a_while_and_nothing_else() {
    let site = site(2);
    let down = Fault {
        times: 1_000,
        ..Fault::once("SYSPROWCFService", Trouble::Page(503))
    };
    site.erp.borrow_mut().faults.push_back(down);
    site.tick();
    let run = site.last_run();
    assert_eq!(run["state"], "amber", "{run:#}");
    assert_eq!(said(&site), "enet_fault");
    assert_eq!(site.status("customers", &company(1)), "synced");
    assert_eq!(salesperson(&site), "");
    assert_eq!(asked_enet(&site).len(), 1, "one log-on, and then nothing");
    site.erp.borrow_mut().faults.clear();
    site.settle(6);
    assert_ne!(salesperson(&site), "");
    agreement::check(&site);
}
