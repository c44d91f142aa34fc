//! Targets: the HubSpot objects that came of a ledger row, and what was last sent of each.

use serde::{Deserialize, Serialize};

use super::json;
use crate::{
    hubspot::Kind,
    platform::{Arg, Millis, Statement},
    sorted::{SortedMap, SortedSet},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub kind: Kind,
    /// The value of its unique property.
    pub object_key: String,
    pub hubspot_id: Option<String>,
    /// Of the properties last sent; blank when they must be sent again. Without an id: of the content
    /// of a line item that was to be created, and nobody knows whether it was.
    pub hash: String,
    /// Which id of a kind it was last linked to.
    pub links: SortedMap<Kind, String>,
    /// The properties we ever filled: only these are ever blanked.
    pub filled: SortedSet<String>,
    /// The `hs_invoice_status` last sent.
    pub status: Option<String>,
    pub withheld: Option<Withheld>,
    /// It was in HubSpot before us: its standard properties are people's unless we filled them.
    #[serde(default)]
    pub adopted: Option<Ground>,
    /// Standard properties of an adopted one that had a value when we looked.
    #[serde(default)]
    pub theirs: SortedSet<String>,
    /// Records without a key of ours that might have been it: a person chooses.
    #[serde(default)]
    pub candidates: Vec<String>,
    /// The records it was before, from which our key is still to be taken: ids with commas between.
    #[serde(default)]
    pub former: Option<String>,
    /// Hashes of the name and of the e-mail last sent.
    #[serde(default)]
    pub person: Option<String>,
    /// How often it was made anew after people deleted it.
    #[serde(default)]
    pub remade: u32,
}

/// Why a record of people's is a customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    Email,
    Domain,
    /// A person said so.
    Hand,
}

/// Why a part is left out until its source changes or it is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The e-mail belongs to another contact, or HubSpot finds it invalid.
    Email,
    /// A person deleted the record in HubSpot.
    Deleted,
    /// It is another record's as well, which it goes on being written from.
    Merged,
}

impl Target {
    pub fn new(kind: Kind, object_key: &str) -> Self {
        Self {
            kind,
            object_key: object_key.to_owned(),
            hubspot_id: None,
            hash: String::new(),
            links: SortedMap::new(),
            filled: SortedSet::new(),
            status: None,
            withheld: None,
            adopted: None,
            theirs: SortedSet::new(),
            candidates: Vec::new(),
            former: None,
            person: None,
            remade: 0,
        }
    }

    /// The record is another from now on, or none: nothing of what was known of it stands.
    pub fn begin_anew(&mut self) {
        let blank = Self::new(self.kind, &self.object_key);
        let before = std::mem::replace(self, blank);
        self.remade = before.remade;
        self.former = before.former;
    }

    /// A record that people had is this one's from now on.
    pub fn take_over(&mut self, id: String, ground: Ground) {
        self.begin_anew();
        self.hubspot_id = Some(id);
        self.adopted = Some(ground);
    }

    /// A customer's record that was chosen for it, and to which nothing has been written since.
    pub fn is_fresh(&self, key_property: &str) -> bool {
        let customers = matches!(self.kind, Kind::Company | Kind::Contact);
        customers && self.hubspot_id.is_some() && !self.filled.contains(key_property)
    }

    /// It is another record from now on, and this one gives up our key.
    pub fn leave(&mut self, id: String) {
        self.former = match self.former.take() {
            Some(former) => Some(format!("{former},{id}")),
            None => Some(id),
        };
    }

    /// A line item that may have been created without our hearing of it.
    pub fn is_tried(&self) -> bool {
        self.kind == Kind::LineItem && self.hubspot_id.is_none() && !self.hash.is_empty()
    }

    /// All of it is to be sent again, as if it had never been: a replay asked for that.
    pub fn is_replayed(&self) -> bool {
        self.hash.is_empty() && self.links.is_empty()
    }

    /// Neither it nor its own links are written.
    pub fn is_left_alone(&self) -> bool {
        matches!(self.withheld, Some(Withheld::Deleted | Withheld::Merged))
    }
}

