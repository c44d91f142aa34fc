//! A preview: what the next syncs would do, found out by doing it, except that nothing is written to
//! HubSpot.
//!
//! The sync itself runs, under a *shadow* of the connection: a copy of its ledger, targets and cursors
//! that nobody else sees. SYSPRO and HubSpot are read for real; a write is counted and answered by
//! pretence. So the figures are the sync's own. When a pass finds nothing more to do they are counted,
//! and the shadow is taken away.
//!
//! It goes on over ticks: each phase keeps its place under the shadow, in the commit that moves it. A
//! change of the connection ends it, since half of it would be of another connection. So does a site
//! that keeps changing: after some passes it tells what it has.

mod report;
mod state;

use std::cell::{Cell, RefCell};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    books::{Books, Colour},
    connection::Connection,
    context::{Cursors, Progress, Run},
    feeds::FEEDS,
    platform::{Millis, Platform, Statement, StoreError},
    send::{Halt, NOTED, PREVIEW, Pretence},
    sorted::SortedSet,
    store::{
        cursors, ledger, rows_as,
        runs::{self, Asked},
        shadow::{self, Mailbox, Place, Standing},
    },
    sync::sync,
    typed,
};
use state::{PASSES, Phase, State, changed, still_changing};

/// Rows copied or taken away in one commit.
const SLICE: u32 = 1_000;
/// Passes in a row that a system's fault spoiled before the preview tells what it has.
const SPOILED: u32 = 3;
/// Where the preview's own place is kept.
const STATE: &str = "state";

/// Takes a preview as far as this tick allows.
///
/// # Errors
/// What keeps it from going on: the next tick does.
pub async fn preview<P: Platform>(run: &Run<'_, P>, asked: &Asked) -> Result<Progress, Halt> {
    let connection = shade(run);
    let preview = Preview {
        run,
        asked,
        shadow: &connection,
    };
    preview.go_on().await
}

/// Ends one that comes to no end by itself: what is told of it is told once its shadow is gone.
///
/// # Errors
/// What keeps the shadow from being taken away: the next tick goes on with it.
pub async fn give_up<P: Platform>(
    run: &Run<'_, P>,
    asked: &Asked,
    told: &Value,
) -> Result<(), Halt> {
    let connection = shade(run);
    let preview = Preview {
        run,
        asked,
        shadow: &connection,
    };
    let (standing, _) = preview.standing().await?;
    if standing.cast_at.is_none() {
        return Ok(());
    }
    let state = State {
        run: asked.id.clone(),
        report: Some((Colour::Red, told.clone())),
        ..State::default()
    };
    run.store.commit(vec![preview.keep(&state)]).await?;
    preview.clear().await
}

/// The connection by its shadow's name.
fn shade<P: Platform>(run: &Run<'_, P>) -> Connection {
    let mut connection = run.connection.clone();
    connection.id = shadow::id(&connection.id);
    connection
}

struct Preview<'a, P> {
    run: &'a Run<'a, P>,
    asked: &'a Asked,
    /// The connection by its shadow's name.
    shadow: &'a Connection,
}

