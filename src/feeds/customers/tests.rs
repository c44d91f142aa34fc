use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::super::tests::{map as map_with, record, shown};
use super::*;

fn check(header: Value, balance: Option<Value>, settings: &Settings, expect: Expect) {
    let record = record(&CUSTOMERS, header, balance.into_iter().collect());
    expect.assert_eq(&shown(&map_with(&CUSTOMERS, &record, settings)));
}

fn all() -> Settings {
    Settings {
        customers: CustomerScope::All,
        ..Settings::default()
    }
}

#[test]
fn a_customer_is_a_company_and_a_contact() {
    let header = json!({
        "Customer": "000000000000001", "Name": "Bayside Bikes  ", "Telephone": "+1 555 0100",
        "Contact": "Ann Lee", "Email": "n/a; Ann@bayside.example", "CustomerClass": "RET  ",
        "TermsCode": "1 ", "Branch": "10", "Salesperson": "100", "CreditStatus": "1",
        "CreditLimit": "25000", "CustomerOnHold": "Y", "Currency": "$  ", "BalanceType": "I",
        "DateCustAdded": "0000-00-00", "DateLastSale": "2024-01-31T00:00:00Z", "DateLastPay": null,
        "SoldToAddr1": "1 Harbour Road", "SoldToAddr2": " ", "SoldToAddr3": "Bayside",
        "SoldToAddr4": "ME", "SoldToAddr5": "USA", "SoldPostalCode": "04101",
    });
    let balance = json!({
        "Customer": "000000000000001", "ValFutureInv": 0, "ValCurrentInv": 1500.00,
        "Val30daysInv": "99.90", "Val60daysInv": 0, "Val90daysInv": 0.10, "Val120daysInv": null,
        "ValCreditsInv": -250.00,
    });
    check(
        header,
        Some(balance),
        &Settings::default(),
        expect![[r#"
        Company EDU1/000000000000001
          address = 1 Harbour Road
          city = Bayside
          country = USA
          domain = bayside.example
          name = Bayside Bikes
          phone = +1 555 0100
          state = ME
          syspro_balance = 1350
          syspro_balance_120_days = 0
          syspro_balance_30_days = 99.9
          syspro_balance_60_days = 0
          syspro_balance_90_days = 0.1
          syspro_balance_credits = -250
          syspro_balance_current = 1500
          syspro_balance_future = 0
          syspro_branch = 10
          syspro_branch_name = North
          syspro_credit_limit = 25000
          syspro_credit_status = 1
          syspro_currency = USD
          syspro_customer_class = RET
          syspro_customer_class_name = Retail
          syspro_customer_number = 1
          syspro_key = EDU1/000000000000001
          syspro_last_sale = 2024-01-31
          syspro_on_hold = true
          syspro_salesperson = 100
          syspro_salesperson_name = Ann Whitaker
          syspro_terms = 1
          syspro_terms_description = 30 days
          zip = 04101
          on create lifecyclestage = customer
        Contact EDU1/000000000000001/AR
          company = Bayside Bikes
          email = ann@bayside.example
          firstname = Ann
          lastname = Lee
          phone = +1 555 0100
          syspro_customer_number = 1
          syspro_email = n/a; Ann@bayside.example
          syspro_key = EDU1/000000000000001/AR
          on create lifecyclestage = customer
        customer None status None due None lines complete false
    "#]],
    );
}

/// The rows an OData answer is known to hold, character by character.
#[test]
fn padded_keys_blanks_and_nulls() {
    let first = json!({"Customer":"000000000000001","Name":"Bayside Bikes","Email":"a@bayside.example","Currency":"$  ","TermsCode":"1 ","TimeStamp":"AAAAAAAB9gE="});
    check(
        first,
        None,
        &all(),
        expect![[r#"
        Company EDU1/000000000000001
          domain = bayside.example
          name = Bayside Bikes
          syspro_currency = USD
          syspro_customer_number = 1
          syspro_key = EDU1/000000000000001
          syspro_on_hold = false
          syspro_terms = 1
          syspro_terms_description = 30 days
          on create lifecyclestage = customer
        Contact EDU1/000000000000001/AR
          company = Bayside Bikes
          email = a@bayside.example
          syspro_customer_number = 1
          syspro_email = a@bayside.example
          syspro_key = EDU1/000000000000001/AR
          on create lifecyclestage = customer
        customer None status None due None lines complete false
    "#]],
    );
    let second = json!({"Customer":"BAY001         ","Name":"Café & Co","Email":" ","Currency":"EUR","TermsCode":"2","TimeStamp":null});
    check(
        second,
        None,
        &all(),
        expect![[r#"
        Company EDU1/BAY001
          name = Café & Co
          syspro_currency = EUR
          syspro_customer_number = BAY001
          syspro_key = EDU1/BAY001
          syspro_on_hold = false
          syspro_terms = 2
          on create lifecyclestage = customer
        Contact EDU1/BAY001/AR
          company = Café & Co
          lastname = Café & Co
          syspro_customer_number = BAY001
          syspro_key = EDU1/BAY001/AR
          on create lifecyclestage = customer
        customer None status None due None lines complete false
    "#]],
    );
}

#[test]
fn odd_values_are_said_and_do_not_stop_the_customer() {
    let mut settings = all();
    settings.lifecycle_stage = String::new();
    settings
        .address_columns
        .insert("city".into(), "City".into());
    let header = json!({
        "Customer": "7", "Name": " ", "Email": "see notes", "Currency": "CDN",
        "CreditStatus": "8", "City": "Halifax", "SoldToAddr3": "not this",
    });
    check(
        header,
        None,
        &settings,
        expect![[r#"
        Company EDU1/7
          city = Halifax
          name = Customer 7
          syspro_currency = CDN
          syspro_customer_number = 7
          syspro_key = EDU1/7
          syspro_on_hold = false
        Contact EDU1/7/AR
          company = Customer 7
          lastname = Customer 7
          syspro_customer_number = 7
          syspro_email = see notes
          syspro_key = EDU1/7/AR
        customer None status None due None lines complete false
        warning invalid_email Email: The Email field holds no valid address; the contact goes without one.
        warning unknown_credit_status CreditStatus: SYSPRO's credit status 8 is not one we know; it was left out.
        warning unknown_currency Currency: SYSPRO's currency code CDN is not an ISO 4217 code.
    "#]],
    );
}

#[test]
fn an_unreadable_value_names_its_column() {
    check(
        json!({ "Customer": "7", "CreditLimit": "secret" }),
        None,
        &all(),
        expect![[r#"
            failing unreadable_value CreditLimit: SYSPRO's CreditLimit holds something that is not a number.
        "#]],
    );
    let customer = json!({ "Customer": "7" });
    let balance = json!({ "Val30daysInv": "secret" });
    check(
        customer,
        Some(balance),
        &all(),
        expect![[r#"
        failing unreadable_value Val30daysInv: SYSPRO's Val30daysInv holds something that is not a number.
    "#]],
    );
}

#[test]
fn only_active_customers_unless_all_are_wanted() {
    let active = |header: Value, balance: Option<Value>| {
        let record = record(&CUSTOMERS, header, balance.into_iter().collect());
        let outcome = map_with(&CUSTOMERS, &record, &Settings::default());
        matches!(outcome, Outcome::Send(_))
    };
    let dated = |column: &str, day: &str| json!({ "Customer": "7", column: day });
    // 400 days before 15 February 2024.
    assert!(active(dated("DateLastSale", "2023-01-11"), None));
    assert!(active(dated("DateCustAdded", "2023-01-11"), None));
    assert!(!active(dated("DateLastSale", "2023-01-10"), None));
    assert!(!active(dated("DateLastPay", "2024-02-01"), None));
    let zero = json!({ "ValCurrentInv": 0.00 });
    assert!(!active(json!({ "Customer": "7" }), Some(zero)));
    let even = json!({ "Val30daysInv": 10, "ValCreditsInv": -10 });
    assert!(active(json!({ "Customer": "7" }), Some(even)));
    check(
        json!({ "Customer": "7" }),
        None,
        &Settings::default(),
        expect![[r#"
            excluded customers_active -: No sale or addition in the last 400 days, and no balance (rule: customers = active).
        "#]],
    );
}

#[test]
fn the_settings_choose_the_columns_that_are_read() {
    let mut settings = Settings::default();
    settings
        .address_columns
        .insert("city".into(), "City".into());
    settings
        .address_columns
        .insert("state".into(), "Name".into());
    let columns = columns(&settings);
    assert!(columns.contains(&"City".to_owned()));
    assert!(!columns.contains(&"SoldToAddr3".to_owned()));
    assert_eq!(columns.iter().filter(|column| *column == "Name").count(), 1);
}
