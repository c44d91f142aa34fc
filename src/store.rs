//! The database as the rest sees it: reads, and commits that prove the lease is still ours.
//!
//! Every SQL statement of the product is in this file or below it. Many rows travel as one JSON
//! argument: D1 binds at most 100 parameters, turns every bound number into a REAL, and counts
//! each statement of a batch against the invocation's queries.

pub mod audit;
pub mod checks;
pub mod connections;
pub mod cursors;
pub mod deals;
pub mod family;
pub mod keys;
pub mod ledger;
pub mod lookups;
pub mod reconcile;
pub mod records;
pub mod runs;
pub mod sessions;
pub mod shadow;
pub mod targets;
pub mod upkeep;

use std::cell::Cell;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::platform::{Arg, MINUTE, Millis, Platform, SECOND, Statement, StoreError};
use crate::typed;

/// How long a lease is claimed and renewed for.
pub const LEASE: Millis = 5 * MINUTE;
/// A stored lease further ahead than this was written by a wrong clock and counts as past.
pub const LEASE_MAX: Millis = 7 * MINUTE;
/// How long one call to HubSpot may take.
pub const CALL: Millis = 30 * SECOND;
/// How long after a lost answer its write may still land.
const SETTLE: Millis = 120 * SECOND;
/// How far apart the clocks of two invocations may be.
const SKEW: Millis = 10 * SECOND;
/// How long after a write began it has landed or never will, whoever looks at the clock.
pub const LANDED: Millis = CALL + SETTLE + SKEW;
/// What D1 says when a commit finds the lease gone.
pub const OVERTAKEN: &str = "NOT NULL constraint failed: lease.until";

/// The rows of one statement.
pub type Rows = Vec<Value>;

/// What a claim answers, where it was granted.
#[derive(Deserialize)]
struct Claimed {
    pace: Option<String>,
}

/// One run's access to the database.
pub struct Store<'a, P> {
    platform: &'a P,
    portal: &'a str,
    owner: &'a str,
    /// What the governor kept since the portal's last run.
    pace: Option<String>,
    until: Cell<Millis>,
    statements: Cell<u32>,
}

impl<'a, P: Platform> Store<'a, P> {
    /// Claims the portal's lease and reads, in the same instant, what is done under it; `None` when
    /// another run has it.
    ///
    /// # Errors
    /// As [`Platform::batch`].
    pub async fn claim(
        platform: &'a P,
        portal: &'a str,
        owner: &'a str,
        read: Statement,
    ) -> Result<Option<(Self, Rows)>, StoreError> {
        let now = platform.now();
        let until = now + LEASE;
        let statements = [claim(portal, owner, now, until), read];
        let mut answers = platform.batch(&statements).await?.into_iter();
        let claimed: Vec<Claimed> = rows_as(answers.next().unwrap_or_default())?;
        let Some(Claimed { pace }) = claimed.into_iter().next() else {
            return Ok(None);
        };
        let store = Self {
            platform,
            portal,
            owner,
            pace,
            until: Cell::new(until),
            statements: Cell::new(2),
        };
        Ok(Some((store, answers.next().unwrap_or_default())))
    }

    /// What the governor kept since the portal's last run.
    pub fn pace(&self) -> Option<&str> {
        self.pace.as_deref()
    }

    pub async fn read(&self, statements: &[Statement]) -> Result<Vec<Rows>, StoreError> {
        self.count(statements.len());
        self.platform.batch(statements).await
    }

    /// All of it or nothing, and nothing unless the lease is still ours. Answers the rows of each
    /// statement handed in.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] means it may have been done: the run must end and the next reload.
    pub async fn commit(&self, mut statements: Vec<Statement>) -> Result<Vec<Rows>, StoreError> {
        let until = self.platform.now() + LEASE;
        statements.insert(0, renew(self.portal, self.owner, until));
        self.count(statements.len());
        let mut rows = self.platform.batch(&statements).await?;
        // Commits under way at the same time may land in another order.
        self.until.set(self.until.get().max(until));
        rows.remove(0);
        Ok(rows)
    }

