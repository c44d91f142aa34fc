//! Posting a document: its header, its lines, and what it leaves with the customer.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::ledger::blank;
use super::{Distributor, InvoiceKey, NewInvoice, NewLine, Value, padded, to_local};

/// A currency, how many of it or of the local one make a unit, and whether to multiply or divide.
#[derive(Clone)]
struct Rate {
    currency: String,
    rate: Decimal,
    mul_div: &'static str,
}

impl Rate {
    fn of(currency: &str) -> Self {
        let (rate, mul_div) = match currency.trim() {
            "EUR" => (Decimal::new(1_085_000, 6), "M"),
            "STG" => (Decimal::new(790_000, 6), "D"),
            _ => (Decimal::new(1_000_000, 6), "M"),
        };
        Self {
            currency: currency.to_owned(),
            rate,
            mul_div,
        }
    }

    fn is_local(&self) -> bool {
        matches!(self.currency.trim(), "" | "$")
    }

    fn local(&self, value: Decimal) -> Decimal {
        to_local(value, self.rate, self.mul_div)
    }
}

/// A document while it is posted: what its header and its lines share.
struct Posting {
    key: InvoiceKey,
    new: NewInvoice,
    rate: Rate,
    sign: Decimal,
    branch: String,
    salesperson: String,
    register: i64,
}

impl Distributor {
    /// Posts a document: header, lines, balances, date of last sale.
    ///
    /// # Panics
    /// Where the customer does not exist.
    pub fn post_invoice(&mut self, new: NewInvoice) -> InvoiceKey {
        let key = self.post(new);
        self.age(&key.customer);
        key
    }

    /// Posts without ageing: many documents are aged once, at their end.
    pub(super) fn post(&mut self, new: NewInvoice) -> InvoiceKey {
        let posting = self.prepare(new);
        let taken_on = posting.new.taken_on;
        let (mut value, mut tax) = (taken_on, Decimal::ZERO);
        let mut stocked = 0;
        for (at, line) in (1..).zip(&posting.new.lines) {
            value += line.value + line.tax;
            tax += line.tax;
            stocked += i64::from(matches!(line.line_type, '1' | '7'));
            self.detail(&posting, at, stocked, line);
        }
        self.header(&posting, value * posting.sign, tax * posting.sign);
        self.sold(&posting);
        self.today = self.today.max(posting.new.posted);
        posting.key
    }

    fn prepare(&mut self, new: NewInvoice) -> Posting {
        let row = self.table("ArCustomer").row(&[&new.customer]);
        let row = row.unwrap_or_else(|| panic!("no customer {}", new.customer));
        let currency = new.currency.as_deref();
        let rate = Rate::of(currency.unwrap_or(row.text("Currency")));
        let (branch, salesperson) = (
            row.text("Branch").to_owned(),
            row.text("Salesperson").to_owned(),
        );
        let customer = row.text("Customer").to_owned();
        let credit = new.document_type == "C";
        let number = new
            .invoice
            .clone()
            .unwrap_or_else(|| self.next_number(credit));
        let key = InvoiceKey {
            customer,
            invoice: padded(&number, 20),
            document_type: new.document_type.clone(),
        };
        Posting {
            sign: if credit { -Decimal::ONE } else { Decimal::ONE },
            register: self.register(&key.invoice, new.posted),
            key,
            new,
            rate,
            branch,
            salesperson,
        }
    }

    /// The day's register, or the next one free of this number: ArTrnDetail's key knows neither
    /// customer nor document type, and two documents of one number never share a register.
    fn register(&self, invoice: &str, posted: NaiveDate) -> i64 {
        let (year, month) = (posted.year().to_string(), posted.month().to_string());
        let taken = |register: &i64| {
            let key: [&str; 6] = [&year, &month, &register.to_string(), invoice, "1", "1"];
            self.table("ArTrnDetail").row(&key).is_some()
        };
        let day = i64::from(posted.num_days_from_ce() - 730_000) * 10;
        (day..).find(|register| !taken(register)).unwrap_or(day)
    }

    fn next_number(&mut self, credit: bool) -> String {
        let counter = if credit {
            &mut self.next_credit
        } else {
            &mut self.next_invoice
        };
        *counter += 1;
        (*counter - 1).to_string()
    }

