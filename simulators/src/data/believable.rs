//! A whole company from a seed: who buys, what was billed over a year and a half, who paid.

use chrono::{Days, NaiveDate};
use fastrand::Rng;
use rust_decimal::Decimal;

use super::lookups::{SALESPEOPLE, STOCK};
use super::words::{AWKWARD_KEYS, FIRM, FIRST, LAST, PLACE, PLACE_EU, STREET, TRADE};
use super::{Distributor, InvoiceKey, NewCustomer, NewInvoice, NewLine, Value};

/// How far back the books go, in days.
const HISTORY: u64 = 540;

/// A paid invoice older than this may have been purged.
const PURGED_AFTER: i64 = 400;

impl Distributor {
    /// The same arguments make the same company, to the last rowversion.
    pub fn believable(seed: u64, customers: usize, invoices: usize, today: NaiveDate) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut company = Self::empty();
        company.today = today;
        let mut keys: Vec<String> = Vec::with_capacity(customers);
        let mut email = String::new();
        for at in 0..customers {
            let mut new = customer(&mut rng, at, today, &email);
            if at % 40 == 39 {
                let head = pick(&mut rng, &keys).clone();
                new.others.push(("MasterAccount", Value::Text(head)));
            }
            email.clone_from(&new.email);
            keys.push(company.add_customer(new));
        }
        if keys.is_empty() {
            return company;
        }
        for at in 0..invoices {
            company.bill(&mut rng, &keys, history(at, invoices, today), today);
        }
        for key in &keys {
            company.age(key);
        }
        company
    }

    /// Bills somebody on a day of the past, and lets them pay, or not, since.
    fn bill(&mut self, rng: &mut Rng, keys: &[String], posted: NaiveDate, today: NaiveDate) {
        // A few customers buy most of it.
        let share = rng.f64() * rng.f64();
        let at = (share * keys.len() as f64) as usize;
        let Some(customer) = keys.get(at) else {
            return;
        };
        let new = self.document(rng, customer, posted);
        let (brought_forward, document_type) = (new.taken_on, new.document_type.clone());
        let key = self.post(new);
        if document_type == "C" && rng.u8(..10) < 6 {
            return;
        }
        let paid_on = posted + Days::new(rng.u64(15..60));
        if paid_on > today {
            return;
        }
        let chance = rng.u8(..100);
        let full = chance < 86 && brought_forward.is_zero();
        if full || chance < 93 {
            self.pay_share(rng, &key, paid_on, full);
        }
        let old = (today - posted).num_days() > PURGED_AFTER;
        let consolidated = old && self.is_balance_forward(customer);
        if consolidated || (old && full && rng.u8(..10) < 3) {
            self.consolidate(&key);
        }
    }

    /// Pays all that is open on a document, or some of it.
    fn pay_share(&mut self, rng: &mut Rng, key: &InvoiceKey, on: NaiveDate, full: bool) {
        let open = self.open_balance(key);
        let share = Decimal::new(rng.i64(20..80), 2);
        let amount = if full {
            open
        } else {
            (open * share).round_dp(2)
        };
        self.settle(key, amount, on);
    }

    pub(super) fn open_balance(&self, key: &InvoiceKey) -> Decimal {
        let row = self.table("ArInvoice").row(&key.parts());
        row.map_or(Decimal::ZERO, |row| row.decimal("InvoiceBal1"))
    }

    fn is_balance_forward(&self, customer: &str) -> bool {
        let row = self.table("ArCustomer").row(&[customer]);
        row.is_some_and(|row| row.text("BalanceType") == "B")
    }

    /// A document somebody might post that day.
    pub(super) fn document(&self, rng: &mut Rng, customer: &str, posted: NaiveDate) -> NewInvoice {
        let row = self.table("ArCustomer").row(&[customer]);
        let taxed = row.is_some_and(|row| row.text("TaxStatus") == "N");
        let head = row.map_or("", |row| row.text("MasterAccount")).to_owned();
        let mut new = NewInvoice::of(customer, posted, lines(rng, taxed));
        match rng.u8(..100) {
            0..4 => new.document_type = "C".to_owned(),
            4 => new.document_type = "D".to_owned(),
            _ => {}
        }
        new.invoice_date = match rng.u16(..1000) {
            0..30 => Some(posted - Days::new(rng.u64(1..20))),
            30..35 => Some(posted + Days::new(rng.u64(1..30))),
            35..39 => None,
            _ => Some(posted),
        };
        if new.document_type == "I" {
            match rng.u16(..1000) {
                0..4 => take_on(rng, &mut new),
                4..14 => new.invoice = Some(format!("W-{}", rng.u32(10_000..99_999_999))),
                _ => {}
            }
        }
        if !head.trim().is_empty() && rng.bool() {
            new.bought_by = Some(std::mem::replace(&mut new.customer, head));
        }
        if rng.u8(..10) < 8 {
            new.sales_order = format!("{:0>20}", rng.u32(800..99_999));
        }
        if rng.u8(..10) < 4 {
            new.customer_po = format!("PO {}", rng.u32(1000..9999));
        }
        new
    }
}

