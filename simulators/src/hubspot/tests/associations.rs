//! Links between records, and the links that are refused.

use super::*;
use crate::hubspot::BadPair;

const CONTACTS: &str = "/crm/associations/2026-09/contacts/companies/batch";
const LINES: &str = "/crm/associations/2026-09/line_items/invoices/batch";

/// A portal with one contact, two companies, two invoices and a line; their ids as texts.
struct Cast {
    desk: Desk,
    contact: String,
    companies: [String; 2],
    invoices: [String; 2],
    line: String,
}

fn cast() -> Cast {
    let mut desk = Desk::new(Options::default());
    let mut make = |kind, properties| desk.create(kind, properties).to_string();
    let contact = make(Kind::Contact, json!({ "email": "ann@a.example" }));
    let companies = ["A", "B"].map(|name| make(Kind::Company, json!({ "name": name })));
    let invoices = ["1", "2"].map(|key| {
        make(
            Kind::Invoice,
            json!({ "hs_currency": "USD", "erp_key": key }),
        )
    });
    let line = make(Kind::LineItem, json!({ "name": "Bolt", "price": "1" }));
    Cast {
        desk,
        contact,
        companies,
        invoices,
        line,
    }
}

fn pair(from: &str, to: &str) -> Value {
    json!({ "from": { "id": from }, "to": { "id": to } })
}

fn typed(from: &str, to: &str, types: &[u16]) -> Value {
    let types: Vec<Value> = types.iter().map(|id| spec(*id)).collect();
    json!({ "from": { "id": from }, "to": { "id": to }, "types": types })
}

fn spec(id: u16) -> Value {
    json!({ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id })
}

impl Cast {
    #[track_caller]
    fn post(&mut self, call: &str, inputs: Value, status: u16, expected: Value) {
        let call = format!("POST {call}");
        self.desk
            .check(&call, json!({ "inputs": inputs }), status, expected);
    }

    /// The companies of the contact, each with its types.
    fn companies_of_contact(&self) -> Vec<(String, Vec<u16>)> {
        let id = self.contact.parse().expect("an id");
        let links = self
            .desk
            .portal
            .associations(Kind::Contact, id, Kind::Company);
        links
            .into_iter()
            .map(|(id, types)| (id.to_string(), types))
            .collect()
    }
}

#[test]
fn the_default_link_may_be_repeated_and_shows_from_both_ends() {
    let mut cast = cast();
    let [a, _] = cast.companies.clone();
    let ann = cast.contact.clone();
    let linked = json!({ "status": "COMPLETE", "results": [
        { "from": { "id": ann }, "to": { "id": a }, "associationSpec": spec(279) }] });
    for _ in 0..2 {
        let call = format!("{CONTACTS}/associate/default");
        cast.post(&call, json!([pair(&ann, &a)]), 200, linked.clone());
    }
    assert_eq!(cast.companies_of_contact(), [(a.clone(), vec![279])]);
    let back = format!("GET /crm/objects/2026-09/companies/{a}/associations/contacts");
    let number: u64 = ann.parse().expect("an id");
    let end = json!({ "toObjectId": number, "associationTypes": [
        { "category": "HUBSPOT_DEFINED", "typeId": 280, "label": null }] });
    cast.desk
        .check(&back, Value::Null, 200, json!({ "results": [end] }));
    cast.desk.portal.options_mut().numeric_object_ids = false;
    let end = json!({ "toObjectId": ann });
    cast.desk
        .check(&back, Value::Null, 200, json!({ "results": [end] }));
}

#[test]
fn typed_links_replace_labels_and_only_one_company_is_primary() {
    let mut cast = cast();
    let [a, b] = cast.companies.clone();
    let ann = cast.contact.clone();
    let create = format!("{CONTACTS}/create");
    let linked = json!({ "results": [{ "fromObjectTypeId": "0-1", "fromObjectId": ann,
        "toObjectTypeId": "0-2", "toObjectId": a, "labels": ["Primary"] }] });
    cast.post(&create, json!([typed(&ann, &a, &[279, 1])]), 201, linked);
    cast.post(&create, json!([typed(&ann, &b, &[1])]), 201, json!({}));
    let both = [(a.clone(), vec![279]), (b.clone(), vec![1, 279])];
    assert_eq!(cast.companies_of_contact(), both);
    cast.post(&create, json!([typed(&ann, &b, &[931])]), 201, json!({}));
    assert_eq!(cast.companies_of_contact()[1].1, [279, 931]);
    cast.post(&create, json!([typed(&ann, &b, &[])]), 201, json!({}));
    assert_eq!(
        cast.companies_of_contact()[1].1,
        [279, 931],
        "no types, no effect"
    );
    let labels = format!("{CONTACTS}/labels/archive");
    cast.post(
        &labels,
        json!([typed(&ann, &b, &[931])]),
        200,
        json!({ "results": [] }),
    );
    assert_eq!(cast.companies_of_contact()[1].1, [279]);
    let archive = json!([{ "from": { "id": ann }, "to": [{ "id": a }, { "id": b }] }]);
    cast.post(
        &format!("{CONTACTS}/archive"),
        archive,
        200,
        json!({ "results": [] }),
    );
    assert_eq!(cast.companies_of_contact(), []);
}

