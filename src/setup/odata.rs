//! Looking at SYSPRO's OData: whether it lets us in, whether the tables are there, and what it can do.
//!
//! It is entered first, by the one table nothing works without. Then tables and abilities are asked
//! for side by side, in lanes: a Worker has six connections, and HubSpot and e.net are looked at
//! meanwhile.

mod abilities;
mod tables;

use futures_util::future::join;

use super::Check;
use crate::{
    connection::Connection,
    fault::Fault,
    feeds::CUSTOMERS,
    platform::Platform,
    send::{Halt, Sender},
    syspro::{
        Row,
        odata::{self, Dialect, Filter, Page, Query, Service},
    },
};

const REACH: &str = "odata_reach";
const CREDENTIALS: &str = "odata_credentials";
const COMPANY: &str = "odata_company";

/// What was learned of the OData server.
pub struct Found {
    /// What it can do; nothing where it could not be asked for all of it.
    pub dialect: Option<Dialect>,
    pub checks: Vec<Check>,
}

struct Asker<'a, P> {
    sender: &'a Sender<'a, P>,
    connection: &'a Connection,
    dialect: Dialect,
}

pub async fn look<P: Platform>(sender: &Sender<'_, P>, connection: &Connection) -> Found {
    let mut asker = Asker {
        sender,
        connection,
        dialect: Dialect::default(),
    };
    let wanted = tables::wanted(&connection.settings);
    let entered = match asker.enter().await {
        Ok(entered) => entered,
        Err(halt) => return barred(&wanted, &halt),
    };
    let find = async {
        match &entered {
            Some(some) => Some(abilities::find(&asker, some).await),
            None => None,
        }
    };
    let (tables, abilities) = join(tables::look(&asker, &wanted), find).await;
    if tables.iter().all(tables::Seen::is_not_there) {
        return no_company(&connection.syspro.company, &wanted);
    }
    let explained = tables::explain(&asker, &wanted, tables).await;
    let invoices = explained
        .iter()
        .any(|check| check.ok && check.name == "odata_ArInvoice");
    let (judged, dialect) = match abilities {
        Some(abilities) => abilities::judge(&asker, abilities, invoices).await,
        None => {
            let waits = |name| Check::waits_for(name, "odata_ArCustomer");
            (abilities::CHECKS.map(waits).to_vec(), None)
        }
    };
    let mut checks = [REACH, CREDENTIALS, COMPANY].map(Check::passed).to_vec();
    checks.extend(explained);
    checks.extend(judged);
    Found { dialect, checks }
}

impl<P: Platform> Asker<'_, P> {
    fn service(&self) -> Service {
        let Connection {
            syspro, settings, ..
        } = self.connection;
        Service::new(syspro, settings, self.dialect)
    }

    async fn ask(&self, query: &Query<'_>) -> Result<Page, Halt> {
        let request = odata::request(&self.service(), query);
        self.sender.odata(request, odata::read_page).await
    }

    /// Two customers, with `$top` or without it; nothing where they are refused for another reason,
    /// which the table's own check tells.
    async fn enter(&mut self) -> Result<Option<Vec<Row>>, Halt> {
        let query = customers(None, &[]);
        let answer = match self.ask(&query).await {
            Err(Halt::Fault(Fault::Refused { status, .. })) if status != 404 => {
                self.dialect.top = false;
                self.ask(&query).await
            }
            answer => answer,
        };
        match answer {
            Ok(page) => {
                self.dialect.top &= page.rows.len() <= 2;
                Ok(Some(page.rows))
            }
            Err(Halt::Fault(Fault::Refused { .. } | Fault::Forbidden { .. })) => {
                self.dialect.top = true;
                Ok(None)
            }
            Err(halt) => Err(halt),
        }
    }
}

/// Two customers' numbers.
fn customers<'a>(filter: Option<Filter>, order_by: &'a [&'a str]) -> Query<'a> {
    Query {
        table: CUSTOMERS.table,
        select: vec!["Customer".to_owned()],
        filter,
        order_by,
        top: Some(2),
        skip: None,
    }
}

fn is_missing(halt: &Halt) -> bool {
    matches!(halt, Halt::Fault(Fault::Refused { status: 404, .. }))
}

/// The server does not answer, or does not let us in: nothing else can be known.
fn barred(wanted: &[tables::Wanted], halt: &Halt) -> Found {
    let (mut checks, cause) = match halt {
        Halt::Fault(Fault::Unauthorized { .. }) => (
            vec![Check::passed(REACH), Check::halted(CREDENTIALS, halt)],
            CREDENTIALS,
        ),
        _ => (
            vec![
                Check::halted(REACH, halt),
                Check::waits_for(CREDENTIALS, REACH),
            ],
            REACH,
        ),
    };
    checks.push(Check::waits_for(COMPANY, cause));
    checks.extend(waiting(wanted, cause));
    Found {
        dialect: None,
        checks,
    }
}

fn no_company(company: &str, wanted: &[tables::Wanted]) -> Found {
    let mut checks = vec![
        Check::passed(REACH),
        Check::passed(CREDENTIALS),
        Check::failed(
            COMPANY,
            format!("The OData service has no table at all for company {company}."),
            "If the service's URLs do not go on with the company's id where `syspro.odata_url` ends, PATCH the connection with the right one. If it is the company that is wrong, delete this connection and make it again with the right one, written as the service writes it.",
        ),
    ];
    checks.extend(waiting(wanted, COMPANY));
    Found {
        dialect: None,
        checks,
    }
}

fn waiting(wanted: &[tables::Wanted], cause: &str) -> Vec<Check> {
    let tables = wanted.iter().map(|table| Check {
        optional: table.is_optional(),
        ..Check::waits_for(&table.check(), cause)
    });
    let abilities = abilities::CHECKS.map(|name| Check::waits_for(name, cause));
    tables.chain(abilities).collect()
}
