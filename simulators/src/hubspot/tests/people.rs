//! What people do in the portal, and what the API then says.

use super::*;
use crate::hubspot::Type;

/// Two companies, merged; their old ids and the survivor's.
fn merged(options: Options) -> (Desk, Id, Id, Id) {
    let mut desk = Desk::new(options);
    let a = desk.create(Kind::Company, json!({ "name": "A", "erp_key": "1" }));
    let b = desk.create(
        Kind::Company,
        json!({ "name": "B", "erp_key": "2", "city": "Rome" }),
    );
    let contact = desk.create(Kind::Contact, json!({ "firstname": "Ann" }));
    desk.link((Kind::Contact, contact), (Kind::Company, b));
    let survivor = desk.portal.merge(desk.now, Kind::Company, a, b);
    (desk, a, b, survivor)
}

#[test]
fn old_ids_lead_to_the_survivor_but_not_in_a_batch_update() {
    for new_id in [true, false] {
        let (mut desk, a, b, survivor) = merged(Options {
            merge_makes_new_id: new_id,
            ..Options::default()
        });
        assert_eq!(survivor != a, new_id);
        for id in [a, b] {
            let path = format!("/crm/objects/2026-09/companies/{id}");
            let found = json!({ "id": survivor.to_string(),
                                "properties": { "name": "A", "city": "Rome", "erp_key": "1" } });
            let read = format!("GET {path}?properties=name,city,erp_key");
            desk.check(&read, Value::Null, 200, found);
            let change = json!({ "properties": { "phone": "1" } });
            let changed = json!({ "id": survivor.to_string() });
            desk.check(&format!("PATCH {path}"), change, 200, changed);
        }
        let gone = b.to_string();
        let update = json!({ "inputs": [{ "id": gone, "properties": { "phone": "2" } }] });
        let call = "POST /crm/objects/2026-09/companies/batch/update";
        desk.check(call, update, 404, json!({ "context": { "ids": [gone] } }));
        let read = json!({ "inputs": [{ "id": gone }] });
        let call = "POST /crm/objects/2026-09/companies/batch/read";
        desk.check(call, read.clone(), 207, json!({ "results": [] }));
        desk.portal.options_mut().merged_ids_in_batch_read = true;
        desk.check(
            call,
            read,
            200,
            json!({ "results": [{ "id": survivor.to_string() }] }),
        );
        let links = desk
            .portal
            .associations(Kind::Company, survivor, Kind::Contact);
        assert_eq!(links.len(), 1, "links move over");
    }
}

#[test]
fn the_key_of_the_record_that_was_merged_away_is_free() {
    let (mut desk, _, _, survivor) = merged(Options::default());
    let call = "POST /crm/objects/2026-09/companies/batch/upsert";
    let both = upserts(&[("1", json!({ "name": "A" })), ("2", json!({ "name": "B" }))]);
    desk.check(
        call,
        both,
        200,
        json!({ "results": [{ "id": survivor.to_string(), "new": false }, { "new": true }] }),
    );
}

#[test]
fn a_merged_contact_keeps_both_addresses_taken() {
    let mut desk = Desk::new(Options::default());
    let a = desk.create(Kind::Contact, json!({ "email": "a@x.example" }));
    let b = desk.create(Kind::Contact, json!({ "email": "b@x.example" }));
    let body = json!({ "primaryObjectId": a.to_string(), "objectIdToMerge": b.to_string() });
    let call = "POST /crm/objects/2026-09/contacts/merge";
    let survivor = id_of(&desk.check(
        call,
        body,
        200,
        json!({ "properties": {
        "email": "a@x.example", "hs_additional_emails": "b@x.example" } }),
    ));
    let again = json!({ "properties": { "email": "b@x.example" } });
    let exists = format!("Contact already exists. Existing ID: {survivor}");
    let call = "POST /crm/objects/2026-09/contacts";
    desk.check(call, again, 409, json!({ "message": exists }));
}

#[test]
fn edits_deletions_and_links_by_people() {
    let mut desk = Desk::new(Options::default());
    let portal = &mut desk.portal;
    let properties = [("name", "A"), ("city", "Rome")];
    let company = portal.create(desk.now, Kind::Company, &properties);
    let contact = portal.create(desk.now, Kind::Contact, &[("email", "a@x.example")]);
    portal.associate((Kind::Contact, contact), (Kind::Company, company), &[1]);
    assert!(portal.edit(desk.now + 1, Kind::Company, company, &[("city", "")]));
    assert!(portal.add_property(desk.now, Kind::Company, "tier", Type::Number, false));
    assert!(!portal.add_property(desk.now, Kind::Company, "tier", Type::String, false));
    let state = portal.state();
    let shown = &state["companies"][company.to_string()];
    assert_eq!(shown["properties"], json!({ "name": "A" }));
    assert_eq!(
        shown["associations"]["contacts"][contact.to_string()],
        json!([2, 280])
    );
    assert_eq!(
        portal
            .by_value(Kind::Contact, "email", "A@X.example")
            .map(|o| o.id),
        Some(contact)
    );
    portal.delete(desk.now, Kind::Contact, contact);
    assert!(
        portal
            .by_value(Kind::Contact, "email", "a@x.example")
            .is_none()
    );
    assert!(portal.landings().is_empty(), "people are no calls");
    assert!(!portal.edit(desk.now, Kind::Contact, contact, &[("city", "Rome")]));
}

#[test]
fn a_life_cycle_stage_only_moves_forward_unless_cleared() {
    let mut desk = Desk::new(Options::default());
    let id = desk.create(
        Kind::Company,
        json!({ "name": "A", "lifecyclestage": "customer" }),
    );
    let call = format!("PATCH /crm/objects/2026-09/companies/{id}");
    for (stage, then) in [
        ("lead", "customer"),
        ("evangelist", "evangelist"),
        ("", ""),
        ("lead", "lead"),
    ] {
        desk.check(
            &call,
            json!({ "properties": { "lifecyclestage": stage } }),
            200,
            json!({}),
        );
        let company = desk.portal.object(Kind::Company, id).expect("the company");
        assert_eq!(company.get("lifecyclestage").unwrap_or_default(), then);
    }
}

#[test]
fn a_portal_may_make_companies_out_of_e_mails() {
    for (on, companies) in [(true, 1), (false, 0)] {
        let mut desk = Desk::new(Options {
            companies_from_contacts: on,
            ..Options::default()
        });
        let mut ids = Vec::new();
        for email in ["a@acme.example", "b@acme.example", "c@gmail.com"] {
            ids.push(desk.create(Kind::Contact, json!({ "email": email })));
        }
        assert_eq!(desk.portal.objects(Kind::Company).count(), companies);
        let linked = |id| desk.portal.associations(Kind::Contact, id, Kind::Company);
        let shadows = ids.into_iter().map(linked);
        let types: Vec<_> = shadows.flatten().map(|(_, types)| types).collect();
        assert_eq!(types, vec![vec![1, 279]; companies * 2]);
    }
}
