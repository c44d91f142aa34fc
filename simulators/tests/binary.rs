//! The binary over real HTTP: what it serves, carries out and obeys, and that it goes when told.

#![expect(
    clippy::disallowed_methods,
    reason = "real processes are waited for in real time"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

const SVC: &str = "Basic U1ZDOm9kYXRhLXBhc3M=";
const TOKEN: &str = simulators::hubspot::Options::TOKEN;
const TABLE: &str = "/SYSPRO8Odata/SYSPROOData/EDU1";

struct Running {
    child: Child,
    _stdout: BufReader<ChildStdout>,
    syspro: String,
    hubspot: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start() -> Running {
    let words = [
        "--seed",
        "3",
        "--customers",
        "30",
        "--invoices",
        "90",
        "--until-eof",
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_simulators"))
        .args(words)
        .args(["--today", "2026-11-20"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    let ready: Json = serde_json::from_str(&line).expect("JSON");
    let address = |side: &str| {
        let url = ready[side].as_str().expect("an address");
        url.strip_prefix("http://").expect("http").to_owned()
    };
    Running {
        syspro: address("syspro"),
        hubspot: address("hubspot"),
        child,
        _stdout: stdout,
    }
}

/// Status and body; `None` where the connection broke without an answer.
fn call(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, Vec<u8>)> {
    let auth = if path.starts_with("/SYSPRO") {
        SVC.to_owned()
    } else {
        format!("Bearer {TOKEN}")
    };
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {auth}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    // A reset instead of an orderly end leaves what came before it.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = String::from_utf8_lossy(&answer[9..12]).parse().ok()?;
    Some((status, answer.split_off(end + 4)))
}

fn ask(address: &str, method: &str, path: &str, body: &Json) -> Json {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let (status, answer) = call(address, method, path, &body).expect("an answer");
    let text = String::from_utf8_lossy(&answer);
    assert_eq!(status, 200, "{method} {path}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
}

fn get(address: &str, path: &str) -> Json {
    ask(address, "GET", path, &Json::Null)
}

#[test]
fn both_sides_answer_and_move_and_it_ends_with_its_parent() {
    let mut running = start();
    let syspro = running.syspro.clone();
    let page = get(&syspro, &format!("{TABLE}/ArCustomer?$top=50"));
    assert_eq!(page["value"].as_array().map(Vec::len), Some(30));
    let state = get(&syspro, "/_sim/state?table=ArInvoice");
    let before = state["ArInvoice"].as_array().map(Vec::len);
    let day = ask(
        &syspro,
        "POST",
        "/_sim/day",
        &json!({ "today": "2026-11-21" }),
    );
    assert!(
        day["happened"]
            .as_array()
            .is_some_and(|lines| lines.len() > 8),
        "{day}"
    );
    let after = get(&syspro, "/_sim/state");
    assert_ne!(after["ArInvoice"].as_array().map(Vec::len), before);
    assert_eq!(
        ask(&syspro, "POST", "/_sim/day", &Json::Null)["today"],
        "2026-11-22"
    );
    assert_eq!(get(&syspro, "/_sim/calls"), json!({ "ArCustomer": 1 }));
    assert_eq!(
        ask(&syspro, "DELETE", "/_sim/calls", &Json::Null),
        json!({})
    );
    assert_eq!(get(&syspro, "/_sim/calls"), json!({}));

    let hubspot = running.hubspot.clone();
    let account = get(&hubspot, "/account-info/2026-09/details");
    assert!(account["portalId"].is_number(), "{account}");
    assert_eq!(
        get(&hubspot, "/_sim/calls")
            .as_object()
            .map(serde_json::Map::len),
        Some(1)
    );
    assert!(get(&hubspot, "/_sim/state")["companies"].is_object());

    drop(running.child.stdin.take());
    let asked = Instant::now();
    while running.child.try_wait().expect("a status").is_none() {
        assert!(asked.elapsed() < Duration::from_secs(20), "it did not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn switches_and_faults_are_set_from_outside_and_carried_out() {
    let running = start();
    let syspro = running.syspro.as_str();
    ask(syspro, "POST", "/_sim/quirks", &json!({ "row_cap": 7 }));
    let quirks = ask(syspro, "POST", "/_sim/quirks", &json!({ "ne": false }));
    assert_eq!(
        (&quirks["row_cap"], &quirks["ne"]),
        (&json!(7), &json!(false))
    );
    let customers = format!("{TABLE}/ArCustomer");
    assert_eq!(
        get(syspro, &customers)["value"].as_array().map(Vec::len),
        Some(7)
    );
    let faults = json!([
        { "on": "/ArCustomer", "what": "drop" },
        { "on": "/ArCustomer", "what": { "page": 503 } },
        { "on": "/ArCustomer", "what": { "slow": 150 } },
    ]);
    ask(syspro, "POST", "/_sim/faults", &faults);
    assert_eq!(call(syspro, "GET", &customers, ""), None);
    assert_eq!(
        call(syspro, "GET", &customers, "").map(|(status, _)| status),
        Some(503)
    );
    let asked = Instant::now();
    get(syspro, &customers);
    assert!(asked.elapsed() >= Duration::from_millis(150));

    let hubspot = running.hubspot.as_str();
    let portal = json!({ "company_currency": "EUR" });
    let options = ask(hubspot, "POST", "/_sim/quirks", &portal);
    assert_eq!(options["company_currency"], "EUR");
    assert_eq!(get(hubspot, "/_sim/quirks"), options);
    let details = "/account-info/2026-09/details";
    let faults = json!([
        { "matches": "details", "fault": { "kind": "drop" } },
        { "matches": "details", "fault": { "kind": "cut", "bytes": 5 } },
        { "matches": "details", "fault": { "kind": "late", "ms": 50 } },
    ]);
    ask(hubspot, "POST", "/_sim/faults", &faults);
    assert_eq!(call(hubspot, "GET", details, ""), None);
    assert_eq!(
        call(hubspot, "GET", details, "").map(|(_, body)| body.len()),
        Some(5)
    );
    assert_eq!(call(hubspot, "GET", details, ""), None);
    let asked = Instant::now();
    let calls = |count: u64| {
        let calls = get(hubspot, "/_sim/calls");
        calls
            .as_object()
            .is_some_and(|calls| calls.values().any(|calls| *calls == count))
    };
    while !calls(2) {
        assert!(
            asked.elapsed() < Duration::from_secs(20),
            "the late call never landed"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    for (address, path, body) in [
        (syspro, "/_sim/quirks", "{\"rows\":1}"),
        (hubspot, "/_sim/quirks", "{\"company_currency\":1}"),
        (syspro, "/_sim/day", "{\"today\":1}"),
        (syspro, "/_sim/faults", "{}"),
        (hubspot, "/_sim/faults", "["),
    ] {
        assert_eq!(
            call(address, "POST", path, body).map(|(status, _)| status),
            Some(400),
            "{path}"
        );
    }
    assert_eq!(
        call(hubspot, "GET", "/_sim/day", "").map(|(status, _)| status),
        Some(404)
    );
}

#[test]
fn arguments_it_does_not_know_are_refused() {
    for words in [&["--seed"][..], &["--seed", "x"], &["--colour", "red"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_simulators"))
            .args(words)
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage:"));
    }
}
