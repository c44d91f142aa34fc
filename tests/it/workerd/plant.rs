//! The plant: both simulators behind HTTP in this process, the Worker in its own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime},
};

use fastrand::Rng;
use rusqlite::Connection;
use serde_json::{Value, json};
use simulators::{
    data::Distributor,
    hubspot::Portal,
    serve::{Addresses, Shared, World, in_background, lock, today},
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::platform::Millis;

use super::{
    api::{self, Answer},
    serve::{Log, Serve},
    text,
};
use crate::agreement::{Sides, between};
use crate::site::{
    ADMIN_TOKEN, HUBSPOT_TOKEN, MASTER_KEY, MasterKeys, NEW_MASTER_KEY, ODATA_PASSWORD, options,
};

const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
const TICKS_WITHIN: Duration = Duration::from_secs(180);

/// No log may hold one of these; the last is what Basic auth makes of `SVC` and its password.
pub const SECRETS: [&str; 6] = [
    ADMIN_TOKEN,
    HUBSPOT_TOKEN,
    ODATA_PASSWORD,
    MASTER_KEY,
    NEW_MASTER_KEY,
    "U1ZDOmNhbmFyeS1vZGF0YS1wYXNzd29yZA",
];

/// How a tick that was to be killed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickEnd {
    /// Before its moment came.
    Itself,
    /// In the middle.
    Killed,
    /// Just before the kill; the Worker is down all the same.
    TooLate,
}

pub struct Plant {
    pub seed: u64,
    world: Shared,
    at: Addresses,
    state: PathBuf,
    pub serve: Option<Serve>,
    log: Log,
}

impl Plant {
    pub fn new(seed: u64, customers: usize, invoices: usize) -> Plant {
        let today = today();
        eprintln!("seed {seed}, {customers} customers, {invoices} invoices, {today}");
        Plant::of(
            seed,
            Distributor::believable(seed, customers, invoices, today),
        )
    }

    pub fn of(seed: u64, data: Distributor) -> Plant {
        let credentials = Credentials {
            odata_password: ODATA_PASSWORD.to_owned(),
            ..Credentials::default()
        };
        let world = Arc::new(Mutex::new(World {
            syspro: Server::new(data, credentials),
            hubspot: Portal::new(seed, options()),
            rng: Rng::with_seed(seed),
            open: 0,
        }));
        let at = in_background(&world).expect("the simulators listen");
        let at_hubspot = at.hubspot.port();
        let name = format!("syspro-hubspot-workerd-{}-{at_hubspot}", std::process::id());
        Plant {
            seed,
            world,
            at,
            state: std::env::temp_dir().join(name),
            serve: None,
            log: Log::default(),
        }
    }

    pub fn start(&mut self) {
        self.start_with((MASTER_KEY, None));
    }

    /// Starts the Worker with these master keys. Without a queue: a tick ends when its runs have.
    pub fn start_with(&mut self, keys: MasterKeys) {
        self.start_as(keys, &[("QUEUE", "off")]);
    }

    /// Starts the Worker as it is deployed, with a queue, and these `[vars]`.
    pub fn start_queued(&mut self, vars: &[(&str, &str)]) {
        self.start_as((MASTER_KEY, None), vars);
    }

    fn start_as(&mut self, (master, previous): MasterKeys, more: &[(&str, &str)]) {
        self.stop();
        let hosts = format!("{},{}", self.at.syspro, self.at.hubspot);
        let mut vars = vec![
            ("ADMIN_TOKEN", ADMIN_TOKEN),
            ("MASTER_KEY", master),
            ("MASTER_KEY_PREVIOUS", previous.unwrap_or_default()),
            ("ALLOW_HTTP", "true"),
            ("ALLOW_HOSTS", hosts.as_str()),
        ];
        vars.extend_from_slice(more);
        let began = Instant::now();
        self.serve = Some(Serve::start(&self.state, &vars, &self.log));
        eprintln!("the Worker answers after {:.1?}", began.elapsed());
    }