/// A balance brought over from the system before: a value, and no line to explain it.
fn take_on(rng: &mut Rng, new: &mut NewInvoice) {
    new.lines.clear();
    new.taken_on = Decimal::new(rng.i64(5_000..900_000), 2);
}

/// The day of the `at`th of `count` documents: the oldest first.
fn history(at: usize, count: usize, today: NaiveDate) -> NaiveDate {
    let left = (count - at) as u64 * HISTORY / count as u64;
    today - Days::new(left)
}

fn pick<'a, T>(rng: &mut Rng, list: &'a [T]) -> &'a T {
    &list[rng.usize(..list.len())]
}

pub(super) fn customer(rng: &mut Rng, at: usize, today: NaiveDate, before: &str) -> NewCustomer {
    let name = format!("{} {}", pick(rng, FIRM), pick(rng, TRADE));
    let contact = format!("{} {}", pick(rng, FIRST), pick(rng, LAST));
    let currency = match at % 100 {
        57 => "STG",
        7 | 17 | 27 | 37 | 47 | 67 | 77 | 87 | 97 => "EUR",
        12 | 62 => "",
        _ => "$",
    };
    let abroad = matches!(currency, "STG" | "EUR");
    let (branch, salesperson, _) = *pick(
        rng,
        if abroad {
            &SALESPEOPLE[4..]
        } else {
            &SALESPEOPLE[..4]
        },
    );
    let (city, state, postal, country) = *pick(rng, if abroad { PLACE_EU } else { PLACE });
    let added = today - Days::new(rng.u64(HISTORY..2_500));
    let exempt = abroad || rng.u8(..10) == 0;
    let others = vec![
        (
            "SoldToAddr1",
            Value::Text(format!("{} {}", rng.u16(1..400), pick(rng, STREET))),
        ),
        ("SoldToAddr3", Value::from(city)),
        (
            "SoldToAddr4",
            Value::from(if state.is_empty() { " " } else { state }),
        ),
        ("SoldToAddr5", Value::from(country)),
        ("SoldPostalCode", Value::from(postal)),
        ("TaxStatus", Value::from(if exempt { "E" } else { "N" })),
        ("CreditLimit", Value::from(rng.i64(1..100) * 1000)),
        (
            "CustomerOnHold",
            Value::from(if rng.u8(..100) < 3 { "Y" } else { "N" }),
        ),
        (
            "CreditStatus",
            Value::from(if rng.u8(..100) < 2 { "9" } else { "0" }),
        ),
    ];
    NewCustomer {
        key: key(rng, at, &name),
        email: email(rng, &contact, &name, before),
        contact: if rng.u8(..10) == 0 {
            String::new()
        } else {
            contact
        },
        name,
        telephone: format!("+1 {}-555-{:04}", rng.u16(201..989), rng.u16(..10_000)),
        currency: currency.to_owned(),
        terms: (*pick(rng, &["0", "1", "1", "1", "2", "15", "F"])).to_owned(),
        class: (*pick(rng, &["RET", "WHL", "OEM", "GOV", ""])).to_owned(),
        branch: branch.to_owned(),
        salesperson: salesperson.to_owned(),
        balance_type: if rng.u8(..100) < 5 { "B" } else { "I" }.to_owned(),
        added: (rng.u8(..20) > 0).then_some(added),
        others,
    }
}

