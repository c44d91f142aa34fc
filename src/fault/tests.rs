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
        silent(odata, Silence::Network(NoAnswer::Refused)),
        silent(odata, Silence::Network(NoAnswer::NoSuchHost)),
        silent(System::Enet, Silence::Network(NoAnswer::BadCertificate)),
        silent(odata, Silence::Network(NoAnswer::Unreached)),
        silent(odata, Silence::Status(500)),
        silent(hubspot, Silence::Network(NoAnswer::Refused)),
        silent(hubspot, Silence::Status(502)),
        throttled(Window::TenSeconds),
        throttled(Window::Day),
        throttled(Window::Share),
        Fault::Throttled {
            system: odata,
            window: Window::Second,
            retry_after: None,
        },
        Fault::Locked { system: hubspot },
        Fault::Moving {
            system: hubspot,
            retry_after: None,
        },
        Fault::Unauthorized { system: hubspot },
        Fault::Expired { system: hubspot },
        Fault::Unauthorized { system: odata },
        Fault::Unauthorized {
            system: System::Enet,
        },
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
          Nothing to do: it is tried again by itself; if it lasts, see that the SYSPRO OData service runs and is not overloaded, and that no firewall drops what comes from Cloudflare.
        the connection to SYSPRO e.net was refused or broke
          Nothing to do: it is tried again by itself; if it lasts, see that the SYSPRO e.net service runs, that the port in `syspro.enet_url` is right, and that a firewall or a stopped tunnel does not keep Cloudflare out.
        SYSPRO OData answered with more than is read at once
          Report it: a page of this table is larger than the Worker's memory allows.
        nothing takes connections at the host and port of `syspro.odata_url`
          Nothing to do: it is tried again by itself; if it lasts, see that the SYSPRO OData service runs, that the port in `syspro.odata_url` is right, and that a firewall or a stopped tunnel does not keep Cloudflare out.
        the host name in `syspro.odata_url` is not found
          Nothing to do: it is tried again by itself; if it lasts, correct the host name in `syspro.odata_url`, or have it published in the public DNS: names of your own network are not seen from Cloudflare.
        the certificate of the server in `syspro.enet_url` is not valid
          Nothing to do: it is tried again by itself; if it lasts, have a certificate installed on the server that a public authority issued for this host name, with its whole chain.
        the host name in `syspro.odata_url` is not found, or the certificate of its server is not valid
          Nothing to do: it is tried again by itself; if it lasts, correct the host name in `syspro.odata_url`, or have it published in the public DNS: names of your own network are not seen from Cloudflare; or have a certificate installed on the server that a public authority issued for this host name, with its whole chain.
        SYSPRO OData failed with the server error 500
          Nothing to do: it is tried again by itself; if it lasts, ask the SYSPRO administrator to look into the log of the SYSPRO OData service.
        nothing takes connections at the host and port of `hubspot.api_url`
          Nothing to do: it is tried again by itself; if it lasts, see that `hubspot.api_url` is right, and look at status.hubspot.com.
        HubSpot failed with the server error 502
          Nothing to do: it is tried again by itself; if it lasts, look at status.hubspot.com.
        HubSpot asks for fewer calls
          Nothing to do: it is tried again by itself; if it comes back, lower `settings.rate_share`, or what the portal's other apps use.
        HubSpot takes no more calls today
          Nothing to do: it is tried again by itself after midnight in the portal's time zone; if it comes back daily, lower `settings.daily_share`, or what the portal's other apps use.
        our share of HubSpot's calls for today is spent
          Nothing to do: it is tried again by itself after midnight in the portal's time zone; if it comes back daily, raise `settings.daily_share`, where the portal's other apps leave room.
        SYSPRO OData asks for fewer calls
          Nothing to do: it is tried again by itself; if it comes back, ask the SYSPRO administrator who limits the calls to the server.
        HubSpot has locked records for another write
          Nothing to do: it is tried again by itself within seconds.
        HubSpot is moving the account to another data centre
          Nothing to do: it is tried again by itself when the move is over, within a day.
        HubSpot does not know the token
          Make a service key in HubSpot (Settings, Integrations, Service keys), and PATCH the connection with it as `hubspot.token`.
        the token for HubSpot has expired
          Copy the current token in HubSpot (Settings, Integrations, Service keys), and PATCH the connection with it as `hubspot.token`; the access token of an OAuth app lives half an hour only and is of no use here.
        SYSPRO OData does not accept the operator and password
          PATCH the connection with the right `syspro.odata_username` and `syspro.odata_password`; or, if these are right and the operator was made after SYSPRO's OData service was started, have that service restarted.
        SYSPRO e.net does not accept the operator and password
          PATCH the connection with the right `syspro.operator`, `syspro.operator_password` and `syspro.company_password`.
        the HubSpot token lacks the scope crm.objects.invoices.write
          Give the token the scope crm.objects.invoices.write in HubSpot (Settings, Integrations, Service keys).
        HubSpot forbids this to the token
          Give the token the scopes listed in the README in HubSpot (Settings, Integrations, Service keys).
        SYSPRO OData forbids this to the operator
          Ask the SYSPRO administrator to let the operator use SYSPRO OData and the tables the README lists, and see that `syspro.headers` holds the service token where Cloudflare Access stands before it.
        HubSpot refused the request (400 MISSING_REQUIRED_PROPERTY on industry, correlation id 8a3f6c3a)
          Look for the named property and its rules in HubSpot (Settings, Properties), or ask HubSpot's support with the correlation id.
        SYSPRO OData refused the request (400 MISSING_REQUIRED_PROPERTY on industry, correlation id 8a3f6c3a)
          Compare what the SYSPRO OData server publishes with the README's list of tables and columns.
        SYSPRO OData sent an answer that cannot be read (status 200, 29 bytes, begins like HTML or XML: not JSON)
          See that `syspro.odata_url` leads to SYSPRO OData itself, and that no proxy, firewall or login page answers in its place.
    "#]].assert_eq(&lines.concat());
}

#[test]
fn every_remedy_is_one_sentence() {
    for fault in faults() {
        let remedy = fault.remedy();
        assert!(remedy.ends_with('.') && !remedy.contains(". "), "{remedy}");
    }
}

#[test]
fn cloudflares_own_statuses_say_what_the_call_met() {
    let told = |status: u16, body: &str| {
        let answer = Response::builder().status(status);
        Silence::of(&answer.body(body.into()).expect("a response of constants"))
    };
    for (status, body, expected) in [
        (521, "", NoAnswer::Refused),
        (522, "<html>", NoAnswer::TimedOut),
        (523, "", NoAnswer::Refused),
        (524, "", NoAnswer::TimedOut),
        (525, "", NoAnswer::BadCertificate),
        (526, "error code: 526", NoAnswer::BadCertificate),
        (530, "error code: 1016", NoAnswer::NoSuchHost),
        (530, "<html>Error 1033</html>", NoAnswer::Refused),
    ] {
        let expected = Silence::Network(expected);
        assert_eq!(told(status, body), expected, "{status} {body}");
    }
    for status in [500, 502, 503, 504, 520, 530] {
        assert_eq!(told(status, ""), Silence::Status(status));
    }
}
