//! What a reconciliation has found so far: kept from tick to tick, and at its end the report.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{period::Period, standing::Left, verdict::Why};
use crate::{
    books::Colour,
    platform::Millis,
    sorted::SortedMap,
    store::{ledger::Fate, reconcile::Counted},
};

/// Records that differ are named up to here; all are counted.
const NAMED: usize = 500;
/// Reasons listed of one record; more are counted.
const WHYS: usize = 5;
/// Of those that were not compared, each for the same cause.
const EXAMPLES: usize = 20;
/// Customers with another balance.
const BALANCES: usize = 200;

/// How many records on a side, and what they amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    pub records: u64,
    #[serde(with = "rust_decimal::serde::str")]
    pub total: Decimal,
}

impl Sum {
    fn add(&mut self, amount: Decimal) {
        self.records += 1;
        self.total = self.total.checked_add(amount).unwrap_or(self.total);
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Both {
    pub syspro: Sum,
    pub hubspot: Sum,
}

impl Both {
    fn same(&self) -> bool {
        self.syspro == self.hubspot
    }

    fn show(&self, records: &str) -> Value {
        let side = |sum: &Sum| json!({ records: sum.records, "total": money(sum.total) });
        json!({ "syspro": side(&self.syspro), "hubspot": side(&self.hubspot), "same": self.same() })
    }
}

/// An amount with its currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    pub currency: String,
    pub value: Decimal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Difference {
    feed: String,
    key: String,
    why: Vec<Why>,
    /// Reasons beyond those listed.
    #[serde(default, skip_serializing_if = "is_none")]
    more: usize,
}

fn is_none(more: &usize) -> bool {
    *more == 0
}

/// Records that were not compared, all for the same cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Aside {
    feed: String,
    status: Fate,
    code: String,
    /// Of the first of them.
    reason: String,
    records: u64,
    keys: Vec<String>,
}

/// A customer's balance, where the two sides tell another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Balance {
    key: String,
    currency: String,
    #[serde(with = "rust_decimal::serde::str")]
    syspro: Decimal,
    /// Nothing where HubSpot has no such customer, or no balance of it.
    #[serde(with = "rust_decimal::serde::str_option")]
    hubspot: Option<Decimal>,
}

impl Balance {
    fn show(&self) -> Value {
        json!({
            "key": self.key, "currency": self.currency,
            "syspro": money(self.syspro), "hubspot": self.hubspot.map(money),
        })
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// By feed.
    compared: SortedMap<String, u64>,
    /// By month and currency.
    months: SortedMap<String, SortedMap<String, Both>>,
    /// By currency.
    balances: SortedMap<String, Both>,
    balances_differing: u64,
    balance_by_customer: Vec<Balance>,
    differing: u64,
    differences: Vec<Difference>,
    aside: Vec<Aside>,
    /// Rows without a key.
    keyless: u64,
    /// Invoices read that the ledger held when it began.
    held: u64,
    /// When those that differ were last in sync: the first and the last of them.
    sent: Option<(Millis, Millis)>,
}

impl Tally {
    pub fn keyless(&mut self, rows: usize) {
        self.keyless += rows as u64;
    }

    /// An invoice of the period, as SYSPRO has it and as HubSpot shows it.
    pub fn invoice(&mut self, day: Option<NaiveDate>, syspro: Amount, hubspot: Option<Amount>) {
        let month = day.map_or_else(String::new, |day| {
            format!("{:04}-{:02}", day.year(), day.month())
        });
        let months = self.months.get_or_default(month);
        add(months, syspro, hubspot);
    }

    /// That the ledger held an invoice of the period when it began.
    pub fn held(&mut self) {
        self.held += 1;
    }

    pub fn balance(&mut self, key: &str, syspro: Amount, hubspot: Option<Amount>) {
        if hubspot.as_ref() != Some(&syspro) {
            self.balances_differing += 1;
            if self.balance_by_customer.len() < BALANCES {
                self.balance_by_customer.push(Balance {
                    key: key.to_owned(),
                    currency: syspro.currency.clone(),
                    syspro: syspro.value,
                    hubspot: hubspot.as_ref().map(|amount| amount.value),
                });
            }
        }
        add(&mut self.balances, syspro, hubspot);
    }

