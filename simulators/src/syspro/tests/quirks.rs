use super::*;

/// Each switch, a query that meets it, and what comes of it.
#[test]
fn every_switch_changes_what_it_says() {
    let on = |change: fn(&mut Quirks), name: &str, options: &[(&str, &str)]| {
        let mut server = server();
        change(&mut server.quirks);
        ask(&mut server, name, options)
    };
    let status =
        |change: fn(&mut Quirks), filter: &str| on(change, "ArInvoice", &[("$filter", filter)]).0;

    let date: fn(&mut Quirks) = |quirks| quirks.date_literal = DateLiteral::Date;
    assert_eq!(status(date, "InvoiceDate ge 2024-01-01"), 200);
    assert_eq!(status(date, "InvoiceDate ge 2024-01-01T00:00:00Z"), 400);
    let v3: fn(&mut Quirks) = |quirks| quirks.date_literal = DateLiteral::V3;
    assert_eq!(
        status(v3, "InvoiceDate ge datetime'2024-01-01T00:00:00'"),
        200
    );
    assert_eq!(status(v3, "InvoiceDate ge 2024-01-01T00:00:00Z"), 400);
    assert_eq!(
        status(|quirks| quirks.text_order = false, "Customer gt 'x'"),
        400
    );
    assert_eq!(
        status(|quirks| quirks.text_order = false, "InvoiceBal1 gt 0"),
        200
    );
    assert_eq!(status(|quirks| quirks.ne = false, "InvoiceBal1 ne 0"), 400);
    assert_eq!(
        status(
            |quirks| quirks.or = false,
            "InvoiceBal1 gt 0 or InvoiceBal1 lt 0"
        ),
        400
    );
    assert_eq!(
        status(
            |quirks| quirks.in_list = true,
            "Customer in ('x', 'BAY001')"
        ),
        200
    );
    assert_eq!(
        status(
            |quirks| quirks.missing_tables.push("ArInvoice".to_owned()),
            "InvoiceBal1 eq 0"
        ),
        404
    );
    let missing: fn(&mut Quirks) = |quirks| {
        quirks
            .missing_columns
            .push("ArInvoice.TaxPortion".to_owned())
    };
    assert_eq!(status(missing, "TaxPortion eq 0"), 400);
    let (code, body) = on(missing, "ArInvoice", &[]);
    assert_eq!((code, body["value"][0].get("TaxPortion")), (200, None));
    assert!(body["value"][0].get("InvoiceBal1").is_some());
}

#[test]
fn options_are_heeded_ignored_or_refused() {
    type Set = fn(&mut Quirks, Support);
    let set: [(&str, &str, Set); 4] = [
        ("$orderby", "Customer", |quirks, support| {
            quirks.orderby = support
        }),
        ("$skip", "1", |quirks, support| quirks.skip = support),
        ("$top", "1", |quirks, support| quirks.top = support),
        ("$count", "true", |quirks, support| quirks.count = support),
    ];
    for (option, value, set) in set {
        let mut server = server();
        let plain = ask(&mut server, "ArInvoice", &[]);
        let heeded = ask(&mut server, "ArInvoice", &[(option, value)]);
        assert_ne!(heeded, plain, "{option}");
        set(&mut server.quirks, Support::Ignored);
        assert_eq!(
            ask(&mut server, "ArInvoice", &[(option, value)]),
            plain,
            "{option}"
        );
        set(&mut server.quirks, Support::Refused);
        assert_eq!(
            ask(&mut server, "ArInvoice", &[(option, value)]).0,
            400,
            "{option}"
        );
    }
}

#[test]
fn values_are_spelled_in_several_ways() {
    let spelled = |change: fn(&mut Quirks), name: &str| {
        let mut server = server();
        change(&mut server.quirks);
        let options = [("$orderby", "Customer,Invoice,DocumentType")];
        column(&mut server, "ArInvoice", name, &options)
    };
    let dates = |change| spelled(change, "InvoiceDate")[0].clone();
    assert_eq!(dates(|_| ()), "2024-02-05T00:00:00Z");
    assert_eq!(
        dates(|quirks| quirks.date_answer = DateAnswer::Offset),
        "2024-02-05T00:00:00+02:00"
    );
    assert_eq!(
        dates(|quirks| quirks.date_answer = DateAnswer::Naive),
        "2024-02-05T00:00:00"
    );
    assert_eq!(
        dates(|quirks| quirks.date_answer = DateAnswer::Date),
        "2024-02-05"
    );
    let mixed = spelled(
        |quirks| quirks.date_answer = DateAnswer::Mixed,
        "InvoiceDate",
    )
    .join(" ");
    assert!(mixed.contains('Z') && mixed.contains("+02:00"), "{mixed}");

    assert_eq!(spelled(|_| (), "PostCurrency")[0], "$  ");
    assert_eq!(
        spelled(|quirks| quirks.trimmed = true, "PostCurrency")[0],
        "$"
    );
    assert_ne!(spelled(|_| (), "TimeStamp")[0], "null");
    assert_eq!(
        spelled(|quirks| quirks.stampless = true, "TimeStamp")[0],
        "null"
    );

    let texts = |decimals| {
        let mut server = server();
        server.quirks.decimals = decimals;
        let (_, body) = ask(&mut server, "ArInvoice", &[("$select", "CurrencyValue")]);
        let rows = body["value"].as_array().expect("rows").iter();
        rows.filter(|row| row["CurrencyValue"].is_string()).count()
    };
    assert_eq!(texts(Decimals::Number), 0);
    assert_eq!(texts(Decimals::Text), 4);
    assert_eq!(texts(Decimals::Mixed), 2);
}

