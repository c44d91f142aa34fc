//! Two looks at a portal, value by value and link by link.

use std::collections::{BTreeMap, BTreeSet};

use simulators::hubspot::{Id, Kind};

use crate::site::Site;

/// HubSpot's own fields that are filled on an adopted record where people left them blank.
const FILLED: [&str; 13] = [
    "name",
    "phone",
    "address",
    "address2",
    "city",
    "state",
    "zip",
    "country",
    "domain",
    "email",
    "firstname",
    "lastname",
    "company",
];

type End = (Kind, Id);

/// What stands in a portal, archived records apart.
pub struct Portrait {
    values: BTreeMap<End, BTreeMap<String, String>>,
    links: BTreeMap<(End, End), BTreeSet<u16>>,
}

impl Portrait {
    pub fn of(site: &Site) -> Portrait {
        let portal = site.portal.borrow();
        let mut portrait = Portrait {
            values: BTreeMap::new(),
            links: BTreeMap::new(),
        };
        for kind in Kind::ALL {
            for object in portal.objects(kind).filter(|it| !it.archived) {
                let from = (kind, object.id);
                let values = object.properties.iter();
                let values = values.map(|(name, value)| (name.to_string(), value.to_string()));
                portrait.values.insert(from, values.collect());
                for to in Kind::ALL {
                    for (id, types) in portal.associations(kind, object.id, to) {
                        let types = types.into_iter().collect();
                        portrait.links.insert((from, (to, id)), types);
                    }
                }
            }
        }
        portrait
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.values.keys().filter(|(of, _)| *of == kind).count()
    }

    pub fn has_as_many_as(&self, other: &Portrait) {
        for kind in Kind::ALL {
            assert_eq!(self.count(kind), other.count(kind), "{kind:?}");
        }
    }

    /// Fails with everything of the people's in `before` that is not here, or not as it was, and with
    /// everything on their records that is not for us to write.
    pub fn keeps(&self, before: &Portrait) {
        let mut found = Vec::new();
        for (end, values) in &before.values {
            match self.values.get(end) {
                None => found.push(format!("{end:?} is gone")),
                Some(now) => differing(*end, values, now, &mut found),
            }
        }
        for (pair, types) in &before.links {
            let now = self.links.get(pair).cloned().unwrap_or_default();
            if !types.is_subset(&now) {
                found.push(format!("{pair:?}: linked as {now:?}, was {types:?}"));
            }
        }
        let is_ours = |end: &End| {
            let values = self.values.get(end);
            values.is_some_and(|values| values.contains_key("syspro_key"))
        };
        for (pair @ (from, to), types) in &self.links {
            let theirs = before.values.contains_key(from) && before.values.contains_key(to);
            let as_before = before.links.get(pair) == Some(types);
            if theirs && !as_before && !(is_ours(from) && is_ours(to)) {
                found.push(format!("{pair:?}: linked as {types:?} by us"));
            }
        }
        let shown = &found[..found.len().min(30)];
        assert!(
            found.is_empty(),
            "{} places:\n{}",
            found.len(),
            shown.join("\n")
        );
    }
}

fn differing(
    end: End,
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    found: &mut Vec<String>,
) {
    let was_ours = before.contains_key("syspro_key");
    for (name, value) in before {
        let ours = name.starts_with("syspro_");
        let filled = was_ours && FILLED.contains(&name.as_str());
        let has = now.get(name);
        if has != Some(value) && !ours && !filled {
            found.push(format!("{end:?} {name}: {has:?}, was {value:?}"));
        }
    }
    let adopted = now.contains_key("syspro_key");
    for (name, value) in now.iter().filter(|(name, _)| !before.contains_key(*name)) {
        let allowed = name.starts_with("syspro_") || FILLED.contains(&name.as_str());
        if !adopted || !allowed {
            found.push(format!("{end:?} {name}: {value:?}, which was blank"));
        }
    }
}
