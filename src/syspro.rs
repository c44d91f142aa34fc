//! What SYSPRO's values mean. Pure: values in, values out.

/// One row as OData gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub serde_json::Map<String, serde_json::Value>);
