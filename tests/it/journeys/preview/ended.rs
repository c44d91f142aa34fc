//! A preview that would come to no end by itself.

use std::time::Duration;

use simulators::hubspot::Fault;

use super::*;

#[test]
fn what_ends_it_takes_its_shadow_away_at_once() {
    let site = paused(mixed(60), json!({}));
    let id = ask(&site);
    site.tick_with(SMALL);
    assert_eq!(run(&site, &id)["state"], "running");
    let shadows = site.world.rows("select id from connections");
    assert_eq!(shadows.len(), 2);
    let refused = Fault::refuse(403, r#"{"status":"error","category":"MISSING_SCOPES"}"#);
    site.portal.borrow_mut().add_fault(refused.times(500, ""));
    // A day, in the end.
    for _ in 0..26 {
        site.world.advance(Duration::from_secs(3_600));
        site.tick_with(SMALL);
    }
    let run = run(&site, &id);
    assert_eq!(run["state"], "red", "{run:#}");
    nothing_is_left(&site);
}

#[test]
fn one_that_has_no_end_within_a_day_is_cleared_away() {
    let site = paused(mixed(60), json!({}));
    let id = ask(&site);
    site.tick_with(SMALL);
    site.world.advance(Duration::from_secs(25 * 3_600));
    for _ in 0..3 {
        site.world.advance(Duration::from_secs(300));
        site.tick_with(SMALL);
    }
    let run = run(&site, &id);
    assert_eq!(run["state"], "red", "{run:#}");
    assert_eq!(run["report"]["problems"][0]["code"], "too_long", "{run:#}");
    nothing_is_left(&site);
}

#[test]
fn a_site_that_never_rests_is_told_of_after_so_many_passes() {
    let site = paused(distributor(3), json!({}));
    // Whenever a page of SYSPRO's was read, somebody changes a customer again.
    let erp = site.erp.clone();
    let mut names = 0;
    site.world.on_landing(move |_, landing| {
        if let crate::world::Landing::Exchange { request, .. } = landing
            && request.uri().host() == Some(crate::world::ERP)
            && request.uri().path().ends_with("/ArCustomer")
        {
            names += 1;
            let mut erp = erp.borrow_mut();
            erp.data
                .edit_customer(&customer(1), "Name", format!("Name {names}"));
        }
    });
    let run = preview(&site);
    let notes = run["report"]["notes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let codes: Vec<&str> = notes
        .iter()
        .filter_map(|note| note["code"].as_str())
        .collect();
    assert_eq!(codes, ["still_changing"], "{run:#}");
    assert_eq!(
        run["report"]["objects"]["companies"]["created"], 3,
        "{run:#}"
    );
    nothing_is_left(&site);
}
