//! Real documents: what the simulators and the database say during a small load, HubSpot's refusals
//! as they are documented, and what people send.
//!
//! What is added here is fuzzed. Where values of records or secrets stand, a canary does.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde_json::{Value, json};
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice, NewLine},
    hubspot::Fault,
};

use super::CANARIES;
use crate::{
    site::{OPERATOR_PASSWORD, Site, day},
    world::{ERP, HUBSPOT, Landing, Start},
};

/// Who wrote a document, which decides who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Odata,
    Enet,
    HubSpot,
    /// A body of a request to the Worker.
    Caller,
    /// A path, a query, a URL, a variable.
    Word,
    Database,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub origin: Origin,
    pub name: String,
    pub status: u16,
    pub bytes: Vec<u8>,
    /// What was written or linked by the request it answers: pairs of id and trace, or of two ids.
    pub asked: Vec<(String, String)>,
}

impl Document {
    fn new(origin: Origin, name: &str, bytes: impl Into<Vec<u8>>) -> Document {
        Document {
            origin,
            name: name.to_owned(),
            status: 200,
            bytes: bytes.into(),
            asked: Vec::new(),
        }
    }

    /// Nobody takes it as it is: it says no, or only a type that nobody else can name reads it.
    pub fn is_for_nobody(&self) -> bool {
        self.status >= 400 || ["checks", "position", ENET_REFUSAL].contains(&self.name.as_str())
    }
}

pub struct Corpus {
    pub documents: Vec<Document>,
}

/// Of one endpoint or statement.
const MOST_ALIKE: usize = 2;
/// Not published over OData, so read over e.net.
const OVER_ENET: [&str; 2] = ["TblArTerms", "SalSalesperson"];
/// e.net says no with status 200.
const ENET_REFUSAL: &str = "a refusal of e.net";
/// A larger one would only be slower.
const LONGEST: usize = 20_000;

impl Corpus {
    pub fn gather() -> Corpus {
        let mut documents = of_a_load();
        documents.extend(refusals());
        documents.extend(enet_refusals());
        documents.extend(bodies());
        documents.extend(words());
        Corpus { documents }
    }
}

fn distributor() -> Distributor {
    let today = day(Start::NOW);
    let [name, mail] = CANARIES;
    let mut data = Distributor::empty();
    let text = |text: &str| simulators::data::Value::from(text);
    let salesperson = vec![
        ("Branch", text("10")),
        ("Salesperson", text("Z&<")),
        ("Name", text(name)),
    ];
    data.insert("SalSalesperson", salesperson);
    for number in 1..=2 {
        let email = format!("{mail}customer{number}.example");
        let key = data.add_customer(NewCustomer {
            name: format!("{name} {number} Ltd"),
            contact: format!("{name} {number}"),
            email,
            telephone: format!("{name} {number}"),
            added: Some(today),
            ..NewCustomer::default()
        });
        let stocked = |value: i64| NewLine::stocked("A100", 2.into(), value.into(), 1.into());
        let lines = vec![stocked(10), stocked(33), NewLine::charge('4', 7.into())];
        data.post_invoice(NewInvoice::of(&key, today, lines.clone()));
        let credit = NewInvoice::of(&key, today, lines);
        data.post_invoice(NewInvoice {
            document_type: "C".to_owned(),
            ..credit
        });
    }
    data
}

/// Everything that is said while two customers and their invoices are loaded, and one is refused.
fn of_a_load() -> Vec<Document> {
    let site = Site::bare(Start::calm(), distributor(), crate::site::options());
    let said: Rc<RefCell<Vec<Document>>> = Rc::default();
    let listener = Rc::clone(&said);
    site.world.on_landing(move |_, landing| {
        listener.borrow_mut().extend(heard(landing));
    });
    site.erp.borrow_mut().quirks.missing_tables = OVER_ENET.map(str::to_owned).to_vec();
    let mut body = site.connection(json!({}));
    body["syspro"]["enet_url"] = json!(format!("https://{ERP}/SYSPROWCFService/Rest"));
    body["syspro"]["operator"] = json!("SVC");
    body["syspro"]["operator_password"] = json!(OPERATOR_PASSWORD);
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.body["state"], "active", "{}", made.body);
    let refusal = include_str!("corpus/property.json");
    let refused = Fault::refuse(400, refusal).once("line_items/batch/upsert");
    site.portal.borrow_mut().add_fault(refused);
    site.settle(8);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut all = said.take();
    all.retain(|document| {
        let count = counts.entry(document.name.clone()).or_default();
        let fits = document.bytes.len() <= LONGEST && !document.bytes.is_empty();
        let keep = fits && *count < MOST_ALIKE && seen.insert(document.bytes.clone());
        *count += usize::from(keep);
        keep
    });
    all
}

