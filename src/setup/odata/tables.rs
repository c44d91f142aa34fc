//! The tables that are read, with their columns: one row of each says whether they are there.

use futures_util::{StreamExt, stream};

use super::{Asker, Check, is_missing};
use crate::{
    connection::Settings,
    fault::Fault,
    feeds::{
        FEEDS, customers, invoices,
        lookups::{BRANCHES, CLASSES, Lookup, SALESPEOPLE, STOCK, TERMS},
    },
    platform::Platform,
    send::Halt,
    setup::check::AGAIN,
    syspro::odata::{self, Query, Schema},
};

/// Tables asked for at once.
const LANES: usize = 2;

/// The tables of codes, and what people miss without each.
const OPTIONAL: [(&Lookup, &str); 5] = [
    (
        &TERMS,
        "without it due dates go by `default_due_days`, and terms have no descriptions",
    ),
    (&CLASSES, "without it customer classes have no descriptions"),
    (&BRANCHES, "without it branches have no names"),
    (&SALESPEOPLE, "without it salespeople have no names"),
    (
        &STOCK,
        "without it line items are named by their stock codes",
    ),
];

pub struct Wanted {
    table: &'static str,
    /// Empty: all of them.
    select: Vec<String>,
    /// What is missed without it, where the sync runs all the same.
    without: Option<&'static str>,
    /// Whether e.net gives the same.
    by_enet: bool,
}

/// What came of asking for a row.
pub enum Seen {
    Whole,
    Lacks(Vec<String>),
    Not(Halt),
}

impl Wanted {
    fn needed(table: &'static str, select: Vec<String>) -> Self {
        Self {
            table,
            select,
            without: None,
            by_enet: false,
        }
    }

    pub fn check(&self) -> String {
        format!("odata_{}", self.table)
    }

    pub fn is_optional(&self) -> bool {
        self.without.is_some()
    }
}

impl Seen {
    pub fn is_not_there(&self) -> bool {
        matches!(self, Seen::Not(halt) if is_missing(halt))
    }

    fn is_refused(&self) -> bool {
        matches!(self, Seen::Not(Halt::Fault(Fault::Refused { .. })))
    }
}

pub fn wanted(settings: &Settings) -> Vec<Wanted> {
    let owned = |columns: &[&str]| columns.iter().map(|&column| column.to_owned()).collect();
    let feed = |table: &'static str, mut columns: Vec<String>| {
        columns.extend(settings.modified_columns.get(table).cloned());
        Wanted::needed(table, columns)
    };
    let mut wanted: Vec<Wanted> = FEEDS
        .iter()
        .map(|it| feed(it.table, (it.columns)(settings)))
        .collect();
    wanted.push(Wanted::needed(
        customers::BALANCE_TABLE,
        owned(customers::BALANCE_COLUMNS),
    ));
    wanted.push(Wanted::needed(
        invoices::LINES_TABLE,
        owned(invoices::LINE_COLUMNS),
    ));
    wanted.extend(OPTIONAL.map(|(lookup, without)| Wanted {
        without: Some(without),
        by_enet: lookup.table != STOCK.table,
        ..Wanted::needed(lookup.table, owned(lookup.columns))
    }));
    wanted
}

pub async fn look<P: Platform>(asker: &Asker<'_, P>, wanted: &[Wanted]) -> Vec<Seen> {
    let rows = wanted.iter().map(|table| see(asker, table));
    stream::iter(rows).buffered(LANES).collect().await
}

async fn see<P: Platform>(asker: &Asker<'_, P>, wanted: &Wanted) -> Seen {
    let query = Query {
        table: wanted.table,
        select: wanted.select.clone(),
        top: Some(1),
        ..Query::default()
    };
    match asker.ask(&query).await {
        Err(halt) => Seen::Not(halt),
        Ok(page) => match page.rows.first() {
            None => Seen::Whole,
            Some(row) => {
                let there: Vec<&str> = row.0.keys().map(String::as_str).collect();
                lacking(&wanted.select, &there).map_or(Seen::Whole, Seen::Lacks)
            }
        },
    }
}

/// The columns that are not among those that are there, each with the nearest that is.
fn lacking(select: &[String], there: &[&str]) -> Option<Vec<String>> {
    let missing = select.iter().filter(|it| !there.contains(&it.as_str()));
    let other = |column: &&str| !select.iter().any(|it| it == column);
    let named = |column: &String| match nearest(column, there.iter().copied().filter(other)) {
        Some(near) => format!("{column} (the nearest is {near})"),
        None => column.clone(),
    };
    let missing: Vec<String> = missing.map(named).collect();
    (!missing.is_empty()).then_some(missing)
}

