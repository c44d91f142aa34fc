//! A whole distributor: how much the load costs, and that HubSpot ends as SYSPRO's copy.

use std::time::Duration;

use fastrand::Rng;
use simulators::{data::Distributor, hubspot::Kind};

use super::distributor;
use crate::agreement;
use crate::site::{Site, day};
use crate::world::Start;

#[test]
fn six_hundred_objects_load_in_at_most_twelve_calls_and_then_none() {
    let site = Site::new(distributor(100));

    site.tick();
    let calls = site.calls_by_endpoint();
    assert_eq!(site.portal.borrow().objects(Kind::Company).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::Contact).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::Invoice).count(), 100);
    assert_eq!(site.portal.borrow().objects(Kind::LineItem).count(), 300);
    assert!(site.hubspot_calls() <= 12, "{calls:#?}");
    agreement::check(&site);

    let before = site.hubspot_calls();
    site.next_tick();
    assert_eq!(site.hubspot_calls(), before, "a quiet tick");
}

#[test]
fn a_believable_distributor_and_three_days_of_its_life_arrive_whole() {
    let data = Distributor::believable(7, 200, 600, day(Start::NOW));
    let site = Site::new(data);
    let mut rng = Rng::with_seed(7);
    site.settle(12);
    agreement::check(&site);

    for _ in 0..3 {
        site.world.advance(Duration::from_secs(86_400));
        let done = site.erp.borrow_mut().data.a_day(&mut rng, site.today());
        site.settle(12);
        let found = agreement::differences(&site);
        assert!(found.is_empty(), "{found:#?}\nafter {done:#?}");
    }
    assert!(site.world.most_connections() <= 6);
    assert_eq!(site.world.d1().refusals(), Vec::<String>::new());
}
