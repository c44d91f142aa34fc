//! What a portal says of itself changes without anybody telling us: its offset from UTC in spring and
//! autumn, its currencies. It is asked once a day, by a run that called HubSpot anyway: the hourly look
//! at deals, which has nothing else to do, is none.

use serde_json::json;

use crate::{
    context::Run,
    hubspot::account,
    pace::Lane,
    platform::{DAY, Platform, Statement},
    send::Effect,
    store::connections::{self, Stored},
};

/// Asks the portal unless that was done within a day, and answers what is to be kept. What goes wrong
/// here is nothing to the run that just ended well: the next one asks.
pub async fn ask_again<P: Platform>(run: &Run<'_, P>, stored: &Stored) -> Option<Statement> {
    let now = run.platform.now();
    let fresh = (0..DAY).contains(&(now - stored.account_at));
    let well = run.books.borrow().problems.is_empty() && run.parked("*").is_none();
    let quiet = run.books.borrow().quiet() || run.sender.calls() == 0;
    if fresh || !well || quiet {
        return None;
    }
    let request = account::details(&run.api());
    let details = run
        .sender
        .hubspot(Lane::General, Effect::Read, request, account::read_details)
        .await
        .ok()?;
    if details.portal_id != run.account.portal_id {
        return None;
    }
    let account = run.account.asked_again(details);
    let remap = !account.maps_as(run.account);
    let text = json!(account).to_string();
    Some(connections::portal_again(stored, text, remap, now))
}
