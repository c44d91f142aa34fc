//! D1 as the Worker meets it, on SQLite in memory.
//!
//! It copies the habits of the real one that have teeth: numbers are bound as REAL, a hundred
//! parameters and two million bytes are the most, a batch is one transaction, foreign keys are
//! on. It also counts what every statement costs, because a plan that visits every pair of rows
//! is correct here and ruinous there.

use std::{collections::BTreeMap, fs, path::PathBuf};

use rusqlite::{Connection, StatementStatus, limits::Limit, types::ValueRef};
use serde_json::{Map, Value};
use syspro_hubspot_sync::{
    platform::{Arg, Statement, StoreError},
    store::OVERTAKEN,
};

/// Integers beyond this lose digits on their way through JavaScript.
const MAX_SAFE: i64 = 1 << 53;

/// A statement that takes more steps than this visits rows it has no business with.
const STEP_BOUND: i32 = 3_000_000;

pub struct D1 {
    connection: Connection,
    costs: BTreeMap<&'static str, Cost>,
    refusals: Vec<String>,
    step_bound: i32,
}

/// What one SQL text has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub runs: u64,
    /// The most virtual machine steps one run took.
    pub steps: i32,
    /// The most rows one run gave back.
    pub rows: usize,
}

impl D1 {
    /// A database with every migration applied.
    pub fn migrated() -> D1 {
        let d1 = D1::empty();
        for (name, sql) in migrations() {
            d1.connection
                .execute_batch(&sql)
                .unwrap_or_else(|error| panic!("migrations/{name}: {error}"));
        }
        d1
    }

    pub fn empty() -> D1 {
        let connection = Connection::open_in_memory().expect("SQLite opens in memory");
        connection
            .execute_batch("pragma foreign_keys = on")
            .expect("SQLite has foreign keys");
        for (limit, value) in [
            (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
            (Limit::SQLITE_LIMIT_COLUMN, 100),
            (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        ] {
            connection.set_limit(limit, value).expect("a known limit");
        }
        connection.set_prepared_statement_cache_capacity(256);
        D1 {
            connection,
            costs: BTreeMap::new(),
            refusals: Vec::new(),
            step_bound: STEP_BOUND,
        }
    }

    /// What whoever deploys does to the database, a migration for one.
    pub fn deploy(&mut self, sql: &str) {
        let done = self.connection.execute_batch(sql);
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// One transaction: all of it or nothing.
    pub fn batch(&mut self, statements: &[Statement]) -> Result<Vec<Vec<Value>>, StoreError> {
        let done = self.transaction(statements).map_err(|message| {
            if message.contains(OVERTAKEN) {
                return StoreError::Overtaken;
            }
            self.refusals.push(message.clone());
            StoreError::Refused(message)
        });
        let end = if done.is_ok() { "commit" } else { "rollback" };
        if !self.connection.is_autocommit() {
            self.connection
                .execute_batch(end)
                .expect("a transaction ends");
        }
        done
    }

    /// What a test wants to see, outside the books: neither counted nor bounded.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let mut statement = self
            .connection
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows = collect(&mut statement, &[]);
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Every SQL text that ran, with what it cost.
    pub fn costs(&self) -> &BTreeMap<&'static str, Cost> {
        &self.costs
    }

    /// What D1 said no to. A lost lease is not among it: that is an answer.
    pub fn refusals(&self) -> &[String] {
        &self.refusals
    }

    fn transaction(&mut self, statements: &[Statement]) -> Result<Vec<Vec<Value>>, String> {
        self.connection
            .execute_batch("begin")
            .map_err(|error| error.to_string())?;
        statements.iter().map(|each| self.run(each)).collect()
    }

    fn run(&mut self, statement: &Statement) -> Result<Vec<Value>, String> {
        forbid(statement.sql)?;
        let args: Vec<rusqlite::types::Value> = statement.args.iter().map(bound).collect();
        let mut prepared = self
            .connection
            .prepare_cached(statement.sql)
            .map_err(|error| error.to_string())?;
        let rows = collect(&mut prepared, &args);
        let steps = prepared.reset_status(StatementStatus::VmStep);
        assert!(
            steps <= self.step_bound,
            "{steps} steps, {} allowed: {}",
            self.step_bound,
            statement.sql
        );
        let cost = self.costs.entry(statement.sql).or_default();
        cost.runs += 1;
        cost.steps = cost.steps.max(steps);
        let rows = rows.map_err(|error| error.to_string())?;
        cost.rows = cost.rows.max(rows.len());
        Ok(rows)
    }
}

/// The batch is the only transaction, and what belongs to the connection is not ours to change.
fn forbid(sql: &str) -> Result<(), String> {
    let lower = sql.trim_start().to_ascii_lowercase();
    const REFUSED: [&str; 9] = [
        "begin",
        "commit",
        "rollback",
        "savepoint",
        "pragma",
        "attach",
        "vacuum",
        "create temp",
        "select sqlite_version",
    ];
    match REFUSED.iter().find(|word| lower.starts_with(**word)) {
        Some(word) => Err(format!("not authorized: {word}")),
        None => Ok(()),
    }
}

fn bound(arg: &Arg) -> rusqlite::types::Value {
    match arg {
        Arg::Null => rusqlite::types::Value::Null,
        Arg::Text(text) => rusqlite::types::Value::Text(text.clone()),
        Arg::Number(number) => {
            assert!(
                number.abs() <= MAX_SAFE,
                "{number} loses digits in D1: bind it as text"
            );
            rusqlite::types::Value::Real(*number as f64)
        }
    }
}

fn collect(
    statement: &mut rusqlite::Statement<'_>,
    args: &[rusqlite::types::Value],
) -> rusqlite::Result<Vec<Value>> {
    let names: Vec<String> = statement
        .column_names()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut rows = statement.query(rusqlite::params_from_iter(args))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (at, name) in names.iter().enumerate() {
            object.insert(name.clone(), read(row.get_ref(at)?));
        }
        all.push(Value::Object(object));
    }
    Ok(all)
}

/// As JavaScript would hand it over: it knows one kind of number.
fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::from(integer as f64 as i64),
        ValueRef::Real(real) if real.fract() == 0.0 && real.abs() <= MAX_SAFE as f64 => {
            Value::from(real as i64)
        }
        ValueRef::Real(real) => Value::from(real),
        ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
        ValueRef::Blob(_) => panic!("the schema has no blobs"),
    }
}

fn migrations() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut found: Vec<(String, String)> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let sql = fs::read_to_string(&path).expect("a readable migration");
            (name.into_owned(), sql)
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests;
