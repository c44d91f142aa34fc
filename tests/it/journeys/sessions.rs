//! e.net: one session for all runs, left when nobody needs it, and never a password too often.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::{
    data::{Distributor, Value},
    hubspot::Kind,
    syspro::{Fault, Trouble},
};

use super::{company, customer, distributor, first_invoice, hubspot_key};
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

fn patch(site: &Site, body: &Json) -> Json {
    let changed = site.ask("PATCH", "/connections/acme", &body.to_string());
    assert_eq!(changed.status, 200, "{}", changed.body);
    changed.body
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

/// The checks of e.net as a connection shows them: name, whether it is right, why not.
fn checks(shown: &Json) -> Vec<(String, bool, String)> {
    let text = |check: &Json, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let all = shown["checks"].as_array().cloned().unwrap_or_default();
    all.iter()
        .filter(|check| text(check, "name").starts_with("enet_"))
        .map(|check| {
            let ok = check["ok"] == true;
            assert!(ok || !text(check, "remedy").is_empty(), "{check}");
            (text(check, "name"), ok, text(check, "why"))
        })
        .collect()
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
    assert_eq!(site.world.queries() - statements, 12, "a quiet tick");
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
    site.erp.borrow_mut().quirks.slow = 15_000;
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
    let before = asked_enet(&site).len();
    site.tick();
    let run = site.last_run();
    assert_eq!(run["state"], "amber", "{run:#}");
    assert_eq!(said(&site), "enet_fault");
    assert_eq!(site.status("customers", &company(1)), "synced");
    assert_eq!(salesperson(&site), "");
    let asked = asked_enet(&site).len() - before;
    assert_eq!(asked, 1, "one log-on, and then nothing");
    site.erp.borrow_mut().faults.clear();
    site.world.advance(HOUR);
    site.settle(6);
    assert_ne!(salesperson(&site), "");
    agreement::check(&site);
}

#[test]
fn queries_that_hang_cost_one_short_attempt_an_hour_and_no_record() {
    let site = site(2);
    let hang = |site: &Site| {
        let slow = Fault {
            times: 1_000,
            ..Fault::once("Query/Query", Trouble::Slow(600_000))
        };
        site.erp.borrow_mut().faults.push_back(slow);
    };
    let queries = |site: &Site| {
        let asked = asked_enet(site);
        let queries = asked.iter().filter(|line| line.contains("Query/Query"));
        queries.count()
    };
    let before = queries(&site);
    hang(&site);
    let began = site.world.now();
    site.tick();
    assert!(site.world.now() - began < 60_000, "a short attempt");
    let run = site.last_run();
    assert_eq!(run["state"], "amber", "{run:#}");
    assert_eq!(run["report"]["spent"], Json::Null, "{run:#}");
    assert_eq!(said(&site), "enet_fault");
    assert_eq!(site.status("customers", &company(1)), "synced");
    let invoice = hubspot_key(&first_invoice(1));
    assert_eq!(site.status("invoices", &invoice), "synced");
    for _ in 0..11 {
        site.next_tick();
    }
    assert_eq!(queries(&site) - before, 1, "within the hour");
    site.world.advance(HOUR);
    site.tick();
    assert_eq!(queries(&site) - before, 2);

    // Tables that are held go on explaining, and a code they do not know waits for its hour too.
    site.erp.borrow_mut().faults.clear();
    site.world.advance(HOUR);
    site.settle(4);
    assert_ne!(salesperson(&site), "");
    agreement::check(&site);
    hang(&site);
    let before = queries(&site);
    for number in 0..11 {
        appoint(&site, number);
        site.next_tick();
        assert_eq!(site.status("customers", &company(1)), "synced");
        assert_eq!(site.last_run()["state"], "amber");
    }
    assert_eq!(said(&site), "enet_silent");
    assert_eq!(queries(&site) - before, 1, "within the hour");

    // Whoever mended it need not wait.
    site.erp.borrow_mut().faults.clear();
    let changed = patch(&site, &json!({}));
    assert!(checks(&changed).iter().all(|(_, ok, _)| *ok), "{changed:#}");
    let name = appoint(&site, 11);
    site.next_tick();
    assert_eq!(salesperson(&site), name);
    agreement::check(&site);
}

#[test]
fn a_wrong_password_is_tried_once_an_hour_or_after_a_change() {
    let (site, mut body) = bare(distributor(2));
    body["syspro"]["operator_password"] = json!("canary-wrong");
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.body["state"], "active", "{:#}", made.body);
    let why = "SYSPRO e.net does not accept the operator's password.".to_owned();
    let found = checks(&made.body);
    assert_eq!(found[0], ("enet_logon".to_owned(), false, why));
    assert_eq!(called(&site, "Logon"), 1);
    for number in 0..11 {
        site.erp.borrow_mut().data.edit_customer(
            &customer(1),
            "Name",
            format!("Name {number}").as_str(),
        );
        site.next_tick();
    }
    assert_eq!(called(&site, "Logon"), 1, "within the hour");
    assert_eq!(site.status("customers", &company(1)), "synced");
    site.world.advance(HOUR);
    site.tick();
    assert_eq!(called(&site, "Logon"), 2);
    assert_eq!(said(&site), "enet_operator_password");

    let right = json!({ "syspro": { "operator_password": OPERATOR_PASSWORD } });
    let changed = patch(&site, &right);
    assert!(checks(&changed).iter().all(|(_, ok, _)| *ok), "{changed:#}");
    assert_eq!((called(&site, "Logon"), called(&site, "Logoff")), (3, 1));
    site.settle(4);
    assert_eq!(called(&site, "Logon"), 4);
    assert!(!salesperson(&site).is_empty());
    agreement::check(&site);
}

