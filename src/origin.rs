//! Where the Worker may be sent: the guard over every URL a user gives.
//!
//! A connection's URLs come from whoever holds the admin token, the Worker's requests carry
//! credentials, and a deployment may reach places its users may not. So a URL is judged by what it
//! says, before anything is asked of it. Names are not resolved: a Worker cannot, and Cloudflare's
//! own network refuses private addresses.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

/// What the deployment permits beyond public https.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// For demos and tests on one machine.
    pub allow_http: bool,
    /// `host` or `host:port`, in lower case.
    pub allow_hosts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Syspro,
    HubSpot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub reason: String,
    pub remedy: String,
}

const LONGEST: usize = 500;
/// It repeats our own filter, percent-encoded.
const LONGEST_LINK: usize = 8_000;
const HUBSPOT: [&str; 2] = ["https://api.hubapi.com", "https://api.hubspot.com"];
/// Endings of names that only mean something inside a network.
const INNER_NAMES: [&str; 9] = [
    "localhost",
    "internal",
    "local",
    "localdomain",
    "lan",
    "home.arpa",
    "intranet",
    "corp",
    "private",
];

impl Guard {
    /// `ALLOW_HTTP` and `ALLOW_HOSTS` as the deployment writes them.
    pub fn new(allow_http: bool, allow_hosts: &str) -> Self {
        let allow_hosts = allow_hosts
            .split([',', ' '])
            .filter(|host| !host.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        Self {
            allow_http,
            allow_hosts,
        }
    }

    /// The URL without a trailing slash, or why it is not to be called.
    ///
    /// # Errors
    /// [`Refused`] says what is wrong with it and who can change that.
    pub fn judge(&self, text: &str, target: Target) -> Result<String, Refused> {
        let url = plainly_written(text)?;
        if url.scheme() == "http" && !self.allow_http {
            return Err(refused(
                "is not https",
                "Use https; only a deployment with ALLOW_HTTP set may use http.",
            ));
        }
        if !self.lists(&url) {
            match target {
                Target::HubSpot => hubspots_own(&url)?,
                Target::Syspro => public(&url)?,
            }
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    fn lists(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or(0));
        self.allow_hosts
            .iter()
            .any(|listed| listed == host || *listed == with_port)
    }
}

/// Scheme, host and port of a URL that was judged before, for telling whether a new one leads
/// elsewhere.
pub fn origin_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(url.origin().ascii_serialization())
}

/// Where a page's link to the next leads, read as standing on the page `here`: only further into
/// `below`, for our credentials go with it.
///
/// # Errors
/// [`Refused`] says in which way it leads elsewhere.
pub fn follow(below: &str, here: &str, link: &str) -> Result<String, Refused> {
    let refused = |reason| {
        Err(refused(
            reason,
            "Let the server link to itself, by the name in `syspro.odata_url`.",
        ))
    };
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    if link.len() > LONGEST_LINK {
        return refused("is too long");
    }
    if path.contains(|c: char| !c.is_ascii_graphic() || c == '\\')
        || query.contains(char::is_control)
    {
        return refused("is written in an unusual way");
    }
    let home = Url::parse(below).ok();
    let link = Url::parse(here).and_then(|here| here.join(link)).ok();
    let (Some(home), Some(link)) = (home, link) else {
        return refused("is no URL");
    };
    if !link.username().is_empty() || link.password().is_some() || link.fragment().is_some() {
        return refused("holds more than an address");
    }
    if link.origin() != home.origin() {
        return refused("leads to another server");
    }
    // IIS takes a path in any case, and answers with its own.
    let start = format!("{}/", home.path().trim_end_matches('/'));
    let (beginning, rest) = link
        .path()
        .split_at_checked(start.len())
        .unwrap_or_default();
    let climbs = ["%2f", "%5c", "%2e%2e"]
        .iter()
        .any(|it| rest.to_ascii_lowercase().contains(it));
    if !beginning.eq_ignore_ascii_case(&start) || climbs {
        return refused("leads out of the company's tables");
    }
    Ok(link.into())
}

/// The URL as it stands, when it says outright where it leads.
fn plainly_written(text: &str) -> Result<Url, Refused> {
    let plain = "Write it like https://erp.example.com/path.";
    // `url` drops tabs and line ends and takes a backslash for a slash: both hide the host.
    if text.contains(|c: char| !c.is_ascii_graphic() || c == '\\') {
        return Err(refused(
            "holds a blank, a backslash or a character outside ASCII",
            plain,
        ));
    }
    let url = Url::parse(text).map_err(|_| refused("is not a URL", plain))?;
    // `url` takes hosts that no request can name, and writes signs of a path longer than they came.
    if url.as_str().parse::<http::Uri>().is_err() {
        return Err(refused("is not a URL", plain));
    }
    if url.as_str().len() > LONGEST {
        return Err(refused("is longer than 500 characters", plain));
    }
    if !matches!(url.scheme(), "https" | "http") {
        return Err(refused("is neither https nor http", plain));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "holds a user name or password",
            "Give credentials in their own fields.",
        ));
    }
    if url.fragment().is_some() || url.query().is_some() {
        return Err(refused("holds `?` or `#`", "End it with the path."));
    }
    // Octal, decimal, hexadecimal and percent-encoded hosts read back differently.
    let host = url.host_str().unwrap_or_default();
    let start = format!("{}://{host}", url.scheme());
    if host.is_empty() || !text.to_ascii_lowercase().starts_with(&start) {
        return Err(refused("writes its host in an unusual way", plain));
    }
    if url.port() == Some(0) {
        return Err(refused("has port 0", plain));
    }
    Ok(url)
}

fn hubspots_own(url: &Url) -> Result<(), Refused> {
    if HUBSPOT.contains(&url.origin().ascii_serialization().as_str()) {
        return Ok(());
    }
    Err(refused(
        "is not HubSpot's API",
        "Use https://api.hubapi.com; a deployment that stands in for it must list the host in ALLOW_HOSTS.",
    ))
}

fn public(url: &Url) -> Result<(), Refused> {
    let inner = match url.host() {
        Some(Host::Ipv4(address)) => inner_ipv4(address),
        Some(Host::Ipv6(address)) => inner_ipv6(address),
        Some(Host::Domain(name)) => inner_name(name),
        None => true,
    };
    if inner {
        return Err(refused(
            "does not lead to a public host",
            "Use the public name of the server or its tunnel; a deployment that means this host must list it in ALLOW_HOSTS.",
        ));
    }
    Ok(())
}

fn inner_name(name: &str) -> bool {
    // A trailing dot evades every comparison of endings; a single label is completed by a search list.
    name.ends_with('.')
        || !name.contains('.')
        || INNER_NAMES.iter().any(|inner| {
            name.strip_suffix(inner)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

fn inner_ipv4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && b & 0xfe == 18)
        // Azure's host agent: a metadata service at an address that looks public.
        || address == Ipv4Addr::new(168, 63, 129, 16)
}

/// Only global unicast is public, less the parts of it that stand for something else.
fn inner_ipv6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    a & 0xe000 != 0x2000                  // not 2000::/3: mapped, NAT64, unique local, link-local, …
        || (a == 0x2001 && b < 0x0200)    // protocol assignments, Teredo among them
        || (a == 0x2001 && b == 0x0db8)   // documentation
        || a == 0x2002                    // 6to4: an IPv4 address within
        || (a == 0x3fff && b < 0x1000) // documentation
}

fn refused(reason: &str, remedy: &str) -> Refused {
    Refused {
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.reason, self.remedy)
    }
}

#[cfg(test)]
mod tests;
