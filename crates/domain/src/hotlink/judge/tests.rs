use super::*;
use crate::hotlink::{Base, HotlinkRules};

fn hosts(list: &[&str]) -> Vec<HostRule> {
    list.iter().map(|rule| rule.parse().unwrap()).collect()
}

/// The policy of the tables.
fn policy(said: &str) -> HotlinkPolicy {
    let base = Base {
        own: hosts(&["img.berth.example"]),
        allow: hosts(&[
            "blog.example",
            "*.trusted.example",
            "中文.example",
            "ported.example:8443",
            "192.0.2.7",
            "[2001:db8::1]",
        ]),
        empty: Choice::Allow,
        off: false,
    };
    HotlinkPolicy::of(&base)
        .under(
            Level::Site,
            HotlinkRules::read(r#"{"deny":["bad.trusted.example"]}"#).unwrap(),
        )
        .under(Level::Image, HotlinkRules::read(said).unwrap())
}

fn of(referer: &str) -> RefererHeaders<'_> {
    RefererHeaders {
        referer: Some(referer),
        ..RefererHeaders::default()
    }
}

fn judge<'a>(policy: &'a HotlinkPolicy, headers: RefererHeaders<'_>) -> Decision<'a> {
    policy.judge(&headers.site(), headers)
}

/// What a referer comes to.
fn outcome(referer: &str) -> (Verdict, Reason) {
    let policy = policy("{}");
    let decision = judge(&policy, of(referer));
    (decision.verdict, decision.reason)
}

#[test]
fn pages_of_listed_hosts_pass() {
    for referer in [
        "https://blog.example/",
        "http://blog.example/post?x=1#y",
        "https://BLOG.EXAMPLE/",
        "https://blog.example./",
        "https://blog.example:8080/",
        "https://blog.example",
        "https://www.trusted.example/a",
        "https://a.b.trusted.example/",
        "https://中文.example/",
        "https://xn--fiq228c.example/",
        "https://ported.example:8443/",
        "https:\\\\blog.example\\x",
        "  https://blog.example/  ",
        "https:/blog.example/",
        "https:blog.example/",
        "https://b%6Cog.example/",
        "https://blog。example/",
        "https://ｂｌｏｇ.example/",
        "https://blog.example/@evil.example",
        "https://192.0.2.7/",
        "http://0xc0.0.2.7/",
        "https://[2001:db8::1]/",
        "https://[2001:0db8:0::0:1]:99/",
        "ht\ttps://blog.example/",
    ] {
        assert_eq!(outcome(referer), (Verdict::Allow, Reason::Listed), "{referer}");
    }
}

