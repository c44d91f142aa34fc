//! HTTP to the Worker, every wait bounded.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// One exchange; nothing where the connection broke or time ran out.
pub fn ask(
    method: &str,
    url: &str,
    token: Option<&str>,
    body: &str,
    within: Duration,
) -> Option<Answer> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(within))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(body.to_owned()).expect("a request");
    let mut response = agent.run(request).ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    Some(Answer {
        status: response.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    })
}
