//! Every refusal in our own words: what is wrong, and what a person does about it.

use super::{Kind, Refusal};

/// Why, and the remedy. HubSpot's own sentence is never used: it may quote the record.
type Words = (String, &'static str);

pub(super) fn words(refusal: &Refusal, kind: Kind) -> (String, String) {
    let said = Said::of(refusal, kind);
    let (why, remedy) = said
        .of_a_value()
        .or_else(|| said.of_the_portal())
        .or_else(|| said.of_a_link())
        .unwrap_or_else(|| said.of_anything());
    match &refusal.correlation_id {
        Some(id) => {
            let named = format!("the correlation id {id}");
            (why, remedy.replace("the correlation id", &named))
        }
        None => (why, remedy.to_owned()),
    }
}

struct Said<'a> {
    code: &'a str,
    name: Option<&'a str>,
    /// The object: `invoice`.
    label: &'static str,
    /// The property, as it stands in a sentence.
    field: String,
    /// The record in the way, as it stands in a sentence.
    other: String,
}

impl<'a> Said<'a> {
    fn of(refusal: &'a Refusal, kind: Kind) -> Self {
        let label = kind.label();
        let name = refusal.field.as_deref();
        Self {
            code: &refusal.code,
            name,
            label,
            field: name.map_or("a property".into(), |name| format!("`{name}`")),
            other: match &refusal.other_id {
                Some(id) => format!("{label} {id}"),
                None => format!("another {label}"),
            },
        }
    }

    fn of_a_value(&self) -> Option<Words> {
        let Self { field, other, .. } = self;
        Some(match (self.code, self.name) {
            (_, Some("hs_currency" | "hs_line_item_currency_code")) => (
                "HubSpot does not take the currency of this record.".into(),
                "Add the currency in HubSpot under Settings, Account defaults, Currency, or map its code in the connection's `currencies`.",
            ),
            (_, Some("price")) => (
                "HubSpot does not take the price of this line.".into(),
                "A price must be a number that is not negative: correct the line in SYSPRO.",
            ),
            ("INVALID_EMAIL", _) => (
                format!("{field} is not an e-mail address HubSpot accepts."),
                "Correct the address in SYSPRO.",
            ),
            ("CONFLICT" | "CONFLICTING_UNIQUE_VALUE", Some("email")) => (
                format!("The e-mail address belongs to {other} already."),
                "Correct the address in SYSPRO, or merge the two contacts in HubSpot.",
            ),
            ("CONFLICT" | "CONFLICTING_UNIQUE_VALUE", _) => (
                format!("The value of {field} belongs to {other} already, and it must be unique."),
                "Merge the two records in HubSpot, or clear the value on the one that should not have it.",
            ),
            ("INVALID_OPTION", _) => (
                format!("The value of {field} is not among the property's options."),
                "Add the option to the property in HubSpot, or correct the value in SYSPRO.",
            ),
            ("VALUE_TOO_LONG", _) => (
                format!("The text in {field} is longer than HubSpot takes."),
                "Shorten it in SYSPRO.",
            ),
            ("INVALID_DATE", _) => (
                format!("HubSpot does not take the date in {field}."),
                "Correct the date in SYSPRO.",
            ),
            ("INVALID_LONG" | "INVALID_INTEGER" | "INVALID_NUMBER" | "INVALID_DECIMAL", _) => (
                format!("HubSpot does not take the number in {field}."),
                "Correct the number in SYSPRO, or change the property's type in HubSpot to a number.",
            ),
            _ => return None,
        })
    }

    fn of_the_portal(&self) -> Option<Words> {
        let Self { field, label, .. } = self;
        Some(match self.code {
            "PROPERTY_DOESNT_EXIST" => (
                format!("The {label} object has no property {field} in HubSpot."),
                "Restore the property in HubSpot, or let the connection's set-up create it again.",
            ),
            "READ_ONLY_VALUE" => (
                format!("HubSpot calculates {field} itself and lets nobody set it."),
                "PATCH the connection with its token: what can be written is read again.",
            ),
            "MISSING_REQUIRED_PROPERTY" => (
                format!("The portal demands {field} on every new {label}, and SYSPRO holds none."),
                "In HubSpot make the property optional on the create form of this object, or fill it in SYSPRO.",
            ),
            "MISSING_CONDITIONAL_REQUIRED_PROPERTY" => (
                format!(
                    "A rule of the portal demands {field} together with the values of this {label}."
                ),
                "In HubSpot loosen the conditional rule of the property, or fill it in SYSPRO.",
            ),
            "NON_UNIQUE_ID_PROPERTY" => (
                format!(
                    "{field} does not have the unique flag, so records cannot be told apart by it."
                ),
                "HubSpot never adds the flag to a name it knows: make the connection again with another `prefix`.",
            ),
            "UNIQUE_FLAG_REFUSED" => (
                format!(
                    "A property of this name without the unique flag existed on the {label} object before."
                ),
                "HubSpot never forgets the old name: make the connection again with another `prefix`.",
            ),
            "OBJECT_ALREADY_EXISTS" => (
                format!("The {label} object has {field} in HubSpot already."),
                "Nothing to do if its type is right; else make the connection again with another `prefix`.",
            ),
            _ => return None,
        })
    }

    fn of_a_link(&self) -> Option<Words> {
        let label = self.label;
        Some(match self.code {
            "OBJECT_NOT_FOUND" | "INVALID_OBJECT_IDS" | "INVALID_ASSOCIATION" => (
                format!("The {label}, or what it is linked to, is no longer in HubSpot."),
                "Replay it to make it again, unless it was deleted on purpose.",
            ),
            "INVALID_ASSOCIATION_TYPE" => (
                format!("HubSpot does not know this kind of link of the {label}."),
                "Report it with the correlation id: the API version may have changed the link's number.",
            ),
            "SECOND_PARENT" => (
                "The line item belongs to another invoice or deal already.".into(),
                "Remove the line item from the other record in HubSpot, then replay the invoice.",
            ),
            "INVOICE_WITHOUT_LINES" => (
                "HubSpot sets this status only on an invoice that has line items.".into(),
                "The amounts stand in our own properties; check that the invoice has lines in SYSPRO.",
            ),
            "MISSING_ASSOCIATION_PERMISSION" => (
                "The user behind the token may not link records.".into(),
                "Give that user the permission to edit associations, or use a service key.",
            ),
            _ => return None,
        })
    }

    fn of_anything(&self) -> Words {
        let (code, label) = (self.code, self.label);
        match code {
            "DUPLICATE_IDS" => (
                format!("The same {label} stood twice in one request."),
                "Replay it; if it comes back, report it with the correlation id.",
            ),
            "REQUEST_TOO_LARGE" => (
                format!("The {label} is too large for one request."),
                "Shorten its longest texts in SYSPRO.",
            ),
            "INVALID_JSON" => (
                "HubSpot could not read the request.".into(),
                "Report it with the correlation id.",
            ),
            code => (
                match self.name {
                    Some(_) => format!(
                        "HubSpot refused this {label} with {code} on {}.",
                        self.field
                    ),
                    None => format!("HubSpot refused this {label} with {code}."),
                },
                "Look up the code in HubSpot's documentation, or ask its support with the correlation id.",
            ),
        }
    }
}
