//! Who asks, what they may do, and what the account says of itself.

use serde_json::json;

use super::errors::Refusal;
use super::options::Token;
use super::values::instant;
use super::{Call, Crm, Kind, Portal, Reply};
use crate::{Millis, Request};

const ACCESS_LASTS: Millis = 1_800_000;

/// What a call needs a scope for.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    Nothing,
    Read(Kind),
    Write(Kind),
    ReadSchema(Kind),
    WriteSchema(Kind),
    ReadBoth(Kind, Kind),
    WriteBoth(Kind, Kind),
}

impl Need {
    /// Groups of scopes: one of each group is needed.
    fn scopes(self) -> Vec<Vec<String>> {
        let object = |kind: Kind, verb: &str| vec![format!("crm.objects.{}.{verb}", kind.plural())];
        match self {
            Need::Nothing => Vec::new(),
            Need::Read(kind) => vec![object(kind, "read")],
            Need::Write(kind) => vec![object(kind, "write")],
            Need::ReadBoth(one, other) => vec![object(one, "read"), object(other, "read")],
            Need::WriteBoth(one, other) => vec![object(one, "write"), object(other, "write")],
            Need::ReadSchema(Kind::LineItem) => vec![vec![
                "crm.schemas.line_items.read".into(),
                "e-commerce".into(),
            ]],
            // No `crm.schemas.line_items.write` exists: the trap of line item definitions.
            Need::WriteSchema(Kind::LineItem) => vec![vec!["e-commerce".into()]],
            Need::ReadSchema(kind) => vec![vec![format!("crm.schemas.{}.read", kind.plural())]],
            Need::WriteSchema(kind) => vec![vec![format!("crm.schemas.{}.write", kind.plural())]],
        }
    }
}

pub fn check_scopes(token: &Token, need: Need) -> Result<(), Refusal> {
    let missing = need
        .scopes()
        .into_iter()
        .find(|any| !any.iter().any(|scope| token.scopes.contains(scope)));
    missing.map_or(Ok(()), |scopes| Err(Refusal::missing_scopes(scopes)))
}

pub fn expired(at: Millis) -> Refusal {
    Refusal::new(
        401,
        "EXPIRED_AUTHENTICATION",
        "The OAuth token used to make this call expired 0 second(s) ago.",
    )
    .with("expire time", vec![instant(at)])
}

impl Portal {
    pub(super) fn authenticate(&self, now: Millis, request: &Request) -> Result<&Token, Refusal> {
        let header = request.headers().get("authorization");
        let secret = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let known = self
            .crm
            .options
            .tokens
            .iter()
            .find(|token| Some(token.secret.as_str()) == secret);
        let Some(token) = known else {
            return Err(Refusal::new(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            ));
        };
        match token.expires_at {
            Some(at) if at <= now => Err(expired(at)),
            _ => Ok(token),
        }
    }

    /// How much of the day is used up, as the account information API tells it.
    pub(super) fn daily_usage(&self, now: Millis) -> Reply {
        let (used, resets) = self.rates.usage();
        Reply::json(
            200,
            &json!({ "results": [{
                "name": "private-apps-api-calls-daily",
                "usageLimit": self.crm.options.limits.daily,
                "currentUsage": used,
                "collectedAt": instant(now),
                "fetchStatus": "SUCCESS",
                "resetsAt": instant(resets),
            }] }),
        )
    }
}

impl Crm {
    pub(super) fn details(&self) -> Reply {
        let options = &self.options;
        let minutes = options.utc_offset_ms / 60_000;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        Reply::json(
            200,
            &json!({
                "portalId": options.portal_id,
                "accountType": options.account_type,
                "timeZone": options.time_zone,
                "companyCurrency": options.company_currency,
                "additionalCurrencies": options.additional_currencies,
                "utcOffset": format!("{sign}{hours:02}:{rest:02}"),
                "utcOffsetMilliseconds": options.utc_offset_ms,
                "uiDomain": options.ui_domain,
                "dataHostingLocation": "na1",
            }),
        )
    }

    /// What a static token may do, told to whoever has it.
    pub(super) fn token_info(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Asked {
            token_key: String,
        }
        let asked: Asked = self.parse(call)?;
        let mut tokens = self.options.tokens.iter();
        let token = tokens
            .find(|token| token.secret == asked.token_key && self.options.tells_scopes)
            .ok_or_else(Refusal::not_found)?;
        Ok(Reply::json(
            200,
            &json!({
                "userId": 1,
                "hubId": self.options.portal_id,
                "appId": 1,
                "scopes": token.scopes,
            }),
        ))
    }

    /// Buys an access token with the refresh token, which stays as it is.
    pub(super) fn token(&mut self, call: &Call<'_>) -> Reply {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(call.body.as_bytes())
            .into_owned()
            .collect();
        let field = |name: &str| {
            let field = form.iter().find(|(key, _)| key == name);
            field.map(|(_, value)| value.as_str())
        };
        let Some(app) = &self.options.oauth else {
            return oauth_refusal("invalid_client", "unknown client", "BAD_CLIENT_ID");
        };
        if field("client_id") != Some(&app.client_id) {
            return oauth_refusal("invalid_client", "unknown client", "BAD_CLIENT_ID");
        }
        if field("client_secret") != Some(&app.client_secret) {
            return oauth_refusal("invalid_client", "bad client secret", "BAD_CLIENT_SECRET");
        }
        let refresh = field("refresh_token").filter(|given| *given == app.refresh_token);
        let (Some("refresh_token"), Some(_)) = (field("grant_type"), refresh) else {
            let why = "refresh token is invalid, expired or revoked";
            return oauth_refusal("invalid_grant", why, "BAD_REFRESH_TOKEN");
        };
        let token = Token {
            secret: format!("access-{:016x}", self.rng.u64(..)),
            scopes: app.scopes.clone(),
            expires_at: Some(call.now + ACCESS_LASTS),
            oauth: true,
        };
        let reply = Reply::json(
            200,
            &json!({
                "token_type": "bearer",
                "access_token": token.secret,
                "refresh_token": app.refresh_token,
                "expires_in": ACCESS_LASTS / 1_000,
                "hub_id": self.options.portal_id,
                "scopes": token.scopes,
                "token_use": "access_token",
            }),
        );
        self.options.tokens.push(token);
        reply
    }
}

fn oauth_refusal(error: &str, why: &str, status: &str) -> Reply {
    Reply::json(
        400,
        &json!({
            "error": error, "error_description": why, "status": status, "message": why,
        }),
    )
}
