//! Words that must not be seen, and the search for them, however they are written.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A word nobody else uses, in every form it may slip out in.
pub struct Mark {
    pub word: String,
    forms: Vec<String>,
}

impl Mark {
    pub fn new(word: &str) -> Mark {
        let mut forms = vec![
            word.to_owned(),
            utf8_percent_encode(word, NON_ALPHANUMERIC).to_string(),
            word.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ];
        for shift in 0..3 {
            forms.extend(in_base64(word, shift));
        }
        let mut forms: Vec<String> = forms.iter().map(|it| it.to_ascii_lowercase()).collect();
        forms.sort();
        forms.dedup();
        Mark {
            word: word.to_owned(),
            forms,
        }
    }

    pub fn all(words: &[&str]) -> Vec<Mark> {
        words.iter().map(|word| Mark::new(word)).collect()
    }

    pub fn forms(&self) -> &[String] {
        &self.forms
    }

    pub fn is_in(&self, text: &str) -> bool {
        self.is_in_small(&text.to_ascii_lowercase())
    }

    fn is_in_small(&self, text: &str) -> bool {
        self.forms.iter().any(|form| text.contains(form))
    }
}

/// The letters of base64, both alphabets, that the word alone decides where it stands `shift` bytes
/// behind a group of three.
fn in_base64(word: &str, shift: usize) -> [String; 2] {
    let mut bytes = vec![0; shift];
    bytes.extend(word.bytes());
    let (first, end) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
    let both = [
        STANDARD_NO_PAD.encode(&bytes),
        URL_SAFE_NO_PAD.encode(&bytes),
    ];
    both.map(|coded| coded[first..end].to_owned())
}

/// The places that hold a mark, each with the mark's word.
pub fn found<'a>(marks: &[Mark], places: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut found = Vec::new();
    for place in places {
        let small = place.to_ascii_lowercase();
        for mark in marks.iter().filter(|mark| mark.is_in_small(&small)) {
            found.push(format!("{} in {place}", mark.word));
        }
    }
    found
}

#[test]
fn a_word_is_found_in_whatever_it_is_wrapped() {
    let mark = Mark::new("k4narie//+v0gel");
    for before in ["", "S", "SV", "SVC:", "SVC: "] {
        for after in ["", "?", "??", "???"] {
            let text = format!("{before}k4narie//+v0gel{after}");
            let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
            for wrapped in [
                STANDARD.encode(&text),
                URL_SAFE.encode(&text),
                utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string(),
                hex,
                text.to_uppercase(),
                text,
            ] {
                assert!(mark.is_in(&format!("x={wrapped}&y")), "{wrapped}");
            }
        }
    }
    assert!(!mark.is_in("k4narie"));
}
