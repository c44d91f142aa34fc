//! What one run works with, handed down to ingest and delivery.

use std::cell::{Cell, RefCell};

use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    books::{Books, Colour},
    connection::Connection,
    feeds::{Feed, INVOICES},
    hubspot::{Api, Kind, account::Account},
    platform::{DAY, MINUTE, Millis, Platform, Statement},
    send::Sender,
    sorted::{SortedMap, SortedSet},
    store::{
        Store,
        connections::{Park, Parks},
        cursors::{self, Cursor},
        lookups,
    },
    syspro::odata::Dialect,
    typed,
};

pub struct Run<'a, P> {
    pub platform: &'a P,
    pub connection: &'a Connection,
    pub account: &'a Account,
    pub dialect: Dialect,
    /// The revision of the mapping: raised by a change of settings, or of what codes stand for.
    pub mapping: Cell<i64>,
    /// The tables of codes kept since earlier runs.
    pub lookups: Vec<lookups::Known>,
    pub store: &'a Store<'a, P>,
    pub sender: &'a Sender<'a, P>,
    pub id: &'a str,
    /// Rows due by then are this run's; what it puts off is the next one's.
    pub began: Millis,
    pub books: RefCell<Books>,
    pub parks: RefCell<Parks>,
    pub cursors: RefCell<Cursors>,
    /// Records of people's that this run takes over, kind and id: its chunks go side by side, and
    /// none may take what another has.
    pub claimed: RefCell<SortedSet<(Kind, String)>>,
    /// Feeds that had rows due when the run began, or got some since.
    pub due: RefCell<SortedSet<String>>,
    /// Something is left that a run right after this one could go on with.
    pub more: Cell<bool>,
}

/// How far what goes on over ticks came in this one, with its report.
pub enum Progress {
    /// The next tick goes on.
    Again(Value),
    Done(Colour, Value),
}

/// Where every poll is, and where the database thinks it is. A cursor that moves over a page with no
/// news needs no commit of its own: the next one takes it along.
#[derive(Debug, Default)]
pub struct Cursors {
    saved: SortedMap<(String, String), String>,
    moved: SortedMap<(String, String), String>,
}

impl Cursors {
    pub fn new(cursors: Vec<Cursor>) -> Self {
        let named = |cursor: Cursor| ((cursor.feed, cursor.poll), cursor.position);
        let saved: SortedMap<_, _> = cursors.into_iter().map(named).collect();
        Self {
            moved: saved.clone(),
            saved,
        }
    }

    /// Where a poll is; one that never was anywhere, or whose form is another version's, begins anew.
    pub fn position<T: Default + DeserializeOwned>(&self, feed: &str, poll: &str) -> T {
        let name = (feed.to_owned(), poll.to_owned());
        let position = self.moved.get(&name);
        position
            .and_then(|text| typed::from_str(text).ok())
            .unwrap_or_default()
    }

    pub fn moved(&mut self, feed: &str, poll: &str, position: &impl Serialize) {
        let name = (feed.to_owned(), poll.to_owned());
        self.moved.insert(name, json!(position).to_string());
    }

    /// Moves a cursor that the caller commits at once.
    pub fn put(&mut self, feed: &str, poll: &str, position: &impl Serialize) -> Cursor {
        self.moved(feed, poll, position);
        let position = json!(position).to_string();
        let name = (feed.to_owned(), poll.to_owned());
        self.saved.insert(name, position.clone());
        Cursor {
            feed: feed.to_owned(),
            poll: poll.to_owned(),
            position,
        }
    }

    /// What the database does not know yet. It goes into the next commit, and is known from then on:
    /// a commit that fails ends the run.
    pub fn to_save(&mut self) -> Vec<Cursor> {
        let news: Vec<Cursor> = self
            .moved
            .iter()
            .filter(|(name, position)| self.saved.get(*name) != Some(position))
            .map(|((feed, poll), position)| Cursor {
                feed: feed.clone(),
                poll: poll.clone(),
                position: position.clone(),
            })
            .collect();
        self.saved = self.moved.clone();
        news
    }
}

/// The name of the cursors of deals, which are no feed.
pub const DEALS: &str = "deals";

/// A stored time further ahead than this was written by a wrong clock and counts as past.
pub const PARK_MAX: Millis = DAY;

impl<P: Platform> Run<'_, P> {
    /// The unique property that our keys stand in.
    pub fn key_property(&self) -> String {
        format!("{}key", self.connection.hubspot.prefix)
    }

    pub fn api(&self) -> Api {
        Api {
            url: self.connection.hubspot.api_url.clone(),
            version: self.connection.hubspot.api_version.clone(),
        }
    }

    /// Whether this portal has no place for the feed: nothing of it is read or sent.
    pub fn leaves_out(&self, feed: &Feed) -> bool {
        feed.name == INVOICES.name && self.account.without.invoices
    }

    /// Whether invoices are linked to deals here.
    pub fn links_deals(&self) -> bool {
        !self.account.without.deals && !self.leaves_out(&INVOICES)
    }

    /// What the caller commits beside invoices or deals that changed: from then on the two are owed a
    /// look at each other, whatever becomes of this run. Nothing where an earlier commit said so: one
    /// that failed ended the run, and what it was to say is sent again.
    pub fn owe_deals(&self) -> Option<Statement> {
        let mut cursors = self.cursors.borrow_mut();
        if !self.links_deals() || cursors.position(DEALS, "links") {
            return None;
        }
        let owed = cursors.put(DEALS, "links", &true);
        Some(cursors::save(&self.connection.id, &[owed]))
    }

    /// The site's calendar day now.
    pub fn today(&self) -> NaiveDate {
        day_at(self.platform.now(), self.site_offset_ms())
    }

    /// When a day begins at the site.
    pub fn midnight(&self, day: NaiveDate) -> Millis {
        day.and_time(NaiveTime::MIN).and_utc().timestamp_millis() - self.site_offset_ms()
    }

    fn site_offset_ms(&self) -> Millis {
        self.connection
            .settings
            .site_utc_offset_minutes
            .map_or(self.account.utc_offset_ms, |minutes| {
                i64::from(minutes) * MINUTE
            })
    }

    /// The park that keeps a kind of object (or `*`, everything) from being written now.
    pub fn parked(&self, kind: &str) -> Option<Park> {
        let now = self.platform.now();
        let parks = self.parks.borrow();
        ["*", kind]
            .into_iter()
            .filter_map(|name| parks.get(name))
            .find(|park| park.until > now && park.until <= now + PARK_MAX)
            .cloned()
    }
}

pub fn day_at(now: Millis, offset_ms: Millis) -> NaiveDate {
    DateTime::from_timestamp_millis(now + offset_ms)
        .unwrap_or_default()
        .date_naive()
}

pub fn days_before(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(days)))
        .unwrap_or(NaiveDate::MIN)
}
