use crate::sorted::SortedMap;
use std::ops::Range;

use chrono::NaiveDate;
use expect_test::{Expect, expect};
use rust_decimal::Decimal;
use serde_json::json;

use super::*;

fn service() -> Service {
    Service {
        url: "https://erp.example/SYSPRO8Odata/SYSPROOData".to_owned(),
        company: "EDU1".to_owned(),
        date_style: DateStyle::Datetimeoffset,
        tables: SortedMap::new(),
        dialect: Dialect::default(),
    }
}

fn text(value: &str) -> Literal {
    Literal::Text(value.to_owned())
}

fn day() -> Literal {
    Literal::Date(NaiveDate::from_ymd_opt(2024, 1, 31).expect("a day"))
}

fn check(service: &Service, filter: Filter, expect: Expect) {
    expect.assert_eq(&filter.render(service));
}

fn url(request: &Request<String>) -> String {
    request.uri().to_string()
}

#[test]
fn a_page_of_customers() {
    let query = Query {
        table: "ArCustomer",
        select: vec!["Customer".to_owned(), "Name".to_owned()],
        filter: Some(after(&[("Customer", text("O'Neill & Co + 1%  "))])),
        order_by: &["Customer"],
        top: Some(2000),
        skip: None,
    };
    let request = request(&service(), &query);
    expect!["https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/ArCustomer?$select=Customer,Name&$filter=Customer%20gt%20%27O%27%27Neill%20%26%20Co%20%2B%201%25%20%20%27&$orderby=Customer&$top=2000"].assert_eq(&url(&request));
    expect![[r#"GET {"accept": "application/json"}"#]].assert_eq(&format!(
        "{} {:?}",
        request.method(),
        request.headers()
    ));
}

#[test]
fn what_the_server_cannot_do_is_left_out() {
    let mut service = service();
    service
        .tables
        .insert("ArCustomer".into(), "AR CUSTOMER".into());
    service.dialect = Dialect {
        order_by: false,
        top: false,
        ..Dialect::default()
    };
    let query = Query {
        table: "ArCustomer",
        order_by: &["Customer"],
        top: Some(5),
        ..Query::default()
    };
    expect!["https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/AR%20CUSTOMER"]
        .assert_eq(&url(&request(&service, &query)));
}

#[test]
fn literals_are_typed() {
    let mut service = service();
    let eq = |literal| Filter::compare("C", Op::Eq, literal);
    check(&service, eq(text("it's")), expect!["C eq 'it''s'"]);
    check(
        &service,
        eq(Literal::Decimal(Decimal::new(-25000, 2))),
        expect!["C eq -250.00"],
    );
    check(&service, eq(Literal::Integer(7)), expect!["C eq 7"]);
    check(&service, eq(Literal::Null), expect!["C eq null"]);
    check(&service, eq(day()), expect!["C eq 2024-01-31T00:00:00Z"]);
    service.date_style = DateStyle::Date;
    check(&service, eq(day()), expect!["C eq 2024-01-31"]);
    service.date_style = DateStyle::V3;
    check(
        &service,
        eq(day()),
        expect!["C eq datetime'2024-01-31T00:00:00'"],
    );
    assert_eq!(Literal::of(&json!("a ")), Some(text("a ")));
    assert_eq!(
        Literal::of(&json!(17)),
        Some(Literal::Decimal(Decimal::from(17)))
    );
    assert_eq!(Literal::of(&Value::Null), None);
}

#[test]
fn open_invoices_with_and_without_ne() {
    let mut service = service();
    let open = || Filter::compare("InvoiceBal1", Op::Ne, Literal::Integer(0));
    let both = || Filter::all(vec![open(), Filter::compare("C", Op::Ne, Literal::Null)]);
    check(&service, both(), expect!["InvoiceBal1 ne 0 and C ne null"]);
    service.dialect.ne = false;
    check(
        &service,
        both(),
        expect!["(InvoiceBal1 gt 0 or InvoiceBal1 lt 0) and C ne null"],
    );
}

