//! What moves customers and their balances: adding, paying, purging, ageing.

use chrono::{Datelike, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Distributor, NewCustomer, Value, padded};

/// The primary key of ArInvoice, each part raw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvoiceKey {
    pub customer: String,
    pub invoice: String,
    pub document_type: String,
}

impl InvoiceKey {
    pub fn parts(&self) -> [&str; 3] {
        [&self.customer, &self.invoice, &self.document_type]
    }
}

/// The ageing buckets of ArCustomerBal, without `Val…Inv` and `Num…Inv`.
const BUCKETS: [&str; 7] = [
    "Future", "Current", "30days", "60days", "90days", "120days", "Credits",
];

/// The bucket that holds what balance-forward customers owe from before.
const FORWARD: usize = 2;

/// A value in the posting currency, in local money; a rate of nothing leaves it as it is.
pub fn to_local(value: Decimal, rate: Decimal, mul_div: &str) -> Decimal {
    let local = if mul_div == "D" {
        value.checked_div(rate).unwrap_or(value)
    } else {
        value * rate
    };
    local.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// What an empty text is stored as.
pub(super) fn blank(text: &str) -> Value {
    Value::from(if text.is_empty() { " " } else { text })
}

impl Distributor {
    /// Adds a customer and its empty balances; answers with the key as stored.
    pub fn add_customer(&mut self, new: NewCustomer) -> String {
        let key = new.key.unwrap_or_else(|| {
            self.next_customer += 1;
            (self.next_customer - 1).to_string()
        });
        let key = padded(&key, 15);
        let short: String = new.name.chars().take(20).collect();
        let mut cells = vec![
            ("Customer", Value::from(key.as_str())),
            ("Name", blank(&new.name)),
            ("ShortName", blank(&short)),
            ("Contact", blank(&new.contact)),
            ("Email", blank(&new.email)),
            ("Telephone", blank(&new.telephone)),
            ("Currency", blank(&new.currency)),
            ("TermsCode", blank(&new.terms)),
            ("CustomerClass", blank(&new.class)),
            ("Branch", blank(&new.branch)),
            ("Salesperson", blank(&new.salesperson)),
            ("BalanceType", blank(&new.balance_type)),
            ("DateCustAdded", Value::from(new.added)),
            ("CreditStatus", Value::from("0")),
            ("CustomerOnHold", Value::from("N")),
            ("TaxStatus", Value::from("N")),
        ];
        cells.extend(new.others);
        self.insert("ArCustomer", cells);
        self.insert(
            "ArCustomerBal",
            vec![("Customer", Value::from(key.as_str()))],
        );
        key
    }

    /// Takes money against a document: its balance falls by `amount` (negative for a credit note
    /// that is used up), the customer's balances follow, `InvoiceDate` stays.
    ///
    /// # Panics
    /// Where the document does not exist.
    pub fn pay(&mut self, key: &InvoiceKey, amount: Decimal, on: NaiveDate) {
        self.settle(key, amount, on);
        self.age(&key.customer);
    }

    /// A clerk corrects what is owed; no date moves.
    pub fn owe(&mut self, key: &InvoiceKey, balance: Decimal) {
        let cells = vec![("InvoiceBal1", Value::from(balance))];
        self.update("ArInvoice", &key.parts(), cells);
        self.age(&key.customer);
    }

    /// Pays without ageing.
    pub(super) fn settle(&mut self, key: &InvoiceKey, amount: Decimal, on: NaiveDate) {
        let row = self.table("ArInvoice").row(&key.parts());
        let row = row.unwrap_or_else(|| panic!("no document {key:?}"));
        let balance = row.decimal("InvoiceBal1") - amount;
        let entry = match row.get("NextPaymEntry") {
            Some(Value::Integer(entry)) => entry + 1,
            _ => 1,
        };
        let mut cells = vec![
            ("InvoiceBal1", Value::from(balance)),
            ("NextPaymEntry", Value::from(entry)),
        ];
        if balance.is_zero() {
            cells.push(("YearInvBalZero", Value::from(i64::from(on.year()))));
            cells.push(("MonthInvBalZero", Value::from(i64::from(on.month()))));
        }
        self.update("ArInvoice", &key.parts(), cells);
        let customer = self.table("ArCustomer").row(&[&key.customer]);
        let last = customer
            .and_then(|row| row.date("DateLastPay"))
            .max(Some(on));
        self.edit_customer(&key.customer, "DateLastPay", last);
        self.today = self.today.max(on);
    }

    /// The header vanishes; its lines stay in ArTrnDetail. What a balance-forward customer still
    /// owed on it stays in the balances; false where there is no such document.
    pub fn purge(&mut self, key: &InvoiceKey) -> bool {
        let removed = self.consolidate(key);
        self.age(&key.customer);
        removed
    }

    /// Purges without ageing.
    pub(super) fn consolidate(&mut self, key: &InvoiceKey) -> bool {
        let Some(row) = self.table("ArInvoice").row(&key.parts()) else {
            return false;
        };
        let (rate, mul_div) = (row.decimal("ConvRate"), row.text("MulDiv"));
        let owed = to_local(row.decimal("InvoiceBal1"), rate, mul_div);
        let customer = self.table("ArCustomer").row(&[&key.customer]);
        let consolidates = customer.is_some_and(|row| row.text("BalanceType") == "B");
        if consolidates && !owed.is_zero() {
            *self.forward.entry(key.customer.clone()).or_default() += owed;
        }
        self.remove("ArInvoice", &key.parts())
    }

    /// Puts what a customer owes, in local money, into the buckets of ArCustomerBal, and sets its
    /// credit status by the oldest of them (a manual hold, 9, stays). Writes only what changed.
    pub(super) fn age(&mut self, customer: &str) {
        let mut values = [Decimal::ZERO; BUCKETS.len()];
        let mut numbers = [0i64; BUCKETS.len()];
        for row in self.table("ArInvoice").rows_of(customer) {
            let balance = row.decimal("InvoiceBal1");
            if !balance.is_zero() {
                let bucket = bucket(balance, row.date("InvoiceDate"), self.today);
                values[bucket] += to_local(balance, row.decimal("ConvRate"), row.text("MulDiv"));
                numbers[bucket] += 1;
            }
        }
        values[FORWARD] += self.forward.get(customer).copied().unwrap_or_default();
        let oldest = (2..=5).rev().find(|bucket| !values[*bucket].is_zero());
        let status = oldest.map_or(0, |bucket| bucket - 1).to_string();
        let names: Vec<_> = BUCKETS
            .iter()
            .map(|name| (format!("Val{name}Inv"), format!("Num{name}Inv")))
            .collect();
        let mut cells = Vec::new();
        for (at, (value, number)) in names.iter().enumerate() {
            cells.push((value.as_str(), Value::from(values[at])));
            cells.push((number.as_str(), Value::from(numbers[at])));
        }
        self.update_changed("ArCustomerBal", customer, cells);
        let held = self.table("ArCustomer").row(&[customer]);
        if held.is_some_and(|row| row.text("CreditStatus") != "9") {
            self.update_changed(
                "ArCustomer",
                customer,
                vec![("CreditStatus", status.into())],
            );
        }
    }

    fn update_changed(&mut self, table: &str, key: &str, cells: Vec<(&str, Value)>) {
        let Some(row) = self.table(table).row(&[key]) else {
            return;
        };
        let same = cells
            .iter()
            .all(|(column, value)| row.get(column) == Some(value));
        if !same {
            self.update(table, &[key], cells);
        }
    }
}

fn bucket(balance: Decimal, dated: Option<NaiveDate>, today: NaiveDate) -> usize {
    if balance.is_sign_negative() {
        return 6;
    }
    let age = dated.map_or(0, |date| (today - date).num_days());
    match age {
        ..0 => 0,
        0..30 => 1,
        30..60 => 2,
        60..90 => 3,
        90..120 => 4,
        _ => 5,
    }
}
