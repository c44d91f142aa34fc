use crate::sorted::SortedSet;
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{customers::CUSTOMERS, *};

pub fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => Row(row),
        other => panic!("not a row: {other}"),
    }
}

/// A portal in New York that lets us write HubSpot's own amounts.
pub fn account() -> Account {
    Account {
        portal_id: "1".into(),
        time_zone: "America/New_York".into(),
        utc_offset_ms: -18_000_000,
        noon_offset_ms: None,
        currency: "USD".into(),
        additional_currencies: vec!["EUR".into()],
        ui_domain: "app.hubspot.com".into(),
        writable_invoice_properties: vec!["hs_number".into(), "hs_amount_billed".into()],
        region: String::new(),
        lines_without_keys: false,
        without: Default::default(),
    }
}

pub fn lookups() -> Lookups {
    let mut lookups = Lookups::default();
    let terms =
        json!({ "TermsCode": "1 ", "Description": "30 days", "InvoiceOption": "N", "DueDays": 30 });
    (lookups::TERMS.add)(&mut lookups, &[row(terms)]);
    let class = json!({ "Class": "RET", "Description": "Retail " });
    (lookups::CLASSES.add)(&mut lookups, &[row(class)]);
    let branch = json!({ "Branch": "10", "Description": "North" });
    (lookups::BRANCHES.add)(&mut lookups, &[row(branch)]);
    let people = [("10", "Ann Whitaker"), ("20", "Priya Raman")].map(|(branch, name)| {
        row(json!({ "Branch": branch, "Salesperson": "100  ", "Name": name }))
    });
    (lookups::SALESPEOPLE.add)(&mut lookups, &people);
    let stock = json!({ "StockCode": "A100   ", "Description": "Mountain bike frame" });
    (lookups::STOCK.add)(&mut lookups, &[row(stock)]);
    lookups
}

/// Maps with the settings a test changes from the defaults.
pub fn map(feed: &Feed, record: &Record, settings: &Settings) -> Outcome {
    let account = account();
    let lookups = lookups();
    let context = Context {
        company: "EDU1",
        settings,
        local_currency: "USD",
        account: &account,
        prefix: "syspro_",
        lookups: &lookups,
        today: NaiveDate::from_ymd_opt(2024, 2, 15).expect("a day"),
    };
    (feed.map)(record, &context)
}

pub fn record(feed: &Feed, header: Value, beside: Vec<Value>) -> Record {
    let header = row(header);
    Record {
        key: feed.record_key("EDU1", &header).expect("a key"),
        header,
        beside: beside.into_iter().map(row).collect(),
        ..Record::default()
    }
}

/// What people see of an outcome: its objects with everything that is not blank.
pub fn shown(outcome: &Outcome) -> String {
    let reason = |reason: &Reason| {
        let field = reason.field.as_deref().unwrap_or("-");
        format!("{} {field}: {}\n", reason.code, reason.reason)
    };
    let payload = match outcome {
        Outcome::Send(payload) => payload,
        Outcome::AskAgain(why) => return format!("ask again {}", reason(why)),
        Outcome::Excluded(why, _) => return format!("excluded {}", reason(why)),
        Outcome::Failing(why) => return format!("failing {}", reason(why)),
    };
    let mut text = String::new();
    for object in &payload.objects {
        text += &format!("{:?} {}\n", object.kind, object.key);
        for (name, value) in &object.properties {
            if !value.is_empty() {
                text += &format!("  {name} = {value}\n");
            }
        }
        for (name, value) in &object.on_create {
            text += &format!("  on create {name} = {value}\n");
        }
    }
    text += &format!(
        "customer {:?} status {:?} due {:?} lines complete {}\n",
        payload.customer, payload.status, payload.due, payload.lines_complete
    );
    for warning in &payload.warnings {
        text += &format!("warning {}", reason(warning));
    }
    text
}

/// HubSpot's own properties that the maps fill.
const STANDARD: &[&str] = &[
    "address",
    "address2",
    "city",
    "company",
    "country",
    "domain",
    "email",
    "firstname",
    "hs_amount_billed",
    "hs_currency",
    "hs_due_date",
    "hs_invoice_billable",
    "hs_invoice_date",
    "hs_invoice_payment_collection_method",
    "hs_line_item_currency_code",
    "hs_number",
    "hs_purchase_order_number",
    "hs_sku",
    "lastname",
    "lifecyclestage",
    "name",
    "phone",
    "price",
    "quantity",
    "state",
    "zip",
];

#[test]
fn every_property_that_is_sent_is_defined() {
    let settings = Settings {
        customers: crate::connection::CustomerScope::All,
        ..Settings::default()
    };
    let customer = record(&CUSTOMERS, json!({ "Customer": "1" }), vec![]);
    let invoice = json!({ "Customer": "1", "Invoice": "2", "DocumentType": "I",
        "CurrencyValue": 5, "InvoiceBal1": 5 });
    let line = json!({ "NetSalesValue": 5, "TrnYear": 2024, "TrnMonth": 1, "Register": 1,
        "SummaryLine": 1, "DetailLine": 1 });
    let invoice = record(&INVOICES, invoice, vec![line]);
    let mut sent = SortedSet::new();
    for (feed, record) in [(&CUSTOMERS, customer), (&INVOICES, invoice)] {
        let Outcome::Send(payload) = map(feed, &record, &settings) else {
            panic!("{} is not sent", feed.name);
        };
        for object in payload.objects {
            let defined = properties::definitions(object.kind, "syspro_");
            for name in object.properties.keys().chain(object.on_create.keys()) {
                let ours = defined.iter().any(|definition| definition.name == *name);
                let known = ours || STANDARD.contains(&name.as_str());
                assert!(known, "{:?} {name}", object.kind);
                sent.insert((object.kind, name.clone()));
            }
        }
    }
    for kind in OURS {
        for definition in properties::definitions(kind, "syspro_") {
            let name = definition.name;
            // Delivery writes this one, on what it takes over.
            let marks = name == "syspro_adopted";
            assert!(
                marks || sent.contains(&(kind, name.clone())),
                "{kind:?} {name} is never sent"
            );
        }
    }
}

/// The kinds we make records of; what a deal says people write.
const OURS: [Kind; 4] = [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem];

#[test]
fn definitions_begin_with_the_only_unique_one() {
    for kind in OURS {
        let definitions = properties::definitions(kind, "erp_");
        let unique = definitions.iter().filter(|one| one.unique).count();
        assert_eq!((unique, definitions[0].name.as_str()), (1, "erp_key"));
        let names: SortedSet<_> = definitions.iter().map(|one| &one.name).collect();
        assert_eq!(names.len(), definitions.len());
        for one in &definitions {
            let listed = one.data_type == "enumeration" || one.data_type == "bool";
            assert_eq!(listed, !one.options.is_empty(), "{}", one.name);
        }
    }
}

#[test]
fn a_key_has_all_its_parts() {
    let key = |row_: Value| INVOICES.record_key("EDU1", &row(row_));
    let whole = json!({ "Customer": "A/B  ", "Invoice": 17.0, "DocumentType": "I" });
    assert_eq!(key(whole).as_deref(), Some("EDU1/A%2FB/17/I"));
    for part in [" ", ""] {
        assert_eq!(
            key(json!({ "Customer": "A", "Invoice": part, "DocumentType": "I" })),
            None
        );
    }
    assert_eq!(key(json!({ "Customer": "A", "Invoice": "1" })), None);
}
