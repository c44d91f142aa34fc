//! One page: rows → records → what is new → one commit with the cursor.

use serde_json::json;

use super::{
    beside::{Layout, beside},
    map::{Marks, map},
    read::Reader,
    touch,
};
use crate::{
    feeds::{CUSTOMERS, Feed, INVOICES, Record},
    hash::hash,
    platform::{Platform, Statement},
    send::Halt,
    sorted::{SortedMap, SortedSet},
    store::{
        audit, cursors, family,
        ledger::{self, Fate, Intake, Known, Seen, Taken},
        rows_as, slices,
    },
    syspro::Row,
};

/// How a page came to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub layout: Layout,
    /// What stands beside is read for every row and compared too; otherwise only for rows that
    /// changed themselves.
    pub whole: bool,
    /// They were asked for: every row is taken, changed or not.
    pub asked: bool,
}

/// Compares a page with the ledger, maps what is new, and commits it with the cursor that `passed`
/// moves: behind a page without news it stays in memory until the next commit. Answers the keys of
/// the page.
pub async fn take<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    rows: Vec<Row>,
    reading: Reading,
    passed: &dyn Fn(),
) -> Result<SortedSet<String>, Halt> {
    let run = reader.run;
    let read = rows.len();
    run.sender.took(read);
    let (mut records, rejected) = sort_out(&run.connection.syspro.company, feed, rows);
    let keys: SortedSet<String> = records.iter().map(|record| record.key.clone()).collect();
    let whole = reading.whole || !feed.beside.is_large();
    if whole {
        stand_beside(reader, feed, &mut records, reading.layout).await?;
    }
    let marks = Marks::of(feed, &run.connection.settings);
    let seen = records.iter().map(|record| Seen {
        key: &record.key,
        mark: (!reading.asked).then(|| marks.own(record)),
        detail: whole.then(|| marks.detail(record)),
    });
    let known = known(reader, feed, &seen.collect::<Vec<_>>()).await?;
    let same = |record: &Record| known.get(&record.key).is_some_and(|known| known.same == 1);
    records.retain(|record| !same(record));
    if !whole {
        stand_beside(reader, feed, &mut records, Layout::Scattered).await?;
    }
    if feed.name == INVOICES.name {
        touch(reader, records.iter().map(|record| record.key.as_str())).await?;
    }
    let intakes = map(reader, feed, records, &known, &marks).await?;
    passed();
    let unchanged = read - intakes.len() - rejected.len();
    commit(reader, feed, &intakes, &rejected, unchanged).await?;
    Ok(keys)
}

/// Commits a page's news with the cursors that moved, and books it: left of the equals sign what
/// the page held, right what the database says it did.
pub async fn commit<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    intakes: &[Intake],
    rejected: &[audit::Entry],
    unchanged: usize,
) -> Result<(), Halt> {
    let run = reader.run;
    let (connection, now) = (run.connection.id.as_str(), run.platform.now());
    let mut statements: Vec<Statement> = slices(intakes, size)
        .map(|slice| ledger::take(connection, feed.name, run.mapping.get(), now, slice))
        .collect();
    let takes = statements.len();
    if !rejected.is_empty() {
        statements.push(audit::write(connection, now, rejected));
    }
    if feed.name == CUSTOMERS.name {
        statements.extend(families(reader, intakes));
    }
    if intakes.iter().any(|intake| intake.reordered) {
        statements.extend(run.owe_deals());
    }
    let mut answers = Vec::new();
    if !statements.is_empty() {
        let cursors = run.cursors.borrow_mut().to_save();
        if !cursors.is_empty() {
            statements.push(cursors::save(connection, &cursors));
        }
        answers = run.store.commit(statements).await?;
        let to_send = |intake: &Intake| intake.payload.is_some();
        if intakes.iter().any(to_send) {
            run.due.borrow_mut().insert(feed.name.to_owned());
        }
    }
    let mut answers = answers.into_iter();
    let mut taken: Vec<Taken> = Vec::new();
    for rows in answers.by_ref().take(takes) {
        taken.extend(rows_as(rows)?);
    }
    let held = match rejected {
        [] => Vec::new(),
        _ => answers.next().unwrap_or_default(),
    };
    // A row that was rejected before, and is as it was, has been said.
    let said = held.iter().filter(|row| row["news"] == 0).count();
    let news = |fate: Fate| {
        taken
            .iter()
            .filter(|row| row.news == 1 && row.fate == fate)
            .count()
    };
    let old = taken.iter().filter(|row| row.news == 0).count();
    let mut books = run.books.borrow_mut();
    let books = books.feed(feed.name);
    books.read += (unchanged + intakes.len() + rejected.len()) as u64;
    books.unchanged += (unchanged + old + said) as u64;
    books.queued += news(Fate::Waiting) as u64;
    books.excluded += news(Fate::Excluded) as u64;
    books.failing += news(Fate::Failing) as u64;
    books.rejected += (held.len() - said) as u64;
    Ok(())
}

