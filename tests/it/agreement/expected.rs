//! What HubSpot should hold, straight from SYSPRO's tables.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate};
use rust_decimal::Decimal;
use simulators::{
    data::{Distributor, Row},
    hubspot::Kind,
};
use syspro_hubspot_sync::platform::Millis;

use super::invoices::{Money, details, header};

const COMPANY: &str = "EDU1";
/// The portal's zone, which is the site's where nothing else is set: five hours behind.
const BEHIND: Millis = 5 * 3_600_000;
const HISTORY: u64 = 400;

#[derive(Default)]
pub struct Wanted {
    /// Otherwise it may be there, and then has to agree.
    pub must_be: bool,
    pub properties: BTreeMap<&'static str, String>,
    pub email: Option<String>,
    /// Exactly these, by kind.
    pub links: BTreeMap<Kind, BTreeSet<String>>,
    pub lines_value: Option<Decimal>,
}

#[derive(Default)]
pub struct Expected {
    pub records: BTreeMap<Kind, BTreeMap<String, Wanted>>,
    /// By record: `synced`, `failing`, `excluded`, or `either` where both can be right.
    pub fates: BTreeMap<String, &'static str>,
    /// Key prefixes of the customers whose purged invoices were consolidated.
    pub balance_forward: BTreeSet<String>,
    invoices: BTreeSet<String>,
}

impl Expected {
    pub fn of(data: &Distributor, now: Millis, sent: &BTreeSet<String>) -> Expected {
        let at = DateTime::from_timestamp_millis(now - BEHIND).expect("a time");
        let today = at.date_naive();
        let mut expected = Expected::default();
        for kind in [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem] {
            expected.records.insert(kind, BTreeMap::new());
        }
        for row in data.table("ArCustomer").rows() {
            expected.customer(data, row, today, sent);
        }
        for row in data.table("ArInvoice").rows() {
            expected.invoice(data, row, today);
        }
        expected
    }

    /// Whether this line belongs to an invoice that SYSPRO no longer has.
    pub fn is_of_vanished(&self, line: &str) -> bool {
        let invoice = line.rsplit_once('/').map_or(line, |(invoice, _)| invoice);
        !self.invoices.contains(invoice)
    }

    fn put(&mut self, kind: Kind, key: String, wanted: Wanted) {
        self.records.entry(kind).or_default().insert(key, wanted);
    }

    fn customer(
        &mut self,
        data: &Distributor,
        row: Row<'_>,
        today: NaiveDate,
        sent: &BTreeSet<String>,
    ) {
        let number = row.text("Customer").trim_end();
        let key = key(&[number]);
        if row.text("BalanceType") == "B" {
            self.balance_forward.insert(format!("{key}/"));
        }
        let buckets = buckets(data, row.text("Customer"));
        let fate = match active(&row, &buckets, today) {
            "excluded" if sent.contains(&key) => "synced",
            fate => fate,
        };
        self.fates.insert(key.clone(), fate);
        if fate == "excluded" {
            return;
        }
        let must_be = fate == "synced";
        let contact = format!("{key}/AR");
        let company = Wanted {
            must_be,
            properties: company(data, &row, &key, &buckets),
            links: BTreeMap::from([(Kind::Contact, BTreeSet::from([contact.clone()]))]),
            ..Wanted::default()
        };
        let mut person = person(&row, &contact);
        person.must_be = must_be;
        person
            .links
            .insert(Kind::Company, BTreeSet::from([key.clone()]));
        self.put(Kind::Company, key, company);
        self.put(Kind::Contact, contact, person);
    }

