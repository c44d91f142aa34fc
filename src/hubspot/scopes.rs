//! Scopes: what a token needs for a kind of object, and what it says it has.
//!
//! What it says is asked at an address HubSpot does not document, and old scopes grant what newer
//! ones are named after. So the list may prove that nothing is lacking, and never that something is.

use http::{Request, Response};
use serde_json::{Value, json};

use super::{Api, Kind, body, list};
use crate::{fault::Fault, sorted::SortedSet};

/// What is done with a kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Its records are read and written.
    Records,
    /// Its properties are read and made.
    Properties,
}

/// What is needed: of each group one scope.
pub fn needed(kind: Kind, what: Use) -> Vec<Vec<String>> {
    let both = |area: &str| {
        let scope = |verb: &str| format!("crm.{area}.{}.{verb}", kind.path());
        vec![vec![scope("read")], vec![scope("write")]]
    };
    match (kind, what) {
        (_, Use::Records) => both("objects"),
        // HubSpot has no scope of its own for making line-item properties.
        (Kind::LineItem, Use::Properties) => {
            let old = || "e-commerce".to_owned();
            let read = "crm.schemas.line_items.read".to_owned();
            vec![vec![read, old()], vec![old()]]
        }
        (_, Use::Properties) => both("schemas"),
    }
}

/// Those needed that a token with these scopes lacks.
pub fn missing(kind: Kind, what: Use, granted: &SortedSet<String>) -> Vec<String> {
    let groups = needed(kind, what).into_iter();
    let lacking = groups.filter(|any| !any.iter().any(|scope| granted.contains(scope)));
    lacking.filter_map(|any| any.into_iter().next()).collect()
}

/// Asks which scopes a token has. It travels in the body here.
pub fn token_info(api: &Api, token: &str) -> Request<String> {
    let api = Api {
        url: api.url.clone(),
        version: "v2".to_owned(),
    };
    let body = json!({ "tokenKey": token });
    api.post("oauth", "private-apps/get/access-token-info", &body)
}

/// # Errors
/// Every answer that is not the list.
pub fn read_token_info(response: &Response<Vec<u8>>) -> Result<SortedSet<String>, Fault> {
    let body = body(response)?;
    let scopes = list(response, &body, "scopes")?;
    let named = scopes.iter().filter_map(Value::as_str);
    Ok(named.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hubspot::tests::answer;

    #[test]
    fn what_is_lacking_is_named_and_one_of_several_is_enough() {
        let granted = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let lines = |names: &[&str]| missing(Kind::LineItem, Use::Properties, &granted(names));
        assert_eq!(lines(&["e-commerce"]), Vec::<String>::new());
        assert_eq!(lines(&["crm.schemas.line_items.read"]), ["e-commerce"]);
        assert_eq!(lines(&[]), ["crm.schemas.line_items.read", "e-commerce"]);
    }

    #[test]
    fn the_token_is_in_the_body_and_nowhere_else() {
        let api = Api {
            url: "https://api.hubapi.com".to_owned(),
            version: "2026-09".to_owned(),
        };
        let request = token_info(&api, "pat-na1-x");
        let uri = "https://api.hubapi.com/oauth/v2/private-apps/get/access-token-info";
        assert_eq!(request.uri(), uri);
        assert_eq!(request.body(), r#"{"tokenKey":"pat-na1-x"}"#);
    }

    #[test]
    fn only_a_list_of_scopes_is_one() {
        let read = |body| read_token_info(&answer(200, body)).ok();
        let one = SortedSet::from(["e-commerce".to_owned()]);
        assert_eq!(read(r#"{"hubId":1,"scopes":["e-commerce"]}"#), Some(one));
        assert_eq!(read(r#"{"hubId":1}"#), None);
        assert_eq!(read("<html>"), None);
    }
}
