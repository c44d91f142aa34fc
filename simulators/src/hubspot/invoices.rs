//! What invoices and their lines demand beyond their property types.

use rust_decimal::Decimal;

use super::errors::{Flaw, Refusal};
use super::objects::{Id, Object};
use super::values::{instant, number};
use super::{Crm, Kind};
use crate::Millis;

const STATUS: &str = "hs_invoice_status";

impl Crm {
    /// Checks an invoice as it would be after a write and fills in what HubSpot fills in.
    pub(super) fn settle_invoice(
        &self,
        now: Millis,
        before: Option<&Object>,
        after: &mut Object,
    ) -> Result<(), Refusal> {
        self.check_currency(after, "hs_currency")?;
        for name in ["hs_invoice_date", "hs_due_date"] {
            after
                .properties
                .entry(name.into())
                .or_insert_with(|| instant(now));
        }
        after
            .properties
            .entry(STATUS.into())
            .or_insert_with(|| "draft".into());
        let from = before.and_then(|object| object.get(STATUS));
        let to = after.get(STATUS).unwrap_or("draft");
        let from = match from {
            Some(from) => from,
            None if to != "draft" && !self.options.status_at_create => {
                return Err(Refusal::invalid(format!(
                    "A new invoice cannot have the hs_invoice_status {to}"
                )));
            }
            None => "draft",
        };
        if from == to {
            return Ok(());
        }
        let billable = after.get("hs_invoice_billable") != Some("false");
        self.check_step(after.id, billable, from, to)
    }

    fn check_step(&self, id: Id, billable: bool, from: &str, to: &str) -> Result<(), Refusal> {
        let allowed = match from {
            "draft" => to == "open" || !billable,
            "open" => to != "draft",
            _ => false,
        };
        if !allowed {
            return Err(Refusal::invalid(format!(
                "Invoice cannot move from hs_invoice_status {from} to {to}"
            )));
        }
        let linked = |kind| self.store.links().of((Kind::Invoice, id), kind).count() > 0;
        let leaves_draft = from == "draft" && to != "voided";
        let needs_line = billable || self.options.strict_invoices;
        if leaves_draft && needs_line && !linked(Kind::LineItem) {
            return Err(Refusal::invalid(
                "Invoice is missing required associations: INVOICE_TO_LINE_ITEM",
            ));
        }
        if leaves_draft && billable && !linked(Kind::Contact) {
            return Err(Refusal::invalid(
                "Invoice is missing required associations: INVOICE_TO_CONTACT",
            ));
        }
        Ok(())
    }

    /// Checks a line and works out its amount.
    pub(super) fn settle_line(&self, after: &mut Object) -> Result<(), Refusal> {
        let figure = |name: &str| after.get(name).and_then(number);
        let price = figure("price").unwrap_or_default();
        if price < Decimal::ZERO {
            let message = "Line item price cannot be negative".to_owned();
            let flaw = Flaw::new("price", "INVALID_PRICE", message);
            return Err(Refusal::flawed(&[flaw], self.options.portal_id));
        }
        let discount = figure("discount").unwrap_or_default();
        let amount = figure("quantity").map(|quantity| {
            (price - discount)
                .checked_mul(quantity)
                .unwrap_or_default()
                .normalize()
        });
        if after.get("hs_line_item_currency_code").is_some() {
            self.check_currency(after, "hs_line_item_currency_code")?;
        }
        match amount {
            Some(amount) => after.properties.insert("amount".into(), amount.to_string()),
            None => after.properties.remove("amount"),
        };
        Ok(())
    }

    fn check_currency(&self, after: &Object, property: &str) -> Result<(), Refusal> {
        let code = after.get(property).unwrap_or_default();
        let known = code == self.options.company_currency
            || self.options.additional_currencies.iter().any(|c| c == code);
        if known {
            return Ok(());
        }
        let message = format!("{code} is not a currency of this account");
        let flaw = Flaw::new(property, "INVALID_CURRENCY", message);
        Err(Refusal::flawed(&[flaw], self.options.portal_id))
    }

    /// Archives a record if it may go; an invoice takes its lines along.
    pub(super) fn archive(&mut self, now: Millis, kind: Kind, id: Id) -> Result<(), Refusal> {
        let Some(object) = self.store.live(kind, id) else {
            return Ok(());
        };
        if kind == Kind::Invoice {
            let kept = match object.get(STATUS) {
                Some("paid") => true,
                Some("open") => !self.options.open_invoices_deletable,
                _ => false,
            };
            if kept {
                return Err(Refusal::invalid(format!(
                    "Invoice {id} cannot be deleted in its status"
                )));
            }
        }
        self.archive_anyway(now, kind, id);
        Ok(())
    }

    pub(super) fn archive_anyway(&mut self, now: Millis, kind: Kind, id: Id) {
        let Some(mut object) = self.store.live(kind, id).cloned() else {
            return;
        };
        object.archived = true;
        object.updated_at = now;
        object.writes += 1;
        self.store.put(kind, object);
        let ends: Vec<_> = self.store.links().all_of((kind, id)).map(|l| l.0).collect();
        for end in ends {
            self.store.set_link((kind, id), end, Vec::new());
            if kind == Kind::Invoice && end.0 == Kind::LineItem {
                self.archive_anyway(now, end.0, end.1);
            }
        }
    }
}