fn heard(landing: &Landing<'_>) -> Vec<Document> {
    match landing {
        Landing::Exchange { request, response } => {
            let Some(response) = response else {
                return Vec::new();
            };
            let path = request.uri().path();
            let origin = match request.uri().host() {
                // Nobody reads what it says of a log-off.
                Some(ERP) if path.ends_with("/Logoff") => return Vec::new(),
                Some(ERP) if path.contains("SYSPROWCFService") => Origin::Enet,
                Some(ERP) => Origin::Odata,
                Some(HUBSPOT) => Origin::HubSpot,
                _ => return Vec::new(),
            };
            // Of its query, which holds passwords, only the table.
            let query = request.uri().query().unwrap_or_default();
            let table = OVER_ENET.into_iter().find(|table| query.contains(table));
            let name = format!("{} {path} {}", request.method(), table.unwrap_or_default());
            vec![Document {
                status: response.status().as_u16(),
                asked: asked(request.body()),
                ..Document::new(origin, &name, response.body().clone())
            }]
        }
        Landing::Batch { statements, rows } => statements
            .iter()
            .zip(*rows)
            .filter(|(statement, rows)| statement.sql.starts_with("select") && !rows.is_empty())
            .flat_map(|(statement, rows)| stored(statement.sql, rows))
            .collect(),
    }
}

/// The rows of a statement, and every JSON text in them by itself.
fn stored(sql: &str, rows: &[Value]) -> Vec<Document> {
    let rows = &rows[..rows.len().min(3)];
    let whole = Document::new(Origin::Database, sql, json!(rows).to_string());
    let texts = rows.iter().filter_map(Value::as_object).flatten();
    let inner = texts.filter_map(|(column, value)| {
        let text = value.as_str().filter(|text| text.starts_with(['{', '[']))?;
        Some(Document::new(Origin::Database, column, text))
    });
    inner.chain([whole]).collect()
}

fn asked(request: &str) -> Vec<(String, String)> {
    let body: Value = serde_json::from_str(request).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let inputs = body["inputs"].as_array().into_iter().flatten();
    let pair = |input: &Value| match text(&input["from"]["id"]) {
        Some(from) => Some((from, text(&input["to"]["id"])?)),
        None => Some((text(&input["id"])?, text(&input["objectWriteTraceId"])?)),
    };
    inputs.filter_map(pair).collect()
}

/// HubSpot's refusals as its documentation and others' logs have them.
fn refusals() -> Vec<Document> {
    let written = [("1", "t-0"), ("CUST-404", "c-1")];
    let asked = written.map(|(id, trace)| (id.to_owned(), trace.to_owned()));
    let all = [
        (400, "property", include_str!("corpus/property.json")),
        (
            400,
            "duplicate ids",
            include_str!("corpus/duplicate_ids.json"),
        ),
        (409, "taken value", include_str!("corpus/taken_value.json")),
        (409, "taken e-mail", include_str!("corpus/taken_email.json")),
        (
            207,
            "some refused",
            include_str!("corpus/some_refused.json"),
        ),
        (
            207,
            "links refused",
            include_str!("corpus/links_refused.json"),
        ),
        (403, "scopes", include_str!("corpus/scopes.json")),
        (401, "expired", include_str!("corpus/expired.json")),
        (429, "rate", include_str!("corpus/rate.json")),
        (200, "a record", include_str!("corpus/record.json")),
        (200, "a search", include_str!("corpus/found.json")),
        (404, "no record", include_str!("corpus/no_record.json")),
        (423, "lock", include_str!("corpus/lock.json")),
        (
            502,
            "a page",
            "<html><body>Zqx Wvk: bad gateway</body></html>",
        ),
    ];
    let document = |(status, name, text): (u16, &str, &str)| Document {
        status,
        asked: asked.to_vec(),
        ..Document::new(Origin::HubSpot, name, text)
    };
    let mut documents: Vec<Document> = all.into_iter().map(document).collect();
    let odata =
        r#"{"error":{"code":"BadRequest","message":"Zqx Wvk","innererror":{"message":"Zqx Wvk"}}}"#;
    documents.push(Document {
        status: 400,
        ..Document::new(Origin::Odata, "an error", odata)
    });
    documents
}

