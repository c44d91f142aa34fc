use expect_test::{Expect, expect};
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};

use super::*;

#[test]
fn a_path_names_a_route() {
    let record = |key: &str| {
        Some(Route::Record {
            connection: "acme".to_owned(),
            feed: "invoices".to_owned(),
            key: key.to_owned(),
        })
    };
    let id = || "acme".to_owned();
    for (path, route) in [
        ("/health", Some(Route::Health)),
        ("/connections", Some(Route::Connections)),
        ("/connections/acme", Some(Route::Connection(id()))),
        ("/connections/acme/sync", Some(Route::Sync(id()))),
        ("/connections/acme/replay", Some(Route::Replay(id()))),
        ("/connections/acme/preview", Some(Route::Preview(id()))),
        ("/connections/acme/links", Some(Route::Links(id()))),
        ("/connections/acme/runs", Some(Route::Runs(id()))),
        (
            "/connections/acme/runs/r%201",
            Some(Route::Run(id(), "r 1".to_owned())),
        ),
        ("/connections/acme/records", Some(Route::Records(id()))),
        ("/connections/acme/audit", Some(Route::Audit(id()))),
        (
            "/connections/acme/records/invoices/EDU1%2F0001%2FI",
            record("EDU1/0001/I"),
        ),
        (
            "/connections/acme/records/invoices/EDU1/0001/I",
            record("EDU1/0001/I"),
        ),
        (
            "/connections/acme/records/invoices/EDU1%2FA%252FB",
            record("EDU1/A%2FB"),
        ),
        ("/connections/acme/records/invoices", None),
        ("/connections/acme/records/invoices/", None),
        ("/connections/", None),
        ("/connections//sync", None),
        ("/connections/acme/sync/now", None),
        ("/connections/acme/links/now", None),
        ("/connections/acme~preview", None),
        ("/connections/acme%7Epreview/audit", None),
        ("/connections/%ff", None),
        ("/Health", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(Route::find(path), route, "{path}");
    }
}

fn show(response: &http::Response<String>) -> String {
    let headers: Vec<String> = [ALLOW, WWW_AUTHENTICATE, CONTENT_TYPE]
        .iter()
        .filter_map(|name| {
            Some(format!(
                "{name}: {}",
                response.headers().get(name)?.to_str().ok()?
            ))
        })
        .collect();
    format!(
        "{} {}\n{}",
        response.status().as_u16(),
        headers.join("; "),
        response.body()
    )
}

#[test]
fn what_is_not_there_says_so() {
    let check = |method: Method, path: &str, expected: Expect| {
        let error = Route::parse(&method, path).expect_err(path);
        expected.assert_eq(&show(&error.into_response()));
    };
    check(
        Method::GET,
        "/nothing",
        expect![[r#"
        404 content-type: application/json; charset=utf-8
        {"error":{"code":"not_found","message":"There is no such route.","remedy":"Check the path."}}"#]],
    );
    check(
        Method::PUT,
        "/connections/acme",
        expect![[r#"
        405 allow: GET, PATCH, DELETE; content-type: application/json; charset=utf-8
        {"error":{"code":"method_not_allowed","message":"The route does not have this method.","remedy":"Use GET, PATCH, DELETE."}}"#]],
    );
    check(
        Method::GET,
        "/connections/acme/sync",
        expect![[r#"
        405 allow: POST; content-type: application/json; charset=utf-8
        {"error":{"code":"method_not_allowed","message":"The route does not have this method.","remedy":"Use POST."}}"#]],
    );
}

#[test]
fn only_the_token_opens() {
    let config = Config::read(|name| match name {
        "ADMIN_TOKEN" => Some("hunter2-hunter2".to_owned()),
        "MASTER_KEY" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
        _ => None,
    })
    .expect("it is set up");
    let opens = |value: Option<&str>| {
        let mut headers = http::HeaderMap::new();
        if let Some(value) = value {
            headers.insert(AUTHORIZATION, value.parse().expect("a header"));
        }
        authorize(&config, &headers).is_ok()
    };
    for (value, expected) in [
        (Some("Bearer hunter2-hunter2"), true),
        (Some("bearer  hunter2-hunter2"), true),
        (Some("Bearer hunter2-hunter"), false),
        (Some("Bearer hunter2-hunter22"), false),
        (Some("Bearer "), false),
        (Some("Bearer"), false),
        (Some("hunter2-hunter2"), false),
        (Some("Basic hunter2-hunter2"), false),
        (Some("Bearer Bearer hunter2-hunter2"), false),
        (None, false),
    ] {
        assert_eq!(opens(value), expected, "{value:?}");
    }
    expect![[r#"
        401 www-authenticate: Bearer; content-type: application/json; charset=utf-8
        {"error":{"code":"unauthorized","message":"The admin token is missing or wrong.","remedy":"Send the header `Authorization: Bearer <ADMIN_TOKEN>`."}}"#]].assert_eq(&show(&ApiError::unauthorized().into_response()));
}

#[test]
fn a_deployment_that_is_not_set_up_says_what_lacks() {
    let problems = Config::read(|_| None).expect_err("nothing is set");
    expect![[r#"
        500 content-type: application/json; charset=utf-8
        {"error":{"code":"misconfigured","details":["ADMIN_TOKEN missing: wrangler secret put ADMIN_TOKEN","MASTER_KEY missing: openssl rand -base64 32 | wrangler secret put MASTER_KEY"],"message":"The deployment is not set up.","remedy":"Set what `details` names and deploy again."}}"#]].assert_eq(&show(&ApiError::misconfigured(&problems).into_response()));
}

#[test]
fn a_query_is_read_or_refused_as_a_whole() {
    let taken = ["since", "feed", "key", "status", "q", "cursor", "limit"];
    let check = |query: &str, expected: Expect| {
        let text = match Query::parse(Some(query), &taken) {
            Ok(query) => format!("{query:?}"),
            Err(error) => show(&error.into_response()),
        };
        expected.assert_eq(&text);
    };
    check(
        "",
        expect![
            "Query { since: None, feed: None, key: None, status: None, q: None, reason: None, cursor: None, limit: 50 }"
        ],
    );
    check(
        "since=2026-01-31&feed=invoices&status=failing&q=a%20b+c&cursor=x&limit=200&key=EDU1%2F1",
        expect![[
            r#"Query { since: Some(1769817600000), feed: Some("invoices"), key: Some("EDU1/1"), status: Some(Failing), q: Some("a b c"), reason: None, cursor: Some("x"), limit: 200 }"#
        ]],
    );
    check(
        "since=2026-01-31T09:00:00%2B02:00",
        expect![
            "Query { since: Some(1769842800000), feed: None, key: None, status: None, q: None, reason: None, cursor: None, limit: 50 }"
        ],
    );
    check(
        "since=2026-01-31T09:00:00+02:00",
        expect![
            "Query { since: Some(1769842800000), feed: None, key: None, status: None, q: None, reason: None, cursor: None, limit: 50 }"
        ],
    );
    check(
        "since=yesterday&status=ok&limit=0&page=2",
        expect![[r#"
        400 content-type: application/json; charset=utf-8
        {"error":{"code":"invalid","details":[{"path":"since","reason":"is not a moment","remedy":"Write 2026-01-31 or 2026-01-31T09:00:00Z."},{"path":"status","reason":"is not a status","remedy":"Use waiting, synced, failing or excluded."},{"path":"limit","reason":"is not a whole number from 1 to 200","remedy":"Leave it out for 50."},{"path":"page","reason":"is not a parameter of this route","remedy":"It takes since, feed, key, status, q, cursor, limit."}],"message":"4 things are wrong.","remedy":"Correct what `details` names and send it again."}}"#]],
    );
    check(
        "limit=201",
        expect![[r#"
        400 content-type: application/json; charset=utf-8
        {"error":{"code":"invalid","details":[{"path":"limit","reason":"is not a whole number from 1 to 200","remedy":"Leave it out for 50."}],"message":"limit is not a whole number from 1 to 200.","remedy":"Correct what `details` names and send it again."}}"#]],
    );
    assert!(Query::parse(Some("q=x"), &["limit"]).is_err());
    assert!(Query::parse(None, &[]).is_ok());
}
