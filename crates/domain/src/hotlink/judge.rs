use url::{Host, Url};

use super::host_rule::{HostRule, normal};

/// What happens to a request that does not say where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyReferer {
    /// It passes: editors' previews, RSS readers, `file://` pages and typed addresses send none.
    #[default]
    Allow,
    /// It is refused.
    Deny,
}

/// Who may embed.
#[derive(Debug, Clone, Default)]
pub struct HotlinkPolicy {
    /// Hosts that may, besides our own.
    pub allow: Vec<HostRule>,
    /// Our own hosts (that of the base URL): always pass, as localhost does.
    pub own: Vec<HostRule>,
    /// What happens without a `Referer`.
    pub empty: EmptyReferer,
}

/// The headers that tell where a request comes from, as they were sent. A value that is not text is given as
/// [`RefererHeaders::NOT_TEXT`].
#[derive(Debug, Clone, Copy, Default)]
pub struct RefererHeaders<'a> {
    /// The first `Referer` field.
    pub referer: Option<&'a str>,
    /// Whether more than one `Referer` field came.
    pub several: bool,
    /// `Origin`, asked when there is no `Referer`.
    pub origin: Option<&'a str>,
}

impl RefererHeaders<'_> {
    /// Stands for a header value that is no text; it parses as no URL, and so is refused.
    pub const NOT_TEXT: &'static str = "\u{fffd}";
}

/// Whether a request may have the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allow(Reason),
    /// It may not.
    Refuse(Reason),
}

impl Decision {
    /// True for [`Decision::Allow`].
    #[must_use]
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// What decided.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Allow(reason) | Self::Refuse(reason) => reason,
        }
    }
}

/// What decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A page of our own, or one on this machine.
    OwnHost,
    /// A rule of the list fits.
    Listed,
    /// No rule of the list fits.
    NotListed,
    /// It does not say where it comes from.
    Empty,
    /// Several `Referer` fields: no browser sends that.
    Several,
    /// The value is no http(s) URL, or one with a user name in it: no browser sends that either.
    Malformed,
}

impl Reason {
    /// The word for metrics, logs and explanations.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnHost => "own_host",
            Self::Listed => "listed",
            Self::NotListed => "not_listed",
            Self::Empty => "empty",
            Self::Several => "several",
            Self::Malformed => "malformed",
        }
    }
}

impl HotlinkPolicy {
    /// Whether the referer decides nothing: every site may embed, and so may whoever names none.
    #[must_use]
    pub fn lets_everyone_in(&self) -> bool {
        self.empty == EmptyReferer::Allow && self.allow.iter().any(HostRule::is_everyone)
    }

    /// Decides about a request, from the host of its `Referer` as a browser parses it (WHATWG), else of its `Origin`.
    #[must_use]
    pub fn judge(&self, headers: RefererHeaders<'_>) -> Decision {
        if headers.several {
            return Decision::Refuse(Reason::Several);
        }
        // `Origin: null` is what a sandboxed or local page says: it names nobody.
        let origin = headers.origin.filter(|origin| origin.trim() != "null");
        let source = said(headers.referer).or_else(|| said(origin));
        match source {
            None if self.empty == EmptyReferer::Allow => Decision::Allow(Reason::Empty),
            None => Decision::Refuse(Reason::Empty),
            Some(source) => self.judge_source(source),
        }
    }

    fn judge_source(&self, source: &str) -> Decision {
        let Ok(url) = Url::parse(source) else {
            return Decision::Refuse(Reason::Malformed);
        };
        // SECURITY: `https://blog.example@evil.com/` is a page of evil.com; a browser never sends user info at all.
        let has_user = !url.username().is_empty() || url.password().is_some();
        let Some(host) = url
            .host()
            .filter(|_| matches!(url.scheme(), "http" | "https") && !has_user)
        else {
            return Decision::Refuse(Reason::Malformed);
        };
        let name = normal(&host);
        let port = url.port_or_known_default();
        if is_this_machine(&host, &name) || self.own.iter().any(|rule| rule.fits(&name, port)) {
            Decision::Allow(Reason::OwnHost)
        } else if self.allow.iter().any(|rule| rule.fits(&name, port)) {
            Decision::Allow(Reason::Listed)
        } else {
            Decision::Refuse(Reason::NotListed)
        }
    }
}

/// A header value that says anything at all.
fn said(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.trim().is_empty())
}

