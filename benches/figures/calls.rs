//! Calls to HubSpot by endpoint, and D1 statements, for loads of known size.

use serde_json::json;
use simulators::hubspot::{Kind, PortalRule};

use crate::loads::{
    Cost, LOADS, customer, delivery_chunk, distributor, many, sweep_page, until_quiet,
};
use crate::report::{Report, Values, value};
use crate::site::{Site, options};

const MANY: usize = 2_000;

pub fn measure(report: &mut Report) {
    report.section(
        "Calls and statements",
        "What one tick asks of the two systems and of D1. These counts are held by `make test`.",
    );
    for load in LOADS {
        let cost = (load.run)();
        report.figure(load.name, values(&cost), load.reading);
        report.details(load.name, cost.calls.iter());
    }
    let (site, cost) = many(MANY);
    let objects: u64 = [Kind::Company, Kind::Contact, Kind::Invoice, Kind::LineItem]
        .map(|kind| site.portal.borrow().objects(kind).count() as u64)
        .iter()
        .sum();
    let name = "2,000 customers, each with 5 invoices of 4 lines";
    let mut figures = values(&cost);
    figures.insert(0, value("objects in HubSpot", objects));
    report.figure(name, figures, "the first load of a distributor, links included; ticks are those that had something to send");
    report.details(name, cost.calls.iter());
    one_bad(report);
    statements(report);
}

/// A hundred customers, one of whom the portal refuses: all at once, as HubSpot does for some errors, or
/// that one alone.
fn one_bad(report: &mut Report) {
    let few = (LOADS[0].run)().all_calls();
    for (partial_batches, name) in [
        (false, "one bad row in a hundred, the batch refused whole"),
        (true, "one bad row in a hundred, answered 207"),
    ] {
        let mut data = distributor(100);
        data.edit_customer(&customer(42), "CreditLimit", 7_i64);
        let mut options = options();
        options.partial_batches = partial_batches;
        options.rules.push(PortalRule::When {
            kind: Kind::Company,
            other: "syspro_credit_limit".to_owned(),
            equals: "7".to_owned(),
            property: "zip".to_owned(),
        });
        let site = Site::with(data, options, json!({}));
        let cost = Cost::of(&site, |site| until_quiet(site, 20));
        let failing = site.record("customers", "EDU1/000000000000042");
        let companies = site.portal.borrow().objects(Kind::Company).count();
        let named = failing["reason"]["field"] == "zip";
        let values = vec![
            value("calls", cost.all_calls()),
            value("more than without it", cost.all_calls().saturating_sub(few)),
            value("companies stored", companies),
            value("named, with its field", u64::from(named)),
        ];
        report.figure(
            name,
            values,
            "99 stored and 1 named is what can be had; its invoice waits for it",
        );
    }
}

fn values(cost: &Cost) -> Values {
    vec![
        value("HubSpot calls", cost.all_calls()),
        value("D1 statements", cost.statements),
        value("rows handed to them", cost.handed_in),
        value("SYSPRO requests", cost.reads),
        value("ticks", cost.ticks),
    ]
}

fn statements(report: &mut Report) {
    let [with_news, unchanged] = sweep_page(2_000);
    for (name, statements, reading) in [
        (
            "sweep page of 2,000 customers, unchanged",
            unchanged,
            "between its answer and the next page's request",
        ),
        (
            "sweep page of 2,000 customers, all news",
            with_news,
            "the same, as the first load finds it",
        ),
        (
            "delivery of 100 customers",
            delivery_chunk(),
            "what every further hundred of a first load costs, rounded down",
        ),
    ] {
        report.figure(name, vec![value("D1 statements", statements)], reading);
    }
}
