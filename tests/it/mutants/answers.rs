//! HubSpot's answers to a small load, mutated on their way back: what HubSpot did is done, and what
//! the answer does not say is asked again.

use std::{cell::RefCell, rc::Rc};

use serde_json::{Value, json};
use simulators::{
    hubspot::Portal,
    syspro::{Credentials, Server},
};

use super::{assert_whole, distributor, retyped};
use crate::site::{self, Site};
use crate::world::{Remote, Request, Response, Shared, Start, World, shared};
use syspro_hubspot_sync::platform::Millis;

type Change = Rc<dyn Fn(&mut Response)>;

/// A portal whose answers to some path come back changed.
struct Liar {
    portal: Shared<Portal>,
    lie: Lie,
}

type Lie = Rc<RefCell<Option<(&'static str, Change, u32)>>>;

impl Remote for Liar {
    fn answer(&mut self, now: Millis, request: &Request) -> Response {
        let mut response = self.portal.borrow_mut().answer(now, request);
        if let Some((path, change, told)) = &mut *self.lie.borrow_mut()
            && request.uri().path().contains(*path)
        {
            change(&mut response);
            *told += 1;
        }
        response
    }
}

fn site() -> (Site, Lie) {
    let credentials = Credentials {
        odata_password: site::ODATA_PASSWORD.to_owned(),
        ..Credentials::default()
    };
    let erp = shared(Server::new(distributor(2), credentials));
    let portal = shared(Portal::new(0, site::options()));
    let lie = Lie::default();
    let liar = shared(Liar {
        portal: portal.clone(),
        lie: lie.clone(),
    });
    let world = World::new(Start::calm(), &erp, &liar);
    let site = Site::of(world, erp, portal);
    let made = site.ask(
        "POST",
        "/connections",
        &site.connection(json!({})).to_string(),
    );
    assert_eq!(made.body["state"], "active", "{}", made.body);
    (site, lie)
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

fn on_json(change: impl Fn(&mut Value) + 'static) -> Change {
    Rc::new(move |response| {
        let mut body = json_of(response);
        change(&mut body);
        *response.body_mut() = body.to_string().into_bytes();
    })
}

fn on_results(change: impl Fn(&mut Vec<Value>) + 'static) -> Change {
    on_json(move |body| {
        if let Some(results) = body["results"].as_array_mut() {
            change(results);
        }
    })
}

/// What an answer may be instead. None says what is not so of an id and cannot be told from the
/// truth: against that nobody could do anything.
fn lies() -> Vec<(String, Change)> {
    let mut lies: Vec<(String, Change)> = Vec::new();
    let mut add = |name: &str, change: Change| lies.push((name.to_owned(), change));
    for length in [0, 1, 20, 120] {
        add(
            &format!("cut at {length}"),
            Rc::new(move |it| it.body_mut().truncate(length)),
        );
    }
    add(
        "its last byte is missing",
        Rc::new(|it| {
            let short = it.body().len() - 1;
            it.body_mut().truncate(short);
        }),
    );
    for body in [
        "null",
        "[]",
        "{}",
        "0",
        "<html>Bad day</html>",
        "{\"results\":null}",
        "{\"results\":{}}",
        "{\"results\":[null,1,\"x\",[]]}",
    ] {
        add(
            body,
            Rc::new(move |it| *it.body_mut() = body.as_bytes().to_vec()),
        );
    }
    add("one result is missing", on_results(|it| drop(it.pop())));
    add("every result twice", on_results(|it| it.extend(it.clone())));
    add("the other way round", on_results(|it| it.reverse()));
    for field in ["id", "objectWriteTraceId", "properties", "new", "updatedAt"] {
        add(
            &format!("without {field}"),
            on_results(move |it| {
                for result in it.iter_mut().filter_map(Value::as_object_mut) {
                    result.remove(field);
                }
            }),
        );
        for value in retyped().into_iter().take(9).step_by(2) {
            // A number is an id as good as any, and so is a text: those are lies nobody can see.
            if field == "id" && (value.is_number() || value.is_string()) {
                continue;
            }
            add(
                &format!("{field} = {value}"),
                on_results(move |it| {
                    for result in it.iter_mut().filter(|it| it.get(field).is_some()) {
                        result[field] = value.clone();
                    }
                }),
            );
        }
    }
    add(
        "traces in each other's place",
        on_results(|it| {
            let traces: Vec<Value> = it
                .iter()
                .map(|it| it["objectWriteTraceId"].clone())
                .collect();
            for (result, trace) in it.iter_mut().zip(traces.iter().rev()) {
                if !trace.is_null() {
                    result["objectWriteTraceId"] = trace.clone();
                }
            }
        }),
    );
    for errors in [json!({}), json!([1, null]), json!([{}]), json!("x")] {
        add(
            &format!("errors = {errors}"),
            on_json(move |body| {
                if body.is_object() {
                    body["errors"] = errors.clone();
                }
            }),
        );
    }
    for status in [200, 202, 207, 302, 500] {
        add(
            &format!("status {status}"),
            Rc::new(move |it| {
                *it.status_mut() = http::StatusCode::from_u16(status).expect("a status")
            }),
        );
    }
    lies
}

/// So many of the calls below meet every lie.
const ALL_LIES: usize = 2;
const CALLS: [&str; 8] = [
    "/contacts/batch/upsert",
    "/line_items/invoices/batch",
    "/companies/batch/upsert",
    "/invoices/batch/upsert",
    "/line_items/batch/upsert",
    "/contacts/companies/batch",
    "/invoices/companies/batch",
    "/invoices/batch/update",
];

/// Nothing counts as in sync that has no id.
fn assert_honest(site: &Site, story: &str) {
    let hollow = site.world.rows(
        "select l.key from ledger l where l.fate = 'synced' and (
           not exists (select 1 from targets t where t.connection = l.connection and t.feed = l.feed and t.key = l.key)
           or exists (select 1 from targets t where t.connection = l.connection and t.feed = l.feed and t.key = l.key
             and t.hubspot_id is null))",
    );
    assert!(hollow.is_empty(), "{story}: {hollow:?}");
    let runs = site
        .world
        .rows("select report from runs where state <> 'green'");
    for run in runs {
        let report: Value =
            serde_json::from_str(run["report"].as_str().unwrap_or("null")).unwrap_or_default();
        assert!(report.is_object(), "{story}: {report}");
    }
}

#[test]
fn an_answer_of_any_form_doubles_and_loses_nothing() {
    let mut cases = 0;
    for (at, path) in CALLS.into_iter().enumerate() {
        // Every lie about records and about links; of the other calls every third, none left out.
        let step = if at < ALL_LIES { 1 } else { 3 };
        for (name, change) in lies().into_iter().skip(at % step).step_by(step) {
            let story = format!("{path}: {name}");
            let (site, lie) = site();
            *lie.borrow_mut() = Some((path, change, 0));
            site.tick();
            assert_honest(&site, &story);
            let (_, _, told) = lie.take().expect("it was set");
            assert!(told > 0, "{story}: never asked");
            site.settle(12);
            assert_whole(&site, 2, &story);
            cases += 1;
        }
    }
    eprintln!("answers: {cases} cases");
}

/// The same for what is known already: an edit goes by id, and must not reach somebody else.
#[test]
fn an_answer_to_an_update_of_any_form_misleads_nobody() {
    let mut cases = 0;
    for (name, change) in lies() {
        let (site, lie) = site();
        site.settle(6);
        for number in [1, 2] {
            let name = format!("Renamed {number}");
            let key = site
                .erp
                .borrow()
                .data
                .table("ArCustomer")
                .rows()
                .nth(number - 1)
                .map(|it| it.text("Customer").to_owned());
            site.erp.borrow_mut().data.edit_customer(
                &key.expect("a customer"),
                "Name",
                name.as_str(),
            );
        }
        *lie.borrow_mut() = Some(("/companies/batch/update", change, 0));
        site.next_tick();
        let (_, _, told) = lie.take().expect("it was set");
        assert!(told > 0, "{name}: never asked");
        site.settle(12);
        assert_whole(&site, 2, &name);
        let portal = site.portal.borrow();
        let mut names: Vec<&str> = portal
            .objects(simulators::hubspot::Kind::Company)
            .filter_map(|it| it.get("name"))
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["Renamed 1", "Renamed 2"], "{name}");
        cases += 1;
    }
    eprintln!("updates: {cases} cases");
}
