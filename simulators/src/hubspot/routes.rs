//! From method and path to a handler, the window it counts in and the scope it needs.

use percent_encoding::percent_decode_str;

use super::account::Need;
use super::associations::labels;
use super::errors::Refusal;
use super::rates::Lane;
use super::wire::{Call, Reply, Version};
use super::{Crm, Kind};
use crate::Request;

type Handler = Box<dyn FnOnce(&mut Crm, &Call<'_>) -> Result<Reply, Refusal>>;

pub enum Run {
    Crm(Handler),
    /// What was asked today: the portal knows, not the CRM.
    Usage,
    /// Buying an access token needs none.
    Token,
}

pub struct Route {
    /// What the call is counted as: ids become `{id}`.
    pub label: String,
    pub version: Version,
    pub lane: Lane,
    pub need: Need,
    pub run: Run,
}

/// What an area makes of the rest of a path.
struct Found {
    label: String,
    lane: Lane,
    need: Need,
    run: Run,
}

fn found<F>(label: impl Into<String>, need: Need, run: F) -> Found
where
    F: FnOnce(&mut Crm, &Call<'_>) -> Result<Reply, Refusal> + 'static,
{
    Found {
        label: label.into(),
        lane: Lane::General,
        need,
        run: Run::Crm(Box::new(run)),
    }
}

impl Found {
    fn lane(mut self, lane: Lane) -> Found {
        self.lane = lane;
        self
    }
}

pub fn route(request: &Request) -> Result<Route, Refusal> {
    let segments: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .skip(1)
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = request.method().as_str();
    let (version, found) = match parts.as_slice() {
        ["crm", "objects", version, of, rest @ ..] => (version, objects(method, kind(of)?, rest)?),
        ["crm", "associations", version, from, to, rest @ ..] => {
            (version, links(method, kind(from)?, kind(to)?, rest)?)
        }
        ["crm", "properties", version, of, rest @ ..] => {
            (version, properties(method, kind(of)?, rest)?)
        }
        ["crm", "limits", version, "custom-properties"] if method == "GET" => (
            version,
            found("limits/custom-properties", Need::Nothing, |crm, _| {
                Ok(crm.property_limits())
            }),
        ),
        ["account-info", version, "details"] if method == "GET" => (
            version,
            found("account-info/details", Need::Nothing, |crm, _| {
                Ok(crm.details())
            }),
        ),
        [
            "account-info",
            version,
            "api-usage",
            "daily",
            "private-apps",
        ] if method == "GET" => (version, special("account-info/api-usage", Run::Usage)),
        ["oauth", "v2", "private-apps", "get", "access-token-info"] if method == "POST" => (
            &"2026-09",
            found("oauth/access-token-info", Need::Nothing, |crm, call| {
                crm.token_info(call)
            }),
        ),
        ["oauth", version, "token"] if method == "POST" => {
            (version, special("oauth/token", Run::Token))
        }
        _ => return Err(Refusal::not_found()),
    };
    let version = Version::named(version).ok_or_else(Refusal::not_found)?;
    Ok(Route {
        label: format!("{method} {}", found.label),
        version,
        lane: found.lane,
        need: found.need,
        run: found.run,
    })
}

fn special(label: &str, run: Run) -> Found {
    Found {
        label: label.into(),
        lane: Lane::General,
        need: Need::Nothing,
        run,
    }
}

fn kind(name: &str) -> Result<Kind, Refusal> {
    Kind::named(name)
        .ok_or_else(|| Refusal::invalid(format!("Unable to infer object type from: {name}")))
}

fn objects(method: &str, kind: Kind, rest: &[&str]) -> Result<Found, Refusal> {
    let plural = kind.plural();
    let (read, write) = (Need::Read(kind), Need::Write(kind));
    let found = match (method, rest) {
        ("GET", []) => found(plural, read, move |crm, call| crm.list(call, kind)),
        ("POST", []) => found(plural, write, move |crm, call| crm.create(call, kind)),
        ("POST", ["batch", what]) => batch(kind, what)?,
        ("POST", ["search"]) => found(format!("{plural}/search"), read, move |crm, call| {
            crm.search(call, kind)
        })
        .lane(Lane::Search),
        ("POST", ["merge"]) => found(format!("{plural}/merge"), write, move |crm, call| {
            crm.merge_call(call, kind)
        }),
        (_, [id]) => one(method, kind, (*id).to_owned())?,
        (_, [id, "associations", rest @ ..]) => record_links(method, kind, id, rest)?,
        _ => return Err(Refusal::not_found()),
    };
    Ok(found)
}

fn batch(kind: Kind, what: &str) -> Result<Found, Refusal> {
    let label = format!("{}/batch/{what}", kind.plural());
    let (read, write) = (Need::Read(kind), Need::Write(kind));
    let found = match what {
        "read" => found(label, read, move |crm, call| crm.batch_read(call, kind)),
        "create" => found(label, write, move |crm, call| crm.batch_create(call, kind)),
        "update" => found(label, write, move |crm, call| crm.batch_update(call, kind)),
        "upsert" => found(label, write, move |crm, call| crm.batch_upsert(call, kind)),
        "archive" => found(label, write, move |crm, call| crm.batch_archive(call, kind)),
        _ => return Err(Refusal::not_found()),
    };
    Ok(found)
}

fn one(method: &str, kind: Kind, id: String) -> Result<Found, Refusal> {
    let label = format!("{}/{{id}}", kind.plural());
    let (read, write) = (Need::Read(kind), Need::Write(kind));
    let found = match method {
        "GET" => found(label, read, move |crm, call| crm.read(call, kind, &id)),
        "PATCH" => found(label, write, move |crm, call| crm.update(call, kind, &id)),
        "DELETE" => found(label, write, move |crm, call| crm.delete(call, kind, &id)),
        _ => return Err(Refusal::bare(405, "Method Not Allowed")),
    };
    Ok(found)
}

fn record_links(method: &str, from: Kind, id: &str, rest: &[&str]) -> Result<Found, Refusal> {
    let id = id.to_owned();
    let found = match (method, rest) {
        ("GET", [to]) => {
            let to = kind(to)?;
            let label = format!("{}/{{id}}/associations/{}", from.plural(), to.plural());
            found(label, Need::ReadBoth(from, to), move |crm, call| {
                crm.record_links(call, from, &id, to)
            })
        }
        ("PUT", ["default", to, to_id]) => {
            let (to, to_id) = (kind(to)?, (*to_id).to_owned());
            let (plural, other) = (from.plural(), to.plural());
            let label = format!("{plural}/{{id}}/associations/default/{other}/{{id}}");
            found(label, Need::WriteBoth(from, to), move |crm, call| {
                crm.link_one_default(call, (from, &id), (to, &to_id))
            })
        }
        ("PUT" | "DELETE", [to, to_id]) => {
            let (to, to_id) = (kind(to)?, (*to_id).to_owned());
            let (plural, other) = (from.plural(), to.plural());
            let label = format!("{plural}/{{id}}/associations/{other}/{{id}}");
            let put = method == "PUT";
            found(label, Need::WriteBoth(from, to), move |crm, call| {
                if put {
                    crm.link_one(call, (from, &id), (to, &to_id))
                } else {
                    Ok(crm.unlink_one((from, &id), (to, &to_id)))
                }
            })
        }
        _ => return Err(Refusal::not_found()),
    };
    Ok(found.lane(Lane::Associations))
}

fn links(method: &str, from: Kind, to: Kind, rest: &[&str]) -> Result<Found, Refusal> {
    let label = format!(
        "associations/{}/{}/{}",
        from.plural(),
        to.plural(),
        rest.join("/")
    );
    let (read, write) = (Need::ReadBoth(from, to), Need::WriteBoth(from, to));
    let found = match (method, rest) {
        ("GET", ["labels"]) => found(label, read, move |_, _| Ok(labels(from, to))),
        ("POST", ["batch", "read"]) => {
            found(label, read, move |crm, call| crm.links_read(call, from, to))
        }
        ("POST", ["batch", "create"]) => found(label, write, move |crm, call| {
            crm.links_create(call, from, to)
        }),
        ("POST", ["batch", "associate", "default"]) => found(label, write, move |crm, call| {
            crm.links_default(call, from, to)
        }),
        ("POST", ["batch", "archive"]) => found(label, write, move |crm, call| {
            crm.links_archive(call, from, to)
        }),
        ("POST", ["batch", "labels", "archive"]) => found(label, write, move |crm, call| {
            crm.labels_archive(call, from, to)
        }),
        _ => return Err(Refusal::not_found()),
    };
    Ok(found.lane(Lane::Associations))
}

fn properties(method: &str, kind: Kind, rest: &[&str]) -> Result<Found, Refusal> {
    let area = format!("properties/{}", kind.plural());
    let (read, write) = (Need::ReadSchema(kind), Need::WriteSchema(kind));
    let found = match (method, rest) {
        ("GET", []) => found(area, read, move |crm, call| {
            Ok(crm.list_properties(call, kind))
        }),
        ("POST", []) => found(area, write, move |crm, call| {
            crm.create_property(call, kind)
        }),
        ("POST", ["batch", "create"]) => {
            found(format!("{area}/batch/create"), write, move |crm, call| {
                crm.create_properties(call, kind)
            })
        }
        ("POST", ["batch", "read"]) => {
            found(format!("{area}/batch/read"), read, move |crm, call| {
                crm.read_properties(call, kind)
            })
        }
        ("POST", ["batch", "archive"]) => {
            found(format!("{area}/batch/archive"), write, move |crm, call| {
                crm.archive_properties(call, kind)
            })
        }
        ("GET", ["groups"]) => found(format!("{area}/groups"), read, move |crm, _| {
            Ok(crm.list_groups(kind))
        }),
        ("POST", ["groups"]) => found(format!("{area}/groups"), write, move |crm, call| {
            crm.create_group(call, kind)
        }),
        ("GET", ["groups", group]) => {
            let group = (*group).to_owned();
            found(format!("{area}/groups/{{name}}"), read, move |crm, _| {
                crm.read_group(kind, &group)
            })
        }
        (_, [name]) => property(method, kind, (*name).to_owned())?,
        _ => return Err(Refusal::not_found()),
    };
    Ok(found)
}

fn property(method: &str, kind: Kind, name: String) -> Result<Found, Refusal> {
    let label = format!("properties/{}/{{name}}", kind.plural());
    let (read, write) = (Need::ReadSchema(kind), Need::WriteSchema(kind));
    let found = match method {
        "GET" => found(label, read, move |crm, _| crm.read_property(kind, &name)),
        "PATCH" => found(label, write, move |crm, call| {
            crm.change_property(call, kind, &name)
        }),
        "DELETE" => found(label, write, move |crm, _| {
            Ok(crm.archive_property(kind, &name))
        }),
        _ => return Err(Refusal::bare(405, "Method Not Allowed")),
    };
    Ok(found)
}
