//! `GET /account-info/{version}/details`: which portal a token opens, and how it counts money and days.

use http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Api, body, id_text, unreadable};
use crate::fault::Fault;
use crate::platform::{DAY, Millis};

/// What is kept of a portal; learned when the connection is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub portal_id: String,
    pub time_zone: String,
    /// As of when it was read, which is done again once a day: daylight saving moves it.
    pub utc_offset_ms: i64,
    /// What noon is reckoned with, where that is another: it stays, or every invoice would be sent
    /// again twice a year. An hour before or after noon is the same day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noon_offset_ms: Option<i64>,
    pub currency: String,
    pub additional_currencies: Vec<String>,
    pub ui_domain: String,
    /// Where HubSpot keeps it: `na1`, `eu1`.
    #[serde(default)]
    pub region: String,
    /// Invoice properties of HubSpot's own that this portal lets us write (`hs_number`, …).
    #[serde(default)]
    pub writable_invoice_properties: Vec<String>,
    /// What this portal, or its token, cannot do: the sync goes on without.
    #[serde(default)]
    pub without: Without,
    /// Some line items may have been made without our key: before one is made anew, those its invoice
    /// has are read.
    #[serde(default)]
    pub lines_without_keys: bool,
}

/// What a portal may lack without being useless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Without {
    /// No invoice object, or no scope for it: customers only.
    pub invoices: bool,
    /// Line items cannot be given our key.
    pub line_keys: bool,
    /// Deals cannot be read or be given our property.
    pub deals: bool,
}

impl Account {
    pub fn noon_offset_ms(&self) -> i64 {
        self.noon_offset_ms.unwrap_or(self.utc_offset_ms)
    }

    /// Noon stays where it was, as long as the portal stays in its zone.
    pub fn with_noon_of(mut self, before: &Account) -> Self {
        let noon = before.noon_offset_ms();
        let moved = self.time_zone != before.time_zone;
        self.noon_offset_ms = (!moved && noon != self.utc_offset_ms).then_some(noon);
        self
    }

    /// What the portal says of itself now, with what was learned of it otherwise. Half an answer says
    /// nothing: without its currencies every invoice would be failing.
    pub fn asked_again(&self, now: Account) -> Self {
        if now.currency.is_empty() || now.time_zone.is_empty() {
            return self.clone();
        }
        let now = Account {
            writable_invoice_properties: self.writable_invoice_properties.clone(),
            without: self.without,
            lines_without_keys: self.lines_without_keys,
            ..now
        };
        now.with_noon_of(self)
    }

    /// Whether records map to the same with both: the hour of day is nothing to them.
    pub fn maps_as(&self, other: &Account) -> bool {
        let timeless = |account: &Account| Account {
            utc_offset_ms: 0,
            noon_offset_ms: Some(account.noon_offset_ms()),
            ..account.clone()
        };
        timeless(self) == timeless(other)
    }
}

pub fn details(api: &Api) -> Request<String> {
    api.get("account-info", "details")
}

/// The portal; which invoice properties can be written is learned elsewhere.
///
/// # Errors
/// An answer without the portal's id is unreadable: everything else has a default.
pub fn read_details(response: &Response<Vec<u8>>) -> Result<Account, Fault> {
    let body = body(response)?;
    let portal_id = body.get("portalId").and_then(id_text);
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let offset = body.get("utcOffsetMilliseconds").and_then(Value::as_i64);
    let others = body.get("additionalCurrencies").and_then(Value::as_array);
    Ok(Account {
        portal_id: portal_id.ok_or_else(|| unreadable(response, "no `portalId`"))?,
        time_zone: text("timeZone").to_owned(),
        utc_offset_ms: offset.filter(|ms| (-DAY..=DAY).contains(ms)).unwrap_or(0),
        noon_offset_ms: None,
        currency: text("companyCurrency").to_owned(),
        additional_currencies: others.into_iter().flatten().filter_map(id_text).collect(),
        ui_domain: Some(text("uiDomain"))
            .filter(|domain| !domain.is_empty())
            .unwrap_or("app.hubspot.com")
            .to_owned(),
        region: text("dataHostingLocation").to_owned(),
        writable_invoice_properties: Vec::new(),
        without: Without::default(),
        lines_without_keys: false,
    })
}

