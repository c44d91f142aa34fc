//! `scripts/serve.mjs` as a child process: started, read, stopped, killed.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::process;

const STARTS_WITHIN: Duration = Duration::from_secs(120);
const STOPS_WITHIN: Duration = Duration::from_secs(20);

/// Everything every process said.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    pub fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn follow(&self, stream: impl Read + Send + 'static) {
        let log = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let mut text = log.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        });
    }
}

pub struct Serve {
    child: Child,
    pub url: String,
}

impl Serve {
    pub fn start(state: &Path, vars: &[(&str, &str)], log: &Log) -> Serve {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            root.join("build/index.js").exists(),
            "not built: make test-workerd"
        );
        let mut child = Command::new("node")
            .args(["scripts/serve.mjs", "--until-eof"])
            .current_dir(root)
            .env("PORT", "0")
            .env("STATE", state)
            .envs(vars.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("node starts");
        let said = log.text().len();
        log.follow(child.stdout.take().expect("its output"));
        log.follow(child.stderr.take().expect("its errors"));
        let mut serve = Serve {
            child,
            url: String::new(),
        };
        let began = Instant::now();
        serve.url = loop {
            let text = log.text();
            // cannot fail: the log only grows
            let url = text[said..]
                .lines()
                .find_map(|line| line.strip_prefix("serving "));
            if let Some(url) = url {
                break url.to_owned();
            }
            let ended = serve.child.try_wait().expect("a status");
            assert!(ended.is_none(), "the Worker did not start:\n{text}");
            assert!(
                began.elapsed() < STARTS_WITHIN,
                "the Worker is too slow:\n{text}"
            );
            thread::sleep(Duration::from_millis(50));
        };
        serve
    }

    /// `kill -9` for workerd itself.
    pub fn kill_workerd(&self) {
        let workerds = self.workerds();
        assert!(!workerds.is_empty(), "no workerd runs");
        workerds.into_iter().for_each(process::kill);
    }

    pub fn workerds(&self) -> Vec<u32> {
        let below = process::below(self.child.id()).into_iter();
        let workerds = below.filter(|(_, _, name)| name.ends_with("workerd"));
        workerds.map(|(pid, ..)| pid).collect()
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let family = process::below(self.child.id());
        // The end of its input is its sign to stop, with all that it started.
        drop(self.child.stdin.take());
        let began = Instant::now();
        while began.elapsed() < STOPS_WITHIN && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(50));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            for (pid, ..) in family {
                process::kill(pid);
            }
            // It may have gone meanwhile.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
