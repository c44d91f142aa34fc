//! What can go wrong with a *system*, one variant for each next step.
//!
//! What is wrong with one *record* is not a fault: it is data (a [`Reason`] in the ledger).

use std::{fmt, time::Duration};

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
    /// An answer came that is not what the interface promises; its shape, never its content.
    Unreadable { system: System, shape: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    Network(NoAnswer),
    Status(u16),
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

    pub fn on(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Odata => "SYSPRO OData",
            System::Enet => "SYSPRO e.net",
            System::HubSpot => "HubSpot",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoAnswer { system, what } => match what {
                Silence::Network(NoAnswer::TimedOut) => {
                    write!(f, "{system} did not answer in time")
                }
                Silence::Network(NoAnswer::Broken) => write!(f, "the connection to {system} broke"),
                Silence::Network(NoAnswer::TooLong) => {
                    write!(f, "{system} answered with more than is read at once")
                }
                Silence::Status(status) => write!(f, "{system} answered with status {status}"),
            },
            Fault::Throttled { system, window, .. } => match window {
                Window::Day => write!(f, "{system} takes no more calls today"),
                Window::Share => write!(f, "our share of {system}'s calls for today is spent"),
                Window::TenSeconds | Window::Second => {
                    write!(f, "{system} asks for fewer calls")
                }
            },
            Fault::Locked { system } => write!(f, "{system} has locked records for another write"),
            Fault::Moving { system, .. } => {
                write!(f, "{system} is moving the account to another data centre")
            }
            Fault::Unauthorized { system } => write!(f, "{system} does not accept the credentials"),
            Fault::Forbidden { system, missing } if missing.is_empty() => {
                write!(f, "{system} forbids the call")
            }
            Fault::Forbidden { system, missing } => {
                write!(
                    f,
                    "{system} forbids the call; missing: {}",
                    missing.join(", ")
                )
            }
            Fault::Refused {
                system,
                status,
                refusal,
            } => write!(f, "{system} refused the request ({status} {refusal})"),
            Fault::Unreadable { system, shape } => {
                write!(f, "{system} sent an answer that cannot be read ({shape})")
            }
        }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if let Some(field) = &self.field {
            write!(f, " on {field}")?;
        }
        if let Some(id) = &self.correlation_id {
            write!(f, ", correlation id {id}")?;
        }
        Ok(())
    }
}

impl Fault {
    /// What happened, as a sentence for people.
    pub fn sentence(&self) -> String {
        let text = self.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(char::to_uppercase);
        let first = first.into_iter().flatten();
        first.chain(letters).chain(['.']).collect()
    }

    /// What the operator does about it, in one sentence.
    pub fn remedy(&self) -> String {
        let nothing = "Nothing to do: it is tried again by itself";
        match self {
            Fault::NoAnswer { system, what } => match what {
                Silence::Network(NoAnswer::TooLong) => {
                    "Report it: a page of this table is larger than the Worker's memory allows.".to_owned()
                }
                _ => format!("{nothing}; if it lasts, {}.", reach(*system)),
            },
            Fault::Throttled { system: System::Odata | System::Enet, .. } => {
                format!("{nothing}; if it comes back, ask who limits the calls to SYSPRO.")
            }
            Fault::Throttled { window, .. } => match window {
                Window::Share => format!("{nothing} after midnight in the portal's time zone; raise `daily_share` if the portal's other apps leave room."),
                Window::Day => format!("{nothing} after midnight in the portal's time zone; if it comes back daily, lower `daily_share` or that of your other apps."),
                Window::TenSeconds | Window::Second => format!("{nothing}; if it comes back, lower `rate_share` or that of your other apps."),
            },
            Fault::Locked { .. } => format!("{nothing} within seconds."),
            Fault::Moving { .. } => format!("{nothing} when the move is over, within a day."),
            Fault::Unauthorized { system } => credentials(*system).to_owned(),
            Fault::Forbidden { system: System::HubSpot, missing } if missing.is_empty() => {
                "Give the HubSpot token the scopes listed in the README.".to_owned()
            }
            Fault::Forbidden { system: System::HubSpot, missing } => {
                format!("Give the HubSpot token these scopes: {}.", missing.join(", "))
            }
            Fault::Forbidden { system, .. } => {
                format!("Let the {system} user read the tables the connection names.")
            }
            Fault::Refused { system: System::HubSpot, .. } => {
                "Look for the named property and its rules in the HubSpot portal, or ask HubSpot's support with the correlation id.".to_owned()
            }
            Fault::Refused { system, .. } => {
                format!("Compare what the {system} server publishes with the README's list of tables and columns.")
            }
            Fault::Unreadable { system, .. } => {
                format!("Look for a proxy, firewall or login page in front of {system}, and {}.", reach(*system))
            }
        }
    }
}

fn reach(system: System) -> &'static str {
    match system {
        System::Odata => {
            "see that the SYSPRO OData server runs and that its URL is reached from Cloudflare"
        }
        System::Enet => {
            "see that the SYSPRO e.net service runs and that its URL is reached from Cloudflare"
        }
        System::HubSpot => "look at status.hubspot.com",
    }
}

fn credentials(system: System) -> &'static str {
    match system {
        System::Odata => {
            "PATCH the connection with a new `syspro.odata_password` (and `syspro.odata_username`)."
        }
        System::Enet => {
            "PATCH the connection with a new `syspro.operator_password` (and `syspro.company_password`)."
        }
        System::HubSpot => {
            "Make a new service key in HubSpot and PATCH the connection with it as `hubspot.token`."
        }
    }
}

#[cfg(test)]
mod tests;