/// When the daily quota starts anew: the next midnight in the portal's zone.
pub fn day_reset(account: &Account, now_ms: Millis) -> Millis {
    let local = now_ms + account.utc_offset_ms;
    (local.div_euclid(DAY) + 1) * DAY - account.utc_offset_ms
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::{hubspot::tests::answer, platform::HOUR};

    const DETAILS: &str = r#"{"portalId":891936587,"accountType":"STANDARD","timeZone":"US/Eastern","companyCurrency":"USD","additionalCurrencies":["EUR"],"utcOffset":"-05:00","utcOffsetMilliseconds":-18000000,"uiDomain":"app.hubspot.com","dataHostingLocation":"na1"}"#;

    #[test]
    fn a_portal_is_read_with_its_id_as_number_or_text() {
        let read = read_details(&answer(200, DETAILS)).unwrap();
        expect![[r#"Account { portal_id: "891936587", time_zone: "US/Eastern", utc_offset_ms: -18000000, noon_offset_ms: None, currency: "USD", additional_currencies: ["EUR"], ui_domain: "app.hubspot.com", region: "na1", writable_invoice_properties: [], without: Without { invoices: false, line_keys: false, deals: false }, lines_without_keys: false }"#]].assert_eq(&format!("{read:?}"));
        let as_text = DETAILS.replace("891936587", "\"891936587\"");
        assert_eq!(read_details(&answer(200, &as_text)), Ok(read));
        assert!(read_details(&answer(200, "{}")).is_err());
    }

    #[test]
    fn an_offset_beyond_a_day_is_none() {
        for far in ["-86400001", "86400001", "-9223372036854775808", "1e400"] {
            let details = DETAILS.replace("-18000000", far);
            let read = read_details(&answer(200, &details)).unwrap();
            assert_eq!(read.utc_offset_ms, 0, "{far}");
        }
    }

    #[test]
    fn half_an_answer_about_a_portal_forgets_nothing_of_it() {
        let whole = read_details(&answer(200, DETAILS)).unwrap();
        let half = read_details(&answer(200, r#"{"portalId":891936587}"#)).unwrap();
        assert_eq!(whole.asked_again(half), whole);
        let other = DETAILS.replace("\"EUR\"", "\"CHF\"");
        let now = read_details(&answer(200, &other)).unwrap();
        assert_eq!(whole.asked_again(now).additional_currencies, ["CHF"]);
    }

    #[test]
    fn the_day_ends_at_the_portals_midnight() {
        let mut account = read_details(&answer(200, DETAILS)).unwrap();
        // 2026-11-02T04:59:59Z is a second to midnight in New York.
        let before = 1_793_595_599_000;
        assert_eq!(day_reset(&account, before), before + 1_000);
        assert_eq!(day_reset(&account, before + 1_000), before + 1_000 + DAY);
        account.utc_offset_ms = 2 * HOUR;
        assert_eq!(day_reset(&account, before), before + 1_000 + 17 * HOUR);
    }

    #[test]
    fn noon_stays_when_summer_comes_and_moves_with_the_zone() {
        let winter = read_details(&answer(200, DETAILS)).unwrap();
        let summer = Account {
            utc_offset_ms: -4 * HOUR,
            ..winter.clone()
        };
        let asked = winter.asked_again(summer);
        assert_eq!(
            (asked.utc_offset_ms, asked.noon_offset_ms()),
            (-4 * HOUR, -5 * HOUR)
        );
        assert!(asked.maps_as(&winter));
        assert_eq!(asked.asked_again(winter.clone()), winter);
        let moved = Account {
            time_zone: "Europe/Berlin".to_owned(),
            utc_offset_ms: HOUR,
            ..winter.clone()
        };
        let asked = winter.asked_again(moved);
        assert_eq!(asked.noon_offset_ms(), HOUR);
        assert!(!asked.maps_as(&winter));
    }
}
