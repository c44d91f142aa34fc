//! What goes on over ticks until it is done, and writes nothing to HubSpot: it stays `running` from
//! one tick to the next, and keeps its place in the database by itself.

use serde_json::{Value, json};

use crate::{
    books::Colour,
    context::{Progress, Run},
    fault::{Fault, Reason},
    platform::{DAY, Millis, Platform, Statement, StoreError},
    preview::{give_up, preview},
    reconcile,
    send::Halt,
    store::runs::{self, Asked},
};

/// What is not done after so long never will be.
const LONGEST: Millis = DAY;

/// Takes it as far as this tick allows, and answers what is to be written of it.
///
/// # Errors
/// The database: the run must end.
pub async fn go_on<P: Platform>(
    run: &Run<'_, P>,
    asked: &Asked,
) -> Result<Option<Statement>, StoreError> {
    let now = run.platform.now();
    let began = asked.began_at.unwrap_or(run.began);
    let progress = match advance(run, asked).await {
        Ok(Progress::Again(_)) if now - began >= LONGEST => {
            Progress::Done(Colour::Red, stopped(&too_long()))
        }
        Ok(progress) => progress,
        // Nothing of it was done, and the sync beside it is not to suffer.
        Err(Halt::Store(StoreError::Refused(why))) => {
            Progress::Done(Colour::Red, stopped(&refused(&why)))
        }
        Err(Halt::Store(error)) => return Err(error),
        Err(Halt::Spent(_)) if now - began < LONGEST => {
            run.more.set(true);
            return Ok(None);
        }
        Err(Halt::Fault(fault)) if now - began < LONGEST && !says_no(&fault) => return Ok(None),
        Err(Halt::Spent(_)) => Progress::Done(Colour::Red, stopped(&too_long())),
        Err(Halt::Fault(fault)) => Progress::Done(Colour::Red, stopped(&failed(&fault))),
    };
    if let (Progress::Done(Colour::Red, told), "preview") = (&progress, asked.kind.as_str()) {
        match give_up(run, asked, told).await {
            // What the database refuses once more is told all the same.
            Ok(()) | Err(Halt::Store(StoreError::Refused(_))) => {}
            Err(Halt::Store(error)) => return Err(error),
            Err(_) => return Ok(None),
        }
    }
    let id = run.connection.id.as_str();
    Ok(Some(match progress {
        Progress::Again(report) => runs::goes_on(id, &asked.id, &report),
        Progress::Done(colour, report) => {
            let (kind, state) = (asked.kind.as_str(), colour.name());
            runs::end(id, &asked.id, kind, state, began, now, &report)
        }
    }))
}

async fn advance<P: Platform>(run: &Run<'_, P>, asked: &Asked) -> Result<Progress, Halt> {
    match asked.kind.as_str() {
        "preview" => preview(run, asked).await,
        "reconcile" => reconcile::go_on(run, asked).await,
        kind => Ok(Progress::Done(Colour::Red, stopped(&unknown(kind)))),
    }
}

fn unknown(kind: &str) -> Reason {
    Reason::new(
        "unknown_kind",
        format!("This version cannot do a run of the kind {kind}."),
        "Deploy the version it was asked of, and ask again.",
    )
}

/// Asked again it says the same.
fn says_no(fault: &Fault) -> bool {
    fault.is_final() || matches!(fault, Fault::Refused { .. } | Fault::Forbidden { .. })
}

fn too_long() -> Reason {
    Reason::new(
        "too_long",
        "It did not come to its end within a day.",
        "Ask for it again when the connection has less to do, or raise MAX_QUERIES and RUN_MINUTES.",
    )
}

fn refused(why: &str) -> Reason {
    Reason::new(
        "database",
        format!("The database refuses what it wanted to keep: {why}."),
        "Ask for a shorter period, or report it with the sentence above.",
    )
}

fn failed(fault: &Fault) -> Reason {
    Reason::new("fault", fault.sentence(), fault.remedy())
}

/// In the form in which every run tells its problems.
pub fn stopped(reason: &Reason) -> Value {
    json!({ "problems": [reason] })
}
