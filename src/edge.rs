//! Cloudflare: the platform as Workers give it, and the events that wake us. The only file that
//! says `worker`.

mod cost;
mod queue;

use std::{pin::pin, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use serde_json::{Value, json};
use worker::{
    AbortController, AbortSignal, ByteStream, Context, D1Database, Date, Delay, Env, Fetch,
    Headers, Method, Request, RequestInit, RequestRedirect, Response, ResponseBody,
    js_sys::{self, Array, Function, JSON, Promise, Reflect},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
};

use self::cost::Cost;
use crate::{
    config::Config,
    platform::{Allow, Arg, Millis, NoAnswer, Platform, Statement, StoreError},
    routes::{self, ApiError, MAX_BODY},
    store::OVERTAKEN,
    tick, typed,
};

struct Edge {
    database: D1Database,
    cost: Cost,
}

#[worker::event(start)]
fn start() {
    // A panic's words may hold a value; where it happened may not.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        log(&json!({ "event": "panic", "at": at }).to_string());
    }));
}

#[worker::event(fetch)]
async fn fetch(mut request: Request, env: Env, _: Context) -> worker::Result<Response> {
    let mut answer = match set_up(&env) {
        Err(problems) => ApiError::misconfigured(&problems).into_response(),
        Ok((edge, config)) => match read(&mut request).await {
            Err(error) => error.into_response(),
            Ok(request) => routes::respond(&edge, &config, request).await,
        },
    };
    if let (Some(turns), Some(queue)) = (answer.extensions_mut().remove(), queue::of(&env)) {
        // Where it does not go out, cron finds what was asked for.
        queue.send(&[turns]).await;
    }
    let (parts, body) = answer.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.set(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let body = match body.is_empty() {
        true => ResponseBody::Empty,
        false => ResponseBody::Body(body.into_bytes()),
    };
    Ok(Response::from_body(body)?
        .with_status(parts.status.as_u16())
        .with_headers(headers))
}

#[worker::event(scheduled)]
async fn scheduled(_: worker::ScheduledEvent, env: Env, _: worker::ScheduleContext) {
    // What is missing was logged; there is no one to answer.
    let Ok((edge, config)) = set_up(&env) else {
        return;
    };
    let sent = match queue::of(&env) {
        Some(queue) => queue.send(&tick::turns(&edge, &config).await).await,
        None => false,
    };
    if !sent {
        tick::tick(&edge, &config).await;
    }
    log(&edge.cost.of("tick"));
}

/// What the deployment holds, or everything it lacks; which is logged, for cron has no one to tell.
fn set_up(env: &Env) -> Result<(Edge, Config), Vec<String>> {
    let config = Config::read(|name| variable(env, name));
    let database = env.d1("DB").map_err(|_| {
        "D1 binding DB missing: wrangler d1 create, then [[d1_databases]] in wrangler.toml"
            .to_owned()
    });
    let problems = match (config, database) {
        (Ok(config), Ok(database)) => {
            let cost = Cost::default();
            return Ok((Edge { database, cost }, config));
        }
        (config, database) => {
            let mut problems = config.err().unwrap_or_default();
            problems.extend(database.err());
            problems
        }
    };
    log(&json!({ "event": "misconfigured", "problems": problems }).to_string());
    Err(problems)
}

/// A secret or a `[vars]` entry, which may be written there as a number or a switch.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &name.into()).ok()?;
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok()?.as_string())
}

async fn read(request: &mut Request) -> Result<http::Request<String>, ApiError> {
    let mut read = http::Request::builder()
        .method(request.method().as_ref())
        .uri(request.inner().url());
    for (name, value) in request.headers() {
        read = read.header(name, value);
    }
    let body = match request.inner().body() {
        None => Vec::new(),
        Some(_) => {
            let mut stream = request.stream().map_err(|_| ApiError::unreadable())?;
            match whole(&mut stream, MAX_BODY).await {
                Ok(body) => body,
                Err(NoAnswer::TooLong) => {
                    // Left unread, it would break the caller's connection before the answer.
                    while let Some(Ok(_)) = stream.next().await {}
                    return Err(ApiError::too_large());
                }
                Err(_) => return Err(ApiError::unreadable()),
            }
        }
    };
    let body = String::from_utf8(body).map_err(|_| ApiError::unreadable())?;
    read.body(body).map_err(|_| ApiError::unreadable())
}

