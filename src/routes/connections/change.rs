//! `PATCH /connections/{id}`: what it touches is looked at first, and all of it is stored or nothing.

use http::StatusCode;
use serde_json::{Map, json};

use super::{alone_as_operator, draft, known, rival, session, shown::show};
use crate::{
    config::Config,
    connection::{Changed, Connection, Problem, Rejected},
    credentials,
    fault::Reason,
    platform::{Millis, Platform, Statement},
    routes::{ApiError, Reply, parsed, stored},
    setup::{Look, SetUp, set_up},
    store::{
        connections::{self, Anew, Draft, State, Stored},
        lookups,
    },
};

pub async fn change<P: Platform>(
    platform: &P,
    config: &Config,
    id: &str,
    body: &str,
) -> Result<Reply, ApiError> {
    let mut before = stored(platform, id).await?;
    let mut patched = Patched::of(config, &before, body)?;
    alone_as_operator(platform, patched.connection()).await?;
    let known_before = known(&before);
    let paused = patched.changed.paused;
    let paused = paused.unwrap_or(before.state == State::Paused);
    let look = match paused {
        true => patched.named,
        false => patched.named.or(known_before.doubtful()),
    };
    let connection = patched.connection();
    let found = set_up(platform, config, connection, look, known_before.clone())
        .await?
        .bearing_with(patched.touched.rest(), &known_before);
    let found = Found {
        state: match paused {
            true => State::Paused,
            false => found.state_changed(before.state, patched.touched),
        },
        portal: look.hubspot,
        of: found,
    };
    // It holds also if a rotation, or a run that asked the portal about itself, came in between: then
    // the patch is merged once more.
    for _ in 0..2 {
        let draft = patched.draft(platform, config, &found);
        let statements = patched.statements(&draft, &before, &found, platform.now());
        match platform.batch(&statements).await {
            Ok(rows) if rows.first().is_some_and(|rows| !rows.is_empty()) => {
                session::log_off(platform, config, &patched.before, &rows).await;
                let stored = stored(platform, id).await?;
                return Ok(Reply::ok(show(platform, config, &stored)));
            }
            Ok(_) => {}
            Err(error) => return Err(rival::refused(platform, error, &draft).await),
        }
        let now = stored(platform, id).await?;
        if now.changed_at != before.changed_at {
            break;
        }
        patched = Patched::of(config, &now, body)?;
        before = now;
    }
    Err(rival::conflict(
        "Somebody else changed this connection meanwhile.",
        "Read it again and repeat the change.",
    ))
}

/// What was found out of the systems.
struct Found {
    of: SetUp,
    state: State,
    /// The portal was looked at; else what is known of it is left as it is.
    portal: bool,
}

/// A connection and what a patch makes of it.
struct Patched {
    before: Connection,
    changed: Changed,
    /// The systems that differ.
    touched: Look,
    /// Those, and what the patch names or, when it is empty, asks for: a currency may have been added
    /// in the portal, a property restored.
    named: Look,
}

impl Patched {
    fn of(config: &Config, stored: &Stored, body: &str) -> Result<Self, ApiError> {
        let before = credentials::open_to_patch(&config.keys, stored, body).map_err(sealed)?;
        let changed = before.merge(body, &config.guard).map_err(|it| match it {
            Rejected::Problems(problems) => ApiError::invalid(&problems),
            Rejected::Conflict(problems) => ApiError::fixed(&problems),
        })?;
        let touched = Look {
            odata: changed.touched.odata,
            enet: changed.touched.enet,
            hubspot: changed.touched.hubspot,
        };
        let patch = parsed(Some(body));
        let empty = patch.as_object().is_some_and(Map::is_empty);
        let named = |system: &str| empty || patch.get(system).is_some();
        let named = Look {
            odata: named("syspro"),
            enet: named("syspro"),
            hubspot: named("hubspot"),
        };
        Ok(Self {
            before,
            changed,
            touched,
            named: touched.or(named),
        })
    }

    fn connection(&self) -> &Connection {
        &self.changed.connection
    }

    fn draft<'a, P: Platform>(
        &'a self,
        platform: &P,
        config: &Config,
        found: &'a Found,
    ) -> Draft<'a> {
        let connection = self.connection();
        let secrets = credentials::seal(platform, &config.keys, connection);
        let mut draft = draft(connection, found.state, secrets, &found.of);
        draft.account = draft.account.filter(|_| found.portal);
        draft
    }

    fn statements(
        &self,
        draft: &Draft<'_>,
        before: &Stored,
        found: &Found,
        now: Millis,
    ) -> Vec<Statement> {
        let local = |connection: &Connection| connection.syspro.local_currency.clone();
        let touched = self.changed.touched;
        let anew = Anew {
            // Whatever the mapping looks at: the same rows may now become something else.
            mapping: touched.settings
                || local(&self.before) != local(self.connection())
                || found.portal && !found.of.maps_as(&known(before)),
            parks: self.named.hubspot,
        };
        let mut statements = connections::change(draft, before, anew, now).to_vec();
        if touched.enet || found.state == State::Paused && before.state != State::Paused {
            statements.push(session::anew(draft));
        }
        if self.named.odata || self.named.enet {
            statements.push(lookups::ask_again(draft.id, &draft.secrets));
        }
        statements.extend(session::not_at_once(draft, &found.of));
        statements
    }
}

/// Some stored secrets do not open, and the patch does not bring them along.
fn sealed((reason, missing): (Reason, Vec<Problem>)) -> ApiError {
    let Reason { reason, remedy, .. } = reason;
    let error = ApiError::new(StatusCode::CONFLICT, credentials::SEALED, reason, remedy);
    match missing.is_empty() {
        true => error,
        false => error.with_details(json!(missing)),
    }
}
