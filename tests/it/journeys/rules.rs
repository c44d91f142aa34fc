//! What the settings leave out: it names its rule, gets one last write where HubSpot has it, and
//! comes back whole.

use std::time::Duration;

use serde_json::{Value as Json, json};
use simulators::{
    data::{InvoiceKey, NewCustomer, NewInvoice},
    hubspot::{Fault, Kind},
};

use super::{company, customer, distributor, first_invoice, hubspot_key, lines, money};
use crate::agreement;
use crate::site::{Site, options};

/// Five customers: the second of class INT, the third of branch 20, the fourth on hold; the fifth
/// has an old invoice and a credit note beside its first.
fn varied() -> (simulators::data::Distributor, InvoiceKey, InvoiceKey) {
    let mut data = distributor(5);
    data.edit_customer(&customer(2), "CustomerClass", "INT");
    data.edit_customer(&customer(3), "Branch", "20");
    data.edit_customer(&customer(4), "CustomerOnHold", "Y");
    let today = data.today();
    let old = NewInvoice {
        invoice_date: "2024-01-10".parse().ok(),
        ..NewInvoice::of(&customer(5), today, lines())
    };
    let old = data.post_invoice(old);
    let credit = NewInvoice {
        document_type: "C".to_owned(),
        ..NewInvoice::of(&customer(5), today, lines())
    };
    let credit = data.post_invoice(credit);
    (data, old, credit)
}

fn site(exclude: Json) -> Site {
    let (data, ..) = varied();
    Site::with(data, options(), json!({ "exclude": exclude }))
}

fn exclude(site: &Site, exclude: Json) {
    set(site, json!({ "exclude": exclude }));
}

