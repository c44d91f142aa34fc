//! The properties HubSpot defines itself, as far as a sync of customers and invoices meets them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Kind;
use super::schema::{Choice, Definitions, Group, Modification, Property, Type};

/// Who sets a property's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    ByAnyone,
    ByHubSpot,
    /// Depends on the portal: see `Options::invoice_amounts_writable`.
    Amount,
}

use Set::{Amount, ByAnyone, ByHubSpot};
use Type::{Bool, DateTime, Enumeration, Number, PhoneNumber, String as Text};

type Row = (&'static str, Type, Set, &'static [&'static str]);

/// In the order in which a record moves on.
pub const LIFECYCLE: &[&str] = &[
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

const ADDRESS: &[Row] = &[
    ("address", Text, ByAnyone, &[]),
    ("city", Text, ByAnyone, &[]),
    ("state", Text, ByAnyone, &[]),
    ("zip", Text, ByAnyone, &[]),
    ("country", Text, ByAnyone, &[]),
    ("phone", PhoneNumber, ByAnyone, &[]),
    ("website", Text, ByAnyone, &[]),
    ("lifecyclestage", Enumeration, ByAnyone, LIFECYCLE),
    ("hubspot_owner_id", Text, ByAnyone, &[]),
    ("annualrevenue", Number, ByAnyone, &[]),
    ("hs_merged_object_ids", Text, ByHubSpot, &[]),
];

const COMPANY: &[Row] = &[
    ("name", Text, ByAnyone, &[]),
    ("domain", Text, ByAnyone, &[]),
    ("address2", Text, ByAnyone, &[]),
    ("description", Text, ByAnyone, &[]),
    ("numberofemployees", Number, ByAnyone, &[]),
    (
        "industry",
        Enumeration,
        ByAnyone,
        &["MACHINERY", "WHOLESALE", "RETAIL", "CONSTRUCTION"],
    ),
    (
        "type",
        Enumeration,
        ByAnyone,
        &["PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER"],
    ),
    ("is_public", Bool, ByAnyone, &["true", "false"]),
];

const CONTACT: &[Row] = &[
    ("firstname", Text, ByAnyone, &[]),
    ("lastname", Text, ByAnyone, &[]),
    ("email", Text, ByAnyone, &[]),
    ("mobilephone", PhoneNumber, ByAnyone, &[]),
    ("company", Text, ByAnyone, &[]),
    ("jobtitle", Text, ByAnyone, &[]),
    ("hs_additional_emails", Text, ByHubSpot, &[]),
];

const DEAL: &[Row] = &[
    ("dealname", Text, ByAnyone, &[]),
    ("amount", Number, ByAnyone, &[]),
    ("closedate", DateTime, ByAnyone, &[]),
    ("deal_currency_code", Text, ByAnyone, &[]),
    (
        "dealstage",
        Enumeration,
        ByAnyone,
        &[
            "appointmentscheduled",
            "qualifiedtobuy",
            "contractsent",
            "closedwon",
            "closedlost",
        ],
    ),
    ("pipeline", Enumeration, ByAnyone, &["default"]),
    ("hubspot_owner_id", Text, ByAnyone, &[]),
    ("hs_merged_object_ids", Text, ByHubSpot, &[]),
];

const LINE_ITEM: &[Row] = &[
    ("name", Text, ByAnyone, &[]),
    ("description", Text, ByAnyone, &[]),
    ("hs_sku", Text, ByAnyone, &[]),
    ("quantity", Number, ByAnyone, &[]),
    ("price", Number, ByAnyone, &[]),
    ("discount", Number, ByAnyone, &[]),
    ("hs_discount_percentage", Number, ByAnyone, &[]),
    ("hs_line_item_currency_code", Text, ByAnyone, &[]),
    ("hs_position_on_quote", Number, ByAnyone, &[]),
    ("hs_product_id", Text, ByAnyone, &[]),
    ("hs_tax_rate_group_id", Text, ByAnyone, &[]),
    ("amount", Number, ByHubSpot, &[]),
];

const INVOICE: &[Row] = &[
    ("hs_currency", Text, ByAnyone, &[]),
    ("hs_invoice_date", DateTime, ByAnyone, &[]),
    ("hs_due_date", DateTime, ByAnyone, &[]),
    (
        "hs_invoice_status",
        Enumeration,
        ByAnyone,
        &["draft", "open", "paid", "voided"],
    ),
    ("hs_invoice_billable", Bool, ByAnyone, &["true", "false"]),
    (
        "hs_invoice_payment_collection_method",
        Enumeration,
        ByAnyone,
        &["manual", "none"],
    ),
    (
        "hs_allow_partial_payments",
        Bool,
        ByAnyone,
        &["true", "false"],
    ),
    ("hs_purchase_order_number", Text, ByAnyone, &[]),
    ("hs_comments", Text, ByAnyone, &[]),
    ("hs_tax_id", Text, ByAnyone, &[]),
    ("hs_language", Text, ByAnyone, &[]),
    ("hs_locale", Text, ByAnyone, &[]),
    ("hs_recipient_company_address", Text, ByAnyone, &[]),
    ("hs_recipient_company_address2", Text, ByAnyone, &[]),
    ("hs_recipient_company_city", Text, ByAnyone, &[]),
    ("hs_recipient_company_state", Text, ByAnyone, &[]),
    ("hs_recipient_company_zip", Text, ByAnyone, &[]),
    ("hs_recipient_shipping_address", Text, ByAnyone, &[]),
    ("hs_recipient_shipping_address2", Text, ByAnyone, &[]),
    ("hs_recipient_shipping_city", Text, ByAnyone, &[]),
    ("hs_recipient_shipping_state", Text, ByAnyone, &[]),
    ("hs_recipient_shipping_zip", Text, ByAnyone, &[]),
    ("hs_recipient_shipping_country", Text, ByAnyone, &[]),
    ("hs_number", Text, Amount, &[]),
    ("hs_amount_billed", Number, Amount, &[]),
    ("hs_payment_date", DateTime, Amount, &[]),
    ("hs_external_createdate", DateTime, Amount, &[]),
    ("hs_balance_due", Number, ByHubSpot, &[]),
    ("hs_amount_paid", Number, ByHubSpot, &[]),
    ("hs_days_overdue", Number, ByHubSpot, &[]),
    ("hs_invoice_link", Text, ByHubSpot, &[]),
    ("hs_pdf_download_link", Text, ByHubSpot, &[]),
];

fn rows(kind: Kind) -> (&'static [Row], &'static [Row]) {
    match kind {
        Kind::Contact => (CONTACT, ADDRESS),
        Kind::Company => (COMPANY, ADDRESS),
        Kind::Deal => (DEAL, &[]),
        Kind::LineItem => (LINE_ITEM, &[]),
        Kind::Invoice => (INVOICE, &[]),
    }
}

/// The group HubSpot's own properties of a kind are in.
fn group(kind: Kind) -> &'static str {
    match kind {
        Kind::Contact => "contactinformation",
        Kind::Company => "companyinformation",
        Kind::Deal => "dealinformation",
        Kind::LineItem => "lineiteminformation",
        Kind::Invoice => "invoiceinformation",
    }
}

pub fn definitions(kind: Kind, amounts_writable: bool) -> Definitions {
    let (own, shared) = rows(kind);
    let system: [Row; 3] = [
        (kind.created_property(), DateTime, ByHubSpot, &[]),
        (kind.modified_property(), DateTime, ByHubSpot, &[]),
        ("hs_object_id", Number, ByHubSpot, &[]),
    ];
    let properties: BTreeMap<Arc<str>, Property> = own
        .iter()
        .chain(shared)
        .chain(&system)
        .map(|row| property(row, group(kind), amounts_writable))
        .map(|property| (property.name.clone(), property))
        .collect();
    let group = Group {
        name: group(kind).into(),
        label: format!("{} information", kind.plural()),
        display_order: -1,
        archived: false,
    };
    Definitions {
        properties,
        groups: BTreeMap::from([(group.name.clone(), group)]),
        once_plain: BTreeSet::new(),
    }
}

fn property(row: &Row, group: &str, amounts_writable: bool) -> Property {
    let (name, kind, set, choices) = *row;
    let read_only = set == ByHubSpot || (set == Amount && !amounts_writable);
    let options = choices.iter().zip(0..).map(|(value, place)| Choice {
        label: (*value).into(),
        value: (*value).into(),
        display_order: place,
        hidden: false,
    });
    Property {
        updated_at: "2019-08-06T02:41:08.029Z".into(),
        created_at: "2019-08-06T02:41:08.029Z".into(),
        name: name.into(),
        label: name.replace('_', " "),
        kind,
        field_type: field_type(kind).into(),
        description: String::new(),
        group_name: group.into(),
        options: options.collect(),
        display_order: -1,
        calculated: read_only,
        external_options: false,
        archived: false,
        has_unique_value: false,
        hidden: false,
        hubspot_defined: true,
        modification_metadata: Modification {
            archivable: false,
            read_only_definition: true,
            read_only_value: read_only,
        },
        form_field: !read_only,
    }
}

fn field_type(kind: Type) -> &'static str {
    match kind {
        Bool => "booleancheckbox",
        Type::Date | DateTime => "date",
        Enumeration => "select",
        Number => "number",
        PhoneNumber => "phonenumber",
        Text => "text",
    }
}
