//! The states of an invoice, its lines, and what may be deleted.

use super::*;

/// An invoice in a portal, and what is tried with it.
struct Bill {
    desk: Desk,
    id: Id,
}

impl Bill {
    fn new(options: Options, billable: bool) -> Bill {
        let mut desk = Desk::new(options);
        let properties =
            json!({ "hs_currency": "USD", "hs_invoice_billable": billable.to_string() });
        let id = desk.create(Kind::Invoice, properties);
        Bill { desk, id }
    }

    fn with_line(mut self) -> Bill {
        let line = json!({ "name": "Bolt", "quantity": "3", "price": "1.50", "discount": "0.5" });
        let line = self.desk.create(Kind::LineItem, line);
        self.desk
            .link((Kind::Invoice, self.id), (Kind::LineItem, line));
        self
    }

    fn with_contact(mut self) -> Bill {
        let contact = self
            .desk
            .create(Kind::Contact, json!({ "firstname": "Ann" }));
        self.desk
            .link((Kind::Invoice, self.id), (Kind::Contact, contact));
        self
    }

    fn path(&self) -> String {
        format!("/crm/objects/2026-09/invoices/{}", self.id)
    }

    #[track_caller]
    fn turns(mut self, status: &str) -> Bill {
        let to = json!({ "properties": { "hs_invoice_status": status } });
        let call = format!("PATCH {}", self.path());
        self.desk.check(&call, to.clone(), 200, to);
        self
    }

    #[track_caller]
    fn refuses(mut self, status: &str, why: &str) -> Bill {
        let to = json!({ "properties": { "hs_invoice_status": status } });
        let expected = json!({ "category": "VALIDATION_ERROR", "message": why });
        self.desk
            .check(&format!("PATCH {}", self.path()), to, 400, expected);
        self
    }

    #[track_caller]
    fn deletes_with(mut self, status: u16) {
        let call = format!("DELETE {}", self.path());
        self.desk.check(&call, Value::Null, status, Value::Null);
        let live = self
            .desk
            .portal
            .objects(Kind::LineItem)
            .filter(|line| !line.archived);
        assert_eq!(
            live.count(),
            if status == 204 { 0 } else { 1 },
            "the lines go along"
        );
    }
}

fn strict() -> Options {
    Options {
        strict_invoices: true,
        ..Options::default()
    }
}

#[test]
fn a_billable_invoice_needs_a_line_and_a_contact() {
    let bill = Bill::new(Options::default(), true);
    let bill = bill.refuses("open", "*INVOICE_TO_LINE_ITEM*").with_line();
    let bill = bill.refuses("open", "*INVOICE_TO_CONTACT*").with_contact();
    bill.refuses("paid", "*from hs_invoice_status draft to paid")
        .turns("open")
        .turns("paid");
}

#[test]
fn one_billed_elsewhere_needs_them_only_where_the_portal_is_strict() {
    Bill::new(Options::default(), false)
        .turns("open")
        .turns("voided");
    Bill::new(Options::default(), false).turns("paid");
    let bill = Bill::new(strict(), false).refuses("open", "*INVOICE_TO_LINE_ITEM*");
    bill.refuses("paid", "*INVOICE_TO_LINE_ITEM*")
        .with_line()
        .turns("paid");
}

#[test]
fn no_way_leads_back() {
    let paid = Bill::new(Options::default(), false)
        .turns("open")
        .turns("paid")
        .turns("paid");
    paid.refuses("open", "*from hs_invoice_status paid to open")
        .refuses("draft", "*");
    let void = Bill::new(Options::default(), false)
        .turns("open")
        .refuses("draft", "*");
    void.turns("voided").refuses("open", "*");
}

#[test]
fn a_status_at_creation_is_a_switch() {
    let call = "POST /crm/objects/2026-09/invoices";
    let body = json!({ "properties": {
        "hs_currency": "EUR", "hs_invoice_billable": "false", "hs_invoice_status": "open" } });
    for (allowed, status) in [(true, 201), (false, 400)] {
        let mut desk = Desk::new(Options {
            status_at_create: allowed,
            ..Options::default()
        });
        desk.check(call, body.clone(), status, json!({}));
    }
}

#[test]
fn what_may_be_deleted() {
    let fresh = || Bill::new(Options::default(), false).with_line();
    fresh().deletes_with(204);
    fresh().turns("open").deletes_with(400);
    fresh().turns("paid").deletes_with(400);
    fresh().turns("voided").deletes_with(204);
    let options = Options {
        open_invoices_deletable: true,
        ..Options::default()
    };
    Bill::new(options, false)
        .with_line()
        .turns("open")
        .deletes_with(204);
}

#[test]
fn amounts_of_lines_are_worked_out_and_of_invoices_as_the_portal_likes() {
    let bill = Bill::new(Options::default(), false).with_line();
    let line = bill
        .desk
        .portal
        .objects(Kind::LineItem)
        .next()
        .expect("a line");
    assert_eq!(line.get("amount"), Some("3"));
    for (writable, status) in [(true, 200), (false, 400)] {
        let mut bill = Bill::new(
            Options {
                invoice_amounts_writable: writable,
                ..Options::default()
            },
            false,
        );
        let call = "GET /crm/properties/2026-09/invoices/hs_amount_billed";
        let told = json!({ "modificationMetadata": { "readOnlyValue": !writable } });
        bill.desk.check(call, Value::Null, 200, told);
        let amount = json!({ "properties": { "hs_amount_billed": "12.50" } });
        bill.desk
            .check(&format!("PATCH {}", bill.path()), amount, status, json!({}));
        let balance = json!({ "properties": { "hs_balance_due": "12.50" } });
        let code = json!({ "errors": [{ "code": "READ_ONLY_VALUE" }] });
        bill.desk
            .check(&format!("PATCH {}", bill.path()), balance, 400, code);
    }
}

#[test]
fn an_invoice_needs_a_currency_and_gets_its_dates() {
    let mut desk = Desk::new(Options::default());
    let call = "POST /crm/objects/2026-09/invoices";
    let missing = json!({ "context": { "properties": ["hs_currency"] } });
    desk.check(call, json!({ "properties": {} }), 400, missing);
    let dated = json!({ "properties": {
        "hs_currency": "USD", "hs_due_date": "2026-12-01T17:00:00.000Z" } });
    let made = json!({ "properties": {
        "hs_invoice_date": "2026-11-02T08:00:00.100Z", "hs_due_date": "2026-12-01T17:00:00Z",
        "hs_invoice_status": "draft" } });
    desk.check(call, dated, 201, made);
}