fn is_this_machine(host: &Host<&str>, name: &str) -> bool {
    match host {
        Host::Domain(_) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> HotlinkPolicy {
        let rules = |list: &[&str]| list.iter().map(|rule| rule.parse().unwrap()).collect();
        HotlinkPolicy {
            allow: rules(&[
                "blog.example",
                "*.trusted.example",
                "xn--fiq228c.example",
                "ported.example:8443",
            ]),
            own: rules(&["img.berth.example"]),
            empty: EmptyReferer::Allow,
        }
    }

    fn judge(referer: &str) -> Decision {
        policy().judge(RefererHeaders {
            referer: Some(referer),
            ..Default::default()
        })
    }

    #[test]
    fn pages_of_listed_hosts_pass() {
        for referer in [
            "https://blog.example/",
            "http://blog.example/post?x=1#y",
            "https://BLOG.EXAMPLE/",
            "https://blog.example./",
            "https://blog.example:8080/",
            "https://www.trusted.example/a",
            "https://a.b.trusted.example/",
            "https://中文.example/",
            "https://ported.example:8443/",
            "https:\\\\blog.example\\x",
            "  https://blog.example/  ",
        ] {
            assert_eq!(judge(referer), Decision::Allow(Reason::Listed), "{referer}");
        }
    }

    #[test]
    fn own_pages_and_this_machine_always_pass() {
        for referer in [
            "https://img.berth.example/",
            "http://localhost:3000/",
            "http://dev.localhost/",
            "http://127.0.0.1:5500/index.html",
            "http://127.8.9.10/",
            "http://[::1]:8080/",
            "http://0x7f.1/",
        ] {
            assert_eq!(judge(referer), Decision::Allow(Reason::OwnHost), "{referer}");
        }
    }

    #[test]
    fn nothing_that_merely_contains_a_listed_name_passes() {
        for referer in [
            "https://evil.example/",
            "https://evil.example/blog.example",
            "https://evil.example/?u=https://blog.example/",
            "https://evil.example/#https://blog.example/",
            "https://blog.example.evil.net/",
            "https://evilblog.example/",
            "https://blog-example.evil.net/",
            "https://trusted.example/",
            "https://eviltrusted.example/",
            "https://blog.example%2eevil.net/",
            "https://evil.net\\@blog.example/",
            "https://ported.example/",
            "https://ported.example:443/",
            "https://localhost.evil.net/",
            "https://127.0.0.1.evil.net/",
            "https://127.0.0.1.nip.io/",
            "https://xblog.example/",
            "https://blog.example..evil.net/",
        ] {
            assert!(!judge(referer).is_allowed(), "{referer}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_as_malformed() {
        for referer in [
            "blog.example",
            "//blog.example/",
            "https://",
            "https://blog.example@evil.net/",
            "https://user:pw@blog.example/",
            "https://blog.example:99999/",
            "ftp://blog.example/",
            "file:///home/me/blog.example.html",
            "data:text/html,blog.example",
            "javascript:blog.example",
            "about:blank",
            "null",
            "https://blog .example/",
            "https://[::1/",
            RefererHeaders::NOT_TEXT,
        ] {
            assert_eq!(judge(referer), Decision::Refuse(Reason::Malformed), "{referer}");
        }
    }

    #[test]
    fn several_referers_are_refused_even_when_each_is_good() {
        let headers = RefererHeaders {
            referer: Some("https://blog.example/"),
            several: true,
            origin: None,
        };
        assert_eq!(policy().judge(headers), Decision::Refuse(Reason::Several));
    }

    #[test]
    fn without_a_referer_the_origin_decides_and_then_the_owner() {
        let headers = |referer, origin| RefererHeaders {
            referer,
            several: false,
            origin,
        };
        let mut policy = policy();
        for (referer, origin, expected) in [
            (None, None, Decision::Allow(Reason::Empty)),
            (Some(""), None, Decision::Allow(Reason::Empty)),
            (None, Some("null"), Decision::Allow(Reason::Empty)),
            (
                None,
                Some("https://blog.example"),
                Decision::Allow(Reason::Listed),
            ),
            (
                None,
                Some("https://evil.example"),
                Decision::Refuse(Reason::NotListed),
            ),
            (
                Some("https://evil.example/"),
                Some("https://blog.example"),
                Decision::Refuse(Reason::NotListed),
            ),
        ] {
            assert_eq!(
                policy.judge(headers(referer, origin)),
                expected,
                "{referer:?} {origin:?}"
            );
        }
        policy.empty = EmptyReferer::Deny;
        assert_eq!(policy.judge(headers(None, None)), Decision::Refuse(Reason::Empty));
        assert_eq!(
            policy.judge(headers(None, Some("null"))),
            Decision::Refuse(Reason::Empty)
        );
    }

    #[test]
    fn an_empty_list_lets_only_our_own_pages_in_and_a_star_lets_everyone() {
        let mut policy = HotlinkPolicy {
            own: vec!["img.berth.example".parse().unwrap()],
            ..Default::default()
        };
        let from = |referer| RefererHeaders {
            referer: Some(referer),
            ..Default::default()
        };
        assert!(!policy.judge(from("https://blog.example/")).is_allowed());
        assert!(policy.judge(from("https://img.berth.example/")).is_allowed());
        policy.allow = vec!["*".parse().unwrap()];
        assert!(policy.judge(from("https://blog.example/")).is_allowed());
        assert!(!policy.judge(from("javascript:1")).is_allowed());
    }
}
