//! Answers and errors, in the one form the API gives them.

use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::MAX_BODY;
use crate::{connection::Problem, store::connections::Stored, tick::Turns};

#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Value,
    /// What a queue is to be told: with none, the next tick does what was asked for.
    pub turns: Option<Turns>,
}

/// What went wrong with a request, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: &'static str,
    pub message: String,
    pub remedy: String,
    pub details: Option<Value>,
    /// What a 405 must name.
    allow: &'static [Method],
}

impl Reply {
    pub fn new(status: StatusCode, body: Value) -> Self {
        let turns = None;
        Self {
            status,
            body,
            turns,
        }
    }

    /// Was asked of a connection that is to have its turn at once.
    pub fn wakes(self, connection: &Stored) -> Self {
        let turns = Some(Turns::one(&connection.portal, &connection.id));
        Self { turns, ..self }
    }

    pub fn ok(body: Value) -> Self {
        Self::new(StatusCode::OK, body)
    }

    pub fn into_response(self) -> http::Response<String> {
        let text = if self.status == StatusCode::NO_CONTENT {
            String::new()
        } else {
            self.body.to_string()
        };
        let mut response = http::Response::new(text);
        *response.status_mut() = self.status;
        for (name, value) in [
            (header::CONTENT_TYPE, "application/json; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        if let Some(turns) = self.turns {
            response.extensions_mut().insert(turns);
        }
        response
    }
}

impl ApiError {
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            remedy: remedy.into(),
            details: None,
            allow: &[],
        }
    }

    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// `what` in the singular: "route", "connection", "run", "record".
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what}."),
            "Check the path.",
        )
    }

    pub fn method_not_allowed(allow: &'static [Method]) -> Self {
        Self {
            allow,
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The route does not have this method.",
                format!("Use {}.", listed(allow)),
            )
        }
    }

    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "The admin token is missing or wrong.",
            "Send the header `Authorization: Bearer <ADMIN_TOKEN>`.",
        )
    }

    /// Everything wrong with a body or a query.
    pub fn invalid(problems: &[Problem]) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            problems_in_words(problems),
            "Correct what `details` names and send it again.",
        )
        .with_details(json!(problems))
    }

    /// What a patch may not change.
    pub fn fixed(problems: &[Problem]) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            problems_in_words(problems),
            "Make a new connection.",
        )
        .with_details(json!(problems))
    }

    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("The body is over {MAX_BODY} bytes."),
            "Send less in one request.",
        )
    }

    pub fn unreadable() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            "The request's address or body cannot be read as text.",
            "Send it as UTF-8.",
        )
    }

    /// The deployment lacks what nothing works without; every problem by name, never by value.
    pub fn misconfigured(problems: &[String]) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "misconfigured",
            "The deployment is not set up.",
            "Set what `details` names and deploy again.",
        )
        .with_details(json!(problems))
    }

    pub fn into_response(self) -> http::Response<String> {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
        });
        if let Some(details) = self.details {
            error["details"] = details;
        }
        let mut response = Reply::new(self.status, json!({ "error": error })).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let (false, Ok(allow)) = (self.allow.is_empty(), listed(self.allow).parse()) {
            headers.insert(header::ALLOW, allow);
        }
        response
    }
}

fn listed(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    names.join(", ")
}

fn problems_in_words(problems: &[Problem]) -> String {
    match problems {
        [problem] => format!("{} {}.", problem.path, problem.reason),
        _ => format!("{} things are wrong.", problems.len()),
    }
}
