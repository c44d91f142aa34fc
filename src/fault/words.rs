//! Faults in words: what happened, and what the operator does about it.
//!
//! They name systems, fields of the connection and codes; never a value of a record, a secret or a
//! sentence of the other side, which may quote both.

use std::fmt;

use super::{Fault, Refusal, Silence, System, Window};
use crate::platform::NoAnswer;

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Odata => "SYSPRO OData",
            System::Enet => "SYSPRO e.net",
            System::HubSpot => "HubSpot",
        })
    }
}

impl System {
    /// The field of a connection that says where it is.
    fn address(self) -> &'static str {
        match self {
            System::Odata => "`syspro.odata_url`",
            System::Enet => "`syspro.enet_url`",
            System::HubSpot => "`hubspot.api_url`",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoAnswer { system, what } => silence(f, *system, *what),
            Fault::Throttled { system, window, .. } => match window {
                Window::Day => write!(f, "{system} takes no more calls today"),
                Window::Share => write!(f, "our share of {system}'s calls for today is spent"),
                Window::TenSeconds | Window::Second => write!(f, "{system} asks for fewer calls"),
            },
            Fault::Locked { system } => write!(f, "{system} has locked records for another write"),
            Fault::Moving { system, .. } => {
                write!(f, "{system} is moving the account to another data centre")
            }
            Fault::Unauthorized {
                system: System::HubSpot,
            } => f.write_str("HubSpot does not know the token"),
            Fault::Unauthorized { system } => {
                write!(f, "{system} does not accept the operator and password")
            }
            Fault::Expired { system } => write!(f, "the token for {system} has expired"),
            Fault::Forbidden {
                system: System::HubSpot,
                missing,
            } => match missing.as_slice() {
                [] => f.write_str("HubSpot forbids this to the token"),
                [scope] => write!(f, "the HubSpot token lacks the scope {scope}"),
                scopes => write!(
                    f,
                    "the HubSpot token lacks the scopes {}",
                    scopes.join(", ")
                ),
            },
            Fault::Forbidden { system, .. } => write!(f, "{system} forbids this to the operator"),
            Fault::Refused {
                system,
                status,
                refusal,
            } => {
                write!(f, "{system} refused the request ({status} {refusal})")
            }
            Fault::SessionEnded => write!(f, "{} ended the session under way", System::Enet),
            Fault::Unreadable { system, shape } => {
                write!(f, "{system} sent an answer that cannot be read ({shape})")
            }
        }
    }
}

fn silence(f: &mut fmt::Formatter<'_>, system: System, what: Silence) -> fmt::Result {
    let address = system.address();
    let what = match what {
        Silence::Status(status) => {
            return write!(f, "{system} failed with the server error {status}");
        }
        Silence::Network(what) => what,
    };
    match what {
        NoAnswer::TimedOut => write!(f, "{system} did not answer in time"),
        NoAnswer::Broken => write!(f, "the connection to {system} was refused or broke"),
        NoAnswer::Refused => {
            write!(
                f,
                "nothing takes connections at the host and port of {address}"
            )
        }
        NoAnswer::NoSuchHost => write!(f, "the host name in {address} is not found"),
        NoAnswer::BadCertificate => {
            write!(f, "the certificate of the server in {address} is not valid")
        }
        NoAnswer::Unreached => write!(
            f,
            "the host name in {address} is not found, or the certificate of its server is not valid"
        ),
        NoAnswer::TooLong => write!(f, "{system} answered with more than is read at once"),
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
        format!("{}.", capital(&self.to_string()))
    }

    /// What the operator does about it, in one sentence. What passes by itself is tried again.
    pub fn remedy(&self) -> String {
        let nothing = "Nothing to do: it is tried again by itself";
        match self {
            Fault::NoAnswer {
                what: Silence::Network(NoAnswer::TooLong),
                ..
            }
            | Fault::Unauthorized { .. }
            | Fault::Expired { .. }
            | Fault::Forbidden { .. }
            | Fault::Refused { .. }
            | Fault::Unreadable { .. } => format!("{}.", capital(&self.cure())),
            Fault::SessionEnded => format!("{nothing}; if it comes back, {}.", self.cure()),
            Fault::NoAnswer { .. } => format!("{nothing}; if it lasts, {}.", self.cure()),
            Fault::Throttled {
                system: System::HubSpot,
                window: Window::Day | Window::Share,
                ..
            } => {
                format!(
                    "{nothing} after midnight in the portal's time zone; if it comes back daily, {}.",
                    self.cure()
                )
            }
            Fault::Throttled { .. } => format!("{nothing}; if it comes back, {}.", self.cure()),
            Fault::Locked { .. } => format!("{nothing} within seconds."),
            Fault::Moving { .. } => format!("{nothing} when the move is over, within a day."),
        }
    }

    /// What whoever stands in front of it does before `next`.
    pub fn at_once(&self, next: &str) -> String {
        let first = match self {
            Fault::Throttled {
                window: Window::Day | Window::Share,
                ..
            } => "wait until midnight in the portal's time zone".to_owned(),
            Fault::Throttled { .. } => "wait half a minute".to_owned(),
            _ => self.cure(),
        };
        format!("{}; then {next}.", capital(&first))
    }

    /// What helps: the rest of a sentence.
    fn cure(&self) -> String {
        match self {
            Fault::NoAnswer { system, what } => reach(*system, *what),
            Fault::Throttled { system: System::Odata | System::Enet, .. } => {
                "ask the SYSPRO administrator who limits the calls to the server".to_owned()
            }
            Fault::Throttled { window: Window::Share, .. } => {
                "raise `settings.daily_share`, where the portal's other apps leave room".to_owned()
            }
            Fault::Throttled { window: Window::Day, .. } => {
                "lower `settings.daily_share`, or what the portal's other apps use".to_owned()
            }
            Fault::Throttled { .. } => {
                "lower `settings.rate_share`, or what the portal's other apps use".to_owned()
            }
            Fault::Locked { .. } => "wait some seconds".to_owned(),
            Fault::Moving { .. } => "wait until the move is over, within a day".to_owned(),
            Fault::Unauthorized { system } => credentials(*system).to_owned(),
            Fault::Expired { .. } => "copy the current token in HubSpot (Settings, Integrations, Service keys), and PATCH the connection with it as `hubspot.token`; the access token of an OAuth app lives half an hour only and is of no use here".to_owned(),
            Fault::Forbidden { system: System::HubSpot, missing } => scopes(missing),
            Fault::Forbidden { system, .. } => format!(
                "ask the SYSPRO administrator to let the operator use {system} and the tables the README lists, and see that `syspro.headers` holds the service token where Cloudflare Access stands before it"
            ),
            Fault::Refused { system: System::HubSpot, .. } => "look for the named property and its rules in HubSpot (Settings, Properties), or ask HubSpot's support with the correlation id".to_owned(),
            Fault::Refused { system, .. } => format!(
                "compare what the {system} server publishes with the README's list of tables and columns"
            ),
            Fault::SessionEnded => {
                "see that nobody else signs in to SYSPRO with `syspro.operator`".to_owned()
            }
            Fault::Unreadable { system: System::HubSpot, .. } => {
                "see that `hubspot.api_url` is right, and look at status.hubspot.com".to_owned()
            }
            Fault::Unreadable { system, .. } => format!(
                "see that {} leads to {system} itself, and that no proxy, firewall or login page answers in its place",
                system.address()
            ),
        }
    }
}

