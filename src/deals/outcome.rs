//! What became of some links, and its one commit.

use serde_json::{Value, json};

use crate::{
    books::DealBooks,
    context::Run,
    fault::{Reason, Refusal},
    feeds::INVOICES,
    hubspot::{Kind, refusal},
    platform::Platform,
    send::Halt,
    sorted::SortedSet,
    store::{
        audit,
        deals::{self, Link, Made},
    },
};

#[derive(Default)]
pub struct Outcome {
    /// Some are not done with.
    pub left: bool,
    saved: Vec<Link>,
    dropped: Vec<Link>,
    /// Deals that are no more.
    gone: SortedSet<String>,
    said: Vec<Said>,
    books: DealBooks,
}

/// A line of the audit.
struct Said {
    key: String,
    deal: String,
    what: &'static str,
    why: Option<Reason>,
}

impl Outcome {
    pub fn linked(&mut self, mut link: Link) {
        self.books.linked += 1;
        self.say(&link, "linked", None);
        link.made = Some(Made::Ours);
        self.saved.push(link);
    }

    pub fn not_linked(&mut self, mut link: Link, refusal: &Refusal) {
        if refusal::is_missing(refusal) {
            if refusal.other_id.as_ref() == Some(&link.deal) {
                self.gone.insert(link.deal);
                return;
            }
            // An invoice that people deleted: made anew, it has another id.
        } else {
            self.refused(&link, refusal);
        }
        link.made = Some(Made::Refused);
        self.saved.push(link);
    }

    pub fn unlinked(&mut self, link: Link) {
        self.books.unlinked += 1;
        self.say(&link, "unlinked", None);
        self.dropped.push(link);
    }

    pub fn forget(&mut self, links: impl IntoIterator<Item = Link>) {
        self.dropped.extend(links);
    }

    pub fn refused(&mut self, link: &Link, refusal: &Refusal) {
        self.books.refused += 1;
        let why = refusal::reason(refusal, Kind::Deal);
        self.say(link, "refused", Some(why));
    }

    fn say(&mut self, link: &Link, what: &'static str, why: Option<Reason>) {
        self.said.push(Said {
            key: link.key.clone(),
            deal: link.deal.clone(),
            what,
            why,
        });
    }

    pub async fn commit<P: Platform>(&mut self, run: &Run<'_, P>) -> Result<(), Halt> {
        let connection = run.connection.id.as_str();
        let mut statements = Vec::new();
        if !self.saved.is_empty() {
            statements.push(deals::save(connection, &self.saved));
        }
        if !self.dropped.is_empty() {
            statements.push(deals::drop(connection, &self.dropped));
        }
        if !self.gone.is_empty() {
            let gone: Vec<&str> = self.gone.iter().map(String::as_str).collect();
            statements.extend(deals::forget(connection, &gone));
        }
        if !self.said.is_empty() {
            let entries: Vec<audit::Entry> =
                self.said.iter().map(|said| said.entry(run.id)).collect();
            statements.push(audit::write(connection, run.platform.now(), &entries));
        }
        if !statements.is_empty() {
            run.store.commit(statements).await?;
        }
        let mut books = run.books.borrow_mut();
        for why in self.said.drain(..).filter_map(|said| said.why) {
            books.note(why);
        }
        books.deals.linked += self.books.linked;
        books.deals.unlinked += self.books.unlinked;
        books.deals.refused += self.books.refused;
        Ok(())
    }
}

impl Said {
    fn entry(&self, run: &str) -> audit::Entry {
        let mut said: Value = json!({ "deal": self.deal, "link": self.what });
        if let Some(why) = &self.why {
            said["reason"] = json!(why);
        }
        audit::Entry {
            id: format!("{run}/deal/{}/{}", self.key, self.deal),
            feed: INVOICES.name.to_owned(),
            key: self.key.clone(),
            outcome: match self.why {
                Some(_) => "failing",
                None => "synced",
            }
            .to_owned(),
            revision: None,
            source_date: None,
            source_version: None,
            seen_at: None,
            taken_at: None,
            said: said.to_string(),
        }
    }
}
