//! What kind of portal this is, and how it behaves where HubSpot's behaviour is not certain.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::Millis;

/// Every uncertain fact is a switch; the default is its most likely reading.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    pub portal_id: u64,
    pub account_type: String,
    pub tokens: Vec<Token>,
    pub oauth: Option<OAuthApp>,
    pub company_currency: String,
    pub additional_currencies: Vec<String>,
    pub time_zone: String,
    pub utc_offset_ms: i64,
    pub ui_domain: String,
    pub limits: Limits,
    /// Requests with a longer path and query are answered 414.
    pub max_url: usize,
    /// Properties people have made required; enforced from version 2026-09 on.
    pub rules: Vec<PortalRule>,
    /// Search does not see what is younger than this.
    pub search_lag_ms: i64,

    /// Good results of a batch name the trace id of their input.
    pub echo_trace_ids: bool,
    /// Trace ids on every input let the good ones through (207).
    pub partial_batches: bool,
    /// A JSON number or boolean passes where a text is due.
    pub scalars_as_text: bool,
    pub taken_email: TakenEmail,
    pub taken_value: TakenValue,
    /// Custom unique values that differ only in case are different values.
    pub unique_case_matters: bool,
    /// Association calls also use up the general window.
    pub associations_use_general: bool,
    pub bad_pair: BadPair,
    /// `toObjectId` is a JSON number, not a text.
    pub numeric_object_ids: bool,
    /// `hs_number`, `hs_amount_billed`, `hs_payment_date` and the like can be written.
    pub invoice_amounts_writable: bool,
    /// An invoice billed elsewhere also needs a line before it leaves `draft`.
    pub strict_invoices: bool,
    /// A new invoice may be given a status other than `draft`.
    pub status_at_create: bool,
    /// The account has invoices at all.
    pub has_invoices: bool,
    /// A static token's scopes can be asked for.
    pub tells_scopes: bool,
    /// The portal setting "delete unpaid invoices".
    pub open_invoices_deletable: bool,
    /// 429 comes with `Retry-After`.
    pub retry_after: bool,
    /// New contacts bring a company made of their e-mail domain.
    pub companies_from_contacts: bool,
    /// A merge makes a new record; otherwise the winner keeps its id.
    pub merge_makes_new_id: bool,
    /// The id of a record that was merged away still reads its survivor in a batch.
    pub merged_ids_in_batch_read: bool,
}

/// A bearer token and what it may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub secret: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<Millis>,
    /// OAuth tokens see no daily figures.
    pub oauth: bool,
}

/// An OAuth app installed in the portal: its refresh token buys access tokens of 30 minutes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthApp {
    pub client_id: String,
    pub client_secret: String,
    pub refresh_token: String,
    pub scopes: Vec<String>,
}

/// How many calls fit into which window.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub general_in_ten_seconds: usize,
    pub associations_in_ten_seconds: usize,
    pub searches_in_a_second: usize,
    pub daily: u64,
}

impl Limits {
    pub const PROFESSIONAL: Limits = Limits {
        general_in_ten_seconds: 190,
        associations_in_ten_seconds: 150,
        searches_in_a_second: 5,
        daily: 625_000,
    };
    pub const FREE: Limits = Limits {
        general_in_ten_seconds: 100,
        associations_in_ten_seconds: 100,
        searches_in_a_second: 5,
        daily: 250_000,
    };
}

/// A property that people made required on their forms.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PortalRule {
    OnCreate {
        kind: Kind,
        property: String,
    },
    When {
        kind: Kind,
        other: String,
        equals: String,
        property: String,
    },
}

/// What a contact's e-mail gets that another contact holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenEmail {
    /// 409 `Contact already exists. Existing ID: N`.
    Conflict,
    /// 400 `Cannot set PropertyValueCoordinates{…}`.
    Coordinates,
}

/// What a custom unique value gets that another record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TakenValue {
    /// 400 `Cannot set PropertyValueCoordinates{…}`, without `errors`.
    Coordinates,
    /// 400 with the code `CONFLICTING_UNIQUE_VALUE`.
    Code,
}

/// What one bad pair does to an association batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadPair {
    FailsBatch,
    FailsAlone,
}

/// Everything the sync asks for; `e-commerce` is the one that opens line item definitions.
const SCOPES: [&str; 19] = [
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.invoices.read",
    "crm.objects.invoices.write",
    "crm.objects.line_items.read",
    "crm.objects.line_items.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.deals.read",
    "crm.schemas.deals.write",
    "crm.schemas.invoices.read",
    "crm.schemas.invoices.write",
    "e-commerce",
];

impl Token {
    /// A service key that may do all the sync needs.
    pub fn service_key(secret: &str) -> Token {
        let mut scopes: Vec<String> = SCOPES.map(String::from).to_vec();
        scopes.push("crm.schemas.line_items.read".into());
        Token {
            secret: secret.into(),
            scopes,
            expires_at: None,
            oauth: false,
        }
    }

    pub fn without(mut self, scope: &str) -> Token {
        self.scopes.retain(|granted| granted != scope);
        self
    }
}

impl Options {
    /// The token a portal accepts unless told otherwise.
    pub const TOKEN: &str = "pat-na1-00000000-0000-4000-8000-000000000001";

    /// Takes one scope away from every token.
    pub fn without_scope(mut self, scope: &str) -> Options {
        self.tokens = std::mem::take(&mut self.tokens)
            .into_iter()
            .map(|token| token.without(scope))
            .collect();
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            portal_id: 891_936_587,
            account_type: "STANDARD".into(),
            tokens: vec![Token::service_key(Options::TOKEN)],
            oauth: None,
            company_currency: "USD".into(),
            additional_currencies: vec!["EUR".into()],
            time_zone: "US/Eastern".into(),
            utc_offset_ms: -18_000_000,
            ui_domain: "app.hubspot.com".into(),
            limits: Limits::PROFESSIONAL,
            max_url: 8_000,
            rules: Vec::new(),
            search_lag_ms: 10_000,
            echo_trace_ids: true,
            partial_batches: true,
            scalars_as_text: false,
            taken_email: TakenEmail::Conflict,
            taken_value: TakenValue::Coordinates,
            unique_case_matters: true,
            associations_use_general: false,
            bad_pair: BadPair::FailsBatch,
            numeric_object_ids: true,
            invoice_amounts_writable: true,
            strict_invoices: false,
            status_at_create: true,
            has_invoices: true,
            tells_scopes: true,
            open_invoices_deletable: false,
            retry_after: false,
            companies_from_contacts: false,
            merge_makes_new_id: true,
            merged_ids_in_batch_read: false,
        }
    }
}
