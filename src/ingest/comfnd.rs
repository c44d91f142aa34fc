//! A whole table over e.net, for sites whose OData does not publish it.

use crate::{
    fault::{Fault, System},
    platform::Platform,
    send::{Halt, Sender},
    syspro::{
        Row,
        enet::{self, Find},
    },
};

/// Every row, page by page behind the last key. A page that is short is not the last one; only an
/// empty one is.
pub async fn rows_by_comfnd<P: Platform>(
    sender: &Sender<'_, P>,
    find: &Find<'_>,
) -> Result<Vec<Row>, Halt> {
    let mut rows: Vec<Row> = Vec::new();
    let mut after: Option<Vec<String>> = None;
    loop {
        let xml = enet::find(find, after.as_deref());
        let ask = |line: &_, id: &_| enet::query(line, id, "COMFND", &xml);
        let page = sender
            .enet(ask, |answer| enet::read_rows(find, answer))
            .await?;
        let Some(last) = page.last() else {
            return Ok(rows);
        };
        if page.iter().any(|row| row.cursor(find.key).is_none()) {
            return Err(unreadable(find, "a row without its key"));
        }
        let here: Vec<String> = find.key.iter().map(|column| last.text(column)).collect();
        if after.as_ref() == Some(&here) {
            return Err(unreadable(find, "the same page again instead of the next"));
        }
        sender.took(page.len());
        rows.extend(page);
        after = Some(here);
    }
}

fn unreadable(find: &Find<'_>, what: &str) -> Halt {
    Halt::Fault(Fault::Unreadable {
        system: System::Enet,
        shape: format!("{what}, of {}", find.table),
    })
}