    fn invoice(&mut self, data: &Distributor, row: Row<'_>, today: NaiveDate) {
        let part = |column: &str| row.text(column).trim_end().to_owned();
        let customer = key(&[&part("Customer")]);
        let key = key(&[&part("Customer"), &part("Invoice"), &part("DocumentType")]);
        self.invoices.insert(key.clone());
        let old = row
            .date("InvoiceDate")
            .is_some_and(|day| day < today - Days::new(HISTORY - 8));
        let optional = old && row.decimal("InvoiceBal1").is_zero();
        let customer_fate = self.fates.get(&customer).copied().unwrap_or("excluded");
        let money = Money::of(&row);
        let fate = match (&money, customer_fate) {
            _ if optional => "either",
            (None, _) => "failing",
            (_, fate) => fate,
        };
        self.fates.insert(key.clone(), fate);
        let Some(money) = money.filter(|_| customer_fate != "excluded") else {
            return;
        };
        let must_be = fate == "synced";
        let lines = self.lines(data, &row, &key, &money, must_be);
        let wanted = header(data, &row, today, &money, &lines);
        let mut wanted = Wanted { must_be, ..wanted };
        let contact = BTreeSet::from([format!("{customer}/AR")]);
        wanted
            .links
            .insert(Kind::Company, BTreeSet::from([customer]));
        wanted.links.insert(Kind::Contact, contact);
        let keys = lines.iter().map(|(key, _)| key.clone()).collect();
        wanted.links.insert(Kind::LineItem, keys);
        wanted.lines_value = Some(lines.iter().map(|(_, value)| value).sum());
        self.put(Kind::Invoice, key, wanted);
    }

    /// The keys and values of an invoice's lines, which are wanted too.
    fn lines(
        &mut self,
        data: &Distributor,
        row: &Row<'_>,
        key: &str,
        money: &Money,
        must_be: bool,
    ) -> Vec<(String, Decimal)> {
        if row.text("DocumentType") == "C" {
            return Vec::new();
        }
        let details = details(data, row);
        let mut lines = Vec::new();
        for line in &details {
            let number = [
                "TrnYear",
                "TrnMonth",
                "Register",
                "SummaryLine",
                "DetailLine",
            ]
            .map(|part| line.decimal(part).to_string());
            let line_key = format!("{key}/{}", number.join("-"));
            let value = line.decimal(money.line_column);
            let mut wanted = Wanted {
                must_be,
                lines_value: None,
                ..Wanted::default()
            };
            let quantity = line.decimal("QtyInvoiced");
            let properties = &mut wanted.properties;
            properties.insert("hs_line_item_currency_code", money.iso.to_owned());
            properties.insert("hs_sku", line.text("StockCode").trim_end().to_owned());
            if value < Decimal::ZERO {
                properties.insert("price", "0".to_owned());
                properties.insert("syspro_line_total", value.to_string());
            } else if quantity > Decimal::ZERO {
                properties.insert("quantity", quantity.to_string());
            } else {
                properties.insert("quantity", "1".to_owned());
                properties.insert("price", value.to_string());
            }
            self.put(Kind::LineItem, line_key.clone(), wanted);
            lines.push((line_key, value));
        }
        let total = row.decimal("CurrencyValue");
        if details.is_empty() && !total.is_zero() {
            let line_key = format!("{key}/TOTAL");
            let properties = BTreeMap::from([("name", "Invoice total".to_owned())]);
            let wanted = Wanted {
                must_be,
                properties,
                ..Wanted::default()
            };
            self.put(Kind::LineItem, line_key.clone(), wanted);
            lines.push((line_key, total));
        }
        lines
    }
}

fn key(parts: &[&str]) -> String {
    let parts = parts
        .iter()
        .map(|part| part.replace('%', "%25").replace('/', "%2F"));
    let all: Vec<String> = std::iter::once(COMPANY.to_owned()).chain(parts).collect();
    all.join("/")
}

const BUCKETS: [(&str, &str); 7] = [
    ("ValFutureInv", "syspro_balance_future"),
    ("ValCurrentInv", "syspro_balance_current"),
    ("Val30daysInv", "syspro_balance_30_days"),
    ("Val60daysInv", "syspro_balance_60_days"),
    ("Val90daysInv", "syspro_balance_90_days"),
    ("Val120daysInv", "syspro_balance_120_days"),
    ("ValCreditsInv", "syspro_balance_credits"),
];

fn buckets(data: &Distributor, customer: &str) -> Vec<Decimal> {
    let row = data.table("ArCustomerBal").row(&[customer]);
    let bucket = |(column, _): &(&str, _)| row.map_or(Decimal::ZERO, |row| row.decimal(column));
    BUCKETS.iter().map(bucket).collect()
}

