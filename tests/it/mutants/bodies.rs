//! Pages of SYSPRO's, cut at every byte, replaced and made up: through the reader, and through the
//! whole product.

use serde_json::{Value, json};
use simulators::{
    hubspot::Kind,
    syspro::{Credentials, Fault, Server, Trouble},
};
use syspro_hubspot_sync::{
    fault,
    syspro::{Row, odata},
};

use super::{assert_says_why, assert_whole, distributor, rng};
use crate::site::Site;
use crate::world::{Request, Response, Start};

fn read(status: u16, body: &[u8]) -> Result<Vec<Row>, fault::Fault> {
    let response: Response = http::Response::builder()
        .status(status)
        .body(body.to_vec())
        .expect("a response");
    odata::read_page(&response).map(|page| page.rows)
}

/// The page a small distributor's server gives.
fn page_of(table: &str) -> Vec<u8> {
    let mut server = Server::new(distributor(2), Credentials::default());
    let request: Request = http::Request::builder()
        .uri(format!(
            "https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/{table}"
        ))
        .header("authorization", "Basic U1ZDOm9kYXRhLXBhc3M=")
        .body(String::new())
        .expect("a request");
    server.answer(Start::NOW, &request).into_body()
}

fn assert_told(result: Result<Vec<Row>, fault::Fault>, story: &str) {
    let Err(fault) = result else {
        panic!("{story} was read: {result:?}");
    };
    assert!(
        !fault.to_string().is_empty() && !fault.remedy().is_empty(),
        "{story}"
    );
    // Its shape, never its content.
    let said = format!("{fault} {}", fault.remedy());
    for value in ["customer1.example", "Customer 1", "Jo Number"] {
        assert!(!said.contains(value), "{story}: {said}");
    }
}

#[test]
fn a_page_cut_anywhere_is_no_page() {
    let mut cases = 0;
    for table in ["ArCustomer", "ArInvoice", "ArTrnDetail"] {
        let whole = page_of(table);
        let rows = read(200, &whole).expect("a page").len();
        assert!(rows > 0);
        let end = whole.trim_ascii_end().len();
        for length in 0..end {
            assert_told(
                read(200, &whole[..length]),
                &format!("{table} cut at {length}"),
            );
            cases += 1;
        }
    }
    eprintln!("cut pages: {cases} cases");
}

