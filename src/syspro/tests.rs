use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

pub fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => Row(row),
        other => panic!("not a row: {other}"),
    }
}

/// A value, as every reader sees it.
fn check(json: &str, expect: Expect) {
    let value: Value = serde_json::from_str(json).expect("JSON");
    let row = row(json!({ "C": value }));
    expect.assert_eq(&format!(
        "text {:?} key {:?} decimal {} date {} integer {} flag {} canonical {:?}",
        row.text("C"),
        row.key_text("C"),
        shown(row.decimal("C")),
        shown(row.date("C")),
        shown(row.integer("C")),
        row.flag("C"),
        row.canonical("C"),
    ));
}

fn shown<T: ToString>(read: Result<Option<T>, Bad>) -> String {
    match read {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "none".to_owned(),
        Err(bad) => format!("not {}", bad.expected),
    }
}

#[test]
fn texts_lose_their_trailing_blanks() {
    check(
        r#""BAY001         ""#,
        expect![[
            r#"text "BAY001" key "BAY001" decimal not a number date not a date integer not a number flag false canonical "BAY001""#
        ]],
    );
    check(
        r#"" ""#,
        expect![[r#"text "" key "" decimal none date none integer none flag false canonical """#]],
    );
    check(
        "null",
        expect![[r#"text "" key "" decimal none date none integer none flag false canonical """#]],
    );
    check(
        r#""Y ""#,
        expect![[
            r#"text "Y" key "Y" decimal not a number date not a date integer not a number flag true canonical "Y""#
        ]],
    );
}

#[test]
fn decimals_never_pass_through_a_float() {
    check(
        "1500.00",
        expect![[
            r#"text "1500.00" key "1500" decimal 1500.00 date not a date integer 1500 flag false canonical "1500""#
        ]],
    );
    check(
        r#""99.90""#,
        expect![[
            r#"text "99.90" key "99.90" decimal 99.90 date not a date integer not a whole number flag false canonical "99.9""#
        ]],
    );
    check(
        "0.1234567890123456789",
        expect![[
            r#"text "0.1234567890123456789" key "0.1234567890123456789" decimal 0.1234567890 date not a date integer not a whole number flag false canonical "0.1234567890123456789""#
        ]],
    );
    check(
        "1.5e3",
        expect![[
            r#"text "1.5e+3" key "1500" decimal 1500 date not a date integer 1500 flag false canonical "1500""#
        ]],
    );
    check(
        r#""  -250.00""#,
        expect![[
            r#"text "  -250.00" key "  -250.00" decimal -250.00 date not a date integer -250 flag false canonical "  -250.00""#
        ]],
    );
    check(
        "1e400",
        expect![[
            r#"text "1e+400" key "1e+400" decimal not a number date not a date integer not a number flag false canonical "1e+400""#
        ]],
    );
    check(
        r#""1,500.00""#,
        expect![[
            r#"text "1,500.00" key "1,500.00" decimal not a number date not a date integer not a number flag false canonical "1,500.00""#
        ]],
    );
}

#[test]
fn a_date_is_its_calendar_part() {
    for same in [
        "2024-01-31",
        "2024-01-31T00:00:00Z",
        "2024-01-31T00:00:00+02:00",
        "2024-01-31T23:59:59-11:00",
        "2024-01-31 00:00:00.000",
    ] {
        let row = row(json!({ "C": same }));
        assert_eq!(shown(row.date("C")), "2024-01-31");
        assert_eq!(row.canonical("C"), "2024-01-31");
    }
    for none in [
        "0000-00-00",
        "0000-00-00T00:00:00",
        "0001-01-01T00:00:00Z",
        " ",
        "",
    ] {
        let row = row(json!({ "C": none }));
        assert_eq!(shown(row.date("C")), "none");
        assert_eq!(row.canonical("C"), "");
    }
    for bad in [
        "2024-02-30",
        "31/01/2024",
        "2024-01-31x",
        "2024-01-3é",
        "20240131",
    ] {
        let row = row(json!({ "C": bad }));
        assert_eq!(shown(row.date("C")), "not a date");
    }
}

#[test]
fn a_mark_stays_while_the_meaning_stays() {
    let mark = |value: Value| row(json!({ "A": value, "B": "x" })).mark(&["A", "B"]);
    let five_hundred = mark(json!("500.0"));
    for same in ["500", "500.00", "5e2", "\"500\"", "\"500.00  \""] {
        let value: Value = serde_json::from_str(same).expect("JSON");
        assert_eq!(mark(value), five_hundred, "{same}");
    }
    for other in ["500.01", "-500", "\"0500\"", "null"] {
        let value: Value = serde_json::from_str(other).expect("JSON");
        assert_ne!(mark(value), five_hundred, "{other}");
    }
    assert_eq!(
        mark(json!("2024-01-31T00:00:00Z")),
        mark(json!("2024-01-31"))
    );
    assert_eq!(mark(json!(" ")), mark(Value::Null));
    assert_ne!(mark(json!(0)), mark(Value::Null));
    assert_ne!(mark(json!("001")), mark(json!("1")));

    let typed = |value: &str| row(json!({ "CustomerPoNumber": value })).mark(&["CustomerPoNumber"]);
    assert_ne!(typed("12.10"), typed("12.1"), "what people type is text");
    assert_eq!(typed("12.10  "), typed("12.10"));

    let row = row(json!({ "A": "1", "B": "2" }));
    assert_ne!(row.mark(&["A", "B"]), row.mark(&["B", "A"]));
    assert_ne!(row.mark(&["A"]), row.mark(&["A", "C"]));
    expect!["3989a5b1cbb2e6ec0d1de1fa89861f75"].assert_eq(&row.mark(&["A", "B"]));
}

#[test]
fn keys_come_apart_again() {
    let parts = ["EDU1", "A/B", "100%", "%2F"];
    let key = record_key(parts);
    expect!["EDU1/A%2FB/100%25/%252F"].assert_eq(&key);
    assert_eq!(key_parts(&key), parts);
}

#[test]
fn a_cursor_keeps_the_padding_and_needs_the_whole_key() {
    let row = row(json!({ "Customer": "BAY001         ", "Invoice": 17.0, "DocumentType": null }));
    let cursor = row.cursor(&["Customer", "Invoice"]);
    assert_eq!(cursor, Some(vec![json!("BAY001         "), json!(17.0)]));
    assert_eq!(row.cursor(&["Customer", "DocumentType"]), None);
    assert_eq!(row.cursor(&["Missing"]), None);
}

#[test]
fn a_bad_value_is_named_and_not_quoted() {
    let row = row(json!({ "CreditLimit": "secret" }));
    let reason = Reason::from(row.decimal("CreditLimit").expect_err("not a number"));
    assert_eq!(reason.field.as_deref(), Some("CreditLimit"));
    expect!["SYSPRO's CreditLimit holds something that is not a number."].assert_eq(&reason.reason);
}