/// A few days about the horizon either answer is right: it depends on when the row was last read.
fn active(row: &Row<'_>, buckets: &[Decimal], today: NaiveDate) -> &'static str {
    let latest = row.date("DateLastSale").max(row.date("DateCustAdded"));
    let since = |days: u64| latest.is_some_and(|day| day >= today - Days::new(days));
    if buckets.iter().any(|value| !value.is_zero()) || since(HISTORY - 8) {
        "synced"
    } else if since(HISTORY + 8) {
        "either"
    } else {
        "excluded"
    }
}

fn company(
    data: &Distributor,
    row: &Row<'_>,
    key: &str,
    buckets: &[Decimal],
) -> BTreeMap<&'static str, String> {
    let text = |column: &str| row.text(column).trim_end().to_owned();
    let mut all = BTreeMap::from([
        ("syspro_key", key.to_owned()),
        ("name", text("Name")),
        ("phone", text("Telephone")),
        ("address", text("SoldToAddr1")),
        ("city", text("SoldToAddr3")),
        ("zip", text("SoldPostalCode")),
        ("syspro_credit_status", text("CreditStatus")),
        (
            "syspro_credit_limit",
            row.decimal("CreditLimit").to_string(),
        ),
        ("syspro_terms", text("TermsCode")),
        ("syspro_customer_class", text("CustomerClass")),
        ("syspro_branch", text("Branch")),
        ("syspro_salesperson", text("Salesperson")),
    ]);
    let held = text("CustomerOnHold") == "Y";
    all.insert("syspro_on_hold", held.to_string());
    let balance: Decimal = buckets.iter().sum();
    all.insert("syspro_balance", balance.to_string());
    for ((_, property), value) in BUCKETS.iter().zip(buckets) {
        all.insert(property, value.to_string());
    }
    let day = |column: &str| {
        row.date(column)
            .map_or(String::new(), |day| day.to_string())
    };
    all.insert("syspro_last_sale", day("DateLastSale"));
    all.insert("syspro_last_payment", day("DateLastPay"));
    let described = |table: &str, key: &[&str], column: &str| {
        let row = data.table(table).row(key);
        row.map_or(String::new(), |row| row.text(column).trim_end().to_owned())
    };
    let (branch, salesperson) = (row.text("Branch"), row.text("Salesperson"));
    let terms = described("TblArTerms", &[row.text("TermsCode")], "Description");
    let class = described(
        "TblCustomerClass",
        &[row.text("CustomerClass")],
        "Description",
    );
    let seller = described("SalSalesperson", &[branch, salesperson], "Name");
    all.insert("syspro_terms_description", terms);
    all.insert("syspro_customer_class_name", class);
    all.insert("syspro_salesperson_name", seller);
    all.insert(
        "syspro_branch_name",
        described("SalBranch", &[branch], "Description"),
    );
    all
}

fn person(row: &Row<'_>, key: &str) -> Wanted {
    let text = |column: &str| row.text(column).trim_end().to_owned();
    let mut wanted = Wanted::default();
    wanted.properties.insert("syspro_key", key.to_owned());
    wanted.properties.insert("syspro_email", text("Email"));
    let email = first_address(row.text("Email"));
    if text("Contact").is_empty() && email.is_empty() {
        wanted.properties.insert("lastname", text("Name"));
    } else if let Some((first, last)) = text("Contact").split_once(' ') {
        // Everything the distributor's seed makes; commas and titles have tests of their own.
        if !first.contains([',', '.']) {
            wanted.properties.insert("firstname", first.to_owned());
            wanted
                .properties
                .insert("lastname", last.trim_start().to_owned());
        }
    }
    wanted.email = Some(email);
    wanted
}

/// Good enough for what people type here: a word with one `@` and a dot behind it.
fn first_address(field: &str) -> String {
    let mut words = field.split([' ', ';', ',']);
    let address = words.find(|word| {
        let parts = word.split_once('@');
        parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    });
    address.unwrap_or_default().to_lowercase()
}
