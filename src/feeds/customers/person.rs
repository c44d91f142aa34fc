//! A person's first and last name out of SYSPRO's one `Contact` field.

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub first: String,
    pub last: String,
}

impl Person {
    pub fn is_blank(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }
}

/// `Ann Lee`, `Lee, Ann`, `Mr. J. van der Berg`. What has no letter names nobody.
pub fn split(contact: &str) -> Person {
    if !contact.chars().any(char::is_alphabetic) {
        return Person::default();
    }
    let (last, first) = match contact.split_once(',') {
        Some((last, first)) if !first.trim().is_empty() => (last.trim(), without_title(first)),
        _ => match without_title(contact.trim_end_matches([',', ' '])).split_once(' ') {
            Some((first, last)) => (last.trim(), first),
            None => ("", without_title(contact.trim_end_matches([',', ' ']))),
        },
    };
    Person {
        first: first.to_owned(),
        last: last.to_owned(),
    }
}

fn without_title(name: &str) -> &str {
    let name = name.trim();
    match name.split_once(' ') {
        Some((title, rest)) if is_title(title) => rest.trim_start(),
        _ => name,
    }
}

fn is_title(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    ["mr", "mrs", "ms", "miss", "dr", "prof"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(contact: &str, expect: Expect) {
        let Person { first, last } = split(contact);
        expect.assert_eq(&format!("{first:?} {last:?}"));
    }

    #[test]
    fn names_come_apart() {
        check("Ann Lee", expect![[r#""Ann" "Lee""#]]);
        check("Lee, Ann", expect![[r#""Ann" "Lee""#]]);
        check(
            "Mr. Jan  van der Berg",
            expect![[r#""Jan" "van der Berg""#]],
        );
        check("Lee, Dr Ann", expect![[r#""Ann" "Lee""#]]);
        check("Accounts", expect![[r#""Accounts" """#]]);
        check("Mrs Lee", expect![[r#""Lee" """#]]);
        check("Ann,", expect![[r#""Ann" """#]]);
        check(" - ", expect![[r#""" """#]]);
        check("", expect![[r#""" """#]]);
    }
}
