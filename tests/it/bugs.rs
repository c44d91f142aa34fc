//! The checker is honest: bugs made on purpose, and the weather shows each of them.
//!
//! A bug is an edit of `src`, applied to a copy of the tree below the target folder, never to the
//! tree itself: there is no switch in the product that could be left on. `make bugs` builds the
//! weather with one bug after another and runs it until a seed goes wrong; a bug that none of so many
//! seeds shows fails the test, and so does a seed that goes wrong without any. `BUG=words` takes only
//! those whose name holds the words.
//!
//! Among the ordinary tests runs only the guard: what a bug replaces is still there, once.

mod table;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use self::table::{BUGS, Bug, Shown};

/// What the copy consists of.
const TREE: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "tests",
    "simulators",
    "migrations",
];
const WEATHER: &str = "weather::whatever_the_weather_hubspot_ends_up_as_syspro_is";
/// Without a bug, so many seeds have nothing to say.
const GOOD: u64 = 60;

#[test]
fn every_bug_can_still_be_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for bug in BUGS {
        assert!(names.insert(bug.name), "two are called {}", bug.name);
        for edit in bug.edits {
            let text = fs::read_to_string(root.join(edit.file)).unwrap_or_default();
            let found = text.matches(edit.old).count();
            let (name, file) = (bug.name, edit.file);
            assert_eq!(found, 1, "{name}: {file} has {found} times\n{}", edit.old);
            assert_ne!(edit.old, edit.new, "{name}");
        }
    }
    let shown_by_weather = |bug: &&Bug| matches!(bug.shown, Shown::Within(_));
    assert!(BUGS.iter().filter(shown_by_weather).count() >= 12);
}

#[test]
#[ignore = "builds the tests once for each bug: make bugs"]
fn the_weather_shows_every_bug() {
    let only = env::var("BUG").unwrap_or_default();
    let copy = Copy::new();
    let good = copy.run(&Shown::Within(GOOD));
    assert_eq!(good, Outcome::Good, "something goes wrong without any bug");
    let mut missed = Vec::new();
    for bug in BUGS.iter().filter(|bug| bug.name.contains(&only)) {
        let before = copy.apply(bug);
        let outcome = copy.run(&bug.shown);
        Copy::restore(before);
        let (said, caught) = match (&outcome, &bug.shown) {
            (Outcome::Bad(Some(seed)), Shown::Within(most)) => {
                (format!("seed {seed} of {most}"), true)
            }
            (Outcome::Bad(None), Shown::By(test)) => (format!("test {test}"), true),
            _ => (format!("NOT SHOWN: {outcome:?}"), false),
        };
        eprintln!("{:<66} {said}", bug.name);
        if !caught {
            missed.push(bug.name);
        }
    }
    assert!(missed.is_empty(), "nobody saw {missed:?}");
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Good,
    /// With the first seed that went wrong, where seeds ran.
    Bad(Option<u64>),
    DoesNotBuild(String),
}

/// The tree that bugs are made in.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn new() -> Copy {
        let below = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bugs");
        let copy = Copy {
            tree: below.join("tree"),
            target: below.join("target"),
        };
        let _ = fs::remove_dir_all(&copy.tree);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in TREE {
            copy_all(&root.join(part), &copy.tree.join(part));
        }
        copy
    }

    /// Makes the bug; answers the files as they were.
    fn apply(&self, bug: &Bug) -> Vec<(PathBuf, String)> {
        let mut before = Vec::new();
        for edit in bug.edits {
            let path = self.tree.join(edit.file);
            let text = fs::read_to_string(&path).expect("a source");
            assert_eq!(text.matches(edit.old).count(), 1, "{}", bug.name);
            fs::write(&path, text.replace(edit.old, edit.new)).expect("a source to write");
            before.push((path, text));
        }
        before
    }

    /// From the last edit to the first: two may have been of one file.
    fn restore(before: Vec<(PathBuf, String)>) {
        for (path, text) in before.into_iter().rev() {
            fs::write(path, text).expect("a source to write");
        }
    }

    fn run(&self, shown: &Shown) -> Outcome {
        let (test, seeds) = match shown {
            Shown::Within(seeds) => (WEATHER, *seeds),
            Shown::By(test) => (*test, 1),
        };
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("SEEDS", seeds.to_string())
            .env("UNTIL_BAD", "1")
            .env("RUST_BACKTRACE", "0")
            .env("TRACE", "0")
            .env_remove("SEED")
            .args(["test", "--locked", "--test", "it", "--"])
            .args(["--exact", "--nocapture", test]);
        let done = cargo.output().expect("cargo runs");
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let ran = said.contains("running 1 test");
        match done.status.success() {
            _ if !ran => Outcome::DoesNotBuild(said.into_owned()),
            true => Outcome::Good,
            false => Outcome::Bad(first_bad(&said)),
        }
    }
}

/// The first seed of `seeds that went wrong: [7, 12]`.
fn first_bad(said: &str) -> Option<u64> {
    let (_, seeds) = said.split_once("seeds that went wrong: [")?;
    seeds.split([',', ']']).next()?.trim().parse().ok()
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().expect("below the copy")).expect("a folder to write in");
        fs::copy(from, to).expect("a file to copy");
        return;
    }
    for entry in fs::read_dir(from).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        copy_all(&path, &to.join(path.file_name().expect("a name")));
    }
}
