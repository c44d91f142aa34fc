//! What a site's OData server can do, and so how it is asked.

use serde::{Deserialize, Serialize};

use crate::connection::DateStyle;

/// As the set-up checks find it out and store it. Until then every server is taken to do what the
/// default says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// `gt`, `ge` and `le` on text.
    pub text_order: bool,
    pub ne: bool,
    pub or: bool,
    pub in_list: bool,
    pub order_by: bool,
    pub top: bool,
    /// Asked for only where pages cannot go on by key, as is `next_link`.
    pub skip: bool,
    /// It cuts long answers into pages itself and links each to the next.
    pub next_link: bool,
    /// The date style it takes; nothing: as the settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateStyle>,
}

/// How a page leads to the next, in order of trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// What is behind the last key: rows that come and go meanwhile move nothing.
    Key,
    /// Where the server says.
    Link,
    /// Rows are counted: one that goes meanwhile hides another until the next pass.
    Skip,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            text_order: true,
            ne: true,
            or: true,
            in_list: false,
            order_by: true,
            top: true,
            skip: false,
            next_link: false,
            dates: None,
        }
    }
}

impl Dialect {
    /// Nothing where the server gives no way from one page to the next.
    pub fn paging(self) -> Option<Paging> {
        if self.ranges() {
            Some(Paging::Key)
        } else if self.next_link {
            Some(Paging::Link)
        } else if self.skip && self.order_by {
            Some(Paging::Skip)
        } else {
            None
        }
    }

    /// Whether the rows from one key to another can be asked for.
    pub fn ranges(self) -> bool {
        self.text_order && self.order_by
    }
}
