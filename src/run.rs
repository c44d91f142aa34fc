//! A run: one pass over one connection. Lease, ingest, deliver, books, release.

mod ended;
mod health;
mod portal;
mod span;

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use self::{ended::Spent, health::health};
use crate::{
    books::Books,
    config::Config,
    connection::Connection,
    context::{Cursors, Run},
    credentials,
    fault::Reason,
    feeds::FEEDS,
    hubspot::account::Account,
    platform::{Millis, Platform, Statement, StoreError},
    replay,
    send::{Halt, Seat, Sender},
    sorted::SortedSet,
    store::{
        LANDED, Rows, Store,
        connections::{self, Begins, Health, State, Stored},
        cursors, records, rows_as,
        runs::{self, Asked},
    },
    sync::sync,
    syspro::odata::Dialect,
    typed,
};

pub use ended::Ended;

/// A connection to be run, and the portal whose lease that takes.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    pub id: &'a str,
    pub portal: &'a str,
}

/// Takes one connection's run, if the portal is free.
pub async fn run<P: Platform>(platform: &P, config: &Config, due: Due<'_>) -> Ended {
    let began = platform.now();
    let owner = new_id(platform);
    let read = connections::to_run(due.id, &FEEDS.map(|feed| feed.name), began);
    let claimed = Store::claim(platform, due.portal, &owner, read).await;
    let (store, rows) = match claimed {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return Ended::held(),
        Err(error) => return Ended::unclaimed(error),
    };
    let spent = Cell::default();
    let result = under_the_lease(platform, config, &store, due, rows, &spent).await;
    if let Err(error) = &result {
        stop(platform, &store, due, error).await;
    }
    Ended::of(store.statements(), spent.get(), result.err())
}

/// A commit whose answer was lost says nothing of what was done: the lease is kept from others until
/// every write begun under it has landed or never will.
async fn stop<P: Platform>(platform: &P, store: &Store<'_, P>, due: Due<'_>, error: &StoreError) {
    let now = platform.now();
    let turn = connections::had_its_turn(due.id, now);
    let released = store.release(vec![turn], Some(now + LANDED), None).await;
    let line = json!({
        "event": "run_stopped",
        "connection": due.id,
        "why": format!("{error:?}"),
        "released": released.is_ok(),
    });
    platform.log(&line.to_string());
}

/// Only now is the connection's row the one that holds: before the lease it may have been changed.
async fn under_the_lease<P: Platform>(
    platform: &P,
    config: &Config,
    store: &Store<'_, P>,
    due: Due<'_>,
    rows: Rows,
    spent: &Cell<Spent>,
) -> Result<(), StoreError> {
    let begins: Vec<Begins> = rows_as(rows.clone())?;
    let stored: Option<Stored> = rows_as(rows)?.into_iter().next();
    let stored = stored.filter(|stored| stored.portal == due.portal);
    let asked = stored.as_ref().map(asked).unwrap_or_default();
    let stored = stored.filter(|it| it.state.runs() || !asked.is_empty());
    let (Some(stored), Some(begins)) = (stored, begins.into_iter().next()) else {
        return store.release(Vec::new(), None, None).await;
    };
    let fresh = || new_id(platform);
    let first = asked.iter().find(|asked| !asked.spans());
    let id = first.map_or_else(fresh, |asked| asked.id.clone());
    let pass = Pass {
        platform,
        config,
        stored: &stored,
        begins: &begins,
        store,
        id: &id,
        asked: &asked,
        began: platform.now(),
        spent,
    };
    pass.whole().await
}

/// What this run was asked for, the oldest first: of what goes on over ticks one, and of the rest
/// nothing where the connection does not run.
fn asked(stored: &Stored) -> Vec<Asked> {
    let read = |text: &str| typed::from_str::<Vec<Asked>>(text).unwrap_or_default();
    let mut asked = [read(&stored.spans), read(&stored.asked)].concat();
    let mut spans = false;
    asked.retain(|asked| match asked.spans() {
        true => !std::mem::replace(&mut spans, true),
        false => stored.state.runs(),
    });
    asked
}

