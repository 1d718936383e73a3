//! Which addresses may be asked: the descriptor's hosts, over TLS, on the public internet.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use url::{Host, Url};

use crate::error::Printable;

/// Refuses an address that is not of the hosts: every hop of a redirect comes by here.
pub(super) fn gate(url: &Url, hosts: &[String]) -> Result<(), String> {
    if url.scheme() != "https" {
        return Err(format!("`{}` is not an https address", shown(url)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("`{}` holds a name or a password", shown(url)));
    }
    let known = url.host_str().is_some_and(|host| hosts.iter().any(|h| h == host));
    if !known || url.port().is_some() {
        return Err(format!("`{}` is at none of the hosts of this dataset (`{}`)", shown(url), hosts.join("`, `")));
    }
    Ok(())
}

/// An address for messages: without what may be a secret. A publisher may redirect to an
/// address that is signed for a time.
pub(super) fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    // Addresses that cannot have a name or a password refuse to lose one.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    Printable(bare.as_str()).to_string()
}

/// Reads the setting for a server of this machine that stands for all publishers.
///
/// # Errors
/// Anything but `http://`, a loopback address and a port: whatever else it is, it may be
/// somebody's, and would be trusted as if it were the publisher.
pub fn base(text: &str) -> Result<Url, String> {
    let refused = || "expected an address of this machine, such as http://127.0.0.1:8080".to_owned();
    let url = Url::parse(text).map_err(|_| refused())?;
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    if loopback && bare && anonymous && url.scheme() == "http" { Ok(url) } else { Err(refused()) }
}

/// Where a request for `url` goes: to the publisher, or to the server that stands for all
/// of them, with the host as the first part of the path.
pub(super) fn routed(url: &Url, base: Option<&Url>) -> Url {
    let Some(base) = base else { return url.clone() };
    let mut to = base.clone();
    to.set_path(&format!("/{}{}", url.host_str().unwrap_or_default(), url.path()));
    to.set_query(url.query());
    to
}

/// A resolver that gives public addresses only, so that no name, whoever sets it, leads
/// to a machine of the user's own network.
#[derive(Debug, Default)]
pub(super) struct PublicOnly {
    inner: DefaultResolver,
    /// The user's proxy may be in their own network.
    proxy: Option<String>,
}

impl PublicOnly {
    /// With the host of the user's proxy.
    pub(super) fn new(proxy: Option<String>) -> Self {
        Self { inner: DefaultResolver::default(), proxy }
    }
}

/// A name that leads where none may.
#[derive(Debug)]
pub(super) struct NotPublic(IpAddr);

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its name leads to {}, which is no address of the public internet", self.0)
    }
}

impl std::error::Error for NotPublic {}

impl Resolver for PublicOnly {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = match self.inner.resolve(uri, config, timeout) {
            // What the system says of a name that is not there is an error of its own kind.
            Err(ureq::Error::Io(_)) => return Err(ureq::Error::HostNotFound),
            found => found?,
        };
        if self.proxy.is_some() && uri.host() == self.proxy.as_deref() {
            return Ok(found);
        }
        public(&found, self.empty())
    }
}

fn public(found: &[SocketAddr], mut kept: ResolvedSocketAddrs) -> Result<ResolvedSocketAddrs, ureq::Error> {
    for address in found.iter().filter(|a| is_public(a.ip())) {
        kept.push(*address);
    }
    match (found.first(), kept.is_empty()) {
        (Some(refused), true) => Err(ureq::Error::Other(Box::new(NotPublic(refused.ip())))),
        (None, _) => Err(ureq::Error::HostNotFound),
        (Some(_), false) => Ok(kept),
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    // 198.18.0.0/15 is for measurements, but tunnels give its addresses to public names.
    let special = a == 0 || (a == 100 && (64..128).contains(&b)) || (a == 192 && b == 0 && c == 0) || a >= 240;
    !(special
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || ip.is_broadcast())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [.., high, low] = s;
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // NAT64 and 6to4 lead to the IPv4 address within.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        [0x2001, 0xdb8, ..] => false,
        // Global unicast; loopback, link-local, unique-local and multicast are not in it.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_the_dataset() {
        let hosts = ["data.example.org".to_owned()];
        let refused = |text: &str| gate(&Url::parse(text).unwrap(), &hosts).unwrap_err();
        assert_eq!(gate(&Url::parse("https://DATA.example.org/a?b").unwrap(), &hosts), Ok(()));
        assert_eq!(gate(&Url::parse("https://data.example.org:443/a").unwrap(), &hosts), Ok(()));
        for text in [
            "https://example.org/",
            "https://data.example.org.evil.net/",
            "https://evil.net/data.example.org",
            "https://data.example.org:8443/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://localhost/",
        ] {
            assert!(refused(text).contains("is at none of the hosts"), "{text}");
        }
        assert!(refused("http://data.example.org/").contains("is not an https address"));
        assert!(refused("file:///data.example.org/x").contains("is not an https address"));
        let told = refused("https://user:secret@data.example.org/?token=secret");
        assert!(told.contains("a name or a password") && !told.contains("secret"), "{told}");
    }

    #[test]
    fn only_this_machine_stands_for_publishers() {
        for good in ["http://127.0.0.1:8080", "http://127.9.9.9:1/", "http://[::1]:8080"] {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://127.0.0.1:8080",
            "http://localhost:8080",
            "http://10.0.0.1:80",
            "http://example.org",
            "http://127.0.0.1:80/path",
            "http://user@127.0.0.1:80",
            "http://127.0.0.1.example.org",
        ] {
            assert!(base(bad).is_err(), "{bad}");
        }
        let url = Url::parse("https://data.example.org/a/b?c=d%20e").unwrap();
        let to = routed(&url, Some(&base("http://127.0.0.1:8080").unwrap()));
        assert_eq!(to.as_str(), "http://127.0.0.1:8080/data.example.org/a/b?c=d%20e");
    }

    #[test]
    fn public_addresses() {
        let all = |texts: &[&str], expected: bool| {
            for text in texts {
                assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
            }
        };
        all(
            &["8.8.8.8", "198.18.0.7", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"],
            true,
        );
        all(&["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"], false);
        all(&["0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.0.8", "203.0.113.5", "240.0.0.1"], false);
        all(&["::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1"], false);
        all(&["64:ff9b::a00:1", "2002:7f00:1::1"], false);
    }

    #[test]
    fn the_name_of_this_machine_is_refused() {
        for text in ["https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/"] {
            let found =
                PublicOnly::default().resolve(&text.parse().unwrap(), &Config::default(), NextTimeout::default());
            let told = found.unwrap_err().to_string();
            assert!(told.contains("no address of the public internet"), "{text}: {told}");
            // The user's own proxy may be there.
            let host = text.trim_start_matches("https://").trim_end_matches('/').to_owned();
            let proxied = PublicOnly::new(Some(host));
            assert!(
                proxied.resolve(&text.parse().unwrap(), &Config::default(), NextTimeout::default()).is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_that_leads_inside_is_refused() {
        let none = || PublicOnly::default().empty();
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mixed = public(&[at("10.0.0.1:443"), at("8.8.8.8:443")], none()).unwrap();
        assert_eq!(&mixed[..], [at("8.8.8.8:443")]);
        let told = public(&[at("10.0.0.1:443")], none()).unwrap_err().to_string();
        assert!(told.contains("leads to 10.0.0.1"), "{told}");
    }
}
