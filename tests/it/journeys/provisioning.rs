//! What set-up makes in a portal, what it finds wrong there, and what the sync does without.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use serde_json::{Value, json};
use simulators::hubspot::{Fault, Kind, Options, Portal, Rule, Token};
use syspro_hubspot_sync::routes;

use super::{company, distributor, first_invoice, hubspot_key};
use crate::agreement;
use crate::site::{ADMIN_TOKEN, Answer, HUBSPOT_TOKEN, Site, config, options};
use crate::world::{Call, HUBSPOT, Start};

fn without(scopes: &[&str]) -> Options {
    let all = options();
    scopes
        .iter()
        .fold(all, |options, scope| options.without_scope(scope))
}

/// A portal with something in it already, and no connection yet.
fn portal(options: Options, before: impl FnOnce(&mut Portal)) -> Site {
    let site = Site::bare(Start::calm(), distributor(2), options);
    before(&mut site.portal.borrow_mut());
    site
}

fn make(site: &Site) -> Value {
    let body = site.connection(json!({})).to_string();
    let made = site.ask("POST", "/connections", &body);
    assert_eq!(made.status, 201, "{}", made.body);
    made.body
}

/// What the remedies advise.
fn look_again(site: &Site) -> Value {
    let answer = site.ask("POST", "/connections/acme/checks", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    site.get("/connections/acme")
}

fn check(shown: &Value, name: &str) -> Value {
    let checks = shown["checks"].as_array().into_iter().flatten();
    let mut found = checks.filter(|check| check["name"] == name);
    found.next().cloned().unwrap_or_default()
}

/// The text of a check that failed: optional or not, why, remedy.
fn told(shown: &Value, name: &str) -> String {
    let check = check(shown, name);
    assert_eq!(check["ok"], false, "{name}: {check} in {shown:#}");
    let kind = match check["optional"] == true {
        true => "optional",
        false => "needed",
    };
    let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
    format!("{kind}: {} → {}", text("why"), text("remedy"))
}

/// Calls to HubSpot since the site began, by method and path.
fn wire(site: &Site) -> Vec<String> {
    let log = site.world.fetch_log();
    let hubspot = log.iter().filter(|call| call.host() == HUBSPOT);
    hubspot.map(Call::line).collect()
}

/// What is defined on every kind: name, type, unique.
fn defined(site: &Site) -> BTreeMap<Kind, Vec<String>> {
    let portal = site.portal.borrow();
    let ours = |kind: Kind| {
        let properties = portal.properties(kind).filter(|it| !it.archived);
        let ours = properties.filter(|it| it.name.starts_with("syspro_"));
        ours.map(|it| format!("{} {:?} {}", it.name, it.kind, it.has_unique_value))
            .collect()
    };
    Kind::ALL.map(|kind| (kind, ours(kind))).into()
}

fn property(name: &str, kind: &str, field: &str, unique: bool) -> Value {
    json!({
        "groupName": "mine", "name": name, "label": name, "type": kind, "fieldType": field,
        "hasUniqueValue": unique,
    })
}

/// Somebody else's property, made over the API.
fn define(portal: &mut Portal, kind: &str, property: &Value) {
    let ask = |portal: &mut Portal, path: &str, body: &Value| {
        let request =
            http::Request::post(format!("https://{HUBSPOT}/crm/properties/2026-09/{path}"))
                .header("authorization", format!("Bearer {HUBSPOT_TOKEN}"))
                .body(body.to_string())
                .expect("a request");
        portal.answer(Start::NOW, &request).status().as_u16()
    };
    let group = json!({ "name": "mine", "label": "Mine" });
    ask(portal, &format!("{kind}/groups"), &group);
    assert_eq!(ask(portal, kind, property), 201, "{property}");
}

fn archive(portal: &mut Portal, kind: &str, name: &str) {
    let request = http::Request::delete(format!(
        "https://{HUBSPOT}/crm/properties/2026-09/{kind}/{name}"
    ))
    .header("authorization", format!("Bearer {HUBSPOT_TOKEN}"))
    .body(String::new())
    .expect("a request");
    assert_eq!(portal.answer(Start::NOW, &request).status(), 204);
}

#[test]
fn properties_are_made_once_keys_first_and_then_only_looked_at() {
    let site = portal(options(), |_| ());
    let made = make(&site);
    assert_eq!(made["state"], "active", "{made:#}");
    assert_eq!(made["portal"]["region"], "na1");
    let all = defined(&site);
    assert_eq!(all[&Kind::Deal], ["syspro_sales_orders String false"]);
    let count = |kind: Kind| all[&kind].len();
    assert_eq!(count(Kind::Company), 26);
    for kind in [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem] {
        let key = "syspro_key String true".to_owned();
        assert!(all[&kind].contains(&key), "{kind:?}: {:?}", all[&kind]);
    }
    let companies: Vec<String> = {
        let log = site.world.fetch_log();
        let creates = log
            .iter()
            .filter(|call| call.line().contains("/companies/batch/create"));
        creates.map(|call| call.body().to_owned()).collect()
    };
    assert_eq!(companies.len(), 2, "the key, then the rest");
    assert!(companies[0].contains("syspro_key") && !companies[0].contains("syspro_balance"));

    let before = wire(&site).len();
    let again = look_again(&site);
    assert_eq!(again["state"], "active");
    let since = wire(&site).split_off(before);
    let token_info = "POST /oauth/v2/private-apps/get/access-token-info";
    let asked: Vec<&String> = since.iter().filter(|line| *line != token_info).collect();
    assert!(
        asked.iter().all(|line| line.starts_with("GET ")),
        "{asked:?}"
    );
    assert_eq!(asked.len(), 6, "{asked:?}");
    assert_eq!(defined(&site), all);
}

/// The calls that ask for or make properties, in their order.
fn of_properties(site: &Site) -> Vec<String> {
    let asked = wire(site).into_iter();
    asked
        .filter(|line| line.contains("/crm/properties/"))
        .collect()
}

#[test]
fn the_share_of_a_run_does_not_hold_up_the_set_up() {
    let site = portal(options(), |_| ());
    let settings = json!({ "rate_share": 0.1 });
    let began = site.world.now();
    let body = site.connection(settings).to_string();
    let made = site.ask("POST", "/connections", &body);
    assert_eq!(made.body["state"], "active", "{:#}", made.body);
    assert!(site.world.now() - began <= 10_000);
}

#[test]
fn a_set_up_keeps_to_what_hubspot_says_of_its_window() {
    let mut narrow = options();
    narrow.limits.general_in_ten_seconds = 20;
    let site = portal(narrow, |_| ());
    let mut shown = make(&site);
    for _ in 0..5 {
        // The window is empty again: nothing is known of one set-up in the next.
        site.world.advance(Duration::from_secs(10));
        shown = site.ask("POST", "/connections/acme/checks", "").body;
    }
    let calls = site.world.fetch_log();
    let refused = calls.iter().filter(|call| call.told == Some(Ok(429)));
    assert_eq!(refused.count(), 0);
    drop(calls);
    assert_eq!(
        site.get("/connections/acme")["state"],
        "active",
        "{shown:#}"
    );
}

#[test]
fn all_that_is_there_is_read_before_anything_is_made() {
    let site = portal(options(), |_| ());
    make(&site);
    let asked = of_properties(&site);
    let first: Vec<&String> = asked.iter().take(5).collect();
    let read = |line: &&&String| line.starts_with("GET ");
    assert_eq!(first.iter().filter(read).count(), 5, "{asked:#?}");
}

#[test]
fn two_set_ups_at_once_both_succeed() {
    for skip in 0..4 {
        let site = portal(options(), |_| ());
        let answers: Rc<RefCell<Vec<Answer>>> = Rc::default();
        for (at, id, company) in [(0, "acme", "EDU1"), (skip * 40, "other", "EDU2")] {
            let mut body = site.connection(json!({}));
            body["id"] = json!(id);
            body["syspro"]["company"] = json!(company);
            let request = http::Request::post("https://sync.example/connections")
                .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
                .body(body.to_string())
                .expect("a request");
            let said = answers.clone();
            let now = site.world.now();
            site.world
                .spawn_at(now + at, "set-up", move |edge| async move {
                    let response = routes::respond(&edge, &config(), request).await;
                    let body = serde_json::from_str(response.body()).unwrap_or_default();
                    let status = response.status().as_u16();
                    said.borrow_mut().push(Answer { status, body });
                });
        }
        site.world.settle();
        for answer in answers.borrow().iter() {
            assert_eq!(answer.status, 201, "{:#}", answer.body);
            let checks = answer.body["checks"].as_array().into_iter().flatten();
            let failed: Vec<&Value> = checks
                .filter(|check| check["ok"] == false && check["optional"] != true)
                .filter(|check| !names_syspro(check))
                .collect();
            assert!(failed.is_empty(), "{skip}: {failed:#?}");
        }
        assert_eq!(answers.borrow().len(), 2);
        assert_eq!(defined(&site)[&Kind::Company].len(), 26);
    }
}

fn names_syspro(check: &Value) -> bool {
    let name = check["name"].as_str().unwrap_or_default();
    name.starts_with("odata_")
}

#[test]
fn a_batch_refused_because_of_one_goes_one_by_one() {
    let exists = r#"{"status":"error","message":"A property named 'syspro_total' already exists.","category":"OBJECT_ALREADY_EXISTS","correlationId":"1"}"#;
    let site = portal(options(), |portal| {
        portal.add_fault(Rule {
            after: 1,
            ..Fault::refuse(409, exists).once("properties/2026-09/invoices/batch/create")
        });
    });
    let made = make(&site);
    assert_eq!(made["state"], "active", "{made:#}");
    assert_eq!(defined(&site)[&Kind::Invoice].len(), 21);
}

#[test]
fn an_archived_property_is_restored() {
    let site = portal(options(), |_| ());
    make(&site);
    let all = defined(&site);
    for name in ["syspro_key", "syspro_balance"] {
        archive(&mut site.portal.borrow_mut(), "companies", name);
    }
    assert_ne!(defined(&site), all);
    assert_eq!(look_again(&site)["state"], "active");
    assert_eq!(defined(&site), all);
}

#[test]
fn a_name_once_used_without_the_flag_asks_for_another_prefix() {
    let plain = property("syspro_key", "string", "text", false);
    let why = "A property `syspro_key` without the unique flag was in this portal once, so HubSpot refuses to make ours.";
    let remedy = "Delete this connection and make it again with another `hubspot.prefix`, such as `erp_`: HubSpot never gives the unique flag to a name that was used without it.";
    let site = portal(options(), |portal| {
        define(portal, "companies", &plain);
        archive(portal, "companies", "syspro_key");
    });
    let made = make(&site);
    assert_eq!(made["state"], "incomplete");
    let said = format!("needed: {why} → {remedy}");
    assert_eq!(told(&made, "hubspot_companies"), said);
    assert_eq!(
        defined(&site)[&Kind::Company],
        Vec::<String>::new(),
        "nothing is made beside a key that cannot be had"
    );

    // What the remedy says.
    assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
    let mut body = site.connection(json!({}));
    body["hubspot"]["prefix"] = json!("erp_");
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.body["state"], "active", "{:#}", made.body);
}

