//! The policy of a site, an album or an image: hotlink rules, how long uploads live, who sees them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Expiry, Visibility,
    hotlink::{HotlinkRules, Level},
    parse_duration,
};
use jiff::Timestamp;

/// What one level says. A field that is absent is left to the level above.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Who may embed.
    #[serde(skip_serializing_if = "HotlinkRules::is_silent")]
    pub hotlink: HotlinkRules,
    /// How long uploads live.
    #[serde(skip_serializing_if = "ExpiryRules::is_silent")]
    pub expiry: ExpiryRules,
    /// Who sees an upload that does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

/// How long uploads live.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpiryRules {
    /// One that does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Lifetime>,
    /// One that wants to live for ever, or very long; `0` sets no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest: Option<Lifetime>,
    /// For how long each view keeps one alive whose end nobody said; `0` for no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sliding: Option<Lifetime>,
}

/// A duration as people write it: `30d`, `12h`; `0` is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lifetime {
    text: String,
    duration: Duration,
}

/// A policy that can't be. The text says what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPolicy(String);

/// Views move an end by at least this: shorter ones would only wear the database out.
const SHORTEST_SLIDING: Duration = Duration::from_hours(24);

/// Rules of one list at most.
const MOST_HOSTS: usize = 500;

impl Policy {
    /// Reads a policy that somebody wants to set at this level, or says what is wrong with it.
    pub fn read(level: Level, json: serde_json::Value) -> Result<Self, InvalidPolicy> {
        // serde reads a list as a struct, too.
        for part in [Some(&json), json.get("hotlink"), json.get("expiry")] {
            if part.is_some_and(|part| !part.is_object()) {
                return Err(InvalidPolicy(
                    "a policy, its `hotlink` and its `expiry` are objects".to_owned(),
                ));
            }
        }
        let policy: Self = serde_json::from_value(json).map_err(|error| InvalidPolicy(error.to_string()))?;
        policy.check(level)?;
        Ok(policy)
    }

    fn check(&self, level: Level) -> Result<(), InvalidPolicy> {
        let wrong = |text: &str| Err(InvalidPolicy(text.to_owned()));
        for (name, list) in [("allow", &self.hotlink.allow), ("deny", &self.hotlink.deny)] {
            if list.as_ref().is_some_and(|list| list.len() > MOST_HOSTS) {
                return Err(InvalidPolicy(format!(
                    "hotlink.{name} has more than {MOST_HOSTS} hosts"
                )));
            }
        }
        let says_expiry = self.expiry.default.is_some() || self.expiry.longest.is_some();
        if level == Level::Image && (says_expiry || self.visibility.is_some()) {
            return wrong(
                "an image has its own `expires_at` and `visibility`; its policy holds `hotlink` and `expiry.sliding` alone",
            );
        }
        let sliding = self.expiry.sliding.as_ref().map(Lifetime::duration);
        if sliding.is_some_and(|sliding| !sliding.is_zero() && sliding < SHORTEST_SLIDING) {
            return wrong("expiry.sliding is shorter than a day; 0 is not at all");
        }
        match (&self.expiry.default, &self.expiry.longest) {
            (Some(default), Some(longest)) if !longest.covers(default.duration) => {
                wrong("expiry.default is longer than expiry.longest")
            }
            _ => Ok(()),
        }
    }
}

impl ExpiryRules {
    fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

impl Lifetime {
    /// How long; zero is for ever.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether something may live that long when this is the longest.
    fn covers(&self, duration: Duration) -> bool {
        self.duration.is_zero() || (!duration.is_zero() && duration <= self.duration)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = crate::InvalidDuration;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let duration = parse_duration(&text)?;
        Ok(Self { text, duration })
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.text
    }
}

/// What holds for an upload into an album: of each field what the nearest level says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRules {
    /// How long an upload lives that does not say; zero is for ever.
    pub lifetime: Duration,
    /// How long one may live; zero is for ever.
    pub longest: Duration,
    /// For how long a view keeps one alive whose end nobody said; zero for no time.
    pub sliding: Duration,
    /// Who sees one that does not say.
    pub visibility: Visibility,
}

/// Somebody wants something to live longer than it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it may live for {0} at most here")]
pub struct TooLong(String);

impl UploadRules {
    /// What holds where the settings say `lifetime` and these policies, the site's first, lie over them.
    #[must_use]
    pub fn of(lifetime: Duration, policies: &[Policy]) -> Self {
        let nearest = |field: fn(&Policy) -> Option<&Lifetime>| {
            policies.iter().rev().find_map(field).map(Lifetime::duration)
        };
        let longest = nearest(|policy| policy.expiry.longest.as_ref()).unwrap_or_default();
        let wanted = nearest(|policy| policy.expiry.default.as_ref()).unwrap_or(lifetime);
        Self {
            // A default of one level that is past the limit of another.
            lifetime: if longest.is_zero() {
                wanted
            } else if wanted.is_zero() {
                longest
            } else {
                wanted.min(longest)
            },
            longest,
            sliding: nearest(|policy| policy.expiry.sliding.as_ref())
                .map(|sliding| {
                    if longest.is_zero() {
                        sliding
                    } else {
                        sliding.min(longest)
                    }
                })
                .unwrap_or_default(),
            visibility: policies
                .iter()
                .rev()
                .find_map(|policy| policy.visibility)
                .unwrap_or_default(),
        }
    }

