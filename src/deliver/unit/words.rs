//! What a person reads of a record that people's doings in HubSpot keep from being as it should.

use crate::{fault::Reason, feeds::rules, hubspot::Kind, store::targets::Withheld};

pub fn withheld_reason(withheld: Withheld) -> Reason {
    match withheld {
        Withheld::Email => Reason::new(
            "email_withheld",
            "The e-mail is invalid or belongs to another contact, so this contact goes without it.",
            "Correct the e-mail in SYSPRO, or free it in HubSpot and replay the customer.",
        )
        .on("email"),
        Withheld::Deleted => deleted_reason(Kind::Contact),
        Withheld::Merged => Reason::new(
            "merged",
            "Its record was merged with another customer's in HubSpot and keeps that one's values.",
            "Nothing is to be done where the two are one; the invoices of both are on the one record. Where they are not, link it to a record of its own (POST /connections/{id}/links).",
        ),
    }
}

pub fn deleted_reason(kind: Kind) -> Reason {
    match kind {
        Kind::Contact => Reason::new(
            "contact_deleted",
            "The contact was deleted in HubSpot, so it is left out.",
            "Replay the customer to create the contact again.",
        ),
        kind => rules::deleted_in_hubspot(kind),
    }
}

/// Several records of people's could be it; `made`: a new one stands beside them.
pub fn ambiguous(kind: Kind, candidates: &[String], made: bool) -> Reason {
    let label = kind.label();
    let ids = candidates.join(", ");
    let (what, remedy) = match made {
        true => (
            "so a new one was made",
            "Link the customer to the right one (POST /connections/{id}/links), or to the new one if none of them is right.",
        ),
        false => (
            "so it waits for a decision",
            "Link the customer to the right one (POST /connections/{id}/links), or merge them in HubSpot and replay the customer.",
        ),
    };
    Reason::new(
        "ambiguous",
        format!("Several {label} records in HubSpot could be this customer ({ids}), {what}."),
        remedy,
    )
    .on("domain")
}
