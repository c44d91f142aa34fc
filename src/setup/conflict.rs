//! What may stand between a connection and the portal its token opens. Found out before anything is
//! made in that portal: it may be somebody else's.

use crate::{
    connection::Connection,
    hubspot::account::Account,
    platform::Platform,
    store::connections::{self, Named},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A connection keeps its portal for life, and the token opens another.
    OtherPortal,
    /// This connection syncs the same company to the same portal already.
    Company(String),
}

/// Whether the connection may be one to this portal, where `own` is what its own is known to be, or
/// blank.
/// Where the database does not answer, its unique index still has the last word.
pub async fn look<P: Platform>(
    platform: &P,
    connection: &Connection,
    account: &Account,
    own: &str,
) -> Result<(), Conflict> {
    let portal = account.portal_id.as_str();
    if !own.is_empty() && own != portal {
        return Err(Conflict::OtherPortal);
    }
    let company = connection.company_key();
    let rival = connections::with_company(portal, &company, &connection.id);
    let rows = platform.batch(&[rival]).await.unwrap_or_default();
    match Named::first(rows) {
        Some(other) => Err(Conflict::Company(other)),
        None => Ok(()),
    }
}
