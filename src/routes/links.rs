//! `POST /connections/{id}/links`: a person says which record of HubSpot's a customer is.
//!
//! It is looked at at once and taken over by the next run, which first takes our key from the record it
//! was before. Linking it elsewhere undoes it.

use http::StatusCode;
use serde_json::{Value, json};

use super::{ApiError, Reply, database, parsed, records::url, stored};
use crate::{
    config::Config,
    connection::{
        Connection, Problem,
        reader::{self, Rule},
    },
    credentials,
    feeds::CUSTOMERS,
    hubspot::{
        Api, Kind,
        account::Account,
        objects::{self, Found},
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt, Sender},
    store::{
        overtake,
        records::{self, Selection},
        targets::{self, Target},
    },
    typed,
};

struct Body {
    feed: String,
    key: String,
    hubspot_id: Option<Value>,
    kind: Option<Kind>,
}

const TEXT: Rule = Rule {
    holds: |text| !text.is_empty(),
    reason: "is empty",
    remedy: r#"Send {"feed":"customers","key":"EDU1/0000123","hubspot_id":"512345"}; "kind" may be added."#,
};

pub async fn link<P: Platform>(
    platform: &P,
    config: &Config,
    id: &str,
    body: &str,
) -> Result<Reply, ApiError> {
    let asked = Link::parse(body).map_err(|problems| ApiError::invalid(&problems))?;
    let stored = stored(platform, id).await?;
    let connection = credentials::open(&config.keys, &stored).map_err(|reason| {
        let status = StatusCode::CONFLICT;
        ApiError::new(status, credentials::SEALED, reason.reason, reason.remedy)
    })?;
    let known = records::one(id, &asked.feed, &asked.key);
    let rows = database(platform, known.to_vec()).await?;
    if rows.first().is_none_or(Vec::is_empty) {
        return Err(ApiError::not_found("record"));
    }
    if asked.target.kind == Kind::Contact && !has_contact(&rows) {
        return Err(ApiError::invalid(&[no_contact()]));
    }
    let found = look(platform, config, &connection, &asked).await?;
    let key = format!("{}key", connection.hubspot.prefix);
    if let Some(holder) = found.properties.get(&key)
        && *holder != asked.target.object_key
    {
        return Err(belongs_to(Some(holder), &asked));
    }
    let mut target = asked.target.clone();
    target.hubspot_id = Some(found.id.clone());
    let record = (asked.feed.clone(), asked.key.clone());
    // A run under way may be writing this very record: what it says of it is not believed.
    let link = targets::link(id, &asked.key, &target, &key);
    let rows = database(platform, vec![link, overtake(&stored.portal)]).await?;
    let Some(linked) = rows.first().and_then(|rows| rows.first()) else {
        return Err(belongs_to(None, &asked));
    };
    // Cut off before this, nobody was told of a link, and whoever asks again gets the whole.
    let (record, now) = (Selection::Records(vec![record]), platform.now());
    database(platform, records::replay(id, &record, now).to_vec()).await?;
    let account: Option<Account> = typed::from_value(parsed(stored.account.as_deref())).ok();
    let url = account.and_then(|account| url(&account, asked.target.kind, &found.id));
    let reply = Reply::new(
        StatusCode::ACCEPTED,
        json!({
            "feed": asked.feed,
            "key": asked.key,
            "kind": asked.target.kind,
            "hubspot_id": found.id,
            "url": url,
            "former": linked["former"],
        }),
    );
    Ok(reply.wakes(&stored))
}

struct Link {
    feed: String,
    key: String,
    /// With the id as it was asked for.
    target: Target,
    hubspot_id: String,
}

impl Link {
    /// # Errors
    /// Every problem, with its path.
    fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let body = reader::body(text, |fields| Body {
            feed: fields.text("feed", &TEXT),
            key: fields.text("key", &TEXT),
            hubspot_id: fields.value("hubspot_id"),
            kind: fields.choice("kind", &[Kind::Company, Kind::Contact]),
        })?;
        let mut problems = Vec::new();
        let kinds: &[Kind] = match body.feed.as_str() {
            feed if feed == CUSTOMERS.name => &[Kind::Company, Kind::Contact],
            _ => {
                let remedy = "Use customers: the records of invoices are ours alone.";
                let reason = "cannot be linked by hand".to_owned();
                problems.push(Problem::new("feed", reason, remedy));
                &[]
            }
        };
        let kind = body.kind.or(kinds.first().copied());
        let hubspot_id = match &body.hubspot_id {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let digits = hubspot_id.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !(1..=20).contains(&hubspot_id.len()) {
            let remedy =
                "Copy the record id: the last number in the address of the record in HubSpot.";
            problems.push(Problem::new(
                "hubspot_id",
                "is not a record id".to_owned(),
                remedy,
            ));
        }
        let (Some(kind), true) = (kind, problems.is_empty()) else {
            return Err(problems);
        };
        let object_key = match kind {
            Kind::Contact => format!("{}/AR", body.key),
            _ => body.key.clone(),
        };
        Ok(Self {
            feed: body.feed,
            key: body.key,
            target: Target::new(kind, &object_key),
            hubspot_id,
        })
    }
}

