//! How a run ended, and what it had of its invocation.

use crate::platform::StoreError;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    pub statements: u32,
    pub calls: u32,
    pub rows: u32,
    pub bytes: u64,
    /// Another run has the portal: nothing was done.
    pub held: bool,
    /// It came to a bound of this invocation, and another could go on at once.
    pub again: bool,
    /// The database, or another run, stopped it: what was committed stands.
    pub stopped: Option<StoreError>,
}

/// What a run has had so far, told also of one that the database stops.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub calls: u32,
    pub rows: u32,
    pub bytes: u64,
    pub again: bool,
}

/// The claim, and what the run would have begun with.
const CLAIM: u32 = 2;

impl Ended {
    pub(super) fn held() -> Self {
        Self {
            statements: CLAIM,
            held: true,
            ..Self::default()
        }
    }

    pub(super) fn unclaimed(error: StoreError) -> Self {
        Self {
            statements: CLAIM,
            stopped: Some(error),
            ..Self::default()
        }
    }

    pub(super) fn of(statements: u32, spent: Spent, stopped: Option<StoreError>) -> Self {
        let Spent {
            calls,
            rows,
            bytes,
            again,
        } = spent;
        Self {
            statements,
            calls,
            rows,
            bytes,
            held: false,
            again,
            stopped,
        }
    }
}
