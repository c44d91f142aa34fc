//! What stands beside a feed's rows: a customer's balances, an invoice's lines.

use super::read::{Reader, Table};
use crate::{
    context::days_before,
    feeds::{Beside, customers, invoices},
    platform::Platform,
    send::Halt,
    sorted::{SortedMap, SortedSet},
    syspro::{
        Row,
        odata::{Literal, between},
    },
};

/// How rows lie in their table, and so how what stands beside them is best read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One after another: a range holds them and little else.
    Dense,
    Scattered,
}

/// Lines of an invoice run by its number, so that a range of numbers is one read.
const LINES_BY_NUMBER: &[&str] = &[
    "Invoice",
    "TrnYear",
    "TrnMonth",
    "Register",
    "SummaryLine",
    "DetailLine",
];
const PAGE: u32 = 2_000;

/// For each of `rows`, in order, the rows that stand beside it.
pub async fn beside<P: Platform>(
    reader: &Reader<'_, P>,
    what: Beside,
    rows: &[Row],
    layout: Layout,
) -> Result<Vec<Vec<Row>>, Halt> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let layout = match reader.service.dialect.ranges() {
        true => layout,
        false => Layout::Scattered,
    };
    match what {
        Beside::Balances => balances(reader, rows, layout).await,
        Beside::Lines => Ok(invoices::join(rows, lines(reader, rows, layout).await?)),
    }
}

async fn balances<P: Platform>(
    reader: &Reader<'_, P>,
    rows: &[Row],
    layout: Layout,
) -> Result<Vec<Vec<Row>>, Halt> {
    let mut table = Table {
        name: customers::BALANCE_TABLE,
        select: owned(customers::BALANCE_COLUMNS),
        key: &["Customer"],
        filter: None,
        page: PAGE,
    };
    let found = match (layout, ends(rows, "Customer")) {
        (Layout::Dense, Some((first, last))) => {
            table.filter = Some(between("Customer", first, last));
            reader.all(&table).await?
        }
        _ => {
            let keys: Vec<Vec<String>> = rows
                .iter()
                .map(|row| vec![row.key_text("Customer")])
                .collect();
            reader.by_keys(&table, &keys).await?
        }
    };
    let mut found: SortedMap<String, Row> = found
        .into_iter()
        .map(|row| (row.key_text("Customer"), row))
        .collect();
    Ok(rows
        .iter()
        .map(|row| {
            found
                .remove(&row.key_text("Customer"))
                .into_iter()
                .collect()
        })
        .collect())
}

/// Invoices older than the history are few and far between: a range over them would read the lines
/// of everything that lies there.
async fn lines<P: Platform>(
    reader: &Reader<'_, P>,
    rows: &[Row],
    layout: Layout,
) -> Result<Vec<Row>, Halt> {
    let run = reader.run;
    let horizon = days_before(run.today(), run.connection.settings.history_days);
    let recent = |row: &&Row| {
        row.date("InvoiceDate")
            .is_ok_and(|day| day >= Some(horizon))
    };
    let (dense, scattered): (Vec<&Row>, Vec<&Row>) = rows
        .iter()
        .partition(|row| layout == Layout::Dense && recent(row));
    let mut found = Vec::new();
    if let Some((first, last)) = ends(&dense, "Invoice") {
        let table = Table {
            filter: Some(between("Invoice", first, last)),
            ..lines_table(LINES_BY_NUMBER)
        };
        found = reader.all(&table).await?;
    }
    // Neighbours that share a period share a request.
    let groups: SortedMap<String, _> = scattered
        .into_iter()
        .filter_map(invoices::lines_filter_key)
        .map(|group| (format!("{group:?}"), group))
        .collect();
    let groups: Vec<_> = groups.into_values().collect();
    found.extend(
        reader
            .grouped(&lines_table(invoices::LINES_KEY), &groups)
            .await?,
    );
    // The range may hold lines of invoices that were asked for by number as well.
    let mut seen = SortedSet::new();
    found.retain(|line| seen.insert(line.mark(invoices::LINES_KEY)));
    Ok(found)
}

fn lines_table(key: &'static [&'static str]) -> Table<'static> {
    Table {
        name: invoices::LINES_TABLE,
        select: owned(invoices::LINE_COLUMNS),
        key,
        filter: None,
        page: PAGE,
    }
}

/// The first and last raw value of the column the rows are ordered by.
fn ends<R: std::borrow::Borrow<Row>>(rows: &[R], column: &str) -> Option<(Literal, Literal)> {
    let value = |row: &R| Literal::of(row.borrow().raw(column));
    Some((value(rows.first()?)?, value(rows.last()?)?))
}

fn owned(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|&column| column.to_owned()).collect()
}