#[test]
fn what_keeps_e_net_from_working_is_told_when_the_connection_is_made() {
    type Set = fn(&Site, &mut Json);
    let table: [(Set, &str, &str); 6] = [
        (
            |_, body| body["syspro"]["operator"] = json!("NOBODY"),
            "enet_logon",
            "SYSPRO e.net does not know the operator.",
        ),
        (
            |_, body| body["syspro"]["company_password"] = json!("canary-company"),
            "enet_logon",
            "SYSPRO e.net does not accept the company's password.",
        ),
        (
            |site, _| site.erp.borrow_mut().quirks.seats_full = true,
            "enet_logon",
            "All of SYSPRO's e.net licences are taken.",
        ),
        (
            |site, _| site.erp.borrow_mut().quirks.unlicensed = true,
            "enet_comfnd",
            "COMFND, which reads tables over SYSPRO e.net, is not licensed for the operator.",
        ),
        (
            |_, body| body["syspro"]["enet_url"] = json!(format!("https://{ERP}/elsewhere")),
            "enet_logon",
            "SYSPRO e.net refused the request (404 http_404).",
        ),
        (
            |site, _| {
                let fault = Fault::once("GetVersion", Trouble::Page(200));
                site.erp.borrow_mut().faults.push_back(fault);
            },
            "enet_logon",
            "SYSPRO e.net sent an answer that cannot be read (an HTML page of 123 bytes instead of a version).",
        ),
    ];
    for (set, name, why) in table {
        let (site, mut body) = bare(distributor(1));
        set(&site, &mut body);
        let made = site.ask("POST", "/connections", &body.to_string());
        assert_eq!(made.body["state"], "active", "{:#}", made.body);
        let found = checks(&made.body);
        let wrong = found.iter().find(|(_, ok, _)| !ok);
        assert_eq!(
            wrong,
            Some(&(name.to_owned(), false, why.to_owned())),
            "{found:#?}"
        );
        assert!(called(&site, "Logon") <= 1);
        // None of it stands in the way of the records.
        site.settle(4);
        assert_eq!(site.status("customers", &company(1)), "synced");
    }
}

