use expect_test::{Expect, expect};

use super::{
    super::tests::{answer, api, wire},
    *,
};

fn check(search: &Search<'_>, after: Option<&str>, expected: Expect) {
    expected.assert_eq(&wire(&request(&api(), search, after)));
}

#[test]
fn a_list_of_values_is_asked_for_at_once() {
    let search = Search {
        kind: Kind::Company,
        filters: &[Filter::In("domain", &["acme.example", "bolt.example"])],
        exists: None,
        sort: None,
        properties: &["name", "domain"],
    };
    check(
        &search,
        None,
        expect![[r#"
        POST https://api.hubapi.com/crm/objects/2026-09/companies/search
        {
          "filterGroups": [
            {
              "filters": [
                {
                  "operator": "IN",
                  "propertyName": "domain",
                  "values": [
                    "acme.example",
                    "bolt.example"
                  ]
                }
              ]
            }
          ],
          "limit": 200,
          "properties": [
            "name",
            "domain"
          ]
        }
    "#]],
    );
}

#[test]
fn what_changed_comes_in_order_page_after_page() {
    let search = Search {
        kind: Kind::Deal,
        filters: &[
            Filter::From("hs_lastmodifieddate", "1790000000000"),
            Filter::Has("syspro_sales_orders"),
        ],
        exists: None,
        sort: Some("hs_lastmodifieddate"),
        properties: &["syspro_sales_orders"],
    };
    check(
        &search,
        Some("200"),
        expect![[r#"
        POST https://api.hubapi.com/crm/objects/2026-09/deals/search
        {
          "after": "200",
          "filterGroups": [
            {
              "filters": [
                {
                  "operator": "GTE",
                  "propertyName": "hs_lastmodifieddate",
                  "value": "1790000000000"
                },
                {
                  "operator": "HAS_PROPERTY",
                  "propertyName": "syspro_sales_orders"
                }
              ]
            }
          ],
          "limit": 200,
          "properties": [
            "syspro_sales_orders"
          ],
          "sorts": [
            {
              "direction": "ASCENDING",
              "propertyName": "hs_lastmodifieddate"
            }
          ]
        }
    "#]],
    );
}

#[test]
fn a_property_that_is_not_there_fails_the_search() {
    let search = Search {
        kind: Kind::Deal,
        filters: &[Filter::Above("hs_object_id", "512")],
        exists: Some("syspro_sales_orders"),
        sort: Some("hs_object_id"),
        properties: &["syspro_sales_orders"],
    };
    check(
        &search,
        None,
        expect![[r#"
        POST https://api.hubapi.com/crm/objects/2026-09/deals/search
        {
          "filterGroups": [
            {
              "filters": [
                {
                  "operator": "GT",
                  "propertyName": "hs_object_id",
                  "value": "512"
                },
                {
                  "operator": "HAS_PROPERTY",
                  "propertyName": "syspro_sales_orders"
                }
              ]
            },
            {
              "filters": [
                {
                  "operator": "GT",
                  "propertyName": "hs_object_id",
                  "value": "512"
                },
                {
                  "operator": "NOT_HAS_PROPERTY",
                  "propertyName": "syspro_sales_orders"
                }
              ]
            }
          ],
          "limit": 200,
          "properties": [
            "syspro_sales_orders"
          ],
          "sorts": [
            {
              "direction": "ASCENDING",
              "propertyName": "hs_object_id"
            }
          ]
        }
    "#]],
    );
}

#[test]
fn a_body_stays_within_what_is_taken() {
    let search = Search {
        kind: Kind::Company,
        filters: &[Filter::In("domain", &[])],
        exists: None,
        sort: None,
        properties: &["name", "domain", "syspro_key"],
    };
    let short: Vec<String> = (0..250).map(|n| format!("c{n}.example")).collect();
    let long: Vec<String> = (0..250)
        .map(|n| format!("customer-{n}.{}.\"example\"", "x".repeat(60)))
        .collect();
    for (values, expected) in [(short, MAX_VALUES), (long, 32)] {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let count = fitting(&search, &values);
        assert_eq!(count, expected);
        let filters = [Filter::In("domain", &values[..count])];
        let search = Search {
            filters: &filters,
            ..search
        };
        let length = request(&api(), &search, Some("9800")).body().len();
        assert!(length <= MAX_BODY, "{length}");
    }
    let huge = "x".repeat(5_000);
    assert_eq!(fitting(&search, &[&huge]), 1, "or nobody gets past it");
}

#[test]
fn a_page_says_where_the_next_begins() {
    let page = |status, text| read(&answer(status, text));
    expect![[r#"
        Ok(
            Page {
                found: [
                    Found {
                        id: "512",
                        properties: {
                            "domain": "acme.example",
                            "hs_object_id": "512",
                        },
                    },
                    Found {
                        id: "77",
                        properties: {
                            "syspro_key": "EDU1/0001",
                        },
                    },
                ],
                after: Some(
                    "200",
                ),
            },
        )
    "#]].assert_debug_eq(&page(
        200,
        r#"{"total":3,"results":[
            {"id":"512","properties":{"domain":"acme.example","name":null,"hs_object_id":"512"},"archived":false},
            {"properties":{"domain":"nobody.example"}},
            {"id":77,"properties":{"syspro_key":"EDU1/0001"}}],
            "paging":{"next":{"after":"200","link":"?after=200"}}}"#,
    ));
    let last = page(200, r#"{"total":0,"results":[]}"#);
    assert_eq!(
        last,
        Ok(Page {
            found: Vec::new(),
            after: None
        })
    );
    let after = |text| page(200, text).map(|page| page.after);
    let number = r#"{"results":[],"paging":{"next":{"after":400}}}"#;
    assert_eq!(after(number), Ok(Some("400".to_owned())));
    assert!(page(200, r#"{"total":3}"#).is_err(), "no list is no answer");
    assert!(page(200, "").is_err());
}
