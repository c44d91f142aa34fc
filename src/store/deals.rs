//! Deals: the order numbers people wrote on them, and which invoices are linked to them.

use serde::{Deserialize, Serialize};

use super::json;
use crate::platform::Statement;

/// An order number on a deal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Number {
    pub deal: String,
    pub sales_order: String,
}

/// What is known of the link between an invoice and a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It is about to be made or taken away, or was and nobody knows.
    Trying,
    Ours,
    /// It was there before we looked: people's, and never taken away.
    Theirs,
    /// HubSpot will not have it. Tried again when the invoice is another object or is replayed.
    Refused,
}

/// A link, by the invoice's key in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    pub key: String,
    pub deal: String,
    /// HubSpot's id of the invoice: one made anew has another, and is linked anew.
    pub invoice_id: String,
    /// Nothing where the pair is not known yet.
    pub made: Option<Made>,
}

/// The numbers held of these deals.
pub fn of_deals(connection: &str, deals: &[&str]) -> Statement {
    Statement::new(
        "select d.deal, d.sales_order from json_each(?2) j cross join deals d
         where d.connection = ?1 and d.deal = j.value",
        [connection.into(), json(deals)],
    )
}

/// Which of these deals anything is known of.
pub fn known(connection: &str, deals: &[&str]) -> Statement {
    Statement::new(
        "select j.value as deal from json_each(?2) j
         where exists (select 1 from deals d where d.connection = ?1 and d.deal = j.value)
           or exists (select 1 from deal_links k where k.connection = ?1 and k.deal = j.value)",
        [connection.into(), json(deals)],
    )
}

/// From now on these deals bear these numbers and no others.
pub fn replace(connection: &str, deals: &[&str], numbers: &[Number]) -> [Statement; 2] {
    [
        Statement::new(
            "with j as materialized (select value ->> 'deal' as deal,
                 value ->> 'sales_order' as sales_order from json_each(?3))
             delete from deals where connection = ?1 and deal in (select value from json_each(?2))
               and (deal, sales_order) not in (select deal, sales_order from j)",
            [connection.into(), json(deals), json(numbers)],
        ),
        Statement::new(
            "insert into deals (connection, deal, sales_order)
             select ?1, value ->> 'deal', value ->> 'sales_order' from json_each(?2) where true
             on conflict do nothing",
            [connection.into(), json(numbers)],
        ),
    ]
}

/// Deals that people merged into others, each with its survivor: HubSpot moved their links. Those of
/// ours that the survivor's own numbers stand for stay ours; the others are people's from now on.
pub fn merged(connection: &str, into: &[(&str, &str)]) -> Statement {
    Statement::new(
        "with j as materialized (select value ->> 0 as gone, value ->> 1 as survivor
           from json_each(?2))
         insert into deal_links (connection, key, deal, invoice_id, made)
         select ?1, k.key, j.survivor, k.invoice_id, k.made
         from j cross join deal_links k indexed by deal_links_by_deal
         where k.connection = ?1 and k.deal = j.gone and exists (
           select 1 from ledger l cross join deals d
           where l.connection = ?1 and l.feed = 'invoices' and l.key = k.key
             and d.connection = ?1 and d.deal = j.survivor and d.sales_order = l.sales_order)
         on conflict do nothing",
        [connection.into(), json(into)],
    )
}

/// Deals that are no more: neither their numbers nor their links mean anything.
pub fn forget(connection: &str, deals: &[&str]) -> [Statement; 2] {
    let args = || [connection.into(), json(deals)];
    [
        Statement::new(
            "delete from deals where connection = ?1 and deal in (select value from json_each(?2))",
            args(),
        ),
        Statement::new(
            "delete from deal_links
             where connection = ?1 and deal in (select value from json_each(?2))",
            args(),
        ),
    ]
}

/// Links that no number stands for any more, among the next `limit` links after this one.
pub fn unfounded(connection: &str, after: (&str, &str), limit: u32) -> [Statement; 2] {
    let args = || {
        let (key, deal) = after;
        [
            connection.into(),
            key.into(),
            deal.into(),
            i64::from(limit).into(),
        ]
    };
    [
        Statement::new(
            "select k.key, k.deal, k.invoice_id, k.made from (
               select key, deal, invoice_id, made from deal_links
               where connection = ?1 and (key, deal) > (?2, ?3) order by key, deal limit ?4) k
             where not exists (
               select 1 from ledger l cross join deals d
               where l.connection = ?1 and l.feed = 'invoices' and l.key = k.key
                 and d.connection = ?1 and d.deal = k.deal and d.sales_order = l.sales_order)",
            args(),
        ),
        Statement::new(
            "select key as first, deal as second from deal_links
             where connection = ?1 and (key, deal) > (?2, ?3)
             order by key, deal limit 1 offset ?4 - 1",
            args(),
        ),
    ]
}

/// Invoices in HubSpot that are to be linked to a deal and are not, among the next `limit` numbers
/// after this one.
pub fn missing(connection: &str, after: (&str, &str), limit: u32) -> [Statement; 2] {
    let args = || {
        let (deal, number) = after;
        [
            connection.into(),
            deal.into(),
            number.into(),
            i64::from(limit).into(),
        ]
    };
    [
        Statement::new(
            "select l.key, d.deal, t.hubspot_id as invoice_id, k.made from (
               select deal, sales_order from deals
               where connection = ?1 and (deal, sales_order) > (?2, ?3)
               order by deal, sales_order limit ?4) d
             cross join ledger l indexed by ledger_order
               on l.connection = ?1 and l.sales_order = d.sales_order
             cross join targets t on t.connection = ?1 and t.feed = l.feed and t.key = l.key
               and t.kind = 'invoice' and t.hubspot_id is not null
             left join deal_links k on k.connection = ?1 and k.key = l.key and k.deal = d.deal
             where k.made is null or k.made = 'trying' or k.invoice_id <> t.hubspot_id",
            args(),
        ),
        Statement::new(
            "select deal as first, sales_order as second from deals
             where connection = ?1 and (deal, sales_order) > (?2, ?3)
             order by deal, sales_order limit 1 offset ?4 - 1",
            args(),
        ),
    ]
}

/// Where a slice of [`unfounded`] or [`missing`] ends; no row where nothing comes after it.
#[derive(Clone, Debug, Deserialize)]
pub struct End {
    pub first: String,
    pub second: String,
}

pub fn save(connection: &str, links: &[Link]) -> Statement {
    Statement::new(
        "insert into deal_links (connection, key, deal, invoice_id, made)
         select ?1, value ->> 'key', value ->> 'deal', value ->> 'invoice_id', value ->> 'made'
         from json_each(?2) where true
         on conflict (connection, key, deal) do update set
           invoice_id = excluded.invoice_id, made = excluded.made",
        [connection.into(), json(links)],
    )
}

pub fn drop(connection: &str, links: &[Link]) -> Statement {
    Statement::new(
        "with j as materialized (select value ->> 'key' as key, value ->> 'deal' as deal
           from json_each(?2))
         delete from deal_links where connection = ?1 and (key, deal) in (select key, deal from j)",
        [connection.into(), json(links)],
    )
}