#[test]
fn a_check_uses_the_session_of_the_runs_and_waits_for_none_of_them() {
    let site = site(2);
    site.tick();
    let changed = patch(&site, &json!({}));
    assert!(checks(&changed).iter().all(|(_, ok, _)| *ok), "{changed:#}");
    assert_eq!((called(&site, "Logon"), called(&site, "Logoff")), (1, 0));
    // What is found out counts, be it good or bad.
    for unlicensed in [true, false] {
        site.erp.borrow_mut().quirks.unlicensed = unlicensed;
        let found = checks(&patch(&site, &json!({})));
        let names = found
            .iter()
            .filter(|(_, ok, _)| !ok)
            .map(|it| it.0.as_str());
        let wrong: Vec<&str> = names.collect();
        let expected: &[&str] = if unlicensed { &["enet_comfnd"] } else { &[] };
        assert_eq!(wrong, expected);
    }
    // Somebody holds the portal: what was known stays.
    let until = site.world.now() + 200_000;
    let hold = format!("update lease set owner = 'run', until = {until} returning portal");
    assert_eq!(site.world.rows(&hold).len(), 1);
    let asked = asked_enet(&site).len();
    let changed = patch(&site, &json!({}));
    assert!(checks(&changed).iter().all(|(_, ok, _)| *ok), "{changed:#}");
    assert_eq!(asked_enet(&site).len(), asked);
    assert_eq!((called(&site, "Logon"), called(&site, "Logoff")), (1, 0));
}

#[test]
fn whoever_is_not_needed_any_more_logs_off() {
    let removed = |site: &Site| {
        let gone = site.ask("DELETE", "/connections/acme", "");
        assert_eq!(gone.status, 204);
    };
    let paused = |site: &Site| {
        patch(site, &json!({ "paused": true }));
    };
    let without = |site: &Site| {
        let none = json!({ "syspro": { "enet_url": null, "operator": null, "operator_password": null, "company_password": null } });
        let changed = patch(site, &none);
        assert_eq!(checks(&changed), []);
    };
    type Way<'a> = (&'a str, &'a dyn Fn(&Site));
    let ways: [Way; 3] = [
        ("DELETE", &removed),
        ("paused", &paused),
        ("without", &without),
    ];
    for (what, way) in ways {
        let site = site(2);
        site.tick();
        way(&site);
        assert_eq!(
            (called(&site, "Logon"), called(&site, "Logoff")),
            (1, 1),
            "{what}"
        );
        assert!(
            site.world.rows("select * from sessions").is_empty(),
            "{what}"
        );
        // A log-off that fails is no error.
        let site = self::site(2);
        site.tick();
        let down = Fault::once("Logoff", Trouble::Drop);
        site.erp.borrow_mut().faults.push_back(down);
        way(&site);
        assert!(
            site.world.rows("select * from sessions").is_empty(),
            "{what}"
        );
    }
}

#[test]
fn no_log_line_answer_or_cell_holds_a_password_or_a_session_id() {
    let site = site(2);
    site.tick();
    site.erp.borrow_mut().evict();
    appoint(&site, 1);
    site.next_tick();
    site.erp.borrow_mut().evict();
    appoint(&site, 2);
    site.next_tick();
    let broken = Fault::once("Query/Query", Trouble::Cut(50));
    site.erp.borrow_mut().faults.push_back(broken);
    site.world.advance(HOUR);
    site.tick();
    let mut marks: Vec<String> = asked_enet(&site)
        .iter()
        .filter_map(|line| line.split_once("UserId="))
        .map(|(_, rest)| rest.split('&').next().unwrap_or_default().to_owned())
        .collect();
    assert!(marks.len() > 3);
    marks.push(OPERATOR_PASSWORD.to_owned());
    let mut said = site.world.logs();
    for path in [
        "/connections",
        "/connections/acme",
        "/connections/acme/runs",
        "/connections/acme/audit",
    ] {
        said.push(site.get(path).to_string());
    }
    for table in [
        "connections",
        "sessions",
        "runs",
        "audit",
        "ledger",
        "targets",
        "lookups",
    ] {
        let rows = site.world.rows(&format!("select * from {table}"));
        said.push(json!(rows).to_string());
    }
    for text in said {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{text}");
        }
    }
}
