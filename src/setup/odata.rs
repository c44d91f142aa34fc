//! Looking at SYSPRO's OData: the tables nothing works without, with the columns that are read.

use futures_util::future::join_all;

use super::Check;
use crate::{
    connection::{Connection, Settings},
    feeds::{FEEDS, customers, invoices},
    platform::Platform,
    send::Sender,
    syspro::odata::{self, Dialect, Query, Service},
};

/// What was learned of the OData server.
pub struct Found {
    /// What it can do, as far as it could be asked.
    pub dialect: Option<Dialect>,
    pub checks: Vec<Check>,
}

pub async fn look<P: Platform>(sender: &Sender<'_, P>, connection: &Connection) -> Found {
    let tables = tables(&connection.settings)
        .into_iter()
        .map(|(name, select)| table(sender, connection, name, select));
    Found {
        dialect: None,
        checks: join_all(tables).await,
    }
}

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