#[test]
fn links_that_are_refused() {
    let mut cast = cast();
    let [a, b] = cast.companies.clone();
    let ann = cast.contact.clone();
    let (default, create) = (
        format!("{CONTACTS}/associate/default"),
        format!("{CONTACTS}/create"),
    );
    let wrong = json!({ "message":
        "invalid from object type 0-1 for associations to be created. expected: 0-2" });
    cast.post(&create, json!([typed(&ann, &a, &[280])]), 400, wrong);
    let missing = json!({ "message": "One or more associations are invalid",
                          "context": { "INVALID_OBJECT_IDS": ["COMPANY=9 is not valid"] } });
    let one_bad = json!([pair(&ann, &a), pair(&ann, "9")]);
    cast.post(&default, one_bad.clone(), 400, missing);
    assert_eq!(cast.companies_of_contact(), [], "all or nothing");
    let twice = json!([pair(&ann, &b), pair(&ann, &b)]);
    cast.post(
        &default,
        twice,
        400,
        json!({ "category": "VALIDATION_ERROR" }),
    );
    cast.desk.portal.options_mut().bad_pair = BadPair::FailsAlone;
    let partly = json!({ "numErrors": 1, "errors": [{ "context": { "toObjectId": ["9"] } }] });
    cast.post(&default, one_bad, 207, partly);
    assert_eq!(cast.companies_of_contact(), [(a, vec![279])]);
    let [one, two] = cast.invoices.clone();
    let line = cast.line.clone();
    let default = format!("{LINES}/associate/default");
    cast.post(&default, json!([pair(&line, &one)]), 200, json!({}));
    cast.desk.portal.options_mut().bad_pair = BadPair::FailsBatch;
    let second = format!(
        "cannot pass multiple to object ids: [{one}, {two}] for one to one association type AssociationSpec{{*associationTypeId=410}}"
    );
    cast.post(
        &default,
        json!([pair(&line, &two)]),
        400,
        json!({ "message": second }),
    );
    let other_way = "/crm/associations/2026-09/invoices/line_items/batch/create";
    let refused = json!({ "message": "cannot pass multiple*" });
    cast.post(other_way, json!([typed(&two, &line, &[409])]), 400, refused);
}

#[test]
fn links_are_read_by_the_batch() {
    let mut cast = cast();
    let ([one, _], line) = (cast.invoices.clone(), cast.line.clone());
    cast.post(
        &format!("{LINES}/create"),
        json!([typed(&line, &one, &[410])]),
        201,
        json!({}),
    );
    let read = "/crm/associations/2026-09/invoices/line_items/batch/read";
    let number: u64 = line.parse().expect("an id");
    let found = json!({ "from": { "id": one }, "to": [
        { "toObjectId": number, "associationTypes": [{ "typeId": 409 }] }] });
    cast.post(
        read,
        json!([{ "id": one }]),
        200,
        json!({ "results": [found] }),
    );
    let none = json!({ "results": [], "errors": [{ "category": "OBJECT_NOT_FOUND" }] });
    cast.post(read, json!([{ "id": "9" }]), 207, none);
    let labels = "GET /crm/associations/2026-09/invoices/line_items/labels";
    let types = json!({ "results": [{ "typeId": 409, "label": null }] });
    cast.desk.check(labels, Value::Null, 200, types);
}

#[test]
fn one_pair_at_a_time() {
    let mut cast = cast();
    let ([a, b], ann) = (cast.companies.clone(), cast.contact.clone());
    let path = format!("/crm/objects/2026-09/contacts/{ann}/associations");
    let default = format!("PUT {path}/default/companies/{a}");
    cast.desk
        .check(&default, Value::Null, 200, json!({ "status": "COMPLETE" }));
    let labelled = format!("PUT {path}/companies/{b}");
    cast.desk.check(
        &labelled,
        json!([spec(1)]),
        201,
        json!({ "labels": ["Primary"] }),
    );
    assert_eq!(cast.companies_of_contact().len(), 2);
    cast.desk.check(
        &format!("DELETE {path}/companies/{b}"),
        Value::Null,
        204,
        Value::Null,
    );
    assert_eq!(cast.companies_of_contact(), [(a, vec![279])]);
}

#[test]
fn a_record_may_be_created_with_its_links_or_not_at_all() {
    let mut cast = cast();
    let ([a, _], [one, _]) = (cast.companies.clone(), cast.invoices.clone());
    let line = |to: &str, id: u16| {
        json!({ "properties": { "name": "Nut" },
                "associations": [{ "to": { "id": to }, "types": [spec(id)] }] })
    };
    let batch = "/crm/objects/2026-09/line_items/batch/create";
    cast.post(
        batch,
        json!([line(&one, 410)]),
        201,
        json!({ "status": "COMPLETE" }),
    );
    let id = one.parse().expect("an id");
    let lines = |cast: &Cast| {
        cast.desk
            .portal
            .associations(Kind::Invoice, id, Kind::LineItem)
    };
    assert_eq!(lines(&cast).len(), 1);
    let before = cast.desk.portal.state();
    cast.post(
        batch,
        json!([line(&one, 410), line("9", 410)]),
        400,
        json!({}),
    );
    assert_eq!(cast.desk.portal.state(), before);
    let call = "POST /crm/objects/2026-09/invoices";
    let body = json!({ "properties": { "hs_currency": "USD", "hs_invoice_billable": "false" },
                       "associations": [{ "to": { "id": a }, "types": [spec(179)] }] });
    let made = cast.desk.check(
        call,
        body,
        201,
        json!({ "properties": {
        "hs_invoice_status": "draft", "hs_currency": "USD" } }),
    );
    let linked = cast
        .desk
        .portal
        .associations(Kind::Invoice, id_of(&made), Kind::Company);
    assert_eq!(linked.len(), 1);
}
