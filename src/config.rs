//! What the deployment sets: secrets and `[vars]`, every problem at once, in the operator's words.

use std::time::Duration;

use crate::{
    origin::Guard,
    platform::Millis,
    vault::{MasterKeys, Secret},
};

#[derive(Clone, Debug)]
pub struct Config {
    pub admin_token: Secret,
    pub keys: MasterKeys,
    pub guard: Guard,
    pub bounds: Bounds,
    /// How often cron calls.
    pub interval: Duration,
    /// How long audit and runs are kept.
    pub retention_days: u32,
}

/// How much one invocation may do before it leaves the rest to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub max_calls: u32,
    /// D1 statements; the platform's own limit is 1,000, or 50 on the free plan.
    pub max_queries: u32,
    pub max_rows: u32,
    pub max_bytes: u64,
    /// Nothing new is begun after this; the platform's own limit is 15 minutes.
    pub run_for: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_calls: 2_000,
            max_queries: 700,
            max_rows: 40_000,
            max_bytes: 100_000_000,
            run_for: Duration::from_secs(12 * 60),
        }
    }
}

/// Between a tick that comes late and one that does not come.
const SLACK: Duration = Duration::from_secs(3 * 60);

impl Config {
    /// How long after its last good run a connection is stale: three intervals, and never less than
    /// a healthy run may take with the wait for its tick.
    pub fn stale_after(&self) -> Millis {
        let healthy = self.interval + self.bounds.run_for + SLACK;
        let after = healthy.max(self.interval * 3);
        Millis::try_from(after.as_millis()).unwrap_or(Millis::MAX)
    }

    /// Reads every variable through `look`.
    ///
    /// # Errors
    /// One sentence for each problem, with its remedy and without any value.
    pub fn read(look: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<String>> {
        let look = |name: &str| look(name).filter(|value| !value.trim().is_empty());
        let mut problems = Vec::new();
        let admin_token = admin_token(look("ADMIN_TOKEN"), &mut problems);
        let keys = keys(
            look("MASTER_KEY"),
            look("MASTER_KEY_PREVIOUS"),
            &mut problems,
        );
        let allow_http = switch("ALLOW_HTTP", look("ALLOW_HTTP"), &mut problems);
        let guard = Guard::new(allow_http, &look("ALLOW_HOSTS").unwrap_or_default());
        let (bounds, [interval, retention_days]) = numbers(&look, &mut problems);
        match (admin_token, keys) {
            (Some(admin_token), Some(keys)) if problems.is_empty() => Ok(Self {
                admin_token,
                keys,
                guard,
                bounds,
                interval: Duration::from_secs(60 * u64::from(interval)),
                retention_days,
            }),
            _ => Err(problems),
        }
    }
}

fn admin_token(value: Option<String>, problems: &mut Vec<String>) -> Option<Secret> {
    let remedy = "wrangler secret put ADMIN_TOKEN";
    let Some(value) = value.as_deref().map(str::trim) else {
        problems.push(format!("ADMIN_TOKEN missing: {remedy}"));
        return None;
    };
    // Anything else could not stand in an Authorization header, and nobody would get in.
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        problems.push(format!(
            "ADMIN_TOKEN holds a blank or a character outside ASCII: {remedy}"
        ));
        return None;
    }
    Some(Secret::new(value))
}

fn keys(
    master: Option<String>,
    previous: Option<String>,
    problems: &mut Vec<String>,
) -> Option<MasterKeys> {
    let Some(master) = master else {
        problems.push(
            "MASTER_KEY missing: openssl rand -base64 32 | wrangler secret put MASTER_KEY"
                .to_owned(),
        );
        return None;
    };
    MasterKeys::parse(&master, previous.as_deref())
        .map_err(|sentence| problems.push(sentence))
        .ok()
}

fn switch(name: &str, value: Option<String>, problems: &mut Vec<String>) -> bool {
    match value.map(|value| value.to_ascii_lowercase()).as_deref() {
        Some("true" | "1" | "yes") => true,
        None | Some("false" | "0" | "no") => false,
        Some(_) => {
            problems.push(format!(
                "{name} is neither true nor false: set it in [vars]"
            ));
            false
        }
    }
}

