//! Setting a connection up: asks its systems whether they can be worked with, and makes the
//! properties in HubSpot that the sync writes. Repeated, it changes nothing.
//!
//! Somebody waits for the answer, so the systems are asked side by side and each question once; what
//! does not answer in time is said to be so.

mod check;
mod kinds;
mod odata;
mod portal;
mod provision;

use std::time::Duration;

use futures_util::future::join;

use crate::{
    config::{Bounds, Config},
    connection::Connection,
    hubspot::account::Account,
    platform::Platform,
    send::Sender,
    syspro::odata::Dialect,
};

pub use check::Check;

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
    /// Whether the sync can run.
    pub fn complete(&self) -> bool {
        self.account.is_some() && self.checks.iter().all(|check| check.ok || check.optional)
    }
}

/// Tests the systems and provisions the portal. What `known` says of the others stays.
pub async fn set_up<P: Platform>(
    platform: &P,
    config: &Config,
    connection: &Connection,
    look: Look,
    mut known: SetUp,
) -> SetUp {
    let bounds = Bounds {
        run_for: PATIENCE,
        ..config.bounds
    };
    let sender = Sender::new(platform, connection, None, None, bounds);
    let odata = async {
        match look.odata {
            true => Some(odata::look(&sender, connection).await),
            false => None,
        }
    };
    let before = known.account.as_ref();
    let portal = async {
        match look.hubspot {
            true => Some(portal::look(&sender, connection, before).await),
            false => None,
        }
    };
    let (odata, portal) = join(odata, portal).await;
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
    known
}
