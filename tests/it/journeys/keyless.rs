//! Portals where line items cannot be given our key: lines are neither lost nor doubled all the same.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use fastrand::Rng;
use serde_json::json;
use simulators::data::{Distributor, NewInvoice, NewLine, Value};
use simulators::hubspot::{Fault, Id, Kind, Object, Options, Rule};
use syspro_hubspot_sync::{
    platform::{HOUR, MINUTE, Millis},
    tick,
};

use super::{customer, distributor, first_invoice, hubspot_key, lines, money};
use crate::agreement;
use crate::site::{Site, config, options};
use crate::world::{Call, Fate, HUBSPOT, Landing, Start, Weather};

const CONTENT: [&str; 5] = [
    "name",
    "hs_sku",
    "quantity",
    "price",
    "hs_line_item_currency_code",
];

fn keyless() -> Options {
    options().without_scope("e-commerce")
}

fn site(customers: usize) -> Site {
    Site::with(distributor(customers), keyless(), json!({}))
}

fn content(line: &Object) -> String {
    CONTENT
        .map(|name| line.get(name).unwrap_or_default().to_owned())
        .join("|")
}

/// The live lines of an invoice, by content.
fn lines_of(site: &Site, invoice: &str) -> Vec<String> {
    let portal = site.portal.borrow();
    let id = site.object(Kind::Invoice, invoice).id;
    let linked = portal.associations(Kind::Invoice, id, Kind::LineItem);
    let lines = linked
        .into_iter()
        .filter_map(|(id, _)| portal.object(Kind::LineItem, id));
    let mut lines: Vec<String> = lines.filter(|it| !it.archived).map(content).collect();
    lines.sort();
    lines
}

/// What differs from a portal that takes keys and gets the same data in calm weather.
fn differences(site: &Site) -> Vec<String> {
    let of_lines = |text: &String| text.contains("LineItem") || text.contains("its lines sum");
    let mut found = agreement::differences(site);
    found.retain(|text| !of_lines(text));
    let start = Start {
        now: site.world.now(),
        ..Start::calm()
    };
    let twin = Site::bare(start, site.erp.borrow().data.clone(), options());
    twin.connect(json!({}));
    twin.settle(12);
    let live = |site: &Site| -> Vec<String> {
        let portal = site.portal.borrow();
        let live = portal.objects(Kind::Invoice).filter(|it| !it.archived);
        live.filter_map(|it| it.get("syspro_key").map(str::to_owned))
            .collect()
    };
    let all = live(site);
    for key in live(&twin).into_iter().filter(|key| all.contains(key)) {
        let (has, wanted) = (lines_of(site, &key), lines_of(&twin, &key));
        if has != wanted {
            found.push(format!("{key}: {has:#?}, not {wanted:#?}"));
        }
    }
    let portal = site.portal.borrow();
    let alone = |it: &&Object| {
        let parents = portal.associations(Kind::LineItem, it.id, Kind::Invoice);
        !it.archived && parents.is_empty()
    };
    let lines = portal.objects(Kind::LineItem).filter(alone);
    found.extend(lines.map(|line| format!("line {} belongs to nothing", line.id)));
    found
}

fn check(site: &Site) {
    let found = differences(site);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Calls about line items since the first `before` of all.
fn wire(site: &Site, before: usize) -> Vec<String> {
    let log = site.world.fetch_log();
    let calls = log.iter().skip(before).filter(|it| it.host() == HUBSPOT);
    let lines = calls.map(Call::line).filter(|it| it.contains("line_items"));
    lines.collect()
}

fn asked(site: &Site) -> usize {
    site.world.fetch_log().len()
}

const CREATE: &str = "POST /crm/objects/2026-09/line_items/batch/create";
const UPDATE: &str = "POST /crm/objects/2026-09/line_items/batch/update";
const ARCHIVE: &str = "POST /crm/objects/2026-09/line_items/batch/archive";
const READ: &str = "POST /crm/objects/2026-09/line_items/batch/read";
const LINKED: &str = "POST /crm/associations/2026-09/invoices/line_items/batch/read";

/// The key columns of a detail line of the first customer's invoice.
fn detail(data: &Distributor, number: &str) -> Vec<String> {
    let mut rows = data.table("ArTrnDetail").rows();
    let row = rows.find(|row| {
        row.text("Invoice") == first_invoice(1).invoice
            && row.decimal("DetailLine") == money(number)
    });
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        other => panic!("{other:?} in a key"),
    };
    let values = row.expect("a line").values;
    values.iter().take(6).map(text).collect()
}