    /// When an upload ends that wants to live this long, or does not say.
    pub fn expiry(&self, wanted: Option<Duration>, now: Timestamp) -> Result<Expiry, TooLong> {
        let lifetime = wanted.unwrap_or(self.lifetime);
        let is_covered = self.longest.is_zero() || (!lifetime.is_zero() && lifetime <= self.longest);
        if is_covered {
            Ok(Expiry::after(lifetime, now))
        } else {
            Err(self.too_long())
        }
    }

    /// Whether something may live until then.
    pub fn allow(&self, expiry: Expiry, now: Timestamp) -> Result<(), TooLong> {
        let latest = Expiry::after(self.longest, now);
        match (expiry.at(), latest.at()) {
            (_, None) => Ok(()),
            (Some(at), Some(latest)) if at <= latest => Ok(()),
            _ => Err(self.too_long()),
        }
    }

    fn too_long(&self) -> TooLong {
        let seconds = self.longest.as_secs();
        TooLong(match seconds {
            _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
            _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
            _ => format!("{seconds}s"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_is_read_for_its_level() {
        let whole = json!({
            "hotlink": { "allow": ["blog.example"], "refusal": "bare" },
            "expiry": { "default": "30d", "longest": "365d" },
            "visibility": "unlisted",
        });
        for (level, json, good) in [
            (Level::Site, json!({}), true),
            (Level::Site, whole.clone(), true),
            (Level::Album, whole.clone(), true),
            (Level::Image, whole, false),
            (Level::Image, json!({ "hotlink": { "allow": [] } }), true),
            (Level::Image, json!({ "visibility": "public" }), false),
            (Level::Image, json!({ "expiry": { "sliding": "30d" } }), true),
            (Level::Image, json!({ "expiry": { "default": "30d" } }), false),
            (
                Level::Site,
                json!({ "expiry": { "default": "9d", "sliding": "30d" } }),
                true,
            ),
            (Level::Site, json!({ "expiry": { "sliding": "0" } }), true),
            (Level::Site, json!({ "expiry": { "sliding": "23h" } }), false),
            (Level::Site, json!({ "hotlinks": {} }), false),
            (Level::Site, json!({ "hotlink": { "allow": ["a/b"] } }), false),
            (
                Level::Site,
                json!({ "hotlink": { "allow": vec!["a.example"; 501] } }),
                false,
            ),
            (
                Level::Site,
                json!({ "expiry": { "default": "2d", "longest": "1d" } }),
                false,
            ),
            (
                Level::Site,
                json!({ "expiry": { "default": "0", "longest": "1d" } }),
                false,
            ),
            (
                Level::Site,
                json!({ "expiry": { "default": "0", "longest": "0" } }),
                true,
            ),
            (Level::Site, json!({ "expiry": { "default": "soon" } }), false),
            (Level::Site, json!({ "visibility": "secret" }), false),
            (Level::Site, json!([]), false),
            (Level::Site, json!({ "hotlink": [] }), false),
            (Level::Site, json!({ "expiry": null }), false),
        ] {
            let read = Policy::read(level, json.clone());
            assert_eq!(read.is_ok(), good, "{level:?} {json}: {read:?}");
            if let Ok(policy) = read {
                assert_eq!(serde_json::to_value(&policy).unwrap(), json);
            }
        }
    }

    #[test]
    fn an_upload_lives_as_the_nearest_level_says_and_no_longer_than_it_may() {
        let policy = |json| Policy::read(Level::Site, json).unwrap();
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        for (site, album, lifetime, longest) in [
            (json!({}), json!({}), 30, 0),
            (json!({ "expiry": { "default": "7d" } }), json!({}), 7, 0),
            (
                json!({ "expiry": { "default": "7d" } }),
                json!({ "expiry": { "default": "0" } }),
                0,
                0,
            ),
            (json!({ "expiry": { "longest": "9d" } }), json!({}), 9, 9),
            (
                json!({ "expiry": { "longest": "9d" } }),
                json!({ "expiry": { "longest": "90d" } }),
                30,
                90,
            ),
            (
                json!({ "expiry": { "longest": "9d" } }),
                json!({ "expiry": { "default": "0" } }),
                9,
                9,
            ),
        ] {
            let rules = UploadRules::of(days(30), &[policy(site), policy(album)]);
            assert_eq!((rules.lifetime, rules.longest), (days(lifetime), days(longest)));
            for (wanted, good) in [
                (1, true),
                (longest, true),
                (longest + 1, longest == 0),
                (0, longest == 0),
            ] {
                let wanted = days(wanted);
                let expiry = rules.expiry(Some(wanted), now);
                assert_eq!(expiry.is_ok(), good, "{wanted:?} of {longest}");
                assert_eq!(rules.allow(Expiry::after(wanted, now), now).is_ok(), good);
            }
        }
        let rules = UploadRules::of(
            days(0),
            &[policy(json!({ "visibility": "unlisted" })), Policy::default()],
        );
        assert_eq!(rules.visibility, Visibility::Unlisted);
    }
}
