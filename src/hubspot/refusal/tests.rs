use expect_test::{Expect, expect};

use super::*;

mod catalogue;

fn parse(text: &str) -> Refusal {
    read(&serde_json::from_str(text).unwrap())
}

fn check(kind: Kind, text: &str, expected: Expect) {
    let refusal = parse(text);
    let reason = reason(&refusal, kind);
    expected.assert_eq(&format!(
        "{} {:?} {:?}\n{}\n{}\n",
        refusal.code, refusal.field, refusal.other_id, reason.reason, reason.remedy
    ));
}

const UNKNOWN_PROPERTY: &str = r#"{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"testproperty\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"testproperty\",\"localizedErrorMessage\":\"Property \\\"testproperty\\\" does not exist\",\"portalId\":123}]",
 "correlationId":"8a3f6c3a-8296-4002-b0a6-2a06fecf7c0c",
 "errors":[{"message":"Property \"testproperty\" does not exist","code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["testproperty"]}}],
 "category":"VALIDATION_ERROR"}"#;
const ONLY_IN_THE_MESSAGE: &str = r#"{"status":"error","category":"VALIDATION_ERROR",
  "message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"nope\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"nope\",\"localizedErrorMessage\":\"Property \\\"nope\\\" does not exist\",\"portalId\":891936587}]",
  "context":{"objectWriteTraceId":["c-1"]}}"#;
const EMAIL_TAKEN: &str = r#"{"status":"error","message":"Contact already exists. Existing ID: 482701","correlationId":"…","category":"CONFLICT"}"#;
const DUPLICATES: &str = r#"{"status":"error","message":"Duplicate IDs found in batch input: [12877907025]. IDs must be unique",
 "correlationId":"…","context":{"ids":["12877907025"]},"category":"VALIDATION_ERROR"}"#;
const PROPERTY_EXISTS: &str = r#"{"status":"error","message":"A property named 'x' already exists.","category":"OBJECT_ALREADY_EXISTS","subCategory":"Properties.PROPERTY_WITH_NAME_EXISTS","correlationId":"…"}"#;

fn coordinates(property: &str) -> String {
    format!(
        r#"{{"status":"error","message":"Cannot set PropertyValueCoordinates{{portalId=123, objectTypeId=ObjectTypeId{{legacyObjectType=CONTACT}}, propertyName={property}, value=jane.secret@acme.example}} on 501. 482701 already has that value.","category":"VALIDATION_ERROR"}}"#
    )
}

fn coded(code: &str, field: &str) -> String {
    format!(
        r#"{{"category":"VALIDATION_ERROR","errors":[{{"message":"jane.secret","code":"{code}","context":{{"propertyName":["{field}"]}}}}]}}"#
    )
}

