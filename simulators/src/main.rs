//! Serves the simulators over HTTP on the loopback interface: SYSPRO on one port, HubSpot on
//! another.
//!
//! Prints one line of JSON with both addresses when it listens. Stops on SIGINT and SIGTERM, and
//! with `--until-eof` when its standard input ends: then a parent that dies leaves nothing behind.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use simulators::data::Distributor;
use simulators::hubspot::{Options, Portal};
use simulators::serve::{self, Side, World};
use simulators::syspro::{Credentials, Server};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

const USAGE: &str = "usage: simulators [--syspro-port N] [--hubspot-port N] [--seed N] \
     [--customers N] [--invoices N] [--today YYYY-MM-DD] [--until-eof]";

struct Arguments {
    syspro_port: u16,
    hubspot_port: u16,
    seed: u64,
    customers: usize,
    invoices: usize,
    today: NaiveDate,
    until_eof: bool,
}

impl Arguments {
    fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            syspro_port: 0,
            hubspot_port: 0,
            seed: 1,
            customers: 200,
            invoices: 600,
            today: serve::today(),
            until_eof: false,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            if word == "--until-eof" {
                arguments.until_eof = true;
                continue;
            }
            let value = words
                .next()
                .ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--syspro-port" => arguments.syspro_port = parse(&word, &value)?,
                "--hubspot-port" => arguments.hubspot_port = parse(&word, &value)?,
                "--seed" => arguments.seed = parse(&word, &value)?,
                "--customers" => arguments.customers = parse(&word, &value)?,
                "--invoices" => arguments.invoices = parse(&word, &value)?,
                "--today" => arguments.today = parse(&word, &value)?,
                _ => return Err(format!("{word} is not known")),
            }
        }
        Ok(arguments)
    }
}

fn parse<T: std::str::FromStr>(word: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{word} cannot be {value}"))
}

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the simulators stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    let syspro = serve::listen(arguments.syspro_port).await?;
    let hubspot = serve::listen(arguments.hubspot_port).await?;
    let Arguments {
        seed,
        customers,
        invoices,
        today,
        ..
    } = arguments;
    let company = Distributor::believable(seed, customers, invoices, today);
    let world = Arc::new(Mutex::new(World {
        syspro: Server::new(company, Credentials::default()),
        hubspot: Portal::new(seed, Options::default()),
        rng: fastrand::Rng::with_seed(seed),
        open: 0,
    }));
    let ready = serde_json::json!({
        "syspro": format!("http://{}", syspro.local_addr()?),
        "hubspot": format!("http://{}", hubspot.local_addr()?),
    });
    writeln!(std::io::stdout(), "{ready}")?;
    let mut terminated = signal(SignalKind::terminate())?;
    let ended = end_of_input(arguments.until_eof);
    tokio::select! {
        never = serve::accept(Side::Syspro, syspro, Arc::clone(&world)) => never,
        never = serve::accept(Side::Hubspot, hubspot, world) => never,
        stopped = tokio::signal::ctrl_c() => stopped,
        _ = terminated.recv() => Ok(()),
        () = ended => Ok(()),
    }
}

/// Done when standard input ends; never where nobody asked.
async fn end_of_input(wanted: bool) {
    let (send, receive) = oneshot::channel();
    if wanted {
        // A thread of its own: a read under way must not keep the process from ending.
        std::thread::spawn(move || {
            let mut buffer = [0; 1_024];
            while matches!(std::io::stdin().read(&mut buffer), Ok(length) if length > 0) {}
            // Nobody listens once the process is on its way out.
            let _ = send.send(());
        });
        let _ = receive.await;
    } else {
        std::future::pending().await
    }
}
