//! How SQL Server orders text. Trailing blanks never count, in any collation.

use std::cmp::Ordering;

/// The usual collation: case does not count, marks come before digits and digits before letters.
pub fn folded(left: &str, right: &str) -> Ordering {
    // Keys of one table share long runs of zeros: what is the same to the byte needs no weighing.
    if left == right {
        return Ordering::Equal;
    }
    let (left, right) = (trimmed(left), trimmed(right));
    let same = common(left, right);
    weights(&left[same..]).cmp(weights(&right[same..]))
}

/// A binary collation: code points decide.
pub fn binary(left: &str, right: &str) -> Ordering {
    trimmed(left).cmp(trimmed(right))
}

/// The text without the blanks that pad it; by bytes, because every comparison begins here.
fn trimmed(text: &str) -> &str {
    let mut bytes = text.as_bytes();
    while let [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    &text[..bytes.len()]
}

/// How many bytes of ASCII two texts begin with in common, found by halves.
fn common(left: &str, right: &str) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let (mut from, mut to) = (0, left.len().min(right.len()));
    while from < to {
        let middle = from + (to - from).div_ceil(2);
        if left[from..middle] == right[from..middle] {
            from = middle;
        } else {
            to = middle - 1;
        }
    }
    // Never inside a letter of several bytes.
    while from > 0 && !left[from - 1].is_ascii() {
        from -= 1;
    }
    from
}

fn weights(text: &str) -> impl Iterator<Item = (u8, char)> {
    text.chars().map(|letter| {
        if letter.is_ascii_digit() {
            (1, letter)
        } else if letter.is_ascii_alphabetic() {
            (2, letter.to_ascii_lowercase())
        } else if letter.is_alphabetic() {
            (2, letter.to_lowercase().next().unwrap_or(letter))
        } else {
            (0, letter)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_blanks_and_case_do_not_count() {
        assert_eq!(folded("BAY001   ", "bay001"), Ordering::Equal);
        assert_eq!(binary("BAY001   ", "BAY001"), Ordering::Equal);
        assert_ne!(binary("BAY001", "bay001"), Ordering::Equal);
        assert_ne!(folded(" BAY001", "BAY001"), Ordering::Equal);
    }

    #[test]
    fn marks_then_digits_then_letters() {
        let mut keys = ["b", "A", "_x", "9", "-1", "B2"];
        keys.sort_by(|left, right| folded(left, right));
        assert_eq!(keys, ["-1", "_x", "9", "A", "b", "B2"]);
        keys.sort_by(|left, right| binary(left, right));
        assert_eq!(keys, ["-1", "9", "A", "B2", "_x", "b"]);
    }
}
