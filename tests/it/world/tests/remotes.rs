//! The simulators answer through the world, and their mishaps keep their time.

use simulators::{
    data::Distributor,
    hubspot::{Fault, Options, Portal},
    syspro::{self, Credentials, Server, Trouble},
};

use super::*;

const CUSTOMERS: &str =
    "https://erp.example/SYSPRO8Odata/SYSPROOData/EDU1/ArCustomer?$select=Customer";
const ACCOUNT: &str = "https://api.hubapi.com/account-info/2026-09/details";

async fn get(inv: &Invocation, uri: &'static str) -> Result<u16, NoAnswer> {
    let said = match uri {
        CUSTOMERS => "Basic U1ZDOm9kYXRhLXBhc3M=".to_owned(),
        _ => format!("Bearer {}", Options::TOKEN),
    };
    let request = http::Request::get(uri).header("authorization", said);
    let request = request.body(String::new()).expect("valid");
    let allow = Allow {
        max_bytes: 1_000_000,
        ..ALLOW
    };
    let answer = inv.fetch(&request, allow).await;
    answer.map(|response| response.status().as_u16())
}

#[test]
fn both_simulators_answer_with_their_mishaps() {
    let erp = shared(Server::new(Distributor::empty(), Credentials::default()));
    let portal = shared(Portal::new(1, Options::default()));
    let world = World::calm(&erp, &portal);
    let ask = |uri| {
        let since = world.now();
        let told = world.run(move |inv| async move { get(&inv, uri).await });
        (told, world.now() - since)
    };
    assert_eq!(ask(CUSTOMERS), (Ok(200), 40));
    assert_eq!(ask(ACCOUNT), (Ok(200), 40));

    let trouble = [Trouble::Slow(500), Trouble::Drop];
    let faults = trouble.map(|trouble| syspro::Fault::once("ArCustomer", trouble));
    erp.borrow_mut().faults.extend(faults);
    assert_eq!(ask(CUSTOMERS), (Ok(200), 520));
    assert_eq!(ask(CUSTOMERS), (Err(NoAnswer::Broken), 40));

    let late = Fault::Late { ms: 100_000 };
    let faults = [
        Fault::Delay { ms: 500 },
        Fault::Drop,
        Fault::LoseAnswer,
        late,
    ];
    for fault in faults {
        portal.borrow_mut().add_fault(fault.once("account-info"));
    }
    assert_eq!(ask(ACCOUNT), (Ok(200), 520));
    for _ in 0..3 {
        assert_eq!(ask(ACCOUNT), (Err(NoAnswer::Broken), 40));
    }
    world.settle();
    let lands: Vec<_> = world
        .fetch_log()
        .iter()
        .map(|call| call.landed.is_some())
        .collect();
    assert_eq!(lands, [true, true, true, true, true, false, true, true]);
    assert_eq!(world.fetch_log()[7].landed, Some(world.now()));
}
