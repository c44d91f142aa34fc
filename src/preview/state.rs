//! How far a preview is, and what ends it before its time.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{books::Colour, context::Progress, fault::Reason, store::shadow::Place};

/// Passes that found something to do before a preview tells what it has: the first finds all there
/// was, a few more what came of it, and the rest what changes at the site meanwhile.
pub const PASSES: u32 = 20;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The run that asked for it.
    pub run: String,
    pub phase: Phase,
    /// Passes spoiled in a row.
    pub spoiled: u32,
    /// Passes that came to their end and found something to do.
    pub passes: u32,
    /// What is told once the shadow is gone.
    pub report: Option<(Colour, Value)>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The ledger is copied up to here.
    Copying(Place),
    Syncing,
    /// Nothing is left to be told: what stands under the shadow is taken away.
    #[default]
    Clearing,
}

pub fn still_changing() -> Reason {
    Reason::new(
        "still_changing",
        format!(
            "The site kept changing while it was looked at, so the preview was ended after {PASSES} passes: what changed during the last one may be told as not done yet."
        ),
        "Nothing is to be done; a preview at a quieter time tells all of it.",
    )
}

pub fn changed() -> Progress {
    let reason = Reason::new(
        "changed",
        "The connection was changed while this preview was under way, so it was given up.",
        "Ask for a preview again.",
    );
    Progress::Done(Colour::Red, json!({ "problems": [reason] }))
}
