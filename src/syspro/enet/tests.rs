use expect_test::{Expect, expect};

use super::*;

fn enet() -> Enet {
    Enet {
        url: "https://erp.example:31002/SYSPROWCFService/Rest".to_owned(),
        operator: "SVC".to_owned(),
        operator_password: Secret::new("p&ss wörd+%"),
        company_password: Secret::new(""),
    }
}

fn answer(body: &[u8]) -> Response<Vec<u8>> {
    Response::new(body.to_vec())
}

fn status(status: u16) -> Response<Vec<u8>> {
    let mut response = answer(b"<html>Service</html>");
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

fn codes() -> Find<'static> {
    Find {
        table: "SalSalesperson",
        columns: &["Branch", "Salesperson", "Name"],
        key: &["Branch", "Salesperson"],
        rows: 500,
    }
}

#[test]
fn requests_carry_everything_in_their_url() {
    let check = |request: Request<String>, expected: Expect| {
        assert_eq!(request.method(), http::Method::GET);
        expected.assert_eq(&request.uri().to_string());
    };
    let session = Secret::new("3EA613166FE4BF47925DF1CEA14E910100");
    check(
        logon(&enet(), "EDU1"),
        expect![
            "https://erp.example:31002/SYSPROWCFService/Rest/Logon?Operator=SVC&OperatorPassword=p%26ss%20w%C3%B6rd%2B%25&CompanyId=EDU1&CompanyPassword="
        ],
    );
    check(
        logoff(&enet(), &session),
        expect![
            "https://erp.example:31002/SYSPROWCFService/Rest/Logoff?UserId=3EA613166FE4BF47925DF1CEA14E910100"
        ],
    );
    check(
        version(&enet()),
        expect!["https://erp.example:31002/SYSPROWCFService/Rest/GetVersion"],
    );
    check(
        query(&enet(), &session, "COMFND", "<a>1 & 2</a>"),
        expect![
            "https://erp.example:31002/SYSPROWCFService/Rest/Query/Query?UserId=3EA613166FE4BF47925DF1CEA14E910100&BusinessObject=COMFND&XmlIn=%3Ca%3E1%20%26%202%3C%2Fa%3E"
        ],
    );
}

