//! What SYSPRO's codes stand for. The trunk reads each [`Lookup`]'s table and hands its rows in.

use serde::Serialize;

use super::due_date::Rule;
use crate::{
    sorted::SortedMap,
    syspro::{Row, record_key},
};

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lookups {
    pub terms: SortedMap<String, Terms>,
    pub classes: SortedMap<String, String>,
    pub branches: SortedMap<String, String>,
    /// By branch and salesperson: the same code means someone else in another branch.
    pub salespeople: SortedMap<String, String>,
    /// Descriptions of stock items.
    pub stock: SortedMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Terms {
    pub description: String,
    /// Nothing when the rule is one we do not know.
    pub rule: Option<Rule>,
}

/// A table of codes.
pub struct Lookup {
    pub table: &'static str,
    pub key: &'static [&'static str],
    /// For `$select`; empty means all, where the names of the columns differ between versions.
    pub columns: &'static [&'static str],
    pub add: fn(&mut Lookups, &[Row]),
    /// Whether the code a customer or an invoice holds is explained; a blank one needs no words.
    pub explains: fn(&Lookups, &Row) -> bool,
}

/// Small tables, read whole.
pub const LOOKUPS: [&Lookup; 4] = [&TERMS, &CLASSES, &BRANCHES, &SALESPEOPLE];

pub const TERMS: Lookup = Lookup {
    table: "TblArTerms",
    key: &["TermsCode"],
    columns: &[],
    add: |lookups, rows| {
        for row in rows {
            let terms = Terms {
                description: row.text("Description"),
                rule: Rule::read(row),
            };
            lookups.terms.insert(row.key_text("TermsCode"), terms);
        }
    },
    explains: |lookups, row| holds(&lookups.terms, row, &["TermsCode"]),
};

pub const CLASSES: Lookup = Lookup {
    table: "TblCustomerClass",
    key: &["Class"],
    columns: &["Class", "Description"],
    add: |lookups, rows| describe(&mut lookups.classes, rows, &["Class"], "Description"),
    explains: |lookups, row| holds(&lookups.classes, row, &["CustomerClass"]),
};

pub const BRANCHES: Lookup = Lookup {
    table: "SalBranch",
    key: &["Branch"],
    columns: &["Branch", "Description"],
    add: |lookups, rows| describe(&mut lookups.branches, rows, &["Branch"], "Description"),
    explains: |lookups, row| holds(&lookups.branches, row, &["Branch"]),
};

pub const SALESPEOPLE: Lookup = Lookup {
    table: "SalSalesperson",
    key: &["Branch", "Salesperson"],
    columns: &["Branch", "Salesperson", "Name"],
    add: |lookups, rows| {
        describe(
            &mut lookups.salespeople,
            rows,
            &["Branch", "Salesperson"],
            "Name",
        );
    },
    explains: |lookups, row| holds(&lookups.salespeople, row, &["Branch", "Salesperson"]),
};

/// Large: only the codes that are needed are read.
pub const STOCK: Lookup = Lookup {
    table: "InvMaster",
    key: &["StockCode"],
    columns: &["StockCode", "Description"],
    add: |lookups, rows| describe(&mut lookups.stock, rows, &["StockCode"], "Description"),
    explains: |lookups, row| holds(&lookups.stock, row, &["StockCode"]),
};

impl Lookups {
    /// `""` for a code that no table explains.
    pub fn class(&self, code: &str) -> &str {
        self.classes.get(code).map_or("", String::as_str)
    }

    pub fn branch(&self, code: &str) -> &str {
        self.branches.get(code).map_or("", String::as_str)
    }

    pub fn salesperson(&self, branch: &str, code: &str) -> &str {
        let key = whole([branch, code].map(str::to_owned).to_vec());
        self.salespeople.get(&key).map_or("", String::as_str)
    }

    pub fn terms_description(&self, code: &str) -> &str {
        self.terms
            .get(code)
            .map_or("", |terms| terms.description.as_str())
    }
}

fn holds<T>(codes: &SortedMap<String, T>, row: &Row, key: &[&str]) -> bool {
    let parts: Vec<String> = key.iter().map(|column| row.key_text(column)).collect();
    parts.last().is_none_or(String::is_empty) || codes.contains_key(&whole(parts))
}

fn describe(into: &mut SortedMap<String, String>, rows: &[Row], key: &[&str], column: &str) {
    for row in rows {
        let parts = key.iter().map(|column| row.key_text(column)).collect();
        into.insert(whole(parts), row.text(column));
    }
}

/// A code as it stands, whatever it is made of; two told apart.
fn whole(mut parts: Vec<String>) -> String {
    match parts.as_slice() {
        [_] => parts.remove(0),
        _ => record_key(parts),
    }
}
