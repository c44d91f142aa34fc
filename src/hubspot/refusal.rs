//! HubSpot's error envelope, and what it means for a person.
//!
//! Every field of the envelope is optional and several say the same thing: a code may stand in
//! `errors[].code`, in a JSON list inside `message`, or nowhere, so that only the sentence tells.
//! Messages quote records' values: nothing is taken out of one but codes, property names and ids.

mod words;

use serde_json::Value;

use super::{Kind, id_text};
use crate::fault::{Reason, Refusal};

/// Sentences that carry no code, and the name we give them.
const SENTENCES: &[(&str, &str)] = &[
    ("already has that value", "CONFLICTING_UNIQUE_VALUE"),
    ("Contact already exists", "CONFLICT"),
    ("Duplicate IDs found", "DUPLICATE_IDS"),
    ("by non-unique", "NON_UNIQUE_ID_PROPERTY"),
    (
        "with hasUniqueValue=true because a non-unique",
        "UNIQUE_FLAG_REFUSED",
    ),
    ("Invalid input JSON", "INVALID_JSON"),
    ("from object type", "INVALID_ASSOCIATION_TYPE"),
    ("for one to one association type", "SECOND_PARENT"),
    ("INVOICE_TO_LINE_ITEM", "INVOICE_WITHOUT_LINES"),
    ("Edit Associations", "MISSING_ASSOCIATION_PERMISSION"),
    ("associations are invalid", "INVALID_ASSOCIATION"),
    ("resource not found", "OBJECT_NOT_FOUND"),
    ("Object not found", "OBJECT_NOT_FOUND"),
];

/// One error: a whole answer's, or one of a 207's.
pub fn read(error: &Value) -> Refusal {
    let parts = parts(error);
    let message = messages(&parts);
    let listed = listed(&message);
    Refusal {
        code: code(error, &parts, listed.as_ref(), &message),
        field: field(&parts, listed.as_ref(), &message),
        other_id: other_id(error, &message),
        correlation_id: error
            .get("correlationId")
            .and_then(Value::as_str)
            .and_then(|id| plain(id, "-")),
    }
}

/// What the error's context says under `name`, at whatever depth and in whatever form.
pub(super) fn context(error: &Value, name: &str) -> Vec<String> {
    parts(error)
        .into_iter()
        .filter_map(|part| part.get("context")?.get(name))
        .flat_map(texts)
        .collect()
}

/// Everything any context of the error says.
pub(super) fn contexts(error: &Value) -> Vec<String> {
    parts(error)
        .into_iter()
        .filter_map(|part| part.get("context")?.as_object())
        .flat_map(|context| context.values().flat_map(texts))
        .collect()
}

/// The scopes a 403 asks for.
pub(super) fn scopes(error: &Value) -> Vec<String> {
    ["requiredGranularScopes", "requiredScopes"]
        .iter()
        .flat_map(|name| context(error, name))
        .filter_map(|scope| plain(&scope, "._-"))
        .collect()
}

/// Taken by another contact, or not an address: the contact may still go without it.
pub fn takes_email(refusal: &Refusal) -> bool {
    let email = refusal.field.as_deref() == Some("email");
    match refusal.code.as_str() {
        "INVALID_EMAIL" => email || refusal.field.is_none(),
        "CONFLICT" | "CONFLICTING_UNIQUE_VALUE" => email,
        _ => false,
    }
}

/// The unique value of this property is another record's.
pub fn is_taken(refusal: &Refusal, property: &str) -> bool {
    let codes = ["CONFLICT", "CONFLICTING_UNIQUE_VALUE"];
    codes.contains(&refusal.code.as_str()) && refusal.field.as_deref() == Some(property)
}

/// The record it speaks of is not there, deleted or merged away.
pub fn is_missing(refusal: &Refusal) -> bool {
    matches!(
        refusal.code.as_str(),
        "OBJECT_NOT_FOUND" | "INVALID_OBJECT_IDS"
    )
}

/// What setting up wants to make is there already.
pub fn already_exists(refusal: &Refusal) -> bool {
    refusal.code == "OBJECT_ALREADY_EXISTS"
}

/// Refused for one cause that is not a value of theirs: where many are, it lies in the portal.
///
/// What is wrong with a value is never the portal's: two bad e-mails in a hundred are two bad
/// e-mails, wherever they stand.
pub fn same_cause(a: &Refusal, b: &Refusal) -> bool {
    a.code == b.code && a.field == b.field && !of_a_record(a)
}

