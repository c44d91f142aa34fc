//! What the weather once showed, each as its smallest story.

use simulators::{
    data::{Distributor, NewCustomer},
    hubspot::Kind,
};

use crate::{
    site::{Site, day},
    world::Start,
};

/// The one without the address comes first in the batch: it must not cost the other its own.
#[test]
fn an_e_mail_two_share_stays_with_the_one_who_has_it() {
    let customer = |key: &str| NewCustomer {
        key: Some(key.to_owned()),
        name: format!("Customer {key}"),
        contact: format!("Jo Number{key}"),
        email: "jo@shared.example".to_owned(),
        added: Some(day(Start::NOW)),
        ..NewCustomer::default()
    };
    let mut data = Distributor::empty();
    let has = data.add_customer(customer("2"));
    let site = Site::new(data);
    site.tick();
    let goes_without = site.erp.borrow_mut().data.add_customer(customer("1"));
    site.settle(5);
    for key in [&has, &goes_without] {
        let mut erp = site.erp.borrow_mut();
        assert!(erp.data.edit_customer(key, "Contact", "Joanna Renamed"));
    }
    site.settle(5);
    let email = |key: &str| site.value(Kind::Contact, &format!("EDU1/{key}/AR"), "email");
    assert_eq!(
        [email(&has), email(&goes_without)],
        ["jo@shared.example", ""]
    );
}
