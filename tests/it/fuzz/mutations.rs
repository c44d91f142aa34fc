//! What may happen to a document on its way.

#![expect(clippy::ptr_arg, reason = "mutations are of one type")]

use fastrand::Rng;
use serde_json::Value;

use super::{Sample, corpus::Corpus};

type Mutation = fn(&mut Rng, &mut Vec<u8>, &Corpus);

const MUTATIONS: [Mutation; 13] = [
    cut,
    flip,
    flip,
    splice,
    insert_bytes,
    nest,
    retype,
    retype,
    broken_utf8,
    mark_of_order,
    double_a_key,
    repeat,
    replace_all,
];

/// What stands where a value should: numbers nothing holds, other types, texts that are nearly right.
const VALUES: [&str; 36] = [
    "null",
    "true",
    "{}",
    "[]",
    "[null]",
    "[{}]",
    "{\"id\":1}",
    "\"\"",
    "\" \"",
    "0",
    "-0",
    "-1",
    "1.5",
    "99999999999999999999999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1e400",
    "-1e-400",
    "9.99e28",
    "999999999999.9999999999",
    "79228162514264337593543950335",
    "\"NaN\"",
    "\"1e400\"",
    "\"-0.0000000000001\"",
    "\"12,50\"",
    "\"0000-00-00\"",
    "\"2024-02-30\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"+262142-12-31\"",
    "\"\\u0000\\r\\n\"",
    "\"\\ud83d\\ude80\\u202e\"",
    "\"%2F%\"",
    "\"'; --\"",
    "\"[{\"",
    "\"Existing ID: 99999999999999999999 already has that value\"",
];

/// A document of the corpus, changed.
pub fn sample<'a>(rng: &mut Rng, corpus: &'a Corpus) -> Sample<'a> {
    // cannot fail: the corpus is never empty
    let document = &corpus.documents[rng.usize(..corpus.documents.len())];
    let mut bytes = document.bytes.clone();
    let mut cut = false;
    match rng.u8(..16) {
        0 | 1 => {
            let whole = bytes.trim_ascii_end().len();
            bytes.truncate(rng.usize(..whole.max(1)));
            // Half a number is a number.
            cut = [b"{", b"<"]
                .iter()
                .any(|sign| document.bytes.starts_with(*sign));
        }
        2..=9 => in_form(rng, &mut bytes),
        _ => out_of_form(rng, &mut bytes, corpus),
    }
    Sample {
        document,
        bytes,
        cut,
    }
}

fn out_of_form(rng: &mut Rng, bytes: &mut Vec<u8>, corpus: &Corpus) {
    for _ in 0..rng.usize(1..4) {
        let mutation = MUTATIONS[rng.usize(..MUTATIONS.len())];
        mutation(rng, bytes, corpus);
    }
}

/// It stays JSON: values are dropped, doubled, put elsewhere and replaced. Words are changed a little.
fn in_form(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let Ok(mut whole) = serde_json::from_slice::<Value>(bytes) else {
        let at = rng.usize(..bytes.len().max(1));
        let sign = rng.u8(b' '..=b'~');
        return bytes.get_mut(at).into_iter().for_each(|byte| *byte = sign);
    };
    for _ in 0..rng.usize(1..4) {
        let elsewhere = pick(rng, &mut whole).clone();
        let value = VALUES[rng.usize(..VALUES.len())];
        let place = pick(rng, &mut whole);
        match (rng.u8(..8), place) {
            (0 | 1, Value::Object(fields)) => {
                let name = fields.keys().nth(rng.usize(..fields.len().max(1))).cloned();
                name.and_then(|name| fields.remove(&name));
            }
            (0, Value::Array(items)) => items.clear(),
            (1, Value::Array(items)) => items.extend(items.clone()),
            (2, place) => *place = elsewhere,
            (3, place) => *place = Value::Array(vec![place.take()]),
            (_, place) => *place = serde_json::from_str(value).unwrap_or_default(),
        }
    }
    *bytes = whole.to_string().into_bytes();
}

/// Some value in it, at any depth.
fn pick<'v>(rng: &mut Rng, value: &'v mut Value) -> &'v mut Value {
    let parts = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if parts == 0 || rng.u8(..6) == 0 {
        return value;
    }
    let at = rng.usize(..parts);
    let part = match value {
        Value::Array(items) => items.get_mut(at),
        Value::Object(fields) => fields.values_mut().nth(at),
        _ => None,
    };
    // cannot fail: there are so many parts
    pick(rng, part.expect("a part"))
}

