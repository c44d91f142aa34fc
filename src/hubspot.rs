//! What HubSpot's requests and answers mean. Pure: values in, values out.

pub mod account;

use serde::{Deserialize, Serialize};

/// A kind of HubSpot object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Company,
    Contact,
    Invoice,
    LineItem,
}