    /// Makes sure that a write begun now has landed, or never will, before the lease runs out.
    pub async fn cover_a_write(&self) -> Result<(), StoreError> {
        if self.until.get() - self.platform.now() < LANDED {
            self.commit(Vec::new()).await?;
        }
        Ok(())
    }

    /// Commits `statements` and gives the lease back; with `hold` the portal stays closed until then.
    /// Without a `pace` the governor keeps what it had.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn release(
        &self,
        mut statements: Vec<Statement>,
        hold: Option<Millis>,
        pace: Option<String>,
    ) -> Result<(), StoreError> {
        let until = hold.unwrap_or(0);
        statements.insert(0, give_back(self.portal, self.owner, until, pace));
        self.read(&statements).await?;
        Ok(())
    }

    pub fn statements(&self) -> u32 {
        self.statements.get()
    }

    fn count(&self, statements: usize) {
        let statements = u32::try_from(statements).unwrap_or(u32::MAX);
        self.statements
            .set(self.statements.get().saturating_add(statements));
    }
}

fn claim(portal: &str, owner: &str, now: Millis, until: Millis) -> Statement {
    Statement::new(
        "insert into lease (portal, owner, until) values (?1, ?2, ?3)
         on conflict (portal) do update set owner = excluded.owner, until = excluded.until
         where lease.until <= ?4 or lease.until > ?5
         returning pace",
        [
            portal.into(),
            owner.into(),
            until.into(),
            now.into(),
            (now + LEASE_MAX).into(),
        ],
    )
}

/// Nothing, which no `until` may be, when the lease has another owner or is gone ([`OVERTAKEN`]).
macro_rules! while_ours {
    ($rest:literal) => {
        concat!(
            "insert into lease (portal, owner, until)
             values (?1, ?2, (select ?3 from lease where portal = ?1 and owner = ?2))
             on conflict (portal) do update set ",
            $rest
        )
    };
}

/// The first statement of every commit: fails, and the batch with it, when the lease is not ours.
fn renew(portal: &str, owner: &str, until: Millis) -> Statement {
    Statement::new(
        while_ours!("until = max(until, excluded.until)"),
        [portal.into(), owner.into(), until.into()],
    )
}

/// The first statement of a run's last commit, which fails like any other.
fn give_back(portal: &str, owner: &str, until: Millis, pace: Option<String>) -> Statement {
    Statement::new(
        while_ours!("owner = '', until = excluded.until, pace = coalesce(?4, pace)"),
        [portal.into(), owner.into(), until.into(), pace.into()],
    )
}

/// Takes the lease from the run under way, which fails its next commit. What it has begun lands
/// before another can claim it: the end of the lease stays.
pub fn overtake(portal: &str) -> Statement {
    Statement::new(
        "update lease set owner = '' where portal = ?1",
        [portal.into()],
    )
}

/// Reads rows as `T`.
///
/// # Errors
/// [`StoreError::Refused`] when the database holds what this version did not write.
pub fn rows_as<T: DeserializeOwned>(rows: Rows) -> Result<Vec<T>, StoreError> {
    rows.into_iter()
        .map(|row| {
            typed::from_value(row).map_err(|error| {
                StoreError::Refused(format!("a stored row is not readable: {error}"))
            })
        })
        .collect()
}

/// Below D1's largest value of 2 MB, with room for a wrong guess.
const SLICE_BYTES: usize = 1_800_000;

/// Runs of rows that each fit into one argument.
pub fn slices<T>(rows: &[T], size: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = rest.iter().take_while(|row| {
            bytes += size(row);
            bytes <= SLICE_BYTES
        });
        let (slice, left) = rest.split_at(fits.count().max(1));
        rest = left;
        Some(slice)
    })
}

/// One argument for many rows.
pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Arg {
    // cannot fail: our own types, string keys only
    Arg::Text(serde_json::to_string(value).unwrap_or_else(|_| "[]".to_owned()))
}