fn set(site: &Site, settings: Json) {
    let body = json!({ "settings": settings }).to_string();
    let answer = site.ask("PATCH", "/connections/acme", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn change(site: &Site, number: u32, column: &str, value: &str) {
    let mut erp = site.erp.borrow_mut();
    assert!(erp.data.edit_customer(&customer(number), column, value));
}

fn pay(site: &Site, invoice: &InvoiceKey, amount: &str) {
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(invoice, money(amount), today);
}

/// Status and, beside it, the reason's code and words.
fn told(site: &Site, feed: &str, key: &str) -> [String; 3] {
    let record = site.record(feed, key);
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let reason = &record["reason"];
    [
        text(&record["status"]),
        text(&reason["code"]),
        text(&reason["reason"]),
    ]
}

#[test]
fn each_rule_leaves_out_what_it_names_and_says_so() {
    let (data, old, credit) = varied();
    let rules = json!({
        "document_types": ["C"],
        "customer_classes": ["INT", "NEVER"],
        "branches": ["20"],
        "on_hold": true,
        "invoices_before": "2024-02-01",
    });
    let site = Site::with(
        data,
        options(),
        json!({ "exclude": rules, "history_days": 7300 }),
    );
    site.settle(4);
    let customers = [
        (
            2,
            "exclude_customer_classes",
            "Customers of class INT are left out (rule: exclude.customer_classes = INT).",
        ),
        (
            3,
            "exclude_branches",
            "What belongs to branch 20 is left out (rule: exclude.branches = 20).",
        ),
        (
            4,
            "exclude_on_hold",
            "Customers on hold are left out (rule: exclude.on_hold = true).",
        ),
    ];
    for (number, code, reason) in customers {
        let [status, its_code, its_reason] = told(&site, "customers", &company(number));
        assert_eq!((status.as_str(), its_code.as_str()), ("excluded", code));
        assert_eq!(its_reason, reason);
        let invoice = hubspot_key(&first_invoice(number));
        let [status, code, reason] = told(&site, "invoices", &invoice);
        assert_eq!(
            (status.as_str(), code.as_str()),
            ("excluded", "customer_excluded")
        );
        assert_eq!(
            reason,
            format!("Its customer {} is excluded.", company(number))
        );
    }
    let [_, code, reason] = told(&site, "invoices", &hubspot_key(&old));
    assert_eq!(code, "exclude_invoices_before");
    assert_eq!(
        reason,
        "Invoices before 2024-02-01 are left out (rule: exclude.invoices_before = 2024-02-01)."
    );
    let [_, code, reason] = told(&site, "invoices", &hubspot_key(&credit));
    assert_eq!(code, "exclude_document_types");
    assert_eq!(
        reason,
        "Documents of type C are left out (rule: exclude.document_types = C)."
    );
    // The others are there, and nothing else is.
    for number in [1, 5] {
        assert_eq!(site.status("customers", &company(number)), "synced");
        let invoice = hubspot_key(&first_invoice(number));
        assert_eq!(site.status("invoices", &invoice), "synced");
    }
    for (kind, count) in [(Kind::Company, 2), (Kind::Contact, 2), (Kind::Invoice, 2)] {
        assert_eq!(
            site.portal.borrow().objects(kind).count(),
            count,
            "{kind:?}"
        );
    }
    let waiting = site
        .world
        .rows("select key from ledger where payload is not null");
    assert!(
        waiting.is_empty(),
        "nothing of what is left out is kept: {waiting:?}"
    );
}

#[test]
fn without_rules_the_same_data_arrives_whole() {
    let (data, ..) = varied();
    let site = Site::with(data, options(), json!({ "history_days": 7300 }));
    site.settle(4);
    assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 5);
    assert_eq!(site.portal.borrow().objects(Kind::Invoice).count(), 7);
}

#[test]
fn what_a_new_rule_leaves_out_gets_one_last_write_and_is_left() {
    let site = site(json!({}));
    site.settle(4);
    change(&site, 2, "CustomerOnHold", "Y");
    pay(&site, &first_invoice(2), "12.50");
    exclude(&site, json!({ "customer_classes": ["INT"] }));
    site.portal.borrow_mut().reset_calls();
    site.settle(4);
    let calls = site.calls_by_endpoint();
    assert_eq!(calls.values().sum::<u64>(), 1, "{calls:?}");
    let rule = "Customers of class INT are left out (rule: exclude.customer_classes = INT).";
    let now = |property: &str| site.value(Kind::Company, &company(2), property);
    assert_eq!(now("syspro_excluded"), rule);
    assert_eq!(now("syspro_on_hold"), "true");
    assert_eq!(now("syspro_balance"), "30");
    assert_eq!(now("name"), "Customer 2");
    assert_eq!(told(&site, "customers", &company(2))[0], "excluded");
    let run = site.last_run();
    assert_eq!(run["state"], "green", "{run}");

    // From now on it is left: neither it nor its invoices are sent.
    change(&site, 2, "Name", "Renamed Inc");
    change(&site, 2, "CustomerOnHold", "N");
    pay(&site, &first_invoice(2), "10.00");
    let before = site.hubspot_calls();
    for _ in 0..4 {
        site.next_tick();
    }
    assert_eq!(site.hubspot_calls(), before, "it is left alone");
    assert_eq!(now("syspro_balance"), "30");
    let invoice = hubspot_key(&first_invoice(2));
    assert_eq!(told(&site, "invoices", &invoice)[1], "customer_excluded");
    assert_eq!(
        site.value(Kind::Invoice, &invoice, "syspro_balance_due"),
        "42.5"
    );

    // Back again: everything as it is now, and no word of the rule.
    exclude(&site, json!({ "customer_classes": [] }));
    site.settle(4);
    assert_eq!(now("syspro_excluded"), "");
    assert_eq!(now("name"), "Renamed Inc");
    assert_eq!(
        site.value(Kind::Invoice, &invoice, "syspro_balance_due"),
        "20"
    );
    agreement::check(&site);
}

#[test]
fn an_invoice_left_out_later_says_what_it_last_owed() {
    let (mut data, _, credit) = varied();
    data.edit_customer(&customer(2), "CustomerClass", "RET");
    let site = Site::with(data, options(), json!({}));
    site.settle(4);
    let key = hubspot_key(&first_invoice(1));
    for (setting, rule) in [
        (
            json!({ "exclude": { "document_types": ["I"] } }),
            "exclude.document_types = I",
        ),
        (
            json!({ "exclude": { "document_types": null, "branches": ["10"] } }),
            "exclude.branches = 10",
        ),
    ] {
        pay(&site, &first_invoice(1), "2.50");
        set(&site, setting);
        site.settle(4);
        let said = site.value(Kind::Invoice, &key, "syspro_excluded");
        if rule.contains("document") {
            assert!(said.contains(rule), "{said}");
            assert_eq!(site.value(Kind::Invoice, &key, "syspro_balance_due"), "40");
            assert_eq!(
                site.value(Kind::Invoice, &key, "syspro_status"),
                "part paid"
            );
            assert_eq!(site.linked(Kind::Invoice, &key, Kind::LineItem), 3);
        } else {
            // Its customer is of that branch: that says it.
            let said = site.value(Kind::Company, &company(1), "syspro_excluded");
            assert!(said.contains(rule), "{said}");
        }
    }
    set(&site, json!({ "exclude": null, "credit_notes": "exclude" }));
    site.settle(4);
    let said = site.value(Kind::Invoice, &hubspot_key(&credit), "syspro_excluded");
    assert!(said.contains("rule: credit_notes = exclude"), "{said}");
    assert_eq!(site.value(Kind::Invoice, &key, "syspro_excluded"), "");
    assert_eq!(
        site.value(Kind::Invoice, &key, "syspro_balance_due"),
        "37.5"
    );
    set(&site, json!({ "credit_notes": null }));
    site.settle(4);
    agreement::check(&site);
}

#[test]
fn a_rule_that_syspro_itself_ends_takes_the_invoices_up_again() {
    let site = site(json!({ "on_hold": true }));
    site.settle(4);
    assert!(site.find(Kind::Company, &company(4)).is_none());
    let today = site.today();
    let new = NewInvoice::of(&customer(4), today, lines());
    let new = site.erp.borrow_mut().data.post_invoice(new);
    site.settle(4);
    assert_eq!(
        told(&site, "invoices", &hubspot_key(&new))[1],
        "customer_excluded"
    );
    change(&site, 4, "CustomerOnHold", "N");
    site.settle(4);
    for invoice in [new, first_invoice(4)] {
        assert_eq!(site.status("invoices", &hubspot_key(&invoice)), "synced");
    }
    assert_eq!(site.linked(Kind::Company, &company(4), Kind::Contact), 1);
    agreement::check(&site);
}

/// Longer than any park.
const A_DAY: Duration = Duration::from_secs(86_400);

/// What comes between a last write and HubSpot, while the record or the rule changes.
fn last_write_meets(trouble: Fault, meanwhile: impl Fn(&Site)) -> Site {
    let site = site(json!({}));
    site.settle(4);
    let trouble = trouble.times(100, "companies/batch/update");
    site.portal.borrow_mut().add_fault(trouble);
    exclude(&site, json!({ "customer_classes": ["INT"] }));
    site.next_tick();
    meanwhile(&site);
    site.next_tick();
    site.portal.borrow_mut().clear_faults();
    site.world.advance(A_DAY);
    site.settle(8);
    site
}

#[test]
fn a_last_write_that_is_put_off_goes_although_the_record_changes_meanwhile() {
    let site = last_write_meets(Fault::refuse(503, ""), |site| {
        pay(site, &first_invoice(2), "12.50");
    });
    let said = site.value(Kind::Company, &company(2), "syspro_excluded");
    assert!(said.contains("exclude.customer_classes"), "{said:?}");
    assert_eq!(told(&site, "customers", &company(2))[0], "excluded");
}

#[test]
fn a_last_write_unheard_is_taken_back_with_its_rule() {
    let site = last_write_meets(Fault::LoseAnswer, |site| {
        assert_ne!(
            site.value(Kind::Company, &company(2), "syspro_excluded"),
            ""
        );
        exclude(site, json!({ "customer_classes": [] }));
    });
    assert_eq!(
        site.value(Kind::Company, &company(2), "syspro_excluded"),
        ""
    );
    agreement::check(&site);
}

#[test]
fn the_last_write_makes_nothing_anew() {
    let site = site(json!({}));
    site.settle(4);
    let id = site.object(Kind::Company, &company(2)).id;
    let now = site.world.now();
    site.portal.borrow_mut().delete(now, Kind::Company, id);
    exclude(&site, json!({ "customer_classes": ["INT"] }));
    site.settle(4);
    assert!(site.find(Kind::Company, &company(2)).is_none());
    assert_eq!(told(&site, "customers", &company(2))[0], "excluded");
    exclude(&site, json!({ "customer_classes": [] }));
    site.settle(6);
    assert_eq!(site.linked(Kind::Company, &company(2), Kind::Contact), 1);
    agreement::check(&site);
}

#[test]
fn a_replay_of_what_is_left_out_says_its_last_word_again() {
    let site = site(json!({}));
    site.settle(4);
    exclude(&site, json!({ "customer_classes": ["INT"] }));
    site.settle(4);
    pay(&site, &first_invoice(2), "2.50");
    let body = json!({ "records": [{ "feed": "customers", "key": company(2) }] }).to_string();
    assert_eq!(
        site.ask("POST", "/connections/acme/replay", &body).status,
        202
    );
    site.settle(4);
    assert_eq!(
        site.value(Kind::Company, &company(2), "syspro_balance"),
        "40"
    );
    assert_eq!(told(&site, "customers", &company(2))[0], "excluded");
    let audit = site.record("customers", &company(2))["attempts"].clone();
    let outcomes: Vec<&str> = audit
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["outcome"].as_str())
        .collect();
    assert_eq!(outcomes, ["synced", "synced", "synced"]);
}

