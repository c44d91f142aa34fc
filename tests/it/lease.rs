//! One run at a time for each portal, whatever the weather and whoever's clock is wrong.

use std::time::Duration;

use futures_util::future::join;
use serde_json::{Value, json};
use simulators::{
    data::Distributor,
    hubspot::{Options, Portal},
    syspro::{Credentials, Server},
};
use syspro_hubspot_sync::{
    platform::{MINUTE, Platform, Statement},
    store::{
        Store, connections,
        ledger::{self, Fate, Intake, Settled},
    },
};

use crate::world::{Invocation, Start, World, seeds, shared};

/// A run that commits now and then, and now and then takes longer than its lease.
async fn run(inv: Invocation, owner: String) {
    let beside = connections::one("nobody");
    let Ok(Some((store, _))) = Store::claim(&inv, "portal", &owner, beside).await else {
        return;
    };
    for _ in 0..8 {
        let mut lot = [0];
        inv.random(&mut lot);
        inv.sleep(Duration::from_millis(u64::from(lot[0]).pow(2) * 6))
            .await;
        let both = join(store.commit(Vec::new()), store.commit(Vec::new())).await;
        if both.0.is_err() || both.1.is_err() {
            return;
        }
    }
    let _ = store.release(Vec::new(), None, None).await;
}

#[test]
fn an_overtaken_run_never_comes_back() {
    let mut overtaken = 0;
    for seed in seeds(150) {
        let erp = shared(Server::new(Distributor::empty(), Credentials::default()));
        let world = World::new(
            Start::storm(seed),
            &erp,
            &shared(Portal::new(seed, Options::default())),
        );
        let owners = shared(vec![String::new()]);
        let seen = owners.clone();
        let mut before = Value::Null;
        world.on_landing(move |world, _| {
            let lease = world.rows("select owner, until from lease").remove(0);
            let owner = lease["owner"].to_string();
            let shortened = lease["until"].as_i64() < before["until"].as_i64();
            assert!(
                !shortened || before["owner"] != lease["owner"],
                "a commit that landed late took time from {owner}"
            );
            before = lease;
            let mut seen = seen.borrow_mut();
            if owner != "\"\"" && seen.last() != Some(&owner) {
                assert!(!seen.contains(&owner), "{owner} came back after {seen:?}");
                seen.push(owner);
            }
        });
        for tick in 0..12 {
            let start = world.now() + tick * MINUTE;
            world.spawn_at(start, "tick", move |inv| run(inv, format!("run{tick}")));
        }
        world.settle();
        overtaken += owners.borrow().len().saturating_sub(2);
    }
    assert!(overtaken > 0, "no run ever took over from another");
}

/// The lease keeps two runs apart, so that no weather shows what this guards: it is the second lock.
#[test]
fn an_answer_settles_only_the_revision_that_was_sent() {
    let erp = shared(Server::new(Distributor::empty(), Credentials::default()));
    let portal = shared(Portal::new(1, Options::default()));
    let world = World::calm(&erp, &portal);
    world.run(|inv| async move {
        let connection = "insert into connections (id, state, public, secrets, portal, checks,
            created_at, changed_at) values ('acme', 'active', '{}', '{}', 'portal', '[]', 0, 0)";
        let taken = |hash: &str| {
            let intake = Intake {
                hash: hash.to_owned(),
                payload: Some("{}".to_owned()),
                due: Some(0),
                ..Intake::new("EDU1/1")
            };
            ledger::take("acme", "customers", 0, 0, &[intake])
        };
        let answer = Settled {
            key: "EDU1/1".to_owned(),
            revision: 1,
            fate: Fate::Synced,
            reason: None,
            due: None,
            kept: 0,
            again: 0,
            refused: 0,
        };
        let settled = ledger::settle("acme", "customers", 0, &[answer]);
        let all = [
            Statement::new(connection, []),
            taken("first"),
            taken("second"),
            settled,
        ];
        inv.batch(&all).await.expect("four statements");
    });
    let row = world
        .rows("select fate, revision, payload from ledger")
        .remove(0);
    assert_eq!(
        row,
        json!({"fate": "waiting", "revision": 2, "payload": "{}"})
    );
}
