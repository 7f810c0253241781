use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Choice, Decision, HostRule, HotlinkPolicy, Level, Reason, RefererHeaders, Set, Verdict};
use crate::ReferringSite;

impl HotlinkPolicy {
    /// Decides about a request that comes from `site` ([`RefererHeaders::site`] of its headers): by that host, else from what the
    /// browser says of the embedding page (`Sec-Fetch-…`), else as the owner chose.
    ///
    /// SECURITY: a good word of a later header never mends a bad one of an earlier.
    #[must_use]
    pub fn judge(&self, site: &ReferringSite<'_>, headers: RefererHeaders<'_>) -> Decision<'_> {
        if self.off {
            return always(Verdict::Allow, Reason::Off);
        }
        if headers.several {
            return always(Verdict::Refuse, Reason::Several);
        }
        match site {
            ReferringSite::Host { name, port } => self.judge_host(name, *port),
            ReferringSite::Unreadable => always(Verdict::Refuse, Reason::Malformed),
            ReferringSite::Unnamed => self.judge_nameless(headers),
        }
    }

    fn judge_host(&self, name: &str, port: Option<u16>) -> Decision<'_> {
        let is_ours = is_this_machine(name) || find(&self.own, name, port).is_some();
        let (verdict, reason, rule, level) = if is_ours {
            (Verdict::Allow, Reason::OwnHost, None, None)
        } else if let Some(rule) = find(&self.deny.value, name, port) {
            (Verdict::Refuse, Reason::Denied, Some(rule), Some(self.deny.level))
        } else if let Some(rule) = find(&self.allow.value, name, port) {
            (Verdict::Allow, Reason::Listed, Some(rule), Some(self.allow.level))
        } else {
            (Verdict::Refuse, Reason::NotListed, None, Some(self.allow.level))
        };
        Decision {
            verdict,
            reason,
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
        rule: None,
        level,
    }
}

fn is_this_machine(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if let Some(address) = v6.and_then(|text| text.parse::<Ipv6Addr>().ok()) {
        let mapped = address.to_ipv4_mapped();
        return address.is_loopback() || mapped.is_some_and(|address| address.is_loopback());
    }
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
