//! A whole distributor: how much the load costs, and that HubSpot ends as SYSPRO's copy.

use simulators::hubspot::Kind;

use super::distributor;
use crate::agreement;
use crate::site::Site;

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