fn of_a_record(refusal: &Refusal) -> bool {
    let field = refusal.field.as_deref();
    match refusal.code.as_str() {
        "INVALID_JSON" | "INVALID_ASSOCIATION_TYPE" => false,
        "CONFLICT"
        | "CONFLICTING_UNIQUE_VALUE"
        | "DUPLICATE_IDS"
        | "SECOND_PARENT"
        | "REQUEST_TOO_LARGE"
        | "VALUE_TOO_LONG"
        | "INVOICE_WITHOUT_LINES" => true,
        code => is_missing(refusal) || code.starts_with("INVALID_") || field == Some("hs_currency"),
    }
}

/// The refusal in words a person can act on.
pub fn reason(refusal: &Refusal, kind: Kind) -> Reason {
    let (why, remedy) = words::words(refusal, kind);
    Reason {
        code: refusal.code.to_ascii_lowercase(),
        field: refusal.field.clone(),
        reason: why,
        remedy,
    }
}

/// The error and those nested in it.
fn parts(error: &Value) -> Vec<&Value> {
    let nested = error.get("errors").and_then(Value::as_array);
    std::iter::once(error)
        .chain(nested.into_iter().flatten())
        .collect()
}

fn messages(parts: &[&Value]) -> String {
    let messages: Vec<&str> = parts
        .iter()
        .filter_map(|part| part.get("message")?.as_str())
        .collect();
    messages.join("\n")
}

/// The first entry of the JSON list a message may hold.
fn listed(message: &str) -> Option<Value> {
    let start = message.find("[{")?;
    // cannot fail: `start` was found in the message
    let mut stream = serde_json::Deserializer::from_str(&message[start..]).into_iter::<Value>();
    match stream.next()?.ok()? {
        Value::Array(list) => list.into_iter().next(),
        _ => None,
    }
}

fn code(error: &Value, parts: &[&Value], listed: Option<&Value>, message: &str) -> String {
    let named = |value: Option<&Value>| plain(value?.as_str()?, "_.");
    let invalid_ids = !context(error, "INVALID_OBJECT_IDS").is_empty();
    let category = ["category", "errorType", "error"]
        .iter()
        .find_map(|name| named(error.get(name)));
    parts
        .iter()
        .find_map(|part| named(part.get("code")))
        .or_else(|| named(listed?.get("error")))
        .or_else(|| invalid_ids.then(|| "INVALID_OBJECT_IDS".to_owned()))
        .or_else(|| sentence(message))
        .or_else(|| category.clone().filter(|name| name != "VALIDATION_ERROR"))
        .or_else(|| named(error.get("subCategory")))
        .or(category)
        .unwrap_or_else(|| "UNKNOWN".to_owned())
}

fn sentence(message: &str) -> Option<String> {
    let found = SENTENCES.iter().find(|(part, _)| message.contains(part));
    found.map(|(_, code)| (*code).to_owned())
}

fn field(parts: &[&Value], listed: Option<&Value>, message: &str) -> Option<String> {
    let in_context = parts.iter().find_map(|part| {
        let context = part.get("context")?;
        ["propertyName", "propertyNames", "properties"]
            .iter()
            .find_map(|name| texts(context.get(name)?).into_iter().next())
    });
    let name = in_context
        .or_else(|| Some(listed?.get("name")?.as_str()?.to_owned()))
        .or_else(|| word_after(message, "propertyName="))
        .or_else(|| {
            message
                .contains("by non-unique")
                .then(|| word_after(message, " property "))?
        })
        .or_else(|| word_after(message, "A property named '"))
        .or_else(|| {
            message
                .contains("Contact already exists")
                .then(|| "email".to_owned())
        })?;
    plain(&name, "_")
}

fn other_id(error: &Value, message: &str) -> Option<String> {
    let existing = || word_after(message, "Existing ID: ");
    let holder = || {
        let (before, _) = message.rsplit_once(" already has that value")?;
        let id = before.rsplit(|c: char| !c.is_ascii_digit()).next();
        id.map(str::to_owned)
    };
    let invalid = || {
        let first = context(error, "INVALID_OBJECT_IDS").into_iter().next()?;
        first
            .split(|c: char| !c.is_ascii_digit())
            .find(|id| !id.is_empty())
            .map(str::to_owned)
    };
    existing()
        .or_else(holder)
        .or_else(invalid)
        .filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

fn word_after(text: &str, mark: &str) -> Option<String> {
    let (_, rest) = text.split_once(mark)?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    // cannot fail: `end` was found in the rest, or is its length
    (end > 0).then(|| rest[..end].to_owned())
}

/// The text, if it can be no more than a code, a name or an id.
fn plain(text: &str, also: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    (!text.is_empty() && text.len() <= 100 && text.chars().all(fits)).then(|| text.to_owned())
}

/// A context's value: a list of strings as documented, or one plain value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(id_text).collect(),
        value => id_text(value).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
