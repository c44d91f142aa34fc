//! SYSPRO's e.net: log on, ask business objects, log off. Requests as values, answers as meanings.
//!
//! Everything is a GET with everything in its URL, passwords and session ids too: a request of this
//! file is never shown to anybody. Every answer of SYSPRO's is status 200 and raw bytes in
//! Windows-1252; one that begins with `ERROR` is a refusal. Its text may quote what was asked, so
//! only a code of ours leaves this file.

mod comfnd;
mod document;
mod words;

use std::borrow::Cow;

use http::{Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use yore::{CodePage, code_pages::CP1252};

use crate::{
    connection::Enet,
    fault::{Fault, Refusal, System},
    vault::Secret,
};

use document::Element;

pub use comfnd::{Find, find, read_rows};
pub use words::reason;

const SYSTEM: System = System::Enet;

/// Why e.net refused: codes of ours for what it says in sentences.
pub mod code {
    pub const OPERATOR: &str = "operator";
    pub const OPERATOR_PASSWORD: &str = "operator_password";
    pub const COMPANY: &str = "company";
    pub const COMPANY_PASSWORD: &str = "company_password";
    pub const SEATS_FULL: &str = "seats_full";
    /// Logging on failed in words we do not know.
    pub const LOGON: &str = "logon_refused";
    pub const NOT_LICENSED: &str = "not_licensed";
    /// A business object failed in words we do not know.
    pub const OBJECT: &str = "object_refused";
    /// We stopped logging on: somebody else keeps ending the session.
    pub const EVICTED: &str = "evicted";
    /// It did not answer, and is not asked for a while.
    pub const SILENT: &str = "silent";
    /// The connection has no e.net.
    pub const ABSENT: &str = "no_enet";
}

/// What SYSPRO tells of who is logged on; blank where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub local_currency: String,
}

/// Always all four: servers are easy about empty values and strict about missing ones.
pub fn logon(enet: &Enet, company: &str) -> Request<String> {
    let parameters = [
        ("Operator", enet.operator.as_str()),
        ("OperatorPassword", enet.operator_password.expose()),
        ("CompanyId", company),
        ("CompanyPassword", enet.company_password.expose()),
    ];
    get(enet, "Logon", &parameters)
}

pub fn logoff(enet: &Enet, session: &Secret) -> Request<String> {
    get(enet, "Logoff", &[("UserId", session.expose())])
}

/// Needs no session: whether there is an e.net at all.
pub fn version(enet: &Enet) -> Request<String> {
    get(enet, "GetVersion", &[])
}

pub fn profile(enet: &Enet, session: &Secret) -> Request<String> {
    get(enet, "GetLogonProfile", &[("UserId", session.expose())])
}

/// Asks a business object of the Query class, which changes nothing.
pub fn query(enet: &Enet, session: &Secret, object: &str, xml: &str) -> Request<String> {
    let parameters = [
        ("UserId", session.expose()),
        ("BusinessObject", object),
        ("XmlIn", xml),
    ];
    get(enet, "Query/Query", &parameters)
}

