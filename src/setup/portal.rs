//! Looking at HubSpot: which portal the token opens, its currencies, and our properties there.

use super::{Check, Conflict, SetUp, check::AGAIN, conflict, kinds};
use crate::{
    connection::{Connection, ForeignCurrency},
    hubspot::{
        Api,
        account::{self, Account, Without},
        scopes,
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
    sorted::SortedSet,
};

/// What was learned of the portal.
pub struct Found {
    pub account: Option<Account>,
    pub checks: Vec<Check>,
}

/// `known` is what was known of the connection's portal.
pub async fn look<P: Platform>(
    platform: &P,
    sender: &Sender<'_, P>,
    connection: &Connection,
    known: &SetUp,
) -> Result<Found, Conflict> {
    let before = known.account.as_ref();
    let mut account = match details(sender, connection).await {
        Ok(account) => account,
        Err(halt) => {
            return Ok(Found {
                account: None,
                checks: vec![Check::halted("hubspot_token", &halt)],
            });
        }
    };
    conflict::look(platform, connection, &account, &known.portal).await?;
    let granted = granted(sender, connection).await;
    let looked = kinds::look(sender, connection, granted.as_ref()).await;
    let verdict = kinds::judge(looked, before.map_or(Without::default(), |it| it.without));
    let mut checks = vec![
        Check::passed("hubspot_token"),
        currency(connection, &account),
    ];
    checks.extend(verdict.checks);
    if let Some(before) = before {
        account = account.with_noon_of(before);
    }
    account.without = verdict.without;
    // A key given later does not reach lines that lack it and are not known here.
    account.lines_without_keys =
        account.without.line_keys || before.is_some_and(|it| it.lines_without_keys);
    account.writable_invoice_properties = verdict
        .writable_invoice_properties
        .or_else(|| before.map(|it| it.writable_invoice_properties.clone()))
        .unwrap_or_default();
    if !account.without.invoices {
        checks.push(amounts(&account));
    }
    Ok(Found {
        account: Some(account),
        checks,
    })
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

/// What the token says it may, if it says so.
async fn granted<P: Platform>(
    sender: &Sender<'_, P>,
    connection: &Connection,
) -> Option<SortedSet<String>> {
    let token = connection.hubspot.token.expose();
    let request = scopes::token_info(&api(connection), token);
    let read = scopes::read_token_info;
    let answer = sender.hubspot(Lane::General, Effect::Read, request, read);
    answer.await.ok()
}

/// The local currency is needed; one that a code is mapped to may never come.
fn currency(connection: &Connection, account: &Account) -> Check {
    let name = "hubspot_currency";
    let known =
        |code: &String| account.currency == *code || account.additional_currencies.contains(code);
    let remedy = |codes: &str| {
        format!("Add {codes} in HubSpot (Settings, Account defaults, Currency); then {AGAIN}.")
    };
    let local = &connection.syspro.local_currency;
    if !known(local) {
        let why = format!("The portal does not use {local}, SYSPRO's local currency.");
        return Check::failed(name, why, remedy(local));
    }
    let mapped: SortedSet<&String> = connection.settings.currencies.values().collect();
    let unknown: Vec<&str> = mapped
        .into_iter()
        .filter(|code| !known(code))
        .map(String::as_str)
        .collect();
    if unknown.is_empty() {
        return Check::passed(name);
    }
    let unknown = unknown.join(", ");
    let instead = match connection.settings.foreign_currency {
        ForeignCurrency::Fail => "Invoices in it are failing",
        ForeignCurrency::Local => "Invoices in it are sent in local money",
    };
    Check {
        optional: true,
        ..Check::failed(
            name,
            format!(
                "The portal does not use {unknown}, which `settings.currencies` maps codes to. {instead}."
            ),
            remedy(&unknown),
        )
    }
}

/// For information: which of HubSpot's own fields show the invoice's number and amount.
fn amounts(account: &Account) -> Check {
    let own = ["hs_number", "hs_amount_billed"];
    let writable = &account.writable_invoice_properties;
    let can: Vec<&str> = own
        .into_iter()
        .filter(|name| writable.iter().any(|it| it == name))
        .collect();
    let why = match can.as_slice() {
        [] => "HubSpot lets nobody write its own number and amount of an invoice here: they stand in our properties only.".to_owned(),
        can => format!("Of HubSpot's own fields these are written beside ours: {}.", can.join(", ")),
    };
    Check {
        why,
        ..Check::passed("hubspot_invoice_amounts")
    }
}

pub fn api(connection: &Connection) -> Api {
    Api {
        url: connection.hubspot.api_url.clone(),
        version: connection.hubspot.api_version.clone(),
    }
}