/// A target and the ledger row it belongs to.
#[derive(Debug, Serialize)]
pub struct Owned<'a> {
    pub key: &'a str,
    #[serde(flatten)]
    pub target: &'a Target,
}

pub fn save(connection: &str, feed: &str, targets: &[Owned<'_>]) -> Statement {
    Statement::new(
        "insert into targets (connection, feed, key, kind, object_key, hubspot_id, hash, links,
           filled, status, withheld, adopted, theirs, candidates, former, person, remade)
         select ?1, ?2, value ->> 'key', value ->> 'kind', value ->> 'object_key',
           value ->> 'hubspot_id', value ->> 'hash', value -> 'links', value -> 'filled',
           value ->> 'status', value ->> 'withheld', value ->> 'adopted', value -> 'theirs',
           value -> 'candidates', value ->> 'former', value ->> 'person', value ->> 'remade'
         from json_each(?3) where true
         on conflict (connection, feed, key, kind, object_key) do update set
           hubspot_id = excluded.hubspot_id, hash = excluded.hash, links = excluded.links,
           filled = excluded.filled, status = excluded.status, withheld = excluded.withheld,
           adopted = excluded.adopted, theirs = excluded.theirs, candidates = excluded.candidates,
           former = excluded.former, person = excluded.person, remade = excluded.remade",
        [connection.into(), feed.into(), json(targets)],
    )
}

/// Forgets targets whose object was archived in HubSpot because SYSPRO no longer has it.
pub fn forget(connection: &str, feed: &str, gone: &[(&str, Kind, &str)]) -> Statement {
    Statement::new(
        "with j as materialized (select value ->> 0 as key, value ->> 1 as kind,
             value ->> 2 as object_key from json_each(?3))
         delete from targets where connection = ?1 and feed = ?2
           and (key, kind, object_key) in (select key, kind, object_key from j)",
        [connection.into(), feed.into(), json(gone)],
    )
}

/// Has the records below these keys that are in sync read and looked at again: what they are to be
/// linked to is another object than when they were sent. What stands of them is not sent again.
pub fn follow(connection: &str, feed: &str, now: Millis, parents: &[&str]) -> Statement {
    Statement::new(
        "with j as materialized (select value as key from json_each(?4))
         update ledger set due = ?3, hash = '' from j
         where ledger.connection = ?1 and ledger.feed = ?2
           and ledger.key > j.key || '/' and ledger.key < j.key || '0'
           and ledger.fate = 'synced' and ledger.gone_at is null",
        [connection.into(), feed.into(), now.into(), json(parents)],
    )
}

/// Of these records those that are a customer's already, by this connection or by another one of the
/// same portal, whoever made them. A preview's shadow has its connection's own in its copy.
pub fn taken_ids(connection: &str, kind: Kind, ids: &[&str]) -> Statement {
    Statement::new(
        "select distinct t.hubspot_id as id
         from json_each(?3) j cross join targets t indexed by targets_of_customers
           cross join connections c
         where t.hubspot_id = j.value and t.feed = 'customers' and t.kind = ?2
           and c.id = t.connection and (c.id = ?1 or c.portal <> '' and exists (
             select 1 from connections s left join connections o on o.id = s.shadow_of
             where s.id = ?1 and c.portal = coalesce(o.portal, s.portal)
               and c.id is not s.shadow_of))",
        [connection.into(), kind_name(kind).into(), json(ids)],
    )
}