#[test]
fn what_needs_or_is_asked_in_parts_of_a_server_without_it() {
    let apart = |filter: &Filter, can: Dialect| {
        let service = Service {
            dialect: can,
            ..service()
        };
        let parts = filter.apart(can);
        let parts: Vec<_> = parts.iter().map(|it| it.render(&service)).collect();
        parts.join("\n")
    };
    let or = Dialect::default();
    let no_or = Dialect { or: false, ..or };
    let neither = Dialect { ne: false, ..no_or };
    let open = || Filter::compare("Bal", Op::Ne, Literal::Integer(0));
    let sweep = Filter::any(vec![Filter::compare("D", Op::Ge, day()), open()]);
    expect!["D ge 2024-01-31T00:00:00Z or Bal ne 0"].assert_eq(&apart(&sweep, or));
    expect![[r#"
        D ge 2024-01-31T00:00:00Z
        Bal ne 0"#]]
    .assert_eq(&apart(&sweep, no_or));
    expect![[r#"
        D ge 2024-01-31T00:00:00Z
        Bal gt 0
        Bal lt 0"#]]
    .assert_eq(&apart(&sweep, neither));
    let key = [("A", text("1")), ("B", text("2")), ("C", text("3"))];
    expect![[r#"
        A gt '1'
        A eq '1' and B gt '2'
        A eq '1' and (B eq '2' and C gt '3')"#]]
    .assert_eq(&apart(&after(&key), no_or));
    let both = Filter::all(vec![sweep, one_of_column(&["a", "b"])]);
    expect![[r#"
        D ge 2024-01-31T00:00:00Z and Customer eq 'a'
        D ge 2024-01-31T00:00:00Z and Customer eq 'b'
        Bal ne 0 and Customer eq 'a'
        Bal ne 0 and Customer eq 'b'"#]]
    .assert_eq(&apart(&both, no_or));
    let listed = Dialect {
        in_list: true,
        ..no_or
    };
    expect![[r#"
        D ge 2024-01-31T00:00:00Z and (Customer in ('a','b'))
        Bal ne 0 and (Customer in ('a','b'))"#]]
    .assert_eq(&apart(&both, listed));
}

#[test]
fn a_composite_key_goes_on_level_by_level() {
    check(
        &service(),
        after(&[
            ("Customer", text("1")),
            ("Invoice", text("2")),
            ("DocumentType", text("I")),
        ]),
        expect![
            "Customer gt '1' or (Customer eq '1' and (Invoice gt '2' or (Invoice eq '2' and DocumentType gt 'I')))"
        ],
    );
    check(
        &service(),
        Filter::all(vec![
            after(&[("A", text("1")), ("B", text("2"))]),
            between("D", day(), day()),
        ]),
        expect![
            "(A gt '1' or (A eq '1' and B gt '2')) and (D ge 2024-01-31T00:00:00Z and D le 2024-01-31T00:00:00Z)"
        ],
    );
}

fn period_keys(numbers: Range<i64>) -> Vec<Vec<(&'static str, Literal)>> {
    let key = |number: i64| {
        vec![
            ("TrnYear", Literal::Integer(2024)),
            ("TrnMonth", Literal::Integer(number / 100)),
            ("Invoice", text(&format!("{number:020}"))),
        ]
    };
    numbers.map(key).collect()
}

#[test]
fn keys_share_their_leading_columns() {
    let query = Query {
        table: "ArTrnDetail",
        ..Query::default()
    };
    let mut service = service();
    let filters = any_of(&service, &query, &period_keys(99..102), 2000);
    let [(filter, range)] = &filters[..] else {
        panic!("{} filters", filters.len());
    };
    assert_eq!(range, &(0..3));
    check(
        &service,
        filter.clone(),
        expect![
            "TrnYear eq 2024 and ((TrnMonth eq 0 and Invoice eq '00000000000000000099') or (TrnMonth eq 1 and (Invoice eq '00000000000000000100' or Invoice eq '00000000000000000101')))"
        ],
    );
    service.dialect.in_list = true;
    check(
        &service,
        one_of_column(&["a", "b"]),
        expect!["Customer in ('a','b')"],
    );
    check(
        &service,
        filter.clone(),
        expect![
            "TrnYear eq 2024 and ((TrnMonth eq 0 and Invoice eq '00000000000000000099') or (TrnMonth eq 1 and (Invoice in ('00000000000000000100','00000000000000000101'))))"
        ],
    );
}

fn one_of_column(values: &[&str]) -> Filter {
    let keys: Vec<_> = values.iter().map(|v| vec![("Customer", text(v))]).collect();
    let query = Query::default();
    any_of(&service(), &query, &keys, 2000).remove(0).0
}

#[test]
fn many_keys_are_cut_to_the_length_of_a_url() {
    let mut service = service();
    let keys = period_keys(0..250);
    for filter in [None, Some(Filter::compare("C", Op::Ge, day()))] {
        let query = Query {
            table: "ArTrnDetail",
            select: vec!["Invoice".to_owned()],
            filter: filter.clone(),
            ..Query::default()
        };
        let filters = any_of(&service, &query, &keys, 2000);
        assert!(filters.len() > 3 && filters.len() < 12, "{}", filters.len());
        let mut next = 0;
        for (keys, range) in filters {
            assert_eq!(range.start, next);
            next = range.end;
            let both = filter.iter().cloned().chain([keys]).collect();
            let whole = Query {
                filter: Some(Filter::all(both)),
                ..query.clone()
            };
            let length = url(&request(&service, &whole)).len();
            assert!((1700..=2000).contains(&length) || next == 250, "{length}");
        }
        assert_eq!(next, keys.len());
    }
    let short = any_of(&service, &Query::default(), &keys[..3], 10);
    assert_eq!(short.len(), 3, "a key too long for any URL stands alone");
    service.dialect.or = false;
    let single = any_of(&service, &Query::default(), &keys[..3], 2000);
    assert_eq!(single.len(), 3, "without `or` one key a request");
    service.dialect.in_list = true;
    let listed = any_of(&service, &Query::default(), &keys[..3], 2000);
    assert_eq!(listed.len(), 1, "a list needs no `or`");
}

#[test]
fn a_page_is_followed_below_the_companys_tables_and_nowhere_else() {
    let follow = |link: &str| match follow(&service(), "ArCustomer", link) {
        Ok(request) => url(&request),
        Err(fault) => fault.sentence(),
    };
    expect!["https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/ArCustomer?$skiptoken=2"]
        .assert_eq(&follow("ArCustomer?$skiptoken=2"));
    expect!["SYSPRO OData sent an answer that cannot be read (a link to the next page that leads to another server)."]
        .assert_eq(&follow("https://collector.example/ArCustomer?$skiptoken=2"));
}

#[test]
fn pages_go_on_in_the_most_trusted_way_there_is() {
    let hoped = Dialect::default();
    let no_order = Dialect {
        order_by: false,
        ..hoped
    };
    let no_text = Dialect {
        text_order: false,
        ..hoped
    };
    let linked = |it: Dialect| Dialect {
        next_link: true,
        skip: true,
        ..it
    };
    let skip = |it: Dialect| Dialect { skip: true, ..it };
    for (can, way) in [
        (hoped, Some(Paging::Key)),
        (linked(hoped), Some(Paging::Key)),
        (linked(no_text), Some(Paging::Link)),
        (linked(no_order), Some(Paging::Link)),
        (skip(no_text), Some(Paging::Skip)),
        (skip(no_order), None),
        (no_text, None),
    ] {
        assert_eq!(can.paging(), way, "{can:?}");
    }
}

#[test]
fn what_a_service_publishes() {
    let xml = r#"<?xml version="1.0" encoding="utf-8"?>
        <edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
        <Schema Namespace="N" xmlns="http://docs.oasis-open.org/odata/ns/edm">
          <EntityType Name="ArCustomer"><Key><PropertyRef Name="Customer"/></Key>
            <Property Name="Customer" Type="Edm.String"/><Property Name="EMail" Type="Edm.String"></Property>
          </EntityType>
          <ComplexType Name="C"><Property Name="Stray" Type="Edm.String"/></ComplexType>
          <EntityContainer Name="X"><EntitySet Name="ArCustomers" EntityType="N.ArCustomer"/></EntityContainer>
        </Schema></edmx:DataServices></edmx:Edmx>"#;
    expect![[r#"Ok(Schema({"ArCustomers": ["Customer", "EMail"]}))"#]]
        .assert_eq(&format!("{:?}", read_schema(&answer(200, xml))));
    for (body, said) in [
        ("<a><b", "XML of 5 bytes"),
        ("<html></html>", "an HTML page of 13 bytes"),
        ("<Edmx/>", "XML of 7 bytes"),
        ("", "an empty body"),
    ] {
        let fault = read_schema(&answer(200, body)).expect_err("no schema");
        assert!(fault.to_string().contains(said), "{fault}");
    }
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    let answer = Response::builder().status(status);
    answer.body(body.as_bytes().to_vec()).expect("a response")
}

#[test]
fn a_page_is_its_rows() {
    let page = read_page(&answer(
        200,
        "\u{feff}{\"value\":[{\"Customer\":\"1 \"},7,null],\"@odata.nextLink\":\"ArCustomer?x\"}",
    ));
    let blank = Row::default();
    let row = Row(json!({"Customer": "1 "})
        .as_object()
        .expect("a row")
        .clone());
    let rows = vec![row, blank.clone(), blank];
    let next_link = Some("ArCustomer?x".to_owned());
    assert_eq!(page, Ok(Page { rows, next_link }));
    let empty = read_page(&answer(200, r#"{"value":[],"@odata.nextLink":null}"#));
    assert_eq!(empty, Ok(Page::default()));
}

fn fault(status: u16, body: &str, expect: Expect) {
    let fault = read_page(&answer(status, body)).expect_err("no page");
    expect.assert_eq(&format!("{fault:?}"));
}

#[test]
fn what_is_no_page_is_described_and_not_quoted() {
    fault(
        200,
        "<!DOCTYPE html><p>secret",
        expect![[r#"Unreadable { system: Odata, shape: "an HTML page of 24 bytes" }"#]],
    );
    fault(
        200,
        "<?xml version='1.0'?><feed/>",
        expect![[r#"Unreadable { system: Odata, shape: "XML of 28 bytes" }"#]],
    );
    fault(
        200,
        r#"{"value":[{"Customer":"secr"#,
        expect![[r#"Unreadable { system: Odata, shape: "JSON that breaks off after 27 bytes" }"#]],
    );
    fault(
        200,
        r#"{"values":[]}"#,
        expect![[r#"Unreadable { system: Odata, shape: "JSON without a `value` array" }"#]],
    );
    fault(
        200,
        "[]",
        expect![[r#"Unreadable { system: Odata, shape: "JSON that is no object" }"#]],
    );
    fault(
        200,
        "",
        expect![[r#"Unreadable { system: Odata, shape: "an empty body" }"#]],
    );
    fault(
        200,
        "{\"value\": secret}",
        expect![[r#"Unreadable { system: Odata, shape: "something that is not JSON, 17 bytes" }"#]],
    );
}

#[test]
fn a_refusal_says_who_must_act() {
    fault(401, "", expect!["Unauthorized { system: Odata }"]);
    fault(403, "", expect!["Forbidden { system: Odata, missing: [] }"]);
    fault(
        400,
        r#"{"error":{"code":"BadFilter","message":"secret"}}"#,
        expect![[
            r#"Refused { system: Odata, status: 400, refusal: Refusal { code: "BadFilter", field: None, other_id: None, correlation_id: None } }"#
        ]],
    );
    fault(
        404,
        r#"{"error":{"code":"the value 'secret'","message":"x"}}"#,
        expect![[
            r#"Refused { system: Odata, status: 404, refusal: Refusal { code: "http_404", field: None, other_id: None, correlation_id: None } }"#
        ]],
    );
    fault(
        503,
        "<html>",
        expect!["NoAnswer { system: Odata, what: Status(503) }"],
    );
    let mut throttled = answer(429, "");
    let after = header::HeaderValue::from_static("17");
    throttled.headers_mut().insert(header::RETRY_AFTER, after);
    expect!["Err(Throttled { system: Odata, window: Second, retry_after: Some(17s) })"]
        .assert_eq(&format!("{:?}", read_page(&throttled)));
}
