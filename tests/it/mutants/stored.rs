//! What the database holds, damaged by hand: the record or the connection it belongs to says so,
//! and the others go on.

use serde_json::{Value, json};

use super::{assert_whole, distributor};
use crate::site::{HUBSPOT_TOKEN, Site};

const JUNK: [&str; 8] = [
    "",
    "{",
    "null",
    "5",
    "\"x\"",
    "[]",
    "{}",
    "{\"a\":[{\"b\":1e999}]}",
];

/// Both customers arrived, and a third came since.
fn site() -> Site {
    let site = Site::new(distributor(2));
    site.settle(6);
    site
}

fn harm(site: &Site, table: &str, column: &str, junk: &str, which: &str) {
    let junk = junk.replace('\'', "''");
    site.world.rows(&format!(
        "update {table} set {column} = '{junk}' where {which}"
    ));
}

/// Every page of the API about the connection is there.
fn assert_shown(site: &Site, story: &str) {
    for path in [
        "",
        "/acme",
        "/acme/runs",
        "/acme/records",
        "/acme/audit",
        "/acme/records/customers/EDU1%2F000000000000001",
    ] {
        let answer = site.ask("GET", &format!("/connections{path}"), "");
        assert!(
            answer.status < 500,
            "{story} {path}: {} {}",
            answer.status,
            answer.body
        );
    }
}

/// Both customers are edited, so that both must be sent.
fn edit(site: &Site) {
    let keys: Vec<String> = {
        let erp = site.erp.borrow();
        let rows = erp.data.table("ArCustomer").rows();
        rows.map(|row| row.text("Customer").to_owned()).collect()
    };
    for key in keys {
        site.erp
            .borrow_mut()
            .data
            .edit_customer(&key, "Telephone", "+1 555 0199");
    }
}

fn phones(site: &Site) -> usize {
    let portal = site.portal.borrow();
    let companies = portal.objects(simulators::hubspot::Kind::Company);
    companies
        .filter(|it| it.get("phone") == Some("+1 555 0199"))
        .count()
}

#[test]
fn a_damaged_target_or_reason_stops_its_own_record_at_most() {
    let mut cases = 0;
    let first =
        "key = (select min(key) from ledger where feed = 'customers') and feed = 'customers'";
    let columns = [
        ("targets", "links"),
        ("targets", "filled"),
        ("targets", "withheld"),
        ("targets", "adopted"),
        ("targets", "theirs"),
        ("targets", "candidates"),
        ("targets", "former"),
        ("targets", "person"),
        ("targets", "hash"),
        ("ledger", "reason"),
        ("ledger", "mark"),
        ("ledger", "hash"),
    ];
    for (table, column) in columns {
        for junk in JUNK {
            let story = format!("{table}.{column} = {junk}");
            let site = site();
            harm(&site, table, column, junk, first);
            assert_shown(&site, &story);
            edit(&site);
            site.next_tick();
            assert!(phones(&site) >= 1, "{story}: the other one did not go on");
            for row in site
                .world
                .rows("select reason from ledger where fate = 'failing'")
            {
                let reason: Value =
                    serde_json::from_str(row["reason"].as_str().unwrap_or_default())
                        .unwrap_or_default();
                assert!(
                    reason["remedy"].as_str().is_some_and(|it| !it.is_empty()),
                    "{story}: {row}"
                );
            }
            assert_shown(&site, &story);
            // The remedy it names is a remedy.
            let asked = site.ask(
                "POST",
                "/connections/acme/replay",
                "{\"status\":\"failing\"}",
            );
            assert_eq!(asked.status, 202, "{story}: {}", asked.body);
            site.settle(6);
            assert_eq!(phones(&site), 2, "{story}");
            assert_whole(&site, 2, &story);
            cases += 1;
        }
    }
    eprintln!("targets and reasons: {cases} cases");
}

