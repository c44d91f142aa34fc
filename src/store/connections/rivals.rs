//! What two connections cannot both have: one company in one portal, one operator of e.net.

use crate::platform::{Statement, StoreError};

/// Another connection of this company to this portal.
pub fn with_company(portal: &str, company: &str, but: &str) -> Statement {
    Statement::new(
        "select id from connections where portal = ?1 and company = ?2 and portal <> '' and id <> ?3",
        [portal.into(), company.into(), but.into()],
    )
}

/// Another connection that logs on to e.net as this operator.
pub fn with_operator(operator: &str, but: &str) -> Statement {
    Statement::new(
        "select id from connections where operator = ?1 and id <> ?2",
        [operator.into(), but.into()],
    )
}

/// What creating or changing a connection runs into when another one has it.
pub fn rivalry(error: &StoreError) -> Option<Rivalry> {
    let StoreError::Refused(why) = error else {
        return None;
    };
    if why.contains("connections.portal, connections.company") {
        Some(Rivalry::Company)
    } else if why.contains("connections.operator") {
        Some(Rivalry::Operator)
    } else {
        None
    }
}

/// What two connections cannot both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rivalry {
    /// One company in one portal.
    Company,
    /// One operator of e.net.
    Operator,
}
