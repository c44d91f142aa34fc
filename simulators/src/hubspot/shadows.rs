//! The portal setting "create and associate companies with contacts": HubSpot makes a company out
//! of a new contact's e-mail domain, and makes it the contact's primary one.

use std::collections::BTreeMap;

use super::objects::{Id, Object};
use super::{Crm, Kind};
use crate::Millis;

const FREE_MAIL: [&str; 5] = [
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "outlook.com",
    "yahoo.com",
];

/// Contact to company: unlabelled and primary.
const TYPES: [u16; 2] = [279, 1];

impl Crm {
    pub(super) fn shadow_company(&mut self, now: Millis, contact: Id) {
        let contact = self.store.live(Kind::Contact, contact);
        let Some(contact) = contact.filter(|_| self.options.companies_from_contacts) else {
            return;
        };
        let address = contact.get("email").and_then(|email| email.split_once('@'));
        let Some((_, domain)) = address.filter(|(_, host)| !FREE_MAIL.contains(host)) else {
            return;
        };
        let (contact, domain) = (contact.id, domain.to_owned());
        let known = self
            .store
            .all(Kind::Company)
            .find(|company| !company.archived && company.get("domain") == Some(&domain))
            .map(|company| company.id);
        let company = known.unwrap_or_else(|| {
            let id = self.store.fresh_id();
            let object = Object {
                id,
                properties: BTreeMap::from([
                    ("domain".into(), domain.clone()),
                    ("name".into(), domain),
                ]),
                archived: false,
                created_at: now,
                updated_at: now,
                writes: 0,
            };
            self.store.put(Kind::Company, object);
            id
        });
        self.set_pair(
            (Kind::Contact, contact),
            (Kind::Company, company),
            TYPES.to_vec(),
        );
    }
}
