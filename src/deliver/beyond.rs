//! Lines that HubSpot has of an invoice and SYSPRO does not: those it no longer has, and the one that stood
//! for all of them while its answers held none.
//!
//! Nobody here may have heard that HubSpot made that one: its answer was lost, the run died, or the
//! connection that knew of it is no more. The lines have keys of their own and would come to stand beside
//! it: what was billed, twice. So before an invoice that HubSpot had already gets its first lines, it is
//! looked for by its key.

use super::{
    batch::{Verdict, side_by_side},
    keyless::is_keyless,
    steps::{blocked, hold_parked, take_away},
    unit::{Unit, at},
    write::lacking,
};
use crate::{
    context::Run,
    crm::{self, By},
    feeds::invoices,
    hubspot::{Kind, objects, refusal},
    pace::Lane,
    platform::Platform,
    send::Halt,
    sorted::SortedMap,
    store::targets::Target,
};

/// Finds the line that stood for those about to be made: it is one too many then.
pub async fn find_stand_in<P: Platform>(run: &Run<'_, P>, units: &mut [Unit]) -> Result<(), Halt> {
    if is_keyless(run, Kind::LineItem) || run.parked(Kind::LineItem.path()).is_some() {
        return Ok(());
    }
    let open = units.iter().enumerate().filter(|(_, unit)| unit.is_open());
    let sought: SortedMap<String, usize> = open
        .filter(|(_, unit)| gets_first_lines(unit))
        .map(|(place, unit)| (key(unit), place))
        .collect();
    if sought.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = sought.keys().map(String::as_str).collect();
    let found = crm::records(run, Kind::LineItem, By::Key, &keys, &[]).await?;
    for (key, place) in &sought {
        let unit = at(units, *place);
        match found.get(key) {
            // Its lines wait until somebody says whether it is there.
            None => unit.hold(0, None),
            Some(None) => {}
            Some(Some(line)) => {
                let mut target = Target::new(Kind::LineItem, key);
                target.hubspot_id = Some(line.id.clone());
                unit.keep(target);
            }
        }
    }
    Ok(())
}

/// The line that stood for those about to be made, if there is one: its key, and what tells it where
/// lines have no keys.
pub fn stand_in<P: Platform>(
    run: &Run<'_, P>,
    unit: &Unit,
) -> Option<(String, SortedMap<String, String>)> {
    if !gets_first_lines(unit) {
        return None;
    }
    let mut objects = unit.payload.objects.iter();
    let invoice = objects.find(|object| object.kind == Kind::Invoice)?;
    let line = objects.find(|object| object.kind == Kind::LineItem)?;
    let total = format!("{}total", run.connection.hubspot.prefix);
    let values = [
        ("name", invoices::TOTAL_NAME),
        ("quantity", "1"),
        ("price", invoice.properties.get(&total)?),
        (CURRENCY, line.properties.get(CURRENCY)?),
    ];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some((key(unit), values.into_iter().collect()))
}

const CURRENCY: &str = "hs_line_item_currency_code";

/// Its invoice was in HubSpot before this run, and no line of it is known here.
fn gets_first_lines(unit: &Unit) -> bool {
    let lines = lacking(unit, Kind::LineItem);
    unit.payload.lines_complete
        && !unit.invoice_is_new
        && !lines.is_empty()
        && unit.line_ids().is_empty()
        && unit.object(Kind::LineItem, &key(unit)).is_none()
}

fn key(unit: &Unit) -> String {
    format!("{}{}", unit.due.key, invoices::ONLY_TOTAL)
}

/// Archives the lines SYSPRO no longer has. HubSpot answers the same for ids that are gone.
pub async fn archive<P: Platform>(run: &Run<'_, P>, units: &mut [Unit]) -> Result<(), Halt> {
    let open = units.iter().enumerate().filter(|(_, unit)| unit.is_open());
    let beyond: Vec<(usize, String, String)> = open
        .flat_map(|(at, unit)| {
            let lines = unit.lines_beyond().into_iter();
            lines.map(move |(key, id)| (at, key, id))
        })
        .collect();
    let send = async |some: &[_]| send_archive(run, some).await;
    let sent = side_by_side(&beyond, objects::MAX_INPUTS, send).await;
    for ((place, key, _), verdict) in beyond.iter().zip(sent.verdicts) {
        let unit = at(units, *place);
        match verdict {
            Ok(Some(())) => {
                unit.answered = true;
                unit.archived.push(key.clone());
            }
            Ok(None) => {}
            Err(refusal) => unit.fail(refusal::reason(&refusal, Kind::LineItem)),
        }
    }
    if let Some(why) = sent.blocked {
        blocked(run, Kind::LineItem, why)?;
        hold_parked(run, units, Kind::LineItem, |unit| {
            !unit.lines_beyond().is_empty()
        });
    }
    Ok(())
}

async fn send_archive<P: Platform>(
    run: &Run<'_, P>,
    some: &[(usize, String, String)],
) -> Result<Vec<Verdict<()>>, Halt> {
    let ids: Vec<&str> = some.iter().map(|(_, _, id)| id.as_str()).collect();
    let request = objects::archive(&run.api(), Kind::LineItem, &ids);
    take_away(run, Lane::General, request).await?;
    Ok(some.iter().map(|_| Ok(Some(()))).collect())
}