#[test]
fn properties_that_cannot_be_used_are_named_with_what_is_wrong() {
    let site = portal(options(), |portal| {
        define(
            portal,
            "contacts",
            &property("syspro_key", "string", "text", false),
        );
        define(
            portal,
            "companies",
            &property("syspro_balance", "string", "text", false),
        );
        let mut status = property("syspro_status", "enumeration", "select", false);
        let options = ["open", "overdue", "paid", "consolidated"];
        status["options"] = options
            .map(|it| json!({ "label": it, "value": it, "displayOrder": 0, "hidden": false }))
            .into_iter()
            .collect();
        define(portal, "invoices", &status);
    });
    let made = make(&site);
    assert_eq!(made["state"], "incomplete");
    let said = told(&made, "hubspot_contacts");
    assert!(
        said.starts_with("needed: The property `syspro_key` is there without the unique flag, so two records could bear one key. → Delete this connection"),
        "{said}"
    );
    let said = told(&made, "hubspot_companies");
    assert!(
        said.starts_with("needed: The property `syspro_balance` is there as text and must be a number. → If no other app or person uses it, delete it"),
        "{said}"
    );
    assert_eq!(
        told(&made, "hubspot_invoices"),
        "needed: The property `syspro_status` lacks these values among its options: part paid. → Add them in HubSpot (Settings, Properties), spelled the same; then ask for the checks again (POST /connections/{id}/checks)."
    );
    assert_eq!(check(&made, "hubspot_scopes")["ok"], true);
}