#[test]
fn a_rule_that_cannot_be_read_is_named_with_its_path() {
    let (data, ..) = varied();
    let site = Site::new(data);
    let wrong = json!({ "settings": {
        "trial": 0,
        "exclude": {
            "document_types": ["I", "X", 5], "customer_classes": "INT", "branches": [""],
            "on_hold": "yes", "invoices_before": "2025-31-01", "salesperson": ["100"],
        },
    } });
    let answer = site.ask("PATCH", "/connections/acme", &wrong.to_string());
    assert_eq!(answer.status, 400);
    let details = answer.body["error"]["details"].as_array().cloned();
    let mut paths: Vec<String> = details
        .iter()
        .flatten()
        .filter_map(|problem| problem["path"].as_str().map(str::to_owned))
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "settings.exclude.branches[0]",
            "settings.exclude.customer_classes",
            "settings.exclude.document_types[1]",
            "settings.exclude.document_types[2]",
            "settings.exclude.invoices_before",
            "settings.exclude.on_hold",
            "settings.exclude.salesperson",
            "settings.trial",
        ]
    );
}

#[test]
fn a_new_customer_of_a_left_out_class_is_never_made() {
    let site = site(json!({ "customer_classes": ["INT"] }));
    site.settle(4);
    let today = site.today();
    let key = site.erp.borrow_mut().data.add_customer(NewCustomer {
        class: "INT".to_owned(),
        added: Some(today),
        ..NewCustomer::default()
    });
    let invoice = NewInvoice::of(&key, today, lines());
    site.erp.borrow_mut().data.post_invoice(invoice);
    let before = site.hubspot_calls();
    site.next_tick();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before);
}
