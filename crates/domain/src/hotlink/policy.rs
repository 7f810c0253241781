use serde::Serialize;

use super::{Choice, HostRule, HotlinkRules, RefusalAnswer};

/// Who has said something. The nearest to the image wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The settings of the installation (`BERTH_HOTLINK_…`).
    Settings,
    /// The site's policy.
    Site,
    /// The album's.
    Album,
    /// The image's own.
    Image,
}

impl Level {
    /// The word in explanations.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Site => "site",
            Self::Album => "album",
            Self::Image => "image",
        }
    }
}

/// A value, and who has set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// The level that it comes from.
    pub level: Level,
}

/// What lies beneath every policy: the settings.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// Our own hosts (that of the base URL): always pass, as localhost does.
    pub own: Vec<HostRule>,
    /// Hosts that may embed.
    pub allow: Vec<HostRule>,
    /// What happens without a `Referer`.
    pub empty: Choice,
    /// Whether nobody is judged, whatever any policy says.
    pub off: bool,
}

/// Who may embed an image: each field from the nearest level that sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HotlinkPolicy {
    /// Our own hosts.
    #[serde(skip)]
    pub own: Vec<HostRule>,
    /// Whether nobody is judged.
    #[serde(skip)]
    pub off: bool,
    /// Hosts that may embed.
    pub allow: Set<Vec<HostRule>>,
    /// Hosts that may not. They are looked at before `allow`.
    pub deny: Set<Vec<HostRule>>,
    /// What happens without a `Referer`.
    pub empty_referer: Set<Choice>,
    /// What happens to embeds of other sites that hide theirs.
    pub hidden_embeds: Set<Choice>,
    /// What a refusal answers.
    pub refusal: Set<RefusalAnswer>,
    /// Whether a refusal is only counted and logged.
    pub dry_run: Set<bool>,
}

impl HotlinkPolicy {
    /// What the settings alone say.
    #[must_use]
    pub fn of(base: &Base) -> Self {
        fn set<T>(value: T) -> Set<T> {
            Set {
                value,
                level: Level::Settings,
            }
        }
        Self {
            own: base.own.clone(),
            off: base.off,
            allow: set(base.allow.clone()),
            deny: set(Vec::new()),
            empty_referer: set(base.empty),
            hidden_embeds: set(Choice::Allow),
            refusal: set(RefusalAnswer::Placeholder),
            dry_run: set(false),
        }
    }

    /// What holds for an image of which each level says this, as JSON; nothing where a level is silent. Beside it, what could not
    /// be read, for the log.
    #[must_use]
    pub fn layered(base: &Base, said: [(Level, Option<&str>); 3]) -> (Self, Vec<(Level, String)>) {
        let (mut policy, mut wrong) = (Self::of(base), Vec::new());
        for (level, json) in said {
            policy = match json.map(HotlinkRules::read) {
                None => policy,
                Some(Ok(rules)) => policy.under(level, rules),
                Some(Err(error)) => {
                    wrong.push((level, error));
                    policy.under_unreadable(level)
                }
            };
        }
        (policy, wrong)
    }

    /// The same with what a nearer level says laid over it.
    #[must_use]
    pub fn under(mut self, level: Level, rules: HotlinkRules) -> Self {
        fn lay<T>(field: &mut Set<T>, level: Level, said: Option<T>) {
            if let Some(value) = said {
                *field = Set { value, level };
            }
        }
        lay(&mut self.allow, level, rules.allow);
        lay(&mut self.deny, level, rules.deny);
        lay(&mut self.empty_referer, level, rules.empty_referer);
        lay(&mut self.hidden_embeds, level, rules.hidden_embeds);
        lay(&mut self.refusal, level, rules.refusal);
        lay(&mut self.dry_run, level, rules.dry_run);
        self
    }

    /// The same for a level whose rules can't be read. SECURITY: they may have been meant to refuse, so only our own pages pass.
    #[must_use]
    pub fn under_unreadable(self, level: Level) -> Self {
        let everyone = vec![HostRule::everyone()];
        self.under(
            level,
            HotlinkRules {
                deny: Some(everyone),
                empty_referer: Some(Choice::Deny),
                dry_run: Some(false),
                ..HotlinkRules::default()
            },
        )
    }

    /// Whether the referer decides nothing: every site may embed, and so may whoever names none.
    #[must_use]
    pub fn lets_everyone_in(&self) -> bool {
        let refuses_nobody = self.deny.value.is_empty()
            && self.empty_referer.value == Choice::Allow
            && self.hidden_embeds.value == Choice::Allow
            && self.allow.value.iter().any(HostRule::is_everyone);
        self.off || refuses_nobody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> HotlinkRules {
        HotlinkRules::read(json).unwrap()
    }

    #[test]
    fn each_field_comes_from_the_nearest_level_that_sets_it() {
        let base = Base {
            allow: vec!["blog.example".parse().unwrap()],
            ..Base::default()
        };
        let policy = HotlinkPolicy::of(&base)
            .under(
                Level::Site,
                rules(r#"{"deny":["evil.example"],"empty_referer":"deny"}"#),
            )
            .under(Level::Album, rules(r#"{"allow":["*"],"empty_referer":"allow"}"#))
            .under(Level::Image, rules(r#"{"dry_run":true}"#));
        assert_eq!(policy.allow.level, Level::Album);
        assert_eq!(policy.deny.level, Level::Site);
        assert_eq!(
            (policy.empty_referer.value, policy.empty_referer.level),
            (Choice::Allow, Level::Album)
        );
        assert_eq!(policy.hidden_embeds.level, Level::Settings);
        assert_eq!((policy.dry_run.value, policy.dry_run.level), (true, Level::Image));
    }

    #[test]
    fn only_a_policy_that_refuses_nobody_is_for_everyone() {
        for (json, everyone) in [
            (r#"{"allow":["*"]}"#, true),
            (r#"{"allow":["*"],"deny":[]}"#, true),
            (r#"{"allow":["*"],"deny":["evil.example"]}"#, false),
            (r#"{"allow":["*"],"empty_referer":"deny"}"#, false),
            (r#"{"allow":["*"],"hidden_embeds":"deny"}"#, false),
            (r#"{"allow":["*:443"]}"#, false),
            (r#"{"allow":["blog.example"]}"#, false),
            ("{}", false),
        ] {
            let Ok(said) = HotlinkRules::read(json) else {
                continue; // a star has no port
            };
            let policy = HotlinkPolicy::of(&Base::default()).under(Level::Site, said);
            assert_eq!(policy.lets_everyone_in(), everyone, "{json}");
        }
    }

    #[test]
    fn rules_that_cannot_be_read_let_only_our_own_pages_in() {
        let said = [
            (Level::Site, Some(r#"{"allow":["*"]}"#)),
            (Level::Album, Some(r#"{"allow":"*"}"#)),
            (Level::Image, None),
        ];
        let (policy, wrong) = HotlinkPolicy::layered(&Base::default(), said);
        assert_eq!(wrong.first().map(|(level, _)| *level), Some(Level::Album));
        assert!(!policy.lets_everyone_in());
        let headers = |referer| crate::hotlink::RefererHeaders {
            referer: Some(referer),
            ..Default::default()
        };
        let lets_in = |referer| {
            let headers = headers(referer);
            policy.judge(&headers.site(), headers).is_allowed()
        };
        assert!(!lets_in("https://blog.example/"));
        assert!(lets_in("http://localhost/"));
    }
}