#[test]
fn scopes_that_lack_are_named_whether_or_not_the_token_tells_them() {
    for tells_scopes in [true, false] {
        let site = portal(
            Options {
                tells_scopes,
                ..without(&["crm.objects.companies.write", "crm.schemas.contacts.read"])
            },
            |_| (),
        );
        let made = make(&site);
        assert_eq!(made["state"], "incomplete");
        assert_eq!(
            told(&made, "hubspot_scopes"),
            "needed: The HubSpot token lacks these scopes: crm.objects.companies.write, crm.schemas.contacts.read. → Add them to the service key or private app in HubSpot; then ask for the checks again (POST /connections/{id}/checks). If HubSpot gave out a new token, PATCH the connection with it as `hubspot.token` instead."
        );
        assert_eq!(
            told(&made, "hubspot_companies"),
            "needed: The HubSpot token lacks the scope crm.objects.companies.write. → Give the token the scope crm.objects.companies.write in HubSpot (Settings, Integrations, Service keys); then ask for the checks again (POST /connections/{id}/checks)."
        );
        assert_eq!(check(&made, "hubspot_deals")["ok"], true);
    }
}

#[test]
fn a_token_that_expired_and_one_that_is_unknown_are_told_apart() {
    let mut expired = options();
    expired.tokens[0].expires_at = Some(Start::NOW - 1);
    let made = make(&portal(expired, |_| ()));
    let said = told(&made, "hubspot_token");
    assert!(
        said.starts_with("needed: The token for HubSpot has expired. → "),
        "{said}"
    );

    let mut other = options();
    other.tokens = vec![Token::service_key("pat-eu1-another")];
    let made = make(&portal(other, |_| ()));
    let said = told(&made, "hubspot_token");
    assert!(
        said.starts_with("needed: HubSpot does not know the token. → "),
        "{said}"
    );
    assert_eq!(made["state"], "incomplete");
}

