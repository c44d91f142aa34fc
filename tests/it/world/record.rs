//! What the world remembers for the tests to look at.

use std::rc::Rc;

use serde_json::Value;
use syspro_hubspot_sync::platform::{Millis, NoAnswer, Statement};

use super::{Request, Response, fate::Fate};

pub type TaskId = usize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    Died(&'static str),
}

/// One exchange, as the wire saw it and as its caller did.
#[derive(Clone, Debug)]
pub struct Call {
    pub task: TaskId,
    pub request: Rc<Request>,
    pub issued: Millis,
    /// Known once it has a connection.
    pub fate: Option<Fate>,
    pub landed: Option<Millis>,
    pub answered: Option<Millis>,
    /// What the caller was told; nothing while it waits, or when it died waiting.
    pub told: Option<Result<u16, NoAnswer>>,
}

impl Call {
    pub fn host(&self) -> &str {
        self.request.uri().host().unwrap_or_default()
    }

    /// Method, path and query.
    pub fn line(&self) -> String {
        let path = self.request.uri().path_and_query();
        let path = path.map_or("", |path| path.as_str());
        format!("{} {path}", self.request.method())
    }

    pub fn body(&self) -> &str {
        self.request.body()
    }
}

/// What reached the other side, at the instant it did.
pub enum Landing<'a> {
    Exchange {
        request: &'a Request,
        /// What it says about it, even if nobody will hear.
        response: Option<&'a Response>,
    },
    /// A D1 batch that was done, with the rows it gave.
    Batch {
        statements: &'a [Statement],
        rows: &'a [Vec<Value>],
    },
}
