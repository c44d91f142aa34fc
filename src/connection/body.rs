//! The body of `POST /connections`: what each field must be like.

use serde_json::{Map, Value};

use super::{
    AdoptedFields, BalanceCurrency, Connection, CreditNotes, CustomerScope, DateStyle, Enet,
    Exclude, ForeignCurrency, HubSpot, OnAmbiguous, Problem, Settings, Syspro,
    change::take_paused,
    reader::{self, Fields},
    rules::{
        ADDRESS_PART, CODE, COMPANY, CURRENCY, CURRENCY_CODE, DOCUMENT_TYPE, ENET_PASSWORD,
        ENET_URL, FEED_TABLE, HEADER_NAME, HEADER_VALUE, ID, IDENTIFIER, NAME, OPERATOR, PASSWORD,
        PROPERTY_PREFIX, STAGE, TABLE, TOKEN, URL, USERNAME, VERSION,
    },
};
use crate::{
    origin::{Guard, Refused, Target},
    sorted::SortedMap,
    vault::Secret,
};

const API_URL: &str = "https://api.hubapi.com";
const API_VERSION: &str = "2026-09";
const PREFIX: &str = "syspro_";

impl Connection {
    /// # Errors
    /// Everything that is wrong with the body, at once.
    pub fn parse(body: &str, guard: &Guard) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let Some(mut map) = reader::object(body, &mut problems) else {
            return Err(problems);
        };
        // A state, and not part of the connection.
        take_paused(&mut map, &mut problems);
        let connection = read(map, Some(guard), &mut problems);
        if problems.is_empty() {
            Ok(connection)
        } else {
            Err(problems)
        }
    }
}

/// Without a guard its URLs are taken as they are: they were judged before they were stored.
/// The connection is hollow when problems were found.
pub(super) fn read(
    map: Map<String, Value>,
    guard: Option<&Guard>,
    problems: &mut Vec<Problem>,
) -> Connection {
    let judge = |target| {
        move |url: &str| match guard {
            Some(guard) => guard.judge(url, target),
            None => Ok(url.to_owned()),
        }
    };
    let mut body = Fields::of(map, problems);
    let id = body.text("id", &ID);
    let connection = Connection {
        name: body
            .text_if_any("name", &NAME)
            .unwrap_or_else(|| id.clone()),
        id,
        syspro: syspro(body.section("syspro"), judge(Target::Syspro)),
        hubspot: hubspot(body.section("hubspot"), judge(Target::HubSpot)),
        settings: settings(body.section("settings")),
    };
    body.end();
    connection
}

fn syspro(mut fields: Fields<'_>, judge: impl Fn(&str) -> Result<String, Refused>) -> Syspro {
    let read = Syspro {
        odata_url: fields.url("odata_url", &URL, &judge),
        company: fields.text("company", &COMPANY),
        odata_username: fields.text("odata_username", &USERNAME),
        odata_password: fields.secret("odata_password", &PASSWORD),
        headers: headers(&mut fields),
        local_currency: fields.text("local_currency", &CURRENCY),
        enet: enet(&mut fields, &judge),
    };
    fields.end();
    read
}

/// All of it or none: half a log-on is a mistake, not a choice.
fn enet(fields: &mut Fields<'_>, judge: impl Fn(&str) -> Result<String, Refused>) -> Option<Enet> {
    let wanted = [
        "enet_url",
        "operator",
        "operator_password",
        "company_password",
    ];
    if !wanted.iter().any(|name| fields.has(name)) {
        return None;
    }
    Some(Enet {
        url: fields.url("enet_url", &ENET_URL, judge),
        operator: fields.text("operator", &OPERATOR),
        operator_password: fields.secret("operator_password", &ENET_PASSWORD),
        company_password: Secret::new(
            fields
                .text_if_any("company_password", &ENET_PASSWORD)
                .unwrap_or_default(),
        ),
    })
}

fn headers(fields: &mut Fields<'_>) -> SortedMap<String, Secret> {
    fields
        .texts("headers", &HEADER_NAME, &HEADER_VALUE)
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), Secret::new(value)))
        .collect()
}

