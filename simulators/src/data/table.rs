//! A table as SQL Server holds it: typed columns, a primary key, rows in the order of that key.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::collation;
use super::value::{Column, Key, Kind, Value};

/// One row to read.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    table: &'a Table,
    pub key: &'a Key,
    pub values: &'a [Value],
}

impl<'a> Row<'a> {
    /// The cell, or nothing where there is no such column.
    pub fn get(&self, column: &str) -> Option<&'a Value> {
        self.table
            .position(column)
            .and_then(|position| self.values.get(position))
    }

    /// The raw text of a cell; empty where it holds no text.
    pub fn text(&self, column: &str) -> &'a str {
        match self.get(column) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The number in a cell; zero where it holds none.
    pub fn decimal(&self, column: &str) -> Decimal {
        match self.get(column) {
            Some(Value::Decimal(number)) => *number,
            Some(Value::Integer(number)) => Decimal::from(*number),
            _ => Decimal::ZERO,
        }
    }

    pub fn date(&self, column: &str) -> Option<NaiveDate> {
        match self.get(column) {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        }
    }

    pub fn stamp(&self) -> Option<u64> {
        match self.get("TimeStamp") {
            Some(Value::Stamp(stamp)) => Some(*stamp),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Table {
    pub name: &'static str,
    columns: Vec<Column>,
    positions: HashMap<&'static str, usize>,
    rows: BTreeMap<Key, Vec<Value>>,
}

impl Table {
    pub(super) fn new(name: &'static str, columns: Vec<Column>) -> Self {
        let positions = columns
            .iter()
            .enumerate()
            .map(|(position, column)| (column.name, position))
            .collect();
        Self {
            name,
            columns,
            positions,
            rows: BTreeMap::new(),
        }
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn position(&self, column: &str) -> Option<usize> {
        self.positions.get(column).copied()
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every row, in the order of the primary key.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows_from(None)
    }

    /// The rows whose key is not below `start`, which may be the front part of a key only.
    pub fn rows_from<'a>(&'a self, start: Option<&Key>) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let range = match start {
            Some(start) => self.rows.range(start..),
            None => self.rows.range::<Key, _>(..),
        };
        range.map(|(key, values)| Row {
            table: self,
            key,
            values,
        })
    }

    /// The rows whose key begins with this text, in the order of the primary key.
    pub fn rows_of<'a>(&'a self, first: &'a str) -> impl Iterator<Item = Row<'a>> {
        self.rows_from(Some(&Key(vec![Value::from(first)])))
            .take_while(move |row| match row.key.0.first() {
                Some(Value::Text(text)) => collation::binary(text, first).is_eq(),
                _ => false,
            })
    }

    /// The row with this key, its parts spelled as text.
    pub fn row(&self, key: &[&str]) -> Option<Row<'_>> {
        let (key, values) = self.rows.get_key_value(&self.key(key))?;
        Some(Row {
            table: self,
            key,
            values,
        })
    }

    /// A key from its parts as text.
    ///
    /// # Panics
    /// Where the parts are none of this table's: a mistake in the test that asks.
    fn key(&self, parts: &[&str]) -> Key {
        let columns: Vec<&Column> = self.columns.iter().filter(|column| column.key).collect();
        assert_eq!(
            columns.len(),
            parts.len(),
            "key of {}: {parts:?}",
            self.name
        );
        let values = columns.iter().zip(parts).map(|(column, part)| {
            let value = column.kind.parse(part);
            value.unwrap_or_else(|| panic!("{}.{}: {part}", self.name, column.name))
        });
        Key(values.collect())
    }

    fn place(&self, column: &str, value: Value) -> (usize, Value) {
        let position = self.position(column);
        let position = position.unwrap_or_else(|| panic!("{} has no {column}", self.name));
        let stored = self.columns[position].kind.stored(value);
        let stored = stored.unwrap_or_else(|value| panic!("{}.{column}: {value:?}", self.name));
        (position, stored)
    }

    /// Adds a row, replacing one with the same key; columns not named hold what SYSPRO leaves.
    ///
    /// # Panics
    /// Where a column is unknown or refuses its value.
    pub(super) fn insert(&mut self, cells: Vec<(&str, Value)>, stamp: u64) -> Key {
        let kinds = self.columns.iter().map(|column| column.kind);
        let mut values: Vec<Value> = kinds.map(Kind::unfilled).collect();
        for (column, value) in cells {
            let (position, stored) = self.place(column, value);
            values[position] = stored;
        }
        if let Some(position) = self.position("TimeStamp") {
            values[position] = Value::Stamp(stamp);
        }
        let parts = self.columns.iter().zip(&values);
        let parts = parts.filter(|(column, _)| column.key);
        let key = Key(parts.map(|(_, value)| value.clone()).collect());
        self.rows.insert(key.clone(), values);
        key
    }

    /// Writes cells of one row; false where there is no such row.
    ///
    /// # Panics
    /// Where a column is unknown, refuses its value or is part of the key.
    pub(super) fn update(&mut self, key: &[&str], cells: Vec<(&str, Value)>, stamp: u64) -> bool {
        let key = self.key(key);
        let cells: Vec<_> = cells
            .into_iter()
            .map(|(column, value)| self.place(column, value))
            .collect();
        let keyed = |position: &usize| self.columns[*position].key;
        assert!(
            !cells.iter().any(|(position, _)| keyed(position)),
            "a key does not change"
        );
        let clock = self.position("TimeStamp");
        let Some(values) = self.rows.get_mut(&key) else {
            return false;
        };
        for (position, value) in cells {
            values[position] = value;
        }
        if let Some(position) = clock {
            values[position] = Value::Stamp(stamp);
        }
        true
    }

    pub(super) fn remove(&mut self, key: &[&str]) -> bool {
        let key = self.key(key);
        self.rows.remove(&key).is_some()
    }
}