    /// Ends the Worker; what it keeps stays.
    pub fn stop(&mut self) {
        self.serve = None;
    }

    fn url(&self) -> &str {
        self.serve.as_ref().expect("the Worker runs").url()
    }

    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_as(Some(ADMIN_TOKEN), method, path, body)
    }

    pub fn ask_as(&self, token: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
        let url = format!("{}{path}", self.url());
        let answer = api::ask(method, &url, token, body, ANSWERS_WITHIN);
        answer.unwrap_or_else(|| panic!("{method} {path} was not answered"))
    }

    /// The body that makes the connection `acme`.
    pub fn connection(&self) -> Value {
        json!({
            "id": "acme",
            "name": "Acme Industrial",
            "syspro": {
                "odata_url": format!("http://{}/SYSPRO8Odata/SYSPROOData", self.at.syspro),
                "company": "EDU1",
                "odata_username": "SVC",
                "odata_password": ODATA_PASSWORD,
                "local_currency": "USD",
            },
            "hubspot": { "token": HUBSPOT_TOKEN, "api_url": format!("http://{}", self.at.hubspot) },
        })
    }

    pub fn connect(&self) {
        let made = self.ask("POST", "/connections", &self.connection().to_string());
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.body["state"], "active", "{}", made.body);
        self.hubspot(Portal::reset_calls);
    }

    /// One cron call, run to its end; how long it took.
    pub fn tick(&self) -> Duration {
        let began = Instant::now();
        let done = fire(self.url());
        assert_eq!(done, Some(200), "the tick was not answered");
        began.elapsed()
    }

    /// The same with the log line that ended it: what D1 counted.
    pub fn tick_told(&self) -> (Duration, Value) {
        let before = self.told().len();
        let took = self.tick();
        let began = Instant::now();
        loop {
            // The log comes through a pipe of its own.
            if let Some(told) = self.told().into_iter().nth(before) {
                return (took, told);
            }
            assert!(began.elapsed() < ANSWERS_WITHIN, "the tick's line is lost");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn told(&self) -> Vec<Value> {
        let log = self.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter(|line: &Value| line["event"] == "tick")
            .collect()
    }

    /// Kills workerd as soon as `when`, and the tick under way with it; the Worker is down then.
    pub fn kill_during_a_tick(&mut self, when: impl Fn(&Plant) -> bool) {
        let end = self.tick_unless(when);
        assert_eq!(
            end,
            TickEnd::Killed,
            "the tick ended before the moment came"
        );
    }

    /// One cron call, cut short by `kill -9` as soon as `when`; then the Worker is down.
    pub fn tick_unless(&mut self, when: impl Fn(&Plant) -> bool) -> TickEnd {
        let url = self.url().to_owned();
        let ticking = thread::spawn(move || fire(&url));
        let began = Instant::now();
        while !when(self) {
            if ticking.is_finished() {
                assert_eq!(
                    ticking.join().expect("a thread"),
                    Some(200),
                    "an unanswered tick"
                );
                return TickEnd::Itself;
            }
            assert!(began.elapsed() < TICKS_WITHIN, "the moment never came");
            thread::sleep(Duration::from_millis(1));
        }
        self.serve.as_ref().expect("the Worker runs").kill_workerd();
        let answer = ticking.join().expect("a thread");
        self.stop();
        self.wait_until_all_has_landed();
        match answer {
            Some(200) => TickEnd::TooLate,
            _ => TickEnd::Killed,
        }
    }

    pub fn is_down(&self) -> bool {
        self.serve.is_none()
    }

    /// What the dead process asked for is done, or never will be: its connections are gone.
    fn wait_until_all_has_landed(&self) {
        let began = Instant::now();
        while lock(&self.world).open > 0 {
            assert!(
                began.elapsed() < ANSWERS_WITHIN,
                "a connection outlives its caller"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// As if the five minutes of every lease had passed. Only while the Worker is down and nothing
    /// it asked for can still happen: what the lease is there to keep apart cannot meet.
    pub fn pass_the_lease(&self) {
        assert!(self.is_down());
        self.wait_until_all_has_landed();
        let mut passed = 0;
        for file in databases(&self.state) {
            let database = Connection::open(&file).expect("the local D1");
            let done = database.execute("update lease set until = 0", []);
            passed += done.unwrap_or_default(); // other databases have no lease
        }
        assert!(passed <= 1, "one portal, one lease");
    }

    /// Ticks until one asks nothing of HubSpot and nothing waits.
    pub fn settle(&self, most: usize) {
        for at in 1..=most {
            let before = self.hubspot_calls();
            let took = self.tick();
            let calls = self.hubspot_calls() - before;
            eprintln!("tick {at}: {calls} HubSpot calls, {took:.1?}");
            let waiting = self.ask(
                "GET",
                "/connections/acme/records?status=waiting&limit=1",
                "",
            );
            if calls == 0 && waiting.body["records"] == json!([]) {
                return;
            }
        }
        let connection = self.ask("GET", "/connections/acme", "");
        panic!("not quiet after {most} ticks: {}", connection.body);
    }

    pub fn a_day(&self) -> Vec<String> {
        let world = &mut *lock(&self.world);
        let tomorrow = world.syspro.data.today().succ_opt().expect("a day");
        world.syspro.data.a_day(&mut world.rng, tomorrow)
    }

    pub fn hubspot<T>(&self, look: impl FnOnce(&mut Portal) -> T) -> T {
        look(&mut lock(&self.world).hubspot)
    }

    pub fn syspro<T>(&self, look: impl FnOnce(&mut Distributor) -> T) -> T {
        look(&mut lock(&self.world).syspro.data)
    }

    pub fn hubspot_calls(&self) -> u64 {
        self.hubspot(|portal| portal.calls().values().sum())
    }

    /// Everything in which HubSpot's records, links and amounts, and the ledger's fates, are not
    /// what SYSPRO's data deserves.
    pub fn differences(&self) -> Vec<String> {
        let records = self.records();
        let world = lock(&self.world);
        between(&Sides {
            data: &world.syspro.data,
            portal: &world.hubspot,
            now: now(),
            records,
        })
    }

    pub fn compare(&self, when: &str) {
        let found = self.differences();
        assert!(
            found.is_empty(),
            "{when}, HubSpot and SYSPRO differ:\n{found:#?}"
        );
    }

    fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/connections/acme/records?limit=200{cursor}");
            let mut page = self.ask("GET", &path, "").body;
            let rows = page["records"].as_array_mut().expect("records");
            records.append(rows);
            match text(&page["next"]) {
                "" => return records,
                next => cursor = format!("&cursor={next}"),
            }
        }
    }

    pub fn log(&self) -> String {
        self.log.text()
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            let log = self.log();
            let from = log.lines().count().saturating_sub(60);
            let tail: Vec<&str> = log.lines().skip(from).collect();
            eprintln!("the Worker's log ended with:\n{}", tail.join("\n"));
        }
        // What a temporary folder keeps does no harm.
        let _ = fs::remove_dir_all(&self.state);
    }
}

/// Fires cron; the status, where there was an answer.
fn fire(url: &str) -> Option<u16> {
    let url = format!("{url}/__scheduled?cron=*/5+*+*+*+*");
    api::ask("GET", &url, None, "", TICKS_WITHIN).map(|answer| answer.status)
}

fn now() -> Millis {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("a clock");
    Millis::try_from(since.as_millis()).expect("a time")
}

fn databases(below: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(below).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(databases(&path));
        } else if path.extension().is_some_and(|it| it == "sqlite") {
            found.push(path);
        }
    }
    found
}