#[test]
fn collations_differ_in_case_and_blanks() {
    for (collation, filter, found) in [
        (Collation::CaseInsensitive, "Customer eq 'bay001'", 1),
        (Collation::Binary, "Customer eq 'bay001'", 0),
        (Collation::Binary, "Customer eq 'BAY001'", 1),
        (Collation::Exact, "Customer eq 'BAY001'", 0),
        (Collation::Exact, "Customer eq 'BAY001         '", 1),
        (Collation::Exact, "Customer gt 'BAY001'", 2),
    ] {
        let mut server = server();
        server.quirks.collation = collation;
        let rows = column(
            &mut server,
            "ArCustomer",
            "Customer",
            &[("$filter", filter)],
        );
        assert_eq!(rows.len(), found, "{collation:?} {filter}");
    }
}

#[test]
fn beyond_the_cap_rows_are_silent_refused_or_linked() {
    let capped = |beyond| {
        let mut server = server();
        server.quirks.row_cap = 2;
        server.quirks.beyond_cap = beyond;
        server
    };
    let options = [("$orderby", "Customer,Invoice"), ("$top", "3")];
    let (_, body) = ask(&mut capped(Beyond::Silent), "ArInvoice", &options);
    assert_eq!(body["value"].as_array().map(Vec::len), Some(2));
    assert!(body.get("@odata.nextLink").is_none());
    assert_eq!(
        ask(&mut capped(Beyond::Refused), "ArInvoice", &options).0,
        400
    );
    let (_, body) = ask(&mut capped(Beyond::Relative), "ArInvoice", &options);
    let link = body["@odata.nextLink"].as_str().expect("a link");
    assert!(link.starts_with("ArInvoice?"), "{link}");
    let (_, body) = ask(&mut capped(Beyond::Foreign), "ArInvoice", &options);
    let link = body["@odata.nextLink"].as_str().expect("a link");
    assert!(link.starts_with("https://collector.example/"), "{link}");

    let mut server = capped(Beyond::Absolute);
    let (_, first) = ask(&mut server, "ArInvoice", &options);
    let link = first["@odata.nextLink"].as_str().expect("a link");
    let response = server.answer(0, &get(link));
    let second: Json = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(second["value"].as_array().map(Vec::len), Some(1));
    assert!(second.get("@odata.nextLink").is_none());
    assert_ne!(first["value"][1], second["value"][0]);
}

#[test]
fn mishaps_befall_the_requests_they_are_meant_for() {
    let mut server = server();
    server.faults.extend([
        Fault {
            on: "/ArInvoice?".to_owned(),
            times: 2,
            what: Trouble::Page(503),
        },
        Fault::once("/ArCustomer?", Trouble::Cut(40)),
        Fault::once("InvoiceBal1 ne 0", Trouble::Empty),
        Fault::once("/SalBranch", Trouble::Slow(5_000)),
        Fault::once("/SalBranch", Trouble::Drop),
        Fault::once("/SalBranch", Trouble::Body("{\"value\":17}".to_owned())),
    ]);
    server.quirks.slow = 10;
    let customers = server.answer(0, &table("ArCustomer", &[]));
    assert_eq!(
        (customers.status().as_u16(), customers.body().len()),
        (200, 40)
    );
    for _ in 0..2 {
        let response = server.answer(0, &table("ArInvoice", &[]));
        assert_eq!(response.status(), 503);
        assert!(String::from_utf8_lossy(response.body()).starts_with("<!DOCTYPE html>"));
    }
    assert_eq!(server.called("ArInvoice"), 0);
    let open = [("$filter", "InvoiceBal1 ne 0")];
    assert_eq!(
        ask(&mut server, "ArInvoice", &open),
        (200, serde_json::json!({ "value": [] }))
    );
    assert_eq!(column(&mut server, "ArInvoice", "Invoice", &open).len(), 4);
    let branches = table("SalBranch", &[]);
    let manners: Vec<_> = (0..2)
        .map(|_| Manner::of(&server.answer(0, &branches)))
        .collect();
    assert_eq!(
        manners,
        [
            Manner {
                delay: 5_010,
                drop: false
            },
            Manner {
                delay: 10,
                drop: true
            }
        ]
    );
    assert_eq!(server.answer(0, &branches).body(), b"{\"value\":17}");
    assert!(server.faults.is_empty());
}

#[test]
fn switches_and_mishaps_travel_as_json() {
    let quirks: Quirks = serde_json::from_str(
        r#"{"date_literal":"v3","beyond_cap":"relative","orderby":"ignored","row_cap":10}"#,
    )
    .expect("quirks");
    assert_eq!(
        (quirks.date_literal, quirks.row_cap, quirks.ne),
        (DateLiteral::V3, 10, true)
    );
    assert!(serde_json::from_str::<Quirks>(r#"{"rowcap":10}"#).is_err());
    let fault: Fault =
        serde_json::from_str(r#"{"on":"Logon","what":{"page":503}}"#).expect("a fault");
    assert_eq!(fault, Fault::once("Logon", Trouble::Page(503)));
}
