//! The answer to reading records by the values of a unique property. Unlike search this sees what was
//! written a moment ago, and it tells what is not there from what it does not speak of.

use http::Response;

use super::{Found, errors, found};
use crate::{
    fault::Fault,
    hubspot::{body, list, refusal},
    sorted::SortedMap,
};

/// What became of each of these values: the record that bears it, or nothing where none does. One the
/// answer does not speak of is not among them. The property must be among those asked for.
///
/// # Errors
/// Every answer that is not the list.
pub fn read_found_by(
    key_property: &str,
    values: &[&str],
    response: &Response<Vec<u8>>,
) -> Result<SortedMap<String, Option<Found>>, Fault> {
    let body = body(response)?;
    let results = list(response, &body, "results")?;
    let mut all = SortedMap::new();
    for record in results.iter().filter_map(found) {
        let value = record.properties.get(key_property);
        if let Some(value) = value.filter(|value| values.contains(&value.as_str())) {
            all.insert(value.clone(), Some(record));
        }
    }
    for error in errors(&body) {
        if !refusal::is_missing(&refusal::read(error)) {
            continue;
        }
        let missing = refusal::context(error, "ids").into_iter();
        for value in missing.filter(|value| values.contains(&value.as_str())) {
            all.get_or_default(value);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hubspot::tests::answer;

    #[test]
    fn what_is_not_there_is_told_from_what_is_not_spoken_of() {
        let text = r#"{"status":"COMPLETE","results":[
            {"id":"8","properties":{"s_key":"E/2","total":"1"}},
            {"id":"9","properties":{"s_key":"E/other"}},{"id":"7","properties":{}}],
            "numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND",
            "message":"Could not get some INVOICE objects","context":{"ids":["E/1","E/never"]}}]}"#;
        let read = read_found_by("s_key", &["E/1", "E/2", "E/3"], &answer(207, text)).unwrap();
        let mut read: Vec<_> = read
            .iter()
            .map(|(key, found)| format!("{key}: {:?}", found.as_ref().map(|it| &it.id)))
            .collect();
        read.sort();
        assert_eq!(read, [r#"E/1: None"#, r#"E/2: Some("8")"#]);
    }
}
