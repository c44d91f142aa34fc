//! Setting a connection up: asks its systems whether they can be worked with, and makes the
//! properties in HubSpot that the sync writes. Repeated, it changes nothing.
//!
//! Somebody waits for the answer, so the systems are asked side by side and each question once; what
//! does not answer in time is said to be so.

mod check;
mod conflict;
mod deployment;
mod enet;
mod kinds;
mod odata;
mod portal;
mod provision;

use std::time::Duration;

use futures_util::future::try_join3;

use crate::{
    config::{Bounds, Config},
    connection::Connection,
    fault::Reason,
    hubspot::account::Account,
    platform::Platform,
    send::Sender,
    store::connections::State,
    syspro::{odata::Dialect, session::Refused},
};

pub use check::Check;
pub use conflict::Conflict;

/// How long the systems may take, so that with the database's part ten seconds are kept.
const PATIENCE: Duration = Duration::from_secs(9);

/// The systems to be looked at. The name of a check begins with its system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub odata: bool,
    pub enet: bool,
    pub hubspot: bool,
}

impl Look {
    pub const AT_ALL: Look = Look {
        odata: true,
        enet: true,
        hubspot: true,
    };

    /// What is in either.
    pub fn or(self, other: Look) -> Look {
        Look {
            odata: self.odata || other.odata,
            enet: self.enet || other.enet,
            hubspot: self.hubspot || other.hubspot,
        }
    }

    /// The others.
    pub fn rest(self) -> Look {
        Look {
            odata: !self.odata,
            enet: !self.enet,
            hubspot: !self.hubspot,
        }
    }

    /// Each of its systems alone.
    fn each(self) -> impl Iterator<Item = Look> {
        let Look {
            odata,
            enet,
            hubspot,
        } = self;
        let nothing = Look::default();
        let each = [
            Look { odata, ..nothing },
            Look { enet, ..nothing },
            Look { hubspot, ..nothing },
        ];
        each.into_iter().filter(move |one| *one != nothing)
    }

    fn is_of(self, check: &Check) -> bool {
        let of = |system: &str| check.name.starts_with(system);
        self.odata && of("odata_") || self.enet && of("enet_") || self.hubspot && of("hubspot_")
    }
}

/// What is known of a connection's systems.
#[derive(Clone, Debug, Default)]
pub struct SetUp {
    /// The portal's id, which is the connection's for life; blank until it is known.
    pub portal: String,
    /// What is known of it.
    pub account: Option<Account>,
    pub dialect: Option<Dialect>,
    /// A log-on to e.net that was refused just now.
    pub refused: Option<Refused>,
    pub checks: Vec<Check>,
}

impl SetUp {
    /// The systems not known to be right.
    pub fn doubtful(&self) -> Look {
        let doubted = Look::AT_ALL.each().filter(|one| !self.is_right(*one));
        doubted.fold(Look::default(), Look::or)
    }

    fn is_right(&self, system: Look) -> bool {
        let mut checks = self.checks.iter().filter(|check| system.is_of(check));
        let known = checks.clone().next().is_some() && (!system.hubspot || self.account.is_some());
        known && checks.all(|check| check.ok || check.optional)
    }

    /// What was found out of systems that did not change. Where one was right before and does not
    /// answer now, it is taken to be right still: runs wait it out. What it said no to stands.
    pub fn bearing_with(mut self, unchanged: Look, before: &SetUp) -> SetUp {
        for system in unchanged.each().filter(|one| before.is_right(*one)) {
            let mut failed = self.checks.iter().filter(|it| system.is_of(it) && !it.ok);
            let said_no = failed.any(|check| !check.unknown);
            // What is optional may only wait for what said no.
            let silent = |it: &Check| system.is_of(it) && it.unknown && !(said_no && it.optional);
            if !self.checks.iter().any(silent) {
                continue;
            }
            self.checks.retain(|check| !silent(check));
            let told = |name: &str| self.checks.iter().any(|check| check.name == name);
            let kept = before.checks.iter();
            let kept = kept.filter(|check| system.is_of(check) && !told(&check.name));
            let kept: Vec<Check> = kept.cloned().collect();
            self.checks.extend(kept);
        }
        self
    }