    /// A record was compared; it is the same where there is no reason why not.
    pub fn compared(
        &mut self,
        feed: &str,
        key: &str,
        mut why: Vec<Why>,
        synced_at: Option<Millis>,
    ) {
        *self.compared.get_or_default(feed.to_owned()) += 1;
        if why.is_empty() {
            return;
        }
        self.differing += 1;
        if let Some(at) = synced_at {
            let (first, last) = self.sent.unwrap_or((at, at));
            self.sent = Some((first.min(at), last.max(at)));
        }
        if self.differences.len() < NAMED {
            // All that is listed is one value of the database, which holds two megabytes.
            let more = why.len().saturating_sub(WHYS);
            why.truncate(WHYS);
            let (feed, key) = (feed.to_owned(), key.to_owned());
            let difference = Difference {
                feed,
                key,
                why,
                more,
            };
            self.differences.push(difference);
        }
    }

    /// A record, or a part of it, was not compared.
    pub fn aside(&mut self, feed: &str, key: &str, left: Left) {
        let same =
            |it: &&mut Aside| it.feed == feed && it.status == left.status && it.code == left.code;
        if let Some(aside) = self.aside.iter_mut().find(same) {
            aside.records += 1;
            if aside.keys.len() < EXAMPLES {
                aside.keys.push(key.to_owned());
            }
            return;
        }
        self.aside.push(Aside {
            feed: feed.to_owned(),
            status: left.status,
            code: left.code,
            reason: left.reason,
            records: 1,
            keys: vec![key.to_owned()],
        });
    }

    /// What was found out so far, while it is not all.
    pub fn progress(&self, period: Period) -> Value {
        json!({
            "from": period.from, "to": period.to, "compared": self.compared,
            "differing": self.differing,
        })
    }

    pub fn report(&self, period: Period, counted: Counted) -> (Colour, Value) {
        let clean = self.differing == 0;
        let even = self.months.values().flat_map(SortedMap::values);
        let even = even.chain(self.balances.values()).all(Both::same);
        // Rows of the period that the ledger holds, and SYSPRO did not show.
        let unseen = counted.held.saturating_sub(counted.gone + self.held);
        // What a rule leaves out is as people want it.
        let settled = self.aside.iter().all(|it| it.status == Fate::Excluded);
        let colour = match (clean, even && settled && self.keyless + unseen == 0) {
            (false, _) => Colour::Red,
            (true, false) => Colour::Amber,
            (true, true) => Colour::Green,
        };
        let report = json!({
            "from": period.from,
            "to": period.to,
            "clean": clean,
            "compared": self.compared,
            "months": self.show_months(),
            "balances": self.balances.iter().map(|(currency, both)| {
                with(both.show("customers"), "currency", currency)
            }).collect::<Vec<_>>(),
            "balance_by_customer": self.balance_by_customer.iter().map(Balance::show).collect::<Vec<_>>(),
            "balances_differing": self.balances_differing,
            "differing": self.differing,
            "differences": self.differences,
            "replay": self.replay(),
            "not_compared": self.aside,
            "without_key": self.keyless,
            "gone_from_syspro": counted.gone,
            "not_shown_by_syspro": unseen,
        });
        (colour, report)
    }

    fn show_months(&self) -> Vec<Value> {
        let of = |month: &String, (currency, both): (&String, &Both)| {
            with(
                with(both.show("invoices"), "currency", currency),
                "month",
                month,
            )
        };
        let months = self.months.iter();
        months
            .flat_map(|(month, sums)| sums.iter().map(move |sum| of(month, sum)))
            .collect()
    }

    /// The body for `/replay` that mends all that differs; where they are too many to be named, a
    /// window over when they were last sent.
    fn replay(&self) -> Value {
        match self.sent {
            _ if self.differing == 0 => Value::Null,
            Some((first, last)) if self.differing > self.differences.len() as u64 => {
                json!({ "since": time(first), "until": time(last + 1) })
            }
            _ => {
                let named = self.differences.iter();
                let named = named.map(|it| json!({ "feed": it.feed, "key": it.key }));
                json!({ "records": named.collect::<Vec<_>>() })
            }
        }
    }
}

fn add(sums: &mut SortedMap<String, Both>, syspro: Amount, hubspot: Option<Amount>) {
    let both = sums.get_or_default(syspro.currency);
    both.syspro.add(syspro.value);
    if let Some(amount) = hubspot {
        let both = sums.get_or_default(amount.currency);
        both.hubspot.add(amount.value);
    }
}

/// With two places at least, as bookkeepers write it.
fn money(value: Decimal) -> String {
    let mut value = value.normalize();
    value.rescale(value.scale().max(2));
    value.to_string()
}

fn with(mut shown: Value, name: &str, value: &str) -> Value {
    if let Some(fields) = shown.as_object_mut() {
        fields.insert(name.to_owned(), json!(value));
    }
    shown
}

fn time(at: Millis) -> Option<String> {
    let at = DateTime::from_timestamp_millis(at)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
