//! What goes wrong at the other ends: the portal refuses, stalls, locks people out; SYSPRO answers
//! with pages of its own, with half an answer, or with nothing where there is something.

use fastrand::Rng;
use serde_json::json;
use simulators::{
    hubspot::{self, Fault, Kind, Limit, PortalRule},
    syspro,
};
use syspro_hubspot_sync::platform::{MINUTE, Millis};

use super::tally::Events;
use crate::site::{HUBSPOT_TOKEN, Site};

/// A portal as this seed has it: what no documentation settles may be either way.
pub fn portal(rng: &mut Rng, mut options: hubspot::Options) -> hubspot::Options {
    options.partial_batches = rng.u8(..4) > 0;
    options.echo_trace_ids = rng.u8(..4) > 0;
    options.retry_after = rng.bool();
    options.numeric_object_ids = rng.bool();
    options.merge_makes_new_id = rng.bool();
    options.merged_ids_in_batch_read = rng.bool();
    if rng.bool() {
        options.taken_email = hubspot::TakenEmail::Coordinates;
        options.taken_value = hubspot::TakenValue::Code;
    }
    if rng.bool() {
        options.bad_pair = hubspot::BadPair::FailsAlone;
    }
    match rng.u8(..6) {
        0 => options.without_scope("e-commerce"),
        _ => options,
    }
}

/// A server as this seed has it. Pages that are not by key may lack a row that others moved: only the
/// sweep heals that. Answers whether requests look otherwise than they do elsewhere.
pub fn habits(rng: &mut Rng, quirks: &mut syspro::Quirks, swept: bool) -> bool {
    use syspro::{Beyond, DateAnswer, DateLiteral, Decimals, Support};
    quirks.row_cap = [9, 30, 100, 5_000][rng.usize(..4)];
    quirks.decimals = [Decimals::Number, Decimals::Text, Decimals::Mixed][rng.usize(..3)];
    quirks.date_answer = [DateAnswer::Utc, DateAnswer::Date, DateAnswer::Mixed][rng.usize(..3)];
    quirks.trimmed = rng.bool();
    if rng.u8(..3) > 0 {
        return false;
    }
    match rng.u8(..if swept { 9 } else { 6 }) {
        0 => quirks.date_literal = DateLiteral::Date,
        1 => quirks.date_literal = DateLiteral::V3,
        2 => quirks.ne = false,
        3 => quirks.or = false,
        4 => quirks.in_list = true,
        5 => quirks.top = Support::Refused,
        6 => quirks.text_order = false,
        7 => (quirks.text_order, quirks.beyond_cap) = (false, Beyond::Absolute),
        _ => (quirks.text_order, quirks.beyond_cap) = (false, Beyond::Relative),
    }
    true
}

/// Has something go wrong at an instant of the next `span`.
pub fn befall(site: &Site, events: &Events, rng: &mut Rng, span: Millis, swept: bool) {
    let at = site.world.now() + rng.i64(0..span);
    match rng.u8(..10) {
        0..4 => refusals(site, events, rng, at),
        4 => locked_out(site, events, rng, at),
        5 => demands(site, events, rng, at),
        _ => half_answers(site, events, rng, at, swept),
    }
}

/// The portal answers some calls with a fault.
fn refusals(site: &Site, events: &Events, rng: &mut Rng, at: Millis) {
    let limits = [Limit::TenSecondly, Limit::Secondly, Limit::Terse];
    let asked = [None, Some(1), Some(20), Some(200)][rng.usize(..4)];
    let (fault, most) = match rng.u8(..12) {
        0..3 => {
            let limit = limits[rng.usize(..3)];
            let fault = Fault::Limit {
                limit,
                retry_after: asked,
            };
            (fault, 6)
        }
        3 if rng.u8(..4) == 0 => (Fault::limit(Limit::Daily), 1),
        3 | 4 => (Fault::Locked, 8),
        5 => {
            let retry_after = rng.u64(30..1800);
            (Fault::Moving { retry_after }, 2)
        }
        6 | 7 => {
            let status = [500, 502, 503, 504, 521][rng.usize(..5)];
            (Fault::Html { status }, 12)
        }
        8 => (Fault::DoneBut { status: 502 }, 3),
        9 => (Fault::Cut { bytes: 40 }, 3),
        10 => (Fault::refuse(409, said("CONFLICT")), 2),
        _ => (Fault::refuse(400, said("VALIDATION_ERROR")), 2),
    };
    let path = ["", "", "/batch/upsert", "/batch/update", "/associations/"][rng.usize(..5)];
    // A whole batch is refused for what is in it.
    let path = match fault {
        Fault::Refuse { .. } => "/batch/",
        _ => path,
    };
    let rule = fault.times(rng.u64(1..=most), path);
    let (portal, events) = (site.portal.clone(), events.clone());
    site.world.at(at, move |world| {
        world.note(&format!("HubSpot will answer {rule:?}"));
        events.count("HubSpot: faults arranged");
        portal.borrow_mut().add_fault(rule);
    });
}

