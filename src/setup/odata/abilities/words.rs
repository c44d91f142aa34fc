//! What was found of the server's abilities, as sentences.

use super::{Abilities, Asker, Check, Onward, Tried};
use crate::{
    connection::DateStyle,
    platform::Platform,
    setup::check::AGAIN,
    syspro::odata::{Dialect, Paging},
};

const OPERATOR: &str = "Ask whoever runs the OData service";

pub fn dates<P: Platform>(asker: &Asker<'_, P>, found: &Abilities) -> Check {
    const NAME: &str = "odata_dates";
    match &found.dates {
        Err(halt) => Check::halted(NAME, halt),
        Ok(Some(style)) if *style == asker.connection.settings.date_style => Check::passed(NAME),
        Ok(Some(style)) => noted(
            NAME,
            format!(
                "Dates are written to it as {}: it does not take the style that `date_style` names.",
                spelled(*style)
            ),
        ),
        Ok(None) => Check::failed(
            NAME,
            "It takes a date in none of the three styles: not as 2024-01-31T00:00:00Z, 2024-01-31 or datetime'2024-01-31T00:00:00'.",
            format!("{OPERATOR} how `InvoiceDate ge …` is written there, and report it."),
        ),
    }
}

fn spelled(style: DateStyle) -> &'static str {
    match style {
        DateStyle::Datetimeoffset => "2024-01-31T00:00:00Z",
        DateStyle::Date => "2024-01-31",
        DateStyle::V3 => "datetime'2024-01-31T00:00:00'",
    }
}

pub fn filter(can: Dialect, found: &Abilities) -> Check {
    const NAME: &str = "odata_filter";
    let all = [
        &found.eq,
        &found.ne,
        &found.or,
        &found.in_list,
        &found.text_order,
    ];
    for tried in all {
        if let Tried::Unknown(halt) = tried {
            return Check::halted(NAME, halt);
        }
    }
    let why = match &found.eq {
        Tried::Works => return noted(NAME, workarounds(can)),
        Tried::Empty => "Asked with `$filter` for a customer it has just shown, it finds none.",
        Tried::Refused => "It refuses `$filter` with `eq`.",
        _ => "It does not heed `$filter`: asked for one customer, it gives others.",
    };
    Check::failed(
        NAME,
        why,
        format!(
            "{OPERATOR} to let `$filter` through unchanged, any proxy in front of it included, as records are read by their numbers; then {AGAIN}."
        ),
    )
}

/// What stands in for what the server cannot do.
fn workarounds(can: Dialect) -> String {
    let mut said = Vec::new();
    if !can.text_order {
        said.push(
            "It cannot compare text with `gt`: balances and lines are asked for by number, not by range.",
        );
    }
    if !can.ne {
        said.push("It has no `ne`: `gt` and `lt` are used.");
    }
    if !can.or {
        said.push(match can.in_list {
            true => "It has no `or`: `in` is used, or one request after the other.",
            false => "It has no `or`: records are asked for one by one, which takes longer.",
        });
    }
    said.join(" ")
}

pub fn order(found: &Abilities) -> Check {
    const NAME: &str = "odata_order";
    match &found.order {
        Tried::Works => Check::passed(NAME),
        Tried::Unknown(halt) => Check::halted(NAME, halt),
        Tried::Refused => noted(NAME, "It refuses `$orderby`: no order is relied on."),
        _ => noted(
            NAME,
            "It does not heed `$orderby`: ascending and descending begin with the same row. No order is relied on.",
        ),
    }
}

pub fn paging(can: Dialect, found: &Abilities, onward: Option<&Onward>) -> Check {
    const NAME: &str = "odata_paging";
    for tried in [&found.order, &found.text_order] {
        if let Tried::Unknown(halt) = tried {
            return Check::halted(NAME, halt);
        }
    }
    let because = not_by_key(found);
    let way = match (can.paging(), onward) {
        (Some(Paging::Key), _) | (None, None) => String::new(),
        (Some(Paging::Link), _) => {
            format!("Pages follow the server's own links: {because}.")
        }
        (Some(Paging::Skip), _) => format!(
            "Pages are counted off with `$skip`: {because}. A row missed because others went meanwhile is taken by the next sweep."
        ),
        (None, Some(onward)) => return no_way(NAME, &because, onward),
    };
    let top = match can.top {
        true => "",
        false => "It does not take `$top`: pages are as long as the server makes them.",
    };
    let said = [way.as_str(), top].into_iter().filter(|it| !it.is_empty());
    noted(NAME, said.collect::<Vec<_>>().join(" "))
}

/// Why pages cannot go on behind the last key.
fn not_by_key(found: &Abilities) -> String {
    let mut said = Vec::new();
    match found.order {
        Tried::Works => {}
        Tried::Refused => said.push("it refuses `$orderby`"),
        _ => said.push("it does not heed `$orderby`"),
    }
    if !found.text_order.works() {
        said.push("it cannot compare text with `gt`");
    }
    said.join(", ")
}

fn no_way(name: &str, because: &str, onward: &Onward) -> Check {
    for tried in [&onward.link, &onward.skip] {
        if let Tried::Unknown(halt) = tried {
            return Check::halted(name, halt);
        }
    }
    let link = match &onward.link {
        Tried::Unfit(shape) => format!("it gives {shape}"),
        Tried::Refused => "it refuses its own `@odata.nextLink`".to_owned(),
        _ => "it gives no `@odata.nextLink`".to_owned(),
    };
    let skip = match &onward.skip {
        // Rows can be counted off only in an order.
        Tried::Works => String::new(),
        Tried::Refused => ", it refuses `$skip`".to_owned(),
        _ => ", it does not heed `$skip`".to_owned(),
    };
    Check::failed(
        name,
        format!("There is no way from one page to the next: {because}, {link}{skip}."),
        format!(
            "{OPERATOR} for one of these: `gt` on text with `$orderby`; pages that link to the next by `@odata.nextLink`, below `syspro.odata_url`; or `$skip` with `$orderby`; then {AGAIN}."
        ),
    )
}

fn noted(name: &str, why: impl Into<String>) -> Check {
    Check {
        why: why.into(),
        ..Check::passed(name)
    }
}
