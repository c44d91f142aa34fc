//! What becomes of a connection when people change it.

use serde_json::json;

use super::distributor;
use crate::site::{HUBSPOT_TOKEN, Site};

#[test]
fn a_connection_keeps_its_portal_whatever_tokens_it_is_given() {
    let site = Site::new(distributor(1));
    site.settle(4);
    let change = |token: &str| {
        let patch = json!({ "hubspot": { "token": token } }).to_string();
        site.ask("PATCH", "/connections/acme", &patch)
    };

    let wrong = change("pat-na1-wrong");
    assert_eq!(wrong.status, 200, "{}", wrong.body);
    assert_eq!(wrong.body["state"], "incomplete", "{}", wrong.body);
    assert_eq!(wrong.body["portal"]["portal_id"], "891936587");

    let ours = site.portal.borrow().options().portal_id;
    site.portal.borrow_mut().options_mut().portal_id = 1;
    let other = change(HUBSPOT_TOKEN);
    assert_eq!(other.status, 409, "{}", other.body);

    site.portal.borrow_mut().options_mut().portal_id = ours;
    let right = change(HUBSPOT_TOKEN);
    assert_eq!(right.body["state"], "active", "{}", right.body);
    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "all was in sync");
}
