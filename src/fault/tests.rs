use expect_test::expect;

use super::*;

/// One of each, as an operator may meet it.
fn faults() -> Vec<Fault> {
    let (hubspot, odata) = (System::HubSpot, System::Odata);
    let throttled = |window| Fault::Throttled {
        system: hubspot,
        window,
        retry_after: None,
    };
    let forbidden = |system, missing: &[&str]| Fault::Forbidden {
        system,
        missing: missing.iter().map(|&scope| scope.to_owned()).collect(),
    };
    let silent = |system, what| Fault::NoAnswer { system, what };
    let refused = |system| Fault::Refused {
        system,
        status: 400,
        refusal: Box::new(Refusal {
            field: Some("industry".into()),
            correlation_id: Some("8a3f6c3a".into()),
            ..Refusal::coded("MISSING_REQUIRED_PROPERTY")
        }),
    };
    vec![
        silent(odata, Silence::Network(NoAnswer::TimedOut)),
        silent(System::Enet, Silence::Network(NoAnswer::Broken)),
        silent(odata, Silence::Network(NoAnswer::TooLong)),
        silent(hubspot, Silence::Status(502)),
        throttled(Window::TenSeconds),
        throttled(Window::Day),
        Fault::Locked { system: hubspot },
        Fault::Moving {
            system: hubspot,
            retry_after: None,
        },
        Fault::Unauthorized { system: hubspot },
        Fault::Unauthorized { system: odata },
        forbidden(hubspot, &["crm.objects.invoices.write"]),
        forbidden(hubspot, &[]),
        forbidden(odata, &[]),
        refused(hubspot),
        refused(odata),
        Fault::Unreadable {
            system: odata,
            shape: "status 200, 29 bytes, begins like HTML or XML: not JSON".into(),
        },
    ]
}

#[test]
fn every_fault_says_what_happened_and_what_to_do() {
    let lines: Vec<String> = faults()
        .iter()
        .map(|fault| format!("{fault}\n  {}\n", fault.remedy()))
        .collect();
    expect![[r#"
        SYSPRO OData did not answer in time
          Nothing to do: it is tried again by itself; if it lasts, see that the SYSPRO OData server runs and that its URL is reached from Cloudflare.
        the connection to SYSPRO e.net broke
          Nothing to do: it is tried again by itself; if it lasts, see that the SYSPRO e.net service runs and that its URL is reached from Cloudflare.
        SYSPRO OData answered with more than is read at once
          Report it: a page of this table is larger than the Worker's memory allows.
        HubSpot answered with status 502
          Nothing to do: it is tried again by itself; if it lasts, look at status.hubspot.com.
        HubSpot asks for fewer calls
          Nothing to do: it is tried again by itself; if it comes back, lower `rate_share` or that of your other apps.
        HubSpot takes no more calls today
          Nothing to do: it is tried again by itself after midnight in the portal's time zone; if it comes back daily, lower `daily_share` or that of your other apps.
        HubSpot has locked records for another write
          Nothing to do: it is tried again by itself within seconds.
        HubSpot is moving the account to another data centre
          Nothing to do: it is tried again by itself when the move is over, within a day.
        HubSpot does not accept the credentials
          Make a new service key in HubSpot and PATCH the connection with it as `hubspot.token`.
        SYSPRO OData does not accept the credentials
          PATCH the connection with a new `syspro.odata_password` (and `syspro.odata_username`).
        HubSpot forbids the call; missing: crm.objects.invoices.write
          Give the HubSpot token these scopes: crm.objects.invoices.write.
        HubSpot forbids the call
          Give the HubSpot token the scopes listed in the README.
        SYSPRO OData forbids the call
          Let the SYSPRO OData user read the tables the connection names.
        HubSpot refused the request (400 MISSING_REQUIRED_PROPERTY on industry, correlation id 8a3f6c3a)
          Look for the named property and its rules in the HubSpot portal, or ask HubSpot's support with the correlation id.
        SYSPRO OData refused the request (400 MISSING_REQUIRED_PROPERTY on industry, correlation id 8a3f6c3a)
          Compare what the SYSPRO OData server publishes with the README's list of tables and columns.
        SYSPRO OData sent an answer that cannot be read (status 200, 29 bytes, begins like HTML or XML: not JSON)
          Look for a proxy, firewall or login page in front of SYSPRO OData, and see that the SYSPRO OData server runs and that its URL is reached from Cloudflare.
    "#]].assert_eq(&lines.concat());
}

#[test]
fn every_remedy_is_one_sentence() {
    for fault in faults() {
        let remedy = fault.remedy();
        assert!(remedy.ends_with('.') && !remedy.contains(". "), "{remedy}");
    }
}