/// Whether the customer has a contact, or will have one: its row, and what HubSpot has of it.
fn has_contact(rows: &[Vec<Value>]) -> bool {
    let settled = |row: &Value| matches!(row["status"].as_str(), Some("synced" | "excluded"));
    let mut known = rows.get(1).into_iter().flatten();
    !rows.iter().take(1).flatten().any(settled) || known.any(|it| it["kind"] == "contact")
}

fn no_contact() -> Problem {
    Problem::new(
        "kind",
        "cannot be contact: this customer is left out, and has no contact in HubSpot".to_owned(),
        "See the customer's reason (GET /connections/{id}/records/customers/{key}). Once nothing leaves it out any more, link its contact.",
    )
}

/// The record as it is now; one that was merged away leads to its survivor.
async fn look<P: Platform>(
    platform: &P,
    config: &Config,
    connection: &Connection,
    asked: &Link,
) -> Result<Found, ApiError> {
    let api = Api {
        url: connection.hubspot.api_url.clone(),
        version: connection.hubspot.api_version.clone(),
    };
    let kind = asked.target.kind;
    let key = format!("{}key", connection.hubspot.prefix);
    let request = objects::get(&api, kind, &asked.hubspot_id, &key);
    let sender = Sender::new(platform, connection, None, None, config.bounds);
    let found = sender
        .hubspot(Lane::General, Effect::Read, request, objects::read_one)
        .await;
    let why = match found {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => {
            let label = kind.label();
            return Err(ApiError::new(
                StatusCode::NOT_FOUND,
                "not_in_hubspot",
                format!("HubSpot has no {label} {}.", asked.hubspot_id),
                "Copy the record id from the record's address in HubSpot.",
            ));
        }
        Err(Halt::Fault(fault)) => (fault.sentence(), fault.remedy()),
        Err(Halt::Store(error)) => return Err(error.into()),
        Err(Halt::Spent(_)) => (
            "There was no time left to ask HubSpot.".to_owned(),
            "Try again in a minute.".to_owned(),
        ),
    };
    Err(ApiError::new(
        StatusCode::BAD_GATEWAY,
        "hubspot",
        why.0,
        why.1,
    ))
}

fn belongs_to(holder: Option<&String>, asked: &Link) -> ApiError {
    let (label, id, key) = (
        asked.target.kind.label(),
        &asked.hubspot_id,
        &asked.target.object_key,
    );
    let holder = match holder {
        Some(holder) => holder.as_str(),
        None => "another customer",
    };
    ApiError::new(
        StatusCode::CONFLICT,
        "linked_already",
        format!(
            "HubSpot's {label} {id} is the record of {holder}, so it cannot be the one of {key}."
        ),
        "Link that one to another record first, and wait until its next run has written it; or clear its key in HubSpot where it is nobody's any more.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, problems: &[&str]) {
        let read = Link::parse(body);
        let paths: Vec<String> = match read {
            Ok(_) => Vec::new(),
            Err(found) => found.into_iter().map(|problem| problem.path).collect(),
        };
        assert_eq!(paths, problems, "{body}");
    }

    #[test]
    fn a_link_names_a_record_of_each_side() {
        check(
            r#"{"feed":"customers","key":"EDU1/1","hubspot_id":"512"}"#,
            &[],
        );
        check(
            r#"{"feed":"customers","key":"EDU1/1","hubspot_id":512,"kind":"contact"}"#,
            &[],
        );
        check(
            r#"{"feed":"invoices","key":"EDU1/1/2/I","hubspot_id":"512"}"#,
            &["feed"],
        );
        check(
            r#"{"feed":"customers","key":"EDU1/1","hubspot_id":"../../owners"}"#,
            &["hubspot_id"],
        );
        check(
            r#"{"feed":"customers","key":"EDU1/1","hubspot_id":"5","kind":"invoice"}"#,
            &["kind"],
        );
        check(
            r#"{"feed":"deals","key":"1","hubspot_id":null}"#,
            &["feed", "hubspot_id"],
        );
        check(
            r#"{"feed":"customers","key":"1","hubspot_id":""}"#,
            &["hubspot_id"],
        );
        check(r#"{"feed":"customers","key":"1"}"#, &["hubspot_id"]);
        check(r#"{"hubspot_id":5}"#, &["feed", "key"]);
        check("[]", &["body"]);
        check(
            r#"{"feed":"customers","key":"1","hubspot_id":"5","other":1}"#,
            &["other"],
        );
    }
}