/// What is wrong with each table, in words: `$metadata` is read once, and only if one was refused.
pub async fn explain<P: Platform>(
    asker: &Asker<'_, P>,
    wanted: &[Wanted],
    seen: Vec<Seen>,
) -> Vec<Check> {
    let schema = match seen.iter().any(Seen::is_refused) {
        true => {
            let request = odata::ask_schema(&asker.service());
            asker.sender.odata(request, odata::read_schema).await.ok()
        }
        false => None,
    };
    let service = asker.service();
    let taken = wanted
        .iter()
        .map(|it| service.table_name(it.table).to_owned());
    let taken: Vec<String> = taken.collect();
    let mut checks = Vec::new();
    for (table, seen) in wanted.iter().zip(seen) {
        let check = match seen {
            Seen::Whole => Check::passed(&table.check()),
            Seen::Lacks(columns) => columns_missing(table, &columns),
            Seen::Not(halt) => why_not(asker, table, &halt, &taken, schema.as_ref()).await,
        };
        let by_enet = asker.connection.syspro.enet.is_some();
        checks.push(or_without(table, check, by_enet));
    }
    checks
}

async fn why_not<P: Platform>(
    asker: &Asker<'_, P>,
    wanted: &Wanted,
    halt: &Halt,
    taken: &[String],
    schema: Option<&Schema>,
) -> Check {
    let as_said = Check::halted(&wanted.check(), halt);
    let Halt::Fault(Fault::Refused { status, .. }) = halt else {
        return as_said;
    };
    let name = asker.service().table_name(wanted.table).to_owned();
    let columns = schema.and_then(|schema| schema.columns(&name));
    match (columns, status) {
        (Some(columns), _) => {
            let there: Vec<&str> = columns.iter().map(String::as_str).collect();
            let missing = lacking(&wanted.select, &there);
            missing.map_or(as_said, |missing| columns_missing(wanted, &missing))
        }
        (None, 404) => table_missing(wanted, &name, taken, schema),
        (None, _) if schema.is_some() => as_said,
        // It does not say what it publishes: a whole row shows the columns.
        (None, _) => {
            let query = Query {
                table: wanted.table,
                top: Some(1),
                ..Query::default()
            };
            let page = asker.ask(&query).await.ok();
            let row = page.as_ref().and_then(|page| page.rows.first());
            let there: Option<Vec<&str>> =
                row.map(|row| row.0.keys().map(String::as_str).collect());
            let missing = there.and_then(|there| lacking(&wanted.select, &there));
            missing.map_or(as_said, |missing| columns_missing(wanted, &missing))
        }
    }
}

fn table_missing(wanted: &Wanted, name: &str, taken: &[String], schema: Option<&Schema>) -> Check {
    // What is read under its own name is not this one under another.
    let other = |table: &&str| !taken.iter().any(|it| it == table);
    let near = schema.and_then(|schema| nearest(name, schema.tables().filter(other)));
    let its_name = near.unwrap_or("its name");
    let near = near.map_or(String::new(), |near| {
        format!(" The nearest it has is {near}.")
    });
    let table = wanted.table;
    Check::failed(
        &wanted.check(),
        format!("The OData service publishes no table {name}.{near}"),
        format!(
            "Publish it to the OData user, then {AGAIN}; or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {{\"{table}\": \"{its_name}\"}}."
        ),
    )
}

fn columns_missing(wanted: &Wanted, columns: &[String]) -> Check {
    let table = wanted.table;
    let (noun, it) = match columns.len() {
        1 => ("column", "it"),
        _ => ("columns", "them"),
    };
    Check::failed(
        &wanted.check(),
        format!("{table} has no {noun} {}.", columns.join(", ")),
        format!(
            "Let the OData service publish {it} with {table}, as SYSPRO 8 has {it}; then {AGAIN}. Columns you named yourself stand in `settings.address_columns` and `settings.modified_columns`."
        ),
    )
}

/// A table of codes that is not right keeps nobody from syncing, and e.net may have it.
fn or_without(wanted: &Wanted, check: Check, has_enet: bool) -> Check {
    let Some(without) = wanted.without.filter(|_| !check.ok) else {
        return check;
    };
    let why = check.why.trim_end_matches('.');
    if wanted.by_enet && has_enet && !check.unknown {
        return Check {
            why: format!("{why}; it is read through e.net."),
            ..Check::passed(&check.name)
        };
    }
    let enet = match wanted.by_enet {
        true => {
            " Or let the connection read it through e.net: give it `syspro.enet_url` with an operator."
        }
        false => "",
    };
    Check {
        why: format!("{why}; {without}."),
        remedy: format!("{}{enet}", check.remedy),
        optional: true,
        ..check
    }
}

/// The name that is spelled most alike, if one is alike at all.
fn nearest<'a>(name: &str, there: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let distance = |other: &&str| strsim::damerau_levenshtein(&lower, &other.to_lowercase());
    let nearest = there.min_by_key(distance)?;
    (distance(&nearest) * 3 <= name.len()).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_one_that_a_person_would_take_for_it() {
        let there = ["EMail", "Contact", "SoldToAddr1", "SoldToAddress2"];
        for (name, near) in [
            ("Email", Some("EMail")),
            ("Contacts", Some("Contact")),
            ("SoldToAddr2", Some("SoldToAddr1")),
            ("Telephone", None),
        ] {
            assert_eq!(nearest(name, there.into_iter()), near, "{name}");
        }
    }
}