impl Platform for Edge {
    async fn fetch(
        &self,
        request: &http::Request<String>,
        allow: Allow,
    ) -> Result<http::Response<Vec<u8>>, NoAnswer> {
        let abort = AbortController::default();
        let signal = abort.signal();
        let exchange = pin!(exchange(request, &signal, allow.max_bytes));
        let answer = match select(exchange, pin!(Delay::from(allow.within))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(NoAnswer::TimedOut),
        };
        if answer.is_err() {
            abort.abort();
        }
        answer
    }

    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Value>>, StoreError> {
        if statements.is_empty() {
            return Ok(Vec::new()); // D1 calls it an error.
        }
        run(self, statements).await.map_err(|error| {
            let text = message(&error);
            let judged = judge(&text);
            if judged == StoreError::Unknown {
                log(&json!({ "event": "d1_unanswered", "error": text }).to_string());
            }
            judged
        })
    }

    async fn sleep(&self, duration: Duration) {
        Delay::from(duration).await;
    }

    fn now(&self) -> Millis {
        Millis::try_from(Date::now().as_millis()).unwrap_or(Millis::MAX)
    }

    fn random(&self, bytes: &mut [u8]) {
        // cannot fail: Workers have Web Crypto; and going on without would reuse nonces.
        getrandom::getrandom(bytes).expect("Workers have a source of randomness");
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

fn log(line: &str) {
    worker::console_log!("{line}");
}

async fn exchange(
    request: &http::Request<String>,
    signal: &AbortSignal,
    max_bytes: usize,
) -> Result<http::Response<Vec<u8>>, NoAnswer> {
    let request = outbound(request).map_err(|_| NoAnswer::Broken)?;
    let answer = Fetch::Request(request).send_with_signal(signal).await;
    let mut answer = answer.map_err(|error| unanswered(&error.to_string()))?;
    let mut response = http::Response::builder().status(answer.status_code());
    for (name, value) in answer.headers() {
        // `set-cookie` and its like may hold what a header of ours may not: not needed.
        if http::HeaderValue::from_str(&value).is_ok() {
            response = response.header(name, value);
        }
    }
    let body = match answer.body() {
        ResponseBody::Empty => Vec::new(),
        ResponseBody::Body(bytes) => bytes.clone(),
        ResponseBody::Stream(_) => {
            let mut stream = answer.stream().map_err(|_| NoAnswer::Broken)?;
            whole(&mut stream, max_bytes).await?
        }
    };
    response.body(body).map_err(|_| NoAnswer::Broken)
}

/// What workerd throws from `fetch`, tried with workerd 2026-04-26 against each cause: a port nobody
/// listens on and a server that hangs up are "Network connection lost."; a name that is not found, a
/// certificate that is self-signed or another host's and a port without TLS are all "internal error;
/// reference = …". On Cloudflare's network these come as statuses instead, see `Silence::of`.
fn unanswered(text: &str) -> NoAnswer {
    match text.contains("internal error") {
        true => NoAnswer::Unreached,
        false => NoAnswer::Broken,
    }
}

fn outbound(request: &http::Request<String>) -> worker::Result<Request> {
    let headers = Headers::new();
    for (name, value) in request.headers() {
        let value = value.to_str().map_err(|_| worker::Error::BadEncoding)?;
        headers.append(name.as_str(), value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::from(request.method().as_str().to_owned()))
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual);
    if !request.body().is_empty() {
        init.with_body(Some(JsValue::from_str(request.body())));
    }
    Request::new_with_init(&request.uri().to_string(), &init)
}

/// The body up to `max_bytes`; dropping the stream cancels the rest.
async fn whole(stream: &mut ByteStream, max_bytes: usize) -> Result<Vec<u8>, NoAnswer> {
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| NoAnswer::Broken)?;
        if body.len() + chunk.len() > max_bytes {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// One D1 batch. Its rows cross from JavaScript once, as JSON text: value by value is far slower,
/// and a whole number stays one.
async fn run(edge: &Edge, statements: &[Statement]) -> Result<Vec<Vec<Value>>, JsValue> {
    let prepared = Array::new();
    for statement in statements {
        let args: Vec<JsValue> = statement.args.iter().map(bound).collect();
        let bound = edge.database.prepare(statement.sql).bind(&args)?;
        prepared.push(bound.inner().as_ref());
    }
    let database: &JsValue = edge.database.as_ref();
    let batch: Function = Reflect::get(database, &"batch".into())?.dyn_into()?;
    let promise: Promise = batch.call1(database, &prepared)?.dyn_into()?;
    let answers = JsFuture::from(promise).await?;
    let text = String::from(JSON::stringify(&answers)?);
    let other_form = || JsValue::from_str("D1 answered in another form");
    let Ok(Value::Array(answers)) = typed::parse(text.as_bytes()) else {
        return Err(other_form());
    };
    let rows = |mut answer: Value| {
        edge.cost.add(&answer["meta"]);
        match answer.get_mut("results").map(Value::take) {
            None => Ok(Vec::new()),
            Some(Value::Array(rows)) => Ok(rows),
            Some(_) => Err(other_form()),
        }
    };
    answers.into_iter().map(rows).collect()
}

/// D1 takes every number as a float and refuses a BigInt.
fn bound(arg: &Arg) -> JsValue {
    match arg {
        Arg::Null => JsValue::NULL,
        Arg::Number(number) => JsValue::from_f64(*number as f64),
        Arg::Text(text) => JsValue::from_str(text),
    }
}

fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_default(),
    }
}

/// What D1's words mean for what was asked: only SQLite's own refusal, or one of D1's client before
/// anything was sent, tells that nothing happened. They name tables and columns; a value is cut off.
fn judge(text: &str) -> StoreError {
    if text.contains(OVERTAKEN) {
        StoreError::Overtaken
    } else if text.contains("SQLITE_") || text.contains("D1_TYPE_ERROR") {
        let words = text.split(" for value").next().unwrap_or_default();
        StoreError::Refused(words.chars().take(300).collect())
    } else {
        StoreError::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_reached_is_told_from_what_broke() {
        for (text, expected) in [
            ("Error: Network connection lost.", NoAnswer::Broken),
            (
                "Error: internal error; reference = erok88uvo3v1o7o9j77jmkdh",
                NoAnswer::Unreached,
            ),
            ("The operation was aborted", NoAnswer::Broken),
        ] {
            assert_eq!(unanswered(text), expected, "{text}");
        }
    }

    #[test]
    fn only_a_refusal_means_that_nothing_was_done() {
        let refused = |text: &str| StoreError::Refused(text.to_owned());
        for (text, expected) in [
            (
                "D1_ERROR: NOT NULL constraint failed: lease.until: SQLITE_CONSTRAINT",
                StoreError::Overtaken,
            ),
            (
                "D1_ERROR: NOT NULL constraint failed: ledger.key: SQLITE_CONSTRAINT",
                refused("D1_ERROR: NOT NULL constraint failed: ledger.key: SQLITE_CONSTRAINT"),
            ),
            (
                "D1_ERROR: too many SQL variables at offset 9: SQLITE_ERROR",
                refused("D1_ERROR: too many SQL variables at offset 9: SQLITE_ERROR"),
            ),
            (
                "D1_TYPE_ERROR: Type 'bigint' not supported for value '1'",
                refused("D1_TYPE_ERROR: Type 'bigint' not supported"),
            ),
            ("D1_ERROR: Network connection lost.", StoreError::Unknown),
            (
                "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
                StoreError::Unknown,
            ),
            (
                "D1_ERROR: Internal error in D1 DB storage caused object to be reset.",
                StoreError::Unknown,
            ),
            ("D1 answered in another form", StoreError::Unknown),
            ("", StoreError::Unknown),
        ] {
            assert_eq!(judge(text), expected, "{text}");
        }
    }
}