#[test]
fn a_code_is_found_wherever_it_stands() {
    check(
        Kind::Company,
        UNKNOWN_PROPERTY,
        expect![[r#"
            PROPERTY_DOESNT_EXIST Some("testproperty") None
            The company object has no property `testproperty` in HubSpot.
            Restore the property in HubSpot, or let the connection's set-up create it again.
        "#]],
    );
    check(
        Kind::Company,
        ONLY_IN_THE_MESSAGE,
        expect![[r#"
            PROPERTY_DOESNT_EXIST Some("nope") None
            The company object has no property `nope` in HubSpot.
            Restore the property in HubSpot, or let the connection's set-up create it again.
        "#]],
    );
    check(
        Kind::Contact,
        EMAIL_TAKEN,
        expect![[r#"
        CONFLICT Some("email") Some("482701")
        The e-mail address belongs to contact 482701 already.
        Correct the address in SYSPRO, or merge the two contacts in HubSpot.
    "#]],
    );
    check(
        Kind::Contact,
        &coordinates("email"),
        expect![[r#"
        CONFLICTING_UNIQUE_VALUE Some("email") Some("482701")
        The e-mail address belongs to contact 482701 already.
        Correct the address in SYSPRO, or merge the two contacts in HubSpot.
    "#]],
    );
    check(
        Kind::Contact,
        &coordinates("syspro_key"),
        expect![[r#"
        CONFLICTING_UNIQUE_VALUE Some("syspro_key") Some("482701")
        The value of `syspro_key` belongs to contact 482701 already, and it must be unique.
        Merge the two records in HubSpot, or clear the value on the one that should not have it.
    "#]],
    );
    check(
        Kind::Company,
        DUPLICATES,
        expect![[r#"
            DUPLICATE_IDS None None
            The same company stood twice in one request.
            Replay it; if it comes back, report it with the correlation id.
        "#]],
    );
    check(
        Kind::Company,
        PROPERTY_EXISTS,
        expect![[r#"
            OBJECT_ALREADY_EXISTS Some("x") None
            The company object has `x` in HubSpot already.
            Nothing to do if its type is right; else make the connection again with another `prefix`.
        "#]],
    );
    check(
        Kind::Company,
        r#"{"message":"Unable to perform update/upsert by non-unique 0-2 property domain in portal ID 123"}"#,
        expect![[r#"
            NON_UNIQUE_ID_PROPERTY Some("domain") None
            `domain` does not have the unique flag, so records cannot be told apart by it.
            HubSpot never adds the flag to a name it knows: make the connection again with another `prefix`.
        "#]],
    );
    check(
        Kind::Company,
        r#"{"message":"Invalid input JSON on line 1, column 3301: Cannot deserialize value of type `java.lang.String`…","correlationId":"c033cdaa-2c40-4a64-ae48-b4cec88dad24"}"#,
        expect![[r#"
            INVALID_JSON None None
            HubSpot could not read the request.
            Report it with the correlation id c033cdaa-2c40-4a64-ae48-b4cec88dad24.
        "#]],
    );
    check(
        Kind::Invoice,
        r#"{"error":"invalid_grant","error_description":"…","status":"BAD_REFRESH_TOKEN"}"#,
        expect![[r#"
            invalid_grant None None
            HubSpot refused this invoice with invalid_grant.
            Look up the code in HubSpot's documentation, or ask its support with the correlation id.
        "#]],
    );
    check(
        Kind::Invoice,
        "{}",
        expect![[r#"
            UNKNOWN None None
            HubSpot refused this invoice with UNKNOWN.
            Look up the code in HubSpot's documentation, or ask its support with the correlation id.
        "#]],
    );
}

#[test]
fn every_code_has_a_reason_and_a_remedy() {
    for (code, field, kind) in [
        ("READ_ONLY_VALUE", "hs_balance_due", Kind::Invoice),
        ("INVALID_EMAIL", "email", Kind::Contact),
        ("INVALID_OPTION", "industry", Kind::Company),
        ("INVALID_DATE", "syspro_last_sale", Kind::Company),
        ("VALUE_TOO_LONG", "name", Kind::Company),
        ("INVALID_LONG", "syspro_balance", Kind::Company),
        ("CONFLICTING_UNIQUE_VALUE", "syspro_key", Kind::Company),
        ("MISSING_REQUIRED_PROPERTY", "industry", Kind::Company),
        (
            "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            "industry",
            Kind::Company,
        ),
        ("SOMETHING_ELSE", "hs_currency", Kind::Invoice),
        ("SOMETHING_ELSE", "price", Kind::LineItem),
        ("SOMETHING_ELSE", "name", Kind::LineItem),
    ] {
        let reason = reason(&parse(&coded(code, field)), kind);
        assert_eq!(reason.code, code.to_ascii_lowercase());
        assert_eq!(reason.field.as_deref(), Some(field));
        assert!(
            reason.reason.ends_with('.') && reason.remedy.ends_with('.'),
            "{reason:?}"
        );
        assert!(!format!("{reason:?}").contains("secret"), "{reason:?}");
    }
}

#[test]
fn links_are_refused_for_their_own_reasons() {
    check(
        Kind::Contact,
        r#"{"message":"One or more associations are invalid","context":{"INVALID_OBJECT_IDS":["CONTACT=226001 is not valid"]}}"#,
        expect![[r#"
            INVALID_OBJECT_IDS None Some("226001")
            The contact, or what it is linked to, is no longer in HubSpot.
            Replay it to make it again, unless it was deleted on purpose.
        "#]],
    );
    check(
        Kind::Contact,
        r#"{"message":"invalid from object type 0-46 for associations to be created. expected: 0-1","category":"VALIDATION_ERROR"}"#,
        expect![[r#"
            INVALID_ASSOCIATION_TYPE None None
            HubSpot does not know this kind of link of the contact.
            Report it with the correlation id: the API version may have changed the link's number.
        "#]],
    );
    check(
        Kind::LineItem,
        r#"{"message":"cannot pass multiple to object ids: [1, 2] for one to one association type AssociationSpec{associationTypeId=20}","category":"VALIDATION_ERROR"}"#,
        expect![[r#"
            SECOND_PARENT None None
            The line item belongs to another invoice or deal already.
            Remove the line item from the other record in HubSpot, then replay the invoice.
        "#]],
    );
    check(
        Kind::Invoice,
        r#"{"message":"… INVOICE_TO_LINE_ITEM …","category":"VALIDATION_ERROR"}"#,
        expect![[r#"
            INVOICE_WITHOUT_LINES None None
            HubSpot sets this status only on an invoice that has line items.
            The amounts stand in our own properties; check that the invoice has lines in SYSPRO.
        "#]],
    );
}

#[test]
fn an_email_is_told_from_other_conflicts() {
    for taken in [
        EMAIL_TAKEN,
        &coordinates("email"),
        &coded("INVALID_EMAIL", "email"),
        &coded("CONFLICTING_UNIQUE_VALUE", "email"),
    ] {
        assert!(takes_email(&parse(taken)), "{taken}");
    }
    for other in [
        DUPLICATES,
        &coordinates("syspro_key"),
        &coded("INVALID_DATE", "email"),
        r#"{"category":"CONFLICT"}"#,
    ] {
        assert!(!takes_email(&parse(other)), "{other}");
    }
}

#[test]
fn the_holder_of_a_value_is_found_inside_a_list_too() {
    let listed = r#"{"category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"482701 already has that value for email.\",\"error\":\"CONFLICTING_UNIQUE_VALUE\",\"name\":\"email\"}]"}"#;
    let refusal = parse(listed);
    assert!(takes_email(&refusal));
    assert_eq!(refusal.other_id.as_deref(), Some("482701"));
}

#[test]
fn what_is_gone_is_told_from_what_is_wrong() {
    for gone in [
        r#"{"status":"error","message":"resource not found","correlationId":"…"}"#,
        r#"{"category":"OBJECT_NOT_FOUND","message":"Object not found.  objectId are usually numeric."}"#,
        r#"{"category":"OBJECT_NOT_FOUND","message":"Could not get some COMPANY objects, they may be deleted or not exist. Check that ids are valid.","context":{"ids":["CUST-404"]}}"#,
        r#"{"message":"One or more associations are invalid","context":{"INVALID_OBJECT_IDS":["CONTACT=226 is not valid"]}}"#,
    ] {
        assert!(is_missing(&parse(gone)), "{gone}");
    }
    assert!(!is_missing(&parse(EMAIL_TAKEN)));
}

#[test]
fn one_cause_in_both_halves_is_the_portals_unless_it_is_in_the_values() {
    let same = |a: &str, b: &str| same_cause(&parse(a), &parse(b));
    assert!(same(UNKNOWN_PROPERTY, UNKNOWN_PROPERTY));
    let required = coded("MISSING_REQUIRED_PROPERTY", "industry");
    assert!(same(&required, &required));
    assert!(!same(
        &required,
        &coded("MISSING_REQUIRED_PROPERTY", "city")
    ));
    assert!(!same(&required, &coded("READ_ONLY_VALUE", "industry")));
    assert!(!same(EMAIL_TAKEN, EMAIL_TAKEN));
    let invalid = coded("INVALID_EMAIL", "email");
    assert!(!same(&invalid, &invalid));
}

#[test]
fn nothing_but_codes_names_and_ids_is_taken_from_an_error() {
    let hostile = r#"{"correlationId":"Jane <jane@acme.example>","category":"not a code, a sentence",
      "message":"Existing ID: Jane","context":{"propertyName":["Jane Doe"]}}"#;
    let refusal = parse(hostile);
    assert_eq!(refusal, Refusal::coded("UNKNOWN"));
}