/// The bounds; the minutes between two ticks and the days that audit and runs are kept.
fn numbers(
    look: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> (Bounds, [u32; 2]) {
    let usual = Bounds::default();
    let mut number = |name: &str, usual: u64, least: u64, most: u64| {
        let Some(text) = look(name) else {
            return usual;
        };
        match text.trim().parse() {
            Ok(value) if (least..=most).contains(&value) => value,
            _ => {
                problems.push(format!(
                    "{name} is not a whole number from {least} to {most}: set it in [vars], or leave it out for {usual}"
                ));
                usual
            }
        }
    };
    let mut small = |name: &str, usual: u32, least: u32, most: u32| {
        let value = number(name, usual.into(), least.into(), most.into());
        u32::try_from(value).unwrap_or(most)
    };
    let schedule = [
        small("INTERVAL_MINUTES", 5, 1, 1_440),
        small("RETENTION_DAYS", 400, 30, 3_650),
    ];
    let bounds = Bounds {
        max_calls: small("MAX_CALLS", usual.max_calls, 10, 10_000),
        max_queries: small("MAX_QUERIES", usual.max_queries, 20, 1_000),
        max_rows: small("MAX_ROWS", usual.max_rows, 1_000, 1_000_000),
        max_bytes: number("MAX_BYTES", usual.max_bytes, 10_000_000, 1_000_000_000),
        run_for: Duration::from_secs(60 * number("RUN_MINUTES", 12, 1, 13)),
    };
    (bounds, schedule)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn check(vars: &[(&str, &str)], expected: &Expect) {
        let config = Config::read(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let text = match config {
            Ok(config) => format!("{config:#?}"),
            Err(problems) => problems.join("\n"),
        };
        for (_, value) in vars.iter().filter(|(_, value)| value.len() > 8) {
            assert!(!text.contains(value), "{value} shows in {text}");
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_token_and_a_key_are_enough() {
        check(
            &[("ADMIN_TOKEN", "hunter2-hunter2"), ("MASTER_KEY", KEY)],
            &expect![[r#"
                Config {
                    admin_token: Secret(…),
                    keys: MasterKeys {
                        newest: MasterKey(630dcd29),
                        previous: None,
                    },
                    guard: Guard {
                        allow_http: false,
                        allow_hosts: [],
                    },
                    bounds: Bounds {
                        max_calls: 2000,
                        max_queries: 700,
                        max_rows: 40000,
                        max_bytes: 100000000,
                        run_for: 720s,
                    },
                    interval: 300s,
                    retention_days: 400,
                }"#]],
        );
    }

    #[test]
    fn what_is_set_is_taken() {
        check(
            &[
                ("ADMIN_TOKEN", "hunter2-hunter2"),
                ("MASTER_KEY", KEY),
                ("MASTER_KEY_PREVIOUS", KEY),
                ("ALLOW_HTTP", "true"),
                ("ALLOW_HOSTS", "a.b"),
                ("MAX_CALLS", "50"),
                ("MAX_QUERIES", "50"),
                ("RUN_MINUTES", "1"),
                ("INTERVAL_MINUTES", "15"),
                ("RETENTION_DAYS", "90"),
            ],
            &expect![[r#"
                Config {
                    admin_token: Secret(…),
                    keys: MasterKeys {
                        newest: MasterKey(630dcd29),
                        previous: Some(
                            MasterKey(630dcd29),
                        ),
                    },
                    guard: Guard {
                        allow_http: true,
                        allow_hosts: [
                            "a.b",
                        ],
                    },
                    bounds: Bounds {
                        max_calls: 50,
                        max_queries: 50,
                        max_rows: 40000,
                        max_bytes: 100000000,
                        run_for: 60s,
                    },
                    interval: 900s,
                    retention_days: 90,
                }"#]],
        );
    }

    #[test]
    fn every_problem_is_named_at_once() {
        check(
            &[],
            &expect![[r#"
            ADMIN_TOKEN missing: wrangler secret put ADMIN_TOKEN
            MASTER_KEY missing: openssl rand -base64 32 | wrangler secret put MASTER_KEY"#]],
        );
        check(
            &[
                ("ADMIN_TOKEN", "hunter2 hunter2"),
                ("MASTER_KEY", "hunter2hunter2"),
                ("ALLOW_HTTP", "perhaps"),
                ("MAX_CALLS", "many"),
                ("MAX_QUERIES", "5000"),
                ("RUN_MINUTES", "15"),
                ("INTERVAL_MINUTES", "0"),
                ("RETENTION_DAYS", "7"),
            ],
            &expect![[r#"
                ADMIN_TOKEN holds a blank or a character outside ASCII: wrangler secret put ADMIN_TOKEN
                MASTER_KEY is not 32 bytes in base64: make one with `openssl rand -base64 32`
                ALLOW_HTTP is neither true nor false: set it in [vars]
                INTERVAL_MINUTES is not a whole number from 1 to 1440: set it in [vars], or leave it out for 5
                RETENTION_DAYS is not a whole number from 30 to 3650: set it in [vars], or leave it out for 400
                MAX_CALLS is not a whole number from 10 to 10000: set it in [vars], or leave it out for 2000
                MAX_QUERIES is not a whole number from 20 to 1000: set it in [vars], or leave it out for 700
                RUN_MINUTES is not a whole number from 1 to 13: set it in [vars], or leave it out for 12"#]],
        );
    }

    #[test]
    fn stale_is_three_intervals_and_no_less_than_a_healthy_run_takes() {
        let after = |interval: &str, run: &str| {
            let config = Config::read(|name| {
                let value = match name {
                    "ADMIN_TOKEN" => "hunter2-hunter2",
                    "MASTER_KEY" => KEY,
                    "INTERVAL_MINUTES" => interval,
                    "RUN_MINUTES" => run,
                    _ => return None,
                };
                Some(value.to_owned())
            });
            config.expect("a configuration").stale_after() / crate::platform::MINUTE
        };
        assert_eq!(after("5", "12"), 20);
        assert_eq!(after("5", "2"), 15);
        assert_eq!(after("15", "12"), 45);
        assert_eq!(after("1", "12"), 16);
    }
}