fn hubspot(mut fields: Fields<'_>, judge: impl Fn(&str) -> Result<String, Refused>) -> HubSpot {
    let read = HubSpot {
        token: fields.secret("token", &TOKEN),
        api_url: if fields.has("api_url") {
            fields.url("api_url", &URL, judge)
        } else {
            API_URL.to_owned()
        },
        api_version: fields
            .text_if_any("api_version", &VERSION)
            .unwrap_or_else(|| API_VERSION.to_owned()),
        prefix: fields
            .text_if_any("prefix", &PROPERTY_PREFIX)
            .unwrap_or_else(|| PREFIX.to_owned()),
    };
    fields.end();
    read
}

fn settings(mut fields: Fields<'_>) -> Settings {
    let usual = Settings::default();
    let read = Settings {
        lookback_days: fields
            .whole("lookback_days", 0..=90)
            .unwrap_or(usual.lookback_days),
        history_days: fields
            .whole("history_days", 1..=7_300)
            .unwrap_or(usual.history_days),
        sweep_pages: fields
            .whole("sweep_pages", 0..=100)
            .unwrap_or(usual.sweep_pages),
        customers: fields
            .choice("customers", &[CustomerScope::Active, CustomerScope::All])
            .unwrap_or(usual.customers),
        credit_notes: fields
            .choice("credit_notes", &[CreditNotes::Record, CreditNotes::Exclude])
            .unwrap_or(usual.credit_notes),
        exclude: exclude(fields.section("exclude")),
        trial: fields.whole("trial", 1..=100_000),
        invoice_balance_currency: fields
            .choice(
                "invoice_balance_currency",
                &[BalanceCurrency::Posting, BalanceCurrency::Local],
            )
            .unwrap_or(usual.invoice_balance_currency),
        foreign_currency: fields
            .choice(
                "foreign_currency",
                &[ForeignCurrency::Fail, ForeignCurrency::Local],
            )
            .unwrap_or(usual.foreign_currency),
        currencies: fields.texts("currencies", &CURRENCY_CODE, &CURRENCY),
        default_due_days: fields
            .whole("default_due_days", 0..=730)
            .unwrap_or(usual.default_due_days),
        lifecycle_stage: fields
            .text_if_any("lifecycle_stage", &STAGE)
            .unwrap_or(usual.lifecycle_stage),
        adopted_fields: fields
            .choice(
                "adopted_fields",
                &[AdoptedFields::Fill, AdoptedFields::Overwrite],
            )
            .unwrap_or(usual.adopted_fields),
        on_ambiguous: fields
            .choice("on_ambiguous", &[OnAmbiguous::Create, OnAmbiguous::Hold])
            .unwrap_or(usual.on_ambiguous),
        site_utc_offset_minutes: fields.whole("site_utc_offset_minutes", -720..=840),
        date_style: fields
            .choice(
                "date_style",
                &[DateStyle::Datetimeoffset, DateStyle::Date, DateStyle::V3],
            )
            .unwrap_or(usual.date_style),
        tables: fields.texts("tables", &TABLE, &IDENTIFIER),
        modified_columns: fields.texts("modified_columns", &FEED_TABLE, &IDENTIFIER),
        address_columns: fields.texts("address_columns", &ADDRESS_PART, &IDENTIFIER),
        rate_share: fields.share("rate_share").unwrap_or(usual.rate_share),
        daily_share: fields.share("daily_share").unwrap_or(usual.daily_share),
    };
    fields.end();
    read
}

fn exclude(mut fields: Fields<'_>) -> Exclude {
    let read = Exclude {
        document_types: fields.list("document_types", &DOCUMENT_TYPE),
        customer_classes: fields.list("customer_classes", &CODE),
        branches: fields.list("branches", &CODE),
        on_hold: fields.flag("on_hold"),
        invoices_before: fields.day("invoices_before"),
    };
    fields.end();
    read
}