impl<P: Platform> Preview<'_, P> {
    fn real(&self) -> &str {
        &self.run.connection.id
    }

    fn id(&self) -> &str {
        &self.shadow.id
    }

    async fn go_on(&self) -> Result<Progress, Halt> {
        let (mut standing, mut cursors) = self.standing().await?;
        let mut state: State = cursors.position(PREVIEW, STATE);
        if standing.cast_at.is_some() && state.run != self.asked.id {
            // Somebody else's, which came to no end.
            self.clear().await?;
            standing.cast_at = None;
        }
        match standing.cast_at {
            // Also one that was cut off before it was cast, or after it was taken away.
            None => {
                state = self.cast().await?;
                (standing, cursors) = self.standing().await?;
            }
            Some(cast_at) if cast_at != standing.changed_at => {
                self.clear().await?;
                return Ok(changed());
            }
            Some(_) => {}
        }
        if let Phase::Copying(place) = state.phase.clone() {
            self.copy(&mut state, place).await?;
        }
        if let Phase::Syncing = state.phase {
            self.sync(&mut state, &standing, cursors).await?;
        }
        if let Phase::Clearing = state.phase {
            self.clear().await?;
            return Ok(match state.report {
                Some((colour, report)) => Progress::Done(colour, report),
                None => changed(),
            });
        }
        Ok(Progress::Again(report::so_far(self).await?))
    }

    async fn standing(&self) -> Result<(Standing, Cursors), Halt> {
        let statements = [shadow::standing(self.real()), cursors::load(self.id())];
        let mut rows = self.run.store.read(&statements).await?;
        let cursors = rows_as(rows.pop().unwrap_or_default())?;
        let standing: Vec<Standing> = rows_as(rows.pop().unwrap_or_default())?;
        let standing = standing.into_iter().next();
        // Removed meanwhile: the run's next commit finds the lease gone.
        let standing = standing.ok_or(StoreError::Overtaken)?;
        Ok((standing, Cursors::new(cursors)))
    }

    async fn cast(&self) -> Result<State, Halt> {
        let state = State {
            run: self.asked.id.clone(),
            phase: Phase::Copying(Place::default()),
            ..State::default()
        };
        let mut statements = shadow::cast(self.real(), self.id()).to_vec();
        statements.push(self.keep(&state));
        statements.push(runs::forget_samples(self.real()));
        self.run.store.commit(statements).await?;
        Ok(state)
    }

    fn keep(&self, state: &State) -> Statement {
        let cursor = cursors::Cursor {
            feed: PREVIEW.to_owned(),
            poll: STATE.to_owned(),
            position: json!(state).to_string(),
        };
        cursors::save(self.id(), &[cursor])
    }

    async fn copy(&self, state: &mut State, mut from: Place) -> Result<(), Halt> {
        loop {
            self.run.sender.room_to_write()?;
            let slice = shadow::slice(self.real(), &from, SLICE);
            let mut rows = self.run.store.read(&[slice]).await?;
            let to: Vec<Place> = rows_as(rows.pop().unwrap_or_default())?;
            let mut statements = Vec::new();
            state.phase = Phase::Syncing;
            let to = to.into_iter().next();
            if let Some(to) = &to {
                let now = self.run.platform.now();
                statements.extend(shadow::copy(self.real(), self.id(), &from, to, now));
                state.phase = Phase::Copying(to.clone());
            }
            statements.push(self.keep(state));
            self.run.store.commit(statements).await?;
            match to {
                Some(to) => from = to,
                None => return Ok(()),
            }
        }
    }

    /// Passes of the sync, until one finds nothing to do or the tick is spent.
    async fn sync(
        &self,
        state: &mut State,
        standing: &Standing,
        cursors: Cursors,
    ) -> Result<(), Halt> {
        let sender = self.run.sender;
        let mut noted: Pretence = cursors.position(PREVIEW, NOTED);
        self.recall_emails(&mut noted).await?;
        sender.pretend(Some(noted));
        let mut began = self.run.began;
        let mut shadow = self.under_shadow(standing, cursors, began);
        let result = loop {
            shadow.due = match self.due(began).await {
                Ok(due) => RefCell::new(due),
                Err(halt) => break Err(halt),
            };
            if let Err(halt) = sync(&shadow).await {
                break Err(halt);
            }
            let books = shadow.books.replace(Books::default());
            let spoiled = !books.problems.is_empty() || shadow.parked("*").is_some();
            if spoiled || books.spent.is_some() || !progress(&books) {
                break Ok(books);
            }
            state.passes += 1;
            if state.passes >= PASSES {
                break Ok(books);
            }
            began = self.run.platform.now().max(began + 1);
            shadow.began = began;
        };
        let mut books = match result {
            Ok(books) => books,
            Err(halt) => {
                sender.pretend(None);
                return Err(halt);
            }
        };
        if books.spent.is_some() {
            self.run.more.set(true);
        }
        let spoiled = !books.problems.is_empty() || shadow.parked("*").is_some();
        state.spoiled = if spoiled { state.spoiled + 1 } else { 0 };
        let ends = match spoiled {
            true => books.strike.is_some() || state.spoiled >= SPOILED,
            false => books.spent.is_none() && (!progress(&books) || state.passes >= PASSES),
        };
        if ends && !spoiled && progress(&books) {
            books.note(still_changing());
        }
        let mut statements = Vec::new();
        let noted = sender.pretend(None).unwrap_or_default();
        shadow.cursors.borrow_mut().moved(PREVIEW, NOTED, &noted);
        if ends {
            state.report = Some(report::whole(self, &noted, &books).await?);
            state.phase = Phase::Clearing;
        }
        shadow.cursors.borrow_mut().moved(PREVIEW, STATE, state);
        statements.push(cursors::save(
            self.id(),
            &shadow.cursors.borrow_mut().to_save(),
        ));
        self.run.store.commit(statements).await?;
        Ok(())
    }

    /// Which contact has which e-mail by now: no two may have the same.
    async fn recall_emails(&self, noted: &mut Pretence) -> Result<(), Halt> {
        let mailboxes = shadow::mailboxes(self.id());
        let mut rows = self.run.store.read(&[mailboxes]).await?;
        let mailboxes: Vec<Mailbox> = rows_as(rows.pop().unwrap_or_default())?;
        for mailbox in mailboxes {
            noted.address(&mailbox.id, Some(mailbox.email));
        }
        Ok(())
    }

    fn under_shadow<'b>(
        &'b self,
        standing: &Standing,
        cursors: Cursors,
        began: Millis,
    ) -> Run<'b, P> {
        Run {
            platform: self.run.platform,
            connection: self.shadow,
            account: self.run.account,
            dialect: self.run.dialect,
            mapping: Cell::new(standing.mapping),
            lookups: typed::from_str(&standing.lookups).unwrap_or_default(),
            store: self.run.store,
            sender: self.run.sender,
            id: self.run.id,
            began,
            books: RefCell::default(),
            parks: RefCell::default(),
            cursors: RefCell::new(cursors),
            claimed: RefCell::default(),
            due: RefCell::default(),
            more: Cell::default(),
        }
    }

    async fn due(&self, began: Millis) -> Result<SortedSet<String>, Halt> {
        #[derive(Deserialize)]
        struct Due {
            feed: String,
        }
        let feeds = FEEDS.map(|feed| feed.name);
        let due = ledger::due_feeds(self.id(), &feeds, began);
        let mut rows = self.run.store.read(&[due]).await?;
        let due: Vec<Due> = rows_as(rows.pop().unwrap_or_default())?;
        Ok(due.into_iter().map(|due| due.feed).collect())
    }

    /// Takes the shadow away, a slice at a time.
    async fn clear(&self) -> Result<(), Halt> {
        loop {
            self.run.sender.room_to_write()?;
            let mut rows = self
                .run
                .store
                .commit(vec![shadow::clear(self.id(), SLICE)])
                .await?;
            let cleared = rows.pop().unwrap_or_default().len();
            if cleared < SLICE as usize {
                break;
            }
        }
        self.run
            .store
            .commit(shadow::lift(self.id()).to_vec())
            .await?;
        Ok(())
    }
}

/// Whether a pass found anything to do.
fn progress(books: &Books) -> bool {
    books.feeds.values().any(|feed| {
        feed.queued + feed.excluded + feed.failing + feed.written + feed.refused + feed.gone > 0
    })
}
