//! Bodies of requests to the Worker: never a 5xx, and always the form errors have.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{distributor, field_mutants, object, retyped, rng};
use crate::site::{Answer, Site};

fn assert_form(answer: &Answer, story: &str) {
    let Answer { status, body } = answer;
    assert!(*status < 500, "{story}: {status} {body}");
    if *status < 400 {
        return;
    }
    let error = &body["error"];
    for part in ["code", "message", "remedy"] {
        let text = error[part].as_str().unwrap_or_default();
        assert!(!text.trim().is_empty(), "{story}: {status} {body}");
        assert_eq!(text, text.trim(), "{story}: {body}");
    }
    if error["code"] == "invalid" {
        let details = error["details"]
            .as_array()
            .unwrap_or_else(|| panic!("{story}: {body}"));
        assert!(!details.is_empty(), "{story}: {body}");
        for detail in details {
            for part in ["path", "reason", "remedy"] {
                let text = detail[part].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{story}: {body}");
            }
        }
    }
}

/// Every secret that went in: none may come out, not even of a body that was refused.
fn assert_silent(answer: &Answer, story: &str) {
    let said = answer.body.to_string();
    assert!(!said.contains("canary"), "{story}: {said}");
}

fn cuts(text: &str) -> impl Iterator<Item = (String, String)> {
    let ends = (0..text.len()).filter(|end| text.is_char_boundary(*end));
    ends.map(|end| (format!("cut at {end}"), text[..end].to_owned()))
}

fn garbage(rng: &mut Rng, whole: &str) -> Vec<(String, String)> {
    let mut all: Vec<String> = vec![
        "[".repeat(5_000),
        "{\"id\":".repeat(5_000),
        format!("{}{}", "[".repeat(100), "]".repeat(100)),
        "null".to_owned(),
        "[]".to_owned(),
        "\"\"".to_owned(),
        "0".to_owned(),
        "\u{feff}{}".to_owned(),
        "{}{}".to_owned(),
        format!("{{\"a\":1,{}", &whole[1..]),
        whole.replace("\":", "\u{0}\":"),
        whole.replace('"', "'"),
    ];
    for _ in 0..60 {
        let mut bytes = whole.as_bytes().to_vec();
        for _ in 0..rng.usize(1..6) {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        all.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let shown = |text: String| (text.chars().take(60).collect(), text);
    all.into_iter().map(shown).collect()
}

/// What a body may be instead of the whole one. What stays valid is not to be feared.
fn bodies(rng: &mut Rng, whole: &Value) -> Vec<(String, String)> {
    let text = whole.to_string();
    let mut all: Vec<(String, String)> = field_mutants(whole, &retyped())
        .into_iter()
        .map(|(name, body)| (name, body.to_string()))
        .collect();
    all.extend(cuts(&text));
    all.extend(garbage(rng, &text));
    for pointer in ["", "/syspro", "/hubspot", "/settings", "/records/0"] {
        let mut more = whole.clone();
        if let Some(Value::Object(fields)) = more.pointer_mut(pointer) {
            fields.insert("surprise".to_owned(), json!([1]));
            all.push((format!("{pointer}/surprise"), more.to_string()));
        }
    }
    all
}

#[test]
fn a_connection_of_any_form_is_made_or_refused_in_words() {
    let mut rng = rng("connections");
    let site = Site::new(distributor(1));
    let whole = site.connection(json!({ "lookback_days": 3, "rate_share": 0.5,
        "currencies": { "STG": "GBP" }, "credit_notes": "record" }));
    let mut cases = 0;
    for (name, body) in bodies(&mut rng, &whole) {
        // Its name is taken: what is valid ends there, before both systems are asked.
        let made = site.ask("POST", "/connections", &body);
        assert_form(&made, &name);
        assert_silent(&made, &name);
        if made.status == 201 {
            let id = made.body["id"].as_str().unwrap_or_default();
            let gone = site.ask("DELETE", &format!("/connections/{id}"), "");
            assert_eq!(gone.status, 204, "{name}");
        }
        cases += 1;
    }
    eprintln!("connections: {cases} cases");
}

#[test]
fn a_patch_of_any_form_changes_or_is_refused_in_words() {
    let mut rng = rng("patches");
    let site = Site::new(distributor(1));
    let mut whole = site.connection(json!({ "lookback_days": 3, "credit_notes": "exclude" }));
    whole["paused"] = json!(true);
    // What stays valid would have both systems asked anew: the form is what is tried here.
    object(&whole);
    let mut cases = 0;
    for (name, body) in bodies(&mut rng, &whole) {
        let path = "/connections/acme";
        let changed = site.ask("PATCH", path, &body);
        assert_form(&changed, &name);
        assert_silent(&changed, &name);
        cases += 1;
    }
    let shown = site.ask("GET", "/connections/acme", "");
    assert_eq!(shown.status, 200, "{}", shown.body);
    eprintln!("patches: {cases} cases");
}

#[test]
fn a_replay_of_any_form_is_asked_or_refused_in_words() {
    let mut rng = rng("replays");
    let site = Site::new(distributor(1));
    let wholes = [
        json!({ "records": [{ "feed": "customers", "key": "EDU1/1" }, { "feed": "invoices", "key": "EDU1/1/2/I" }] }),
        json!({ "status": "failing", "preview": true }),
        json!({ "feed": "invoices", "since": "2026-03-01", "until": "2026-03-02T08:00:00Z", "preview": false }),
    ];
    let mut cases = 0;
    for whole in wholes {
        for (name, body) in bodies(&mut rng, &whole) {
            let asked = site.ask("POST", "/connections/acme/replay", &body);
            assert_form(&asked, &name);
            cases += 1;
            if asked.status == 202 && cases % 16 == 0 {
                // And whatever was taken can be done.
                site.next_tick();
                let run = asked.body["run"].as_str().unwrap_or_default();
                let run = site.ask("GET", &format!("/connections/acme/runs/{run}"), "");
                assert_eq!(run.body["state"], "green", "{name}: {}", run.body);
            }
        }
    }
    site.settle(5);
    super::assert_whole(&site, 1, "after all replays");
    eprintln!("replays: {cases} cases");
}
