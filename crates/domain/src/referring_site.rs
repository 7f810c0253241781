use std::borrow::Cow;

use url::Url;

/// Which site shows an image, as far as the request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferringSite<'a> {
    /// It does not say: a typed address, an editor's preview, a reader of mail or feeds.
    Unnamed,
    /// This host.
    Host {
        /// Lower case, punycode, no trailing dot; an IPv6 address stands in brackets.
        name: Cow<'a, str>,
        /// The port, where it names one or its scheme has one.
        port: Option<u16>,
    },
    /// What it says is no site.
    Unreadable,
}

/// The longest host that there can be.
const LONGEST_HOST: usize = 253;

impl<'a> ReferringSite<'a> {
    /// The host of the `Referer`, else of the `Origin`. Nothing is allocated for a host that is written as browsers write it.
    #[must_use]
    pub fn of(referer: Option<&'a str>, origin: Option<&'a str>) -> Self {
        let said = |value: Option<&'a str>| value.filter(|value| !value.trim().is_empty());
        // `Origin: null` is what a sandboxed or local page says: it names nobody.
        let origin = said(origin).filter(|origin| origin.trim() != "null");
        let Some(source) = said(referer).or(origin) else {
            return Self::Unnamed;
        };
        plain_host(source)
            .or_else(|| parsed_host(source))
            .unwrap_or(Self::Unreadable)
    }

    /// Its host, where it names one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Host { name, .. } => Some(name),
            Self::Unnamed | Self::Unreadable => None,
        }
    }
}

/// The host, where it stands in the URL just as it is called: this is how browsers send it. Whatever is not quite plain is for
/// the parser, which says the same of these.
fn plain_host(source: &str) -> Option<ReferringSite<'_>> {
    let (rest, usual_port) = match source.strip_prefix("https://") {
        Some(rest) => (rest, 443),
        None => (source.strip_prefix("http://")?, 80),
    };
    let length = rest
        .bytes()
        .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        .unwrap_or(rest.len());
    let (host, after) = rest.split_at(length);
    let port = match after.as_bytes() {
        [] | [b'/' | b'?' | b'#', ..] => usual_port,
        // A port, and not a password: `host:123@evil`.
        [b':', ..] => {
            let port = after[1..].split(['/', '?', '#']).next().unwrap_or_default();
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
            port.parse().ok().filter(|_| is_number)?
        }
        _ => return None,
    };
    // A last label that begins with a digit may be a number in disguise (`0x7f.1`): the parser knows.
    let last = host.rsplit('.').next()?;
    let is_name = last.bytes().next()?.is_ascii_lowercase() && !host.starts_with('.');
    // Punycode has rules of its own; so have empty labels.
    let is_simple = host.len() <= LONGEST_HOST && !host.contains("xn--") && !host.contains("..");
    (is_name && is_simple).then_some(ReferringSite::Host {
        name: Cow::Borrowed(host),
        port: Some(port),
    })
}

