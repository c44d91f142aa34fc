//! What SYSPRO's codes stand for: four small tables, kept in the database and read anew once an
//! hour, and when a code turns up that they do not explain. When one says something new, rows mapped
//! with the old are mapped again: a renamed salesperson reaches every customer.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    comfnd::rows_by_comfnd,
    read::{Reader, Table},
};
use crate::{
    fault::{Fault, Reason, System},
    feeds::{
        Record,
        lookups::{LOOKUPS, Lookup, Lookups, STOCK},
    },
    hash::hash,
    platform::{DAY, HOUR, Millis, Platform},
    send::Halt,
    sorted::{SortedMap, SortedSet},
    store::{
        lookups::{self, Asked, Held, Known},
        rows_as,
    },
    syspro::{
        Row,
        enet::{self, Find},
        odata::Literal,
    },
    typed,
};

/// Rows of such a table asked for at once.
const PAGE: u32 = 2_000;
/// The same over e.net, whose answers are wordy.
const ENET_PAGE: u32 = 1_000;
/// More than one value of the database may hold, on its way there, is read by each run that needs it.
const MAX_KEPT: usize = 1_700_000;

/// The tables of codes in one run.
#[derive(Default)]
pub struct Codes {
    /// What the database holds is among the rows.
    loaded: bool,
    /// Asked for in this run, whatever came of it.
    asked: SortedSet<&'static str>,
    rows: SortedMap<&'static str, Vec<Row>>,
    lookups: Lookups,
}

impl Codes {
    fn put(&mut self, lookup: &Lookup, rows: Vec<Row>) {
        self.rows.insert(lookup.table, rows);
        // A code that is gone explains nothing any more.
        let stock = std::mem::take(&mut self.lookups.stock);
        self.lookups = Lookups {
            stock,
            ..Lookups::default()
        };
        for lookup in LOOKUPS {
            if let Some(rows) = self.rows.get(lookup.table) {
                (lookup.add)(&mut self.lookups, rows);
            }
        }
    }
}

