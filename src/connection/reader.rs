//! Reading a JSON object field by field: every problem is kept with its path, none ends the reading.
//!
//! A getter that found a problem returns something hollow, so what is read counts only when no
//! problem was found.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Problem;
use crate::{
    sorted::SortedMap,
    {day, origin::Refused, typed, vault::Secret},
};

const DEFAULT: &str = "Leave it out for the default.";

/// Elements a list may have.
const MAX_LIST: usize = 200;

/// What a text must be like.
pub struct Rule {
    pub holds: fn(&str) -> bool,
    pub reason: &'static str,
    pub remedy: &'static str,
}

pub struct Fields<'p> {
    path: String,
    rest: Map<String, Value>,
    problems: &'p mut Vec<Problem>,
    /// The object was not one, which has been said: its fields are not missed.
    hollow: bool,
}

/// Parses a body that must be a JSON object.
pub fn object(body: &str, problems: &mut Vec<Problem>) -> Option<Map<String, Value>> {
    let reason = match typed::parse(body.as_bytes()) {
        Ok(Value::Object(map)) => return Some(map),
        Ok(_) => "is not a JSON object".to_owned(),
        Err(error) => format!(
            "is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ),
    };
    problems.push(Problem::new("body", reason, "Send one JSON object."));
    None
}

/// Reads a whole body.
///
/// # Errors
/// Every problem, with its path.
pub fn body<T>(text: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Result<T, Vec<Problem>> {
    let mut problems = Vec::new();
    let read = object(text, &mut problems).map(|map| {
        let mut fields = Fields::of(map, &mut problems);
        let whole = read(&mut fields);
        fields.end();
        whole
    });
    match read {
        Some(whole) if problems.is_empty() => Ok(whole),
        _ => Err(problems),
    }
}

impl<'p> Fields<'p> {
    /// A `null` counts as absent.
    pub fn of(mut map: Map<String, Value>, problems: &'p mut Vec<Problem>) -> Self {
        map.retain(|_, value| !value.is_null());
        Self {
            path: String::new(),
            rest: map,
            problems,
            hollow: false,
        }
    }

    /// The object under `name`; an absent one reads as empty, so that what it lacks is named.
    pub fn section(&mut self, name: &str) -> Fields<'_> {
        let (map, hollow) = match self.rest.remove(name) {
            None => (Map::new(), self.hollow),
            Some(Value::Object(map)) => (map, false),
            Some(_) => {
                self.wrong(name, "is not an object", "Write it as { … }.");
                (Map::new(), true)
            }
        };
        Fields {
            path: format!("{}{name}.", self.path),
            hollow,
            ..Fields::of(map, self.problems)
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    pub fn text(&mut self, name: &str, rule: &Rule) -> String {
        if !self.has(name) {
            self.wrong(name, "is missing", rule.remedy);
        }
        self.text_if_any(name, rule).unwrap_or_default()
    }

    pub fn text_if_any(&mut self, name: &str, rule: &Rule) -> Option<String> {
        match self.rest.remove(name)? {
            Value::String(text) if (rule.holds)(&text) => return Some(text),
            Value::String(_) => self.wrong(name, rule.reason, rule.remedy),
            _ => self.wrong(name, "is not a text", rule.remedy),
        }
        None
    }

    pub fn secret(&mut self, name: &str, rule: &Rule) -> Secret {
        Secret::new(self.text(name, rule))
    }

    pub fn url(
        &mut self,
        name: &str,
        rule: &Rule,
        judge: impl Fn(&str) -> Result<String, Refused>,
    ) -> String {
        let text = self.text(name, rule);
        if text.is_empty() {
            return text;
        }
        judge(&text).unwrap_or_else(|refused| {
            self.wrong(name, refused.reason, refused.remedy);
            String::new()
        })
    }

    pub fn whole<T: TryFrom<i64>>(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<T> {
        let value = self.rest.remove(name)?;
        let read = value.as_i64().filter(|number| range.contains(number));
        let read = read.and_then(|number| T::try_from(number).ok());
        if read.is_none() {
            let (least, most) = range.into_inner();
            let reason = format!("is not a whole number from {least} to {most}");
            self.wrong(name, reason, DEFAULT);
        }
        read
    }

    /// A part of a whole: over 0, at most 1.
    pub fn share(&mut self, name: &str) -> Option<f64> {
        let value = self.rest.remove(name)?;
        let read = value.as_number().and_then(typed::fraction);
        let read = read.filter(|part| *part > 0.0 && *part <= 1.0);
        if read.is_none() {
            self.wrong(name, "is not a number over 0 and at most 1", DEFAULT);
        }
        read
    }

    pub fn choice<T: Copy + Serialize>(&mut self, name: &str, all: &[T]) -> Option<T> {
        let value = self.rest.remove(name)?;
        let names: Vec<Value> = all.iter().map(|choice| json!(choice)).collect();
        let read = names.iter().position(|choice| *choice == value);
        if read.is_none() {
            let names: Vec<String> = names.iter().map(Value::to_string).collect();
            let remedy = format!("Use {}.", names.join(" or "));
            self.wrong(name, "is not one of its choices", remedy);
        }
        read.and_then(|at| all.get(at).copied())
    }

    /// A list of at most `most` objects, each read field by field; nothing when absent.
    pub fn objects<T>(
        &mut self,
        name: &str,
        most: usize,
        read: fn(&mut Fields<'_>) -> T,
    ) -> Option<Vec<T>> {
        let values = match self.rest.remove(name)? {
            Value::Array(values) if (1..=most).contains(&values.len()) => values,
            Value::Array(_) => {
                let reason = format!("does not hold 1 to {most} elements");
                self.wrong(name, reason, "Name fewer, or more.");
                return None;
            }
            _ => {
                self.wrong(name, "is not a list", "Write it as [ … ].");
                return None;
            }
        };
        let values = values.into_iter().enumerate().map(|(at, value)| {
            let path = format!("{name}[{at}]");
            self.rest.insert(path.clone(), value);
            let mut fields = self.section(&path);
            let object = read(&mut fields);
            fields.end();
            object
        });
        Some(values.collect())
    }

    /// A list of texts like `rule`, each once; empty when absent.
    pub fn list(&mut self, name: &str, rule: &Rule) -> Vec<String> {
        let mut read = Vec::new();
        match self.rest.remove(name) {
            None => {}
            Some(Value::Array(values)) if values.len() <= MAX_LIST => {
                for (at, value) in values.into_iter().enumerate() {
                    let path = format!("{name}[{at}]");
                    self.rest.insert(path.clone(), value);
                    let text = self.text_if_any(&path, rule);
                    read.extend(text.filter(|text| !read.contains(text)));
                }
            }
            Some(Value::Array(_)) => {
                let reason = format!("has more than {MAX_LIST} elements");
                self.wrong(name, reason, "Name fewer.");
            }
            Some(_) => self.wrong(name, "is not a list", "Write it as [ … ]."),
        }
        read
    }

    /// Whatever stands there.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.rest.remove(name)
    }

    /// False when absent.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.rest.remove(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.wrong(name, "is neither true nor false", DEFAULT);
                false
            }
        }
    }

    pub fn day(&mut self, name: &str) -> Option<NaiveDate> {
        let value = self.rest.remove(name)?;
        let read = value.as_str().and_then(day::parse);
        if read.is_none() {
            self.wrong(name, "is not a day", "Write it like 2025-01-31.");
        }
        read
    }

    /// An object from keys like `key` to texts like `value`.
    pub fn texts(&mut self, name: &str, key: &Rule, value: &Rule) -> SortedMap<String, String> {
        let mut section = self.section(name);
        let names: Vec<String> = section.rest.keys().cloned().collect();
        let mut read = SortedMap::new();
        for name in names {
            if !(key.holds)(&name) {
                section.rest.remove(&name);
                section.wrong(&name, key.reason, key.remedy);
            } else if let Some(text) = section.text_if_any(&name, value) {
                read.insert(name, text);
            }
        }
        read
    }

    /// Names what was not asked for.
    pub fn end(mut self) {
        let unknown: Vec<String> = self.rest.keys().cloned().collect();
        for name in unknown {
            self.wrong(
                &name,
                "is not a field of this object",
                "Remove it, or correct its spelling.",
            );
        }
    }

    pub fn wrong(&mut self, name: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        if !self.hollow {
            let path = format!("{}{name}", self.path);
            self.problems.push(Problem::new(path, reason, remedy));
        }
    }
}