fn change_line(site: &Site, number: &str, column: &str, value: Value) {
    let data = &mut site.erp.borrow_mut().data;
    let key = detail(data, number);
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    assert!(data.set("ArTrnDetail", &key, column, value));
}

fn remove_line(site: &Site, number: &str) {
    let data = &mut site.erp.borrow_mut().data;
    let key = detail(data, number);
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    assert!(data.remove("ArTrnDetail", &key));
}

fn ids(site: &Site, invoice: &str) -> Vec<Id> {
    let id = site.object(Kind::Invoice, invoice).id;
    let portal = site.portal.borrow();
    let linked = portal.associations(Kind::Invoice, id, Kind::LineItem);
    linked.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn lines_without_keys_are_created_once_and_set_up_says_so() {
    let site = Site::bare(Start::calm(), distributor(3), keyless());
    site.connect(json!({}));
    let shown = site.get("/connections/acme");
    assert_eq!(shown["portal"]["without"]["line_keys"], true);
    let checks = shown["checks"].as_array().into_iter().flatten();
    let said = checks.filter(|it| it["name"] == "hubspot_line_items");
    let said: Vec<_> = said.collect();
    assert_eq!(said[0]["optional"], true, "{said:?}");
    let why = said[0]["why"].as_str().unwrap_or_default();
    assert!(why.contains("e-commerce"), "{why}");
    assert!(why.contains("by their content instead of a key"), "{why}");

    let before = asked(&site);
    site.tick();
    assert_eq!(wire(&site, before), [CREATE]);
    check(&site);
    let before = asked(&site);
    site.settle(3);
    assert_eq!(wire(&site, before), [""; 0]);
    let portal = site.portal.borrow();
    let mut lines = portal.objects(Kind::LineItem);
    assert!(lines.all(|line| {
        line.properties
            .keys()
            .all(|name| !name.starts_with("syspro_"))
    }));
}

#[test]
fn lines_changed_added_and_removed_follow_by_their_ids() {
    let site = site(2);
    site.settle(4);
    let invoice = hubspot_key(&first_invoice(1));
    let first = ids(&site, &invoice);

    change_line(&site, "2", "QtyInvoiced", Value::Decimal(money("4")));
    let before = asked(&site);
    site.next_tick();
    assert_eq!(wire(&site, before), [UPDATE]);
    assert_eq!(ids(&site, &invoice), first);
    check(&site);

    let cells = {
        let erp = site.erp.borrow();
        let table = erp.data.table("ArTrnDetail");
        let names: Vec<&'static str> = table.columns().iter().map(|it| it.name).collect();
        let mut rows = table.rows();
        let third = rows.find(|row| {
            row.text("Invoice") == first_invoice(1).invoice
                && row.decimal("DetailLine") == money("3")
        });
        let values = third.expect("a line").values.to_vec();
        names.into_iter().zip(values).collect::<Vec<_>>()
    };
    remove_line(&site, "3");
    let before = asked(&site);
    // Asked for twice: without it they do not add up to the total.
    site.next_tick();
    site.next_tick();
    assert_eq!(wire(&site, before), [ARCHIVE]);
    check(&site);

    site.erp.borrow_mut().data.insert("ArTrnDetail", cells);
    let before = asked(&site);
    site.next_tick();
    assert_eq!(wire(&site, before), [LINKED, CREATE]);
    check(&site);
    assert_eq!(site.status("invoices", &invoice), "synced");
}

#[test]
fn a_line_somebody_added_survives() {
    let site = site(1);
    site.settle(4);
    let invoice = hubspot_key(&first_invoice(1));
    let parent = site.object(Kind::Invoice, &invoice).id;
    let body = json!({ "inputs": [{
        "properties": { "name": "A promise of mine", "quantity": "1", "price": "0" },
        "associations": [{ "to": { "id": parent.to_string() }, "types": [
            { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 410 }] }],
    }] });
    let request = http::Request::post(format!("https://{HUBSPOT}{}", &CREATE[5..]))
        .header(
            "authorization",
            format!("Bearer {}", crate::site::HUBSPOT_TOKEN),
        )
        .body(body.to_string())
        .expect("a request");
    let now = site.world.now();
    let made = site.portal.borrow_mut().answer(now, &request);
    assert_eq!(made.status(), 201);

    remove_line(&site, "1");
    site.next_tick();
    change_line(&site, "2", "StockCode", Value::Text("B200".into()));
    let line = NewLine::stocked("A100", money("1"), money("5"), money("0"));
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data
        .post_invoice(NewInvoice::of(&customer(1), today, vec![line]));
    drop(erp);
    site.settle(5);
    let all = lines_of(&site, &invoice);
    let own = all.iter().filter(|it| it.starts_with("A promise of mine"));
    assert_eq!((own.count(), all.len()), (1, 3), "{all:#?}");
    assert_eq!(site.status("invoices", &invoice), "synced");
}

#[test]
fn a_line_deleted_by_a_person_is_made_again_when_it_changes() {
    let site = site(1);
    site.settle(4);
    let invoice = hubspot_key(&first_invoice(1));
    let line = ids(&site, &invoice)[1];
    let now = site.world.now();
    site.portal.borrow_mut().delete(now, Kind::LineItem, line);
    for number in ["1", "2", "3"] {
        change_line(&site, number, "QtyInvoiced", Value::Decimal(money("5")));
    }
    site.settle(5);
    check(&site);
    assert_eq!(site.status("invoices", &invoice), "synced");
}

#[test]
fn an_invoice_deleted_by_a_person_gets_its_lines_anew() {
    let site = site(1);
    site.settle(4);
    let invoice = hubspot_key(&first_invoice(1));
    let id = site.object(Kind::Invoice, &invoice).id;
    let now = site.world.now();
    site.portal.borrow_mut().delete(now, Kind::Invoice, id);
    let today = site.today();
    let mut erp = site.erp.borrow_mut();
    erp.data.pay(&first_invoice(1), money("2.50"), today);
    drop(erp);
    site.settle(5);
    check(&site);
    assert_eq!(ids(&site, &invoice).len(), 3);
}

/// However the answer of the create is lost, whether it was done and whatever SYSPRO says by then.
#[test]
fn a_create_whose_answer_is_lost_is_never_repeated() {
    let faults = [
        ("lost, and done", Fault::LoseAnswer),
        ("lost, and not done", Fault::Drop),
        ("done later", Fault::Late { ms: 100_000 }),
        ("504, and done", Fault::DoneBut { status: 504 }),
        ("500, and done", Fault::DoneBut { status: 500 }),
        ("503, and not done", Fault::Html { status: 503 }),
        ("cut", Fault::Cut { bytes: 60 }),
        (
            "unreadable, and not done",
            Fault::refuse(200, "<html></html>"),
        ),
        (
            "nobody named",
            Fault::refuse(201, r#"{"status":"COMPLETE","results":[]}"#),
        ),
    ];
    type Change = fn(&Site);
    let changes: [(&str, Change); 4] = [
        ("as it was", |_| ()),
        ("changed", |site| {
            change_line(site, "2", "QtyInvoiced", Value::Decimal(money("4")));
        }),
        ("removed", |site| remove_line(site, "3")),
        ("all changed", |site| {
            for number in ["1", "2", "3"] {
                change_line(site, number, "StockCode", Value::Text("C300".into()));
            }
        }),
    ];
    for (what, fault) in &faults {
        for (then, change) in changes {
            let site = site(2);
            let rule = fault.clone().once("line_items/batch/create");
            site.portal.borrow_mut().add_fault(rule);
            let before = asked(&site);
            site.tick();
            let creates = wire(&site, before);
            let creates = creates.iter().filter(|it| *it == CREATE).count();
            assert_eq!(creates, 1, "{what}: repeated in the same run");
            change(&site);
            site.settle(8);
            let found = differences(&site);
            assert!(found.is_empty(), "{what}, {then}: {}", found.join("\n"));
            let invoice = hubspot_key(&first_invoice(1));
            assert_eq!(
                site.status("invoices", &invoice),
                "synced",
                "{what}, {then}"
            );
        }
    }
}

/// The database takes nothing from the moment the lines are there; then SYSPRO changes them.
#[test]
fn lines_are_known_again_though_their_ids_were_never_written_down() {
    let site = site(2);
    let struck = Cell::new(false);
    site.world.on_landing(move |world, landing| {
        let Landing::Exchange { request, .. } = landing else {
            return;
        };
        if request.uri().path().ends_with("line_items/batch/create") && !struck.replace(true) {
            world.set_weather(Weather {
                odds: [Vec::new(), vec![(Fate::Refused, 1_000)]],
                ..Weather::calm()
            });
        }
    });
    site.tick();
    site.world.set_weather(Weather::calm());
    let known =
        "select count(*) as n from targets where kind = 'line_item' and hubspot_id is not null";
    assert_eq!(site.world.rows(known)[0]["n"], 0);
    assert_eq!(site.portal.borrow().objects(Kind::LineItem).count(), 6);
    change_line(&site, "2", "QtyInvoiced", Value::Decimal(money("4")));
    remove_line(&site, "3");
    site.settle(6);
    check(&site);
}

#[test]
fn lines_the_answer_does_not_name_are_found_by_reading() {
    let mut options = keyless();
    options.echo_trace_ids = false;
    let site = Site::with(distributor(3), options, json!({}));
    let before = asked(&site);
    site.tick();
    assert_eq!(wire(&site, before), [CREATE, LINKED, READ]);
    site.settle(3);
    check(&site);
}

#[test]
fn a_line_refused_leaves_the_others_as_they_are() {
    for partial_batches in [true, false] {
        let mut options = keyless();
        options.partial_batches = partial_batches;
        options.rules.push(simulators::hubspot::PortalRule::When {
            kind: Kind::LineItem,
            other: "quantity".to_owned(),
            equals: "7".to_owned(),
            property: "description".to_owned(),
        });
        let mut data = distributor(3);
        let key = detail(&data, "2");
        let key: Vec<&str> = key.iter().map(String::as_str).collect();
        data.set(
            "ArTrnDetail",
            &key,
            "QtyInvoiced",
            Value::Decimal(money("7")),
        );
        let site = Site::with(data, options, json!({}));
        site.settle(4);
        let invoice = hubspot_key(&first_invoice(1));
        assert_eq!(site.status("invoices", &invoice), "failing");
        assert_eq!(ids(&site, &invoice).len(), 2);
        let other = hubspot_key(&first_invoice(2));
        assert_eq!(site.status("invoices", &other), "synced");
        change_line(&site, "2", "QtyInvoiced", Value::Decimal(money("8")));
        site.settle(4);
        check(&site);
    }
}

#[test]
fn lines_get_their_keys_once_the_portal_takes_them() {
    for lost in [false, true] {
        let site = site(2);
        if lost {
            let rule = Rule {
                after: 0,
                ..Fault::LoseAnswer.once("line_items/batch/create")
            };
            site.portal.borrow_mut().add_fault(rule);
            site.tick();
        } else {
            site.settle(4);
        }
        site.portal.borrow_mut().options_mut().tokens = options().tokens;
        let patched = site.ask("PATCH", "/connections/acme", "{}").body;
        assert_eq!(
            patched["portal"]["without"]["line_keys"], false,
            "{patched}"
        );
        site.settle(8);
        agreement::check(&site);
        assert_eq!(
            site.portal.borrow().objects(Kind::LineItem).count(),
            6,
            "lost: {lost}"
        );
    }
}

/// What people do to lines while the weather is bad.
fn meddle(site: &Site, rng: &mut Rng, at: Millis) {
    let erp = site.erp.clone();
    let (which, what) = (rng.usize(..), rng.u8(..4));
    let amount = rng.i64(1..20);
    site.world.at(at, move |world| {
        let data = &mut erp.borrow_mut().data;
        let today = crate::site::day(world.now() - 5 * HOUR);
        let rows: Vec<Vec<String>> = data
            .table("ArTrnDetail")
            .rows()
            .map(|row| {
                let text = |value: &Value| match value {
                    Value::Text(text) => text.clone(),
                    Value::Integer(number) => number.to_string(),
                    other => panic!("{other:?} in a key"),
                };
                row.values.iter().take(6).map(text).collect()
            })
            .collect();
        let key = &rows[which % rows.len()];
        let key: Vec<&str> = key.iter().map(String::as_str).collect();
        match what {
            0 => {
                let key = super::customer(1 + u32::try_from(which % 3).expect("small"));
                data.post_invoice(NewInvoice::of(&key, today, lines()));
            }
            // What an invoice without any line gets is another story.
            1 if rows.iter().filter(|it| it[3] == key[3]).count() > 1 => {
                data.remove("ArTrnDetail", &key);
            }
            _ => {
                let value = Value::Decimal(amount.into());
                data.set("ArTrnDetail", &key, "QtyInvoiced", value);
            }
        }
    });
}

/// A day of bad weather for each seed; `SEEDS=n` and `SEED=n` as for the others.
#[test]
fn whatever_the_weather_lines_are_neither_lost_nor_doubled() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(40),
    };
    let mut creates = BTreeMap::new();
    for seed in seeds {
        let mut rng = Rng::with_seed(seed ^ 0x11e5);
        let start = Start {
            seed,
            ..Start::calm()
        };
        let mut options = keyless();
        options.echo_trace_ids = rng.bool();
        options.partial_batches = rng.bool();
        let site = Site::bare(start, distributor(3), options);
        site.connect(json!({ "sweep_pages": 100 }));
        if rng.bool() {
            site.settle(6);
        }
        site.world.set_weather(Weather::storm(&mut rng));
        let now = site.world.now();
        for n in 0..10 {
            let at = now + n * 5 * MINUTE;
            let again = (rng.u8(..4) == 0).then(|| at + rng.i64(0..5 * MINUTE));
            for at in std::iter::once(at).chain(again) {
                site.world.spawn_at(at, "tick", |edge| async move {
                    tick::tick(&edge, &config()).await;
                });
            }
        }
        for _ in 0..rng.usize(4..16) {
            let at = now + rng.i64(0..50 * MINUTE);
            meddle(&site, &mut rng, at);
        }
        site.world.settle();
        site.world.set_weather(Weather::calm());
        site.world.advance(Duration::from_secs(6 * 3600));
        site.settle(40);
        site.world.advance(Duration::from_secs(25 * 3600));
        site.settle(40);
        let found = differences(&site);
        assert!(found.is_empty(), "SEED={seed}: {}", found.join("\n"));
        for call in site.world.fetch_log().iter() {
            if call.line() == CREATE {
                *creates.entry(format!("{:?}", call.fate)).or_insert(0) += 1;
            }
        }
    }
    eprintln!("creates by fate: {creates:#?}");
}
