//! The world of one invocation, as one trait: what the Worker can ask for and nothing more.
//!
//! Everything above this file is written against [`Platform`]; the edge implements it on
//! Cloudflare, the tests implement it on a simulated world. It neither retries nor judges.

use std::time::Duration;

use serde_json::Value;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

// No `Send`: a Worker has one thread.
#[allow(async_fn_in_trait)]
pub trait Platform {
    /// One exchange; redirects are not followed.
    ///
    /// # Errors
    /// [`NoAnswer`] never means "did not happen": the other side may have done it, or may yet.
    async fn fetch(
        &self,
        request: &http::Request<String>,
        allow: Allow,
    ) -> Result<http::Response<Vec<u8>>, NoAnswer>;

    /// One D1 transaction: the statements in order, all or nothing; the rows of each as objects.
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Value>>, StoreError>;

    async fn sleep(&self, duration: Duration);

    fn now(&self) -> Millis;

    /// Fills `bytes` from a source fit for keys and nonces.
    fn random(&self, bytes: &mut [u8]);

    fn log(&self, line: &str);
}

/// How much of an answer is waited for and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow {
    pub within: Duration,
    pub max_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    TimedOut,
    /// Before the answer was whole; perhaps before anything was sent.
    Broken,
    /// Nothing takes connections there.
    Refused,
    NoSuchHost,
    BadCertificate,
    /// One of the two before, or worse: the platform does not say.
    Unreached,
    /// The body went past `max_bytes` and was cancelled.
    TooLong,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The lease is no longer ours: nothing of the batch was done.
    Overtaken,
    /// D1 said no: nothing of the batch was done.
    Refused(String),
    /// No answer: it may have been done.
    Unknown,
}

/// One SQL statement and what is bound to `?1`, `?2`, …
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub sql: &'static str,
    pub args: Vec<Arg>,
}

/// What D1 binds without changing it. A number becomes a REAL there, so integers beyond 2^53 and
/// anything that must stay text travel as [`Arg::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Null,
    Number(i64),
    Text(String),
}

impl Statement {
    pub fn new(sql: &'static str, args: impl IntoIterator<Item = Arg>) -> Self {
        Self {
            sql,
            args: args.into_iter().collect(),
        }
    }
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Arg::Number(value)
    }
}

impl From<String> for Arg {
    fn from(value: String) -> Self {
        Arg::Text(value)
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Arg::Text(value.to_owned())
    }
}

impl<T: Into<Arg>> From<Option<T>> for Arg {
    fn from(value: Option<T>) -> Self {
        value.map_or(Arg::Null, Into::into)
    }
}
