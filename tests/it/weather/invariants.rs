//! What holds at every landing, not only when all is over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulators::hubspot::{Kind, Portal};
use syspro_hubspot_sync::{
    platform::{Arg, Millis, SECOND, Statement},
    syspro::record_key,
};
use url::Url;

use super::{changes::mark, portal::Deeds};
use crate::{
    site::Site,
    world::{ERP, HUBSPOT, Landing, Request, Response, Shared, World},
};

/// Watches a site from now on. What its cursors pass is known where its server is asked as most are.
pub fn watch(site: &Site, deeds: &Shared<Deeds>, odd: bool) {
    let mut hubspot = Watched {
        portal: site.portal.clone(),
        deeds: deeds.clone(),
        seen: site.portal.borrow().landings().len(),
        made: BTreeSet::new(),
        keys: BTreeMap::new(),
        newest: BTreeMap::new(),
    };
    let mut pages = Pages::default();
    let mut lease = Lease::default();
    site.world.on_landing(move |world, landing| match landing {
        Landing::Exchange { request, response } => match request.uri().host() {
            Some(HUBSPOT) => hubspot.look(),
            Some(ERP) if !odd => pages.answered(request, *response),
            _ => {}
        },
        Landing::Batch { statements, .. } => {
            lease.landed(world, statements);
            for statement in *statements {
                pages.passed(world, statement);
            }
            assert_eq!(world.d1().refusals(), &[] as &[String], "D1 said no");
        }
    });
}

/// HubSpot: nothing is made twice, nothing goes back to an older version of its source.
struct Watched {
    portal: Shared<Portal>,
    deeds: Shared<Deeds>,
    seen: usize,
    made: BTreeSet<(Kind, String)>,
    /// The key each record was last seen with.
    keys: BTreeMap<(Kind, u64), String>,
    /// By object and property: the newest its source was seen to be.
    newest: BTreeMap<(Kind, String), (u32, rust_decimal::Decimal)>,
}

impl Watched {
    fn look(&mut self) {
        let portal = self.portal.borrow();
        let landings = portal.landings();
        for landing in &landings[self.seen..] {
            let record = (landing.kind, landing.id);
            let before = match &landing.key {
                Some(key) => self.keys.insert(record, key.clone()),
                None => self.keys.remove(&record),
            };
            if landing.key.is_none() && !landing.created {
                // It gave its key up: another may be made with it.
                let before = before.map(|key| (landing.kind, key));
                self.newest.retain(|name, _| Some(name) != before.as_ref());
                self.made.retain(|name| Some(name) != before.as_ref());
                continue;
            }
            let name = (landing.kind, landing.key.clone().unwrap_or_default());
            // A line without a key is told by nothing: whoever judges counts them.
            if landing.created && landing.key.is_some() {
                let first =
                    self.made.insert(name.clone()) || self.deeds.borrow_mut().forgive(&name);
                assert!(first, "{name:?} was made twice");
            }
            let Some(object) = portal.object(landing.kind, landing.id) else {
                continue;
            };
            let number = object.get("phone").map_or(0, mark);
            // What is owed on an invoice only ever falls.
            let invoice = object.get("syspro_document_type") == Some("invoice");
            let owed = object
                .get("syspro_balance_due")
                .filter(|_| invoice)
                .and_then(|text| text.parse().ok());
            let owed = owed.unwrap_or(rust_decimal::Decimal::MAX);
            let newest = self.newest.entry(name.clone()).or_insert((number, owed));
            assert!(
                number >= newest.0 && (owed <= newest.1 || owed == rust_decimal::Decimal::MAX),
                "{name:?} went back from {newest:?} to {number} {owed}"
            );
            *newest = (number, owed);
        }
        self.seen = landings.len();
    }
}

/// The portal's lease: nobody takes it from a run that has it, and nobody commits without it.
#[derive(Default)]
struct Lease {
    owner: String,
    until: Millis,
}

/// How far apart the clocks of two invocations are in this weather.
const APART: Millis = 10 * SECOND;

impl Lease {
    fn landed(&mut self, world: &World, statements: &[Statement]) {
        let rows = world.rows("select owner, until from lease");
        let Some(row) = rows.first() else {
            return;
        };
        let owner = row["owner"].as_str().unwrap_or_default().to_owned();
        let first = statements
            .first()
            .filter(|it| it.sql.starts_with("insert into lease"));
        if let Some(Arg::Text(by)) = first.and_then(|first| first.args.get(1)) {
            let claims = first.is_some_and(|first| first.sql.contains("returning"));
            assert!(
                claims || *by == self.owner,
                "{by} committed while {:?} had the lease",
                self.owner
            );
        }
        if owner != self.owner && !owner.is_empty() {
            let now = world.now();
            let free = now + APART >= self.until;
            assert!(
                free,
                "{owner} took the lease {} ms too early",
                self.until - now
            );
        }
        self.owner = owner;
        self.until = row["until"].as_i64().unwrap_or_default();
    }
}

