//! Why a call, and with it what needed its answer, came to no end.

use crate::{fault::Fault, platform::StoreError};

/// Why a run cannot go on with what it was doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Halt {
    Fault(Fault),
    Store(StoreError),
    /// A bound of this invocation is reached; the next goes on.
    Spent(&'static str),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Halt::Fault(fault)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Halt::Store(error)
    }
}
