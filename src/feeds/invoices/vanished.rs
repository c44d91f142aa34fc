//! Invoices that are no more in SYSPRO.

use super::Document;
use crate::{
    feeds::{Object, Payload, fields::Fields},
    hubspot::Kind,
    syspro::key_parts,
};

/// For an invoice that vanished from SYSPRO: an open-item customer's was paid and purged, a
/// balance-forward customer's went into the balance brought forward. Its links stand, so it waits
/// for no customer.
pub fn gone(key: &str, balance_type: &str, prefix: &str) -> Payload {
    let status = if balance_type == "B" {
        "consolidated"
    } else {
        "paid"
    };
    let code = key_parts(key).pop().unwrap_or_default();
    let mut fields = Fields::new(prefix);
    fields.own("key", key);
    fields.own("balance_due", "0");
    fields.own("status", status);
    let header = Object {
        kind: Kind::Invoice,
        key: key.to_owned(),
        properties: fields.done(),
        on_create: Default::default(),
    };
    let is_draft = Document::of(&code) == Some(Document::Credit);
    Payload {
        objects: vec![header],
        status: (!is_draft).then(|| "paid".to_owned()),
        ..Payload::default()
    }
}

/// An invoice that vanished before it was sent: all that waits, with what settling changes of it.
pub fn settled_over(mut waiting: Payload, settled: Payload) -> Payload {
    let is_header = |object: &&mut Object| object.kind == Kind::Invoice;
    let header = waiting.objects.iter_mut().find(is_header);
    if let (Some(header), Some(now)) = (header, settled.objects.into_iter().next()) {
        header.properties.extend(now.properties);
    }
    Payload {
        status: settled.status,
        due: None,
        ..waiting
    }
}