#[test]
fn a_damaged_payload_fails_alone_and_comes_by_replay() {
    let mut cases = 0;
    for junk in JUNK {
        let site = Site::new(distributor(2));
        site.portal
            .borrow_mut()
            .add_fault(simulators::hubspot::Fault::Html { status: 503 }.times(1_000, "/batch/"));
        site.tick();
        site.portal.borrow_mut().clear_faults();
        let waiting = site
            .world
            .rows("select key from ledger where fate = 'waiting' and payload is not null");
        assert!(waiting.len() >= 2, "{waiting:?}");
        harm(
            &site,
            "ledger",
            "payload",
            junk,
            "key = (select min(key) from ledger where feed = 'customers')",
        );
        site.settle(12);
        assert_shown(&site, junk);
        let failing = site
            .world
            .rows("select key, reason from ledger where fate = 'failing'");
        if junk != "{}" && !failing.is_empty() {
            let reason = failing[0]["reason"].as_str().unwrap_or_default();
            assert!(
                reason.contains("stored_form") && reason.contains("remedy"),
                "{junk}: {reason}"
            );
        }
        let asked = site.ask(
            "POST",
            "/connections/acme/replay",
            "{\"status\":\"failing\"}",
        );
        assert_eq!(asked.status, 202, "{}", asked.body);
        site.settle(12);
        assert_whole(&site, 2, junk);
        cases += 1;
    }
    eprintln!("payloads: {cases} cases");
}

#[test]
fn a_damaged_cursor_begins_anew() {
    let mut cases = 0;
    let positions = [
        "{\"after\":[]}",
        "{\"after\":[null]}",
        "{\"after\":[{}]}",
        "{\"after\":[\"a\",\"b\",\"c\",\"d\"]}",
        "{\"after\":[[],\"x\"]}",
        "{\"pass\":[\"2026-03-02\",[]]}",
        "{\"pass\":[\"2026-03-02\",[null,1]],\"complete\":\"9999-12-31\"}",
        "{\"complete\":18446744073709551615,\"rows\":18446744073709551615}",
    ];
    for position in JUNK.into_iter().chain(positions) {
        let site = site();
        harm(&site, "cursors", "position", position, "true");
        assert_shown(&site, position);
        edit(&site);
        site.settle(8);
        assert_eq!(phones(&site), 2, "{position}");
        let shown = site.ask("GET", "/connections/acme", "");
        assert_eq!(shown.body["state"], "active", "{position}: {}", shown.body);
        assert_whole(&site, 2, position);
        cases += 1;
    }
    eprintln!("cursors: {cases} cases");
}

#[test]
fn a_damaged_connection_says_so_and_its_neighbour_goes_on() {
    let mut cases = 0;
    for column in [
        "public",
        "secrets",
        "account",
        "checks",
        "parks",
        "state_reason",
    ] {
        for junk in JUNK.into_iter().chain(["{\"*\":5}", "[5]"]) {
            let story = format!("{column} = {junk}");
            let site = site();
            harm(&site, "connections", column, junk, "id = 'acme'");
            assert_shown(&site, &story);
            edit(&site);
            site.next_tick();
            assert_shown(&site, &story);
            let shown = site.ask("GET", "/connections/acme", "").body;
            let list = site.ask("GET", "/connections", "");
            assert_eq!(
                list.body["connections"].as_array().map(Vec::len),
                Some(1),
                "{story}"
            );
            if phones(&site) < 2 {
                assert_eq!(shown["state"], "broken", "{story}: {shown}");
                let reason = &shown["reason"];
                for part in ["code", "reason", "remedy"] {
                    assert!(
                        reason[part].as_str().is_some_and(|it| !it.is_empty()),
                        "{story}: {shown}"
                    );
                }
            }
            cases += 1;
            mend(&site, column, &story);
        }
    }
    eprintln!("connections stored: {cases} cases");
}

/// By what the reason tells: PATCH, or where nothing can be read any more, a new connection.
fn mend(site: &Site, column: &str, story: &str) {
    let patch = json!({ "hubspot": { "token": HUBSPOT_TOKEN } }).to_string();
    let patched = site.ask("PATCH", "/connections/acme", &patch);
    assert!(patched.status < 500, "{story}: {}", patched.body);
    if patched.status >= 400 {
        assert!(
            matches!(column, "public" | "secrets"),
            "{story}: {}",
            patched.body
        );
        let remedy = patched.body["error"]["remedy"].as_str().unwrap_or_default();
        assert!(remedy.contains("anew"), "{story}: {}", patched.body);
        assert_eq!(
            site.ask("DELETE", "/connections/acme", "").status,
            204,
            "{story}"
        );
        let made = site.ask(
            "POST",
            "/connections",
            &site.connection(json!({})).to_string(),
        );
        assert_eq!(made.body["state"], "active", "{story}: {}", made.body);
    } else {
        assert_eq!(patched.body["state"], "active", "{story}: {}", patched.body);
    }
    site.settle(8);
    assert_eq!(phones(site), 2, "{story}");
    assert_whole(site, 2, story);
}
