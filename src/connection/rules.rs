//! What the texts of a connection must be like, and what to say when they are not.

use http::HeaderName;

use super::reader::Rule;

/// What stands in for a secret wherever a connection is shown.
pub(super) const SET: &str = "set";

pub(super) const ID: Rule = Rule {
    holds: |text| {
        length(text, 1, 40) && each(text, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    },
    reason: "is not 1 to 40 of a–z, 0–9 and -",
    remedy: "Choose a short name such as acme.",
};

pub(super) const NAME: Rule = Rule {
    holds: |text| length(text, 1, 100) && printable(text),
    reason: "is empty, over 100 characters, or holds control characters",
    remedy: "Use the name people know the company by.",
};

pub(super) const URL: Rule = Rule {
    holds: |text| !text.is_empty(),
    reason: "is empty",
    remedy: "Write it like https://erp.example.com/path.",
};

pub(super) const ENET_URL: Rule = Rule {
    remedy: "Give it with operator and operator_password, or leave all e.net fields out.",
    ..URL
};

/// It becomes a segment of a path and the first part of every key.
pub(super) const COMPANY: Rule = Rule {
    holds: |text| {
        length(text, 1, 20) && each(text, |b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    },
    reason: "is not a SYSPRO company id",
    remedy: "Use the id operators choose at log-on, such as EDU1.",
};

pub(super) const USERNAME: Rule = Rule {
    holds: |text| length(text, 1, 200) && printable(text) && !text.contains(':'),
    reason: "is empty, or holds a colon or control characters",
    remedy: "Use the account that may read SYSPRO over OData.",
};

pub(super) const PASSWORD: Rule = Rule {
    holds: |text| length(text, 1, 1_000) && printable(text) && text != SET,
    reason: "is empty, holds control characters, or is only the mark of a stored secret",
    remedy: "Give the password itself.",
};

pub(super) const OPERATOR: Rule = Rule {
    holds: |text| length(text, 1, 100) && printable(text),
    reason: "is empty, or holds control characters",
    remedy: "Use a SYSPRO operator of the Worker's own.",
};

pub(super) const ENET_PASSWORD: Rule = Rule {
    holds: |text| text.is_empty() || (PASSWORD.holds)(text),
    reason: "holds control characters, or is only the mark of a stored secret",
    remedy: "Give the password itself; it may be empty.",
};

pub(super) const TOKEN: Rule = Rule {
    holds: |text| length(text, 1, 5_000) && each(text, |b| b.is_ascii_graphic()) && text != SET,
    reason: "is empty, holds a blank, or is only the mark of a stored secret",
    remedy: "Copy the token of the service key or app (pat-…).",
};

pub(super) const HEADER_NAME: Rule = Rule {
    holds: |name| HeaderName::try_from(name).is_ok_and(|name| !OURS.contains(&name.as_str())),
    reason: "is not the name of a header that may be added",
    remedy: "Use the names your gateway asks for, such as CF-Access-Client-Id.",
};

pub(super) const HEADER_VALUE: Rule = Rule {
    holds: |text| {
        length(text, 1, 4_000)
            && each(text, |b| b == b' ' || b.is_ascii_graphic())
            && text.trim() == text
            && text != SET
    },
    reason: "is empty, not plain ASCII, or only the mark of a stored secret",
    remedy: "Copy the value your gateway gave out.",
};

/// Headers that are ours or the transport's to set.
const OURS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) const CURRENCY: Rule = Rule {
    holds: |text| text.len() == 3 && each(text, |b| b.is_ascii_uppercase()),
    reason: "is not an ISO 4217 code",
    remedy: "Use three capital letters, such as USD.",
};

pub(super) const CURRENCY_CODE: Rule = Rule {
    holds: |text| length(text, 1, 10) && printable(text) && text.trim() == text && text != "$",
    reason: "is not a SYSPRO currency code that can be mapped",
    remedy: "`$` and a blank always mean syspro.local_currency.",
};

/// As SYSPRO keeps it, without the blanks that fill it up.
pub(super) const CODE: Rule = Rule {
    holds: |text| length(text, 1, 20) && printable(text) && text.trim_end() == text,
    reason: "is not a code of SYSPRO's",
    remedy: "Write the code as SYSPRO shows it, without blanks at its end.",
};

pub(super) const DOCUMENT_TYPE: Rule = Rule {
    holds: |text| ["I", "C", "D"].contains(&text),
    reason: "is not a type of document that is sent",
    remedy: "Use I (invoices), C (credit notes) or D (debit notes).",
};

pub(super) const VERSION: Rule = Rule {
    holds: |text| {
        let digits = |part: &str, most| part.len() == most && each(part, |b| b.is_ascii_digit());
        text.split_once('-')
            .is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
    },
    reason: "is not a version of HubSpot's API",
    remedy: "Write year and month, such as 2026-09.",
};

pub(super) const PROPERTY_PREFIX: Rule = Rule {
    holds: |text| {
        length(text, 2, 20)
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.starts_with("hs_")
            && text.ends_with('_')
            && each(text, |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    },
    reason: "cannot begin the names of HubSpot properties",
    remedy: "Use lower-case letters and end with _, such as syspro_; hs_ is HubSpot's.",
};

pub(super) const STAGE: Rule = Rule {
    holds: |text| text.len() <= 100 && each(text, |b| b.is_ascii_alphanumeric() || b == b'_'),
    reason: "is not the internal name of a lifecycle stage",
    remedy: "Use one such as customer, or an empty text for none.",
};

/// It becomes part of a URL as it stands.
pub(super) const IDENTIFIER: Rule = Rule {
    holds: |text| {
        length(text, 1, 128)
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && each(text, |b| b.is_ascii_alphanumeric() || b == b'_')
    },
    reason: "is not a name OData knows",
    remedy: "Use letters, digits and _ only.",
};

pub(super) const TABLE: Rule = Rule {
    holds: |text| TABLES.contains(&text),
    reason: "is not a table that is read",
    remedy: "Use SYSPRO's own name of the table, such as ArCustomer.",
};

const TABLES: [&str; 9] = [
    "ArCustomer",
    "ArCustomerBal",
    "ArInvoice",
    "ArTrnDetail",
    "InvMaster",
    "SalBranch",
    "SalSalesperson",
    "TblArTerms",
    "TblCustomerClass",
];

pub(super) const FEED_TABLE: Rule = Rule {
    holds: |text| ["ArCustomer", "ArInvoice"].contains(&text),
    reason: "is not a table that is polled",
    remedy: "Use ArCustomer or ArInvoice.",
};

pub(super) const ADDRESS_PART: Rule = Rule {
    holds: |text| ["address", "address2", "city", "state", "zip", "country"].contains(&text),
    reason: "is not a part of a company's address",
    remedy: "Use address, address2, city, state, zip or country.",
};

fn length(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}

fn each(text: &str, allowed: fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

fn printable(text: &str) -> bool {
    !text.contains(char::is_control)
}
