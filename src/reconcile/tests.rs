use expect_test::expect;
use serde_json::{Value, json};

use super::{
    standing::{Left, comparable},
    tally::{Amount, Tally},
    verdict::Why,
    *,
};
use crate::{
    feeds::{Outcome, Record},
    store::{ledger::Fate, reconcile::Standing},
    syspro::Row,
};

fn october() -> Period {
    Period::parse(r#"{"from":"2026-10-01","to":"2026-10-31"}"#).unwrap()
}

fn usd(value: &str) -> Amount {
    Amount {
        currency: "USD".to_owned(),
        value: value.parse().unwrap(),
    }
}

fn deleted() -> Vec<Why> {
    vec![Why {
        code: "deleted".to_owned(),
        field: None,
        reason: "The invoice was deleted in HubSpot.".to_owned(),
    }]
}

fn left(code: &str) -> Left {
    Left {
        status: Fate::Waiting,
        code: code.to_owned(),
        reason: "It waits.".to_owned(),
    }
}

#[test]
fn the_report_tells_sums_differences_and_what_was_left_aside() {
    let mut tally = Tally::default();
    let day = october().from;
    tally.invoice(Some(day), usd("10.5"), Some(usd("10.50")));
    tally.invoice(Some(day), usd("1.125"), None);
    tally.balance("E/1", usd("7"), Some(usd("8")));
    tally.compared("invoices", "E/1/1/I", Vec::new(), Some(5));
    tally.compared("invoices", "E/1/2/I", deleted(), Some(5));
    tally.aside("invoices", "E/1/3/I", left("changed"));
    tally.aside("invoices", "E/1/4/I", left("changed"));
    // It comes back from the database as it went in.
    let kept = json!(tally);
    let tally: Tally = serde_json::from_value(kept).unwrap();
    let counted = Counted { held: 5, gone: 2 };
    let (colour, report) = tally.report(october(), counted);
    assert_eq!(colour, Colour::Red);
    let lines = report.as_object().unwrap().iter();
    let shown: Vec<String> = lines.map(|(name, it)| format!("{name}: {it}")).collect();
    expect![[r#"
        balance_by_customer: [{"currency":"USD","hubspot":"8.00","key":"E/1","syspro":"7.00"}]
        balances: [{"currency":"USD","hubspot":{"customers":1,"total":"8.00"},"same":false,"syspro":{"customers":1,"total":"7.00"}}]
        balances_differing: 1
        clean: false
        compared: {"invoices":2}
        differences: [{"feed":"invoices","key":"E/1/2/I","why":[{"code":"deleted","reason":"The invoice was deleted in HubSpot."}]}]
        differing: 1
        from: "2026-10-01"
        gone_from_syspro: 2
        months: [{"currency":"USD","hubspot":{"invoices":1,"total":"10.50"},"month":"2026-10","same":false,"syspro":{"invoices":2,"total":"11.625"}}]
        not_compared: [{"code":"changed","feed":"invoices","keys":["E/1/3/I","E/1/4/I"],"reason":"It waits.","records":2,"status":"waiting"}]
        not_shown_by_syspro: 3
        replay: {"records":[{"feed":"invoices","key":"E/1/2/I"}]}
        to: "2026-10-31"
        without_key: 0"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn too_many_to_be_named_are_mended_by_the_window_they_were_sent_in() {
    let mut tally = Tally::default();
    for number in 0..501 {
        let key = format!("E/1/{number}/I");
        tally.compared("invoices", &key, deleted(), Some(86_400_000 + number));
    }
    let (_, report) = tally.report(october(), Counted::default());
    assert_eq!(report["differing"], 501);
    assert_eq!(report["differences"].as_array().map(Vec::len), Some(500));
    let window =
        json!({ "since": "1970-01-02T00:00:00.000Z", "until": "1970-01-02T00:00:00.501Z" });
    assert_eq!(report["replay"], window);
}

#[test]
fn both_sides_alike_are_green_and_what_waits_is_amber() {
    let mut tally = Tally::default();
    tally.compared("customers", "E/1", Vec::new(), Some(5));
    let colour = |tally: &Tally| tally.report(october(), Counted::default()).0;
    assert_eq!(colour(&tally), Colour::Green);
    let excluded = Left {
        status: Fate::Excluded,
        ..left("customers_active")
    };
    tally.aside("customers", "E/2", excluded);
    assert_eq!(colour(&tally), Colour::Green);
    tally.aside("customers", "E/3", left("changed"));
    assert_eq!(colour(&tally), Colour::Amber);
}

/// An invoice of the first of January, worth nothing any more or something still.
fn invoice(balance: &str) -> Record {
    let row = json!({ "InvoiceDate": "2026-01-01", "InvoiceBal1": balance });
    let Value::Object(row) = row else {
        unreachable!()
    };
    Record {
        key: "E/1/1/I".to_owned(),
        header: Row(row),
        ..Record::default()
    }
}

#[test]
fn only_what_was_sent_as_it_is_now_can_differ() {
    let send = Outcome::Send(Box::default());
    let Outcome::Send(payload) = &send else {
        unreachable!()
    };
    let sent = |fate: Fate, hash: String| Standing {
        key: "E/1/1/I".to_owned(),
        status: fate,
        reason: None,
        hash,
        synced_at: None,
        came_at: None,
        targets: "[]".to_owned(),
        customer: None,
    };
    let hash = crate::hash::hash(payload);
    let check = |record: Record, standing: Option<Standing>| {
        let horizon = october().from;
        let judged = comparable(&record, &send, standing.as_ref(), &[], horizon);
        judged.map_or_else(|left| left.code, |_| "compared".to_owned())
    };
    let known = |fate, hash: &str| check(invoice("0"), Some(sent(fate, hash.to_owned())));
    assert_eq!(known(Fate::Synced, &hash), "compared");
    assert_eq!(known(Fate::Synced, "another"), "changed");
    assert_eq!(known(Fate::Synced, ""), "due");
    assert_eq!(known(Fate::Waiting, &hash), "waiting");
    assert_eq!(check(invoice("0"), None), "history");
    assert_eq!(check(invoice("1"), None), "not_read");
}
