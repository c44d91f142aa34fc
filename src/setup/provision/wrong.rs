//! What is wrong with properties of ours, in words: why, and what the person at the keyboard does.

use crate::{
    fault::Refusal, feeds::properties::Definition, hubspot::properties::Property,
    setup::check::AGAIN, sorted::SortedMap,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Wrong {
    /// The group they stand in could not be made.
    Group(Refusal),
    /// There, without the unique flag.
    NotUnique(String),
    /// Not there, and never to have the flag.
    UsedBefore(String),
    OtherType {
        name: String,
        is: String,
        needed: &'static str,
    },
    /// Values of ours that the list of options does not take.
    Options {
        name: String,
        lacks: String,
    },
    Refused {
        name: String,
        refusal: Refusal,
    },
    /// HubSpot took it and does not show it.
    NotThere(String),
}

/// What keeps ours from being used, of what is there and what was refused.
pub fn find(
    ours: &[Definition],
    there: &[Property],
    refused: &SortedMap<String, Refusal>,
) -> Vec<Wrong> {
    let found = |one: &Definition| {
        let there = there.iter().find(|property| property.name == one.name);
        match there {
            Some(there) => unusable(one, there),
            None => Some(missing(one, refused.get(&one.name))),
        }
    };
    ours.iter().filter_map(found).collect()
}

fn missing(one: &Definition, refusal: Option<&Refusal>) -> Wrong {
    let name = one.name.clone();
    match refusal {
        Some(refusal) if refusal.code == "UNIQUE_FLAG_REFUSED" => Wrong::UsedBefore(name),
        Some(refusal) => Wrong::Refused {
            name,
            refusal: refusal.clone(),
        },
        None => Wrong::NotThere(name),
    }
}

fn unusable(one: &Definition, there: &Property) -> Option<Wrong> {
    let name = one.name.clone();
    if there.data_type != one.data_type {
        return Some(Wrong::OtherType {
            name,
            is: there.data_type.clone(),
            needed: one.data_type,
        });
    }
    if one.unique && !there.has_unique_value {
        return Some(Wrong::NotUnique(name));
    }
    let values = one.options.iter().map(|(value, _)| *value);
    let lacks: Vec<&str> = values
        .filter(|value| !there.options.iter().any(|option| option == value))
        .collect();
    (!lacks.is_empty()).then(|| Wrong::Options {
        name,
        lacks: lacks.join(", "),
    })
}

const ANOTHER_PREFIX: &str = "Delete this connection and make it again with another `hubspot.prefix`, such as `erp_`: HubSpot never gives the unique flag to a name that was used without it.";

impl Wrong {
    pub fn why(&self) -> String {
        match self {
            Wrong::Group(refusal) => {
                format!("HubSpot refused to make the property group ({refusal}).")
            }
            Wrong::NotUnique(name) => {
                format!(
                    "The property `{name}` is there without the unique flag, so two records could bear one key."
                )
            }
            Wrong::UsedBefore(name) => {
                format!(
                    "A property `{name}` without the unique flag was in this portal once, so HubSpot refuses to make ours."
                )
            }
            Wrong::OtherType { name, is, needed } => {
                let (is, needed) = (type_label(is), type_label(needed));
                format!("The property `{name}` is there as {is} and must be {needed}.")
            }
            Wrong::Options { name, lacks } => {
                format!("The property `{name}` lacks these values among its options: {lacks}.")
            }
            Wrong::Refused { name, refusal } => {
                format!("HubSpot refused to make the property `{name}` ({refusal}).")
            }
            Wrong::NotThere(name) => {
                format!("The property `{name}` was made and is not shown yet.")
            }
        }
    }

    pub fn remedy(&self) -> String {
        match self {
            Wrong::Group(_) | Wrong::Refused { .. } => format!(
                "See in HubSpot (Settings, Properties) whether the portal's limit of properties is reached, or ask HubSpot's support with the correlation id; then {AGAIN}."
            ),
            Wrong::NotUnique(_) | Wrong::UsedBefore(_) => ANOTHER_PREFIX.to_owned(),
            Wrong::OtherType { .. } => format!(
                "If no other app or person uses it, delete it in HubSpot (Settings, Properties); then {AGAIN}: it is made anew. Else delete this connection and make it again with another `hubspot.prefix`, such as `erp_`."
            ),
            Wrong::Options { .. } => format!(
                "Add them in HubSpot (Settings, Properties), spelled the same; then {AGAIN}."
            ),
            Wrong::NotThere(_) => format!("Wait a minute; then {AGAIN}."),
        }
    }
}

fn type_label(data_type: &str) -> &str {
    match data_type {
        "string" => "text",
        "number" => "a number",
        "date" => "a date",
        "datetime" => "a date with time",
        "enumeration" => "a list of options",
        "bool" => "yes or no",
        other => other,
    }
}
