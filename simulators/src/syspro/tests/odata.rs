use super::*;

#[test]
fn a_page_looks_like_this() {
    let mut server = server();
    let request = table(
        "ArInvoice",
        &[
            (
                "$select",
                "Customer,Invoice,DocumentType,InvoiceDate,CurrencyValue,PostCurrency",
            ),
            ("$filter", "Customer eq '000000000000001'"),
            ("$orderby", "Customer,Invoice,DocumentType"),
            ("$top", "2"),
            ("$count", "true"),
        ],
    );
    let response = server.answer(0, &request);
    assert_eq!(
        String::from_utf8_lossy(response.body()),
        concat!(
            "{\"@odata.context\":\"https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/$metadata#ArInvoice\",",
            "\"@odata.count\":3,\"value\":[\n",
            "{\"Customer\":\"000000000000001\",\"Invoice\":\"00000000000000000014\",",
            "\"DocumentType\":\"C\",\"InvoiceDate\":\"2024-02-05T00:00:00Z\",",
            "\"CurrencyValue\":-250.00,\"PostCurrency\":\"$  \"},\n",
            "{\"Customer\":\"000000000000001\",\"Invoice\":\"00000000000000000014\",",
            "\"DocumentType\":\"D\",\"InvoiceDate\":null,",
            "\"CurrencyValue\":99.90,\"PostCurrency\":\"$  \"}]}",
        )
    );
    assert_eq!(server.called("ArInvoice"), 1);
}

#[test]
fn filters_keep_what_they_say() {
    let mut server = server();
    for (filter, kept) in [
        ("Customer eq 'BAY001'", "W-1"),
        ("Customer eq 'bay001  '", "W-1"),
        ("Customer eq 'O''NEIL'", ""),
        ("Invoice eq '100288'", ""),
        ("Invoice eq '00000000000000100288'", "100288"),
        ("Customer gt '000000000000001'", "W-1"),
        (
            "Customer le '000000000000001' and DocumentType ne 'C'",
            "14 100288",
        ),
        ("InvoiceBal1 lt 0", "14"),
        ("InvoiceBal1 gt 100.5 or InvoiceBal1 eq 1.00", "100288 W-1"),
        ("InvoiceBal1 ge 99.90M", "14 100288"),
        (
            "(DocumentType eq 'I' or DocumentType eq 'D') and InvoiceBal1 lt 100",
            "14 W-1",
        ),
        (
            "DocumentType eq 'I' or DocumentType eq 'D' and InvoiceBal1 lt 100",
            "14 100288 W-1",
        ),
        ("InvoiceDate ge 2024-02-05T00:00:00Z", "14 W-1"),
        ("InvoiceDate lt 2024-02-05T00:00:00+02:00", "100288"),
        ("InvoiceDate eq null", "14"),
        ("InvoiceDate ne null", "14 100288 W-1"),
        (
            "InvoiceYear eq 2024 and InvoiceMonth eq 3",
            "14 14 100288 W-1",
        ),
        ("TermsCode eq '1'", "14 14 100288 W-1"),
    ] {
        let options = [
            ("$filter", filter),
            ("$orderby", "Customer,Invoice,DocumentType"),
        ];
        let found = column(&mut server, "ArInvoice", "Invoice", &options);
        let found: Vec<_> = found
            .iter()
            .map(|text| text.trim().trim_start_matches('0'))
            .collect();
        assert_eq!(found.join(" "), kept, "{filter}");
    }
}

#[test]
fn filters_that_make_no_sense_are_a_400() {
    let mut server = server();
    let deep = format!("{}Customer eq 'x'{}", "(".repeat(100), ")".repeat(100));
    for filter in [
        "",
        "Customer",
        "Customer eq",
        "Customer eq 'x",
        "Customer eq 'x')",
        "(Customer eq 'x'",
        "Customer EQ 'x'",
        "customer eq 'x'",
        "Customer eq 1",
        "InvoiceBal1 eq '1'",
        "InvoiceBal1 eq x",
        "InvoiceDate ge '2024-01-01'",
        "InvoiceDate ge 2024-01-01",
        "InvoiceDate ge 2024-13-01T00:00:00Z",
        "InvoiceDate ge datetime'2024-01-01T00:00:00'",
        "Customer in ('1','2')",
        "startswith(Customer,'B')",
        "not Customer eq 'x'",
        "TimeStamp gt 1",
        "Customer eq 'x' and",
        "é eq 'x'",
        &deep,
    ] {
        let (status, body) = ask(&mut server, "ArInvoice", &[("$filter", filter)]);
        assert_eq!(status, 400, "{filter}");
        assert!(body["error"]["message"].is_string(), "{filter}: {body}");
    }
    for (option, value) in [
        ("$select", "Nothing"),
        ("$orderby", "Customer upwards"),
        ("$top", "-1"),
        ("$skip", "some"),
        ("$apply", "x"),
    ] {
        assert_eq!(
            ask(&mut server, "ArInvoice", &[(option, value)]).0,
            400,
            "{option}"
        );
    }
}

/// The way the sync pages: by the whole key, each page from the last row of the one before.
fn paged(server: &mut Server, key: &[&str], name: &str, top: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let order = key.join(",");
    for _ in 0..1_000 {
        let mut options = vec![("$orderby", order.as_str()), ("$top", top)];
        let filter = rows.last().map(|last| after(key, last));
        if let Some(filter) = &filter {
            options.push(("$filter", filter));
        }
        let (status, body) = ask(server, name, &options);
        assert_eq!(status, 200, "{body}");
        let page = body["value"].as_array().expect("rows").clone();
        if page.is_empty() {
            return rows;
        }
        for row in page {
            let parts = key
                .iter()
                .map(|column| row[*column].as_str().unwrap_or("").to_owned());
            rows.push(parts.collect());
        }
    }
    panic!("no end to it")
}