/// What brings a silent system back.
fn reach(system: System, what: Silence) -> String {
    let address = system.address();
    let what = match (system, what) {
        (_, Silence::Network(NoAnswer::TooLong)) => {
            return "report it: a page of this table is larger than the Worker's memory allows"
                .to_owned();
        }
        (System::HubSpot, Silence::Network(NoAnswer::TimedOut) | Silence::Status(_)) => {
            return "look at status.hubspot.com".to_owned();
        }
        (System::HubSpot, _) => {
            return format!("see that {address} is right, and look at status.hubspot.com");
        }
        (_, Silence::Status(_)) => {
            return format!(
                "ask the SYSPRO administrator to look into the log of the {system} service"
            );
        }
        (_, Silence::Network(what)) => what,
    };
    let name = format!(
        "correct the host name in {address}, or have it published in the public DNS: names of your own network are not seen from Cloudflare"
    );
    let certificate = "have a certificate installed on the server that a public authority issued for this host name, with its whole chain";
    match what {
        NoAnswer::NoSuchHost => name,
        NoAnswer::BadCertificate => certificate.to_owned(),
        NoAnswer::Unreached => format!("{name}; or {certificate}"),
        NoAnswer::TimedOut => format!(
            "see that the {system} service runs and is not overloaded, and that no firewall drops what comes from Cloudflare"
        ),
        NoAnswer::Refused | NoAnswer::Broken | NoAnswer::TooLong => format!(
            "see that the {system} service runs, that the port in {address} is right, and that a firewall or a stopped tunnel does not keep Cloudflare out"
        ),
    }
}

fn scopes(missing: &[String]) -> String {
    let which = match missing {
        [] => "the scopes listed in the README".to_owned(),
        [scope] => format!("the scope {scope}"),
        scopes => format!("the scopes {}", scopes.join(", ")),
    };
    format!("give the token {which} in HubSpot (Settings, Integrations, Service keys)")
}

fn credentials(system: System) -> &'static str {
    match system {
        System::Odata => {
            "PATCH the connection with the right `syspro.odata_username` and `syspro.odata_password`; or, if these are right and the operator was made after SYSPRO's OData service was started, have that service restarted"
        }
        System::Enet => {
            "PATCH the connection with the right `syspro.operator`, `syspro.operator_password` and `syspro.company_password`"
        }
        System::HubSpot => {
            "make a service key in HubSpot (Settings, Integrations, Service keys), and PATCH the connection with it as `hubspot.token`"
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