/// SYSPRO's pages, and the cursors that went behind them.
#[derive(Default)]
struct Pages {
    /// What the ledger was seen to hold, feed and key: it forgets nothing, but with its connection.
    ledger: BTreeSet<(String, String)>,
    /// By feed, poll and the key a page ends with: what every page that ended so held.
    held: BTreeMap<(&'static str, &'static str, String), BTreeSet<String>>,
}

impl Pages {
    fn answered(&mut self, request: &Request, response: Option<&Response>) {
        let Some(((feed, poll), order)) = poll_of(request) else {
            return;
        };
        let body = response.and_then(|it| serde_json::from_slice::<Value>(it.body()).ok());
        let rows = body.as_ref().and_then(|body| body["value"].as_array());
        let Some(last) = rows.and_then(|rows| rows.last()) else {
            return;
        };
        let values: Vec<&Value> = order.iter().map(|column| &last[column]).collect();
        let key = match feed {
            "customers" => &["Customer"][..],
            _ => &["Customer", "Invoice", "DocumentType"],
        };
        let of = |row: &Value| {
            let text = |column: &&str| {
                row[*column]
                    .as_str()
                    .unwrap_or_default()
                    .trim_end()
                    .to_owned()
            };
            let parts = std::iter::once("EDU1".to_owned()).chain(key.iter().map(text));
            record_key(parts)
        };
        let keys: BTreeSet<String> = rows.into_iter().flatten().map(of).collect();
        let place = (feed, poll, serde_json::json!(values).to_string());
        match self.held.get_mut(&place) {
            // Whichever of them was taken held these.
            Some(held) => held.retain(|key| keys.contains(key)),
            None => {
                self.held.insert(place, keys);
            }
        }
    }

    fn passed(&mut self, world: &World, statement: &Statement) {
        if statement.sql.starts_with("delete from connections") {
            self.ledger.clear();
        }
        if !statement.sql.starts_with("insert into cursors") {
            return;
        }
        for cursor in world.rows("select feed, poll, position from cursors") {
            let text = |name: &str| cursor[name].as_str().unwrap_or_default().to_owned();
            let position: Value = serde_json::from_str(&text("position")).unwrap_or_default();
            let place = match text("poll").as_str() {
                "recent" => &position["pass"][1],
                "sweep" => &position["after"],
                _ => continue,
            };
            let place = place.get("key").unwrap_or(place);
            let name = |(feed, poll): (&'static str, &'static str)| (feed, poll, place.to_string());
            let polls = [
                ("customers", "recent"),
                ("customers", "sweep"),
                ("invoices", "recent"),
                ("invoices", "sweep"),
            ];
            let poll = polls
                .into_iter()
                .find(|(feed, poll)| *feed == text("feed") && *poll == text("poll"));
            let Some(keys) = poll.and_then(|poll| self.held.get(&name(poll))) else {
                continue;
            };
            for key in keys {
                let name = (text("feed"), key.clone());
                if self.ledger.contains(&name) {
                    continue;
                }
                let sql = format!(
                    "select 1 from ledger where feed = '{}' and key = '{}'",
                    text("feed"),
                    key.replace('\'', "''")
                );
                assert!(
                    !world.rows(&sql).is_empty(),
                    "the {} cursor of {} went behind {key}, which nothing holds",
                    text("poll"),
                    text("feed")
                );
                self.ledger.insert(name);
            }
        }
    }
}

/// Which poll a page belongs to, and the columns it is ordered by.
fn poll_of(request: &Request) -> Option<((&'static str, &'static str), Vec<String>)> {
    let url = Url::parse(&request.uri().to_string()).ok()?;
    let pairs: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let get = |name: &str| pairs.get(name).map_or("", String::as_str);
    let filter = get("$filter");
    let poll = match url.path().rsplit('/').next()? {
        "ArCustomer" if !get("$select").contains("Name") => return None,
        "ArCustomer" if filter.contains("DateLastSale") => ("customers", "recent"),
        "ArCustomer" if !filter.contains(" eq ") => ("customers", "sweep"),
        "ArInvoice" if !get("$select").contains("CurrencyValue") => return None,
        "ArInvoice" if filter.contains("InvoiceBal1") => ("invoices", "sweep"),
        "ArInvoice" if filter.contains("InvoiceDate ge") => ("invoices", "recent"),
        _ => return None,
    };
    Some((
        poll,
        get("$orderby").split(',').map(str::to_owned).collect(),
    ))
}
