//! Fuzzing: real documents of everybody outside, changed at random, through every public function
//! that reads them. Nothing panics, half an answer is no answer, and no value a document holds is
//! ever repeated in what is said about it.
//!
//! A slice runs with the other tests, `make fuzz` a million. Case `n` is the same history on every
//! machine: a failing one is named, and `SEED=n` runs it alone.
//!
//! A new document is an entry in `corpus`, a new function an entry in `readers`.

mod corpus;
mod mutations;
mod readers;

use std::{
    collections::BTreeMap,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
};

use fastrand::Rng;

use self::corpus::{Corpus, Document};

/// A value that stands where values of records and secrets do, and no code, name or id can look like.
const CANARIES: [&str; 2] = ["Zqx Wvk", "zqx.wvk@"];

const SLICE: u64 = 20_000;
/// So many failing cases are shown.
const SHOWN: usize = 5;

/// A document as a reader gets it.
struct Sample<'a> {
    document: &'a Document,
    bytes: Vec<u8>,
    /// Its end is missing and nothing else is wrong with it.
    cut: bool,
}

impl Sample<'_> {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// What a reader made of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    Taken,
    Refused,
}

impl Read {
    fn of<T, E>(result: &Result<T, E>) -> Read {
        match result {
            Ok(_) => Read::Taken,
            Err(_) => Read::Refused,
        }
    }
}

/// How often each reader took and refused.
type Counts = BTreeMap<&'static str, (u64, u64)>;

fn number(name: &str) -> Option<u64> {
    let set = env::var(name).ok()?;
    Some(set.parse().expect("a number in the environment"))
}

fn run(corpus: &Corpus, seed: u64, counts: &mut Counts) {
    let mut rng = Rng::with_seed(seed);
    let sample = mutations::sample(&mut rng, corpus);
    for (name, origin, read) in readers::READERS {
        // Now and then somebody else's document: a proxy, a wrong URL, a wrong column.
        if *origin == sample.document.origin || rng.u8(..32) == 0 {
            let (taken, refused) = counts.entry(name).or_default();
            match read(&mut rng, &sample) {
                Read::Taken => *taken += 1,
                Read::Refused => *refused += 1,
            }
        }
    }
}

#[test]
fn whatever_comes_is_read_or_refused_in_words() {
    let corpus = Corpus::gather();
    let cases = number("CASES").unwrap_or(SLICE);
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..cases,
    };
    let mut counts = Counts::new();
    let mut failing = Vec::new();
    for seed in seeds.clone() {
        let case = AssertUnwindSafe(|| run(&corpus, seed, &mut counts));
        if catch_unwind(case).is_err() {
            failing.push(seed);
            if failing.len() == SHOWN {
                break;
            }
        }
    }
    assert!(
        failing.is_empty(),
        "SEED=n replays one of these: {failing:?}"
    );
    let readings: u64 = counts
        .values()
        .map(|(taken, refused)| taken + refused)
        .sum();
    eprintln!(
        "fuzz: {} cases from {} documents, {readings} readings, no panic",
        seeds.end - seeds.start,
        corpus.documents.len(),
    );
    for (name, (taken, refused)) in &counts {
        eprintln!("  {name}: {taken} taken, {refused} refused");
        // Or the mutations are too wild, or too tame, to try it.
        let tried = *taken > 0 && *refused > 0;
        assert!(
            tried || seeds.end - seeds.start < SLICE,
            "{name} is not tried"
        );
    }
}

/// Before anything is changed in it: a corpus of what nobody takes would fuzz nothing.
#[test]
fn every_document_is_taken_as_it_is() {
    let corpus = Corpus::gather();
    for document in &corpus.documents {
        let sample = Sample {
            document,
            bytes: document.bytes.clone(),
            cut: false,
        };
        // Some draw what they read it as.
        let taken = (0..100).any(|seed| {
            let mut rng = Rng::with_seed(seed);
            let mut own = readers::READERS
                .iter()
                .filter(|(_, origin, _)| *origin == document.origin);
            own.any(|(_, _, read)| read(&mut rng, &sample) == Read::Taken)
        });
        assert!(
            taken || document.is_for_nobody(),
            "{}: {}",
            document.name,
            sample.text()
        );
    }
}
