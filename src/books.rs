//! The books of a run: what came in and what became of it, feed by feed.

use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, Reason},
    sorted::SortedMap,
};

/// Counts of one feed in one run.
///
/// Left of the equals sign comes from the page, right from what the database says it did:
/// `read = unchanged + queued + excluded + failing + rejected` and
/// `taken = written + refused + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedBooks {
    pub read: u64,
    pub unchanged: u64,
    pub queued: u64,
    pub excluded: u64,
    /// Could not be mapped.
    pub failing: u64,
    /// Had no key or could not be read: in the audit, not in the ledger.
    pub rejected: u64,
    /// Due rows that delivery took up.
    pub taken: u64,
    pub written: u64,
    /// Refused by HubSpot.
    pub refused: u64,
    pub waiting: u64,
    /// Found to be gone from SYSPRO.
    pub gone: u64,
}

impl FeedBooks {
    pub fn balance(&self) -> bool {
        self.read == self.unchanged + self.queued + self.excluded + self.failing + self.rejected
            && self.taken == self.written + self.refused + self.waiting
    }

    /// Some record needs a person.
    fn troubled(&self) -> bool {
        self.rejected + self.failing + self.refused > 0
    }
}

/// Links between invoices and deals in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealBooks {
    pub linked: u64,
    /// Taken away, because their number was.
    pub unlinked: u64,
    /// Refused by HubSpot.
    pub refused: u64,
}

impl DealBooks {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A record that is no more in SYSPRO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    pub feed: String,
    pub key: String,
    /// What HubSpot is told of it.
    pub told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// That it is paid or consolidated.
    Settled,
    /// It was to be sent again and cannot be.
    Nothing,
}

/// So many are listed; all are counted.
const LISTED: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    pub feeds: SortedMap<String, FeedBooks>,
    #[serde(default, skip_serializing_if = "DealBooks::is_empty")]
    pub deals: DealBooks,
    /// What went wrong with a system or a poll, each said once.
    pub problems: Vec<Reason>,
    /// What people should know of, and nothing fails by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
    /// The first hundred records that were found to be gone from SYSPRO.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Gone>,
    /// What a system refused outright, or answered unreadably: twice in a row breaks the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strike: Option<Reason>,
    /// The bound that ended the run early; the next goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<String>,
    pub hubspot_calls: u32,
    pub syspro_reads: u32,
    pub d1_statements: u32,
}

/// How a run ended, as a colour people know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    Green,
    /// Something is to be looked at, nothing is lost.
    Amber,
    /// The books do not balance or a system failed.
    Red,
}

impl Colour {
    pub fn name(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Amber => "amber",
            Colour::Red => "red",
        }
    }
}

impl Books {
    pub fn feed(&mut self, feed: &str) -> &mut FeedBooks {
        self.feeds.get_or_default(feed.to_owned())
    }

    pub fn problem(&mut self, reason: Reason) {
        if !self.problems.contains(&reason) {
            self.problems.push(reason);
        }
    }

    pub fn note(&mut self, reason: Reason) {
        if !self.notes.contains(&reason) {
            self.notes.push(reason);
        }
    }

    pub fn gone<'a>(&mut self, feed: &str, keys: impl Iterator<Item = &'a str>, told: Told) {
        for key in keys {
            self.feed(feed).gone += 1;
            if self.gone.len() < LISTED {
                let (feed, key) = (feed.to_owned(), key.to_owned());
                self.gone.push(Gone { feed, key, told });
            }
        }
    }

    /// A problem of a whole system.
    pub fn fault(&mut self, fault: &Fault, reason: Reason) {
        if fault.is_final() {
            self.strike.get_or_insert_with(|| reason.clone());
        }
        self.problem(reason);
    }

    pub fn colour(&self) -> Colour {
        let balanced = self.feeds.values().all(FeedBooks::balance);
        if !balanced || !self.problems.is_empty() {
            Colour::Red
        } else if !self.notes.is_empty()
            || self.deals.refused > 0
            || self.feeds.values().any(FeedBooks::troubled)
        {
            Colour::Amber
        } else {
            Colour::Green
        }
    }

    /// Nothing was queued, sent, refused or worth a note: such a run leaves no row.
    pub fn quiet(&self) -> bool {
        self.problems.is_empty()
            && self.notes.is_empty()
            && self.deals.is_empty()
            && self.feeds.values().all(|feed| {
                feed.balance() && feed.read == feed.unchanged && feed.taken == 0 && feed.gone == 0
            })
    }
}