/// The host as a browser parses it (WHATWG).
fn parsed_host(source: &str) -> Option<ReferringSite<'static>> {
    let url = Url::parse(source).ok()?;
    // SECURITY: `https://blog.example@evil.com/` is a page of evil.com; a browser never sends user info at all.
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_web = matches!(url.scheme(), "http" | "https");
    let host = url.host_str().filter(|_| is_web && !has_user)?;
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && host.len() <= LONGEST_HOST).then(|| ReferringSite::Host {
        name: Cow::Owned(host.to_owned()),
        port: url.port_or_known_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_the_parsed_host_of_the_referer() {
        for (referer, expected) in [
            ("https://blog.example/post?x=1#y", Some("blog.example")),
            ("http://blog.example", Some("blog.example")),
            ("https://blog.example:8443/", Some("blog.example")),
            ("https://blog.example:/", Some("blog.example")),
            ("https://BLOG.Example./", Some("blog.example")),
            ("https://blog.example./", Some("blog.example")),
            ("https://a-b.c1.example?x", Some("a-b.c1.example")),
            ("https://localhost:3000/", Some("localhost")),
            ("https://127.0.0.1/", Some("127.0.0.1")),
            ("https://0x7f.1/", Some("127.0.0.1")),
            ("https://2130706433/", Some("127.0.0.1")),
            ("https://[::1]:80/", Some("[::1]")),
            ("https://中文.example/", Some("xn--fiq228c.example")),
            ("https://xn--fiq228c.example/", Some("xn--fiq228c.example")),
            ("https://evil.example\\@blog.example/", Some("evil.example")),
            ("https:blog.example/", Some("blog.example")),
            ("  https://blog.example/  ", Some("blog.example")),
            ("https://blog.example@evil.example/", None),
            ("https://blog.example:1@evil.example/", None),
            ("https://blog.example:123456/", None),
            ("https://blog.example:99999/", None),
            ("https://blog.example:+80/", None),
            ("https://blog.example:80x/", None),
            ("ftp://blog.example/", None),
            ("about:blank", None),
            ("blog.example", None),
            ("https://", None),
            ("https://blog..example/", Some("blog..example")),
            ("https://.example/", Some(".example")),
            ("https://ex ample/", None),
            ("\u{fffd}", None),
        ] {
            let host = |referer, origin| match ReferringSite::of(referer, origin) {
                ReferringSite::Host { name, .. } => Some(name.into_owned()),
                ReferringSite::Unreadable => None,
                ReferringSite::Unnamed => panic!("it names somebody: {referer:?} {origin:?}"),
            };
            let expected = expected.map(str::to_owned);
            assert_eq!(host(Some(referer), None), expected, "{referer}");
            assert_eq!(
                host(Some(referer), Some("https://other.example")),
                expected,
                "the referer comes first: {referer}"
            );
            assert_eq!(host(None, Some(referer)), expected, "as an origin: {referer}");
        }
        for (referer, origin) in [
            (None, None),
            (Some(""), None),
            (Some(" "), Some("null")),
            (None, Some("null")),
        ] {
            assert_eq!(
                ReferringSite::of(referer, origin),
                ReferringSite::Unnamed,
                "{referer:?} {origin:?}"
            );
        }
    }

    #[test]
    fn what_is_read_the_short_way_is_what_the_parser_says() {
        let hosts = [
            "blog.example",
            "a-b.c1.example",
            "localhost",
            "-a.example",
            "a-.example",
            "a--b.example",
            "1.example",
            "example.1a",
            "example.a1",
            "example.0x7f",
            "0x7f",
            "1.2.3.4",
            "x.",
            ".x",
            "a..b",
            "xn--a.example",
            "x",
            "a_b.example",
            "A.example",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
            "",
        ];
        let ends = [
            "", "/", "/p?q#f", "?q", "#f", ":", ":/", ":80", ":443/", ":0/", ":65535", ":65536/", ":00080/",
            ":8\t0/", "\t/", "\\x", "@evil/", ":1@evil/", "/@evil", "%2e/", " /", ":80?x", ":80#x", ":80\\",
        ];
        for scheme in ["https://", "http://", "https:/", "HTTP://", "ftp://"] {
            for host in hosts {
                for end in ends {
                    let source = format!("{scheme}{host}{end}");
                    if let Some(plain) = plain_host(&source) {
                        assert_eq!(Some(plain), parsed_host(&source), "{source}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_host_that_browsers_write_plainly_costs_no_memory() {
        for referer in ["https://blog.example/2026/11/post.html", "http://localhost:3000/"] {
            let site = ReferringSite::of(Some(referer), None);
            let ReferringSite::Host { name, port } = site else {
                panic!("{site:?}");
            };
            assert!(matches!(name, Cow::Borrowed(_)), "{name}");
            assert!(matches!(port, Some(443 | 3000)), "{port:?}");
        }
    }
}
