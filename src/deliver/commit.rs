//! What becomes of a chunk, in one commit.

use serde_json::{Value, json};

use super::{
    pretence,
    unit::{State, Unit},
};
use crate::{
    books::Told,
    context::Run,
    feeds::{CUSTOMERS, INVOICES},
    hubspot::Kind,
    platform::{DAY, Millis, Platform, Statement},
    send::Halt,
    sorted::SortedSet,
    store::{
        audit, family,
        ledger::{self, Fate, Settled},
        records::{self, Selection},
        rows_as, slices,
        targets::{self, Ground},
    },
};

/// Ids, fates and audit of a chunk in one commit.
pub async fn commit<P: Platform>(
    run: &Run<'_, P>,
    feed: &'static str,
    units: &[Unit],
) -> Result<(), Halt> {
    let connection = run.connection.id.as_str();
    let now = run.platform.now();
    let next = next(run);
    let settled: Vec<Settled> = units.iter().map(|unit| settle(unit, next)).collect();
    let entries: Vec<audit::Entry> = units
        .iter()
        .zip(&settled)
        .filter(|(unit, _)| unit.answered)
        .map(|(unit, settled)| entry(run, feed, unit, settled))
        .collect();
    let mut statements = vec![ledger::settle(connection, feed, now, &settled)];
    statements.extend(of_targets(run, feed, units));
    // What was not sent was not answered.
    if !entries.is_empty() && !run.sender.pretends() {
        statements.push(audit::write(connection, now, &entries));
    }
    statements.extend(of_customers(connection, units, next));
    if feed == CUSTOMERS.name {
        statements.extend(of_excluded(connection, units));
    }
    if feed == INVOICES.name && units.iter().any(|unit| unit.answered) {
        statements.extend(run.owe_deals());
    }
    statements.extend(pretence::noted(run));
    let rows = run.store.commit(statements).await?;
    tell_of_vanished(run, feed, units);
    count(
        run,
        feed,
        units.len(),
        rows.into_iter().next().unwrap_or_default(),
    )
}

/// What is put off is the next run's: this one must not take it up again.
fn next<P: Platform>(run: &Run<'_, P>) -> Millis {
    run.platform.now().max(run.began + 1)
}

/// What HubSpot holds of the chunk now. With a customer's new id goes that its invoices are linked to
/// it: whoever finds the id here takes it for old.
pub fn of_targets<P: Platform>(run: &Run<'_, P>, feed: &str, units: &[Unit]) -> Vec<Statement> {
    let connection = run.connection.id.as_str();
    let mut kept = Vec::new();
    let mut gone = Vec::new();
    for unit in units {
        let key = unit.due.key.as_str();
        kept.extend(unit.changed().map(|target| targets::Owned { key, target }));
        let archived = unit.archived.iter().map(String::as_str);
        gone.extend(archived.map(|line| (key, Kind::LineItem, line)));
    }
    let kept = slices(&kept, target_size);
    let mut statements: Vec<Statement> = kept
        .map(|kept| targets::save(connection, feed, kept))
        .collect();
    if !gone.is_empty() {
        statements.push(targets::forget(connection, feed, &gone));
    }
    let moved = units.iter().filter(|unit| unit.moved);
    let moved: Vec<&str> = moved.map(|unit| unit.due.key.as_str()).collect();
    if feed == CUSTOMERS.name && !moved.is_empty() {
        statements.push(targets::follow(
            connection,
            INVOICES.name,
            next(run),
            &moved,
        ));
    }
    statements
}

/// Customers whose records may be gone are sent again.
fn of_customers(connection: &str, units: &[Unit], next: Millis) -> Vec<Statement> {
    let doubting = units.iter().filter(|unit| unit.doubts_customer);
    let doubted: Vec<(String, String)> = doubting
        .filter_map(|unit| Some((CUSTOMERS.name.to_owned(), unit.payload.customer.clone()?)))
        .collect();
    match doubted.is_empty() {
        true => Vec::new(),
        false => records::replay(connection, &Selection::Records(doubted), next).into(),
    }
}

/// Invoices leave with a customer that turned out not to be wanted.
fn of_excluded(connection: &str, units: &[Unit]) -> Option<Statement> {
    let out = |unit: &&Unit| matches!(unit.state, State::Excluded(_));
    let out: Vec<&str> = units
        .iter()
        .filter(out)
        .map(|it| it.due.key.as_str())
        .collect();
    (!out.is_empty()).then(|| family::leave(connection, &out))
}

/// About as long as a target is as JSON inside JSON.
fn target_size(owned: &targets::Owned<'_>) -> usize {
    let names = |names: &SortedSet<String>| names.iter().map(|name| name.len() + 6).sum::<usize>();
    let (filled, theirs) = (names(&owned.target.filled), names(&owned.target.theirs));
    700 + 2 * owned.target.object_key.len() + filled + theirs
}

