//! The sweep: the whole table, page by page, for ever. It finds what no other poll sees, and maps anew
//! what an older mapping made; after such a pass, by key, also what the ledger holds beyond it.

use serde::{Deserialize, Serialize};

use super::{
    COMPARED,
    beside::Layout,
    by_key,
    page::Place,
    read::{Reader, Table, table},
    take::{Reading, take},
};
use crate::{
    context::Run,
    feeds::{CUSTOMERS, Feed, INVOICES},
    platform::Platform,
    send::Halt,
    store::{cursors, ledger, rows_as},
    typed,
};

/// Rows of the ledger looked at in one step beyond the sweep, and steps in one run while there is
/// nothing to be read.
const BEYOND: u32 = 500;
const STEPS: usize = 20;

/// Where the sweep is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sweep {
    after: Option<Place>,
    /// Rows read in this pass, or in the last: the backfill's progress while `complete` is 0.
    pub rows: u64,
    /// Passes that came to their end.
    pub complete: u64,
    /// So many have to, whatever pace is set.
    owed: u64,
    /// What rows were mapped under when the pass under way began, or the last one.
    mapping: i64,
    /// The mapping under which the ledger was last gone through to its end.
    beyond: i64,
    /// Where that is: the last key looked at.
    upto: Option<String>,
}

impl Sweep {
    /// Pages to read in this run: at least one while there are rows that nothing else would map anew,
    /// or customers whose balances the backfill read too early. A pass begun for that is finished.
    fn pace(&self, pages: u32, mapping: i64) -> u32 {
        let owes = self.complete < self.owed || self.mapping != mapping || self.after.is_some();
        pages.max(u32::from(owes))
    }

    fn begin(&mut self, mapping: i64) {
        if self.mapping != mapping {
            self.upto = None;
        }
        self.mapping = mapping;
    }

    /// Whether all that the table shows was mapped under this one, and not yet all that it does not.
    fn owes_what_is_beyond(&self, mapping: i64) -> bool {
        let reached = self.after.is_none() || self.upto.is_some();
        reached && self.mapping == mapping && self.beyond != mapping
    }
}

/// The whole table, page by page: to its end the first time, then some pages a tick for ever.
pub async fn sweep<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    order: &'static [&'static str],
) -> Result<(), Halt> {
    let run = reader.run;
    let settings = &run.connection.settings;
    let mut place: Sweep = run.cursors.borrow().position(feed.name, "sweep");
    let table = Table {
        key: order,
        ..table(run, feed, (feed.sweep)(settings, run.today()))
    };
    let reading = Reading {
        layout: Layout::Dense,
        whole: true,
        asked: false,
    };
    let pace = place.pace(settings.sweep_pages, run.mapping.get());
    let mut pages = 0;
    while place.complete == 0 || pages < pace {
        if pages > 0 {
            run.sender.room_for_a_page()?;
        }
        if place.after.is_none() {
            place.begin(run.mapping.get());
        }
        let page = reader.page(&table, place.after.as_ref()).await?;
        // The count of the last pass stands until the next one has rows.
        if place.after.is_none() && !page.rows.is_empty() {
            place.rows = 0;
        }
        place.rows = place.rows.saturating_add(page.rows.len() as u64);
        let is_last = page.next.is_none();
        place.after = page.next;
        place.complete = place.complete.saturating_add(u64::from(is_last));
        if is_last && place.complete == 1 && !run.sender.pretends() {
            // The ledger began with this pass: it holds nothing older.
            place.beyond = place.mapping;
        }
        let backfilled = is_last && feed.name == INVOICES.name && place.complete == 1;
        let passed = || {
            run.cursors.borrow_mut().moved(feed.name, "sweep", &place);
            if backfilled {
                owe_customers_a_pass(run);
            }
        };
        take(reader, feed, page.rows, reading, &passed).await?;
        if is_last {
            break;
        }
        pages += 1;
    }
    if place.owes_what_is_beyond(run.mapping.get()) {
        beyond(reader, feed, place).await?;
    }
    Ok(())
}

/// In the backfill a customer's balance is read long before its invoices may be, and what changes one
/// of them in between need move no date. So all customers are read once more when all invoices are
/// known: from then on a change of an invoice leads to its customer.
fn owe_customers_a_pass<P: Platform>(run: &Run<'_, P>) {
    let mut cursors = run.cursors.borrow_mut();
    let mut place: Sweep = cursors.position(CUSTOMERS.name, "sweep");
    // A pass under way is ended, and does not count.
    let under_way = u64::from(place.after.is_some() || place.complete == 0);
    place.owed = place.complete.saturating_add(under_way + 1);
    cursors.moved(CUSTOMERS.name, "sweep", &place);
}

/// Reads by key what the ledger holds and the sweep does not show any more, such as paid invoices that
/// grew older than the history: what a rule left out is released, what is sent is mapped anew. What is
/// not in SYSPRO either was paid and purged, and stays as it is.
async fn beyond<P: Platform>(
    reader: &Reader<'_, P>,
    feed: &'static Feed,
    mut place: Sweep,
) -> Result<(), Halt> {
    #[derive(Deserialize)]
    struct Step {
        upto: Option<String>,
        older: String,
    }
    let run = reader.run;
    let connection = run.connection.id.as_str();
    let mut older: Vec<String> = Vec::new();
    for _ in 0..STEPS {
        let after = place.upto.take().unwrap_or_default();
        let step = ledger::beyond(connection, feed.name, place.mapping, &after, BEYOND);
        let mut rows = run.store.read(&[step]).await?;
        let steps: Vec<Step> = rows_as(rows.pop().unwrap_or_default())?;
        let Some(step) = steps.into_iter().next() else {
            break;
        };
        older = typed::from_str(&step.older).unwrap_or_default();
        place.upto = step.upto;
        if place.upto.is_none() || !older.is_empty() {
            break;
        }
    }
    match place.upto {
        None => place.beyond = place.mapping,
        Some(_) => run.more.set(true),
    }
    let mut missing = older;
    if !missing.is_empty() {
        let found = by_key(reader, feed, missing.clone(), COMPARED).await?;
        missing.retain(|key| !found.contains(key));
    }
    run.cursors.borrow_mut().moved(feed.name, "sweep", &place);
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let gone = ledger::gone(connection, feed.name, run.platform.now(), &missing);
        let cursors = run.cursors.borrow_mut().to_save();
        let statements = vec![gone, cursors::save(connection, &cursors)];
        run.store.commit(statements).await?;
    }
    Ok(())
}
