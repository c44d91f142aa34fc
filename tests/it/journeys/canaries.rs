//! Canaries: every secret of a connection and some values of records are words nobody else uses, and
//! whatever befalls the connection, no place that people can read holds one.

mod marks;
mod parrot;

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use percent_encoding::percent_decode_str;
use serde_json::{Value as Json, json};
use simulators::{
    data::NewInvoice,
    hubspot::{Fault, Kind, Limit, Portal, Token},
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::{
    connection::Connection,
    platform::{Platform, Statement},
};

use self::{
    marks::{Mark, found},
    parrot::{Manner, Parrot, Says, heard},
};
use super::{company, customer, distributor, first_invoice, hubspot_key, lines};
use crate::site::{self, ADMIN_TOKEN, MASTER_KEY, NEW_MASTER_KEY, Site, options};
use crate::world::{ERP, HUBSPOT, Shared, Start, World, shared};

/// A reserved letter or two in each, so that URLs hold them in another form.
const ODATA: &str = "k4narie+odata/pass=wort";
const OPERATOR: &str = "k4narie&operator pass%wort";
const COMPANY: &str = "k4narie#company/pass wort";
const HEADER: &str = "k4narie-access/service=token";
const TOKEN: &str = "pat-na1-k4narie-token";
const SECOND: &str = "pat-na1-k4narie-second";
/// Typed into the wrong field, or wrong altogether.
const MISTAKEN: &str = "k4narie-mistaken?pass";

/// In a customer's name, person, e-mail and telephone, and as an invoice's purchase order.
const NAME: &str = "Zaunkoenig";
const TELEPHONE: &str = "0199-7361-4";
const ORDER: &str = "PO-zk-77341";

const A_WHILE: Duration = Duration::from_secs(7 * 3_600);

struct Watched {
    site: Site,
    erp: Shared<Parrot<Server>>,
    portal: Shared<Parrot<Portal>>,
    /// Every answer of the API, and every cell there ever was.
    seen: RefCell<BTreeSet<String>>,
}

impl Watched {
    fn new() -> Watched {
        let mut data = distributor(3);
        let first = customer(1);
        for (column, value) in [
            ("Name", format!("{NAME} & Sons")),
            ("Contact", format!("Jo {NAME}")),
            ("Email", format!("jo@{NAME}.example")),
            ("Telephone", TELEPHONE.to_owned()),
        ] {
            assert!(data.edit_customer(&first, column, value.as_str()));
        }
        let credentials = Credentials {
            odata_password: ODATA.to_owned(),
            operator_password: OPERATOR.to_owned(),
            company_password: COMPANY.to_owned(),
            ..Credentials::default()
        };
        let server = shared(Server::new(data, credentials));
        let mut options = options();
        let scopes = options.tokens[0].scopes.clone();
        options.tokens = [TOKEN, SECOND]
            .map(|secret| Token {
                secret: secret.to_owned(),
                scopes: scopes.clone(),
                expires_at: None,
                oauth: false,
            })
            .to_vec();
        let inner = shared(Portal::new(0, options));
        let erp = shared(Parrot::of(&server));
        let portal = shared(Parrot::of(&inner));
        let world = World::new(Start::calm(), &erp, &portal);
        let tables = [
            "TblArTerms",
            "TblCustomerClass",
            "SalBranch",
            "SalSalesperson",
        ];
        server.borrow_mut().quirks.missing_tables = tables.map(str::to_owned).to_vec();
        Watched {
            site: Site::of(world, server, inner),
            erp,
            portal,
            seen: RefCell::default(),
        }
    }

    fn body(&self) -> Json {
        let mut body = self.site.connection(json!({}));
        body["syspro"]["odata_password"] = json!(ODATA);
        body["syspro"]["enet_url"] = json!(format!("https://{ERP}/SYSPROWCFService/Rest"));
        body["syspro"]["operator"] = json!("SVC");
        body["syspro"]["operator_password"] = json!(OPERATOR);
        body["syspro"]["company_password"] = json!(COMPANY);
        body["syspro"]["headers"] = json!({ "CF-Access-Client-Secret": HEADER });
        body["hubspot"]["token"] = json!(TOKEN);
        body
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Json {
        let answer = self.site.ask(method, path, body);
        let said = format!("{method} {path}: {} {}", answer.status, answer.body);
        self.seen.borrow_mut().insert(said);
        answer.body
    }

    fn ask_json(&self, method: &str, path: &str, body: &Json) -> Json {
        self.ask(method, path, &body.to_string())
    }

    /// What anybody can look at now: every route, and every cell of every table.
    fn look_around(&self) {
        let all = "/connections/acme";
        for path in ["/connections", "/health"] {
            self.ask("GET", path, "");
        }
        for path in ["", "/runs", "/records", "/records?status=failing", "/audit"] {
            self.ask("GET", &format!("{all}{path}"), "");
        }
        let invoice = hubspot_key(&first_invoice(1));
        self.ask(
            "GET",
            &format!("{all}/records/customers/{}", company(1)),
            "",
        );
        self.ask("GET", &format!("{all}/records/invoices/{invoice}"), "");
        let cells = self.cells();
        self.seen.borrow_mut().extend(cells);
    }

    fn cells(&self) -> Vec<String> {
        let world = &self.site.world;
        let tables = world.rows("select name from sqlite_master where type = 'table'");
        assert!(tables.len() >= 9, "{tables:?}");
        let mut cells = Vec::new();
        for table in tables {
            let name = table["name"].as_str().expect("a name");
            for row in world.rows(&format!("select * from {name}")) {
                for (column, cell) in row.as_object().expect("a row") {
                    let text = cell
                        .as_str()
                        .map_or_else(|| cell.to_string(), str::to_owned);
                    cells.push(format!("{name}.{column}: {text}"));
                }
            }
        }
        cells
    }

    /// Something to send, something to look up, and a while for whatever was put off.
    fn something_happens(&self, number: usize) {
        self.site.world.advance(A_WHILE);
        let mut erp = self.site.erp.borrow_mut();
        let name = format!("{NAME} {number}");
        erp.data.edit_customer(&customer(1), "Name", name.as_str());
        let today = self.site.today();
        erp.data.post_invoice(NewInvoice {
            customer_po: ORDER.to_owned(),
            ..NewInvoice::of(&customer(1), today, lines())
        });
    }

    /// A tick and the checks, and a look at what they left.
    fn goes_on(&self) {
        self.site.next_tick();
        self.look_around();
        self.ask("POST", "/connections/acme/checks", "");
        self.look_around();
    }

    /// Ids of e.net sessions there were.
    fn sessions(&self) -> Vec<String> {
        let log = self.site.world.fetch_log();
        let lines: Vec<String> = log.iter().map(|call| call.line()).collect();
        let ids = lines.iter().filter_map(|line| {
            let (_, rest) = line.split_once("UserId=")?;
            let id = rest.split('&').next().unwrap_or_default();
            let id = percent_decode_str(id).decode_utf8_lossy();
            // Half of it would be too much too.
            Some(id.trim_matches(['"', ' ']).chars().take(16).collect())
        });
        let mut ids: Vec<String> = ids.filter(|id: &String| id.len() == 16).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn secrets(&self) -> Vec<Mark> {
        let known = [
            ODATA, OPERATOR, COMPANY, HEADER, TOKEN, SECOND, MISTAKEN, "k4narie",
        ];
        let keys = [ADMIN_TOKEN, MASTER_KEY, NEW_MASTER_KEY];
        let words = known.iter().chain(&keys).copied();
        let sessions = self.sessions();
        assert!(!sessions.is_empty(), "e.net was used");
        Mark::all(
            &words
                .chain(sessions.iter().map(String::as_str))
                .collect::<Vec<_>>(),
        )
    }

    /// Places that hold a secret, or a record's value where none may be.
    fn leaks(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        let logs = self.site.world.logs();
        let mut leaks = found(&self.secrets(), seen.iter().chain(&logs));
        let values = Mark::all(&[NAME, TELEPHONE, ORDER]);
        // What waits to be sent is the one place for them.
        let waiting = |place: &String| place.starts_with("ledger.payload: ");
        let elsewhere = seen.iter().filter(|place| !waiting(place)).chain(&logs);
        leaks.extend(found(&values, elsewhere));
        leaks.extend(found(&Mark::all(&["$filter", "$select"]), &logs));
        leaks
    }

    /// What belongs to one system is not sent to the other.
    fn sent_astray(&self) -> Vec<String> {
        let log = self.site.world.fetch_log();
        let sent = |host: &str| -> Vec<String> {
            let calls = log.iter().filter(|call| call.host() == host);
            calls.map(|call| heard(&call.request)).collect()
        };
        let of_ours = [ADMIN_TOKEN, MASTER_KEY, NEW_MASTER_KEY];
        let of_syspro = [ODATA, OPERATOR, COMPANY, HEADER];
        let mut astray = found(
            &Mark::all(&[&of_ours[..], &of_syspro].concat()),
            &sent(HUBSPOT),
        );
        astray.extend(found(
            &Mark::all(&[&of_ours[..], &[TOKEN, SECOND]].concat()),
            &sent(ERP),
        ));
        astray
    }
}

const HUBSPOT_SAYS: [(u16, Manner); 31] = {
    use Manner::{HubSpot, Page, Partly};
    const BAD: &str = "VALIDATION_ERROR";
    const NOT_VALID: &str = "Property values were not valid:";
    [
        (400, HubSpot(BAD, "PROPERTY_DOESNT_EXIST", NOT_VALID)),
        (400, HubSpot(BAD, "READ_ONLY_VALUE", NOT_VALID)),
        (
            400,
            HubSpot(BAD, "INVALID_EMAIL", "Email address is invalid:"),
        ),
        (400, HubSpot(BAD, "INVALID_OPTION", NOT_VALID)),
        (
            400,
            HubSpot(
                BAD,
                "CONFLICTING_UNIQUE_VALUE",
                "Cannot set PropertyValueCoordinates{portalId=1, objectTypeId=ObjectTypeId{0-1}, propertyName=email, value=",
            ),
        ),
        (400, HubSpot(BAD, "MISSING_REQUIRED_PROPERTY", NOT_VALID)),
        (400, HubSpot(BAD, "", "Duplicate IDs found in batch input:")),
        (
            400,
            HubSpot(
                BAD,
                "",
                "Unable to perform update/upsert by non-unique 0-2 property domain in portal ID 123",
            ),
        ),
        (
            400,
            HubSpot(
                BAD,
                "",
                "Invalid input JSON on line 1, column 3301: Cannot deserialize value of type `java.lang.String` from",
            ),
        ),
        (400, HubSpot("", "", "One or more associations are invalid")),
        (
            401,
            HubSpot(
                "INVALID_AUTHENTICATION",
                "",
                "Authentication credentials not found.",
            ),
        ),
        (
            401,
            HubSpot(
                "EXPIRED_AUTHENTICATION",
                "",
                "The OAuth token used to make this call expired",
            ),
        ),
        (
            403,
            HubSpot(
                "MISSING_SCOPES",
                "",
                "This app hasn't been granted all required scopes",
            ),
        ),
        (404, HubSpot("OBJECT_NOT_FOUND", "", "Object not found.")),
        (
            409,
            HubSpot(
                "CONFLICT",
                "",
                "Contact already exists. Existing ID: 482701",
            ),
        ),
        (
            409,
            HubSpot(
                "OBJECT_ALREADY_EXISTS",
                "",
                "A property named exists already",
            ),
        ),
        (413, Page),
        (414, Page),
        (
            423,
            HubSpot(
                "LOCKED",
                "",
                "Timed out trying to acquire unique value lock for PropertyValueCoordinates",
            ),
        ),
        (
            429,
            HubSpot(
                "RATE_LIMITS",
                "",
                "You have reached your ten_secondly_rolling limit.",
            ),
        ),
        (477, HubSpot("", "", "This account is being migrated")),
        (500, Page),
        (502, Page),
        (503, HubSpot("", "", "unavailable")),
        (504, Page),
        (521, Page),
        (523, Page),
        (524, Page),
        (200, Page),
        (207, Partly),
        (200, Partly),
    ]
};

const SYSPRO_SAYS: [Says; 17] = {
    use Manner::{Error, Odata, Page};
    const fn says(on: &'static str, status: u16, manner: Manner) -> Says {
        Says { on, status, manner }
    }
    [
        says("OData", 401, Page),
        says("OData", 401, Odata),
        says("OData", 403, Page),
        says("OData", 400, Odata),
        says("OData", 404, Odata),
        says("OData", 500, Odata),
        says("OData", 500, Page),
        says("OData", 200, Page),
        says("OData", 200, Odata),
        says("OData", 302, Page),
        says("Logon", 200, Error("Invalid operator password")),
        says("Logon", 200, Error("Invalid company password")),
        says("Logon", 200, Error("who knows why")),
        says("Query/Query", 200, Error("The supplied UserID is invalid")),
        says("Query/Query", 200, Error("COMFND is not licensed for")),
        says("WCFService", 200, Page),
        says("", 500, Page),
    ]
};

/// Bodies that people get wrong, with a secret somewhere in them.
fn mistakes(watched: &Watched) -> Vec<String> {
    let with = |change: fn(&mut Json)| {
        let mut body = watched.body();
        change(&mut body);
        body.to_string()
    };
    let address = |text: &str| text.replace("PASS", "k4narie-mistaken");
    let user = address("https://SVC:PASS@erp.example/odata");
    let query = address("https://erp.example/odata?password=PASS");
    let mut bodies = vec![
        with(|body| body["hubspot"]["token"] = json!([MISTAKEN])),
        with(|body| body["hubspot"]["token"] = json!(format!("{MISTAKEN} with a blank"))),
        with(|body| body["syspro"]["odata_password"] = json!({ "is": MISTAKEN })),
        with(|body| body["syspro"]["odata_password"] = json!(format!("{MISTAKEN}\n"))),
        with(|body| body["syspro"]["headers"] = json!({ "Host": MISTAKEN })),
        with(|body| body["syspro"]["headers"] = json!({ "X-Key": format!("{MISTAKEN}é") })),
        with(|body| body["syspro"]["local_currency"] = json!(MISTAKEN)),
        with(|body| body["syspro"]["company"] = json!(MISTAKEN)),
        with(|body| body["hubspot"]["prefix"] = json!(MISTAKEN)),
        with(|body| body["settings"]["credit_notes"] = json!(MISTAKEN)),
        with(|body| body["id"] = json!(MISTAKEN)),
        with(|body| body["password"] = json!(MISTAKEN)),
        format!(r#"{{"hubspot":{{"token":"{MISTAKEN}""#),
        format!(r#"{{"hubspot":{{"token":{MISTAKEN}}}}}"#),
        format!(r#"["{MISTAKEN}"]"#),
        MISTAKEN.to_owned(),
    ];
    for url in [user, query] {
        for field in ["odata_url", "enet_url"] {
            bodies.push(json!({ "syspro": { (field): url } }).to_string());
        }
        bodies.push(json!({ "hubspot": { "api_url": url } }).to_string());
    }
    bodies
}

/// All that a connection lives through, from its making to its end.
fn lived_through() -> Watched {
    let watched = Watched::new();
    let site = &watched.site;
    for body in mistakes(&watched) {
        watched.ask("POST", "/connections", &body);
    }
    let made = watched.ask_json("POST", "/connections", &watched.body());
    assert_eq!(made["state"], "active", "{made:#}");
    site.tick();
    watched.look_around();
    assert!(
        site.value(Kind::Company, &company(1), "name")
            .contains(NAME)
    );

    let wrong = site.ask_as("GET", "/connections", "", Some(MISTAKEN));
    watched.seen.borrow_mut().insert(wrong.body.to_string());
    refused_by_hubspot(&watched);
    refused_by_syspro(&watched);
    changed(&watched);
    watched.ask("DELETE", "/connections/acme", "");
    watched.look_around();
    watched
}

fn refused_by_hubspot(watched: &Watched) {
    let mut number = 0;
    for (status, manner) in HUBSPOT_SAYS {
        for on in ["/batch/", "/"] {
            number += 1;
            watched.something_happens(number);
            let says = Says { on, status, manner };
            watched.portal.borrow_mut().learns(Some(says));
            watched.goes_on();
            assert!(watched.portal.borrow().said > 0, "{says:?}");
            watched.portal.borrow_mut().learns(None);
            watched.ask("POST", "/connections/acme/checks", "");
        }
    }
    let short = |fault: Fault| fault.times(3, "/batch/");
    for rule in [
        short(Fault::Drop),
        short(Fault::LoseAnswer),
        short(Fault::Cut { bytes: 60 }),
        short(Fault::DoneBut { status: 504 }),
        short(Fault::limit(Limit::Daily)),
        short(Fault::Expired),
    ] {
        number += 1;
        watched.something_happens(number);
        watched.site.portal.borrow_mut().add_fault(rule);
        watched.goes_on();
        watched.site.portal.borrow_mut().clear_faults();
    }
}

fn refused_by_syspro(watched: &Watched) {
    // Somebody signs in with our operator, again and again.
    for number in 900..903 {
        watched.something_happens(number);
        watched.site.erp.borrow_mut().evict();
        watched.goes_on();
    }
    for (number, says) in SYSPRO_SAYS.into_iter().enumerate() {
        watched.something_happens(1_000 + number);
        watched.erp.borrow_mut().learns(Some(says));
        watched.goes_on();
        assert!(watched.erp.borrow().said > 0, "{says:?}");
        watched.erp.borrow_mut().learns(None);
        watched.ask("POST", "/connections/acme/checks", "");
        watched.site.next_tick();
    }
}

fn changed(watched: &Watched) {
    let site = &watched.site;
    for body in mistakes(watched) {
        watched.ask("PATCH", "/connections/acme", &body);
        watched.look_around();
    }
    for body in [
        json!({ "hubspot": { "token": SECOND } }),
        json!({ "hubspot": { "token": MISTAKEN } }),
        json!({ "syspro": { "odata_password": MISTAKEN, "operator_password": MISTAKEN } }),
        json!({ "syspro": { "headers": { "CF-Access-Client-Secret": MISTAKEN } } }),
        watched.body(),
    ] {
        watched.ask_json("PATCH", "/connections/acme", &body);
        watched.goes_on();
    }
    site.deploy((NEW_MASTER_KEY, None));
    watched.ask("POST", "/keys/rotate", "");
    watched.goes_on();
    site.deploy((NEW_MASTER_KEY, Some(MASTER_KEY)));
    let rotated = watched.ask("POST", "/keys/rotate", "");
    assert_eq!(rotated["remaining"], 0, "{rotated}");
    assert_ne!(rotated["resealed"], 0, "{rotated}");
    watched.goes_on();
    let shown = watched.ask("GET", "/connections/acme", "");
    assert_eq!(shown["state"], "active", "{shown:#}");
}

#[test]
fn nothing_that_anybody_reads_holds_a_secret_or_a_records_value() {
    let watched = lived_through();
    let log = watched.site.world.fetch_log();
    let wire: Vec<String> = log.iter().map(|call| heard(&call.request)).collect();
    drop(log);
    for secret in [ODATA, OPERATOR, COMPANY, HEADER, TOKEN, SECOND, NAME, ORDER] {
        let mark = Mark::new(secret);
        assert!(
            wire.iter().any(|call| mark.is_in(call)),
            "{secret} was used"
        );
    }
    assert_eq!(watched.leaks(), Vec::<String>::new());
    assert_eq!(watched.sent_astray(), Vec::<String>::new());
}

/// A panic, had one come, could print no more than this.
#[test]
fn what_holds_secrets_prints_none_of_them() {
    let watched = Watched::new();
    let config = site::config();
    let body = watched.body().to_string();
    let connection = Connection::parse(&body, &config.guard).expect("a connection");
    let printed = [
        format!("{connection:?} {connection:#?}"),
        format!("{config:?} {config:#?}"),
    ];
    let secrets = [
        ODATA,
        OPERATOR,
        COMPANY,
        HEADER,
        TOKEN,
        ADMIN_TOKEN,
        MASTER_KEY,
    ];
    assert_eq!(found(&Mark::all(&secrets), &printed), Vec::<String>::new());
}

#[test]
fn whatever_slips_out_is_found_where_it_is() {
    let watched = Watched::new();
    watched.ask_json("POST", "/connections", &watched.body());
    watched.site.tick();
    watched.look_around();
    assert_eq!(watched.leaks(), Vec::<String>::new());
    let plant = |form: &str| {
        let line = form.to_owned();
        watched
            .site
            .world
            .run(|edge| async move { edge.log(&format!("said {line}!")) });
        let keep = Statement::new("update connections set state_reason = ?1", [form.into()]);
        watched.site.world.d1().batch(&[keep]).expect("a write");
        let cells = watched.cells();
        watched.seen.borrow_mut().extend(cells);
        let answer = json!({ "error": { "message": form } });
        watched
            .seen
            .borrow_mut()
            .insert(format!("GET /: 200 {answer}"));
    };
    let words = watched
        .secrets()
        .into_iter()
        .chain(Mark::all(&[NAME, TELEPHONE, ORDER]));
    for form in words.flat_map(|mark| mark.forms().to_vec()) {
        watched.seen.borrow_mut().clear();
        plant(&form);
        let leaks = watched.leaks();
        for place in ["said ", "connections.state_reason: ", "GET /: 200 "] {
            let here = format!(" in {place}");
            let mut named = leaks.iter().filter(|leak| leak.contains(&form));
            assert!(named.any(|leak| leak.contains(&here)), "{form} in {place}");
        }
    }
}
