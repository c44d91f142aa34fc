//! What becomes of e.net's session when its connection is made, changed or removed.

use crate::{
    config::Config,
    connection::Connection,
    platform::{Platform, Statement},
    send::farewell,
    setup::SetUp,
    store::{Rows, connections::Draft, sessions},
};

/// Beside a change of the log-on: the session under way is nobody's any more, and a password that was
/// refused may be tried again.
pub fn anew(draft: &Draft<'_>) -> Statement {
    sessions::forget(draft.id, &draft.secrets)
}

/// Beside a new log-on that was refused just now: three tries may lock an operator out.
pub fn not_at_once(draft: &Draft<'_>, found: &SetUp) -> Option<Statement> {
    let refused = found.refused.as_ref()?;
    Some(sessions::refused(draft.id, &draft.secrets, refused))
}

/// Logs off the session that a commit answered, if it did. One that cannot be is no loss: SYSPRO gives
/// it up by itself.
pub async fn log_off<P: Platform>(
    platform: &P,
    config: &Config,
    connection: &Connection,
    answered: &[Rows],
) {
    let Some(sealed) = sessions::answered(answered) else {
        return;
    };
    farewell(platform, &config.keys, connection, &sealed, config.bounds).await;
}
