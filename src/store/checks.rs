//! What the checks found, put where it belongs; and what they want to know of the deployment.

use serde::Deserialize;

use super::connections::{AHEAD, Draft, Stored, name};
use crate::platform::{Millis, Statement};

/// Keeps what was found of a connection's systems. Nothing that a run under way decides is touched.
/// Answers no row when somebody changed the connection meanwhile, or a run what is known of its
/// portal: it was found out of another one.
pub fn found(draft: &Draft<'_>, before: &Stored, remap: bool) -> Statement {
    Statement::new(
        "update connections set checks = ?2, portal = ?3, account = ?4, dialect = ?5,
           mapping = mapping + ?6, state_reason = iif(state = 'incomplete', ?7, state_reason)
         where id = ?1 and public = ?8 and secrets = ?9 and account is ?10 returning id",
        [
            draft.id.into(),
            draft.checks.clone().into(),
            draft.portal.into(),
            draft.account.clone().into(),
            draft.dialect.clone().into(),
            i64::from(remap).into(),
            draft.state_reason.clone().into(),
            before.public.as_str().into(),
            before.secrets.as_str().into(),
            before.account.clone().into(),
        ],
    )
}

/// Overtakes the run under way, where what is known of the portal became this: it maps with what was
/// known before.
pub fn overtake(draft: &Draft<'_>) -> Statement {
    Statement::new(
        "update lease set owner = '' where portal = ?1 and exists (
           select 1 from connections where id = ?2 and account is ?3)",
        [
            draft.portal.into(),
            draft.id.into(),
            draft.account.clone().into(),
        ],
    )
}

/// Takes the connection into another state, unless its state, or what it was found out of, is not
/// what it was any more. The run under way is overtaken: it would write its own view of the state.
/// One refusal more of a broken one keeps it broken.
pub fn moved(draft: &Draft<'_>, before: &Stored, now: Millis) -> [Statement; 3] {
    let changed_at = now.max(before.changed_at.saturating_add(1));
    let update = Statement::new(
        "update connections set state = ?2, state_reason = ?3, strikes = iif(?2 = 'broken', 2, 0),
           parks = '{}', changed_at = ?4
         where id = ?1 and state = ?5 and public = ?6 and secrets = ?7",
        [
            draft.id.into(),
            name(draft.state).into(),
            draft.state_reason.clone().into(),
            changed_at.into(),
            name(before.state).into(),
            before.public.as_str().into(),
            before.secrets.as_str().into(),
        ],
    );
    let overtake = Statement::new(
        "update lease set owner = '' where portal = ?1 and exists (
           select 1 from connections where id = ?2 and state = ?3 and changed_at = ?4)",
        [
            draft.portal.into(),
            draft.id.into(),
            name(draft.state).into(),
            changed_at.into(),
        ],
    );
    let retry = Statement::new(
        "update ledger set due = ?2 where connection = ?1
           and (fate = 'failing' and due is not null or fate = 'waiting' and due > ?2)
           and exists (select 1 from connections where id = ?1 and state = 'active'
             and changed_at = ?3)",
        [draft.id.into(), now.into(), changed_at.into()],
    );
    [update, overtake, retry]
}

/// A master key's version, and how many connections hold something sealed under it.
#[derive(Clone, Debug, Deserialize)]
pub struct Sealed {
    pub version: String,
    pub connections: u64,
}

/// A sealed value begins with `v1.`, its key's version, and a full stop.
pub fn sealed() -> Statement {
    Statement::new(
        "select substr(sealed, 4, instr(substr(sealed, 4), '.') - 1) as version,
           count(distinct connection) as connections
         from (select c.id as connection, s.value as sealed
               from connections c, json_each(iif(json_valid(c.secrets), c.secrets, '{}')) s
               union all select connection, session from sessions where session is not null)
         where instr(sealed, 'v1.') = 1 group by version order by version",
        [],
    )
}

/// What tells whether cron comes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ran {
    /// When a run of any connection last ended.
    pub ran_at: Option<Millis>,
    /// When one last became such that the next tick runs it.
    pub began_at: Option<Millis>,
    pub active: Option<i64>,
}

/// Times ahead, which a wrong clock wrote, tell nothing.
pub fn ran(now: Millis) -> Statement {
    Statement::new(
        "select max(iif(last_run_at <= ?1, last_run_at, null)) as ran_at,
           max(iif(changed_at <= ?1, changed_at, null)) as began_at, sum(state = 'active') as active
         from connections where state in ('active', 'broken')",
        [(now + AHEAD).into()],
    )
}
