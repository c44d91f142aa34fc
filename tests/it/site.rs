//! A site: a distributor on SYSPRO, a HubSpot portal, and the Worker between them, in a world.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};
use simulators::{
    data::Distributor,
    hubspot::{Kind, Object, Options, Portal, Token},
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::{
    config::Config,
    platform::Millis,
    routes,
    tick::{self, Turns},
};

use crate::world::{ERP, HUBSPOT, Shared, Start, World, shared};

pub const ADMIN_TOKEN: &str = "canary-admin-token";
pub const HUBSPOT_TOKEN: &str = "pat-na1-canary-hubspot";
pub const ODATA_PASSWORD: &str = "canary-odata-password";
pub const OPERATOR_PASSWORD: &str = "canary-operator-password";
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Another, of version 1865c008.
pub const NEW_MASTER_KEY: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

pub struct Site {
    pub world: World,
    pub erp: Shared<Server>,
    pub portal: Shared<Portal>,
    /// What invocations that start now are deployed with.
    config: RefCell<Config>,
}

impl Site {
    /// In calm weather, with the connection `acme` made.
    pub fn new(data: Distributor) -> Site {
        Site::with(data, options(), json!({}))
    }

    pub fn with(data: Distributor, options: Options, settings: Value) -> Site {
        let site = Site::bare(Start::calm(), data, options);
        site.connect(settings);
        site
    }

    /// Makes the connection `acme`.
    pub fn connect(&self, settings: Value) {
        let body = self.connection(settings).to_string();
        let made = self.ask("POST", "/connections", &body);
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.body["state"], "active", "{}", made.body);
        self.portal.borrow_mut().reset_calls();
    }

    pub fn bare(start: Start, data: Distributor, options: Options) -> Site {
        let credentials = Credentials {
            odata_password: ODATA_PASSWORD.to_owned(),
            operator_password: OPERATOR_PASSWORD.to_owned(),
            ..Credentials::default()
        };
        let erp = shared(Server::new(data, credentials));
        let portal = shared(Portal::new(start.seed, options));
        let world = World::new(start, &erp, &portal);
        Site::of(world, erp, portal)
    }

    pub fn of(world: World, erp: Shared<Server>, portal: Shared<Portal>) -> Site {
        let config = RefCell::new(config());
        Site {
            world,
            erp,
            portal,
            config,
        }
    }

    /// From now on the Worker holds these master keys.
    pub fn deploy(&self, (master, previous): MasterKeys) {
        let previous = previous.unwrap_or_default();
        self.deploy_with(&[("MASTER_KEY", master), ("MASTER_KEY_PREVIOUS", previous)]);
    }

    /// Deploys with these variables, the others as usual.
    pub fn deploy_with(&self, vars: &[(&str, &str)]) {
        self.config.replace(config_with(vars));
    }

    pub fn connection(&self, settings: Value) -> Value {
        json!({
            "id": "acme",
            "name": "Acme Industrial",
            "syspro": {
                "odata_url": format!("https://{ERP}/SYSPRO8Odata/SYSPROOData"),
                "company": "EDU1",
                "odata_username": "SVC",
                "odata_password": ODATA_PASSWORD,
                "local_currency": "USD",
            },
            "hubspot": { "token": HUBSPOT_TOKEN, "api_url": format!("https://{HUBSPOT}") },
            "settings": settings,
        })
    }

    /// One request to the Worker's API, with the admin token.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_as(method, path, body, Some(ADMIN_TOKEN))
    }

    /// What a route shows.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub fn ask_as(&self, method: &str, path: &str, body: &str, token: Option<&str>) -> Answer {
        Answer::of(&self.respond(request(method, path, body, token)))
    }

    /// Also whose turn it is then, for a deployment with a queue.
    pub fn ask_for_turns(&self, method: &str, path: &str, body: &str) -> (Answer, Option<Turns>) {
        let mut response = self.respond(request(method, path, body, Some(ADMIN_TOKEN)));
        let turns = response.extensions_mut().remove();
        (Answer::of(&response), turns)
    }

    fn respond(&self, request: http::Request<String>) -> http::Response<String> {
        let config = self.config.borrow().clone();
        self.world
            .run(move |edge| async move { routes::respond(&edge, &config, request).await })
    }

    /// A request that is made so many milliseconds from now; its answer is there once it came.
    pub fn ask_later(
        &self,
        after: Millis,
        method: &str,
        path: &str,
        body: &str,
    ) -> Shared<Option<Answer>> {
        let answer = shared(None);
        let (config, slot) = (self.config.borrow().clone(), answer.clone());
        let request = request(method, path, body, Some(ADMIN_TOKEN));
        let start = self.world.now() + after;
        self.world.spawn_at(start, method, move |edge| async move {
            let response = routes::respond(&edge, &config, request).await;
            *slot.borrow_mut() = Some(Answer::of(&response));
        });
        answer
    }

    /// One cron call, run to its end.
    pub fn tick(&self) {
        let config = self.config.borrow().clone();
        self.world
            .run(|edge| async move { tick::tick(&edge, &config).await });
    }

    /// A cron call so many milliseconds from now.
    pub fn tick_later(&self, after: Millis) {
        let config = self.config.borrow().clone();
        let start = self.world.now() + after;
        self.world.spawn_at(start, "tick", |edge| async move {
            tick::tick(&edge, &config).await;
        });
    }

    /// One cron call of a deployment with these `[vars]`.
    pub fn tick_with(&self, vars: &'static [(&'static str, &'static str)]) {
        self.world
            .run(move |edge| async move { tick::tick(&edge, &config_with(vars)).await });
    }

    /// Five minutes later, one cron call.
    pub fn next_tick(&self) {
        self.world.advance(Duration::from_secs(300));
        self.tick();
    }

    /// Ticks until one asks nothing of HubSpot; fails when that takes more than `most`.
    pub fn settle(&self, most: usize) {
        for _ in 0..most {
            let before = self.hubspot_calls();
            self.next_tick();
            if self.hubspot_calls() == before {
                return;
            }
        }
        panic!(
            "not quiet after {most} ticks: {}",
            self.ask("GET", "/connections/acme", "").body
        );
    }

    /// Calls HubSpot got since they were last counted from zero, but for the hourly look at deals.
    pub fn hubspot_calls(&self) -> u64 {
        let portal = self.portal.borrow();
        let calls = portal.calls().iter();
        let calls = calls.filter(|(endpoint, _)| *endpoint != "POST deals/search");
        calls.map(|(_, calls)| calls).sum()
    }

    pub fn calls_by_endpoint(&self) -> BTreeMap<String, u64> {
        self.portal.borrow().calls().clone()
    }

    pub fn today(&self) -> NaiveDate {
        day(self.world.now())
    }

    /// The live object of a kind with this `syspro_key`.
    pub fn object(&self, kind: Kind, key: &str) -> Object {
        self.find(kind, key)
            .unwrap_or_else(|| panic!("no {kind:?} {key} in HubSpot"))
    }

    pub fn find(&self, kind: Kind, key: &str) -> Option<Object> {
        let portal = self.portal.borrow();
        portal
            .by_value(kind, "syspro_key", key)
            .filter(|it| !it.archived)
            .cloned()
    }

    /// A property of the object with this key, blank when it has none.
    pub fn value(&self, kind: Kind, key: &str, property: &str) -> String {
        self.object(kind, key)
            .get(property)
            .unwrap_or_default()
            .to_owned()
    }

    /// How many live objects of a kind are linked to the one with this key.
    pub fn linked(&self, kind: Kind, key: &str, to: Kind) -> usize {
        let id = self.object(kind, key).id;
        self.portal.borrow().associations(kind, id, to).len()
    }

    /// Status and reason of a record, as the API tells them.
    pub fn record(&self, feed: &str, key: &str) -> Value {
        let answer = self.ask(
            "GET",
            &format!("/connections/acme/records/{feed}/{key}"),
            "",
        );
        assert_eq!(answer.status, 200, "{feed} {key}: {}", answer.body);
        answer.body
    }

    pub fn status(&self, feed: &str, key: &str) -> String {
        self.record(feed, key)["status"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The newest run that left a row.
    pub fn last_run(&self) -> Value {
        let runs = self.ask("GET", "/connections/acme/runs?limit=1", "");
        runs.body["runs"][0].clone()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    fn of(response: &http::Response<String>) -> Answer {
        Answer {
            status: response.status().as_u16(),
            body: serde_json::from_str(response.body()).unwrap_or(Value::Null),
        }
    }
}

fn request(method: &str, path: &str, body: &str, token: Option<&str>) -> http::Request<String> {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("https://sync.example{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body.to_owned()).expect("a request")
}

/// `MASTER_KEY` and `MASTER_KEY_PREVIOUS`.
pub type MasterKeys = (&'static str, Option<&'static str>);

pub fn config() -> Config {
    config_with(&[])
}

/// The configuration with some secrets and `[vars]` set.
pub fn config_with(vars: &[(&str, &str)]) -> Config {
    Config::read(|name| {
        let set = vars.iter().find(|(var, _)| *var == name);
        let usual = match name {
            "ADMIN_TOKEN" => Some(ADMIN_TOKEN),
            "MASTER_KEY" => Some(MASTER_KEY),
            _ => None,
        };
        set.map(|(_, value)| *value).or(usual).map(str::to_owned)
    })
    .expect("a configuration")
}

pub fn options() -> Options {
    let mut options = Options::default();
    let scopes = options.tokens[0].scopes.clone();
    options.tokens = vec![Token {
        secret: HUBSPOT_TOKEN.to_owned(),
        scopes,
        expires_at: None,
        oauth: false,
    }];
    options
}

pub fn day(at: Millis) -> NaiveDate {
    DateTime::from_timestamp_millis(at)
        .expect("a time")
        .date_naive()
}
