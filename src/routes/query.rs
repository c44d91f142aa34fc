//! The query string of the lists.

use chrono::{DateTime, NaiveTime};
use url::form_urlencoded;

use super::ApiError;
use crate::{connection::Problem, day, platform::Millis, store::ledger::Fate};

/// What a list may be asked for; each route takes some of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub since: Option<Millis>,
    pub feed: Option<String>,
    pub key: Option<String>,
    pub status: Option<Fate>,
    /// Part of a key.
    pub q: Option<String>,
    /// The code of a reason.
    pub reason: Option<String>,
    /// Where the page before ended; opaque to the caller.
    pub cursor: Option<String>,
    pub limit: u32,
}

const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 200;

impl Query {
    /// Reads the parameters `taken` by the route.
    ///
    /// # Errors
    /// Everything that is wrong with them, an unknown name included.
    pub fn parse(query: Option<&str>, taken: &[&str]) -> Result<Self, ApiError> {
        let mut read = Self {
            since: None,
            feed: None,
            key: None,
            status: None,
            q: None,
            reason: None,
            cursor: None,
            limit: LIMIT,
        };
        let mut problems = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let set = if taken.contains(&name.as_ref()) {
                read.set(&name, &value)
            } else {
                let remedy = match taken {
                    [] => "It takes none.".to_owned(),
                    _ => format!("It takes {}.", taken.join(", ")),
                };
                Err(("is not a parameter of this route", remedy))
            };
            if let Err((reason, remedy)) = set {
                problems.push(Problem {
                    path: name.into_owned(),
                    reason: reason.to_owned(),
                    remedy,
                });
            }
        }
        if problems.is_empty() {
            Ok(read)
        } else {
            Err(ApiError::invalid(&problems))
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), (&'static str, String)> {
        let wrong = |reason, remedy: &str| Err((reason, remedy.to_owned()));
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match name {
            "feed" => self.feed = text(),
            "key" => self.key = text(),
            "q" => self.q = text(),
            "reason" => self.reason = text(),
            "cursor" => self.cursor = text(),
            "since" => match moment(value) {
                Some(since) => self.since = Some(since),
                None => {
                    return wrong(
                        "is not a moment",
                        "Write 2026-01-31 or 2026-01-31T09:00:00Z.",
                    );
                }
            },
            "status" => match fate(value) {
                Some(fate) => self.status = Some(fate),
                None => {
                    return wrong(
                        "is not a status",
                        "Use waiting, synced, failing or excluded.",
                    );
                }
            },
            "limit" => match value.parse() {
                Ok(limit @ 1..=LIMIT_MAX) => self.limit = limit,
                _ => {
                    return wrong(
                        "is not a whole number from 1 to 200",
                        "Leave it out for 50.",
                    );
                }
            },
            _ => return wrong("is not a parameter", "Remove it."),
        }
        Ok(())
    }
}

/// RFC 3339, or a day that begins at midnight UTC.
fn moment(text: &str) -> Option<Millis> {
    // A `+` that was not encoded arrives as a blank.
    let moment = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
    let day = || day::parse(text);
    moment
        .map(|moment| moment.timestamp_millis())
        .ok()
        .or_else(|| Some(day()?.and_time(NaiveTime::MIN).and_utc().timestamp_millis()))
}

fn fate(text: &str) -> Option<Fate> {
    Some(match text {
        "waiting" => Fate::Waiting,
        "synced" => Fate::Synced,
        "failing" => Fate::Failing,
        "excluded" => Fate::Excluded,
        _ => return None,
    })
}
