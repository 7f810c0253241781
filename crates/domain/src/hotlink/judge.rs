use url::{Host, Url};

use super::{
    Choice, Decision, HostRule, HotlinkPolicy, Level, Reason, RefererHeaders, Set, Verdict, host_rule::normal,
};

impl HotlinkPolicy {
    /// Decides about a request: from the host of its `Referer` as a browser parses it (WHATWG), else of its `Origin`, else from
    /// what the browser says of the embedding page (`Sec-Fetch-…`), else as the owner chose.
    ///
    /// SECURITY: a good word of a later header never mends a bad one of an earlier.
    #[must_use]
    pub fn judge(&self, headers: RefererHeaders<'_>) -> Decision<'_> {
        if headers.several {
            return always(Verdict::Refuse, Reason::Several);
        }
        // `Origin: null` is what a sandboxed or local page says: it names nobody.
        let origin = headers.origin.filter(|origin| origin.trim() != "null");
        match said(headers.referer).or_else(|| said(origin)) {
            Some(source) => self.judge_source(source),
            None => self.judge_nameless(headers),
        }
    }

    fn judge_source(&self, source: &str) -> Decision<'_> {
        let Ok(url) = Url::parse(source) else {
            return always(Verdict::Refuse, Reason::Malformed);
        };
        // SECURITY: `https://blog.example@evil.com/` is a page of evil.com; a browser never sends user info at all.
        let has_user = !url.username().is_empty() || url.password().is_some();
        let Some(host) = url
            .host()
            .filter(|_| matches!(url.scheme(), "http" | "https") && !has_user)
        else {
            return always(Verdict::Refuse, Reason::Malformed);
        };
        let name = normal(&host);
        let port = url.port_or_known_default();
        let is_ours = is_this_machine(&host, &name) || find(&self.own, &name, port).is_some();
        let (verdict, reason, rule, level) = if is_ours {
            (Verdict::Allow, Reason::OwnHost, None, None)
        } else if let Some(rule) = find(&self.deny.value, &name, port) {
            (Verdict::Refuse, Reason::Denied, Some(rule), Some(self.deny.level))
        } else if let Some(rule) = find(&self.allow.value, &name, port) {
            (Verdict::Allow, Reason::Listed, Some(rule), Some(self.allow.level))
        } else {
            (Verdict::Refuse, Reason::NotListed, None, Some(self.allow.level))
        };
        Decision {
            verdict,
            reason,
            host: Some(name),
            rule,
            level,
        }
    }

    /// Decides about a request that names no page.
    fn judge_nameless(&self, headers: RefererHeaders<'_>) -> Decision<'_> {
        match headers.fetch_site.map(str::trim) {
            // No page can write these headers, and a program that forges them could forge a `Referer` as well.
            Some("same-origin") => always(Verdict::Allow, Reason::OwnHost),
            // Somebody typed the address, or chose a bookmark.
            None | Some("none" | "") => chosen(&self.empty_referer, Reason::Empty),
            // Somebody followed a link; the picture stands alone in its window.
            Some(_) if headers.fetch_dest.is_some_and(|dest| dest.trim() == "document") => {
                chosen(&self.empty_referer, Reason::Empty)
            }
            Some("same-site") => chosen(&self.empty_referer, Reason::Empty),
            Some(_) if self.hidden_embeds.value == Choice::Deny => {
                chosen(&self.hidden_embeds, Reason::HiddenEmbed)
            }
            Some(_) => chosen(&self.empty_referer, Reason::Empty),
        }
    }
}

/// The first rule that fits a host.
fn find<'a>(rules: &'a [HostRule], name: &str, port: Option<u16>) -> Option<&'a HostRule> {
    rules.iter().find(|rule| rule.fits(name, port))
}

/// A decision that no policy changes.
fn always(verdict: Verdict, reason: Reason) -> Decision<'static> {
    decision(verdict, reason, None)
}

/// A decision that somebody chose.
fn chosen(choice: &Set<Choice>, reason: Reason) -> Decision<'static> {
    let verdict = match choice.value {
        Choice::Allow => Verdict::Allow,
        Choice::Deny => Verdict::Refuse,
    };
    decision(verdict, reason, Some(choice.level))
}

fn decision(verdict: Verdict, reason: Reason, level: Option<Level>) -> Decision<'static> {
    Decision {
        verdict,
        reason,
        host: None,
        rule: None,
        level,
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
mod tests;
