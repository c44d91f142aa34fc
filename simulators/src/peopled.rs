//! A portal in which people have worked for years, and the distributor whose customers they sell to:
//! 300 companies and 400 contacts with owners, phones, notes, deals and labels, some of them
//! customers, some twice, some sharing a domain or a mailbox, some with free-mail addresses.
//!
//! What stands between the two is known by construction: each customer is of one [`Case`].

use chrono::NaiveDate;

use crate::{
    Millis,
    data::{Distributor, NewCustomer, NewInvoice, NewLine, Value},
    hubspot::{Id, Kind, Portal, Type},
};

pub const COMPANIES: usize = 300;
pub const CONTACTS: usize = 400;

/// What the portal knows of a customer before the first sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Its company by domain and its contact by e-mail.
    Both,
    CompanyOnly,
    ContactOnly,
    /// Two companies of its domain.
    Twice,
    /// A contact with its free-mail address, and companies that name that provider's domain.
    FreeMail,
    /// One company for the domain of two customers, and no contact of either.
    SharedDomain,
    /// One contact for the mailbox of two customers of different firms.
    SharedMailbox,
    /// A contact whose second address it is.
    SecondAddress,
    Unknown,
}

impl Case {
    /// How many customers are of each.
    pub const ALL: [(Case, usize); 9] = [
        (Case::Both, 60),
        (Case::CompanyOnly, 20),
        (Case::ContactOnly, 20),
        (Case::Twice, 10),
        (Case::FreeMail, 10),
        (Case::SharedDomain, 10),
        (Case::SharedMailbox, 10),
        (Case::SecondAddress, 10),
        (Case::Unknown, 30),
    ];
}

/// A customer of SYSPRO's with what people made of it in HubSpot.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// SYSPRO's own key, padded.
    pub key: String,
    pub number: usize,
    pub case: Case,
    pub email: String,
    /// Companies people made for it.
    pub companies: Vec<Id>,
    pub contact: Option<Id>,
}

/// The customers, in the order of their keys.
pub struct Town {
    pub neighbours: Vec<Neighbour>,
}

impl Town {
    /// Fills the two from nothing.
    pub fn settle(
        data: &mut Distributor,
        portal: &mut Portal,
        now: Millis,
        today: NaiveDate,
    ) -> Town {
        people_s_own_property(portal, now);
        let cases = Case::ALL
            .iter()
            .flat_map(|(case, many)| std::iter::repeat_n(*case, *many));
        let mut neighbours: Vec<Neighbour> = Vec::new();
        for (at, case) in cases.enumerate() {
            let number = at + 1;
            // The second of a pair shares with the first.
            let host = match case {
                Case::SharedDomain | Case::SharedMailbox => number - (number + 1) % 2,
                _ => number,
            };
            let email = address(case, number, host);
            let key = data.add_customer(in_syspro(number, &email, today));
            let line = NewLine::stocked("A100", 2.into(), 100.into(), 0.into());
            data.post_invoice(NewInvoice::of(&key, today, vec![line]));
            let mut neighbour = Neighbour {
                key,
                number,
                case,
                email,
                companies: Vec::new(),
                contact: None,
            };
            match neighbours.last().filter(|_| host < number) {
                Some(first) => {
                    neighbour.companies.clone_from(&first.companies);
                    neighbour.contact = first.contact;
                }
                None => in_hubspot(portal, now, &mut neighbour),
            }
            neighbours.push(neighbour);
        }
        strangers(portal, now);
        Town { neighbours }
    }

    pub fn of(&self, case: Case) -> impl Iterator<Item = &Neighbour> {
        self.neighbours.iter().filter(move |it| it.case == case)
    }
}

fn address(case: Case, number: usize, host: usize) -> String {
    match case {
        Case::FreeMail => format!("person{number}@gmail.com"),
        Case::SharedDomain => format!("person{number}@firm{host}.example"),
        _ => format!("person{host}@firm{host}.example"),
    }
}

fn in_syspro(number: usize, email: &str, today: NaiveDate) -> NewCustomer {
    NewCustomer {
        name: format!("Firm {number} Incorporated"),
        contact: format!("Robin Person{number}"),
        email: email.to_owned(),
        telephone: format!("+1 555 0100 {number}"),
        added: Some(today),
        others: vec![
            ("SoldToAddr1", Value::Text(format!("{number} Mill Road"))),
            ("SoldToAddr3", Value::Text("Millville".to_owned())),
        ],
        ..NewCustomer::default()
    }
}