#[test]
fn a_token_of_any_look_is_taken_and_one_with_a_blank_is_not() {
    for (token, status) in [
        ("x".repeat(3_000), 201),
        ("pat na1".to_owned(), 400),
        (String::new(), 400),
    ] {
        let site = portal(options(), |_| ());
        let mut body = site.connection(json!({}));
        body["hubspot"]["token"] = json!(token);
        let answer = site.ask("POST", "/connections", &body.to_string());
        assert_eq!(answer.status, status, "{}", token.len());
    }
}

#[test]
fn currencies_the_portal_lacks_are_named() {
    let mut only_euro = options();
    only_euro.company_currency = "EUR".to_owned();
    let made = make(&portal(only_euro, |_| ()));
    assert_eq!(
        told(&made, "hubspot_currency"),
        "needed: The portal does not use USD, SYSPRO's local currency. → Add USD in HubSpot (Settings, Account defaults, Currency); then ask for the checks again (POST /connections/{id}/checks)."
    );

    let site = portal(options(), |_| ());
    let settings = json!({ "currencies": { "E": "EUR", "C": "CAD", "CD": "CAD", "GB": "GBP" } });
    let body = site.connection(settings).to_string();
    let made = site.ask("POST", "/connections", &body).body;
    assert_eq!(made["state"], "active", "{made:#}");
    assert_eq!(
        told(&made, "hubspot_currency"),
        "optional: The portal does not use CAD, GBP, which `settings.currencies` maps codes to. Invoices in it are failing. → Add CAD, GBP in HubSpot (Settings, Account defaults, Currency); then ask for the checks again (POST /connections/{id}/checks)."
    );
}

#[test]
fn amounts_of_hubspots_own_are_told_for_information() {
    for (writable, said) in [
        (
            true,
            "Of HubSpot's own fields these are written beside ours: hs_number, hs_amount_billed.",
        ),
        (
            false,
            "HubSpot lets nobody write its own number and amount of an invoice here: they stand in our properties only.",
        ),
    ] {
        let mut options = options();
        options.invoice_amounts_writable = writable;
        let made = make(&portal(options, |_| ()));
        let check = check(&made, "hubspot_invoice_amounts");
        assert_eq!(
            check,
            json!({ "name": "hubspot_invoice_amounts", "ok": true, "why": said })
        );
    }
}

