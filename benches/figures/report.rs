//! One table for people and one JSON file for programs, of the same figures.

use std::{fmt::Write, fs, path::Path};

use serde_json::{Map, Value, json};

/// What a figure holds: counts and ratios by name.
pub type Values = Vec<(String, Value)>;

#[derive(Default)]
pub struct Report {
    figures: Vec<Value>,
}

impl Report {
    /// Begins a part of the table.
    pub fn section(&mut self, title: &str, reading: &str) {
        say(&format!(
            "\n{title}\n{}\n{reading}",
            "=".repeat(title.len())
        ));
    }

    /// One figure with a line on how to read it.
    pub fn figure(&mut self, name: &str, values: Values, reading: &str) {
        let shown: Vec<String> = values
            .iter()
            .map(|(what, value)| format!("{} {what}", plain(value)))
            .collect();
        say(&format!(
            "\n{name}\n    {}\n    ({reading})",
            shown.join(" · ")
        ));
        let values: Map<String, Value> = values.into_iter().collect();
        let figure = json!({ "name": name, "values": values, "reading": reading });
        self.figures.push(figure);
    }

    /// What a figure is made of, one line each.
    pub fn details<'a>(&mut self, of: &str, lines: impl Iterator<Item = (&'a String, &'a u64)>) {
        let lines: Vec<_> = lines.collect();
        let mut text = String::new();
        for (what, count) in &lines {
            // Writing into a string does not fail.
            let _ = writeln!(text, "{count:>10} {what}");
        }
        say(text.trim_end());
        let details: Map<String, Value> = lines
            .into_iter()
            .map(|(what, count)| (what.clone(), json!(count)))
            .collect();
        self.figures
            .push(json!({ "name": format!("{of}, by endpoint"), "values": details }));
    }

    /// Something that could not be measured here, and why.
    pub fn missing(&mut self, what: &str) {
        say(&format!("\nnot measured: {what}"));
        self.figures.push(json!({ "missing": what }));
    }

    /// Writes the JSON file.
    pub fn keep(&self) {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        let file = target.join("bench.json");
        let text = json!({ "figures": self.figures });
        let text = serde_json::to_string_pretty(&text).expect("JSON of strings and numbers");
        fs::create_dir_all(&target).expect("a folder for what is built");
        fs::write(&file, text).expect("target/bench.json can be written");
        say("\nAll of it as JSON: target/bench.json");
    }
}

pub fn value(what: &str, value: impl Into<Value>) -> (String, Value) {
    (what.to_owned(), value.into())
}

/// A ratio or a time with so many digits as mean something.
pub fn rounded(number: f64) -> Value {
    let digits = if number.abs() < 10.0 { 100.0 } else { 10.0 };
    json!((number * digits).round() / digits)
}

/// Thousands apart.
fn plain(value: &Value) -> String {
    let Some(number) = value.as_u64() else {
        return value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
    };
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(clippy::print_stdout, reason = "the table is what a bench is for")]
fn say(text: &str) {
    println!("{text}");
}