#[test]
fn what_is_no_page_is_told_by_its_shape() {
    let mut rng = rng("bodies");
    let mut cases = 0;
    for body in [
        "",
        " \r\n",
        "null",
        "0",
        "\"value\"",
        "[]",
        "[{\"value\":[]}]",
        "{}",
        "{\"value\":null}",
        "{\"value\":{}}",
        "{\"value\":\"[]\"}",
        "{\"Value\":[]}",
        "{\"value\":[],}",
        "{\"value\":[]}{\"value\":[]}",
        "{\"error\":{\"code\":\"1\",\"message\":\"Jo Number1\"}}",
        "<html><body>Sign in</body></html>",
        "<?xml version=\"1.0\"?><feed/>",
    ] {
        assert_told(read(200, body.as_bytes()), body);
        cases += 1;
    }
    let deep = [
        ("[", 200_000),
        ("{\"value\":", 200_000),
        ("{\"value\":[", 50_000),
    ];
    for (part, times) in deep {
        assert_told(read(200, part.repeat(times).as_bytes()), "deep nesting");
        cases += 1;
    }
    let whole = page_of("ArInvoice");
    for _ in 0..3_000 {
        let mut bytes = whole.clone();
        for _ in 0..rng.usize(1..8) {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        // Whatever it still says, nobody falls over it.
        let _ = read(
            [200, 206, 302, 400, 401, 403, 404, 429, 500][rng.usize(..9)],
            &bytes,
        );
        let length = rng.usize(..400);
        let noise: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
        assert_told(read(200, &noise), "noise");
        cases += 2;
    }
    eprintln!("bodies: {cases} cases");
}

/// Trouble on every read of a table for one run; the next runs have none.
fn suffer(table: &str, what: Trouble) -> (Site, Value) {
    let site = Site::new(distributor(2));
    site.erp.borrow_mut().faults.push_back(Fault {
        on: format!("/{table}?"),
        times: u32::MAX,
        what,
    });
    site.tick();
    site.erp.borrow_mut().faults.clear();
    let run = site.last_run();
    (site, run)
}

#[test]
fn a_run_over_broken_pages_says_so_and_the_next_heals() {
    let mut cases = 0;
    let mut check = |table: &str, what: Trouble| {
        let story = format!("{table}: {what:?}");
        let (site, run) = suffer(table, what);
        assert_says_why(&run, &story);
        site.settle(12);
        assert_whole(&site, 2, &story);
        cases += 1;
    };
    let tables = ["ArCustomer", "ArCustomerBal", "ArInvoice", "ArTrnDetail"];
    for table in tables {
        for length in [0, 1, 60, 150, 300] {
            check(table, Trouble::Cut(length));
        }
        check(table, Trouble::Page(500));
        check(table, Trouble::Page(404));
        check(table, Trouble::Body("{\"value\":null}".to_owned()));
        // Rows that are no rows, and rows without a key.
        check(
            table,
            Trouble::Body("{\"value\":[1,null,[],\"x\"]}".to_owned()),
        );
    }
    for table in ["TblArTerms", "SalBranch", "InvMaster"] {
        check(table, Trouble::Cut(40));
        check(table, Trouble::Body("[]".to_owned()));
    }
    eprintln!("broken pages: {cases} cases");
}

/// Rows nobody can tell apart are held by the audit, and those beside them arrive.
#[test]
fn entries_that_are_no_rows_are_rejected_and_the_others_arrive() {
    let mut cases = 0;
    for (table, entry) in [
        ("ArCustomer", json!(null)),
        ("ArInvoice", json!("x")),
        ("ArInvoice", json!({})),
    ] {
        for at in [0, 1, 2] {
            let story = format!("{table}: {entry} at {at}");
            let site = Site::new(distributor(2));
            let request: Request = http::Request::builder()
                .uri(format!(
                    "https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/{table}"
                ))
                .header("authorization", format!("Basic {}", basic()))
                .body(String::new())
                .expect("a request");
            let body = site
                .erp
                .borrow_mut()
                .answer(Start::NOW, &request)
                .into_body();
            let mut body: Value = serde_json::from_slice(&body).expect("a page");
            let rows = body["value"].as_array_mut().expect("rows");
            rows.insert(at, entry.clone());
            site.erp.borrow_mut().faults.push_back(Fault::once(
                &format!("/{table}?"),
                Trouble::Body(body.to_string()),
            ));
            site.tick();
            assert_says_why(&site.last_run(), &story);
            let rejected = site
                .world
                .rows("select said from audit where outcome = 'rejected'");
            assert_eq!(rejected.len(), 1, "{story}");
            assert_whole(&site, 2, &story);
            cases += 1;
        }
    }
    eprintln!("entries: {cases} cases");
}

fn basic() -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(format!("SVC:{}", crate::site::ODATA_PASSWORD))
}

/// A server that ignores what it is asked gives the same page for ever: the run ends and says so.
#[test]
fn a_server_that_repeats_a_page_does_not_hold_the_run() {
    for table in ["ArCustomer", "ArInvoice"] {
        let body = String::from_utf8(page_of(table)).expect("text");
        let (site, run) = suffer(table, Trouble::Body(body));
        assert_says_why(&run, table);
        let reads = site.erp.borrow().called(table);
        assert!(reads < 20, "{table}: {reads} reads");
        site.settle(12);
        assert_whole(&site, 2, table);
        assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 2);
    }
}
