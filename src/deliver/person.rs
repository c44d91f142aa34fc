//! Whom a contact is for. SYSPRO has one name and one e-mail: where both are others than before,
//! somebody else has the job, and whom sales has talked to so far is still who they are.

use super::{
    unit::{Unit, at},
    write::{EMAIL, lacking},
};
use crate::{feeds::Object, hash::hash, hubspot::Kind};

/// What stands for a name or an e-mail that is blank.
const NOBODY: &str = "-";

/// Name and e-mail of a contact, as hashes.
pub fn of(object: &Object) -> Option<String> {
    if object.kind != Kind::Contact {
        return None;
    }
    let value = |name: &str| object.properties.get(name).map_or("", String::as_str);
    let name = format!("{} {}", value("firstname"), value("lastname"));
    let part = |text: &str| match text.trim() {
        "" => NOBODY.to_owned(),
        text => hash(&text.to_lowercase()),
    };
    Some(format!("{} {}", part(&name), part(value(EMAIL))))
}

fn is_another(before: &str, now: &str) -> bool {
    let parts = |person: &str| {
        let (name, email) = person.split_once(' ')?;
        let known = name != NOBODY && email != NOBODY;
        known.then(|| (name.to_owned(), email.to_owned()))
    };
    match (parts(before), parts(now)) {
        (Some(before), Some(now)) => before.0 != now.0 && before.1 != now.1,
        _ => false,
    }
}

/// A contact that is somebody else from now on gives up its record: that one only loses our key.
/// Answers whether there is one.
pub fn replace(units: &mut [Unit], kind: Kind) -> bool {
    if kind != Kind::Contact {
        return false;
    }
    let mut replaced = Vec::new();
    for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.is_open()) {
        for (_, object) in lacking(unit, kind) {
            let mut target = unit.target(object);
            let now = of(object).unwrap_or_default();
            let another = target
                .person
                .as_deref()
                .is_some_and(|it| is_another(it, &now));
            if let (true, Some(former)) = (another, target.hubspot_id.take()) {
                target.begin_anew();
                target.leave(former);
                replaced.push((at, target));
            }
        }
    }
    let any = !replaced.is_empty();
    for (place, target) in replaced {
        at(units, place).keep(target);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(first: &str, last: &str, email: &str) -> String {
        let values = [("firstname", first), ("lastname", last), (EMAIL, email)];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let object = Object {
            kind: Kind::Contact,
            key: String::new(),
            properties: values.into(),
            on_create: Default::default(),
        };
        of(&object).unwrap_or_default()
    }

    #[test]
    fn somebody_else_has_another_name_and_another_address() {
        let ann = person("Ann", "Lee", "ann@acme.example");
        let is_new = |now: &str| is_another(&ann, now);
        assert!(is_new(&person("Bob", "Ray", "bob@acme.example")));
        assert!(
            !is_new(&person("Ann", "Ray", "ann@acme.example")),
            "married"
        );
        assert!(!is_new(&person("Ann", "Lee", "sales@acme.example")));
        assert!(
            !is_new(&person("ANN", "LEE", "lee@acme.example")),
            "spelled"
        );
        assert!(!is_new(&person("", "", "bob@acme.example")), "nobody known");
        assert!(!is_new(&person("Bob", "Ray", "")));
        assert!(
            !is_another(&person("", "Acme Ltd", ""), &ann),
            "named after the customer"
        );
    }
}
