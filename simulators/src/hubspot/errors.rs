//! HubSpot's refusals: one body with many optional fields, as its documentation warns.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Kind;

/// A status and the body that goes with it.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub body: Box<Body>,
}

pub type Context = BTreeMap<&'static str, Vec<String>>;

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    pub status: &'static str,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    #[serde(skip_serializing_if = "Context::is_empty")]
    pub context: Context,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Detail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<BTreeMap<&'static str, &'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_category: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    pub context: Context,
}

/// What is wrong with one property of one record.
#[derive(Clone, Debug)]
pub struct Flaw {
    pub property: String,
    pub code: &'static str,
    pub message: String,
}

impl Flaw {
    pub fn new(property: &str, code: &'static str, message: String) -> Flaw {
        Flaw {
            property: property.into(),
            code,
            message,
        }
    }
}

/// The list HubSpot embeds, as JSON, in the message itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbeddedFlaw<'a> {
    is_valid: bool,
    message: &'a str,
    error: &'a str,
    name: &'a str,
    localized_error_message: &'a str,
    portal_id: u64,
}

impl Refusal {
    pub fn new(status: u16, category: &'static str, message: impl Into<String>) -> Refusal {
        let mut refusal = Refusal::bare(status, message);
        refusal.body.category = Some(category);
        refusal
    }

    /// One without a category.
    pub fn bare(status: u16, message: impl Into<String>) -> Refusal {
        let body = Body {
            status: "error",
            message: message.into(),
            ..Body::default()
        };
        Refusal {
            status,
            body: Box::new(body),
        }
    }

    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "VALIDATION_ERROR", message)
    }

    pub fn with(mut self, name: &'static str, values: Vec<String>) -> Refusal {
        self.body.context.insert(name, values);
        self
    }

    pub fn sub_category(mut self, name: &'static str) -> Refusal {
        self.body.sub_category = Some(name);
        self
    }

    pub fn not_found() -> Refusal {
        Refusal::bare(404, "resource not found")
    }

    pub fn no_such_object() -> Refusal {
        let message = "Object not found.  objectId are usually numeric.";
        Refusal::new(404, "OBJECT_NOT_FOUND", message)
    }

    pub fn missing_objects(kind: Kind, ids: Vec<String>) -> Refusal {
        let message = format!(
            "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
            kind.shouted()
        );
        Refusal::new(404, "OBJECT_NOT_FOUND", message).with("ids", ids)
    }

    pub fn duplicate_ids(ids: Vec<String>) -> Refusal {
        let message = format!(
            "Duplicate IDs found in batch input: [{}]. IDs must be unique",
            ids.join(", ")
        );
        Refusal::invalid(message).with("ids", ids)
    }

    pub fn too_many(limit: usize, given: usize) -> Refusal {
        Refusal::invalid(format!(
            "The maximum number of inputs supported in a batch request is {limit}, but {given} were given"
        ))
    }

    pub fn not_unique(kind: Kind, property: &str, portal_id: u64) -> Refusal {
        Refusal::invalid(format!(
            "Unable to perform update/upsert by non-unique {} property {property} in portal ID {portal_id}",
            kind.type_id()
        ))
    }

    pub fn missing_scopes(scopes: Vec<String>) -> Refusal {
        let mut refusal = Refusal::new(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
        );
        refusal.body.errors = vec![Detail {
            message: "One or more of the following scopes are required.".into(),
            code: None,
            context: Context::from([("requiredGranularScopes", scopes)]),
        }];
        refusal.body.links = Some(BTreeMap::from([(
            "scopes",
            "https://developers.hubspot.com/scopes",
        )]));
        refusal
    }

    /// Everything wrong with one record's properties, told twice as HubSpot does.
    pub fn flawed(flaws: &[Flaw], portal_id: u64) -> Refusal {
        let embedded: Vec<EmbeddedFlaw<'_>> = flaws
            .iter()
            .map(|flaw| EmbeddedFlaw {
                is_valid: false,
                message: &flaw.message,
                error: flaw.code,
                name: &flaw.property,
                localized_error_message: &flaw.message,
                portal_id,
            })
            .collect();
        let list = serde_json::to_string(&embedded).unwrap_or_default();
        let mut refusal = Refusal::invalid(format!("Property values were not valid: {list}"));
        refusal.body.errors = flaws
            .iter()
            .map(|flaw| Detail {
                message: flaw.message.clone(),
                code: Some(flaw.code),
                context: Context::from([("propertyName", vec![flaw.property.clone()])]),
            })
            .collect();
        refusal
    }

    /// The body of a request that is no JSON, or not of the expected form.
    pub fn unreadable(error: &serde_json::Error) -> Refusal {
        let what = match error.classify() {
            serde_json::error::Category::Data => {
                format!("Cannot deserialize value of type `java.lang.String`: {error}")
            }
            _ => format!("Unexpected character or end-of-input: {error}"),
        };
        Refusal::invalid(format!(
            "Invalid input JSON on line {}, column {}: {what}",
            error.line(),
            error.column()
        ))
    }
}
