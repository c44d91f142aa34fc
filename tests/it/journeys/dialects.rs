//! Servers that lack an OData option: what set-up finds and stores, and that all arrives all the same,
//! or that the check names what is missing and nothing is guessed.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use simulators::{
    data::{Distributor, InvoiceKey, NewCustomer, Row},
    syspro::{Beyond, Collation, DateLiteral, Fault, Quirks, Support, Trouble},
};

use super::{day, distributor, money};
use crate::agreement;
use crate::site::{Answer, Site, options};
use crate::world::{ERP, HUBSPOT, Start};

/// A believable distributor behind a server with these habits, and what making a connection answers.
fn made(quirks: Quirks, settings: Value) -> (Site, Answer) {
    let data = Distributor::believable(5, 20, 50, day(Start::NOW));
    let site = Site::bare(Start::calm(), data, options());
    site.erp.borrow_mut().quirks = quirks;
    let made = make(&site, &site.connection(settings));
    (site, made)
}

fn make(site: &Site, body: &Value) -> Answer {
    let made = site.ask("POST", "/connections", &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(site.world.most_connections() <= 6, "a Worker has six");
    made
}

/// What the checks of OData say, those that passed without a word aside.
fn said(made: &Answer, expect: Expect) {
    expect.assert_eq(&told(made));
}

fn told(made: &Answer) -> String {
    let checks = made.body["checks"].as_array().expect("checks");
    let mut lines = String::new();
    let mut waiting = Vec::new();
    for check in checks {
        let text = |name: &str| check[name].as_str().unwrap_or_default();
        if !text("name").starts_with("odata_") || text("why").is_empty() {
            continue;
        }
        let is = |flag: &str| check[flag] == true;
        let state = match (is("ok"), is("optional")) {
            _ if is("unknown") => {
                waiting.push(text("name"));
                continue;
            }
            (true, _) => "ok",
            (_, true) => "optional",
            _ => "failed",
        };
        let line = [text("name"), ", ", state, ": ", text("why")].concat();
        lines.push_str(&line);
        if !text("remedy").is_empty() {
            lines.push_str("\n  → ");
            lines.push_str(text("remedy"));
        }
        lines.push('\n');
    }
    if !waiting.is_empty() {
        lines.push_str(&format!("not looked at: {}\n", waiting.join(", ")));
    }
    lines
}

/// All of it arrives; what changes later arrives too.
fn arrives(quirks: Quirks, stored: Value) -> Answer {
    let said = format!("{quirks:?}");
    let (site, made) = made(quirks, json!({}));
    assert_eq!(made.body["state"], "active", "{said}: {:#}", made.body);
    let dialect = &made.body["odata"];
    for (option, value) in stored.as_object().expect("options") {
        assert_eq!(&dialect[option], value, "{option} of {said}: {dialect}");
    }
    agrees(&site, &said);
    pay_and_purge(&site);
    agrees(&site, &said);
    stays_at_home(&site);
    made
}

fn agrees(site: &Site, said: &str) {
    site.settle(30);
    let found = agreement::differences(site);
    let shown = &found[..found.len().min(10)];
    let run = site.last_run();
    assert!(found.is_empty(), "{said}\n{run:#}\n{shown:#?}");
}

/// What moves no date: payments, and an invoice that leaves SYSPRO once it is paid.
fn pay_and_purge(site: &Site) {
    let mut erp = site.erp.borrow_mut();
    let today = site.today();
    let open: Vec<InvoiceKey> = {
        let rows = erp.data.table("ArInvoice").rows();
        let open = rows.filter(|row| row.decimal("InvoiceBal1") > money("1"));
        let key = |row: Row| InvoiceKey {
            customer: row.text("Customer").to_owned(),
            invoice: row.text("Invoice").to_owned(),
            document_type: row.text("DocumentType").to_owned(),
        };
        open.map(key).take(3).collect()
    };
    assert_eq!(open.len(), 3, "too few open invoices");
    for key in &open {
        erp.data.pay(key, money("0.01"), today);
    }
    erp.data.purge(&open[1]);
}

/// No request goes anywhere but to the two systems.
fn stays_at_home(site: &Site) {
    let hosts: BTreeSet<String> = site
        .world
        .fetch_log()
        .iter()
        .filter_map(|call| call.request.uri().authority().map(ToString::to_string))
        .collect();
    assert_eq!(hosts, BTreeSet::from([ERP, HUBSPOT].map(str::to_owned)));
}

/// Pages of seven rows: whatever is paged, is.
fn small() -> Quirks {
    Quirks {
        row_cap: 7,
        ..Quirks::default()
    }
}

#[test]
fn a_server_that_can_do_all_of_it_is_believed_to_and_nothing_is_said() {
    let stored = json!({
        "text_order": true, "ne": true, "or": true, "in_list": false, "order_by": true, "top": true,
        "skip": false, "next_link": false, "dates": "datetimeoffset",
    });
    let made = arrives(small(), stored);
    said(&made, expect![[""]]);
}

#[test]
fn without_ne_above_and_below_are_asked_for() {
    let quirks = Quirks {
        ne: false,
        ..small()
    };
    let made = arrives(quirks, json!({ "ne": false, "or": true }));
    said(
        &made,
        expect![[r#"
        odata_filter, ok: It has no `ne`: `gt` and `lt` are used.
    "#]],
    );
}

#[test]
fn without_or_one_thing_is_asked_after_the_other() {
    let quirks = Quirks {
        or: false,
        ..small()
    };
    let made = arrives(quirks.clone(), json!({ "or": false, "in_list": false }));
    said(
        &made,
        expect![[r#"
        odata_filter, ok: It has no `or`: records are asked for one by one, which takes longer.
    "#]],
    );
    arrives(
        Quirks {
            in_list: true,
            ..quirks.clone()
        },
        json!({ "or": false, "in_list": true }),
    );
    arrives(
        Quirks {
            ne: false,
            ..quirks
        },
        json!({ "or": false, "ne": false }),
    );
}

#[test]
fn lists_are_used_where_they_are_known() {
    let quirks = Quirks {
        in_list: true,
        ..small()
    };
    arrives(quirks, json!({ "or": true, "in_list": true }));
}

#[test]
fn without_top_pages_are_as_long_as_the_server_makes_them() {
    let texts = [Support::Refused, Support::Ignored].map(|top| {
        let made = arrives(Quirks { top, ..small() }, json!({ "top": false }));
        told(&made)
    });
    assert_eq!(texts[0], texts[1]);
    expect![[r#"
        odata_paging, ok: It does not take `$top`: pages are as long as the server makes them.
    "#]]
    .assert_eq(&texts[0]);
}

#[test]
fn every_date_style_is_found_whatever_the_settings_say() {
    for (date_literal, name) in [
        (DateLiteral::Datetimeoffset, "datetimeoffset"),
        (DateLiteral::Date, "date"),
        (DateLiteral::V3, "v3"),
    ] {
        let quirks = Quirks {
            date_literal,
            ..small()
        };
        arrives(quirks, json!({ "dates": name }));
    }
    let quirks = Quirks {
        date_literal: DateLiteral::V3,
        ..small()
    };
    let (_, made) = made(quirks, json!({ "date_style": "date" }));
    assert_eq!(made.body["odata"]["dates"], "v3");
    said(
        &made,
        expect![[r#"
        odata_dates, ok: Dates are written to it as datetime'2024-01-31T00:00:00': it does not take the style that `date_style` names.
    "#]],
    );
}

fn no_text_order() -> Quirks {
    Quirks {
        text_order: false,
        ..small()
    }
}

#[test]
fn text_that_cannot_be_compared_is_paged_by_the_servers_links() {
    let texts = [Beyond::Absolute, Beyond::Relative].map(|beyond_cap| {
        let quirks = Quirks {
            beyond_cap,
            ..no_text_order()
        };
        let stored = json!({ "text_order": false, "next_link": true });
        told(&arrives(quirks, stored))
    });
    assert_eq!(texts[0], texts[1]);
    expect![[r#"
        odata_filter, ok: It cannot compare text with `gt`: balances and lines are asked for by number, not by range.
        odata_paging, ok: Pages follow the server's own links: it cannot compare text with `gt`.
    "#]].assert_eq(&texts[0]);
}

#[test]
fn without_links_rows_are_counted_off() {
    let stored = json!({ "text_order": false, "next_link": false, "skip": true });
    let made = arrives(no_text_order(), stored);
    said(
        &made,
        expect![[r#"
        odata_filter, ok: It cannot compare text with `gt`: balances and lines are asked for by number, not by range.
        odata_paging, ok: Pages are counted off with `$skip`: it cannot compare text with `gt`. A row missed because others went meanwhile is taken by the next sweep.
    "#]],
    );
}

#[test]
fn a_server_with_next_to_nothing_is_asked_for_single_records() {
    let quirks = Quirks {
        or: false,
        ne: false,
        top: Support::Ignored,
        ..no_text_order()
    };
    arrives(quirks, json!({ "or": false, "ne": false, "skip": true }));
}

#[test]
fn without_an_order_links_are_all_there_is() {
    for orderby in [Support::Refused, Support::Ignored] {
        let quirks = Quirks {
            orderby,
            skip: Support::Refused,
            beyond_cap: Beyond::Absolute,
            ..small()
        };
        let stored = json!({ "order_by": false, "next_link": true });
        arrives(quirks.clone(), stored.clone());
        let quirks = Quirks {
            or: false,
            ..quirks
        };
        arrives(quirks, stored);
    }
}

/// Nothing is guessed: the connection waits, and no run begins.
fn waits(quirks: Quirks, settings: Value, expect: Expect) {
    let (site, made) = made(quirks, settings);
    assert_eq!(made.body["state"], "incomplete", "{:#}", made.body);
    said(&made, expect);
    let before = site.world.fetch_log().len();
    site.next_tick();
    assert_eq!(site.world.fetch_log().len(), before, "it was run");
    stays_at_home(&site);
}

#[test]
fn a_server_that_cannot_be_paged_is_told_what_it_lacks() {
    let unordered = Quirks {
        orderby: Support::Ignored,
        ..small()
    };
    waits(
        unordered,
        json!({}),
        expect![[r#"
            odata_order, ok: It does not heed `$orderby`: ascending and descending begin with the same row. No order is relied on.
            odata_paging, failed: There is no way from one page to the next: it does not heed `$orderby`, it gives no `@odata.nextLink`.
              → Ask whoever runs the OData service for one of these: `gt` on text with `$orderby`; pages that link to the next by `@odata.nextLink`, below `syspro.odata_url`; or `$skip` with `$orderby`; then ask for the checks again (POST /connections/{id}/checks).
        "#]],
    );
    let mute = Quirks {
        skip: Support::Refused,
        ..no_text_order()
    };
    waits(
        mute.clone(),
        json!({}),
        expect![[r#"
            odata_filter, ok: It cannot compare text with `gt`: balances and lines are asked for by number, not by range.
            odata_paging, failed: There is no way from one page to the next: it cannot compare text with `gt`, it gives no `@odata.nextLink`, it refuses `$skip`.
              → Ask whoever runs the OData service for one of these: `gt` on text with `$orderby`; pages that link to the next by `@odata.nextLink`, below `syspro.odata_url`; or `$skip` with `$orderby`; then ask for the checks again (POST /connections/{id}/checks).
        "#]],
    );
    let deaf = Quirks {
        skip: Support::Ignored,
        orderby: Support::Refused,
        ..small()
    };
    waits(
        deaf,
        json!({}),
        expect![[r#"
            odata_order, ok: It refuses `$orderby`: no order is relied on.
            odata_paging, failed: There is no way from one page to the next: it refuses `$orderby`, it gives no `@odata.nextLink`.
              → Ask whoever runs the OData service for one of these: `gt` on text with `$orderby`; pages that link to the next by `@odata.nextLink`, below `syspro.odata_url`; or `$skip` with `$orderby`; then ask for the checks again (POST /connections/{id}/checks).
        "#]],
    );
    let foreign = Quirks {
        beyond_cap: Beyond::Foreign,
        ..mute
    };
    waits(
        foreign,
        json!({}),
        expect![[r#"
            odata_filter, ok: It cannot compare text with `gt`: balances and lines are asked for by number, not by range.
            odata_paging, failed: There is no way from one page to the next: it cannot compare text with `gt`, it gives a link to the next page that leads to another server, it refuses `$skip`.
              → Ask whoever runs the OData service for one of these: `gt` on text with `$orderby`; pages that link to the next by `@odata.nextLink`, below `syspro.odata_url`; or `$skip` with `$orderby`; then ask for the checks again (POST /connections/{id}/checks).
        "#]],
    );
}

#[test]
fn a_link_to_somebody_elses_server_is_never_followed() {
    let foreign = Quirks {
        beyond_cap: Beyond::Foreign,
        ..no_text_order()
    };
    // There is another way here.
    arrives(foreign, json!({ "next_link": false, "skip": true }));

    let linked = Quirks {
        beyond_cap: Beyond::Absolute,
        ..no_text_order()
    };
    let (site, made) = made(linked, json!({}));
    assert_eq!(made.body["odata"]["next_link"], true);
    site.erp.borrow_mut().quirks.beyond_cap = Beyond::Foreign;
    site.next_tick();
    let run = site.last_run();
    let told = run.to_string().contains("leads to another server");
    assert!(told, "{run:#}");
    stays_at_home(&site);
}

#[test]
fn a_link_that_grew_old_begins_its_pass_anew() {
    let linked = Quirks {
        beyond_cap: Beyond::Absolute,
        ..no_text_order()
    };
    let (site, _) = made(linked, json!({}));
    let second_page = |times: u32, status: u16| Fault {
        on: "SoldPostalCode&$orderby=Customer&$skiptoken=7".to_owned(),
        times,
        what: Trouble::Page(status),
    };
    // The sweep's second page does not come, until the run gives up; the link to it is kept.
    site.erp
        .borrow_mut()
        .faults
        .push_back(second_page(1_000, 500));
    site.next_tick();
    let kept = "select position from cursors where feed = 'customers' and poll = 'sweep'";
    let kept = site.world.rows(kept);
    assert!(format!("{kept:?}").contains("skiptoken=7"), "{kept:?}");
    let mut erp = site.erp.borrow_mut();
    erp.faults.clear();
    erp.faults.push_back(second_page(1, 404));
    drop(erp);
    site.next_tick();
    agreement::check(&site);
}

/// Counted off, the last row is behind its own place again once others came before it.
#[test]
fn a_count_that_rows_have_come_before_begins_its_pass_anew() {
    let (site, made) = made(no_text_order(), json!({}));
    assert_eq!(made.body["odata"]["skip"], true);
    let all = site.erp.borrow().data.table("ArCustomer").len();
    // The last page, which is empty, does not come: the place behind the last row is kept.
    site.erp.borrow_mut().faults.push_back(Fault {
        on: format!("SoldPostalCode&$orderby=Customer&$top=2000&$skip={all}"),
        times: 1_000,
        what: Trouble::Page(500),
    });
    site.next_tick();
    let mut erp = site.erp.borrow_mut();
    erp.faults.clear();
    erp.data.add_customer(NewCustomer {
        key: Some("0".to_owned()),
        name: "Comes before all others".to_owned(),
        added: Some(site.today()),
        ..NewCustomer::default()
    });
    drop(erp);
    site.settle(6);
    agreement::check(&site);
    assert_eq!(site.get("/connections/acme")["state"], "active");
}

#[test]
fn a_table_that_is_not_there_is_named_with_what_it_may_be_called() {
    let without = |tables: &[&str]| Quirks {
        missing_tables: tables.iter().map(|&name| name.to_owned()).collect(),
        ..Quirks::default()
    };
    waits(
        without(&["ArTrnDetail", "ArCustomer"]),
        json!({}),
        expect![[r#"
            odata_ArCustomer, failed: The OData service publishes no table ArCustomer.
              → Publish it to the OData user, then ask for the checks again (POST /connections/{id}/checks); or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {"ArCustomer": "its name"}.
            odata_ArTrnDetail, failed: The OData service publishes no table ArTrnDetail.
              → Publish it to the OData user, then ask for the checks again (POST /connections/{id}/checks); or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {"ArTrnDetail": "its name"}.
            not looked at: odata_dates, odata_filter, odata_order, odata_paging
        "#]],
    );
    let called = json!({ "tables": { "ArInvoice": "ArInvoices" } });
    waits(
        Quirks::default(),
        called,
        expect![[r#"
            odata_ArInvoice, failed: The OData service publishes no table ArInvoices. The nearest it has is ArInvoice.
              → Publish it to the OData user, then ask for the checks again (POST /connections/{id}/checks); or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {"ArInvoice": "ArInvoice"}.
            not looked at: odata_dates
        "#]],
    );
    let (_, made) = made(
        without(&["TblArTerms", "SalBranch", "InvMaster"]),
        json!({}),
    );
    assert_eq!(made.body["state"], "active", "{:#}", made.body);
    said(
        &made,
        expect![[r#"
            odata_TblArTerms, optional: The OData service publishes no table TblArTerms; without it due dates go by `default_due_days`, and terms have no descriptions.
              → Publish it to the OData user, then ask for the checks again (POST /connections/{id}/checks); or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {"TblArTerms": "its name"}. Or let the connection read it through e.net: give it `syspro.enet_url` with an operator.
            odata_SalBranch, optional: The OData service publishes no table SalBranch; without it branches have no names.
              → Publish it to the OData user, then ask for the checks again (POST /connections/{id}/checks); or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {"SalBranch": "its name"}. Or let the connection read it through e.net: give it `syspro.enet_url` with an operator.
            odata_InvMaster, optional: The OData service publishes no table InvMaster; without it line items are named by their stock codes.
              → Publish it to the OData user, then ask for the checks again (POST /connections/{id}/checks); or, if this site calls it otherwise, PATCH the connection with that name in `settings.tables`: {"InvMaster": "its name"}.
        "#]],
    );
}

#[test]
fn a_column_that_is_not_there_is_named_with_what_it_may_be_called() {
    let quirks = Quirks {
        missing_columns: vec![
            "ArCustomer.Email".to_owned(),
            "ArInvoice.InvoiceBal1".to_owned(),
        ],
        ..Quirks::default()
    };
    let named = json!({ "address_columns": { "city": "SoldToAdr3" } });
    waits(
        quirks,
        named.clone(),
        expect![[r#"
            odata_ArCustomer, failed: ArCustomer has no columns Email, SoldToAdr3 (the nearest is SoldToAddr3).
              → Let the OData service publish them with ArCustomer, as SYSPRO 8 has them; then ask for the checks again (POST /connections/{id}/checks). Columns you named yourself stand in `settings.address_columns` and `settings.modified_columns`.
            odata_ArInvoice, failed: ArInvoice has no column InvoiceBal1 (the nearest is InvoiceBal2).
              → Let the OData service publish it with ArInvoice, as SYSPRO 8 has it; then ask for the checks again (POST /connections/{id}/checks). Columns you named yourself stand in `settings.address_columns` and `settings.modified_columns`.
            not looked at: odata_dates
        "#]],
    );

    // The same from one row, where the server does not say what it publishes.
    let site = Site::bare(Start::calm(), distributor(2), options());
    site.erp
        .borrow_mut()
        .faults
        .push_back(Fault::once("$metadata", Trouble::Page(403)));
    let made = make(&site, &site.connection(named));
    said(
        &made,
        expect![[r#"
            odata_ArCustomer, failed: ArCustomer has no column SoldToAdr3 (the nearest is SoldToAddr3).
              → Let the OData service publish it with ArCustomer, as SYSPRO 8 has it; then ask for the checks again (POST /connections/{id}/checks). Columns you named yourself stand in `settings.address_columns` and `settings.modified_columns`.
        "#]],
    );
}

#[test]
fn a_company_user_or_server_that_is_not_known_is_the_one_thing_said() {
    let wrong = |field: &str, value: &str| {
        let site = Site::bare(Start::calm(), distributor(2), options());
        let mut body = site.connection(json!({}));
        body["syspro"][field] = json!(value);
        make(&site, &body)
    };
    let failed = |made: &Answer| {
        let checks = made.body["checks"].as_array().expect("checks");
        let failed = checks
            .iter()
            .filter(|it| it["ok"] == false && it["unknown"] != true);
        let names: Vec<String> = failed.map(|it| it["name"].to_string()).collect();
        names.join(", ")
    };
    let company = wrong("company", "EDU9");
    assert_eq!(failed(&company), "\"odata_company\"");
    said(
        &company,
        expect![[r#"
            odata_company, failed: The OData service has no table at all for company EDU9.
              → If the service's URLs do not go on with the company's id where `syspro.odata_url` ends, PATCH the connection with the right one. If it is the company that is wrong, delete this connection and make it again with the right one, written as the service writes it.
            not looked at: odata_ArCustomer, odata_ArInvoice, odata_ArCustomerBal, odata_ArTrnDetail, odata_TblArTerms, odata_TblCustomerClass, odata_SalBranch, odata_SalSalesperson, odata_InvMaster, odata_dates, odata_filter, odata_order, odata_paging
        "#]],
    );
    let password = wrong("odata_password", "no");
    assert_eq!(failed(&password), "\"odata_credentials\"");
    said(
        &password,
        expect![[r#"
            odata_credentials, failed: SYSPRO OData does not accept the operator and password.
              → PATCH the connection with the right `syspro.odata_username` and `syspro.odata_password`; or, if these are right and the operator was made after SYSPRO's OData service was started, have that service restarted; then ask for the checks again (POST /connections/{id}/checks).
            not looked at: odata_company, odata_ArCustomer, odata_ArInvoice, odata_ArCustomerBal, odata_ArTrnDetail, odata_TblArTerms, odata_TblCustomerClass, odata_SalBranch, odata_SalSalesperson, odata_InvMaster, odata_dates, odata_filter, odata_order, odata_paging
        "#]],
    );
}

#[test]
fn a_server_that_does_not_find_what_it_shows_is_not_worked_with() {
    // Here a padded number is another one than the same without its blanks.
    let exact = Quirks {
        collation: Collation::Exact,
        ..Quirks::default()
    };
    waits(
        exact,
        json!({}),
        expect![[r#"
            odata_filter, failed: Asked with `$filter` for a customer it has just shown, it finds none.
              → Ask whoever runs the OData service to let `$filter` through unchanged, any proxy in front of it included, as records are read by their numbers; then ask for the checks again (POST /connections/{id}/checks).
        "#]],
    );
}