/// What e.net says instead of an answer: sentences of its own, and errors within a document.
fn enet_refusals() -> Vec<Document> {
    let all = [
        "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired.",
        "\"ERROR: Zqx Wvk: the operator password is invalid\"",
        "ERROR: Company Zqx Wvk is invalid",
        "ERROR: The maximum number of concurrent users is reached",
        "ERROR: Zqx Wvk",
        "<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\n<TblArTerms><Item><TermsCode><Value>Zqx Wvk</Value>\
         <ErrorNumber>240004</ErrorNumber><ErrorDescription>Terms 'Zqx Wvk' not found</ErrorDescription>\
         </TermsCode></Item></TblArTerms>",
    ];
    all.map(|text| Document::new(Origin::Enet, ENET_REFUSAL, text))
        .into()
}

/// A connection with everything in it, a change of it, a period, replays.
fn bodies() -> Vec<Document> {
    let [secret, _] = CANARIES;
    let whole = whole_connection();
    let patch = json!({
        "name": "Other", "paused": true,
        "syspro": { "odata_url": "https://erp.acme.example/odata", "odata_password": secret },
        "hubspot": { "token": "pat-na1-22222222" },
        "settings": { "currencies": { "STG": "GBP", "DLR": null }, "lookback_days": null },
    });
    let replays = [
        json!({ "records": [{ "feed": "customers", "key": "EDU1/000000000000001" }], "preview": true }),
        json!({ "status": "failing" }),
        json!({ "since": "2026-11-01", "until": "2026-11-02T08:00:00+01:00", "feed": "invoices" }),
    ];
    let period = json!({ "from": "2026-10-01", "to": "2026-10-31" });
    let own = [("connection", whole), ("patch", patch), ("period", period)];
    let replays = replays.into_iter().map(|body| ("replay", body));
    let all = own.into_iter().chain(replays);
    all.map(|(name, body)| Document::new(Origin::Caller, name, body.to_string()))
        .collect()
}

pub fn whole_connection() -> Value {
    let [secret, _] = CANARIES;
    json!({
        "id": "acme", "name": "Acme Industrial",
        "syspro": {
            "odata_url": "https://erp.acme.example/SYSPRO8Odata/SYSPROOData", "company": "EDU1",
            "odata_username": "SVC", "odata_password": format!("{secret} o"), "local_currency": "USD",
            "enet_url": "https://erp.acme.example:31002/SYSPROWCFService/Rest", "operator": "SVC",
            "operator_password": format!("{secret} p"), "company_password": "",
            "headers": { "CF-Access-Client-Secret": format!("{secret} h") },
        },
        "hubspot": { "token": "pat-na1-11111111", "api_url": "https://api.hubapi.com", "api_version": "2026-09" },
        "settings": {
            "lookback_days": 3, "history_days": 400, "rate_share": 0.5, "daily_share": 1,
            "customers": "all", "credit_notes": "exclude", "foreign_currency": "local",
            "currencies": { "STG": "GBP" }, "site_utc_offset_minutes": -300, "date_style": "v3",
            "tables": { "ArCustomer": "AR_CUSTOMER" }, "modified_columns": { "ArInvoice": "Modified" },
            "address_columns": { "city": "SoldToAddr2" },
        },
    })
}

fn words() -> Vec<Document> {
    let all = [
        "/connections/acme/records/invoices/EDU1%2F000000000000123%2F000000000100164%2FI",
        "/connections/acme/runs/01J8Z6",
        "/connections/acme/records?feed=invoices&status=failing&q=164&limit=200",
        "since=2026-11-01T00:00:00%2B01:00&feed=customers&key=EDU1/1&cursor=eyJhIjoxfQ==",
        "https://erp.acme.example:31002/SYSPROWCFService/Rest",
        "https://user:pass@[::ffff:127.0.0.1]:8080/path?query#fragment",
        "2026-11-02T08:00:00.123+01:00",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "v1.630dcd29.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "127.0.0.1:8787, erp.local",
        "700",
        "true",
    ];
    all.map(|text| Document::new(Origin::Word, text, text))
        .into()
}