#[test]
fn without_invoices_customers_are_synced_and_invoices_follow_when_they_may() {
    type Way = (&'static str, Options, fn(&mut Options));
    let grant: fn(&mut Options) = |it| it.tokens = options().tokens;
    let ways: [Way; 4] = [
        (
            "crm.objects.invoices.write",
            without(&["crm.objects.invoices.write"]),
            grant,
        ),
        (
            "crm.objects.invoices.write",
            Options {
                tells_scopes: false,
                ..without(&["crm.objects.invoices.write"])
            },
            grant,
        ),
        (
            "crm.schemas.invoices.write",
            without(&["crm.schemas.invoices.write"]),
            grant,
        ),
        (
            "This portal has no invoices.",
            Options {
                has_invoices: false,
                ..options()
            },
            |it| it.has_invoices = true,
        ),
    ];
    for (named, options, mend) in ways {
        let site = portal(options, |_| ());
        let made = make(&site);
        assert_eq!(made["state"], "active", "{made:#}");
        let said = told(&made, "hubspot_invoices");
        assert!(
            said.starts_with("optional: ") && said.contains(named),
            "{said}"
        );
        assert!(
            said.contains("Customers are synced; invoices are not."),
            "{said}"
        );
        assert!(said.contains("POST /connections/{id}/checks"), "{said}");
        assert_eq!(made["portal"]["without"]["invoices"], true);
        assert_eq!(check(&made, "hubspot_invoice_amounts"), Value::Null);

        site.settle(4);
        assert_eq!(site.status("customers", &company(1)), "synced");
        assert_eq!(site.portal.borrow().objects(Kind::Invoice).count(), 0);
        let shown = site.get("/connections/acme");
        assert_eq!(shown["portal"]["without"]["invoices"], true);
        assert_eq!(shown["feeds"]["invoices"]["waiting"], 0);
        assert_eq!(site.last_run()["state"], "green");
        let read = site.world.fetch_log();
        let lines = read
            .iter()
            .skip_while(|call| call.issued < site.world.now());
        assert!(!lines.map(Call::line).any(|line| line.contains("ArInvoice")));
        drop(read);

        mend(site.portal.borrow_mut().options_mut());
        let mended = look_again(&site);
        assert_eq!(mended["portal"]["without"]["invoices"], false, "{mended:#}");
        assert_eq!(check(&mended, "hubspot_invoices")["ok"], true, "{mended:#}");
        site.settle(6);
        let invoice = hubspot_key(&first_invoice(1));
        assert_eq!(site.status("invoices", &invoice), "synced");
        agreement::check(&site);
    }
}

#[test]
fn without_deals_everything_else_is_synced() {
    for lacking in ["crm.objects.deals.read", "crm.schemas.deals.write"] {
        let site = portal(without(&[lacking]), |_| ());
        let made = make(&site);
        assert_eq!(made["state"], "active", "{made:#}");
        assert_eq!(made["portal"]["without"]["deals"], true);
        let said = told(&made, "hubspot_deals");
        assert!(
            said.starts_with("optional: ") && said.contains(lacking),
            "{said}"
        );
        let said = told(&made, "hubspot_scopes");
        assert!(
            said.starts_with("optional: ") && said.contains(lacking),
            "{said}"
        );
        site.settle(4);
        agreement::check(&site);
    }
}

/// HubSpot answers no call to what this names.
fn silence(site: &Site, what: &str) {
    let silent = Fault::refuse(503, "").times(u64::MAX, what);
    site.portal.borrow_mut().add_fault(silent);
}

fn speak(site: &Site) {
    site.portal.borrow_mut().clear_faults();
}

#[test]
fn deals_that_were_not_looked_at_are_neither_there_nor_lacking() {
    let site = portal(options(), |portal| {
        let silent = Fault::refuse(503, "").times(u64::MAX, "properties/2026-09/deals");
        portal.add_fault(silent);
    });
    let made = make(&site);
    assert_eq!(made["state"], "active", "nothing depends on them: {made:#}");
    assert_eq!(made["portal"]["without"]["deals"], false, "{made:#}");
    let deals = check(&made, "hubspot_deals");
    assert_eq!(
        (&deals["unknown"], &deals["optional"]),
        (&json!(true), &json!(true)),
        "{deals}"
    );

    // What is known to lack them stays so.
    speak(&site);
    let whole = site.portal.borrow().options().tokens.clone();
    let lacking = without(&["crm.objects.deals.write"]).tokens;
    site.portal.borrow_mut().options_mut().tokens = lacking;
    assert_eq!(look_again(&site)["portal"]["without"]["deals"], true);
    site.portal.borrow_mut().options_mut().tokens = whole;
    silence(&site, "properties/2026-09/deals");
    assert_eq!(look_again(&site)["portal"]["without"]["deals"], true);
    speak(&site);
    assert_eq!(look_again(&site)["portal"]["without"]["deals"], false);
}

#[test]
fn records_that_nothing_is_known_of_are_not_taken_for_allowed() {
    let site = portal(
        Options {
            tells_scopes: false,
            ..options()
        },
        |portal| {
            let silent = Fault::refuse(503, "").times(u64::MAX, "objects/2026-09/contacts");
            portal.add_fault(silent);
        },
    );
    let made = make(&site);
    assert_eq!(made["state"], "incomplete", "{made:#}");
    for name in ["hubspot_contacts", "hubspot_scopes"] {
        let said = told(&made, name);
        assert!(said.starts_with("needed: "), "{said}");
        assert_eq!(check(&made, name)["unknown"], true, "{name} {made:#}");
    }
    assert_eq!(check(&made, "hubspot_companies")["ok"], true);
    speak(&site);
    assert_eq!(look_again(&site)["state"], "active");
}

#[test]
fn invoices_left_out_stay_so_until_something_speaks_for_them() {
    let lacking = Options {
        tells_scopes: false,
        ..without(&["crm.objects.invoices.write"])
    };
    let site = portal(lacking, |_| ());
    assert_eq!(make(&site)["portal"]["without"]["invoices"], true);
    for silent in ["objects/2026-09/invoices", "properties/2026-09/invoices"] {
        silence(&site, silent);
        let shown = look_again(&site);
        assert_eq!(shown["portal"]["without"]["invoices"], true, "{silent}");
        assert_eq!(shown["state"], "active", "{shown:#}");
        assert_eq!(check(&shown, "hubspot_invoices")["optional"], true);
        speak(&site);
    }
}

#[test]
fn scopes_are_not_said_to_be_there_where_no_kind_was_looked_at() {
    for (tells_scopes, unknown) in [(false, true), (true, false)] {
        let site = portal(
            Options {
                tells_scopes,
                ..options()
            },
            |portal| {
                let silent = Fault::refuse(503, "").times(u64::MAX, "properties/2026-09");
                portal.add_fault(silent);
            },
        );
        let made = make(&site);
        let scopes = check(&made, "hubspot_scopes");
        assert_eq!(scopes["unknown"] == true, unknown, "{scopes}");
        assert_eq!(scopes["ok"], !unknown, "a list proves it: {scopes}");
    }
}

#[test]
fn invoices_that_stop_being_synced_are_told_in_every_run() {
    let site = super::loaded(1);
    assert_eq!(site.last_run()["state"], "green");
    let whole = site.portal.borrow().options().tokens.clone();
    let lacking = without(&["crm.objects.invoices.write"]).tokens;
    site.portal.borrow_mut().options_mut().tokens = lacking;
    assert_eq!(look_again(&site)["portal"]["without"]["invoices"], true);
    for _ in 0..2 {
        site.next_tick();
        let run = site.get("/connections/acme/runs?limit=1")["runs"][0].clone();
        assert_eq!(run["state"], "amber", "{run:#}");
        let run = site.get(&format!(
            "/connections/acme/runs/{}",
            run["id"].as_str().unwrap_or_default()
        ));
        let note = &run["report"]["notes"][0];
        assert_eq!(note["code"], "invoices_left_out", "{run:#}");
    }

    site.portal.borrow_mut().options_mut().tokens = whole;
    assert_eq!(look_again(&site)["portal"]["without"]["invoices"], false);
    let paid = super::first_invoice(1);
    let (today, all) = (site.today(), super::money("42.50"));
    site.erp.borrow_mut().data.pay(&paid, all, today);
    site.settle(4);
    assert_eq!(site.last_run()["state"], "green");
    agreement::check(&site);
}

#[test]
fn the_token_is_written_into_no_log_and_no_answer() {
    let site = portal(without(&["crm.objects.deals.read"]), |_| ());
    let made = make(&site).to_string();
    let kept = json!(site.world.rows("select * from connections")).to_string();
    let logs = site.world.logs().join("\n");
    for text in [made, kept, logs] {
        assert!(!text.contains(HUBSPOT_TOKEN), "{text}");
    }
}
