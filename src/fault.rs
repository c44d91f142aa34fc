//! What can go wrong with a *system*, one variant for each next step.
//!
//! What is wrong with one *record* is not a fault: it is data (a [`Reason`] in the ledger).

mod words;

use std::time::Duration;

use http::Response;
use serde::{Deserialize, Serialize};

use crate::platform::NoAnswer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Odata,
    Enet,
    HubSpot,
}

/// Which limit a 429 speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    TenSeconds,
    Second,
    Day,
    /// What we allow ourselves of the day, spent before HubSpot said no.
    Share,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Nothing readable came back: a broken connection, a timeout, a 5xx. A write may have happened.
    NoAnswer { system: System, what: Silence },
    /// 429.
    Throttled {
        system: System,
        window: Window,
        retry_after: Option<Duration>,
    },
    /// 423: records are locked by another write for some two seconds.
    Locked { system: System },
    /// 477: the portal is moving; nothing works until then.
    Moving {
        system: System,
        retry_after: Option<Duration>,
    },
    /// 401.
    Unauthorized { system: System },
    /// 401 for credentials that once were good.
    Expired { system: System },
    /// 403, with the scopes it names.
    Forbidden {
        system: System,
        missing: Vec<String>,
    },
    /// The request as a whole was understood and refused.
    Refused {
        system: System,
        status: u16,
        refusal: Box<Refusal>,
    },
    /// e.net does not know our session any more: log on again, once.
    SessionEnded,
    /// An answer came that is not what the interface promises; its shape, never its content.
    Unreadable { system: System, shape: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    Network(NoAnswer),
    Status(u16),
}

impl Fault {
    /// Whose fault it is.
    pub fn system(&self) -> System {
        match self {
            Fault::NoAnswer { system, .. }
            | Fault::Throttled { system, .. }
            | Fault::Locked { system }
            | Fault::Moving { system, .. }
            | Fault::Unauthorized { system }
            | Fault::Expired { system }
            | Fault::Forbidden { system, .. }
            | Fault::Refused { system, .. }
            | Fault::Unreadable { system, .. } => *system,
            Fault::SessionEnded => System::Enet,
        }
    }

    /// It says no to all that is asked: nothing gets through until somebody mends it.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Fault::Unauthorized { .. } | Fault::Expired { .. } | Fault::Unreadable { .. }
        )
    }
}

impl Silence {
    /// What a status means that says no more than "not now". Those from 520 on are Cloudflare's own,
    /// made where a Worker's call leaves its network, and tell what it met on its way.
    pub fn of(response: &Response<Vec<u8>>) -> Self {
        let says = |code: &[u8]| response.body().windows(code.len()).any(|part| part == code);
        Silence::Network(match response.status().as_u16() {
            521 | 523 => NoAnswer::Refused,
            522 | 524 => NoAnswer::TimedOut,
            525 | 526 => NoAnswer::BadCertificate,
            530 if says(b"1016") => NoAnswer::NoSuchHost,
            // A tunnel without a connector.
            530 if says(b"1033") => NoAnswer::Refused,
            status => return Silence::Status(status),
        })
    }
}

/// What a system said against one record or one request, without any value of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The system's own code (`INVALID_EMAIL`), or our name for what it says in a sentence, or its
    /// category.
    pub code: String,
    /// The property it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The record that is in the way, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    /// To quote to the vendor's support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

impl Refusal {
    pub fn coded(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            ..Self::default()
        }
    }
}

/// Why a record has the fate it has, in words a person can act on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, for programs and for counting: `unknown_currency`, `customer_missing`.
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Reason {
    pub fn new(code: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            field: None,
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }

    /// It left SYSPRO, and HubSpot is told nothing of it.
    pub fn gone() -> Self {
        Self::new(
            "gone",
            "It is gone from SYSPRO, cannot be sent again.",
            "Nothing is to be done: HubSpot keeps what it was last sent, if anything.",
        )
    }

    pub fn on(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

#[cfg(test)]
mod tests;
