//! One thing that was looked at, and what the person at the keyboard does about it.

use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, System},
    send::Halt,
};

/// How to have it looked at again once something was mended elsewhere: the rest of a sentence. Nothing
/// looks again by itself at a connection that never was complete.
pub const AGAIN: &str = "ask for the checks again (POST /connections/{id}/checks)";

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
    /// Nothing answered, or it was not looked at: it speaks neither for nor against the connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// Its system says no to everything: what a run would strike on. Known only of what was looked at
    /// just now.
    #[serde(skip)]
    pub stops: bool,
}

impl Check {
    pub fn passed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ok: true,
            why: String::new(),
            remedy: String::new(),
            optional: false,
            unknown: false,
            stops: false,
        }
    }

    pub fn failed(name: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            ok: false,
            why: why.into(),
            remedy: remedy.into(),
            ..Self::passed(name)
        }
    }

    /// The one way to say that something could not be looked at. `because` is the rest of a sentence
    /// without its full stop: "the server did not let us in".
    pub fn not_looked_at(name: &str, because: &str, remedy: impl Into<String>) -> Self {
        Self {
            unknown: true,
            ..Self::failed(name, format!("Not looked at: {because}."), remedy)
        }
    }

    /// What cannot be looked at before another check, which failed, is mended.
    pub fn waits_for(name: &str, other: &str) -> Self {
        let because = format!("it needs {other}, which is not right yet");
        Self::not_looked_at(name, &because, format!("Mend {other} first."))
    }

    pub fn no_database(name: &str) -> Self {
        let later = format!("Wait a minute; then {AGAIN}.");
        Self::not_looked_at(name, "the database did not answer", later)
    }

    pub fn halted(name: &str, halt: &Halt) -> Self {
        match halt {
            Halt::Fault(fault) => Self::faulty(name, fault),
            Halt::Spent(_) => Self::not_looked_at(
                name,
                "the time that all checks have together was over",
                format!("If its system is only slow now, {AGAIN}."),
            ),
            Halt::Store(_) => Self::no_database(name),
        }
    }

    fn faulty(name: &str, fault: &Fault) -> Self {
        let passes = match fault {
            Fault::NoAnswer { .. }
            | Fault::Throttled { .. }
            | Fault::Locked { .. }
            | Fault::Moving { .. }
            | Fault::SessionEnded => true,
            Fault::Unauthorized { .. }
            | Fault::Expired { .. }
            | Fault::Forbidden { .. }
            | Fault::Refused { .. }
            | Fault::Unreadable { .. } => false,
        };
        // What is given anew by PATCH is tested by it.
        let patched = matches!(
            fault,
            Fault::Unauthorized {
                system: System::HubSpot | System::Enet
            } | Fault::Expired { .. }
        );
        let remedy = match patched {
            true => fault.remedy(),
            false => fault.at_once(AGAIN),
        };
        Self {
            unknown: passes,
            stops: fault.is_final(),
            ..Self::failed(name, fault.sentence(), remedy)
        }
    }
}