/// The session's id. It comes padded with blanks, at some sites in quotes.
///
/// # Errors
/// Who or what was refused, as a [`code`].
pub fn read_logon(response: &Response<Vec<u8>>) -> Result<Secret, Fault> {
    let text = text(response, why_no_logon)?;
    let id = text.trim_matches(|letter: char| letter == '"' || letter.is_whitespace());
    let is_id = (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_id {
        true => Ok(Secret::new(id)),
        false => Err(unreadable(&shape(&text, "a session id"))),
    }
}

/// # Errors
/// Whatever answered is no e.net.
pub fn read_version(response: &Response<Vec<u8>>) -> Result<(), Fault> {
    let text = text(response, why_not)?;
    let version = text.trim_matches(|letter: char| letter == '"' || letter.is_whitespace());
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    match !version.is_empty() && version.len() <= 32 && version.bytes().all(plain) {
        true => Ok(()),
        false => Err(unreadable(&shape(&text, "a version"))),
    }
}

/// # Errors
/// As [`read_rows`].
pub fn read_profile(response: &Response<Vec<u8>>) -> Result<Profile, Fault> {
    let profile = document(response)?;
    Ok(Profile {
        local_currency: profile.field("LocalCurrencyCode").to_owned(),
    })
}

/// The document of an answer, unless some element of it is refused.
fn document(response: &Response<Vec<u8>>) -> Result<Element, Fault> {
    let text = text(response, why_not)?;
    let root = Element::parse(&text).ok_or_else(|| unreadable(&shape(&text, "a document")))?;
    match root.holder("ErrorNumber") {
        Some(element) => Err(business_error(element)),
        None => Ok(root),
    }
}

/// What an object says against one element of what it was asked: its number and the element. The
/// description quotes values.
fn business_error(element: &Element) -> Fault {
    let plain = |text: &&str| {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !text.is_empty() && text.len() <= 40 && text.bytes().all(sign)
    };
    let number = Some(element.field("ErrorNumber")).filter(plain);
    Fault::Refused {
        system: SYSTEM,
        status: StatusCode::OK.as_u16(),
        refusal: Box::new(Refusal {
            field: Some(element.name.as_str()).filter(plain).map(str::to_owned),
            ..Refusal::coded(&format!("error_{}", number.unwrap_or("unknown")))
        }),
    }
}

fn get(enet: &Enet, path: &str, parameters: &[(&str, &str)]) -> Request<String> {
    let mut url = format!("{}/{path}", enet.url.trim_end_matches('/'));
    for (at, (name, value)) in parameters.iter().enumerate() {
        let sign = if at == 0 { '?' } else { '&' };
        url.push(sign);
        url.push_str(name);
        url.push('=');
        url.extend(utf8_percent_encode(value, ENCODED));
    }
    let mut request = Request::new(String::new());
    // What no URI can hold asks for `/`, which no client sends anywhere.
    *request.uri_mut() = url.parse().unwrap_or_default();
    request
}

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The answer's text, unless it is a refusal; `why` names that in a code of ours.
fn text(response: &Response<Vec<u8>>, why: fn(&str) -> Fault) -> Result<Cow<'_, str>, Fault> {
    if !response.status().is_success() {
        return Err(not_enet(response));
    }
    let text = CP1252.decode_lossy(response.body());
    let said = text.trim_matches(|letter: char| letter == '"' || letter.is_whitespace());
    let refused = said
        .get(..5)
        .is_some_and(|begin| begin.eq_ignore_ascii_case("ERROR"));
    match refused {
        true => Err(why(&said.to_lowercase())),
        false => Ok(text),
    }
}

const ENDED: &str = "supplied userid is invalid";

/// The words are documented for the password only; of the others we know what they are about.
fn why_no_logon(said: &str) -> Fault {
    let about = |word: &str| said.contains(word);
    let code = if about("password") && about("company") {
        code::COMPANY_PASSWORD
    } else if about("password") {
        code::OPERATOR_PASSWORD
    } else if about("licen") || about("concurrent") || about("maximum") || about("users") {
        code::SEATS_FULL
    } else if about("company") {
        code::COMPANY
    } else if about("operator") {
        code::OPERATOR
    } else {
        code::LOGON
    };
    refused(code)
}

fn why_not(said: &str) -> Fault {
    if said.contains(ENDED) {
        Fault::SessionEnded
    } else if said.contains("100000") || said.contains("licen") {
        refused(code::NOT_LICENSED)
    } else {
        refused(code::OBJECT)
    }
}

pub fn refused(code: &str) -> Fault {
    Fault::Refused {
        system: SYSTEM,
        status: StatusCode::OK.as_u16(),
        refusal: Box::new(Refusal::coded(code)),
    }
}

/// SYSPRO answers 200 whatever it says: this is the web server, or what stands in front of it.
fn not_enet(response: &Response<Vec<u8>>) -> Fault {
    super::said_no(SYSTEM, response, None, |response| {
        format!("http_{}", response.status().as_u16())
    })
}

fn unreadable(shape: &str) -> Fault {
    Fault::Unreadable {
        system: SYSTEM,
        shape: shape.to_owned(),
    }
}

/// What kind of thing came instead, without quoting it.
fn shape(text: &str, instead_of: &str) -> String {
    let text = text.trim_start().to_lowercase();
    let length = text.len();
    let what = if text.is_empty() {
        "nothing".to_owned()
    } else if text.starts_with("<!doctype html") || text.starts_with("<html") {
        format!("an HTML page of {length} bytes")
    } else if text.starts_with('<') {
        format!("XML of {length} bytes")
    } else {
        format!("a text of {length} bytes")
    };
    format!("{what} instead of {instead_of}")
}

#[cfg(test)]
mod tests;
