use super::*;

const LOGON: &str =
    "Logon?Operator=SVC&OperatorPassword=operator-pass&CompanyId=EDU1&CompanyPassword=";

fn bytes(server: &mut Server, now: Millis, call: &str) -> Vec<u8> {
    let url = format!("http://erp.example:31002/SYSPROWCFService/Rest/{call}");
    let request = http::Request::get(url)
        .body(String::new())
        .expect("a request");
    let response = server.answer(now, &request);
    assert_eq!(response.status(), 200, "{call}");
    let kind = response
        .headers()
        .get("Content-Type")
        .map(|kind| kind.as_bytes());
    assert_eq!(kind, Some(&b"application/octet-stream"[..]));
    response.into_body()
}

fn text(server: &mut Server, now: Millis, call: &str) -> String {
    encoding_rs::WINDOWS_1252
        .decode(&bytes(server, now, call))
        .0
        .into_owned()
}

fn session(server: &mut Server, now: Millis) -> String {
    text(server, now, LOGON).trim().to_owned()
}

fn query(id: &str, xml: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let pairs = [("UserId", id), ("BusinessObject", "COMFND"), ("XmlIn", xml)];
    query.extend_pairs(pairs);
    format!("Query/Query?{}", query.finish())
}

fn is_alive(server: &mut Server, now: Millis, id: &str) -> bool {
    let answer = text(server, now, &format!("GetLogonProfile?UserId={id}"));
    if answer.starts_with("ERROR") {
        assert_eq!(
            answer,
            "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session \
             has expired. You will need to logon again."
        );
        return false;
    }
    assert!(answer.contains("<LocalCurrencyCode>$</LocalCurrencyCode>"));
    true
}

#[test]
fn a_logon_is_36_bytes_and_refusals_are_text() {
    let mut server = server();
    let id = bytes(&mut server, 0, &LOGON.replace("Logon", "logon"));
    assert_eq!(id.len(), 36);
    let hex = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    assert!(id.iter().take(32).all(hex), "{id:?}");
    assert!(id.ends_with(b"00  "));
    let wrong = text(&mut server, 0, &LOGON.replace("operator-pass", "x"));
    assert_eq!(wrong, "ERROR: Invalid operator password");
    for call in [
        LOGON.replace("=SVC", "=X"),
        LOGON.replace("EDU1", "X"),
        format!("{LOGON}x"),
    ] {
        assert!(text(&mut server, 0, &call).starts_with("ERROR: "), "{call}");
    }
    assert_eq!(text(&mut server, 0, "GetVersion"), "7.0.0.6");
    assert_eq!(server.called("Logon"), 5);
    server.quirks.seats_full = true;
    assert!(text(&mut server, 0, LOGON).starts_with("ERROR: "));
    server.quirks.seats_full = false;
    server.quirks.quoted_session = true;
    let quoted = text(&mut server, 0, LOGON);
    assert!(
        quoted.starts_with('"') && quoted.ends_with("00  \""),
        "{quoted}"
    );
}

#[test]
fn a_session_ends_by_logoff_by_another_logon_by_a_person_and_by_idleness() {
    let mut server = server();
    let id = session(&mut server, 0);
    assert!(is_alive(&mut server, 0, &id));
    assert_eq!(
        text(&mut server, 0, &format!("logoff?UserId={id}%20%20")),
        "0"
    );
    assert!(!is_alive(&mut server, 0, &id));
    assert_eq!(
        text(
            &mut server,
            0,
            "Logoff?UserId=3EA613166FE4BF47925DF1CEA14E910180"
        ),
        "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"
    );

    let first = session(&mut server, 0);
    let second = session(&mut server, 0);
    assert_ne!(first, second);
    assert!(!is_alive(&mut server, 0, &first));
    assert!(is_alive(&mut server, 0, &second));
    server.evict();
    assert!(!is_alive(&mut server, 0, &second));

    server.quirks.session_idle = 1_000;
    let id = session(&mut server, 0);
    assert!(is_alive(&mut server, 900, &id));
    assert!(is_alive(&mut server, 1_800, &id));
    assert!(!is_alive(&mut server, 2_801, &id));
}

#[test]
fn comfnd_answers_byte_for_byte() {
    let mut server = server();
    let id = session(&mut server, 0);
    let xml = "<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\
        <Query><TableName>ArCustomer</TableName><ReturnRows>1</ReturnRows>\
        <Columns><Column>Customer</Column><Column>Name</Column><Column>Email</Column>\
        <Column>Currency</Column><Column>DateLastPay</Column><Column>OutstOrdVal</Column></Columns>\
        <Where><Expression><OpenBracket>(</OpenBracket><Column>Customer</Column>\
        <Condition>GT</Condition><Value>000000000000001</Value><CloseBracket>)</CloseBracket>\
        </Expression></Where><OrderBy><Column>Customer</Column></OrderBy></Query>";
    let expected: &[u8] = b"<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\n\
<ArCustomer Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='8.0.000' OperatorPrimaryRole='   '>\n\
<HeaderDetails>\n\
<TableName>ArCustomer</TableName>\n\
<Columns>\n\
<Column>Customer</Column>\n\
<Column>Name</Column>\n\
<Column>Email</Column>\n\
<Column>Currency</Column>\n\
<Column>DateLastPay</Column>\n\
<Column>OutstOrdVal</Column>\n\
</Columns>\n\
<OrderBy>\n\
<Column>Customer</Column>\n\
</OrderBy>\n\
</HeaderDetails>\n\
<Row>\n\
<Customer>BAY001</Customer>\n\
<Name>Caf\xe9 &amp; Co</Name>\n\
<Email/>\n\
<Currency>EUR</Currency>\n\
<DateLastPay>0000-00-00</DateLastPay>\n\
<OutstOrdVal>          0.00</OutstOrdVal>\n\
</Row>\n\
<RowsReturned>      1</RowsReturned>\n\
</ArCustomer>\n ";
    let answer = bytes(&mut server, 0, &query(&id, xml));
    assert_eq!(
        String::from_utf8_lossy(&answer),
        String::from_utf8_lossy(expected)
    );
    assert_eq!(answer, expected);
    assert_eq!(server.called("COMFND ArCustomer"), 1);
}

