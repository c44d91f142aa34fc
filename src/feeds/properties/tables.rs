//! The tables of our properties, one a kind of object: name without the prefix, what it holds, label,
//! description. The labels are what a salesperson reads.

use super::{
    Holds::{CreditStatus, Day, DocumentType, Key, Number, Status, Text, YesNo},
    Property,
};

const EXCLUDED: Property = (
    "excluded",
    Text,
    "SYSPRO excluded",
    "Filled: the rule by which this record is no longer kept up to date from SYSPRO.",
);

const ADOPTED: Property = (
    "adopted",
    Text,
    "SYSPRO adopted",
    "Filled: this record was here before the SYSPRO sync. How it was found, and which of HubSpot's own fields the sync fills.",
);

pub(super) const COMPANY: &[Property] = &[
    (
        "key",
        Key,
        "SYSPRO key",
        "Links this company to its SYSPRO customer. Do not change it.",
    ),
    (
        "customer_number",
        Text,
        "SYSPRO customer number",
        "The customer's number in SYSPRO, as it is written on invoices.",
    ),
    (
        "customer_class",
        Text,
        "SYSPRO customer class",
        "Code of the customer class.",
    ),
    (
        "customer_class_name",
        Text,
        "SYSPRO customer class name",
        "What the customer class code stands for.",
    ),
    (
        "terms",
        Text,
        "SYSPRO payment terms",
        "Code of the payment terms.",
    ),
    (
        "terms_description",
        Text,
        "SYSPRO payment terms description",
        "What the payment terms code stands for.",
    ),
    (
        "branch",
        Text,
        "SYSPRO branch",
        "Code of the branch that serves this customer.",
    ),
    (
        "branch_name",
        Text,
        "SYSPRO branch name",
        "The branch that serves this customer.",
    ),
    (
        "salesperson",
        Text,
        "SYSPRO salesperson",
        "Code of the salesperson in that branch.",
    ),
    (
        "salesperson_name",
        Text,
        "SYSPRO salesperson name",
        "The salesperson SYSPRO holds for this customer.",
    ),
    (
        "credit_status",
        CreditStatus,
        "SYSPRO credit status",
        "How late the customer's oldest open invoice is.",
    ),
    (
        "credit_limit",
        Number,
        "SYSPRO credit limit",
        "How much the customer may owe.",
    ),
    (
        "on_hold",
        YesNo,
        "SYSPRO on hold",
        "Yes: SYSPRO takes no new orders for this customer.",
    ),
    (
        "balance",
        Number,
        "SYSPRO balance",
        "What the customer owes in all, credits taken off.",
    ),
    (
        "balance_future",
        Number,
        "SYSPRO balance: future",
        "The part of the balance invoiced with a later date.",
    ),
    (
        "balance_current",
        Number,
        "SYSPRO balance: current",
        "The part of the balance that is less than 30 days old.",
    ),
    (
        "balance_30_days",
        Number,
        "SYSPRO balance: 30 days",
        "The part of the balance that is 30 days old or more.",
    ),
    (
        "balance_60_days",
        Number,
        "SYSPRO balance: 60 days",
        "The part of the balance that is 60 days old or more.",
    ),
    (
        "balance_90_days",
        Number,
        "SYSPRO balance: 90 days",
        "The part of the balance that is 90 days old or more.",
    ),
    (
        "balance_120_days",
        Number,
        "SYSPRO balance: 120 days",
        "The part of the balance that is 120 days old or more.",
    ),
    (
        "balance_credits",
        Number,
        "SYSPRO balance: credits",
        "Credits and payments not yet set against an invoice.",
    ),
    (
        "currency",
        Text,
        "SYSPRO currency",
        "The currency of the customer's balance and credit limit.",
    ),
    (
        "last_sale",
        Day,
        "SYSPRO last sale",
        "The day of the last sale to this customer.",
    ),
    (
        "last_payment",
        Day,
        "SYSPRO last payment",
        "The day of the customer's last payment.",
    ),
    EXCLUDED,
    ADOPTED,
];

pub(super) const CONTACT: &[Property] = &[
    (
        "key",
        Key,
        "SYSPRO key",
        "Links this contact to its SYSPRO customer. Do not change it.",
    ),
    (
        "customer_number",
        Text,
        "SYSPRO customer number",
        "The number of the customer this person belongs to.",
    ),
    (
        "email",
        Text,
        "SYSPRO e-mail",
        "The customer's e-mail field as it stands in SYSPRO, valid or not.",
    ),
    ADOPTED,
];

pub(super) const INVOICE: &[Property] = &[
    (
        "key",
        Key,
        "SYSPRO key",
        "Links this invoice to its SYSPRO document. Do not change it.",
    ),
    (
        "invoice_number",
        Text,
        "SYSPRO invoice number",
        "The number on the document.",
    ),
    (
        "customer_number",
        Text,
        "SYSPRO customer number",
        "The number of the customer who was billed.",
    ),
    (
        "document_type",
        DocumentType,
        "SYSPRO document type",
        "An invoice, a credit note (negative amounts) or a debit note.",
    ),
    (
        "sales_order",
        Text,
        "SYSPRO sales order",
        "The number of the sales order that was billed.",
    ),
    (
        "invoice_date",
        Day,
        "SYSPRO invoice date",
        "The date of the document.",
    ),
    (
        "due_date",
        Day,
        "SYSPRO due date",
        "The day payment is due by the payment terms.",
    ),
    (
        "total",
        Number,
        "SYSPRO total",
        "The whole amount of the document, tax included.",
    ),
    (
        "net",
        Number,
        "SYSPRO net amount",
        "The amount of the document without tax.",
    ),
    ("tax", Number, "SYSPRO tax", "The tax on the document."),
    (
        "balance_due",
        Number,
        "SYSPRO balance due",
        "What is still to be paid.",
    ),
    (
        "status",
        Status,
        "SYSPRO status",
        "Consolidated: no longer kept by itself, it is part of the balance brought forward.",
    ),
    (
        "original_currency",
        Text,
        "SYSPRO original currency",
        "The document's own currency, where its amounts here were converted.",
    ),
    (
        "original_total",
        Number,
        "SYSPRO original total",
        "The total in the document's own currency, where it was converted here.",
    ),
    (
        "terms",
        Text,
        "SYSPRO payment terms",
        "Code of the payment terms.",
    ),
    (
        "terms_description",
        Text,
        "SYSPRO payment terms description",
        "What the payment terms code stands for.",
    ),
    (
        "branch",
        Text,
        "SYSPRO branch",
        "Code of the branch that made the sale.",
    ),
    (
        "branch_name",
        Text,
        "SYSPRO branch name",
        "The branch that made the sale.",
    ),
    (
        "salesperson",
        Text,
        "SYSPRO salesperson",
        "Code of the salesperson in that branch.",
    ),
    (
        "salesperson_name",
        Text,
        "SYSPRO salesperson name",
        "The salesperson who made the sale.",
    ),
    EXCLUDED,
];

pub(super) const LINE_ITEM: &[Property] = &[
    (
        "key",
        Key,
        "SYSPRO key",
        "Links this line to its SYSPRO invoice line. Do not change it.",
    ),
    (
        "line_total",
        Number,
        "SYSPRO line total",
        "The line's amount in SYSPRO, where price times quantity is not exactly that.",
    ),
];

pub(super) const DEAL: &[Property] = &[(
    "sales_orders",
    Text,
    "SYSPRO sales orders",
    "The numbers of this deal's SYSPRO sales orders, with commas between: 1024, 1031. Their invoices are linked to this deal within the hour; take a number away and its links go.",
)];
