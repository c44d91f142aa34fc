//! A distributor that believably could be: its tables, and how they change as time moves on.
//!
//! The tables hold what SYSPRO holds: keys padded to their width, `char` codes with trailing
//! blanks, a blank where a person would say "empty", credit notes negative, and no date of last
//! change anywhere. The operations touch the columns SYSPRO touches and no other; only the
//! rowversion moves with every write.

mod believable;
pub mod collation;
mod day;
mod ledger;
mod lookups;
mod posting;
mod schema;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use self::ledger::{InvoiceKey, to_local};
pub use self::table::{Row, Table};
pub use self::value::{Column, Key, Kind, Value};

/// One SYSPRO company's tables.
#[derive(Clone, Debug)]
pub struct Distributor {
    tables: Vec<Table>,
    /// The database's rowversion counter.
    stamp: u64,
    /// The latest day anything was posted: what balances are aged by.
    today: NaiveDate,
    next_customer: u64,
    next_invoice: u64,
    next_credit: u64,
    /// What balance-forward customers still owe on invoices that were consolidated away.
    forward: BTreeMap<String, Decimal>,
}

/// A customer to add. Blank text becomes the blank that SYSPRO stores.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// Digits are zero-padded, anything else blank-padded; `None` takes the next number.
    pub key: Option<String>,
    pub name: String,
    pub contact: String,
    pub email: String,
    pub telephone: String,
    pub currency: String,
    pub terms: String,
    pub class: String,
    pub branch: String,
    pub salesperson: String,
    /// `I` open item, `B` balance forward
    pub balance_type: String,
    pub added: Option<NaiveDate>,
    /// Any further columns of ArCustomer.
    pub others: Vec<(&'static str, Value)>,
}

impl Default for NewCustomer {
    fn default() -> Self {
        Self {
            key: None,
            name: "Bayside Bikes".to_owned(),
            contact: String::new(),
            email: String::new(),
            telephone: String::new(),
            currency: "$".to_owned(),
            terms: "1".to_owned(),
            class: "RET".to_owned(),
            branch: "10".to_owned(),
            salesperson: "100".to_owned(),
            balance_type: "I".to_owned(),
            added: None,
            others: Vec::new(),
        }
    }
}

/// A document to post. All values are positive, as a clerk enters them; a credit note is turned
/// negative by the posting.
#[derive(Clone, Debug)]
pub struct NewInvoice {
    pub customer: String,
    /// `I` invoice, `C` credit note, `D` debit note
    pub document_type: String,
    /// `None` takes the next number; credit notes count in a series of their own.
    pub invoice: Option<String>,
    pub invoice_date: Option<NaiveDate>,
    /// The day the clerk does it.
    pub posted: NaiveDate,
    pub lines: Vec<NewLine>,
    /// A value without any line, as a take-on balance has it.
    pub taken_on: Decimal,
    /// `None`: the customer's.
    pub currency: Option<String>,
    pub sales_order: String,
    pub customer_po: String,
    /// The sub-account that bought, when the head office is billed: the lines carry it.
    pub bought_by: Option<String>,
}

impl NewInvoice {
    /// An invoice posted and dated the same day.
    pub fn of(customer: &str, posted: NaiveDate, lines: Vec<NewLine>) -> Self {
        Self {
            customer: customer.to_owned(),
            document_type: "I".to_owned(),
            invoice: None,
            invoice_date: Some(posted),
            posted,
            lines,
            taken_on: Decimal::ZERO,
            currency: None,
            sales_order: String::new(),
            customer_po: String::new(),
            bought_by: None,
        }
    }
}

/// One line of a document, its money in the document's currency.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// `1` stocked, `7` not stocked, `4` freight, `5` miscellaneous, `6` comment
    pub line_type: char,
    pub stock_code: String,
    pub quantity: Decimal,
    pub value: Decimal,
    pub tax: Decimal,
}

impl NewLine {
    pub fn stocked(stock_code: &str, quantity: Decimal, value: Decimal, tax: Decimal) -> Self {
        Self {
            line_type: '1',
            stock_code: stock_code.to_owned(),
            quantity,
            value,
            tax,
        }
    }

    /// A charge without a quantity: freight (`4`) or miscellaneous (`5`).
    pub fn charge(line_type: char, value: Decimal) -> Self {
        Self {
            line_type,
            stock_code: String::new(),
            quantity: Decimal::ZERO,
            value,
            tax: Decimal::ZERO,
        }
    }
}

impl Distributor {
    /// Terms, classes, branches, salespeople and some stock, but nobody to sell to.
    pub fn empty() -> Self {
        let mut distributor = Self {
            tables: schema::tables(),
            stamp: 0x1_f600,
            today: NaiveDate::default(),
            next_customer: 1,
            next_invoice: 100_001,
            next_credit: 100_001,
            forward: BTreeMap::new(),
        };
        lookups::fill(&mut distributor);
        distributor
    }

    /// The latest day anything happened.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of exactly this name.
    pub fn find(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// # Panics
    /// Where there is no such table: a mistake in the test that asks.
    pub fn table(&self, name: &str) -> &Table {
        let table = self.find(name);
        table.unwrap_or_else(|| panic!("no table {name}"))
    }

    fn table_mut(&mut self, name: &str) -> &mut Table {
        let table = self.tables.iter_mut().find(|table| table.name == name);
        table.unwrap_or_else(|| panic!("no table {name}"))
    }

    fn tick(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    /// Writes one cell; false where there is no such row.
    pub fn set(
        &mut self,
        table: &str,
        key: &[&str],
        column: &str,
        value: impl Into<Value>,
    ) -> bool {
        self.update(table, key, vec![(column, value.into())])
    }

    fn update(&mut self, table: &str, key: &[&str], cells: Vec<(&str, Value)>) -> bool {
        let stamp = self.tick();
        self.table_mut(table).update(key, cells, stamp)
    }

    /// Adds a row as it is; columns not named hold what SYSPRO leaves.
    pub fn insert(&mut self, table: &str, cells: Vec<(&str, Value)>) -> Key {
        let stamp = self.tick();
        self.table_mut(table).insert(cells, stamp)
    }

    /// Takes a row away; false where there is no such row.
    pub fn remove(&mut self, table: &str, key: &[&str]) -> bool {
        self.table_mut(table).remove(key)
    }

    /// Writes a column of a customer. No date moves.
    pub fn edit_customer(&mut self, customer: &str, column: &str, value: impl Into<Value>) -> bool {
        self.set("ArCustomer", &[customer], column, value)
    }

    /// Writes a column of a document's header. No date moves.
    pub fn edit_invoice(
        &mut self,
        key: &InvoiceKey,
        column: &str,
        value: impl Into<Value>,
    ) -> bool {
        self.set("ArInvoice", &key.parts(), column, value)
    }
}

/// A key as SYSPRO stores it: digits right-aligned behind zeros, all else left-aligned before
/// blanks.
pub fn padded(key: &str, width: usize) -> String {
    if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{key:0>width$}")
    } else {
        format!("{key:<width$}")
    }
}
