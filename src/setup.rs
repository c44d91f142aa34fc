//! Setting a connection up: asks its systems whether they can be worked with, and makes the
//! properties in HubSpot that the sync writes. Repeated, it changes nothing.
//!
//! Somebody waits for the answer, so the systems are asked side by side and each question once; what
//! does not answer in time is said to be so.

mod check;
mod conflict;
mod kinds;
mod odata;
mod portal;
mod provision;

use std::time::Duration;

use futures_util::future::try_join;

use crate::{
    config::{Bounds, Config},
    connection::Connection,
    hubspot::account::Account,
    platform::Platform,
    send::Sender,
    syspro::odata::Dialect,
};

pub use check::Check;
pub use conflict::Conflict;

/// How long all of it together may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The systems to be looked at. The name of a check begins with its system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub odata: bool,
    pub hubspot: bool,
}

impl Look {
    pub const AT_ALL: Look = Look {
        odata: true,
        hubspot: true,
    };

    /// What is in either.
    pub fn or(self, other: Look) -> Look {
        Look {
            odata: self.odata || other.odata,
            hubspot: self.hubspot || other.hubspot,
        }
    }

    /// Each of its systems alone.
    fn each(self) -> impl Iterator<Item = Look> {
        let (odata, hubspot) = (self.odata, self.hubspot);
        let nothing = Look::default();
        let each = [Look { odata, ..nothing }, Look { hubspot, ..nothing }];
        each.into_iter().filter(move |one| *one != nothing)
    }

    fn is_of(self, check: &Check) -> bool {
        let of = |system: &str| check.name.starts_with(system);
        self.odata && of("odata_") || self.hubspot && of("hubspot_")
    }
}

/// What is known of a connection's systems.
#[derive(Clone, Debug, Default)]
pub struct SetUp {
    /// The portal, if the token opens one.
    pub account: Option<Account>,
    pub dialect: Option<Dialect>,
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

    /// What was found out of systems that did not change. One that was right before and only does not
    /// answer now is taken to be right still: runs wait it out.
    pub fn bearing_with(mut self, unchanged: Look, before: &SetUp) -> SetUp {
        for system in unchanged.each().filter(|one| before.is_right(*one)) {
            let mut failed = self
                .checks
                .iter()
                .filter(|it| system.is_of(it) && !it.ok && !it.optional);
            if failed.all(|check| check.unknown) {
                self.checks.retain(|check| !system.is_of(check));
                let kept = before.checks.iter().filter(|check| system.is_of(check));
                self.checks.extend(kept.cloned());
            }
        }
        self
    }

    /// Whether the sync can run.
    pub fn complete(&self) -> bool {
        self.account.is_some() && self.checks.iter().all(|check| check.ok || check.optional)
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
    let before = known.account.as_ref();
    let portal = async {
        match look.hubspot {
            true => portal::look(platform, &sender, connection, before)
                .await
                .map(Some),
            false => Ok(None),
        }
    };
    let (odata, portal) = try_join(odata, portal).await?;
    known.checks.retain(|check| !look.is_of(check));
    if let Some(odata) = odata {
        known.dialect = odata.dialect.or(known.dialect);
        known.checks.extend(odata.checks);
    }
    if let Some(portal) = portal {
        // A token that opens none must not make the connection forget whose portal its records are in.
        known.account = portal.account.or(known.account);
        known.checks.extend(portal.checks);
    }
    Ok(known)
}
