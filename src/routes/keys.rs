//! `POST /keys/rotate`: seals a slice of what is sealed under a former master key anew.

use serde_json::json;

use super::{ApiError, Reply, database};
use crate::{
    config::Config,
    credentials::rotation::{self, Slice},
    platform::{Platform, Statement, StoreError},
    store::{Rows, connections::Named, keys, rows_as},
};

pub async fn rotate<P: Platform>(platform: &P, config: &Config) -> Result<Reply, ApiError> {
    let newest = config.keys.prefix();
    let read = vec![keys::secrets(&newest), keys::sessions(&newest)];
    let mut found = database(platform, read).await?.into_iter();
    let mut next = || rows_as(found.next().unwrap_or_default());
    let secrets = rotation::secrets(platform, &config.keys, next()?);
    let sessions = rotation::sessions(platform, &config.keys, next()?);

    let resealed = swap(platform, &secrets, keys::swap_secrets(&secrets.swaps)).await?
        + swap(platform, &sessions, keys::swap_sessions(&sessions.swaps)).await?;
    // What somebody else changed meanwhile is looked at by the next call.
    let meant = [&secrets, &sessions].map(|slice| slice.meant() + slice.left);
    Ok(Reply::ok(json!({
        "version": config.keys.version(),
        "resealed": resealed,
        "remaining": meant.iter().sum::<usize>().saturating_sub(resealed),
        "unopenable": secrets.unopenable,
    })))
}

/// How many values were swapped.
async fn swap<P: Platform>(
    platform: &P,
    slice: &Slice,
    statements: Vec<Statement>,
) -> Result<usize, ApiError> {
    if statements.is_empty() {
        return Ok(0);
    }
    let rows = database(platform, statements).await?;
    let named = |rows: Rows| -> Result<Vec<Named>, StoreError> { rows_as(rows) };
    let done: Vec<Vec<Named>> = rows.into_iter().map(named).collect::<Result<_, _>>()?;
    let done: Vec<String> = done.into_iter().flatten().map(|it| it.id).collect();
    Ok(slice.swapped(&done))
}
