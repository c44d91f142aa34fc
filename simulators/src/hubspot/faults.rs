//! Faults on a schedule: which request they meet, and what becomes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Reply;
use super::errors::Refusal;
use super::rates::{self, Policy};
use crate::{Request, Response};

/// Meets the requests whose method and path match: lets `after` of them pass, then strikes
/// `times`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A part of the path; empty matches all.
    #[serde(default)]
    pub matches: String,
    #[serde(default)]
    pub after: u64,
    #[serde(default = "once")]
    pub times: u64,
    pub fault: Fault,
}

fn once() -> u64 {
    1
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Answered without any effect.
    Refuse {
        status: u16,
        #[serde(default)]
        body: String,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// A 5xx with a web page for a body, without any effect.
    Html { status: u16 },
    /// Done, then answered with this 5xx all the same.
    DoneBut { status: u16 },
    /// The connection breaks; nothing was done.
    Drop,
    /// The connection breaks; it was done.
    LoseAnswer,
    /// The connection breaks now; it is done so much later.
    Late { ms: u64 },
    /// Done now, answered so much later.
    Delay { ms: u64 },
    /// The answer breaks off after so many bytes.
    Cut { bytes: usize },
    /// 423: another call holds the lock.
    Locked,
    /// 477: the portal is moving to another data centre.
    Moving { retry_after: u64 },
    /// 429, although the windows would have let it pass.
    Limit {
        limit: Limit,
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 401: the token has just expired.
    Expired,
}

/// Which limit a scheduled 429 names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    TenSecondly,
    Secondly,
    Terse,
    Daily,
}

/// What the caller of the simulator has to carry out.
#[derive(Debug)]
pub enum Exchange {
    Answer(Response),
    /// Answer after so many milliseconds.
    Delayed {
        ms: u64,
        response: Response,
    },
    /// Break the connection without an answer.
    Dropped {
        done: bool,
    },
    /// Break the connection now and call [`super::Portal::answer`] so much later.
    DroppedThenDone {
        late_ms: u64,
    },
    /// Send this beginning of an answer of `whole` bytes, then break the connection.
    Cut {
        response: Response,
        whole: usize,
    },
}

impl Fault {
    pub fn refuse(status: u16, body: impl Into<String>) -> Fault {
        Fault::Refuse {
            status,
            body: body.into(),
            headers: BTreeMap::new(),
        }
    }

    pub fn limit(limit: Limit) -> Fault {
        Fault::Limit {
            limit,
            retry_after: None,
        }
    }

    /// This fault for the next request that matches.
    pub fn once(self, matches: &str) -> Rule {
        self.times(1, matches)
    }

    pub fn times(self, times: u64, matches: &str) -> Rule {
        Rule {
            method: None,
            matches: matches.into(),
            after: 0,
            times,
            fault: self,
        }
    }

    /// The answer of a fault that has no effect; `None` for those that have one.
    pub(super) fn refusal(&self, portal_id: u64, now: crate::Millis) -> Option<Reply> {
        let mut reply = match self {
            Fault::Refuse {
                status,
                body,
                headers,
            } => return Some(custom(*status, body, headers)),
            Fault::Html { status } => return Some(page(*status)),
            Fault::Locked => Reply::refused(Refusal::new(
                423,
                "LOCKED",
                "Timed out trying to acquire unique value lock for PropertyValueCoordinates{}. The lock was being held.",
            )),
            Fault::Moving { .. } => Reply::refused(Refusal::bare(
                477,
                "This account is being migrated to another data center",
            )),
            Fault::Limit { limit, .. } => {
                let policy = match limit {
                    Limit::TenSecondly => Policy::TenSecondly,
                    Limit::Secondly => Policy::Secondly,
                    Limit::Terse => Policy::Terse,
                    Limit::Daily => Policy::Daily,
                };
                Reply::refused(rates::refusal(policy, portal_id))
            }
            Fault::Expired => Reply::refused(super::account::expired(now)),
            Fault::DoneBut { .. }
            | Fault::Drop
            | Fault::LoseAnswer
            | Fault::Late { .. }
            | Fault::Delay { .. }
            | Fault::Cut { .. } => return None,
        };
        let wait = match self {
            Fault::Moving { retry_after } => Some(*retry_after),
            Fault::Limit { retry_after, .. } => *retry_after,
            _ => None,
        };
        if let Some(wait) = wait {
            reply = reply.header("retry-after", wait.to_string());
        }
        Some(reply)
    }
}

fn custom(status: u16, body: &str, headers: &BTreeMap<String, String>) -> Reply {
    let mut reply = Reply::raw(status, body.as_bytes().to_vec());
    for (name, value) in headers {
        reply = reply.header(name.clone(), value.clone());
    }
    reply
}

/// The web page a proxy answers with.
pub(super) fn page(status: u16) -> Reply {
    let body = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
    );
    let headers = BTreeMap::from([("content-type".into(), "text/html".into())]);
    custom(status, &body, &headers)
}

/// The rules under way, each with how often it was met.
#[derive(Default)]
pub struct Schedule {
    rules: Vec<(Rule, u64)>,
}

impl Schedule {
    pub fn add(&mut self, rule: Rule) {
        self.rules.push((rule, 0));
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The first rule that strikes; every rule that matches counts the request.
    pub fn draw(&mut self, request: &Request) -> Option<Fault> {
        let mut struck = None;
        for (rule, met) in &mut self.rules {
            let method = rule.method.as_deref();
            let matches = method.is_none_or(|m| m.eq_ignore_ascii_case(request.method().as_str()))
                && request.uri().path().contains(&rule.matches);
            if !matches || struck.is_some() {
                continue;
            }
            *met += 1;
            if *met > rule.after {
                struck = Some(rule.fault.clone());
            }
        }
        self.rules
            .retain(|(rule, met)| *met < rule.after.saturating_add(rule.times));
        struck
    }
}
