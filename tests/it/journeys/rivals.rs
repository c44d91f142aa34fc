//! Connections beside each other: what only one may have, and what they may share.

use serde_json::{Value as Json, json};
use simulators::{
    data::{Distributor, NewCustomer, NewInvoice},
    hubspot::Kind,
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::platform::Statement;

use super::{distributor, lines, loaded};
use crate::agreement;
use crate::site::{Answer, HUBSPOT_TOKEN, ODATA_PASSWORD, Site, day, options};
use crate::world::{ERP, Start, shared};

const ERP2: &str = "erp2.example";

fn refused(answer: &Answer, message: &str) {
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(answer.body["error"]["code"], "conflict");
    assert_eq!(answer.body["error"]["message"], message);
}

fn post(site: &Site, body: &Json) -> Answer {
    site.ask("POST", "/connections", &body.to_string())
}

/// The same body under another id.
fn beside(site: &Site, id: &str) -> Json {
    let mut body = site.connection(json!({}));
    body["id"] = json!(id);
    body
}

const ACMES_COMPANY: &str =
    "Connection acme syncs this SYSPRO company to this HubSpot portal already.";

#[test]
fn an_id_is_given_once() {
    let site = loaded(1);
    let asked = site.world.fetch_log().len();
    refused(
        &post(&site, &beside(&site, "acme")),
        "There is a connection acme already.",
    );
    assert_eq!(
        site.world.fetch_log().len(),
        asked,
        "nothing was tested for it"
    );
}

#[test]
fn a_company_goes_into_a_portal_once_and_nothing_is_made_there_for_a_second() {
    let site = loaded(1);
    let mut body = beside(&site, "beta");
    body["hubspot"]["prefix"] = json!("other_");
    refused(&post(&site, &body), ACMES_COMPANY);
    body["syspro"]["company"] = json!("edu1");
    refused(&post(&site, &body), ACMES_COMPANY);
    let ours = |it: &simulators::hubspot::Property| it.name.starts_with("other_");
    assert!(!site.portal.borrow().properties(Kind::Company).any(ours));
    assert_eq!(
        site.get("/connections")["connections"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_company_whose_portal_becomes_known_later_is_refused_then() {
    let site = loaded(1);
    let mut body = beside(&site, "beta");
    body["hubspot"]["token"] = json!("pat-na1-wrong");
    assert_eq!(post(&site, &body).body["state"], "incomplete");
    let patch = json!({ "hubspot": { "token": HUBSPOT_TOKEN } }).to_string();
    refused(
        &site.ask("PATCH", "/connections/beta", &patch),
        ACMES_COMPANY,
    );
    let beta = site.get("/connections/beta");
    assert_eq!(
        (&beta["state"], &beta["portal"]),
        (&json!("incomplete"), &Json::Null)
    );

    // With the first one gone it may.
    assert_eq!(site.ask("DELETE", "/connections/acme", "").status, 204);
    let mended = site.ask("PATCH", "/connections/beta", &patch);
    assert_eq!(mended.body["state"], "active", "{}", mended.body);
}

#[test]
fn of_two_made_at_the_same_moment_one_is_refused() {
    for (first, second) in [("acme", "beta"), ("acme", "acme")] {
        let site = Site::bare(Start::calm(), distributor(1), options());
        let made = |id: &str, after| {
            let body = beside(&site, id).to_string();
            site.ask_later(after, "POST", "/connections", &body)
        };
        let answers = [made(first, 0), made(second, 1)];
        site.world.settle();
        let mut answers = answers.map(|answer| answer.take().expect("an answer"));
        answers.sort_by_key(|answer| answer.status);
        let [won, lost] = answers;
        assert_eq!(won.status, 201, "{}", won.body);
        let won = won.body["id"].as_str().expect("an id");
        let message = match first == second {
            true => format!("There is a connection {won} already."),
            false => format!(
                "Connection {won} syncs this SYSPRO company to this HubSpot portal already."
            ),
        };
        refused(&lost, &message);
        assert_eq!(site.world.rows("select id from connections").len(), 1);
    }
}

#[test]
fn an_operator_of_e_net_serves_one_connection() {
    let site = loaded(1);
    let enet = |operator: &str, path: &str| {
        json!({
            "enet_url": format!("https://{ERP}/{path}"),
            "operator": operator,
            "operator_password": "operator-pass",
        })
    };
    let patch = |id: &str, syspro: &Json| {
        let body = json!({ "syspro": syspro }).to_string();
        site.ask("PATCH", &format!("/connections/{id}"), &body)
    };
    let given = patch("acme", &enet("SVC", "SYSPROWCFService/Rest"));
    assert_eq!(given.status, 200, "{}", given.body);

    let message = "Connection acme logs on to this e.net server with this operator already.";
    let mut body = beside(&site, "beta");
    body["hubspot"]["token"] = json!("pat-na1-wrong");
    let plain = body.clone();
    for (name, value) in enet(" svc", "Other/Rest").as_object().unwrap() {
        body["syspro"][name] = value.clone();
    }
    let asked = site.world.fetch_log().len();
    refused(&post(&site, &body), message);
    assert_eq!(
        site.world.fetch_log().len(),
        asked,
        "nothing was tested for it"
    );

    assert_eq!(post(&site, &plain).status, 201);
    refused(
        &patch("beta", &enet("Svc", "SYSPROWCFService/Rest")),
        message,
    );
    let other = patch("beta", &enet("SVC2", "SYSPROWCFService/Rest"));
    assert_eq!(other.status, 200, "{}", other.body);
    // Half a log-on is a mistake, and every missing half is named.
    let half = patch(
        "beta",
        &json!({ "operator_password": null, "enet_url": null, "operator": "X" }),
    );
    assert_eq!(half.status, 400, "{}", half.body);
    let text = half.body["error"]["details"].to_string();
    for path in ["syspro.enet_url", "syspro.operator_password"] {
        assert!(text.contains(path), "{text}");
    }
}

#[test]
fn nothing_is_made_in_a_portal_that_is_not_the_connections() {
    let site = loaded(1);
    let second = "pat-na1-canary-second";
    let mut portal = site.portal.borrow_mut();
    portal.options_mut().portal_id = 7;
    portal.options_mut().tokens[0].secret = second.to_owned();
    drop(portal);
    let patch = json!({ "hubspot": { "token": second } }).to_string();
    refused(
        &site.ask("PATCH", "/connections/acme", &patch),
        "The token opens another HubSpot portal than this connection's.",
    );
    assert_eq!(site.hubspot_calls(), 1, "{:?}", site.calls_by_endpoint());
}

/// A second company, EDU2, on a server of its own, in the same portal as `acme`.
pub fn with_neighbour() -> Site {
    let site = loaded(1);
    let today = day(Start::NOW);
    let mut data = Distributor::empty();
    let key = data.add_customer(NewCustomer {
        name: "Neighbour 1".to_owned(),
        contact: "Al Else".to_owned(),
        email: "al@neighbour1.example".to_owned(),
        added: Some(today),
        ..NewCustomer::default()
    });
    data.post_invoice(NewInvoice::of(&key, today, lines()));
    let credentials = Credentials {
        company: "EDU2".to_owned(),
        odata_password: format!("{ODATA_PASSWORD}-2"),
        ..Credentials::default()
    };
    site.world
        .join(ERP2, &shared(Server::new(data, credentials)));
    let mut body = beside(&site, "beta");
    body["syspro"]["company"] = json!("EDU2");
    body["syspro"]["odata_url"] = json!(format!("https://{ERP2}/SYSPRO8Odata/SYSPROOData"));
    body["syspro"]["odata_password"] = json!(format!("{ODATA_PASSWORD}-2"));
    let made = post(&site, &body);
    assert_eq!(made.body["state"], "active", "{}", made.body);
    site
}

pub const NEIGHBOUR: &str = "EDU2/000000000000001";

#[test]
fn two_companies_share_a_portal() {
    let site = with_neighbour();
    agreement::check(&site);
    site.settle(4);
    assert_eq!(site.value(Kind::Company, NEIGHBOUR, "name"), "Neighbour 1");
    assert_eq!(
        site.value(Kind::Company, &super::company(1), "name"),
        "Customer 1"
    );
    assert_eq!(site.linked(Kind::Company, NEIGHBOUR, Kind::Invoice), 1);

    // With one of them gone the other goes on.
    let mut erp = site.erp.borrow_mut();
    erp.data
        .edit_customer(&super::customer(1), "Name", "Renamed Inc");
    drop(erp);
    assert_eq!(site.ask("DELETE", "/connections/beta", "").status, 204);
    site.settle(4);
    assert_eq!(
        site.value(Kind::Company, &super::company(1), "name"),
        "Renamed Inc"
    );
    assert_eq!(
        site.value(Kind::Company, NEIGHBOUR, "name"),
        "Neighbour 1",
        "it stays"
    );
}

#[test]
fn sealed_secrets_of_two_connections_do_not_open_in_each_others_place() {
    let site = with_neighbour();
    site.settle(4);
    let of = |id: &str| {
        site.world.rows(&format!(
            "select secrets from connections where id = '{id}'"
        ))[0]["secrets"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let put = |id: &str, secrets: &str| {
        let put = Statement::new(
            "update connections set secrets = ?2 where id = ?1",
            [id.into(), secrets.into()],
        );
        site.world.d1().batch(&[put]).expect("a write");
    };
    let (acme, beta) = (of("acme"), of("beta"));
    put("acme", &beta);
    put("beta", &acme);
    let asked = site.world.fetch_log().len();
    site.next_tick();
    for id in ["acme", "beta"] {
        let shown = site.get(&format!("/connections/{id}"));
        assert_eq!(shown["state"], "broken", "{shown}");
        assert_eq!(
            shown["reason"]["reason"],
            "What is stored of hubspot.token, syspro.odata_password does not open: it was altered, or belongs to another connection or field."
        );
    }
    assert_eq!(
        site.world.fetch_log().len(),
        asked,
        "nothing is sent with them"
    );

    // Its neighbour goes on while one still is broken.
    put("beta", &beta);
    site.next_tick();
    assert_eq!(site.get("/connections/beta")["state"], "active");
    assert_eq!(site.get("/connections/acme")["state"], "broken");
    put("acme", &acme);
    site.settle(4);
    assert_eq!(site.get("/connections/acme")["state"], "active");
}