fn expression(
    joined: &str,
    open: &str,
    [column, condition, value]: [&str; 3],
    close: &str,
) -> String {
    format!(
        "<Expression><AndOr>{joined}</AndOr><OpenBracket>{open}</OpenBracket><Column>{column}</Column>\
         <Condition>{condition}</Condition><Value>{value}</Value><CloseBracket>{close}</CloseBracket></Expression>"
    )
}

fn found(server: &mut Server, id: &str, expressions: &[String]) -> String {
    let xml = format!(
        "<Query><TableName>ArInvoice</TableName><Columns><Column>Invoice</Column></Columns>\
         <Where>{}</Where><OrderBy><Column>Invoice</Column><Column>DocumentType</Column></OrderBy></Query>",
        expressions.concat()
    );
    let answer = text(server, 0, &query(id, &xml));
    assert!(!answer.starts_with("ERROR"), "{answer}");
    let cells = answer.split("<Invoice>").skip(1);
    let cells = cells.filter_map(|cell| cell.split("</Invoice>").next());
    cells
        .map(|cell| cell.trim_start_matches('0'))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn where_expressions_join_compare_and_nest() {
    let mut server = server();
    let id = session(&mut server, 0);
    let one = |part| expression("", "", part, "");
    for (expressions, kept) in [
        (vec![], "14 14 100288 W-1"),
        (vec![one(["Customer", "EQ", "BAY001"])], "W-1"),
        (vec![one(["Invoice", "LIKE", "*28?"])], "100288"),
        (vec![one(["InvoiceBal1", "LE", "   99.90"])], "14 14 W-1"),
        (vec![one(["InvoiceDate", "GE", "2024-02-05"])], "14 W-1"),
        (vec![one(["InvoiceDate", "EQ", "0000-00-00"])], "14"),
        (vec![one(["DocumentType", "NE", "I"])], "14 14"),
        (
            vec![
                expression("AND", "", ["Customer", "GT", "000000000000001"], ""),
                expression("OR", "(", ["Customer", "EQ", "000000000000001"], ""),
                expression("AND", "(", ["Invoice", "GT", "00000000000000000014"], ""),
                expression("OR", "(", ["Invoice", "EQ", "00000000000000000014"], ""),
                expression("AND", "", ["DocumentType", "GT", "C"], ")))"),
            ],
            "14 100288 W-1",
        ),
    ] {
        assert_eq!(
            found(&mut server, &id, &expressions),
            kept,
            "{expressions:?}"
        );
    }
}

#[test]
fn comfnd_refuses_with_text() {
    let mut server = server();
    let id = session(&mut server, 0);
    for xml in [
        "",
        "<Query>",
        "not XML",
        "<Query><TableName>arcustomer</TableName></Query>",
        "<Query><TableName>ArCustomer</TableName><ReturnRows>some</ReturnRows></Query>",
        "<Query><TableName>ArCustomer</TableName><Columns><Column>name</Column></Columns></Query>",
        "<Query><TableName>ArCustomer</TableName><Where>Customer = '1'</Where></Query>",
        "<Query><TableName>ArCustomer</TableName><Where><Expression><Column>Name</Column></Expression></Where></Query>",
    ] {
        let answer = text(&mut server, 0, &query(&id, xml));
        assert!(answer.starts_with("ERROR: "), "{xml}: {answer}");
    }
    let xml = "<Query><TableName>SalBranch</TableName></Query>";
    assert!(text(&mut server, 0, &query("X", xml)).contains("supplied UserID is invalid"));
    assert!(
        text(&mut server, 0, &query(&id, xml)).contains("<RowsReturned>      3</RowsReturned>")
    );
    server.quirks.unlicensed = true;
    assert!(text(&mut server, 0, &query(&id, xml)).contains("100000"));
    let other = query(&id, xml).replace("COMFND", "ARSQRY");
    assert!(text(&mut server, 0, &other).starts_with("ERROR: "));
}

#[test]
fn keys_may_come_back_as_people_see_them() {
    let mut server = server();
    let id = session(&mut server, 0);
    server.quirks.presented_keys = true;
    let xml = "<Query><TableName>ArCustomer</TableName><Columns><Column>Customer</Column></Columns>\
        <OrderBy><Column>Customer</Column></OrderBy></Query>";
    let answer = text(&mut server, 0, &query(&id, xml));
    assert!(
        answer.contains("<Customer>0000001</Customer>\n</Row>\n<Row>\n<Customer>BAY001</Customer>")
    );
}

#[test]
fn letters_beyond_the_code_page_leave_as_references() {
    let mut server = server();
    server.data.edit_customer("BAY001", "Name", "Łódź – “£”");
    let id = session(&mut server, 0);
    let xml =
        "<Query><TableName>ArCustomer</TableName><Columns><Column>Name</Column></Columns></Query>";
    let answer = text(&mut server, 0, &query(&id, xml));
    assert!(
        answer.contains("<Name>&#321;ód&#378; – “£”</Name>"),
        "{answer}"
    );
}