#[test]
fn a_table_is_asked_for_behind_its_last_key() {
    expect![[
        "<Query><TableName>SalSalesperson</TableName><ReturnRows>500</ReturnRows><Columns><Column>Branch</Column><Column>Salesperson</Column><Column>Name</Column></Columns><OrderBy><Column>Branch</Column><Column>Salesperson</Column></OrderBy></Query>"
    ]]
    .assert_eq(&find(&codes(), None));
    let after = ["1<0".to_owned(), "A&B".to_owned()];
    let asked = find(&codes(), Some(&after));
    let (_, filter) = asked.split_once("<Where>").expect("a filter");
    let (filter, _) = filter.split_once("</Where>").expect("an end");
    expect![[r#"
        <Expression><OpenBracket>(</OpenBracket><Column>Branch</Column><Condition>GT</Condition><Value>1&lt;0</Value><CloseBracket>)</CloseBracket></Expression>
        <Expression><AndOr>Or</AndOr><OpenBracket>(</OpenBracket><Column>Branch</Column><Condition>EQ</Condition><Value>1&lt;0</Value></Expression>
        <Expression><AndOr>And</AndOr><Column>Salesperson</Column><Condition>GT</Condition><Value>A&amp;B</Value><CloseBracket>)</CloseBracket></Expression>
    "#]]
    .assert_eq(&filter.replace("</Expression>", "</Expression>\n"));
    let all = Find {
        columns: &[],
        ..codes()
    };
    assert!(find(&all, None).contains("<AllColumns>Y</AllColumns>"));
}

#[test]
fn a_session_id_is_read_quoted_padded_or_bare() {
    for body in [
        "3EA613166FE4BF47925DF1CEA14E910100  ",
        "\"3EA613166FE4BF47925DF1CEA14E910100  \"",
        "\r\n3EA613166FE4BF47925DF1CEA14E910100",
    ] {
        let id = read_logon(&answer(body.as_bytes())).expect(body);
        assert_eq!(id.expose(), "3EA613166FE4BF47925DF1CEA14E910100");
        assert!(!format!("{id:?}").contains("3EA6"));
    }
    for body in [
        "",
        "  ",
        "0",
        "\"\"",
        "<html>Sign in here please</html>",
        "a b c d e f g h",
    ] {
        let fault = read_logon(&answer(body.as_bytes())).expect_err(body);
        assert!(
            matches!(fault, Fault::Unreadable { .. }),
            "{body}: {fault:?}"
        );
    }
}

#[test]
fn what_e_net_says_against_a_log_on_is_told_apart_and_never_quoted() {
    let table = [
        ("ERROR: Invalid operator password", code::OPERATOR_PASSWORD),
        (
            "\"ERROR: Invalid operator password\"",
            code::OPERATOR_PASSWORD,
        ),
        (
            " error: Password of SECRET is wrong",
            code::OPERATOR_PASSWORD,
        ),
        ("ERROR: Invalid company password", code::COMPANY_PASSWORD),
        ("ERROR: Invalid company id SECRET", code::COMPANY),
        ("ERROR: Invalid operator SECRET", code::OPERATOR),
        (
            "ERROR: The maximum number of concurrent users has been reached",
            code::SEATS_FULL,
        ),
        ("ERROR: SECRET", code::LOGON),
        ("ERROR", code::LOGON),
    ];
    for (said, expected) in table {
        let fault = read_logon(&answer(said.as_bytes())).expect_err(said);
        let told = reason(&fault);
        assert_eq!(told.code, format!("enet_{expected}"), "{said}");
        assert!(!told.remedy.is_empty());
        let all = format!("{fault:?} {fault} {told:?}");
        assert!(!all.contains("SECRET"), "{all}");
    }
}

#[test]
fn an_ended_session_is_known_by_part_of_its_text() {
    let texts: [&[u8]; 3] = [
        b"ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired.",
        b"error: exception: THE SUPPLIED USERID IS INVALID",
        b"\"ERROR: The supplied UserID is invalid.\"",
    ];
    for text in texts {
        let read = read_rows(&codes(), &answer(text));
        assert_eq!(read, Err(Fault::SessionEnded));
    }
    let table = [
        ("ERROR: e.net exception 100000 - COMFND", code::NOT_LICENSED),
        ("ERROR: Table 'X' not found", code::OBJECT),
    ];
    for (said, expected) in table {
        let fault = read_rows(&codes(), &answer(said.as_bytes())).expect_err(said);
        assert_eq!(fault, refused(expected));
    }
}

const ROWS: &str = "<?xml version=\"1.0\" encoding=\"Windows-1252\"?>
<SalSalesperson Language='05' Language2='EN' CssStyle='' DecFormat='1' OperatorPrimaryRole='   '>
<HeaderDetails>
<TableName>SalSalesperson</TableName>
<Columns>
<Column>Branch</Column>
</Columns>
</HeaderDetails>
<Row>
<branch>10</branch>
<SALESPERSON>100</SALESPERSON>
<Name>Caf# &amp; Co &#8211; \"N&amp;M\"</Name>
<Commission>       1.50</Commission>
</Row>
<Row>
<Branch/>
<Salesperson>  200</Salesperson>
<Name></Name>
</Row>
<RowsReturned>      2</RowsReturned>
</SalSalesperson>
 ";

/// `#` is é in Windows-1252.
fn windows(text: &str) -> Vec<u8> {
    let byte = |byte: u8| if byte == b'#' { 0xE9 } else { byte };
    text.replace("&#", "&\u{1}")
        .bytes()
        .map(byte)
        .map(|byte| if byte == 1 { b'#' } else { byte })
        .collect()
}

#[test]
fn rows_are_read_in_windows_1252_and_named_as_asked_for() {
    let rows = read_rows(&codes(), &answer(&windows(ROWS))).expect("rows");
    expect![[r#"
        {"Branch":"10","Commission":"1.50","Name":"Café & Co – \"N&M\"","Salesperson":"100"}
        {"Branch":"","Name":"","Salesperson":"200"}"#]]
    .assert_eq(&lines(&rows));
}

fn lines(rows: &[crate::syspro::Row]) -> String {
    let line = |row: &crate::syspro::Row| serde_json::json!(row.0).to_string();
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_document_cut_at_any_byte_is_no_document_of_fewer_rows() {
    let whole = windows(ROWS);
    let end = ROWS.trim_end().len();
    for cut in 0..end {
        let read = read_rows(&codes(), &answer(&whole[..cut]));
        assert!(read.is_err(), "cut at {cut}: {read:?}");
    }
    for (from, to) in [
        ("<RowsReturned>      2", "<RowsReturned>      3"),
        ("SalSalesperson", "SalBranch"),
        ("&amp;", "&nothing;"),
        ("<Row>", "<Row><Row>"),
    ] {
        let other = ROWS.replace(from, to);
        let fault = read_rows(&codes(), &answer(other.as_bytes())).expect_err(to);
        assert!(matches!(fault, Fault::Unreadable { .. }), "{to}: {fault:?}");
    }
    let deep = "<SalSalesperson>".to_owned() + &"<a>".repeat(100_000);
    assert!(read_rows(&codes(), &answer(deep.as_bytes())).is_err());
}

#[test]
fn an_error_in_an_element_is_told_by_its_number_and_its_element() {
    let body = b"<?xml version=\"1.0\" encoding=\"Windows-1252\"?>
        <salsalesperson><item><stockcode><Value>1004</Value><ErrorNumber>240004</ErrorNumber>
        <ErrorDescription>Stock code '1004' not found</ErrorDescription></stockcode></item>
        </salsalesperson>";
    let fault = read_rows(&codes(), &answer(body)).expect_err("an error");
    expect!["SYSPRO e.net refused the request (200 error_240004 on stockcode)"]
        .assert_eq(&fault.to_string());
}

#[test]
fn what_is_no_e_net_is_no_refusal() {
    let read = |status: Response<Vec<u8>>| read_version(&status).expect_err("a fault");
    let what = crate::fault::Silence::Status(503);
    let system = SYSTEM;
    assert_eq!(read(status(503)), Fault::NoAnswer { system, what });
    assert_eq!(read(status(401)), Fault::Unauthorized { system });
    assert!(matches!(
        read(status(404)),
        Fault::Refused { status: 404, .. }
    ));
    assert!(matches!(read(status(200)), Fault::Unreadable { .. }));
    assert_eq!(read_version(&answer(b"\"7.0.0.6\"")), Ok(()));
    assert_eq!(read_version(&answer(b"8.0.000  ")), Ok(()));
}

#[test]
fn the_profile_tells_the_local_currency() {
    let body = b"<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\n<UserProfile>\
        <OperatorCode>SVC</OperatorCode><LocalCurrencyCode> EUR</LocalCurrencyCode></UserProfile>\n ";
    let profile = read_profile(&answer(body)).expect("a profile");
    assert_eq!(profile.local_currency, "EUR");
    let ended = b"ERROR: The supplied UserID is invalid.";
    assert_eq!(read_profile(&answer(ended)), Err(Fault::SessionEnded));
}
