//! Every answer HubSpot is known to say no with, as a person reads it: field, reason, remedy.

use expect_test::expect;

use super::{Kind, reason};
use crate::{
    fault::Fault,
    hubspot::{body, tests::answer},
};

/// A value's refusal as it comes for one record, with that value quoted all over it.
fn value(code: &str, field: &str) -> String {
    format!(
        r#"{{"status":"error","message":"Property values were not valid: [{{\"isValid\":false,\"message\":\"a-secret was not valid\",\"error\":\"{code}\",\"name\":\"{field}\",\"portalId\":123}}]","correlationId":"8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c","errors":[{{"message":"a-secret was not valid","code":"{code}","context":{{"propertyName":["{field}"]}}}}],"category":"VALIDATION_ERROR"}}"#
    )
}

fn said(category: &str, message: &str) -> String {
    format!(
        r#"{{"status":"error","message":"{message}","correlationId":"8a3f6c3a-8296","category":"{category}"}}"#
    )
}

fn catalogue() -> Vec<(&'static str, Kind, u16, String)> {
    use Kind::{Company, Contact, Invoice, LineItem};
    let invalid = |message: &str| said("VALIDATION_ERROR", message);
    let scopes = r#"{"status":"error","message":"This app hasn't been granted all required scopes","correlationId":"8a3f6c3a","errors":[{"message":"One or more","context":{"requiredGranularScopes":["crm.objects.invoices.write"]}}],"category":"MISSING_SCOPES"}"#;
    let missing = r#"{"status":"error","message":"One or more associations are invalid","context":{"INVALID_OBJECT_IDS":["CONTACT=226001 is not valid"]},"category":"VALIDATION_ERROR"}"#;
    let taken = "Cannot set PropertyValueCoordinates{propertyName=syspro_key, value=a-secret} on 501. 482701 already has that value.";
    let duplicates = r#"{"status":"error","message":"Duplicate IDs found in batch input: [a-secret]. IDs must be unique","context":{"ids":["a-secret"]},"category":"VALIDATION_ERROR"}"#;
    let limit = r#"{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","correlationId":"8a3f6c3a","policyName":"DAILY"}"#;
    vec![
        ("1 unknown property", Company, 400, value("PROPERTY_DOESNT_EXIST", "syspro_terms")),
        ("2 read-only", Invoice, 400, value("READ_ONLY_VALUE", "hs_amount_billed")),
        ("3 bad e-mail", Contact, 400, value("INVALID_EMAIL", "email")),
        ("3 bad option", Company, 400, value("INVALID_OPTION", "syspro_credit_status")),
        ("3 bad date", Invoice, 400, value("INVALID_DATE", "hs_due_date")),
        ("3 bad number", Company, 400, value("INVALID_LONG", "syspro_balance")),
        ("3 bad whole number", Company, 400, value("INVALID_INTEGER", "syspro_credit_limit")),
        ("4 unique value taken", Company, 400, value("CONFLICTING_UNIQUE_VALUE", "syspro_key")),
        ("4 taken, told by a sentence", Company, 400, invalid(taken)),
        ("5 required", Company, 400, value("MISSING_REQUIRED_PROPERTY", "industry")),
        ("5 required by a rule", Invoice, 400, value("MISSING_CONDITIONAL_REQUIRED_PROPERTY", "hs_comments")),
        ("6 duplicate ids", Company, 400, duplicates.to_owned()),
        ("7 not unique", Company, 400, invalid("Unable to perform update/upsert by non-unique 0-2 property syspro_key in portal ID 123")),
        ("8 too many inputs", Company, 400, invalid("The number of inputs must not exceed 100, was 101")),
        ("9 malformed", Company, 400, invalid("Invalid input JSON on line 1, column 3301: Cannot deserialize value of type `java.lang.String` from a-secret")),
        ("10 no token", Company, 401, said("INVALID_AUTHENTICATION", "Authentication credentials not found.")),
        ("11 expired token", Company, 401, said("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired 0 second(s) ago.")),
        ("12 no scope", Invoice, 403, scopes.to_owned()),
        ("13 not found, bare", Company, 404, r#"{"status":"error","message":"resource not found","correlationId":"8a3f6c3a"}"#.to_owned()),
        ("13 not found", Invoice, 404, said("OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.")),
        ("15 e-mail taken", Contact, 409, said("CONFLICT", "Contact already exists. Existing ID: 482701")),
        ("16 property exists", Company, 409, said("OBJECT_ALREADY_EXISTS", "A property named 'syspro_key' already exists.")),
        ("17 URL too long", Company, 414, String::new()),
        ("18 locked", Company, 423, said("LOCKED", "Timed out trying to acquire unique value lock for PropertyValueCoordinates{a-secret}.")),
        ("19 daily limit", Company, 429, limit.to_owned()),
        ("19 limit without a policy", Company, 429, said("RATE_LIMITS", "You have reached your secondly limit.")),
        ("20 moving", Company, 477, String::new()),
        ("21 a proxy's page", Company, 502, "<html>a-secret</html>".to_owned()),
        ("21 nothing at all", Company, 504, String::new()),
        ("22 wrong direction", Contact, 400, invalid("invalid from object type 0-46 for associations to be created. expected: 0-1")),
        ("22 record missing", Contact, 400, missing.to_owned()),
        ("22 second parent", LineItem, 400, invalid("cannot pass multiple to object ids: [1, 2] for one to one association type AssociationSpec{associationTypeId=20}")),
        ("23 open without a line", Invoice, 400, invalid("Invoice is missing required associations: INVOICE_TO_LINE_ITEM")),
        ("24 negative price", LineItem, 400, value("INVALID_PRICE", "price")),
        ("25 unknown currency", Invoice, 400, value("INVALID_CURRENCY", "hs_currency")),
        ("26 dead refresh token", Company, 400, r#"{"error":"invalid_grant","error_description":"a-secret","status":"BAD_REFRESH_TOKEN"}"#.to_owned()),
        ("a code nobody knows", Company, 400, value("BRAND_NEW_CODE", "name")),
        ("a category nobody knows", Invoice, 400, said("BRAND_NEW_CATEGORY", "a-secret happened")),
        ("a category and a part of it", Company, 400, r#"{"category":"VALIDATION_ERROR","subCategory":"Some.SUB_CATEGORY","message":"a-secret","correlationId":"8a3f6c3a"}"#.to_owned()),
        ("no envelope", Company, 400, "a-secret".to_owned()),
    ]
}

#[test]
fn every_known_no_has_a_field_a_reason_and_a_remedy() {
    let mut table = String::new();
    for (what, kind, status, text) in catalogue() {
        let fault = body(&answer(status, &text)).expect_err(what);
        let (field, why, remedy) = match &fault {
            Fault::Refused { refusal, .. } => {
                let reason = reason(refusal, kind);
                let field = reason.field.unwrap_or_else(|| "-".to_owned());
                (
                    format!("{} {field}", reason.code),
                    reason.reason,
                    reason.remedy,
                )
            }
            fault => ("the system's".to_owned(), fault.sentence(), fault.remedy()),
        };
        for sentence in [&why, &remedy] {
            assert!(sentence.ends_with('.'), "{what}: {sentence}");
        }
        table += &format!("{what}: {field}\n  {why}\n  {remedy}\n");
    }
    assert!(!table.contains("a-secret"), "{table}");
    expect![[r#"
        1 unknown property: property_doesnt_exist syspro_terms
          The company object has no property `syspro_terms` in HubSpot.
          Restore the property in HubSpot, or let the connection's set-up create it again.
        2 read-only: read_only_value hs_amount_billed
          HubSpot calculates `hs_amount_billed` itself and lets nobody set it.
          PATCH the connection with its token: what can be written is read again.
        3 bad e-mail: invalid_email email
          `email` is not an e-mail address HubSpot accepts.
          Correct the address in SYSPRO.
        3 bad option: invalid_option syspro_credit_status
          The value of `syspro_credit_status` is not among the property's options.
          Add the option to the property in HubSpot, or correct the value in SYSPRO.
        3 bad date: invalid_date hs_due_date
          HubSpot does not take the date in `hs_due_date`.
          Correct the date in SYSPRO.
        3 bad number: invalid_long syspro_balance
          HubSpot does not take the number in `syspro_balance`.
          Correct the number in SYSPRO, or change the property's type in HubSpot to a number.
        3 bad whole number: invalid_integer syspro_credit_limit
          HubSpot does not take the number in `syspro_credit_limit`.
          Correct the number in SYSPRO, or change the property's type in HubSpot to a number.
        4 unique value taken: conflicting_unique_value syspro_key
          The value of `syspro_key` belongs to another company already, and it must be unique.
          Merge the two records in HubSpot, or clear the value on the one that should not have it.
        4 taken, told by a sentence: conflicting_unique_value syspro_key
          The value of `syspro_key` belongs to company 482701 already, and it must be unique.
          Merge the two records in HubSpot, or clear the value on the one that should not have it.
        5 required: missing_required_property industry
          The portal demands `industry` on every new company, and SYSPRO holds none.
          In HubSpot make the property optional on the create form of this object, or fill it in SYSPRO.
        5 required by a rule: missing_conditional_required_property hs_comments
          A rule of the portal demands `hs_comments` together with the values of this invoice.
          In HubSpot loosen the conditional rule of the property, or fill it in SYSPRO.
        6 duplicate ids: duplicate_ids -
          The same company stood twice in one request.
          Replay it; if it comes back, report it with the correlation id.
        7 not unique: non_unique_id_property syspro_key
          `syspro_key` does not have the unique flag, so records cannot be told apart by it.
          HubSpot never adds the flag to a name it knows: make the connection again with another `prefix`.
        8 too many inputs: validation_error -
          HubSpot refused this company with VALIDATION_ERROR.
          Look up the code in HubSpot's documentation, or ask its support with the correlation id 8a3f6c3a-8296.
        9 malformed: invalid_json -
          HubSpot could not read the request.
          Report it with the correlation id 8a3f6c3a-8296.
        10 no token: the system's
          HubSpot does not know the token.
          Make a service key in HubSpot (Settings, Integrations, Service keys), and PATCH the connection with it as `hubspot.token`.
        11 expired token: the system's
          The token for HubSpot has expired.
          Copy the current token in HubSpot (Settings, Integrations, Service keys), and PATCH the connection with it as `hubspot.token`; the access token of an OAuth app lives half an hour only and is of no use here.
        12 no scope: the system's
          The HubSpot token lacks the scope crm.objects.invoices.write.
          Give the token the scope crm.objects.invoices.write in HubSpot (Settings, Integrations, Service keys).
        13 not found, bare: object_not_found -
          The company, or what it is linked to, is no longer in HubSpot.
          Replay it to make it again, unless it was deleted on purpose.
        13 not found: object_not_found -
          The invoice, or what it is linked to, is no longer in HubSpot.
          Replay it to make it again, unless it was deleted on purpose.
        15 e-mail taken: conflict email
          The e-mail address belongs to contact 482701 already.
          Correct the address in SYSPRO, or merge the two contacts in HubSpot.
        16 property exists: object_already_exists syspro_key
          The company object has `syspro_key` in HubSpot already.
          Nothing to do if its type is right; else make the connection again with another `prefix`.
        17 URL too long: request_too_large -
          The company is too large for one request.
          Shorten its longest texts in SYSPRO.
        18 locked: the system's
          HubSpot has locked records for another write.
          Nothing to do: it is tried again by itself within seconds.
        19 daily limit: the system's
          HubSpot takes no more calls today.
          Nothing to do: it is tried again by itself after midnight in the portal's time zone; if it comes back daily, lower `settings.daily_share`, or what the portal's other apps use.
        19 limit without a policy: the system's
          HubSpot asks for fewer calls.
          Nothing to do: it is tried again by itself; if it comes back, lower `settings.rate_share`, or what the portal's other apps use.
        20 moving: the system's
          HubSpot is moving the account to another data centre.
          Nothing to do: it is tried again by itself when the move is over, within a day.
        21 a proxy's page: the system's
          HubSpot failed with the server error 502.
          Nothing to do: it is tried again by itself; if it lasts, look at status.hubspot.com.
        21 nothing at all: the system's
          HubSpot failed with the server error 504.
          Nothing to do: it is tried again by itself; if it lasts, look at status.hubspot.com.
        22 wrong direction: invalid_association_type -
          HubSpot does not know this kind of link of the contact.
          Report it with the correlation id 8a3f6c3a-8296: the API version may have changed the link's number.
        22 record missing: invalid_object_ids -
          The contact, or what it is linked to, is no longer in HubSpot.
          Replay it to make it again, unless it was deleted on purpose.
        22 second parent: second_parent -
          The line item belongs to another invoice or deal already.
          Remove the line item from the other record in HubSpot, then replay the invoice.
        23 open without a line: invoice_without_lines -
          HubSpot sets this status only on an invoice that has line items.
          The amounts stand in our own properties; check that the invoice has lines in SYSPRO.
        24 negative price: invalid_price price
          HubSpot does not take the price of this line.
          A price must be a number that is not negative: correct the line in SYSPRO.
        25 unknown currency: invalid_currency hs_currency
          HubSpot does not take the currency of this record.
          Add the currency in HubSpot under Settings, Account defaults, Currency, or map its code in the connection's `currencies`.
        26 dead refresh token: invalid_grant -
          HubSpot refused this company with invalid_grant.
          Look up the code in HubSpot's documentation, or ask its support with the correlation id.
        a code nobody knows: brand_new_code name
          HubSpot refused this company with BRAND_NEW_CODE on `name`.
          Look up the code in HubSpot's documentation, or ask its support with the correlation id 8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c.
        a category nobody knows: brand_new_category -
          HubSpot refused this invoice with BRAND_NEW_CATEGORY.
          Look up the code in HubSpot's documentation, or ask its support with the correlation id 8a3f6c3a-8296.
        a category and a part of it: some.sub_category -
          HubSpot refused this company with Some.SUB_CATEGORY.
          Look up the code in HubSpot's documentation, or ask its support with the correlation id 8a3f6c3a.
        no envelope: the system's
          HubSpot sent an answer that cannot be read (status 400, 8 bytes, text: a refusal without a reason).
          See that `hubspot.api_url` is right, and look at status.hubspot.com.
    "#]].assert_eq(&table);
}
