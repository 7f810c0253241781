use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Which hosts a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    /// Every host.
    Any,
    /// This host alone: lower case, punycode, no trailing dot.
    Exact(String),
    /// Every host under this one, at any depth, but not it itself.
    Under(String),
}

/// One entry of a list of hosts: `blog.example`, `*.example.com`, `blog.example:8443`, `[::1]`, or `*` for everyone.
/// Names are compared whole, label by label, in punycode; a port matters only where the rule names one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostRule {
    pattern: Pattern,
    port: Option<u16>,
}

/// The text is no host rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no host: {reason}")]
pub struct InvalidHostRule {
    text: String,
    reason: &'static str,
}

impl HostRule {
    /// The rule that fits this host and nothing else, whatever the port.
    #[must_use]
    pub fn exact(host: &Host<String>) -> Self {
        Self {
            pattern: Pattern::Exact(normal(host)),
            port: None,
        }
    }

    /// The rule that lets the pages of our own host in: that of the base URL of links.
    pub fn of_base_url(base_url: &str) -> Result<Self, InvalidHostRule> {
        let invalid = || InvalidHostRule {
            text: base_url.to_owned(),
            reason: "expected something like https://img.example.com",
        };
        let url = Url::parse(base_url).map_err(|_| invalid())?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.query().is_none();
        match url.host() {
            Some(host) if is_web => Ok(Self::exact(&host.to_owned())),
            _ => Err(invalid()),
        }
    }

    /// The rule that fits every host.
    #[must_use]
    pub fn everyone() -> Self {
        Self {
            pattern: Pattern::Any,
            port: None,
        }
    }

    /// Whether it is `*`.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.pattern == Pattern::Any
    }

    /// Whether a host (lower case, punycode, no trailing dot, IPv6 in brackets, as a parsed URL gives it) falls under the rule.
    #[must_use]
    pub fn fits(&self, host: &str, port: Option<u16>) -> bool {
        let host_fits = match &self.pattern {
            Pattern::Any => true,
            Pattern::Exact(own) => own == host,
            Pattern::Under(parent) => host
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        };
        host_fits && self.port.is_none_or(|own| Some(own) == port)
    }
}

/// A host as rules compare it: lower case and punycode (as `url` leaves it), one trailing dot off, IPv6 in brackets.
fn normal(host: &Host<impl AsRef<str>>) -> String {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref();
            name.strip_suffix('.').unwrap_or(name).to_owned()
        }
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    }
}

impl FromStr for HostRule {
    type Err = InvalidHostRule;

    fn from_str(text: &str) -> Result<Self, InvalidHostRule> {
        let invalid = |reason| InvalidHostRule {
            text: text.to_owned(),
            reason,
        };
        let trimmed = text.trim();
        if trimmed == "*" {
            return Ok(Self::everyone());
        }
        if trimmed.contains("://") || trimmed.contains('/') {
            return Err(invalid(
                "write the host alone, without https:// and without a path",
            ));
        }
        let (name, port) = match trimmed.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && !port.ends_with(']') => (
                name,
                Some(
                    port.parse()
                        .map_err(|_| invalid("what stands behind the colon is no port"))?,
                ),
            ),
            _ => (trimmed, None),
        };
        let (under, name) = match name.strip_prefix("*.") {
            Some(parent) => (true, parent),
            None => (false, name),
        };
        if name.contains('*') {
            return Err(invalid(
                "a star stands alone or at the beginning, as in *.example.com",
            ));
        }
        let host = Host::parse(name).map_err(|_| invalid("that is not a host name"))?;
        if under && !matches!(host, Host::Domain(_)) {
            return Err(invalid("a star fits names, not addresses"));
        }
        let name = normal(&host);
        if name.is_empty() {
            return Err(invalid("it is empty"));
        }
        Ok(Self {
            pattern: if under {
                Pattern::Under(name)
            } else {
                Pattern::Exact(name)
            },
            port,
        })
    }
}

impl TryFrom<String> for HostRule {
    type Error = InvalidHostRule;

    fn try_from(text: String) -> Result<Self, InvalidHostRule> {
        text.parse()
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Pattern::Any => f.write_str("*")?,
            Pattern::Exact(host) => f.write_str(host)?,
            Pattern::Under(parent) => write!(f, "*.{parent}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_fits_whole_labels_only() {
        for (rule, host, port, expected) in [
            ("example.com", "example.com", None, true),
            ("EXAMPLE.com.", "example.com", None, true),
            ("example.com", "www.example.com", None, false),
            ("example.com", "notexample.com", None, false),
            ("example.com", "example.com.evil.net", None, false),
            ("*.example.com", "www.example.com", None, true),
            ("*.example.com", "a.b.example.com", None, true),
            ("*.example.com", "example.com", None, false),
            ("*.example.com", "evilexample.com", None, false),
            ("*.example.com", ".example.com", None, false),
            ("example.com", "example.com", Some(8443), true),
            ("example.com:8443", "example.com", Some(8443), true),
            ("example.com:8443", "example.com", Some(443), false),
            ("中文.example", "xn--fiq228c.example", None, true),
            ("192.0.2.7", "192.0.2.7", None, true),
            ("[2001:db8::1]", "[2001:db8::1]", None, true),
            ("*", "anything.at.all", None, true),
        ] {
            assert_eq!(
                rule.parse::<HostRule>().unwrap().fits(host, port),
                expected,
                "{rule} ~ {host}"
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_the_reason() {
        for bad in [
            "",
            "https://example.com",
            "example.com/path",
            "*.*.example.com",
            "ex*mple.com",
            "a:b",
            "*.192.0.2.7",
            "a b",
        ] {
            assert!(bad.parse::<HostRule>().is_err(), "{bad:?}");
        }
    }
}