    /// What the checks make of a connection's state.
    ///
    /// What is paused stays so, and what is all right runs. A connection that never was right waits
    /// until it is. One that was is stopped only by what stops runs: `broken`, so that it is tried
    /// hourly and goes on by itself. Whatever else is not right, runs wait out or go on with.
    pub fn state(&self, before: State) -> State {
        match before {
            State::Paused => State::Paused,
            _ if self.complete() => State::Active,
            State::Active if self.wrong().any(|check| check.stops) => State::Broken,
            before => before,
        }
    }

    /// What a change makes of a connection's state. The systems it touched must be seen to work; what
    /// is wrong with the others is judged as if nobody had changed anything.
    pub fn state_changed(&self, before: State, touched: Look) -> State {
        let by_others = self.wrong().all(|check| !touched.is_of(check));
        match before {
            State::Active | State::Broken if by_others => self.state(before),
            _ if self.complete() => State::Active,
            _ => State::Incomplete,
        }
    }

    /// What keeps the connection from being right.
    fn wrong(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| !check.ok && !check.optional)
    }

    /// The gravest of it.
    pub fn gravest(&self) -> Option<&Check> {
        self.wrong().min_by_key(|it| (!it.stops, it.unknown))
    }

    /// Whether records map to the same with what is known of the portal now.
    pub fn maps_as(&self, before: &SetUp) -> bool {
        match (&self.account, &before.account) {
            (Some(now), Some(before)) => now.maps_as(before),
            (now, before) => now.is_none() && before.is_none(),
        }
    }

    /// What can be said of a connection whose secrets do not open.
    pub fn shut(mut self, reason: &Reason) -> Self {
        self.checks.retain(|check| !deployment::is_of(check));
        for check in &mut self.checks {
            *check = Check {
                optional: check.optional,
                ..Check::waits_for(&check.name, deployment::MASTER_KEY)
            };
        }
        self.checks.push(Check::failed(
            deployment::MASTER_KEY,
            &reason.reason,
            &reason.remedy,
        ));
        self
    }

    /// Whether the sync can run.
    pub fn complete(&self) -> bool {
        self.account.is_some() && self.wrong().next().is_none()
    }
}

/// Tests the systems and provisions the portal. What `known` says of the others stays.
///
/// # Errors
/// The portal that the token opens cannot be this connection's; nothing was made in it.
pub async fn set_up<P: Platform>(
    platform: &P,
    config: &Config,
    connection: &Connection,
    look: Look,
    mut known: SetUp,
) -> Result<SetUp, Conflict> {
    let bounds = Bounds {
        run_for: PATIENCE,
        ..config.bounds
    };
    let sender = Sender::new(platform, connection, None, None, bounds);
    let odata = async {
        match look.odata {
            true => Ok(Some(odata::look(&sender, connection).await)),
            false => Ok(None),
        }
    };
    let before = &known;
    let portal = async {
        match look.hubspot {
            true => portal::look(platform, &sender, connection, before)
                .await
                .map(Some),
            false => Ok(None),
        }
    };
    let line = async {
        Ok(match look.enet {
            true => enet::look(platform, config, connection, bounds).await,
            false => enet::Found::default(),
        })
    };
    // Before the others: their lanes are all the connections a Worker has.
    let deployment = deployment::look(platform, config).await;
    let (odata, line, portal) = try_join3(odata, line, portal).await?;
    known
        .checks
        .retain(|check| !look.is_of(check) && !deployment::is_of(check));
    if let Some(odata) = odata {
        known.dialect = odata.dialect.or(known.dialect);
        known.checks.extend(odata.checks);
    }
    known.refused = line.refused;
    known.checks.extend(line.checks);
    if let Some(portal) = portal {
        // A token that opens none must not make the connection forget whose portal its records are in.
        if let Some(account) = &portal.account {
            known.portal.clone_from(&account.portal_id);
        }
        known.account = portal.account.or(known.account);
        known.checks.extend(portal.checks);
    }
    known.checks.extend(deployment);
    Ok(known)
}