#[test]
fn own_pages_and_this_machine_always_pass() {
    let closed = policy(r#"{"allow":[],"deny":["*"],"empty_referer":"deny","hidden_embeds":"deny"}"#);
    for referer in [
        "https://img.berth.example/",
        "http://localhost:3000/",
        "http://dev.localhost/",
        "http://127.0.0.1:5500/index.html",
        "http://127.8.9.10/",
        "http://[::1]:8080/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f.1/",
        "http://2130706433/",
    ] {
        let decision = judge(&closed, of(referer));
        assert_eq!(
            (decision.verdict, decision.reason),
            (Verdict::Allow, Reason::OwnHost),
            "{referer}"
        );
        assert_eq!(decision.level, None);
    }
}

#[test]
fn nothing_that_merely_looks_like_a_listed_name_passes() {
    for referer in [
        "https://evil.example/",
        "https://evil.example/blog.example",
        "https://evil.example/https://blog.example/",
        "https://evil.example/?u=https://blog.example/",
        "https://evil.example/#https://blog.example/",
        "https://evil.example?https://blog.example/",
        "https://evil.example#@blog.example/",
        "https://blog.example.evil.net/",
        "https://blog.example.evil.net./",
        "https://evilblog.example/",
        "https://xblog.example/",
        "https://blog-example.evil.net/",
        "https://blogxexample/",
        "https://blog.example-evil.net/",
        "https://example/",
        "https://log.example/",
        "https://www.blog.example/",
        "https://trusted.example/",
        "https://eviltrusted.example/",
        "https://trusted.example.evil.net/",
        "https://evil.net\\@blog.example/",
        "https://evil.net\\.trusted.example/",
        "https://evil.net/.trusted.example/",
        "https://evil.net?.trusted.example/",
        "https://evil.net#.trusted.example/",
        "https://ported.example/",
        "https://ported.example:443/",
        "http://ported.example:8443.evil.net/",
        "https://xn--blog-8cd.example/",
        "https://bl\u{43e}g.example/",
        "https://blog.ex\u{430}mple/",
        "https://中文.example.evil.net/",
        "https://中文x.example/",
        "https://localhost.evil.net/",
        "https://notlocalhost/",
        "https://127.0.0.1.evil.net/",
        "https://127.0.0.1.nip.io/",
        "https://128.0.0.1/",
        "https://[::2]/",
        "https://192.0.2.70/",
        "https://3221225992/",
        "https://[2001:db8::11]/",
        "https://img.berth.example.evil.net/",
        "https://img.berth.example%2eevil.net/",
    ] {
        let (verdict, reason) = outcome(referer);
        assert_eq!(verdict, Verdict::Refuse, "{referer}");
        assert!(
            matches!(reason, Reason::NotListed | Reason::Malformed),
            "{referer}: {reason:?}"
        );
    }
}

#[test]
fn what_no_browser_sends_is_refused_as_malformed() {
    for referer in [
        "blog.example",
        "//blog.example/",
        "/blog.example",
        "https://",
        "https:///",
        "https://@blog.example:x/",
        "https://blog.example@evil.net/",
        "https://user:pw@blog.example/",
        "https://user@blog.example/",
        "https://:pw@blog.example/",
        "https://blog.example%40evil.net@blog.example/",
        "https://blog.example:99999/",
        "https://blog.example:80:90/",
        "ftp://blog.example/",
        "ws://blog.example/",
        "file:///home/me/blog.example.html",
        "file://blog.example/",
        "data:text/html,blog.example",
        "data:text/html,https://blog.example/",
        "blob:https://blog.example/0e6d",
        "view-source:https://blog.example/",
        "javascript:blog.example",
        "about:blank",
        "about:srcdoc",
        "android-app://blog.example/",
        "null",
        "https://blog .example/",
        "https://blog.example%00.evil.net/",
        "https://blog.example%2f.evil.net/",
        "https://[::1/",
        "https://blog.example, https://evil.net/",
        RefererHeaders::NOT_TEXT,
    ] {
        assert_eq!(
            outcome(referer),
            (Verdict::Refuse, Reason::Malformed),
            "{referer}"
        );
    }
}

#[test]
fn what_is_denied_is_denied_whatever_is_allowed() {
    let policy = policy(r#"{"allow":["*"]}"#);
    let decision = judge(&policy, of("https://bad.trusted.example/"));
    assert_eq!(
        (decision.verdict, decision.reason),
        (Verdict::Refuse, Reason::Denied)
    );
    assert_eq!(decision.level, Some(Level::Site));
    assert_eq!(
        decision.rule.map(ToString::to_string).as_deref(),
        Some("bad.trusted.example")
    );
    let decision = judge(&policy, of("https://anyone.example/"));
    assert_eq!(
        (decision.reason, decision.level),
        (Reason::Listed, Some(Level::Image))
    );
}

#[test]
fn several_referers_are_refused_even_when_each_is_good() {
    let headers = RefererHeaders {
        several: true,
        ..of("https://blog.example/")
    };
    let policy = policy(r#"{"allow":["*"]}"#);
    assert_eq!(judge(&policy, headers).reason, Reason::Several);
}

/// Referer, Origin, Sec-Fetch-Site, Sec-Fetch-Dest.
type Sent = [Option<&'static str>; 4];

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn without_a_referer_the_origin_decides_then_the_browser_then_the_owner() {
    use Reason::{Empty, HiddenEmbed, Listed, Malformed, NotListed, OwnHost};
    use Verdict::{Allow, Refuse};
    let (open, hidden, closed) = (
        policy("{}"),
        policy(r#"{"hidden_embeds":"deny"}"#),
        policy(r#"{"empty_referer":"deny","hidden_embeds":"deny"}"#),
    );
    let (good, evil) = (Some("https://blog.example"), Some("https://evil.example"));
    let (cross, image) = (Some("cross-site"), Some("image"));
    let table: &[(Sent, [(Verdict, Reason); 3])] = &[
        (
            [None, None, None, None],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
        (
            [Some(""), None, None, None],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
        (
            [Some("  "), None, cross, image],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, Some("null"), None, None],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
        (
            [None, Some("null"), cross, Some("empty")],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        ([None, good, None, None], [(Allow, Listed); 3]),
        ([None, good, cross, image], [(Allow, Listed); 3]),
        ([None, evil, None, None], [(Refuse, NotListed); 3]),
        (
            [None, Some("https://blog.example.evil.net"), None, None],
            [(Refuse, NotListed); 3],
        ),
        ([None, Some("blog.example"), None, None], [(Refuse, Malformed); 3]),
        // A bad referer is mended by nothing.
        ([evil, good, Some("same-origin"), image], [(Refuse, NotListed); 3]),
        (
            [Some("null"), good, Some("same-origin"), image],
            [(Refuse, Malformed); 3],
        ),
        ([None, evil, Some("same-origin"), image], [(Refuse, NotListed); 3]),
        // The browser vouches for our own pages.
        ([None, None, Some("same-origin"), image], [(Allow, OwnHost); 3]),
        (
            [None, Some("null"), Some("same-origin"), image],
            [(Allow, OwnHost); 3],
        ),
        // It tells of embeds that hide.
        (
            [None, None, cross, image],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, None, cross, Some("video")],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, None, cross, Some("iframe")],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, None, cross, Some("object")],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, None, cross, Some("empty")],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, None, cross, None],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        (
            [None, None, Some("never heard of"), image],
            [(Allow, Empty), (Refuse, HiddenEmbed), (Refuse, HiddenEmbed)],
        ),
        // A link that was followed, an address that was typed, a sister page: as the owner chose for all who name nobody.
        (
            [None, None, cross, Some("document")],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
        (
            [None, None, Some("none"), Some("document")],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
        (
            [None, None, Some("none"), image],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
        (
            [None, None, Some("same-site"), image],
            [(Allow, Empty), (Allow, Empty), (Refuse, Empty)],
        ),
    ];
    for (sent, expected) in table {
        let [referer, origin, fetch_site, fetch_dest] = *sent;
        let headers = RefererHeaders {
            referer,
            several: false,
            origin,
            fetch_site,
            fetch_dest,
        };
        let told = [&open, &hidden, &closed].map(|policy| {
            let decision = judge(policy, headers);
            (decision.verdict, decision.reason)
        });
        assert_eq!(told, *expected, "{sent:?}");
    }
}

#[test]
fn an_empty_list_lets_only_our_own_pages_in_and_a_star_lets_everyone() {
    let nobody = policy(r#"{"allow":[]}"#);
    assert!(!judge(&nobody, of("https://blog.example/")).is_allowed());
    assert!(judge(&nobody, of("https://img.berth.example/")).is_allowed());
    let everyone = policy(r#"{"allow":["*"]}"#);
    assert!(judge(&everyone, of("https://anyone.example/")).is_allowed());
    assert!(!judge(&everyone, of("javascript:1")).is_allowed());
}

#[test]
fn where_nobody_is_judged_everybody_passes_whatever_a_policy_says() {
    let base = Base {
        off: true,
        ..Base::default()
    };
    let strict = r#"{"allow":[],"deny":["*"],"empty_referer":"deny","hidden_embeds":"deny"}"#;
    let off = HotlinkPolicy::of(&base).under(Level::Image, HotlinkRules::read(strict).unwrap());
    for referer in ["https://evil.example/", "javascript:1", ""] {
        let decision = judge(&off, of(referer));
        assert_eq!(
            (decision.verdict, decision.reason),
            (Verdict::Allow, Reason::Off),
            "{referer}"
        );
    }
    assert!(off.lets_everyone_in());
}
