//! Looking at HubSpot: which portal the token opens, its currencies, and our properties there.

use super::{Check, provision};
use crate::{
    connection::Connection,
    hubspot::{
        Api, Kind,
        account::{self, Account},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
};

/// What was learned of the portal.
pub struct Found {
    pub account: Option<Account>,
    pub checks: Vec<Check>,
}

pub async fn look<P: Platform>(sender: &Sender<'_, P>, connection: &Connection) -> Found {
    let mut account = match details(sender, connection).await {
        Ok(account) => account,
        Err(halt) => {
            return Found {
                account: None,
                checks: vec![Check::halted("hubspot_token", &halt)],
            };
        }
    };
    let mut checks = vec![
        Check::passed("hubspot_token"),
        currency(connection, &account),
    ];
    for kind in Kind::ALL {
        let name = format!("hubspot_{}", kind.path());
        let check = match provision::provision(sender, connection, kind).await {
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
        checks.push(check);
    }
    Found {
        account: Some(account),
        checks,
    }
}

async fn details<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
) -> Result<Account, Halt> {
    let request = account::details(&api(connection));
    sender
        .hubspot(Lane::General, Effect::Read, request, account::read_details)
        .await
}

fn currency(connection: &Connection, account: &Account) -> Check {
    let name = "hubspot_currency";
    let local = &connection.syspro.local_currency;
    if account.currency == *local || account.additional_currencies.contains(local) {
        return Check::passed(name);
    }
    Check::failed(
        name,
        format!("The portal does not use {local}, SYSPRO's local currency."),
        format!("Add {local} in HubSpot: Settings, Account defaults, Currency."),
    )
}

pub fn api(connection: &Connection) -> Api {
    Api {
        url: connection.hubspot.api_url.clone(),
        version: connection.hubspot.api_version.clone(),
    }
}
