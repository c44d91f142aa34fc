//! A day at the distributor: what clerks did since yesterday.

use chrono::{Days, NaiveDate};
use fastrand::Rng;
use rust_decimal::Decimal;

use super::{Distributor, InvoiceKey, NewInvoice, believable};

impl Distributor {
    /// Some of everything that happens: new and back-dated invoices, money in part and in full, a
    /// credit note, an e-mail corrected, a customer on hold, a new one, a purge. Says what was
    /// done, a line each.
    pub fn a_day(&mut self, rng: &mut Rng, today: NaiveDate) -> Vec<String> {
        self.today = self.today.max(today);
        let mut done = Vec::new();
        let size = (self.table("ArInvoice").len() / 200).clamp(1, 20);
        for _ in 0..size {
            done.extend(self.sell(rng, today, "I", 0));
        }
        done.extend(self.sell(rng, today, "I", 12));
        done.extend(self.sell(rng, today, "C", 0));
        for _ in 0..size {
            done.extend(self.receive(rng, today, Decimal::ONE));
            done.extend(self.receive(rng, today, Decimal::new(4, 1)));
        }
        done.extend(self.correct(rng));
        done.extend(self.hold(rng));
        done.push(self.welcome(rng, today));
        done.extend(self.forget(rng));
        done
    }

    fn somebody(&self, rng: &mut Rng) -> Option<String> {
        let count = self.table("ArCustomer").len();
        let at = rng.usize(..count.max(1));
        let row = self.table("ArCustomer").rows().nth(at)?;
        Some(row.text("Customer").to_owned())
    }

    /// Any document that `wanted` likes.
    fn some_document(&self, rng: &mut Rng, wanted: impl Fn(Decimal) -> bool) -> Option<InvoiceKey> {
        let rows = self.table("ArInvoice").rows();
        let liked: Vec<_> = rows
            .filter(|row| row.text("DocumentType") == "I" && wanted(row.decimal("InvoiceBal1")))
            .collect();
        let row = liked.get(rng.usize(..liked.len().max(1)))?;
        Some(InvoiceKey {
            customer: row.text("Customer").to_owned(),
            invoice: row.text("Invoice").to_owned(),
            document_type: row.text("DocumentType").to_owned(),
        })
    }

    fn sell(&mut self, rng: &mut Rng, today: NaiveDate, kind: &str, back: u64) -> Option<String> {
        let customer = self.somebody(rng)?;
        let lines = believable::lines(rng, false);
        let dated = today - Days::new(back);
        let key = self.post_invoice(NewInvoice {
            document_type: kind.to_owned(),
            invoice_date: Some(dated),
            ..NewInvoice::of(&customer, today, lines)
        });
        let what = match (kind, back) {
            ("C", _) => "credit note",
            (_, 0) => "new invoice",
            _ => "back-dated invoice",
        };
        Some(format!("{what} {}, dated {dated}", spell(&key)))
    }

    fn receive(&mut self, rng: &mut Rng, today: NaiveDate, share: Decimal) -> Option<String> {
        let key = self.some_document(rng, |balance| balance > Decimal::ONE)?;
        let amount = (self.open_balance(&key) * share).round_dp(2);
        self.pay(&key, amount, today);
        let what = if share == Decimal::ONE {
            "full"
        } else {
            "part"
        };
        Some(format!(
            "{what} payment of {amount} on invoice {}",
            spell(&key)
        ))
    }

    fn correct(&mut self, rng: &mut Rng) -> Option<String> {
        let customer = self.somebody(rng)?;
        let email = format!("office{}@corrected.example.com", rng.u32(..1_000_000));
        self.edit_customer(&customer, "Email", email);
        Some(format!("e-mail of customer {} corrected", customer.trim()))
    }

    fn hold(&mut self, rng: &mut Rng) -> Option<String> {
        let customer = self.somebody(rng)?;
        self.edit_customer(&customer, "CustomerOnHold", "Y");
        Some(format!("customer {} put on hold", customer.trim()))
    }

    fn welcome(&mut self, rng: &mut Rng, today: NaiveDate) -> String {
        let mut new = believable::customer(rng, self.table("ArCustomer").len(), today, "");
        new.key = None;
        new.added = Some(today);
        let key = self.add_customer(new);
        format!("new customer {key}")
    }

    fn forget(&mut self, rng: &mut Rng) -> Option<String> {
        let key = self.some_document(rng, |balance| balance.is_zero())?;
        self.purge(&key);
        Some(format!("paid invoice {} purged", spell(&key)))
    }
}

fn spell(key: &InvoiceKey) -> String {
    let (invoice, customer) = (key.invoice.trim(), key.customer.trim());
    format!(
        "{} of customer {}",
        invoice.trim_start_matches('0'),
        customer
    )
}