    fn detail(&mut self, posting: &Posting, at: i64, order_line: i64, line: &NewLine) {
        let Posting {
            key,
            new,
            rate,
            sign,
            ..
        } = posting;
        let posted = line.value * sign;
        // Where nothing says "foreign", the posting columns of old rows were never filled.
        let bare = rate.currency.trim().is_empty();
        let customer = new.bought_by.as_deref().unwrap_or(&key.customer);
        let counted = matches!(line.line_type, '1' | '7');
        let cells = vec![
            ("TrnYear", Value::from(i64::from(new.posted.year()))),
            ("TrnMonth", Value::from(i64::from(new.posted.month()))),
            ("Register", Value::from(posting.register)),
            ("Invoice", Value::from(key.invoice.as_str())),
            ("SummaryLine", Value::from(1)),
            ("DetailLine", Value::from(at)),
            ("InvoiceDate", Value::from(new.invoice_date)),
            ("Branch", blank(&posting.branch)),
            ("Salesperson", blank(&posting.salesperson)),
            ("Customer", Value::from(customer)),
            ("StockCode", blank(&line.stock_code)),
            (
                "Warehouse",
                Value::from(if line.line_type == '1' { "FG" } else { " " }),
            ),
            ("QtyInvoiced", Value::from(line.quantity * sign)),
            ("NetSalesValue", Value::from(rate.local(posted))),
            ("TaxValue", Value::from(rate.local(line.tax * sign))),
            (
                "CostValue",
                Value::from(rate.local(posted * Decimal::new(7, 1))),
            ),
            ("LineType", Value::Text(line.line_type.to_string())),
            ("DocumentType", Value::from(key.document_type.as_str())),
            ("SalesOrder", blank(&new.sales_order)),
            (
                "SalesOrderLine",
                Value::from(if counted { order_line } else { 0 }),
            ),
            ("CustomerPoNumber", blank(&new.customer_po)),
            (
                "PostValue",
                Value::from(if bare { Decimal::ZERO } else { posted }),
            ),
            ("PostCurrency", Value::from(rate.currency.as_str())),
            ("PostConvRate", Value::from(rate.rate)),
            ("PostMulDiv", Value::from(rate.mul_div)),
        ];
        self.insert("ArTrnDetail", cells);
    }

    fn header(&mut self, posting: &Posting, value: Decimal, tax: Decimal) {
        let Posting { key, new, rate, .. } = posting;
        let customer = self.table("ArCustomer").row(&[&key.customer]);
        let copied = ["TermsCode", "Area", "TaxStatus"]
            .map(|column| customer.map_or(" ", |row| row.text(column)).to_owned());
        let [terms, area, tax_status] = copied;
        let cells = vec![
            ("Customer", Value::from(key.customer.as_str())),
            ("Invoice", Value::from(key.invoice.as_str())),
            ("DocumentType", Value::from(key.document_type.as_str())),
            ("InvoiceDate", Value::from(new.invoice_date)),
            ("SalesOrder", blank(&new.sales_order)),
            ("CustomerPoNumber", blank(&new.customer_po)),
            ("Salesperson", blank(&posting.salesperson)),
            ("Branch", blank(&posting.branch)),
            ("Area", Value::from(area)),
            ("TermsCode", Value::from(terms)),
            ("InvoiceBal1", Value::from(value)),
            ("InvoiceYear", Value::from(i64::from(new.posted.year()))),
            ("InvoiceMonth", Value::from(i64::from(new.posted.month()))),
            ("CurrencyValue", Value::from(value)),
            ("PostCurrency", Value::from(rate.currency.as_str())),
            ("ConvRate", Value::from(rate.rate)),
            ("MulDiv", Value::from(rate.mul_div)),
            ("TaxStatus", Value::from(tax_status)),
            ("TaxPortion", Value::from(tax)),
            (
                "OrigInvRate",
                Value::from(if rate.is_local() {
                    Decimal::ZERO
                } else {
                    rate.rate
                }),
            ),
        ];
        self.insert("ArInvoice", cells);
    }

    fn sold(&mut self, posting: &Posting) {
        let customer = posting.key.customer.as_str();
        let Some(row) = self.table("ArCustomer").row(&[customer]) else {
            return;
        };
        let last = row.date("DateLastSale").max(posting.new.invoice_date);
        let count = match row.get("InvoiceCount") {
            Some(Value::Integer(count)) => count + 1,
            _ => 1,
        };
        let cells = vec![
            ("DateLastSale", Value::from(last)),
            ("InvoiceCount", Value::from(count)),
        ];
        self.update("ArCustomer", &[customer], cells);
    }
}
