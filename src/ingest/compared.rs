//! Records as ingest would map them now, for whoever only compares: the ledger is left as it is.

use chrono::NaiveDate;

use super::{
    BY_NUMBER,
    beside::Layout,
    map::outcomes,
    page::Place,
    read::{Reader, Table, table},
    take::{known, sort_out, stand_beside},
};
use crate::{
    feeds::{Feed, INVOICES, Lack, Outcome, Record},
    platform::Platform,
    send::Halt,
    store::ledger::Seen,
    syspro::odata::{Filter, Literal, Op},
};

/// A page of a feed's records.
#[derive(Debug, Default)]
pub struct Compared {
    pub records: Vec<(Record, Outcome)>,
    /// Rows that cannot be told from others: nothing is known of them.
    pub keyless: usize,
    /// Where the next page begins; nothing after the last one.
    pub next: Option<Place>,
}

/// The next `rows` records, with dates from the first of `period` to the last where one is given.
pub async fn compared<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    period: Option<(NaiveDate, NaiveDate)>,
    rows: u32,
    from: Option<&Place>,
) -> Result<Compared, Halt> {
    let run = reader.run;
    let table = Table {
        page: rows,
        key: match feed.name == INVOICES.name {
            true => BY_NUMBER,
            false => feed.key,
        },
        ..table(run, feed, period.map(|period| within(feed, period)))
    };
    let page = reader.page(&table, from).await?;
    run.sender.took(page.rows.len());
    let (mut records, rejected) = sort_out(&run.connection.syspro.company, feed, page.rows);
    stand_beside(reader, feed, &mut records, Layout::Dense).await?;
    let seen = records.iter().map(|record| Seen {
        key: &record.key,
        mark: None,
        detail: None,
    });
    let known = known(reader, feed, &seen.collect::<Vec<_>>()).await?;
    for record in &mut records {
        let known = known.get(&record.key);
        record.sent = known.is_some_and(|known| known.sent == 1);
        // As it was mapped when it was sent: one that is asked again waits, whatever comes of it here.
        record.lack = match known {
            Some(known) if known.has_lines == 1 => Lack::KeepThem,
            Some(_) => Lack::NoneThere,
            None => Lack::AskAgain,
        };
    }
    let outcomes = outcomes(reader, feed, &records).await?;
    Ok(Compared {
        records: records.into_iter().zip(outcomes).collect(),
        keyless: rejected.len(),
        next: page.next,
    })
}

fn within(feed: &Feed, (first, last): (NaiveDate, NaiveDate)) -> Filter {
    let column = feed.date_columns.first().copied().unwrap_or_default();
    // The day after, because a day may come with a time.
    let end = last.succ_opt().unwrap_or(last);
    Filter::all(vec![
        Filter::compare(column, Op::Ge, Literal::Date(first)),
        Filter::compare(column, Op::Lt, Literal::Date(end)),
    ])
}
