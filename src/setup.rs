//! Setting a connection up: asks both systems whether they can be worked with, and makes the
//! properties in HubSpot that the sync writes.

mod provision;

use std::time::Duration;

use futures_util::future::join_all;

use serde::{Deserialize, Serialize};

use crate::{
    config::{Bounds, Config},
    connection::{Connection, Settings},
    fault::Fault,
    feeds::{FEEDS, customers, invoices},
    hubspot::{
        Api, Kind,
        account::{self, Account},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
    syspro::odata::{self, Dialect, Query, Service},
};

/// How long both systems together may take; SYSPRO's tables, which are asked first and all at once,
/// half of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub ok: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Check {
    fn passed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ok: true,
            why: String::new(),
            remedy: String::new(),
        }
    }

    fn failed(name: &str, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            ok: false,
            why: why.into(),
            remedy: remedy.into(),
        }
    }

    fn halted(name: &str, halt: &Halt) -> Self {
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

/// What was learned of both systems.
#[derive(Clone, Debug, Default)]
pub struct SetUp {
    /// The portal, if the token opens one.
    pub account: Option<Account>,
    pub checks: Vec<Check>,
}

impl SetUp {
    pub fn complete(&self) -> bool {
        self.account.is_some() && self.checks.iter().all(|check| check.ok)
    }
}

/// Tests both systems and provisions the portal. Repeated, it changes nothing.
pub async fn set_up<P: Platform>(platform: &P, config: &Config, connection: &Connection) -> SetUp {
    // Somebody waits for the answer: what does not answer soon is said to be so.
    let bounds = Bounds {
        run_for: PATIENCE,
        ..config.bounds
    };
    let sender = Sender::new(platform, connection, None, None, bounds);
    let mut found = SetUp::default();
    let tables = tables(&connection.settings)
        .into_iter()
        .map(|(name, select)| table(&sender, connection, name, select));
    found.checks.extend(join_all(tables).await);
    match portal(&sender, connection).await {
        Err(halt) => found.checks.push(Check::halted("hubspot_token", &halt)),
        Ok(mut account) => {
            found.checks.push(Check::passed("hubspot_token"));
            found.checks.push(currency(connection, &account));
            for kind in Kind::ALL {
                let name = format!("properties_{}", kind.path());
                let check = match provision::provision(&sender, connection, kind).await {
                    Ok(provision::Ready { wrong, properties }) if wrong.is_empty() => {
                        if kind == Kind::Invoice {
                            account.writable_invoice_properties = properties;
                        }
                        Check::passed(&name)
                    }
                    Ok(provision::Ready { wrong, .. }) => Check::failed(
                        &name,
                        format!("{}.", wrong.join("; ")),
                        "Create the connection with another `hubspot.prefix`, or remove these properties in HubSpot.",
                    ),
                    Err(halt) => Check::halted(&name, &halt),
                };
                found.checks.push(check);
            }
            found.account = Some(account);
        }
    }
    found
}

/// The tables nothing works without, with the columns that are read.
fn tables(settings: &Settings) -> Vec<(&'static str, Vec<String>)> {
    let owned = |columns: &[&str]| columns.iter().map(|&column| column.to_owned()).collect();
    let mut tables: Vec<(&str, Vec<String>)> = FEEDS
        .iter()
        .map(|feed| (feed.table, (feed.columns)(settings)))
        .collect();
    tables.push((customers::BALANCE_TABLE, owned(customers::BALANCE_COLUMNS)));
    tables.push((invoices::LINES_TABLE, owned(invoices::LINE_COLUMNS)));
    tables
}

/// One row of the table with all the columns we read.
async fn table<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
    table: &str,
    select: Vec<String>,
) -> Check {
    let name = format!("odata_{table}");
    let service = Service::new(&connection.syspro, &connection.settings, Dialect::default());
    let query = Query {
        table,
        select,
        top: Some(1),
        ..Query::default()
    };
    let request = odata::request(&service, &query);
    match sender.odata(request, odata::read_page).await {
        Ok(_) => Check::passed(&name),
        Err(halt) => Check::halted(&name, &halt),
    }
}

async fn portal<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
) -> Result<Account, Halt> {
    let request = account::details(&api(connection));
    sender
        .hubspot(Lane::General, Effect::Read, request, account::read_details)
        .await
}

fn currency(connection: &Connection, account: &Account) -> Check {
    let local = &connection.syspro.local_currency;
    if account.currency == *local || account.additional_currencies.contains(local) {
        return Check::passed("currency");
    }
    Check::failed(
        "currency",
        format!("The portal does not use {local}, SYSPRO's local currency."),
        format!("Add {local} in HubSpot: Settings, Account defaults, Currency."),
    )
}

fn api(connection: &Connection) -> Api {
    Api {
        url: connection.hubspot.api_url.clone(),
        version: connection.hubspot.api_version.clone(),
    }
}