/// `A gt 'a' or (A eq 'a' and (B gt 'b' or …))`
fn after(key: &[&str], last: &[String]) -> String {
    match (key, last) {
        ([column], [value]) => format!("{column} gt '{}'", value.replace('\'', "''")),
        ([column, columns @ ..], [value, values @ ..]) => {
            let value = value.replace('\'', "''");
            let rest = after(columns, values);
            format!("{column} gt '{value}' or ({column} eq '{value}' and ({rest}))")
        }
        _ => String::new(),
    }
}

#[test]
fn paging_by_the_whole_key_sees_every_row_once() {
    let data = Distributor::believable(11, 90, 400, day("2026-11-20"));
    let mut server = Server::new(data, Credentials::default());
    server.quirks.longest_query = 4_096;
    for collation in [Collation::CaseInsensitive, Collation::Binary] {
        server.quirks.collation = collation;
        for (name, key) in [
            ("ArCustomer", &["Customer"][..]),
            ("ArInvoice", &["Customer", "Invoice", "DocumentType"]),
        ] {
            let seen = paged(&mut server, key, name, "7");
            let mut distinct = seen.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), seen.len(), "{name}");
            assert_eq!(seen.len(), server.data.table(name).len(), "{name}");
        }
    }
}

#[test]
fn skip_and_top_cut_pages_in_any_order() {
    let mut server = server();
    let all = [("$orderby", "InvoiceBal1 desc,Invoice")];
    let all = column(&mut server, "ArInvoice", "InvoiceBal1", &all);
    assert_eq!(all, ["1500.00", "99.90", "1.00", "-250.00"]);
    let options = [
        ("$orderby", "InvoiceBal1 desc"),
        ("$skip", "1"),
        ("$top", "2"),
    ];
    assert_eq!(
        column(&mut server, "ArInvoice", "InvoiceBal1", &options),
        ["99.90", "1.00"]
    );
    let past = [("$skip", "18446744073709551615"), ("$skiptoken", "9")];
    assert!(column(&mut server, "ArInvoice", "Invoice", &past).is_empty());
    let past = [("$skip", "99"), ("$orderby", "Customer")];
    assert!(column(&mut server, "ArInvoice", "Invoice", &past).is_empty());
}

#[test]
fn without_an_order_rows_come_in_none_but_always_the_same() {
    let data = Distributor::believable(5, 60, 0, day("2026-11-20"));
    let mut server = Server::new(data, Credentials::default());
    let first = column(&mut server, "ArCustomer", "Customer", &[]);
    let second = column(&mut server, "ArCustomer", "Customer", &[]);
    let ordered = column(
        &mut server,
        "ArCustomer",
        "Customer",
        &[("$orderby", "Customer")],
    );
    assert_eq!(first, second);
    assert_ne!(first, ordered);
    assert_eq!(first.len(), ordered.len());
}

#[test]
fn a_stranger_and_a_wrong_way_are_turned_back() {
    let mut server = server();
    let root = "https://erp.example/SYSPRO8Odata/SYSPROOData";
    let mut stranger = get(&format!("{root}/EDU1/ArCustomer"));
    stranger.headers_mut().remove("Authorization");
    let response = server.answer(0, &stranger);
    assert_eq!(response.status(), 401);
    let realm = response
        .headers()
        .get("WWW-Authenticate")
        .and_then(|realm| realm.to_str().ok());
    assert!(realm.is_some_and(|realm| realm.starts_with("Basic")));
    for (url, status) in [
        (format!("{root}/EDU2/ArCustomer"), 404),
        (format!("{root}/EDU1/Customers"), 404),
        (format!("{root}/EDU1"), 404),
        ("https://erp.example/elsewhere".to_owned(), 404),
        (
            format!("{root}/EDU1/ArCustomer")
                .to_lowercase()
                .replace("edu1/arcustomer", "EDU1/ArCustomer"),
            200,
        ),
        (format!("{root}/EDU1/ArCustomer?%24top=1"), 200),
        (
            format!("{root}/EDU1/ArCustomer?$filter={}", "x".repeat(2_048)),
            404,
        ),
    ] {
        assert_eq!(server.answer(0, &get(&url)).status(), status, "{url}");
    }
}

#[test]
fn metadata_names_tables_columns_and_types() {
    let mut server = server();
    server.quirks.missing_tables = vec!["SalBranch".to_owned()];
    server.quirks.missing_columns = vec!["ArInvoice.TaxPortion".to_owned()];
    let request = get("https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/$metadata");
    let xml = String::from_utf8_lossy(server.answer(0, &request).body()).into_owned();
    for (part, there) in [
        (
            "<EntityType Name=\"ArInvoice\"><Key><PropertyRef Name=\"Customer\" /><PropertyRef Name=\"Invoice\" />",
            true,
        ),
        (
            "<Property Name=\"InvoiceDate\" Type=\"Edm.DateTimeOffset\" />",
            true,
        ),
        (
            "<Property Name=\"InvoiceBal1\" Type=\"Edm.Decimal\" Precision=\"14\" Scale=\"2\" Nullable=\"false\" />",
            true,
        ),
        (
            "<Property Name=\"TimeStamp\" Type=\"Edm.Binary\" MaxLength=\"8\" />",
            true,
        ),
        (
            "<EntitySet Name=\"TblArTerms\" EntityType=\"SYSPROOData.TblArTerms\" />",
            true,
        ),
        ("SalBranch", false),
        ("Name=\"TaxPortion\"", false),
    ] {
        assert_eq!(xml.contains(part), there, "{part}");
    }
}