impl<P: Platform> Reader<'_, P> {
    /// Reads the tables anew whose hour has passed; one that a site does not publish is asked for
    /// once a day.
    pub async fn refresh_lookups(&self) -> Result<(), Halt> {
        let now = self.run.platform.now();
        let due = LOOKUPS.into_iter().filter(|lookup| {
            let known = self.known(lookup);
            known.is_none_or(|known| self.is_due(known, now))
        });
        self.ask_for(due.collect()).await
    }

    /// Has at hand what these records' codes and these stock codes stand for.
    pub async fn look_up(&self, records: &[Record], stock: Vec<Literal>) -> Result<(), Halt> {
        self.load().await?;
        let missing = |lookup: &&Lookup| {
            let codes = self.codes.borrow();
            let unknown = |record: &Record| !(lookup.explains)(&codes.lookups, &record.header);
            let published = self.known(lookup).is_none_or(|known| known.held == 1);
            let needed = match codes.rows.contains_key(lookup.table) {
                true => published && records.iter().any(unknown),
                // Nobody knows yet whether there is one.
                false => self.known(lookup).is_none(),
            };
            needed && !codes.asked.contains(lookup.table)
        };
        let missing = LOOKUPS.into_iter().filter(missing).collect();
        self.ask_for(missing).await?;
        self.look_up_stock(stock).await
    }

    pub fn with_lookups<T>(&self, then: impl FnOnce(&Lookups) -> T) -> T {
        then(&self.codes.borrow().lookups)
    }

    /// A time further ahead than its own period was written by a wrong clock and counts as past.
    fn is_due(&self, known: &Known, now: Millis) -> bool {
        // e.net may be mended any time; what OData publishes hardly ever changes.
        let period = match known.held == 1 || self.run.connection.syspro.enet.is_some() {
            true => HOUR,
            false => DAY,
        };
        !(0..period).contains(&(now - known.asked_at))
    }

    fn known(&self, lookup: &Lookup) -> Option<&Known> {
        let mut known = self.run.lookups.iter();
        known.find(|known| known.name == lookup.table)
    }

    /// Takes what earlier runs kept.
    async fn load(&self) -> Result<(), Halt> {
        if self.codes.borrow().loaded {
            return Ok(());
        }
        let statement = lookups::load(&self.run.connection.id);
        let mut answer = self.run.store.read(&[statement]).await?;
        let held: Vec<Held> = rows_as(answer.pop().unwrap_or_default())?;
        let mut codes = self.codes.borrow_mut();
        codes.loaded = true;
        for lookup in LOOKUPS {
            let held = held.iter().find(|held| held.name == lookup.table);
            let fresh = codes.rows.contains_key(lookup.table);
            if let (Some(held), false) = (held, fresh) {
                let rows: Vec<Map<String, Value>> =
                    typed::from_str(&held.codes).unwrap_or_default();
                codes.put(lookup, rows.into_iter().map(Row).collect());
            }
        }
        Ok(())
    }

    /// Reads these tables. The first fault ends it, unless it says only that the table is not there:
    /// what was read before is kept, and what is known from earlier runs goes on being used.
    async fn ask_for(&self, tables: Vec<&'static Lookup>) -> Result<(), Halt> {
        let mut asked = Vec::new();
        let mut ended = Ok(());
        for lookup in tables {
            match self.ask(lookup).await {
                Ok(said) => asked.extend(said),
                Err(halt) => {
                    ended = Err(halt);
                    break;
                }
            }
        }
        self.keep(&asked).await?;
        ended
    }

    /// Reads one table: what is to be kept of it.
    async fn ask(&self, lookup: &'static Lookup) -> Result<Option<Asked>, Halt> {
        let known = self.known(lookup);
        let held = known.filter(|known| known.held == 1);
        let asked = |hash: String, codes: Option<String>| Asked {
            name: lookup.table,
            hash,
            codes,
        };
        match self.rows_of(lookup).await {
            Ok(rows) => {
                let mut meant = Lookups::default();
                (lookup.add)(&mut meant, &rows);
                let hash = hash(&meant);
                let codes = json!(rows.iter().map(|row| &row.0).collect::<Vec<_>>()).to_string();
                let mut here = self.codes.borrow_mut();
                here.asked.insert(lookup.table);
                here.put(lookup, rows);
                Ok(Some(asked(hash, Some(codes))).filter(|asked| asked.size() <= MAX_KEPT))
            }
            Err(Halt::Fault(fault)) if fault.system() == System::Enet => {
                self.codes.borrow_mut().asked.insert(lookup.table);
                self.run.books.borrow_mut().note(without_enet(&fault));
                // Whatever it was, it is asked again in an hour: what hangs costs a run its time.
                let hash = held.map_or_else(String::new, |known| known.hash.clone());
                Ok(Some(asked(hash, None)))
            }
            Err(Halt::Fault(fault)) => {
                let absent = matches!(fault, Fault::Refused { .. } | Fault::Forbidden { .. });
                if held.is_none() && !absent {
                    // Mapped without it, records would lose what they say.
                    return Err(Halt::Fault(fault));
                }
                self.codes.borrow_mut().asked.insert(lookup.table);
                if held.is_some() {
                    self.run.books.borrow_mut().note(not_now(lookup, &fault));
                }
                let hash = held.map_or_else(String::new, |known| known.hash.clone());
                Ok(Some(asked(hash, None)))
            }
            Err(halt) => Err(halt),
        }
    }

    /// By OData; by e.net where OData does not publish the table and the connection has e.net.
    async fn rows_of(&self, lookup: &Lookup) -> Result<Vec<Row>, Halt> {
        let rows = self.all(&table_of(lookup)).await;
        let absent = matches!(
            rows,
            Err(Halt::Fault(Fault::Refused { .. } | Fault::Forbidden { .. }))
        );
        if !absent || self.run.connection.syspro.enet.is_none() {
            return rows;
        }
        let find = Find {
            table: lookup.table,
            columns: lookup.columns,
            key: lookup.key,
            rows: ENET_PAGE,
        };
        rows_by_comfnd(self.run.sender, &find).await
    }

    /// Commits what was asked, and, where a table says something new, that all is to be mapped again.
    async fn keep(&self, asked: &[Asked]) -> Result<(), Halt> {
        if asked.is_empty() {
            return Ok(());
        }
        let run = self.run;
        let is_news = |asked: &Asked| {
            let mut known = run.lookups.iter();
            let before = known.find(|known| known.name == asked.name);
            before.map_or("", |known| &known.hash) != asked.hash
        };
        let id = run.connection.id.as_str();
        let mut statements = lookups::save(id, run.platform.now(), asked);
        if asked.iter().any(is_news) {
            statements.push(lookups::map_again(id));
        }
        let mut answers = run.store.commit(statements).await?;
        #[derive(Deserialize)]
        struct Raised {
            mapping: i64,
        }
        let raised: Vec<Raised> = rows_as(answers.pop().unwrap_or_default())?;
        if let Some(raised) = raised.first() {
            run.mapping.set(raised.mapping);
        }
        Ok(())
    }

    /// Descriptions of stock codes: a large table, of which only what is needed is read.
    async fn look_up_stock(&self, codes: Vec<Literal>) -> Result<(), Halt> {
        let named = |code: Literal| match &code {
            Literal::Text(text) => Some((text.trim_end().to_owned(), code)),
            _ => None,
        };
        let mut unknown: SortedMap<String, Literal> = codes.into_iter().filter_map(named).collect();
        unknown.retain(|code, _| !self.codes.borrow().lookups.stock.contains_key(code));
        if unknown.is_empty() {
            return Ok(());
        }
        let groups: Vec<_> = unknown
            .values()
            .map(|code| vec![("StockCode", code.clone())])
            .collect();
        let rows = match self.grouped(&table_of(&STOCK), &groups).await {
            // A site that does not publish it: lines go by their codes.
            Err(Halt::Fault(Fault::Refused { .. } | Fault::Forbidden { .. })) => Vec::new(),
            rows => rows?,
        };
        let mut codes = self.codes.borrow_mut();
        (STOCK.add)(&mut codes.lookups, &rows);
        for code in unknown.into_keys() {
            codes.lookups.stock.get_or_default(code);
        }
        Ok(())
    }
}

/// Records go on with what was last known, or without.
fn without_enet(fault: &Fault) -> Reason {
    let Reason {
        code,
        reason,
        remedy,
        ..
    } = enet::reason(fault);
    let left_out = "Until then codes are explained as they last were, or not at all.";
    Reason::new(&code, reason, format!("{remedy} {left_out}"))
}

fn not_now(lookup: &Lookup, fault: &Fault) -> Reason {
    Reason::new(
        "lookup_stale",
        format!(
            "{} cannot be read now: codes are explained as it last said. {}",
            lookup.table,
            fault.sentence()
        ),
        fault.remedy(),
    )
}

fn table_of(lookup: &Lookup) -> Table<'static> {
    let columns = lookup.columns.iter();
    Table {
        name: lookup.table,
        select: columns.map(|name| (*name).to_owned()).collect(),
        key: lookup.key,
        filter: None,
        page: PAGE,
    }
}
