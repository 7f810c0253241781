use std::borrow::Cow;

use url::Url;

/// Which site shows an image, as far as the request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferringSite<'a> {
    /// It does not say: a typed address, an editor's preview, a reader of mail or feeds.
    Unnamed,
    /// This host: lower case, punycode, no trailing dot, no port.
    Host(Cow<'a, str>),
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
            .map(Cow::Borrowed)
            .or_else(|| parsed_host(source).map(Cow::Owned))
            .map_or(Self::Unreadable, Self::Host)
    }
}

/// The host, where it stands in the URL just as it is called: this is how browsers send it.
fn plain_host(source: &str) -> Option<&str> {
    let rest = source
        .strip_prefix("https://")
        .or_else(|| source.strip_prefix("http://"))?;
    let length = rest
        .bytes()
        .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        .unwrap_or(rest.len());
    let (host, after) = rest.split_at(length);
    let ends_there = match after.as_bytes() {
        [] | [b'/' | b'?' | b'#', ..] => true,
        // A port, and not a password: `host:123@evil`.
        [b':', port @ ..] => {
            let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
            digits <= 5 && matches!(port.get(digits), None | Some(b'/' | b'?' | b'#'))
        }
        _ => false,
    };
    // A last label that begins with a digit may be a number in disguise (`0x7f.1`): the parser knows.
    let last = host.rsplit('.').next()?;
    let is_name = last.bytes().next()?.is_ascii_lowercase() && !host.starts_with('.');
    // Punycode has rules of its own; so have empty labels.
    let is_simple = host.len() <= LONGEST_HOST && !host.contains("xn--") && !host.contains("..");
    (ends_there && is_name && is_simple).then_some(host)
}

fn parsed_host(source: &str) -> Option<String> {
    let url = Url::parse(source).ok()?;
    // `https://blog.example@evil.com/` is a page of evil.com, and no browser sends such a thing.
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_web = matches!(url.scheme(), "http" | "https");
    let host = url.host_str().filter(|_| is_web && !has_user)?;
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && host.len() <= LONGEST_HOST).then(|| host.to_owned())
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
            ("ftp://blog.example/", None),
            ("about:blank", None),
            ("blog.example", None),
            ("https://", None),
            ("https://blog..example/", Some("blog..example")),
            ("https://.example/", Some(".example")),
            ("https://ex ample/", None),
            ("\u{fffd}", None),
        ] {
            let expected =
                expected.map_or(ReferringSite::Unreadable, |host| ReferringSite::Host(host.into()));
            assert_eq!(ReferringSite::of(Some(referer), None), expected, "{referer}");
            assert_eq!(
                ReferringSite::of(Some(referer), Some("https://other.example")),
                expected,
                "the referer comes first: {referer}"
            );
            assert_eq!(
                ReferringSite::of(None, Some(referer)),
                expected,
                "as an origin: {referer}"
            );
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
    fn a_host_that_browsers_write_plainly_costs_no_memory() {
        let site = ReferringSite::of(Some("https://blog.example/2026/11/post.html"), None);
        assert!(
            matches!(site, ReferringSite::Host(Cow::Borrowed("blog.example"))),
            "{site:?}"
        );
    }
}
