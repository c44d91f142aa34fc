//! Replay: send again, whole, what is in SYSPRO now: one record, everything failing, or a window of
//! last writes. The rows are marked under the lease at the start of a run, so that no delivery under
//! way can take the mark off again; the same run reads them by key and sends them.

use chrono::DateTime;
use serde::Deserialize;

use crate::{
    connection::Problem,
    day,
    feeds::FEEDS,
    platform::{DAY, Millis},
    store::{records::Selection, runs::Asked},
};

/// Records named in one call.
const MAX_RECORDS: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    records: Option<Vec<Named>>,
    status: Option<String>,
    feed: Option<String>,
    since: Option<String>,
    until: Option<String>,
    #[serde(default)]
    preview: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    feed: String,
    key: String,
}

/// What a replay asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    pub selection: Selection,
    /// Only count.
    pub preview: bool,
}

impl Replay {
    /// Reads a request's body.
    ///
    /// # Errors
    /// Every problem, with its path.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let body: Body = serde_json::from_str(text).map_err(|error| {
            vec![problem(
                "body",
                // serde's own words would repeat what was sent.
                format!("is no replay from line {}, column {} on", error.line(), error.column()),
                r#"Send {"records":[{"feed","key"}]}, {"status":"failing"} or {"since":"2026-11-01"}."#,
            )]
        })?;
        let preview = body.preview;
        selection_of(body).map(|selection| Self { selection, preview })
    }
}

/// What a stored request selects; it was checked when it was asked.
pub fn selection(asked: &Asked) -> Option<Selection> {
    let body: Body = serde_json::from_str(&asked.asked).ok()?;
    selection_of(body).ok()
}

fn selection_of(body: Body) -> Result<Selection, Vec<Problem>> {
    let Body {
        records,
        status,
        feed,
        since,
        until,
        ..
    } = body;
    match (records, status, since) {
        (Some(records), None, None) if feed.is_none() && until.is_none() => named(records),
        (None, Some(status), None) if feed.is_none() && until.is_none() => match status.as_str() {
            "failing" => Ok(Selection::Failing),
            _ => Err(vec![problem(
                "status",
                "is not failing, the one status that can be replayed".to_owned(),
                r#"Send {"status":"failing"}, or a window with "since"."#,
            )]),
        },
        (None, None, Some(since)) => window(feed, &since, until.as_deref()),
        _ => Err(vec![problem(
            "body",
            "does not name exactly one of records, status and since".to_owned(),
            r#"Send {"records":[…]}, {"status":"failing"} or {"since":…}; "feed" and "until" go with "since"."#,
        )]),
    }
}

fn named(records: Vec<Named>) -> Result<Selection, Vec<Problem>> {
    if records.is_empty() || records.len() > MAX_RECORDS {
        return Err(vec![problem(
            "records",
            format!("holds {} records", records.len()),
            "Name 1 to 1,000 records, or use a window.",
        )]);
    }
    let problems: Vec<Problem> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| !is_feed(&record.feed))
        .map(|(at, record)| unknown_feed(&format!("records[{at}].feed"), &record.feed))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let pairs = records.into_iter().map(|record| (record.feed, record.key));
    Ok(Selection::Records(pairs.collect()))
}

fn window(
    feed: Option<String>,
    since: &str,
    until: Option<&str>,
) -> Result<Selection, Vec<Problem>> {
    let mut problems = Vec::new();
    if let Some(feed) = feed.as_deref().filter(|feed| !is_feed(feed)) {
        problems.push(unknown_feed("feed", feed));
    }
    let mut instant = |path: &str, text: &str, day_ends: bool| {
        let read = instant(text, day_ends);
        if read.is_none() {
            problems.push(problem(
                path,
                "is neither a date nor a time".to_owned(),
                "Write 2026-11-01 or 2026-11-01T08:00:00Z.",
            ));
        }
        read.unwrap_or_default()
    };
    let since = instant("since", since, false);
    let until = until.map_or(Millis::MAX >> 11, |until| instant("until", until, true));
    if problems.is_empty() && until <= since {
        problems.push(problem(
            "until",
            "is not after since".to_owned(),
            "Give a later until, or leave it out for now.",
        ));
    }
    if problems.is_empty() {
        Ok(Selection::Window { feed, since, until })
    } else {
        Err(problems)
    }
}

/// A day means from its beginning, as an end to its end (UTC).
pub fn instant(text: &str, day_ends: bool) -> Option<Millis> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let day = day::parse(text)?;
    let start = day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
    Some(if day_ends { start + DAY } else { start })
}

pub fn is_feed(name: &str) -> bool {
    FEEDS.iter().any(|feed| feed.name == name)
}

fn unknown_feed(path: &str, feed: &str) -> Problem {
    let names: Vec<&str> = FEEDS.iter().map(|feed| feed.name).collect();
    problem(
        path,
        format!("is {feed:?}, which is no feed"),
        &format!("Use one of {}.", names.join(", ")),
    )
}

fn problem(path: &str, reason: String, remedy: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        reason,
        remedy: remedy.to_owned(),
    }
}
