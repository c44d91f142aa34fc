//! SYSPRO's order numbers, as an invoice bears one and as people write them on a deal.

use super::fields::readable;
use crate::sorted::SortedSet;

/// SYSPRO's column has room for so many.
const LONGEST: usize = 20;

/// A number by which both sides meet: leading zeros and small letters aside.
pub fn number(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('#');
    let number = readable(text).to_ascii_uppercase();
    let is_one = !number.is_empty() && number != "0" && number.len() <= LONGEST;
    is_one.then_some(number)
}

/// All numbers in a text: commas, semicolons, blanks and new lines stand between them.
pub fn numbers(text: &str) -> SortedSet<String> {
    let parts = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    parts.filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_numbers_as_they_like() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> = numbers(text).into_iter().collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("1024", &["1024"]);
        check(
            "001024, 1031;1024\n 00000000000000007777",
            &["1024", "1031", "7777"],
        );
        check(" #1024\t#1031 ,, ; ", &["1024", "1031"]);
        check("so-12/A, 00A7", &["00A7", "SO-12/A"]);
        check(" , 000, 0;", &[]);
        check("Hardwareversandhaus_1024", &[]);
        assert_eq!(number(" "), None);
    }
}
