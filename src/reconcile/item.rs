//! A record of a page: what SYSPRO says of it, what the ledger does, and how it is booked.

use rust_decimal::Decimal;

use super::{
    same::number,
    standing::{Left, comparable},
    tally::{Amount, Tally},
    verdict::{Judge, Seen, Sent, Sight},
};
use crate::{
    context::{Run, days_before},
    feeds::{CUSTOMERS, Feed, Outcome, Payload, Record},
    hubspot::Kind,
    platform::{Millis, Platform},
    send::Halt,
    sorted::SortedMap,
    store::{
        ledger::Fate,
        reconcile::{self as stored, Customer, Standing},
        rows_as,
        targets::{Target, Withheld},
    },
    typed,
};

/// A record with what the ledger says of it.
pub struct Item {
    record: Record,
    outcome: Outcome,
    standing: Option<Standing>,
    targets: Vec<Target>,
    customer: Customer,
    left: Option<Left>,
}

pub async fn items<P: Platform>(
    run: &Run<'_, P>,
    feed: &Feed,
    records: Vec<(Record, Outcome)>,
) -> Result<Vec<Item>, Halt> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&str> = records.iter().map(|(it, _)| it.key.as_str()).collect();
    let standing = stored::standing(&run.connection.id, feed.name, &keys);
    let mut rows = run.store.read(&[standing]).await?;
    let standing: Vec<Standing> = rows_as(rows.pop().unwrap_or_default())?;
    let named = standing.into_iter().map(|it| (it.key.clone(), it));
    let mut standing: SortedMap<String, Standing> = named.collect();
    let horizon = days_before(run.today(), run.connection.settings.history_days);
    let item = |(record, outcome): (Record, Outcome)| {
        let standing = standing.remove(&record.key);
        let read = |text: Option<&str>| text.map(str::to_owned).unwrap_or_default();
        let targets = read(standing.as_ref().map(|it| it.targets.as_str()));
        let targets: Vec<Target> = typed::from_str(&targets).unwrap_or_default();
        let customer = read(standing.as_ref().and_then(|it| it.customer.as_deref()));
        let compared = comparable(&record, &outcome, standing.as_ref(), &targets, horizon);
        let left = compared.err();
        Item {
            record,
            outcome,
            standing,
            targets,
            customer: typed::from_str(&customer).unwrap_or_default(),
            left,
        }
    };
    Ok(records.into_iter().map(item).collect())
}

impl Item {
    fn payload(&self) -> Option<&Payload> {
        match &self.outcome {
            Outcome::Send(payload) => Some(payload),
            _ => None,
        }
    }

    pub fn sent(&self) -> Option<Sent<'_>> {
        let payload = self.payload().filter(|_| self.left.is_none())?;
        Some(Sent {
            payload,
            targets: &self.targets,
            customer: &self.customer,
        })
    }

    fn is_wanted(&self) -> bool {
        !matches!(&self.left, Some(left) if left.status == Fate::Excluded)
    }

    /// Its key, where HubSpot has something of it, in sync or not.
    pub fn known(&self) -> Option<&str> {
        let known = self.targets.iter().any(|it| it.hubspot_id.is_some());
        (known && self.is_wanted()).then_some(self.record.key.as_str())
    }

    /// Whether the ledger held it at that time.
    pub fn was_held(&self, at: Millis) -> bool {
        let came = self.standing.as_ref().map(|it| it.came_at);
        came.is_some_and(|came| came.is_none_or(|came| came < at))
    }

    pub fn book(self, feed: &Feed, names: &Amounts, judge: &Judge<'_>, tally: &mut Tally) {
        let key = self.record.key.as_str();
        if self.is_wanted() {
            self.count(names, judge.seen, tally);
        }
        let deleted = self
            .targets
            .iter()
            .any(|it| it.kind == Kind::Contact && it.withheld == Some(Withheld::Deleted));
        if deleted && self.left.is_none() {
            tally.aside(feed.name, key, Left::contact_deleted());
        }
        match (self.sent(), &self.left) {
            (Some(sent), _) => {
                let synced_at = self.standing.as_ref().and_then(|it| it.synced_at);
                tally.compared(feed.name, key, judge.judge(&sent), synced_at);
            }
            (None, Some(left)) => tally.aside(feed.name, key, left.clone()),
            (None, None) => {}
        }
    }

    fn count(&self, names: &Amounts, seen: &Seen, tally: &mut Tally) {
        let key = self.record.key.as_str();
        let header = self.payload().and_then(|it| it.objects.first());
        let Some(syspro) = header
            .and_then(|header| names.read(&header.properties, None))
            .or_else(|| names.of_row(&self.record))
        else {
            return;
        };
        let hubspot = match seen.objects.get(&(names.kind, key.to_owned())) {
            Some(Sight::Found(found)) => names.read(&found.properties, Some(&syspro.currency)),
            _ => None,
        };
        match names.kind {
            Kind::Invoice => {
                let day = self.record.header.date("InvoiceDate").ok().flatten();
                tally.invoice(day, syspro, hubspot);
            }
            _ => tally.balance(key, syspro, hubspot),
        }
    }
}

/// Where a feed's records keep their amount.
pub struct Amounts {
    pub kind: Kind,
    value: String,
    currency: String,
}

impl Amounts {
    pub fn of(feed: &Feed, prefix: &str) -> Self {
        match feed.name == CUSTOMERS.name {
            true => Self {
                kind: Kind::Company,
                value: format!("{prefix}balance"),
                currency: format!("{prefix}currency"),
            },
            false => Self {
                kind: Kind::Invoice,
                value: format!("{prefix}total"),
                currency: "hs_currency".to_owned(),
            },
        }
    }

    pub fn shown(&self) -> [String; 2] {
        [self.value.clone(), self.currency.clone()]
    }

    /// HubSpot may show a record without its amount: it is there all the same.
    fn read(
        &self,
        properties: &SortedMap<String, String>,
        currency: Option<&str>,
    ) -> Option<Amount> {
        let value = properties.get(&self.value).and_then(|text| number(text));
        let shown = properties.get(&self.currency).filter(|it| !it.is_empty());
        let shown = shown.map(|it| it.to_ascii_uppercase());
        match (value, currency) {
            (None, None) => None,
            (value, currency) => Some(Amount {
                currency: shown.or(currency.map(str::to_owned))?,
                value: value.unwrap_or(Decimal::ZERO),
            }),
        }
    }

    /// An invoice that cannot be mapped is an invoice of SYSPRO's all the same.
    fn of_row(&self, record: &Record) -> Option<Amount> {
        let value = record.header.decimal("CurrencyValue").ok().flatten();
        (self.kind == Kind::Invoice).then(|| Amount {
            currency: record.header.text("PostCurrency"),
            value: value.unwrap_or_default(),
        })
    }
}