/// What people wrote: every other field, so that some are blank to be filled in and some are theirs.
fn in_hubspot(portal: &mut Portal, now: Millis, neighbour: &mut Neighbour) {
    let number = neighbour.number;
    let domain = neighbour.email.rsplit('@').next().unwrap_or_default();
    let companies = match neighbour.case {
        Case::Both | Case::CompanyOnly | Case::SharedDomain | Case::FreeMail => 1,
        Case::Twice => 2,
        _ => 0,
    };
    for copy in 0..companies {
        let id = company(portal, now, number, domain, copy);
        neighbour.companies.push(id);
    }
    let contact = match neighbour.case {
        Case::Both | Case::ContactOnly | Case::FreeMail | Case::SharedMailbox | Case::Twice => {
            Some(person(portal, now, number, &neighbour.email))
        }
        Case::SecondAddress => {
            let first = format!("private{number}@elsewhere.example");
            let id = person(portal, now, number, &first);
            let twin = portal.create(now, Kind::Contact, &[("email", &neighbour.email)]);
            Some(portal.merge(now, Kind::Contact, id, twin))
        }
        _ => None,
    };
    neighbour.contact = contact;
    let company = neighbour.companies.first().copied();
    if let (Some(company), Some(contact)) = (company, contact) {
        // Employed there, as the primary, and every third has a label beside.
        let billing: &[u16] = if number.is_multiple_of(3) {
            &[1, 931]
        } else {
            &[1]
        };
        portal.associate((Kind::Contact, contact), (Kind::Company, company), billing);
    }
    for (kind, id) in [(Kind::Company, company), (Kind::Contact, contact)] {
        if let Some(id) = id.filter(|_| number.is_multiple_of(2)) {
            deal(portal, now, number, (kind, id));
        }
    }
}

fn company(portal: &mut Portal, now: Millis, number: usize, domain: &str, copy: usize) -> Id {
    let name = format!("Firm {number}{}", [" Inc", " (old)"][copy.min(1)]);
    let mut values = vec![
        ("name", name),
        ("domain", domain.to_owned()),
        ("hubspot_owner_id", format!("{}", 900 + number % 7)),
        (
            "lifecyclestage",
            ["lead", "opportunity", "customer"][number % 3].to_owned(),
        ),
        ("account_notes", format!("Met firm {number} at the fair")),
    ];
    if number.is_multiple_of(2) {
        values.push(("phone", format!("+1 555 9999 {number}")));
        values.push(("city", "Their own city".to_owned()));
    }
    make(portal, now, Kind::Company, &values)
}

fn person(portal: &mut Portal, now: Millis, number: usize, email: &str) -> Id {
    let mut values = vec![
        ("email", email.to_owned()),
        ("firstname", "Rob".to_owned()),
        ("hubspot_owner_id", format!("{}", 900 + number % 5)),
        ("account_notes", format!("Robin {number} likes tea")),
        ("jobtitle", "Buyer".to_owned()),
    ];
    if number.is_multiple_of(2) {
        values.push(("lastname", format!("Person-{number}")));
        values.push(("mobilephone", format!("+1 555 7777 {number}")));
        values.push(("lifecyclestage", "lead".to_owned()));
    }
    make(portal, now, Kind::Contact, &values)
}

fn deal(portal: &mut Portal, now: Millis, number: usize, with: (Kind, Id)) {
    let values = [
        ("dealname", format!("Deal {number}")),
        ("amount", format!("{}", number * 100)),
        ("hubspot_owner_id", "901".to_owned()),
    ];
    let id = make(portal, now, Kind::Deal, &values);
    portal.associate((Kind::Deal, id), with, &[]);
}

/// Whoever is in the portal besides: prospects, suppliers, duplicates of each other, people with
/// several employers, groups of companies.
fn strangers(portal: &mut Portal, now: Millis) {
    let live = |portal: &Portal, kind| portal.objects(kind).filter(|it| !it.archived).count();
    let mut companies = Vec::new();
    for at in live(portal, Kind::Company)..COMPANIES {
        // Some twice, some without a domain.
        let domain = match at % 10 {
            0 => String::new(),
            1 => format!("stranger{}.example", at + 1),
            _ => format!("stranger{at}.example"),
        };
        companies.push(company(portal, now, 10_000 + at, &domain, 0));
    }
    let mut contacts = Vec::new();
    for at in live(portal, Kind::Contact)..CONTACTS {
        let email = match at % 8 {
            0 => String::new(),
            1 => format!("stranger{at}@outlook.com"),
            _ => format!("someone@stranger{at}.example"),
        };
        contacts.push(person(portal, now, 10_000 + at, &email));
    }
    for (at, (contact, company)) in contacts.iter().zip(companies.iter().cycle()).enumerate() {
        let labels: &[u16] = if at.is_multiple_of(4) {
            &[1, 931]
        } else {
            &[1]
        };
        portal.associate((Kind::Contact, *contact), (Kind::Company, *company), labels);
    }
    for pair in companies.chunks_exact(9) {
        if let [parent, child, ..] = pair {
            portal.associate((Kind::Company, *child), (Kind::Company, *parent), &[14]);
        }
    }
}

fn make(portal: &mut Portal, now: Millis, kind: Kind, values: &[(&str, String)]) -> Id {
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    portal.create(now, kind, &values)
}

fn people_s_own_property(portal: &mut Portal, now: Millis) {
    for kind in [Kind::Company, Kind::Contact] {
        portal.add_property(now, kind, "account_notes", Type::String, false);
    }
}