fn settle(unit: &Unit, next: Millis) -> Settled {
    let (warning, excluded) = (unit.warning(), unit.excluded());
    let (fate, reason, due) = match &unit.state {
        State::Failed(reason) => (Fate::Failing, Some(reason), Some(next + DAY)),
        State::Held { until, reason } => (Fate::Waiting, reason.as_ref(), Some(next.max(*until))),
        State::Retried(reason) => (Fate::Waiting, Some(reason), Some(next)),
        State::Nowhere(reason) => (Fate::Failing, Some(reason), None),
        State::Excluded(reason) => (Fate::Excluded, Some(reason), None),
        State::Open if unit.complete() && excluded.is_some() => {
            (Fate::Excluded, excluded.as_ref(), unit.due.look_at)
        }
        State::Open if unit.complete() => (Fate::Synced, warning.as_ref(), unit.due.look_at),
        // Cut short: the next run goes on with it.
        State::Open => (Fate::Waiting, None, Some(next)),
    };
    let (kept, again) = (fate == Fate::Waiting, fate == Fate::Failing);
    // What is left out stays so, whatever becomes of its last write.
    let (fate, reason) = match &unit.payload.excluded {
        Some(rule) => (Fate::Excluded, Some(rule)),
        None => (fate, reason),
    };
    Settled {
        key: unit.due.key.clone(),
        revision: unit.due.revision,
        fate,
        reason: reason.map(|reason| json!(reason).to_string()),
        due: due.filter(|_| kept || again || unit.payload.excluded.is_none()),
        kept: i64::from(kept),
        again: i64::from(again),
        refused: i64::from(matches!(unit.state, State::Failed(_) | State::Retried(_))),
    }
}

fn entry<P: Platform>(
    run: &Run<'_, P>,
    feed: &'static str,
    unit: &Unit,
    settled: &Settled,
) -> audit::Entry {
    let reason = match &unit.state {
        State::Failed(reason)
        | State::Retried(reason)
        | State::Nowhere(reason)
        | State::Excluded(reason) => Some(reason),
        State::Held { reason, .. } => reason.as_ref(),
        State::Open => None,
    };
    let adopted = |(kind, id, ground): &(Kind, String, Ground)| json!({ "kind": kind, "hubspot_id": id, "ground": ground });
    let adopted: Vec<Value> = unit.adopted.iter().map(adopted).collect();
    audit::Entry {
        id: format!(
            "{}/send/{feed}/{}/{}",
            run.id, unit.due.key, unit.due.revision
        ),
        feed: feed.to_owned(),
        key: unit.due.key.clone(),
        outcome: match (settled.kept, settled.again) {
            (0, 0) => "synced",
            (0, _) => "failing",
            _ => "waiting",
        }
        .to_owned(),
        revision: Some(unit.due.revision),
        source_date: unit.due.source_date.clone(),
        source_version: unit.due.source_version.clone(),
        seen_at: Some(unit.due.seen_at),
        taken_at: unit.taken_at.clone(),
        said: json!({
            "reason": reason,
            "warnings": unit.warnings,
            "created": unit.created,
            "updated": unit.updated,
            "archived": unit.archived.len(),
            "adopted": adopted,
        })
        .to_string(),
    }
}

/// What HubSpot was told of records that left SYSPRO before anybody knew whether it has them.
fn tell_of_vanished<P: Platform>(run: &Run<'_, P>, feed: &str, units: &[Unit]) {
    let mut books = run.books.borrow_mut();
    let vanished =
        |unit: &&Unit| unit.payload.only_if_there && unit.payload.unless_there().is_none();
    for unit in units.iter().filter(vanished) {
        let told = match &unit.state {
            State::Nowhere(_) => Told::Nothing,
            State::Open if unit.complete() => Told::Settled,
            _ => continue,
        };
        books.gone(feed, std::iter::once(unit.due.key.as_str()), told);
    }
}

/// Left from the chunk, right from the rows the database says it settled; one it did not settle
/// has a newer revision, and waits.
fn count<P: Platform>(
    run: &Run<'_, P>,
    feed: &str,
    taken: usize,
    settled: Vec<serde_json::Value>,
) -> Result<(), Halt> {
    #[derive(serde::Deserialize)]
    struct Row {
        fate: Fate,
        kept: i64,
        again: i64,
    }
    let settled: Vec<Row> = rows_as(settled)?;
    let taken = taken as u64;
    // Of the last write of a row that is left out, its fate says nothing.
    let became = |row: &Row| match row.fate {
        Fate::Excluded if row.kept == 1 => Fate::Waiting,
        Fate::Excluded if row.again == 1 => Fate::Failing,
        Fate::Excluded => Fate::Synced,
        fate => fate,
    };
    let of = |fate: Fate| settled.iter().filter(|row| became(row) == fate).count() as u64;
    let mut books = run.books.borrow_mut();
    let feed = books.feed(feed);
    feed.taken += taken;
    feed.written += of(Fate::Synced) + of(Fate::Excluded);
    feed.refused += of(Fate::Failing);
    feed.waiting += of(Fate::Waiting) + taken.saturating_sub(settled.len() as u64);
    Ok(())
}
