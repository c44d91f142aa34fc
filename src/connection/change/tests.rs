use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;
use crate::connection::{
    Settings,
    tests::{full, lines, parse},
};

fn merge(patch: &Value) -> Result<Changed, Rejected> {
    let connection = parse(&full()).expect("it is valid");
    connection.merge(&patch.to_string(), &Guard::default())
}

#[test]
fn a_patch_changes_what_it_names() {
    let touched = |patch: Value| merge(&patch).map(|changed| (changed.touched, changed.paused));
    let none = Touched::default();
    for (patch, expected) in [
        (json!({}), (none, None)),
        (json!({ "paused": true }), (none, Some(true))),
        (
            json!({ "id": "acme", "syspro": { "company": "EDU1" } }),
            (none, None),
        ),
        (
            json!({ "name": "Acme" }),
            (Touched { name: true, ..none }, None),
        ),
        (
            json!({ "hubspot": { "token": "pat-new" } }),
            (
                Touched {
                    hubspot: true,
                    ..none
                },
                None,
            ),
        ),
        (
            json!({ "syspro": { "odata_password": "new" } }),
            (
                Touched {
                    odata: true,
                    ..none
                },
                None,
            ),
        ),
        (
            json!({ "settings": { "history_days": null } }),
            (
                Touched {
                    settings: true,
                    ..none
                },
                None,
            ),
        ),
        (json!({ "settings": { "history_days": 30 } }), (none, None)),
        (
            json!({ "syspro": { "operator_password": "new" } }),
            (Touched { enet: true, ..none }, None),
        ),
        (
            json!({ "syspro": { "local_currency": "CHF" }, "settings": { "date_style": "v3" } }),
            (
                Touched {
                    odata: true,
                    hubspot: true,
                    settings: true,
                    ..none
                },
                None,
            ),
        ),
    ] {
        assert_eq!(touched(patch.clone()), Ok(expected), "{patch}");
    }
    // What a GET shows can be sent back.
    let shown = parse(&full()).expect("it is valid").public_json();
    assert_eq!(touched(shown), Ok((none, None)));
}

#[test]
fn a_patch_keeps_the_secrets_it_does_not_name() {
    let before = parse(&full()).expect("it is valid").secrets();
    let after = |patch: Value| merge(&patch).expect("it is valid").connection;
    assert_eq!(
        after(json!({ "name": "x", "hubspot": { "token": "set" } })).secrets(),
        before
    );
    let renewed = after(json!({ "syspro": { "headers": { "cf-access-CLIENT-id": "new" } } }));
    assert_eq!(
        renewed
            .secrets()
            .get("syspro.headers.cf-access-client-id")
            .map(|it| it.expose()),
        Some("new")
    );
    assert_eq!(renewed.secrets().len(), before.len());
    let fewer = after(json!({ "syspro": { "enet_url": null, "headers": null }, "settings": null }));
    assert!(fewer.syspro.enet.is_none() && fewer.syspro.headers.is_empty());
    assert_eq!(fewer.settings, Settings::default());
    let more = after(json!({ "settings": { "currencies": { "E": "EUR", "CA": null } } }));
    assert_eq!(json!(more.settings.currencies), json!({ "E": "EUR" }));
}

#[test]
fn secrets_do_not_follow_a_url_to_another_server() {
    let check = |patch: Value, expected: Expect| {
        let text = match merge(&patch) {
            Ok(_) => "taken".to_owned(),
            Err(Rejected::Problems(problems)) => lines(&problems),
            Err(Rejected::Conflict(problems)) => format!("409 {}", lines(&problems)),
        };
        expected.assert_eq(&text);
    };
    let elsewhere = "https://other.example/odata";
    check(
        json!({ "syspro": { "odata_url": "https://erp.acme.example/elsewhere" } }),
        expect!["taken"],
    );
    check(
        json!({ "syspro": { "odata_url": elsewhere } }),
        expect![[r#"
            syspro.headers.cf-access-client-id must be given again, because a URL of its system leads to another server. Send it in the same request as the URL.
            syspro.headers.cf-access-client-secret must be given again, because a URL of its system leads to another server. Send it in the same request as the URL.
            syspro.odata_password must be given again, because a URL of its system leads to another server. Send it in the same request as the URL."#]],
    );
    check(
        json!({ "syspro": { "odata_url": elsewhere, "odata_password": "set" } }),
        expect![[r#"
            syspro.headers.cf-access-client-id must be given again, because a URL of its system leads to another server. Send it in the same request as the URL.
            syspro.headers.cf-access-client-secret must be given again, because a URL of its system leads to another server. Send it in the same request as the URL.
            syspro.odata_password must be given again, because a URL of its system leads to another server. Send it in the same request as the URL."#]],
    );
    check(
        json!({ "syspro": { "odata_url": elsewhere, "odata_password": "hunter2-odata",
            "headers": { "CF-Access-Client-Id": "a", "CF-Access-Client-Secret": null } } }),
        expect!["taken"],
    );
    check(
        json!({ "syspro": { "enet_url": "https://erp.acme.example:31003/" } }),
        expect![[r#"
            syspro.headers.cf-access-client-id must be given again, because a URL of its system leads to another server. Send it in the same request as the URL.
            syspro.headers.cf-access-client-secret must be given again, because a URL of its system leads to another server. Send it in the same request as the URL.
            syspro.operator_password must be given again, because a URL of its system leads to another server. Send it in the same request as the URL."#]],
    );
    check(
        json!({ "syspro": { "enet_url": "https://erp.acme.example/rest" } }),
        expect![
            "syspro.operator_password must be given again, because a URL of its system leads to another server. Send it in the same request as the URL."
        ],
    );
    check(
        json!({ "hubspot": { "api_url": "https://api.hubspot.com" } }),
        expect![
            "hubspot.token must be given again, because a URL of its system leads to another server. Send it in the same request as the URL."
        ],
    );
    check(
        json!({ "hubspot": { "api_url": "https://api.hubspot.com", "token": "pat-na1-x" } }),
        expect!["taken"],
    );
    check(
        json!({ "id": "b", "syspro": { "company": "EDU2" }, "hubspot": { "prefix": "x_" } }),
        expect![[r#"
            409 id is fixed for the life of a connection. Make a new connection.
            syspro.company is fixed for the life of a connection. Make a new connection.
            hubspot.prefix is fixed for the life of a connection. Make a new connection."#]],
    );
    check(
        json!({ "paused": "yes", "sysprp": {}, "syspro": { "company": null } }),
        expect![[r#"
            paused is neither true nor false. Send {"paused": true} or {"paused": false}.
            syspro.company is missing. Use the id operators choose at log-on, such as EDU1.
            sysprp is not a field of this object. Remove it, or correct its spelling."#]],
    );
}
