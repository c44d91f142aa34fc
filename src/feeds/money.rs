//! Money: which currency a value is in, which one HubSpot gets, and how a line's value becomes a
//! price. Decimals only, rounded half away from zero, as bookkeepers do.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    connection::{BalanceCurrency, ForeignCurrency},
    fault::Reason,
    feeds::Context,
    sorted::SortedMap,
    syspro::Row,
};

/// How an invoice's values reach HubSpot.
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// The document's own currency.
    pub own: String,
    /// What HubSpot gets.
    pub sent: String,
    exchange: Exchange,
    balance: BalanceCurrency,
}

#[derive(Clone, Debug, PartialEq)]
enum Exchange {
    /// The document is in local money.
    Local,
    /// It is not, and HubSpot gets it as it is. The rate is asked for only by a local balance.
    Foreign(Option<Rate>),
    /// The portal does not know its currency: HubSpot gets local money.
    Converted(Rate),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    rate: Decimal,
    divide: bool,
}

impl Money {
    pub fn of(header: &Row, context: &Context) -> Result<Self, Reason> {
        let settings = context.settings;
        let local = context.local_currency;
        let own = iso(&header.text("PostCurrency"), local, &settings.currencies)
            .map_err(|reason| reason.on("PostCurrency"))?;
        let known = knows(context, &own);
        let (sent, exchange) = if own == local {
            (own.clone(), Exchange::Local)
        } else if known {
            (own.clone(), Exchange::Foreign(Rate::of(header).ok()))
        } else if settings.foreign_currency == ForeignCurrency::Local {
            (local.to_owned(), Exchange::Converted(Rate::of(header)?))
        } else {
            return Err(unknown_to_portal(&own));
        };
        if !knows(context, &sent) {
            return Err(unknown_to_portal(&sent));
        }
        Ok(Self {
            own,
            sent,
            exchange,
            balance: settings.invoice_balance_currency,
        })
    }

    pub fn converted(&self) -> bool {
        matches!(self.exchange, Exchange::Converted(_))
    }

    /// A value in the document's currency, as HubSpot gets it.
    pub fn send(&self, value: Decimal) -> Decimal {
        match &self.exchange {
            Exchange::Converted(rate) => rate.to_local(value),
            _ => value,
        }
    }

    /// `InvoiceBal1`, as HubSpot gets it.
    pub fn send_balance(&self, value: Decimal) -> Result<Decimal, Reason> {
        let in_local = self.balance == BalanceCurrency::Local;
        match &self.exchange {
            Exchange::Local => Ok(value),
            Exchange::Foreign(rate) if in_local => Ok(rate.ok_or_else(no_rate)?.to_posting(value)),
            Exchange::Foreign(_) => Ok(value),
            Exchange::Converted(_) if in_local => Ok(value),
            Exchange::Converted(rate) => Ok(rate.to_local(value)),
        }
    }

    /// The column of `ArTrnDetail` that is in the currency HubSpot gets.
    pub fn line_column(&self) -> &'static str {
        match self.exchange {
            Exchange::Foreign(_) => "PostValue",
            _ => "NetSalesValue",
        }
    }
}

impl Rate {
    fn of(header: &Row) -> Result<Self, Reason> {
        let rate = header.decimal("ConvRate")?.filter(|rate| !rate.is_zero());
        Ok(Self {
            rate: rate.ok_or_else(no_rate)?,
            divide: header.text("MulDiv") == "D",
        })
    }

    fn to_local(self, value: Decimal) -> Decimal {
        cents(match self.divide {
            true => value / self.rate,
            false => value * self.rate,
        })
    }

    fn to_posting(self, value: Decimal) -> Decimal {
        cents(match self.divide {
            true => value * self.rate,
            false => value / self.rate,
        })
    }
}

/// SYSPRO's currency code in ISO 4217. `$` and a blank are the local one; other codes that are not
/// ISO mean what the settings say.
pub fn iso(
    code: &str,
    local: &str,
    currencies: &SortedMap<String, String>,
) -> Result<String, Reason> {
    if let Some(meant) = currencies.get(code) {
        return Ok(meant.clone());
    }
    if code.is_empty() || code == "$" {
        return Ok(local.to_owned());
    }
    let is_iso = code.len() == 3 && ISO_4217.split(' ').any(|iso| iso == code);
    if is_iso || code == local {
        return Ok(code.to_owned());
    }
    Err(Reason::new(
        "unknown_currency",
        format!("SYSPRO's currency code {code} is not an ISO 4217 code."),
        format!("Say what {code} means in the connection's setting `currencies`."),
    ))
}

/// Quantity and price of a line, and its value where those two do not multiply to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priced {
    pub quantity: Decimal,
    pub price: Decimal,
    pub total: Option<Decimal>,
}

/// HubSpot wants a price that is not negative and multiplies it by the quantity. The price gets as
/// few decimals as it takes to multiply out, six at most.
pub fn price(value: Decimal, quantity: Decimal) -> Priced {
    let none = Decimal::ZERO;
    if value < none {
        let pieces = if quantity.is_zero() {
            Decimal::ONE
        } else {
            quantity.abs()
        };
        return Priced {
            quantity: pieces,
            price: none,
            total: Some(value),
        };
    }
    if quantity <= none {
        return Priced {
            quantity: Decimal::ONE,
            price: value,
            total: None,
        };
    }
    let exact = value / quantity;
    let rounded = |decimals| round(exact, decimals);
    let fitting = (2..=6).map(rounded).find(|price| price * quantity == value);
    Priced {
        quantity,
        price: fitting.unwrap_or_else(|| rounded(6)),
        total: fitting.is_none().then_some(value),
    }
}

fn cents(value: Decimal) -> Decimal {
    round(value, 2)
}

fn round(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

fn knows(context: &Context, iso: &str) -> bool {
    let account = context.account;
    account.currency == iso || account.additional_currencies.iter().any(|more| more == iso)
}

fn unknown_to_portal(iso: &str) -> Reason {
    let remedy = format!(
        "Add {iso} to the portal's currencies, or set `foreign_currency` to `local` to send local money."
    );
    let reason = format!("The HubSpot portal does not use the currency {iso}.");
    Reason::new("currency_not_in_portal", reason, remedy).on("PostCurrency")
}

fn no_rate() -> Reason {
    Reason::new(
        "no_exchange_rate",
        "The invoice is in a foreign currency and has no exchange rate.",
        "Correct the invoice's exchange rate in SYSPRO.",
    )
    .on("ConvRate")
}

/// Every currency in use.
const ISO_4217: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB \
    BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR \
    FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES \
    KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH \
    UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";
