//! What can be made of an e-mail field that people typed anything into.

use email_address::{EmailAddress, Options};

/// The first address in it that HubSpot would take, in lower case.
pub fn first_address(field: &str) -> Option<String> {
    let separators = |sign: char| sign.is_whitespace() || ",;|/<>()[]\"".contains(sign);
    field
        .split(separators)
        .map(|word| word.strip_prefix("mailto:").unwrap_or(word))
        .map(|word| word.trim_matches(['.', ':', '\'']))
        .find(|word| is_address(word))
        .map(str::to_lowercase)
}

/// The domain of an address when it is likely its owner's: not one where anybody has a mailbox.
pub fn own_domain(address: &str) -> Option<&str> {
    let (_, domain) = address.rsplit_once('@')?;
    let free = FREE_DOMAINS.contains(&domain) || is_brand(domain);
    (!free).then_some(domain)
}

/// `yahoo.de`, `yahoo.co.uk`; not `mail.yahoo-works.example`.
fn is_brand(domain: &str) -> bool {
    let mut labels = domain.split('.');
    let brand = labels
        .next()
        .is_some_and(|brand| FREE_BRANDS.contains(&brand));
    let rest: Vec<_> = labels.collect();
    brand && matches!(rest[..], [_] | ["co" | "com" | "net" | "org", _])
}

fn is_address(word: &str) -> bool {
    let strict = Options::default()
        .with_required_tld()
        .without_domain_literal()
        .without_display_text();
    let top = word.rsplit('.').next().unwrap_or(word);
    let named = top.len() >= 2 && !top.bytes().any(|byte| byte.is_ascii_digit());
    let named = named || top.starts_with("xn--");
    word.is_ascii() && named && EmailAddress::parse_with_options(word, strict).is_ok()
}

/// Providers under many endings: `yahoo.co.uk`, `yahoo.de`.
const FREE_BRANDS: &[&str] = &[
    "aol",
    "fastmail",
    "gmail",
    "gmx",
    "googlemail",
    "hotmail",
    "hushmail",
    "icloud",
    "live",
    "mailinator",
    "msn",
    "outlook",
    "proton",
    "protonmail",
    "tutanota",
    "yahoo",
    "yandex",
    "ymail",
    "zoho",
];

const FREE_DOMAINS: &[&str] = &[
    "126.com",
    "163.com",
    "absamail.co.za",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "bigpond.net.au",
    "bluewin.ch",
    "btconnect.com",
    "btinternet.com",
    "charter.net",
    "comcast.net",
    "cox.net",
    "earthlink.net",
    "eircom.net",
    "free.fr",
    "freenet.de",
    "frontier.com",
    "frontiernet.net",
    "iafrica.com",
    "iinet.net.au",
    "juno.com",
    "laposte.net",
    "libero.it",
    "lantic.net",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "mweb.co.za",
    "ntlworld.com",
    "optonline.net",
    "optusnet.com.au",
    "orange.fr",
    "pm.me",
    "qq.com",
    "rediffmail.com",
    "rocketmail.com",
    "rogers.com",
    "sbcglobal.net",
    "shaw.ca",
    "sky.com",
    "sympatico.ca",
    "t-online.de",
    "talktalk.net",
    "telkomsa.net",
    "telus.net",
    "tiscali.co.uk",
    "tiscali.it",
    "tpg.com.au",
    "vodamail.co.za",
    "verizon.net",
    "virginmedia.com",
    "vodafone.net",
    "wanadoo.fr",
    "web.de",
    "webmail.co.za",
    "westnet.com.au",
    "windstream.net",
    "xtra.co.nz",
];

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(field: &str, expect: Expect) {
        let address = first_address(field);
        let domain = address.as_deref().and_then(own_domain);
        expect.assert_eq(&format!("{address:?} {domain:?}"));
    }

    #[test]
    fn the_first_valid_address_counts() {
        check(
            "Ann.Lee@Bayside.example",
            expect![[r#"Some("ann.lee@bayside.example") Some("bayside.example")"#]],
        );
        check(
            "n/a; accounts@bayside.example, b@c.example",
            expect![[r#"Some("accounts@bayside.example") Some("bayside.example")"#]],
        );
        check(
            "Ann Lee <ann@bayside.example>",
            expect![[r#"Some("ann@bayside.example") Some("bayside.example")"#]],
        );
        check(
            "mailto:ann@mail.bayside.co.za.",
            expect![[r#"Some("ann@mail.bayside.co.za") Some("mail.bayside.co.za")"#]],
        );
        check(
            "ann+ap@bayside.example",
            expect![[r#"Some("ann+ap@bayside.example") Some("bayside.example")"#]],
        );
    }

    #[test]
    fn junk_is_no_address() {
        for junk in [
            "",
            "none",
            "@",
            "a@",
            "@b.example",
            "a@localhost",
            "a@10.0.0.1",
            "a@[10.0.0.1]",
            "a b@c",
            "a@b..example",
            ".a@b.example@",
            "jörg@bücher.example",
            "a@b.c",
            "www.b.example",
        ] {
            assert_eq!(first_address(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_mailbox_anybody_can_have_is_no_domain_of_theirs() {
        check("ann@gmail.com", expect![[r#"Some("ann@gmail.com") None"#]]);
        check(
            "ann@yahoo.co.uk",
            expect![[r#"Some("ann@yahoo.co.uk") None"#]],
        );
        check(
            "ann@telkomsa.net",
            expect![[r#"Some("ann@telkomsa.net") None"#]],
        );
        check(
            "ann@live.bayside.example",
            expect![[r#"Some("ann@live.bayside.example") Some("live.bayside.example")"#]],
        );
        check(
            "ann@mygmail.example",
            expect![[r#"Some("ann@mygmail.example") Some("mygmail.example")"#]],
        );
    }
}