struct Pass<'a, P> {
    platform: &'a P,
    config: &'a Config,
    stored: &'a Stored,
    begins: &'a Begins,
    store: &'a Store<'a, P>,
    id: &'a str,
    asked: &'a [Asked],
    began: Millis,
    spent: &'a Cell<Spent>,
}

impl<P: Platform> Pass<'_, P> {
    async fn whole(&self) -> Result<(), StoreError> {
        let (connection, account) = match self.open() {
            Ok(opened) => opened,
            Err(reason) => return self.cannot_begin(reason).await,
        };
        let (cursors, due) = self.begin().await?;
        let sender = Sender::new(
            self.platform,
            &connection,
            Some(&account),
            Some(self.store),
            self.config.bounds,
        )
        .seated(Seat::restore(
            &self.config.keys,
            &connection.id,
            self.stored.session.as_deref(),
        ));
        let run = Run {
            platform: self.platform,
            connection: &connection,
            account: &account,
            dialect: self.dialect(),
            mapping: Cell::new(self.stored.mapping),
            lookups: typed::from_str(&self.stored.lookups).unwrap_or_default(),
            store: self.store,
            sender: &sender,
            id: self.id,
            began: self.began,
            books: RefCell::default(),
            parks: RefCell::new(typed::from_str(&self.stored.parks).unwrap_or_default()),
            cursors: RefCell::new(cursors),
            claimed: RefCell::default(),
            due: RefCell::new(due),
            more: Cell::new(false),
        };
        let more = self.work(&run).await;
        sender.leave_if_idle().await;
        let spent = Spent {
            calls: sender.calls(),
            rows: sender.rows(),
            bytes: sender.bytes(),
            again: false,
        };
        self.spent.set(spent);
        let state = self.close(&run, more?).await?;
        let left = run.more.get() || run.books.borrow().spent.is_some();
        // One that came to a bound before it got anything would do no better at once.
        let again = left && state == State::Active && spent.calls + spent.rows > 0;
        self.spent.set(Spent { again, ..spent });
        Ok(())
    }

    /// The sync, and then what goes on over ticks; answers what the closing commit takes along.
    async fn work(&self, run: &Run<'_, P>) -> Result<Vec<Statement>, StoreError> {
        let mut more = Vec::new();
        if self.stored.state.runs() {
            match sync(run).await {
                Ok(()) => more.extend(portal::ask_again(run, self.stored).await),
                Err(Halt::Store(error)) => return Err(error),
                Err(_) => {}
            }
        } else {
            more.push(connections::had_its_turn(&self.stored.id, self.began));
        }
        if let Some(asked) = self.asked.iter().find(|asked| asked.spans()) {
            more.extend(span::go_on(run, asked).await?);
        }
        Ok(more)
    }

    fn open(&self) -> Result<(Connection, Account), Reason> {
        let connection = credentials::open(&self.config.keys, self.stored)?;
        let account = self.stored.account.as_deref().map(typed::from_str);
        match account {
            Some(Ok(account)) => Ok((connection, account)),
            _ => Err(Reason::new(
                "portal_unknown",
                "The HubSpot portal behind the token is not known yet.",
                "Give the token again (PATCH): it is checked at once.",
            )),
        }
    }

    /// What was found out of the OData server; what a server is hoped to do while nothing was.
    fn dialect(&self) -> Dialect {
        let found = self.stored.dialect.as_deref();
        found
            .and_then(|text| typed::from_str(text).ok())
            .unwrap_or_default()
    }

    /// The connection's own stored form does not open: only it is broken, and says why.
    async fn cannot_begin(&self, reason: Reason) -> Result<(), StoreError> {
        let now = self.platform.now();
        let news = self.broken_before().as_ref() != Some(&reason);
        let mut books = Books::default();
        if news || !self.asked.is_empty() {
            books.problem(reason.clone());
        }
        let health = Health {
            state: State::Broken,
            state_reason: Some(reason),
            // No system refused anything.
            strikes: self.stored.strikes,
            parks: typed::from_str(&self.stored.parks).unwrap_or_default(),
            good: false,
        };
        let mut statements = vec![connections::close(&self.stored.id, &health, now)];
        statements.extend(self.reports(&books, now));
        let spans = self.asked.iter().filter(|asked| asked.spans());
        statements.extend(spans.map(|asked| self.end(&asked.id, &asked.kind, &books, now)));
        self.store.release(statements, None, None).await
    }

    /// Why it is broken already.
    fn broken_before(&self) -> Option<Reason> {
        let reason = self.stored.state_reason.as_deref()?;
        let broken = self.stored.state == State::Broken;
        broken.then(|| typed::from_str(reason).ok())?
    }

    /// Takes up what was asked for; answers where every poll is and which feeds have rows due.
    async fn begin(&self) -> Result<(Cursors, SortedSet<String>), StoreError> {
        let connection = self.stored.id.as_str();
        let mut statements = Vec::new();
        if self.stored.under_way > 0 {
            // We hold the lease: whatever was under way is not any more.
            statements.push(runs::cut_off(connection, self.began));
        }
        let mut replays = false;
        for asked in self.asked.iter().filter(|asked| asked.began_at.is_none()) {
            statements.push(runs::begin(connection, &asked.id, self.began));
            if asked.kind == "replay" {
                let selection = replay::selection(asked);
                let replayed = selection.map(|it| records::replay(connection, &it, self.began));
                statements.extend(replayed.into_iter().flatten());
                replays = true;
            }
        }
        if !statements.is_empty() {
            self.store.commit(statements).await?;
        }
        let cursors = typed::from_str(&self.begins.cursors).unwrap_or_default();
        let mut due: Vec<String> = typed::from_str(&self.begins.due).unwrap_or_default();
        if replays {
            due.extend(FEEDS.map(|feed| feed.name.to_owned()));
        }
        Ok((Cursors::new(cursors), due.into_iter().collect()))
    }

    /// Balances the books, writes how it went, and gives the lease back; answers how the connection is.
    async fn close(&self, run: &Run<'_, P>, more: Vec<Statement>) -> Result<State, StoreError> {
        let now = self.platform.now();
        let books = {
            let mut books = run.books.borrow_mut();
            books.hubspot_calls = run.sender.calls();
            books.syspro_reads = run.sender.reads();
            books.d1_statements = self.store.statements();
            books.clone()
        };
        let health = health(run, &books, self.stored);
        let mut statements = vec![connections::close(&self.stored.id, &health, now)];
        let cursors = run.cursors.borrow_mut().to_save();
        if !cursors.is_empty() {
            statements.push(cursors::save(&self.stored.id, &cursors));
        }
        statements.extend(run.sender.session_to_save());
        statements.extend(more);
        statements.extend(self.reports(&books, now));
        let (hold, pace) = (run.sender.hold(), run.sender.pace());
        self.store.release(statements, hold, Some(pace)).await?;
        if !books.quiet() {
            self.platform.log(
                &json!({"event": "run", "connection": self.stored.id, "run": self.id,
                "state": books.colour(), "books": books})
                .to_string(),
            );
        }
        Ok(health.state)
    }

    /// A quiet tick leaves no row; whoever asked for a run finds how it went.
    fn reports(&self, books: &Books, now: Millis) -> Vec<Statement> {
        let asked = self.asked.iter().filter(|asked| !asked.spans());
        let ends: Vec<Statement> = asked
            .map(|asked| self.end(&asked.id, &asked.kind, books, now))
            .collect();
        match ends.is_empty() && !books.quiet() {
            true => vec![self.end(self.id, "cron", books, now)],
            false => ends,
        }
    }

    fn end(&self, id: &str, kind: &str, books: &Books, now: Millis) -> Statement {
        let report: Value = json!(books);
        let state = books.colour().name();
        runs::end(&self.stored.id, id, kind, state, self.began, now, &report)
    }
}

/// Ids sort by time, so that newest first is the key's own order.
pub fn new_id<P: Platform>(platform: &P) -> String {
    let mut random = [0; 5];
    platform.random(&mut random);
    let tail: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{:011x}-{tail}", platform.now().max(0))
}
