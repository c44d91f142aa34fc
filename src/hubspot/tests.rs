use expect_test::{Expect, expect};

use super::*;

pub(crate) fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    let mut response = Response::new(body.as_bytes().to_vec());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response
}

pub(crate) fn api() -> Api {
    Api {
        url: "https://api.hubapi.com".into(),
        version: "2026-09".into(),
    }
}

/// A request as one would read it on the wire.
pub(crate) fn wire(request: &Request<String>) -> String {
    let body: Value = serde_json::from_str(request.body()).unwrap_or_default();
    format!("{} {}\n{body:#}\n", request.method(), request.uri())
}

fn check(status: u16, text: &str, expected: Expect) {
    expected.assert_eq(&format!("{:?}\n", body(&answer(status, text))));
}

const TEN_SECONDLY: &str = r#"{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT",
 "correlationId":"c033cdaa-2c40-4a64-ae48-b4cec88dad24","policyName":"TEN_SECONDLY_ROLLING",
 "groupName":"publicapi:private_app-api-calls-ten-secondly:1512050:26892217"}"#;
const SECONDLY: &str = r#"{"status":"error","message":"You have reached your secondly limit.","errorType":"RATE_LIMIT","correlationId":"…",
 "policyName":"SECONDLY","groupName":"publicapi:crm:search:oauth:…"}"#;
const SECONDLY_UNNAMED: &str = r#"{"status":"error","message":"You have reached your secondly limit.","correlationId":"…","category":"RATE_LIMITS"}"#;
const DAILY: &str = r#"{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","correlationId":"…",
 "policyName":"DAILY","requestId":"…"}"#;
const UNKNOWN_TOKEN: &str = r#"{"status":"error","message":"Authentication credentials not found.","correlationId":"…",
     "category":"INVALID_AUTHENTICATION"}"#;
const EXPIRED: &str = r#"{"status":"error","message":"The OAuth token used to make this call expired 0 second(s) ago.","correlationId":"…",
     "category":"EXPIRED_AUTHENTICATION","context":{"expire time":["2023-10-30T15:15:04.007Z"]}}"#;
const MISSING_SCOPES: &str = r#"{"status":"error","message":"This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
     "correlationId":"…","errors":[{"message":"One or more of the following scopes are required.",
     "context":{"requiredGranularScopes":["crm.objects.invoices.write"]}}],
     "links":{"scopes":"https://developers.hubspot.com/scopes"},"category":"MISSING_SCOPES"}"#;

#[test]
fn a_429_tells_which_limit_it_speaks_of() {
    let window = |text: &str| match body(&answer(429, text)) {
        Err(Fault::Throttled { window, .. }) => window,
        other => panic!("{other:?}"),
    };
    assert_eq!(window(TEN_SECONDLY), Window::TenSeconds);
    assert_eq!(window(SECONDLY), Window::Second);
    assert_eq!(window(SECONDLY_UNNAMED), Window::Second);
    assert_eq!(window(DAILY), Window::Day);
    assert_eq!(window("<html>slow down</html>"), Window::TenSeconds);
    assert_eq!(window(""), Window::TenSeconds);
}

#[test]
fn a_wait_is_read_where_one_is_asked_for() {
    let asked = |status, header: Option<&'static str>| {
        let mut response = answer(status, "");
        if let Some(value) = header {
            let value = header::HeaderValue::from_static(value);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        match body(&response) {
            Err(Fault::Throttled { retry_after, .. } | Fault::Moving { retry_after, .. }) => {
                retry_after.map(|wait| wait.as_secs())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(asked(429, Some("7")), Some(7));
    assert_eq!(asked(477, Some("3600")), Some(3600));
    assert_eq!(asked(429, None), None);
    assert_eq!(asked(429, Some("Wed, 21 Oct 2026 07:28:00 GMT")), None);
}

#[test]
fn each_status_is_the_fault_with_its_next_step() {
    check(
        401,
        EXPIRED,
        expect![[r#"
            Err(Expired { system: HubSpot })
        "#]],
    );
    check(
        401,
        UNKNOWN_TOKEN,
        expect![[r#"
            Err(Unauthorized { system: HubSpot })
        "#]],
    );
    check(
        403,
        MISSING_SCOPES,
        expect![[r#"
            Err(Forbidden { system: HubSpot, missing: ["crm.objects.invoices.write"] })
        "#]],
    );
    check(
        403,
        "<html>Just a moment…</html>",
        expect![[r#"
            Err(Forbidden { system: HubSpot, missing: [] })
        "#]],
    );
    check(
        423,
        r#"{"category":"LOCKED"}"#,
        expect![[r#"
            Err(Locked { system: HubSpot })
        "#]],
    );
    for status in [500, 502, 503, 504] {
        for text in ["", "<html><body>Bad gateway</body></html>", "{\"status\":"] {
            let what = Silence::Status(status);
            let system = System::HubSpot;
            assert_eq!(
                body(&answer(status, text)),
                Err(Fault::NoAnswer { system, what })
            );
        }
    }
    check(
        414,
        "",
        expect![[r#"
            Err(Refused { system: HubSpot, status: 414, refusal: Refusal { code: "REQUEST_TOO_LARGE", field: None, other_id: None, correlation_id: None } })
        "#]],
    );
    check(
        404,
        r#"{"status":"error","message":"resource not found","correlationId":"8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c"}"#,
        expect![[r#"
            Err(Refused { system: HubSpot, status: 404, refusal: Refusal { code: "OBJECT_NOT_FOUND", field: None, other_id: None, correlation_id: Some("8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c") } })
        "#]],
    );
}

#[test]
fn what_cannot_be_read_is_described_and_never_quoted() {
    check(
        200,
        "",
        expect![[r#"
        Ok(Null)
    "#]],
    );
    check(
        200,
        r#"{"results":[{"id":"1","properties":{"name":"Acme Secret Gmb"#,
        expect![[r#"
            Err(Unreadable { system: HubSpot, shape: "status 200, 59 bytes, begins like a JSON object: not JSON" })
        "#]],
    );
    check(
        200,
        "<html>Acme Secret GmbH</html>",
        expect![[r#"
            Err(Unreadable { system: HubSpot, shape: "status 200, 29 bytes, begins like HTML or XML: not JSON" })
        "#]],
    );
    check(
        400,
        "Acme Secret GmbH",
        expect![[r#"
            Err(Unreadable { system: HubSpot, shape: "status 400, 16 bytes, text: a refusal without a reason" })
        "#]],
    );
    check(
        302,
        "",
        expect![[r#"
            Err(Unreadable { system: HubSpot, shape: "status 302, 0 bytes, empty: neither an answer nor a refusal" })
        "#]],
    );
}

#[test]
fn a_base_url_that_does_not_parse_goes_nowhere() {
    let api = Api {
        url: "not a url".into(),
        version: "2026-09".into(),
    };
    assert_eq!(account::details(&api).uri().host(), None);
}