/// Makes this record of HubSpot's a customer's, because a person says so; the one it was before loses
/// our key with the next delivery, and what it was is kept: linked back, it is that again. Answers no row
/// where it is another customer's (of two that were merged, the one's it is named after), or where
/// there is no such customer. Linked to what it is already, it only has no candidates any more.
pub fn link(connection: &str, key: &str, target: &Target, key_property: &str) -> Statement {
    Statement::new(
        r#"insert into targets (connection, feed, key, kind, object_key, hubspot_id, hash, links, filled,
           adopted)
         select connection, feed, key, ?3, ?4, ?5, '', '{}', '[]', 'hand' from ledger
         where connection = ?1 and feed = 'customers' and key = ?2 and not exists (
           select 1 from targets t indexed by targets_of_customers
             join connections c on c.id = t.connection
           where t.hubspot_id = ?5 and t.feed = 'customers' and t.kind = ?3
             and t.withheld is not 'merged' and (t.connection <> ?1 or t.key <> ?2)
             and (c.id = ?1 or c.portal <> '' and c.portal = (
               select portal from connections where id = ?1)))
         on conflict (connection, feed, key, kind, object_key) do update set
           former = iif(hubspot_id is null or hubspot_id = ?5, former,
             iif(former is null, hubspot_id, former || ',' || hubspot_id)),
           past = iif(hubspot_id is null or hubspot_id = ?5, past,
             json_set(past, '$."' || hubspot_id || '"', json_object('adopted', adopted,
               'filled', json(iif(json_valid(filled), filled, '[]'))))),
           adopted = iif(hubspot_id = ?5, adopted, iif(json_type(past, '$."' || ?5 || '"') is null,
             'hand', json_extract(past, '$."' || ?5 || '".adopted'))),
           filled = iif(hubspot_id = ?5, filled, (
             select json_group_array(value) from json_each(past, '$."' || ?5 || '".filled')
             where value <> ?6)),
           hubspot_id = ?5, hash = '', links = '{}', theirs = '[]',
           candidates = '[]', status = null, withheld = null, person = null, remade = 0
         returning former"#,
        [
            connection.into(),
            key.into(),
            kind_name(target.kind).into(),
            target.object_key.as_str().into(),
            target.hubspot_id.as_deref().into(),
            key_property.into(),
        ],
    )
}

/// What we know of a record that a customer's was before: whether we made it, and the invoices that we
/// linked to it, or may have.
pub fn left_behind(connection: &str, key: &str, target: &Target, former: &str) -> [Statement; 2] {
    let (kind, object_key) = (kind_name(target.kind), target.object_key.as_str());
    let made = Statement::new(
        r#"select hubspot_id as id from targets
         where connection = ?1 and feed = 'customers' and key = ?2 and kind = ?3 and object_key = ?4
           and json_type(past, '$."' || ?5 || '"') = 'object'
           and json_extract(past, '$."' || ?5 || '".adopted') is null"#,
        [
            connection.into(),
            key.into(),
            kind.as_str().into(),
            object_key.into(),
            former.into(),
        ],
    );
    let invoices = Statement::new(
        "select hubspot_id as id from targets
         where connection = ?1 and feed = 'invoices' and key > ?2 || '/' and key < ?2 || '0'
           and kind = 'invoice' and hubspot_id is not null
           and ?4 = coalesce(iif(json_valid(links), links ->> ?3, null), ?4)",
        [
            connection.into(),
            key.into(),
            kind.as_str().into(),
            former.into(),
        ],
    );
    [made, invoices]
}

/// Forgets that its invoices and its contact were linked to the record that a customer's was before: from
/// then on they are to be linked, also if it becomes the customer's again. Where nothing is known a link may
/// stand, see [`left_behind`].
pub fn forget_links(connection: &str, key: &str, kind: Kind, former: &str) -> [Statement; 2] {
    let kind = kind_name(kind);
    let args = || [connection, key, &kind, former].map(Arg::from);
    let invoices = Statement::new(
        "update targets set links = json_remove(links, '$.' || ?3)
         where connection = ?1 and feed = 'invoices' and key > ?2 || '/' and key < ?2 || '0'
           and kind = 'invoice' and iif(json_valid(links), links ->> ?3, null) = ?4",
        args(),
    );
    let contact = Statement::new(
        "update targets set links = json_remove(links, '$.' || ?3)
         where connection = ?1 and feed = 'customers' and key = ?2
           and kind = 'contact' and iif(json_valid(links), links ->> ?3, null) = ?4",
        args(),
    );
    [invoices, contact]
}

pub fn kind_name(kind: Kind) -> String {
    let name = serde_json::to_value(kind).ok();
    let name = name.as_ref().and_then(|name| name.as_str());
    // cannot fail: a kind is written as its name
    name.unwrap_or_default().to_owned()
}