/// Invoices leave with their customer, and come back with it.
fn families<P: Platform>(reader: &Reader<'_, P>, customers: &[Intake]) -> Vec<Statement> {
    let run = reader.run;
    let connection = run.connection.id.as_str();
    let out = |intake: &Intake| intake.fate == Fate::Excluded;
    let leaving = customers.iter().filter(|it| out(it) && !it.was_out);
    let leaving: Vec<&str> = leaving.map(|it| it.key.as_str()).collect();
    let back = customers.iter().filter(|it| it.was_out && !out(it));
    let back: Vec<&str> = back.map(|it| it.key.as_str()).collect();
    let mut statements = Vec::new();
    if !leaving.is_empty() {
        statements.push(family::leave(connection, &leaving));
    }
    if !back.is_empty() {
        statements.push(family::come_back(connection, run.began, &back));
        run.due.borrow_mut().insert(INVOICES.name.to_owned());
    }
    statements
}

/// Records in the server's order, by which the ends of their range are told, the last of a key that
/// comes twice; and audit rows for those that have no key.
pub fn sort_out(company: &str, feed: &Feed, rows: Vec<Row>) -> (Vec<Record>, Vec<audit::Entry>) {
    let mut places: SortedMap<String, usize> = SortedMap::new();
    let mut records: Vec<Record> = Vec::new();
    let mut rejected: SortedMap<String, audit::Entry> = SortedMap::new();
    for header in rows {
        match feed.record_key(company, &header) {
            Some(key) => {
                let record = Record {
                    key: key.clone(),
                    header,
                    ..Record::default()
                };
                match places.get(&key).and_then(|place| records.get_mut(*place)) {
                    Some(before) => *before = record,
                    None => {
                        places.insert(key, records.len());
                        records.push(record);
                    }
                }
            }
            None => {
                let entry = keyless(feed, &header);
                rejected.insert(entry.id.clone(), entry);
            }
        }
    }
    (records, rejected.into_values().collect())
}

/// A row that cannot be told from others goes to the audit, once for each content it had.
fn keyless(feed: &Feed, row: &Row) -> audit::Entry {
    let missing: Vec<&str> = feed
        .key
        .iter()
        .copied()
        .filter(|column| row.key_text(column).is_empty())
        .collect();
    audit::Entry {
        id: format!("0-rejected/{}/{}", feed.name, hash(&row.0)),
        feed: feed.name.to_owned(),
        key: String::new(),
        outcome: "rejected".to_owned(),
        revision: None,
        source_date: None,
        source_version: None,
        seen_at: None,
        taken_at: None,
        said: json!({ "reason": {
            "code": "no_key",
            "field": missing.join(", "),
            "reason": format!("a row of {} has no {}", feed.table, missing.join(", ")),
            "remedy": "give the row its key in SYSPRO",
        }})
        .to_string(),
    }
}

pub async fn stand_beside<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    records: &mut [Record],
    layout: Layout,
) -> Result<(), Halt> {
    let headers: Vec<Row> = records.iter().map(|record| record.header.clone()).collect();
    let found = beside(reader, feed.beside, &headers, layout).await?;
    for (record, beside) in records.iter_mut().zip(found) {
        record.beside = beside;
    }
    Ok(())
}

pub async fn known<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &Feed,
    seen: &[Seen<'_>],
) -> Result<SortedMap<String, Known>, Halt> {
    if seen.is_empty() {
        return Ok(SortedMap::new());
    }
    let run = reader.run;
    let statement = ledger::known(&run.connection.id, feed.name, run.mapping.get(), seen);
    let mut rows = run.store.read(&[statement]).await?;
    let known: Vec<Known> = rows_as(rows.pop().unwrap_or_default())?;
    Ok(known
        .into_iter()
        .map(|row| (row.key.clone(), row))
        .collect())
}

/// About as long as a row is as JSON inside JSON.
fn size(row: &Intake) -> usize {
    row.payload.as_ref().map_or(0, String::len) * 4 / 3 + 600
}
