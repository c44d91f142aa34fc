//! Replay: send again, whole, what is in SYSPRO now: one record, everything failing, or a window of
//! last writes. The rows are marked under the lease at the start of a run, so that no delivery under
//! way can take the mark off again; the same run reads them by key and sends them.

use chrono::DateTime;

use crate::{
    connection::{
        Problem,
        reader::{self, Rule},
    },
    day,
    feeds::FEEDS,
    platform::{DAY, Millis},
    store::{records::Selection, runs::Asked},
};

/// Records named in one call.
const MAX_RECORDS: usize = 1_000;

struct Body {
    records: Option<Vec<(String, String)>>,
    status: Option<String>,
    feed: Option<String>,
    since: Option<String>,
    until: Option<String>,
    preview: bool,
}

const FORM: &str =
    r#"Send {"records":[{"feed","key"}]}, {"status":"failing"} or {"since":"2026-11-01"}."#;

const TEXT: Rule = Rule {
    holds: |text| !text.is_empty(),
    reason: "is empty",
    remedy: FORM,
};

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
        let body = body(text)?;
        let preview = body.preview;
        selection_of(body).map(|selection| Self { selection, preview })
    }
}

/// What a stored request selects; it was checked when it was asked.
pub fn selection(asked: &Asked) -> Option<Selection> {
    selection_of(body(&asked.asked).ok()?).ok()
}

fn body(text: &str) -> Result<Body, Vec<Problem>> {
    reader::body(text, |fields| Body {
        records: fields.objects("records", MAX_RECORDS, |record| {
            (record.text("feed", &TEXT), record.text("key", &TEXT))
        }),
        status: fields.text_if_any("status", &TEXT),
        feed: fields.text_if_any("feed", &TEXT),
        since: fields.text_if_any("since", &TEXT),
        until: fields.text_if_any("until", &TEXT),
        preview: fields.flag("preview"),
    })
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
            _ => Err(vec![Problem::new(
                "status",
                "is not failing, the one status that can be replayed".to_owned(),
                r#"Send {"status":"failing"}, or a window with "since"."#,
            )]),
        },
        (None, None, Some(since)) => window(feed, &since, until.as_deref()),
        _ => Err(vec![Problem::new(
            "body",
            "does not name exactly one of records, status and since".to_owned(),
            format!(r#"{FORM} "feed" and "until" go with "since"."#),
        )]),
    }
}

fn named(records: Vec<(String, String)>) -> Result<Selection, Vec<Problem>> {
    let unknown = records.iter().enumerate();
    let unknown = unknown.filter(|(_, (feed, _))| !is_feed(feed));
    let problems: Vec<Problem> = unknown
        .map(|(at, (feed, _))| unknown_feed(&format!("records[{at}].feed"), feed))
        .collect();
    match problems.is_empty() {
        true => Ok(Selection::Records(records)),
        false => Err(problems),
    }
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
            problems.push(Problem::new(
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
        problems.push(Problem::new(
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
    Problem::new(
        path,
        format!("is {feed:?}, which is no feed"),
        format!("Use one of {}.", names.join(", ")),
    )
}
