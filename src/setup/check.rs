//! One thing that was looked at, and what the person at the keyboard does about it.

use serde::{Deserialize, Serialize};

use crate::{fault::Fault, send::Halt};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable, and begins with its system: `odata_ArCustomer`, `hubspot_token`.
    pub name: String,
    pub ok: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// The sync runs without it; `why` says what is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

impl Check {
    pub fn passed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ok: true,
            why: String::new(),
            remedy: String::new(),
            optional: false,
        }
    }

    pub fn failed(name: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            ok: false,
            why: why.into(),
            remedy: remedy.into(),
            optional: false,
        }
    }

    pub fn halted(name: &str, halt: &Halt) -> Self {
        match halt {
            // Nothing tries a connection again that never was complete.
            Halt::Fault(fault @ Fault::NoAnswer { system, .. }) => Self::failed(
                name,
                fault.sentence(),
                format!(
                    "See that {system} is up, that its URL is right and that Cloudflare reaches it; then PATCH the connection with {{}} to have it looked at again."
                ),
            ),
            Halt::Fault(fault) => Self::failed(name, fault.sentence(), fault.remedy()),
            Halt::Spent(bound) => Self::failed(
                name,
                format!("It could not be made in the time there is ({bound})."),
                "Try again.",
            ),
            Halt::Store(_) => Self::failed(name, "The database did not answer.", "Try again."),
        }
    }
}
