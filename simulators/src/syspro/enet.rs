//! The e.net service: sessions, and the queries that run under them.
//!
//! Every answer is status 200 and raw bytes, errors too: they are text that starts with `ERROR`.

use encoding_rs::WINDOWS_1252;
use http::header::SERVER;
use http::{HeaderValue, StatusCode};

use super::{Asked, Server, comfnd, page, reply};
use crate::{Millis, Response};

/// One operator's logon.
pub(super) struct Session {
    id: String,
    operator: String,
    seen: Millis,
}

const NO_SESSION: &str = "The supplied UserID is invalid. Either you were not logged in; or your \
     session has expired. You will need to logon again.";

/// http.sys takes no longer request line.
const LONGEST_QUERY: usize = 16 * 1_024;

pub(super) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"Windows-1252\"?>\n";

impl Server {
    pub(super) fn enet(&mut self, now: Millis, asked: &Asked) -> Response {
        let length = asked.request.uri().query().map_or(0, str::len);
        if length > LONGEST_QUERY {
            return page(400);
        }
        let path: Vec<_> = asked
            .path
            .iter()
            .map(|part| part.to_ascii_lowercase())
            .collect();
        let answer = match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["logon"] => self.logon(now, asked),
            ["logoff"] => self.logoff(asked),
            ["getversion"] => {
                self.count("GetVersion");
                Ok("7.0.0.6".to_owned())
            }
            ["getlogonprofile"] => {
                self.count("GetLogonProfile");
                self.session(now, asked).map(|()| self.profile())
            }
            ["query", "query"] => self.session_query(now, asked),
            _ => return page(404),
        };
        raw(&answer.unwrap_or_else(|message| format!("ERROR: {message}")))
    }

    fn logon(&mut self, now: Millis, asked: &Asked) -> Result<String, String> {
        self.count("Logon");
        let given = |name| asked.parameter(name).unwrap_or_default();
        let known = &self.credentials;
        let operator = given("Operator");
        let refusal = if !operator.eq_ignore_ascii_case(&known.operator) {
            Some("Invalid operator")
        } else if given("OperatorPassword") != known.operator_password {
            Some("Invalid operator password")
        } else if !given("CompanyId").eq_ignore_ascii_case(&known.company) {
            Some("Invalid company id")
        } else if given("CompanyPassword") != known.company_password {
            Some("Invalid company password")
        } else if self.quirks.seats_full {
            Some("The maximum number of concurrent users has been reached")
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err(refusal.to_owned());
        }
        // One session an operator: the one before is gone.
        self.sessions
            .retain(|session| !session.operator.eq_ignore_ascii_case(operator));
        self.logons += 1;
        let mut rng = fastrand::Rng::with_seed(self.logons);
        let id = format!("{:032X}00", rng.u128(..));
        let answer = if self.quirks.quoted_session {
            format!("\"{id}  \"")
        } else {
            format!("{id}  ")
        };
        self.sessions.push(Session {
            id,
            operator: operator.to_owned(),
            seen: now,
        });
        Ok(answer)
    }

    fn logoff(&mut self, asked: &Asked) -> Result<String, String> {
        self.count("Logoff");
        let id = asked.parameter("UserId").unwrap_or_default().trim();
        let before = self.sessions.len();
        self.sessions.retain(|session| session.id != id);
        if self.sessions.len() == before {
            let text = "Unable to read the SYSPRO base directory registry string BaseDir";
            return Err(format!("{text}{}", id.chars().rev().nth(1).unwrap_or('0')));
        }
        Ok("0".to_owned())
    }

    /// Finds the caller's session and renews it.
    fn session(&mut self, now: Millis, asked: &Asked) -> Result<(), String> {
        let idle = self.quirks.session_idle;
        self.sessions.retain(|session| now - session.seen <= idle);
        let id = asked.parameter("UserId").unwrap_or_default().trim();
        let session = self.sessions.iter_mut().find(|session| session.id == id);
        let session = session.ok_or(NO_SESSION)?;
        session.seen = now;
        Ok(())
    }

    fn session_query(&mut self, now: Millis, asked: &Asked) -> Result<String, String> {
        let object = asked.parameter("BusinessObject").unwrap_or_default();
        let input = asked.parameter("XmlIn").unwrap_or_default();
        if object != "COMFND" {
            self.count(object);
            self.session(now, asked)?;
            return Err(format!("Business object '{object}' could not be invoked"));
        }
        let search = comfnd::read(input);
        match &search {
            Ok(search) => self.count(&format!("COMFND {}", search.table)),
            Err(_) => self.count("COMFND"),
        }
        self.session(now, asked)?;
        if self.quirks.unlicensed {
            return Err("e.net exception 100000 - COMFND is not licensed".to_owned());
        }
        comfnd::answer(&search?, &self.data, &self.quirks)
    }

    fn profile(&self) -> String {
        let known = &self.credentials;
        format!(
            "{DECLARATION}<UserProfile>\n\
             <CompanyName>The Outdoors Company</CompanyName>\n\
             <CompanyId>{}</CompanyId>\n\
             <OperatorCode>{}</OperatorCode>\n\
             <OperatorGroup>ADMIN</OperatorGroup>\n\
             <DefaultArBranch>10</DefaultArBranch>\n\
             <LocalCurrencyCode>$</LocalCurrencyCode>\n\
             <CurrencyDescription>Local currency</CurrencyDescription>\n\
             <DecimalFormat>1</DecimalFormat>\n\
             <DateFormat>01</DateFormat>\n\
             <SysproVersion>8.0.000</SysproVersion>\n\
             <EnetVersion>7.0.0.6</EnetVersion>\n\
             </UserProfile>\n ",
            known.company, known.operator
        )
    }
}

fn raw(text: &str) -> Response {
    // What the code page lacks leaves as a character reference.
    let (bytes, ..) = WINDOWS_1252.encode(text);
    let mut response = reply(
        StatusCode::OK,
        "application/octet-stream",
        bytes.into_owned(),
    );
    let server = HeaderValue::from_static("Microsoft-HTTPAPI/2.0");
    response.headers_mut().insert(SERVER, server);
    response
}