/// Most customers are numbered; a third goes by letters, some of them awkward ones.
fn key(rng: &mut Rng, at: usize, name: &str) -> Option<String> {
    if at % 10 == 3 && at / 10 < AWKWARD_KEYS.len() {
        return Some(AWKWARD_KEYS[at / 10].to_owned());
    }
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .take(3)
        .collect();
    (rng.u8(..3) == 0).then(|| format!("{}{at:03}", letters.to_ascii_uppercase()))
}

fn email(rng: &mut Rng, contact: &str, name: &str, before: &str) -> String {
    let plain = |text: &str| -> String {
        let kept = text
            .chars()
            .map(|letter| if letter == ' ' { '.' } else { letter });
        kept.filter(|letter| letter.is_ascii_alphanumeric() || *letter == '.')
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let host = plain(name).replace('.', "-").trim_matches('-').to_owned();
    let own = format!("{}@{host}.example.com", plain(contact).trim_matches('.'));
    match rng.u8(..100) {
        0..4 if !before.is_empty() => before.to_owned(),
        4..7 => format!("{own}; accounts@{host}.example.com"),
        7 => "n/a".to_owned(),
        8 => format!("  {} ", own.to_uppercase()),
        9 => format!("{} at {host}", plain(contact)),
        10..17 => String::new(),
        17..20 => format!("{}{}@gmail.com", plain(contact), rng.u16(1..999)),
        _ => own,
    }
}

/// One to six lines of goods, and now and then freight, a handling fee, a comment, a return.
pub(super) fn lines(rng: &mut Rng, taxed: bool) -> Vec<NewLine> {
    let mut lines: Vec<NewLine> = (0..rng.usize(1..=5)).map(|_| goods(rng, taxed)).collect();
    if rng.u8(..10) < 3 {
        lines.push(NewLine::charge('4', Decimal::new(rng.i64(500..9_000), 2)));
    }
    match rng.u8(..100) {
        0..6 => lines.push(NewLine::charge('5', Decimal::new(rng.i64(100..2_500), 2))),
        6..10 => lines.push(NewLine::charge('6', Decimal::ZERO)),
        10..13 => lines.push(returned(&lines[0])),
        _ => {}
    }
    lines
}

fn goods(rng: &mut Rng, taxed: bool) -> NewLine {
    let (code, _, cents) = *pick(rng, STOCK);
    // Now and then a quantity that does not divide, and a price off the list.
    let quantity = if rng.u8(..20) == 0 {
        Decimal::new(rng.i64(250..9_999), 3)
    } else {
        Decimal::from(rng.i64(1..25))
    };
    let price = Decimal::new(cents * rng.i64(85..=100) / 100, 2);
    let value = (price * quantity).round_dp(2);
    let rate = if taxed {
        Decimal::new(825, 4)
    } else {
        Decimal::ZERO
    };
    let mut line = NewLine::stocked(code, quantity, value, (value * rate).round_dp(2));
    if rng.u8(..30) == 0 {
        line.line_type = '7';
        line.stock_code = format!("SPECIAL {}", rng.u16(1..999));
    }
    line
}

/// Some of a line given back on the same document.
fn returned(line: &NewLine) -> NewLine {
    let half = Decimal::new(-5, 1);
    NewLine {
        quantity: line.quantity * half,
        value: (line.value * half).round_dp(2),
        tax: (line.tax * half).round_dp(2),
        ..line.clone()
    }
}