fn said(category: &str) -> String {
    json!({
        "status": "error", "category": category, "message": "Not this one.",
        "correlationId": "5c0ffee0-0000-4000-8000-000000000000",
    })
    .to_string()
}

/// For a while the token is none, or lacks a scope.
fn locked_out(site: &Site, events: &Events, rng: &mut Rng, at: Millis) {
    let scope = [
        None,
        Some("crm.objects.companies.write"),
        Some("crm.objects.contacts.write"),
        Some("crm.objects.invoices.write"),
        Some("crm.objects.line_items.write"),
    ][rng.usize(..5)];
    let until = at + rng.i64(MINUTE..15 * MINUTE);
    let (portal, events) = (site.portal.clone(), events.clone());
    site.world.at(at, move |world| {
        let mut portal = portal.borrow_mut();
        let token = &mut portal.options_mut().tokens[0];
        match scope {
            Some(scope) => {
                world.note(&format!("HubSpot token loses {scope}"));
                events.count("HubSpot: scope missing for a while");
                token.scopes.retain(|granted| granted != scope);
            }
            None => {
                world.note("HubSpot token is none");
                events.count("HubSpot: token refused for a while");
                token.secret = "another".to_owned();
            }
        }
    });
    let portal = site.portal.clone();
    site.world.at(until, move |world| {
        world.note("HubSpot token is good again");
        let mut portal = portal.borrow_mut();
        let token = &mut portal.options_mut().tokens[0];
        token.secret = HUBSPOT_TOKEN.to_owned();
        if let Some(scope) = scope.filter(|scope| !token.scopes.iter().any(|it| it == scope)) {
            token.scopes.push(scope.to_owned());
        }
    });
}

/// For a while people demand a property that some records, or all new ones, lack.
fn demands(site: &Site, events: &Events, rng: &mut Rng, at: Millis) {
    let kind = [Kind::Company, Kind::Contact, Kind::Invoice][rng.usize(..3)];
    let property = "industry".to_owned();
    let rule = match rng.u8(..3) {
        0 => PortalRule::OnCreate { kind, property },
        1 => PortalRule::When {
            kind: Kind::Company,
            other: "syspro_on_hold".to_owned(),
            equals: "true".to_owned(),
            property,
        },
        _ => PortalRule::When {
            kind: Kind::Invoice,
            other: "syspro_status".to_owned(),
            equals: "paid".to_owned(),
            property,
        },
    };
    let until = at + rng.i64(MINUTE..15 * MINUTE);
    let (portal, events) = (site.portal.clone(), events.clone());
    site.world.at(at, move |world| {
        world.note(&format!("HubSpot demands {rule:?}"));
        events.count("HubSpot: rule for a while");
        portal.borrow_mut().options_mut().rules.push(rule);
    });
    let portal = site.portal.clone();
    site.world.at(until, move |_| {
        portal.borrow_mut().options_mut().rules.clear();
    });
}

/// SYSPRO answers, and it is not the answer. An answer without rows where there are some passes for
/// the end of a table: only the sweep heals that.
fn half_answers(site: &Site, events: &Events, rng: &mut Rng, at: Millis, swept: bool) {
    use syspro::Trouble;
    let (name, what) = match rng.u8(..if swept { 7 } else { 5 }) {
        0 => ("error page", Trouble::Page(503)),
        1 => ("error page", Trouble::Page(500)),
        2 => ("cut answer", Trouble::Cut(rng.usize(0..300))),
        3 => ("connection dropped", Trouble::Drop),
        4 => (
            "200 with a web page",
            Trouble::Body("<html>hello</html>".into()),
        ),
        _ => ("empty answer", Trouble::Empty),
    };
    let on = match what {
        // Asked for by key, a row is believed to be gone.
        Trouble::Empty => [
            "InvoiceBal1 ne 0",
            "DateLastSale ge",
            "/ArCustomerBal?",
            "/ArTrnDetail?",
        ][rng.usize(..4)],
        _ => ["/ArInvoice?", "/ArCustomer?", "/ArTrnDetail?", ""][rng.usize(..4)],
    };
    // Lines that lack once are asked for again, in a later run.
    let most = if on == "/ArTrnDetail?" { 40 } else { 8 };
    let fault = syspro::Fault {
        on: on.to_owned(),
        times: rng.u32(1..most),
        what,
    };
    let (erp, events) = (site.erp.clone(), events.clone());
    site.world.at(at, move |world| {
        world.note(&format!("SYSPRO will answer {fault:?}"));
        events.count(&format!("SYSPRO: {name} arranged"));
        erp.borrow_mut().faults.push_back(fault);
    });
}

/// All of it is over.
pub fn ends(site: &Site) {
    site.erp.borrow_mut().faults.clear();
    let mut portal = site.portal.borrow_mut();
    portal.clear_faults();
    portal.options_mut().rules.clear();
}