fn place(rng: &mut Rng, bytes: &[u8]) -> usize {
    rng.usize(..=bytes.len())
}

fn range(rng: &mut Rng, bytes: &[u8], longest: usize) -> (usize, usize) {
    let from = place(rng, bytes);
    let to = (from + rng.usize(..=longest)).min(bytes.len());
    (from, to)
}

fn cut(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    let at = place(rng, bytes);
    bytes.truncate(at);
}

fn flip(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    for _ in 0..rng.usize(1..6) {
        if !bytes.is_empty() {
            let at = rng.usize(..bytes.len());
            bytes[at] ^= 1 << rng.u8(..8);
        }
    }
}

/// The beginning of one document and the end of another, whosever it is.
fn splice(rng: &mut Rng, bytes: &mut Vec<u8>, corpus: &Corpus) {
    let other = &corpus.documents[rng.usize(..corpus.documents.len())];
    let from = place(rng, &other.bytes);
    let at = place(rng, bytes);
    bytes.truncate(at);
    bytes.extend_from_slice(&other.bytes[from..]);
}

fn insert_bytes(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    let at = place(rng, bytes);
    let some: Vec<u8> = (0..rng.usize(1..20)).map(|_| rng.u8(..)).collect();
    bytes.splice(at..at, some);
}

fn nest(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    let depth = [5, 100, 126, 127, 128, 2_000][rng.usize(..6)];
    let (opens, closes) =
        [("[", "]"), ("{\"value\":", "}"), ("{\"errors\":[", "]}")][rng.usize(..3)];
    let (from, to) = values(rng, bytes).unwrap_or_else(|| range(rng, bytes, 40));
    let inner = bytes[from..to].to_vec();
    let deep = [
        opens.repeat(depth).into_bytes(),
        inner,
        closes.repeat(depth).into_bytes(),
    ]
    .concat();
    bytes.splice(from..to, deep);
}

/// Where some value behind a colon stands, as far as a glance tells.
fn values(rng: &mut Rng, bytes: &[u8]) -> Option<(usize, usize)> {
    let start = place(rng, bytes);
    let colon = start + bytes[start..].iter().position(|byte| *byte == b':')?;
    let from = colon + 1;
    let text = bytes.get(from)? == &b'"';
    let ends = |(at, byte): (usize, &u8)| match text {
        true => at > 0 && *byte == b'"',
        false => b",}]".contains(byte),
    };
    let length = bytes[from..].iter().enumerate().position(ends)?;
    Some((from, from + length + usize::from(text)))
}

fn retype(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    if let Some((from, to)) = values(rng, bytes) {
        let value = VALUES[rng.usize(..VALUES.len())];
        bytes.splice(from..to, value.bytes());
    }
}

fn broken_utf8(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    let some: [&[u8]; 5] = [
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x92",
        b"\x80",
    ];
    let at = place(rng, bytes);
    bytes.splice(at..at, some[rng.usize(..5)].iter().copied());
}

fn mark_of_order(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    bytes.splice(0..0, marks[rng.usize(..3)].iter().copied());
}

/// A member again under its own name, with its own value or another.
fn double_a_key(rng: &mut Rng, bytes: &mut Vec<u8>, corpus: &Corpus) {
    let Some((from, to)) = values(rng, bytes) else {
        return;
    };
    let name_ends = from - 1;
    let Some(name) = bytes[..name_ends.saturating_sub(1)]
        .iter()
        .rposition(|byte| *byte == b'"')
    else {
        return;
    };
    let mut again = bytes[name..to].to_vec();
    if rng.bool() {
        retype(rng, &mut again, corpus);
    }
    again.push(b',');
    bytes.splice(name..name, again);
}

fn repeat(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    let (from, to) = range(rng, bytes, 200);
    let part = bytes[from..to].repeat(rng.usize(1..4));
    bytes.splice(to..to, part);
}

/// Every time a byte occurs it is another: quotes, digits, brackets.
fn replace_all(rng: &mut Rng, bytes: &mut Vec<u8>, _: &Corpus) {
    if bytes.is_empty() {
        return;
    }
    let (old, new) = (bytes[rng.usize(..bytes.len())], rng.u8(..));
    for byte in bytes.iter_mut().filter(|byte| **byte == old) {
        *byte = new;
    }
}
