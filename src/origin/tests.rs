use super::*;

fn strict() -> Guard {
    Guard::new(false, "")
}

#[test]
fn public_https_is_let_through_without_its_trailing_slash() {
    for (text, expected) in [
        ("https://erp.acme.example", "https://erp.acme.example"),
        ("https://erp.acme.example/", "https://erp.acme.example"),
        (
            "https://ERP.Acme.Example/SYSPRO8Odata/SYSPROOData/",
            "https://erp.acme.example/SYSPRO8Odata/SYSPROOData",
        ),
        ("HTTPS://erp.acme.example/x", "https://erp.acme.example/x"),
        (
            "https://erp.acme.example:31002/SYSPROWCFService/Rest",
            "https://erp.acme.example:31002/SYSPROWCFService/Rest",
        ),
        (
            "https://erp.acme.example:443/x",
            "https://erp.acme.example/x",
        ),
        (
            "https://a.b.c.d.example.com/x//",
            "https://a.b.c.d.example.com/x",
        ),
        ("https://local.example.com", "https://local.example.com"),
        ("https://mylocalhost.com", "https://mylocalhost.com"),
        ("https://notinternal.com", "https://notinternal.com"),
        ("https://10.example.com", "https://10.example.com"),
        ("https://8.8.8.8/odata", "https://8.8.8.8/odata"),
        ("https://100.63.255.255", "https://100.63.255.255"),
        ("https://100.128.0.1", "https://100.128.0.1"),
        ("https://172.15.0.1", "https://172.15.0.1"),
        ("https://172.32.0.1", "https://172.32.0.1"),
        ("https://192.167.1.1", "https://192.167.1.1"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
        (
            "https://[2001:4860:4860::8888]",
            "https://[2001:4860:4860::8888]",
        ),
        (
            "https://erp.acme.example/a%20b",
            "https://erp.acme.example/a%20b",
        ),
    ] {
        assert_eq!(
            strict().judge(text, Target::Syspro).as_deref(),
            Ok(expected),
            "{text}"
        );
    }
}

#[test]
fn everything_else_is_refused() {
    let hostile = [
        // Not https, or not a URL.
        "",
        "erp.acme.example",
        "//erp.acme.example",
        "/odata",
        "http://erp.acme.example",
        "ftp://erp.acme.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://erp.acm}.example",
        "data:text/plain,x",
        "https:",
        "https://",
        "https:///",
        "https:erp.acme.example",
        "https:/erp.acme.example",
        // Hiding the host.
        "https://user@erp.acme.example",
        "https://user:pw@erp.acme.example",
        "https://:pw@erp.acme.example",
        "https://@erp.acme.example",
        "https://erp.acme.example@127.0.0.1",
        "https://erp.acme.example:x",
        "https://erp.acme.example:99999",
        "https://erp.acme.example:0",
        "https:\\\\127.0.0.1",
        "https://erp.acme.example\\@127.0.0.1",
        "https://127.0\t.0.1",
        "https://erp.acme.example/\n",
        " https://erp.acme.example",
        "https://erp.acme.example ",
        "https://erp .acme.example",
        "https://%6c%6f%63%61%6c%68%6f%73%74",
        "https://bücher.example",
        "https://①②⑦.0.0.1",
        "https://erp。acme。example",
        "https://erp.acme.example\0",
        // Going on after the path.
        "https://erp.acme.example/x?y=1",
        "https://erp.acme.example?",
        "https://erp.acme.example/#",
        "https://erp.acme.example/x#y",
        // Names of an inner network.
        "https://localhost",
        "https://LOCALHOST",
        "https://localhost:8443",
        "https://localhost.",
        "https://a.localhost",
        "https://metadata.google.internal",
        "https://x.internal",
        "https://internal",
        "https://printer.local",
        "https://erp.lan",
        "https://erp.home.arpa",
        "https://erp.corp",
        "https://intranet",
        "https://erp",
        "https://erp.acme.example.",
        "https://host.docker.internal",
        // IPv4 that is not public.
        "https://127.0.0.1",
        "https://127.255.0.3",
        "https://0.0.0.0",
        "https://0.1.2.3",
        "https://10.0.0.1",
        "https://172.16.0.1",
        "https://172.31.255.255",
        "https://192.168.1.1",
        "https://169.254.169.254",
        "https://100.64.0.1",
        "https://100.100.100.200",
        "https://192.0.0.192",
        "https://192.0.2.1",
        "https://198.51.100.7",
        "https://203.0.113.9",
        "https://198.18.0.1",
        "https://192.88.99.1",
        "https://224.0.0.1",
        "https://240.0.0.1",
        "https://255.255.255.255",
        "https://168.63.129.16",
        // IPv4 in other spellings, public ones too.
        "https://2130706433",
        "https://0x7f000001",
        "https://017700000001",
        "https://127.1",
        "https://127.0.1",
        "https://0177.0.0.1",
        "https://0x7f.0.0.1",
        "https://127.0.0.1.",
        "https://134744072",
        "https://8.8.2056",
        // IPv6 that is not public, or holds an IPv4 address.
        "https://[::1]",
        "https://[::]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:8.8.8.8]",
        "https://[::127.0.0.1]",
        "https://[64:ff9b::a00:1]",
        "https://[64:ff9b:1::1]",
        "https://[2002:7f00:1::]",
        "https://[2001::1]",
        "https://[2001:db8::1]",
        "https://[3fff::1]",
        "https://[fc00::1]",
        "https://[fd00:ec2::254]",
        "https://[fe80::1]",
        "https://[fec0::1]",
        "https://[ff02::1]",
        "https://[fe80::1%25eth0]",
        "https://[100::1]",
    ];
    for text in hostile {
        assert!(
            strict().judge(text, Target::Syspro).is_err(),
            "let through: {text}"
        );
    }
    // The second one is longer only as it is sent.
    for long in ["a".repeat(LONGEST), "{".repeat(200)] {
        let long = format!("https://erp.acme.example/{long}");
        assert!(strict().judge(&long, Target::Syspro).is_err(), "{long}");
    }
}

#[test]
fn a_link_is_followed_further_in_and_never_out() {
    const BELOW: &str = "https://erp.acme.example/Odata/EDU1";
    const HERE: &str = "https://erp.acme.example/Odata/EDU1/ArInvoice";
    let next = "https://erp.acme.example/Odata/EDU1/ArInvoice?$skiptoken=2";
    for link in [
        next,
        "https://ERP.Acme.example:443/Odata/EDU1/ArInvoice?$skiptoken=2",
        "ArInvoice?$skiptoken=2",
        "?$skiptoken=2",
        "/Odata/EDU1/ArInvoice?$skiptoken=2",
        "./ArInvoice?$skiptoken=2",
        "../EDU1/ArInvoice?$skiptoken=2",
        "//erp.acme.example/Odata/EDU1/ArInvoice?$skiptoken=2",
    ] {
        assert_eq!(follow(BELOW, HERE, link).as_deref(), Ok(next), "{link}");
    }
    for (link, url) in [
        (
            "https://erp.acme.example/odata/edu1/ArInvoice?x",
            "https://erp.acme.example/odata/edu1/ArInvoice?x",
        ),
        (
            "ArInvoice?$filter=A ne 0&$skiptoken='é'",
            "https://erp.acme.example/Odata/EDU1/ArInvoice?$filter=A%20ne%200&$skiptoken=%27%C3%A9%27",
        ),
        (
            "ArInvoice?at=https://evil.example/",
            "https://erp.acme.example/Odata/EDU1/ArInvoice?at=https://evil.example/",
        ),
    ] {
        assert_eq!(follow(BELOW, HERE, link).as_deref(), Ok(url), "{link}");
    }
    let hostile = [
        // Another server.
        "https://evil.example/Odata/EDU1/ArInvoice",
        "//evil.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example.evil.example/Odata/EDU1/ArInvoice",
        "https://evil.example#@erp.acme.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example:8443/Odata/EDU1/ArInvoice",
        "http://erp.acme.example/Odata/EDU1/ArInvoice",
        "ftp://erp.acme.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example./Odata/EDU1/ArInvoice",
        "https://127.0.0.1/Odata/EDU1/ArInvoice",
        "https://169.254.169.254/Odata/EDU1/ArInvoice",
        "data:text/plain,x",
        "javascript:alert(1)",
        "file:///Odata/EDU1/ArInvoice",
        // Written so as to look like ours.
        "https://user:pw@erp.acme.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example@evil.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example\\@evil.example/Odata/EDU1/ArInvoice",
        "\\\\evil.example/Odata/EDU1/ArInvoice",
        "/\\evil.example/Odata/EDU1/ArInvoice",
        "/\t/evil.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example/Odata/EDU1/ArInvoice?x\n",
        " https://erp.acme.example/Odata/EDU1/ArInvoice",
        "https://erp.acme.example/Odata/EDU1/ArInvoice#x",
        "https://erp。acme。example/Odata/EDU1/ArInvoice",
        "https://[",
        // Out of the company's tables.
        "/",
        "/Odata",
        "/Odata/EDU1",
        "/Odata/EDU11/ArInvoice",
        "/Odata/EDU2/ArInvoice",
        "..",
        "../../ArInvoice",
        "../EDU2/ArInvoice",
        "%2e%2e/EDU2/ArInvoice",
        "..%2f..%2fadmin",
        "..%5c..%5Cadmin",
        "x%2F..%2Fadmin",
    ];
    for link in hostile {
        let followed = follow(BELOW, HERE, link);
        assert!(followed.is_err(), "followed {link} to {followed:?}");
    }
    let long = format!("?$skiptoken={}", "a".repeat(LONGEST_LINK));
    assert!(follow(BELOW, HERE, &long).is_err());
}

#[test]
fn a_deployment_opens_only_what_it_lists() {
    let guard = Guard::new(true, "127.0.0.1:8801, Erp.Internal,[::1]");
    for (text, target, passes) in [
        ("http://127.0.0.1:8801/odata", Target::Syspro, true),
        ("http://127.0.0.1:8801", Target::HubSpot, true),
        ("http://127.0.0.1:8802", Target::Syspro, false),
        ("http://127.1:8801", Target::Syspro, false),
        ("https://erp.internal", Target::Syspro, true),
        ("https://erp.internal:9000", Target::Syspro, true),
        ("https://x.erp.internal", Target::Syspro, false),
        ("http://[::1]:9000", Target::Syspro, true),
        ("http://erp.acme.example", Target::Syspro, true),
        ("http://user@127.0.0.1:8801", Target::Syspro, false),
    ] {
        assert_eq!(guard.judge(text, target).is_ok(), passes, "{text}");
    }
}

#[test]
fn hubspot_is_hubspots_own_over_https() {
    let guard = Guard::new(true, "");
    for (text, passes) in [
        ("https://api.hubapi.com", true),
        ("https://api.hubapi.com/", true),
        ("https://api.hubspot.com", true),
        ("http://api.hubapi.com", false),
        ("https://api.hubapi.com:8443", false),
        ("https://api.hubapi.com.evil.example", false),
        ("https://evil.example/api.hubapi.com", false),
        ("https://app.hubspot.com", false),
    ] {
        assert_eq!(guard.judge(text, Target::HubSpot).is_ok(), passes, "{text}");
    }
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    for (left, right, same) in [
        ("https://a.example/x", "https://a.example:443/y", true),
        ("https://a.example", "https://a.example:444", false),
        ("https://a.example", "http://a.example", false),
        ("https://a.example", "https://b.example", false),
    ] {
        assert_eq!(origin_of(left) == origin_of(right), same, "{left} {right}");
    }
}
