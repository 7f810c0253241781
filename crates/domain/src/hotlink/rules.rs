use serde::{Deserialize, Serialize};
use url::Url;

use super::HostRule;

/// Whether something passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// It passes.
    #[default]
    Allow,
    /// It is refused.
    Deny,
}

/// What a refused request is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalAnswer {
    /// 403 and the placeholder picture.
    #[default]
    Placeholder,
    /// 403 and nothing.
    Bare,
    /// 302 to a page.
    Redirect(Redirect),
}

/// Where a refusal sends whoever was refused: an http(s) URL, as a browser writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Redirect(String);

/// The text is no page to be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a redirect goes to an http(s) URL without a user name, of 2,000 characters at most")]
pub struct InvalidRedirect;

const LONGEST_REDIRECT: usize = 2_000;

impl Redirect {
    /// The URL; plain ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Redirect {
    type Error = InvalidRedirect;

    fn try_from(text: String) -> Result<Self, InvalidRedirect> {
        let url = Url::parse(&text).map_err(|_| InvalidRedirect)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || has_user || url.as_str().len() > LONGEST_REDIRECT {
            return Err(InvalidRedirect);
        }
        Ok(Self(url.into()))
    }
}

impl From<Redirect> for String {
    fn from(redirect: Redirect) -> Self {
        redirect.0
    }
}

/// What one level says about embedding. A field that is absent (or null) is left to the level above.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HotlinkRules {
    /// Hosts that may embed, besides our own; `*` is everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<HostRule>>,
    /// Hosts that may not, even if `allow` has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<Vec<HostRule>>,
    /// What happens to a request that does not say where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_referer: Option<Choice>,
    /// What happens to a page of another site that embeds and hides where it is, as Sec-Fetch headers tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden_embeds: Option<Choice>,
    /// What a refusal answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalAnswer>,
    /// Whether a refusal is only counted and logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

impl HotlinkRules {
    /// Reads rules from JSON, or says what is wrong with them.
    pub fn read(json: &str) -> Result<Self, String> {
        // serde reads a list as a struct, too.
        if !json.trim_start().starts_with('{') {
            return Err("hotlink rules are an object".to_owned());
        }
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_back_as_they_were_written() {
        for (json, same) in [
            ("{}", true),
            (
                r#"{"allow":["blog.example","*.friends.example:8443"],"deny":["xn--fiq228c.example"]}"#,
                true,
            ),
            (
                r#"{"allow":[],"empty_referer":"deny","hidden_embeds":"allow","dry_run":true}"#,
                true,
            ),
            (r#"{"refusal":"bare"}"#, true),
            (
                r#"{"refusal":{"redirect":"https://blog.example/hotlinks"}}"#,
                true,
            ),
            (r#"{"allow":null}"#, false),
            (r#"{"deny":["中文.example"]}"#, false),
        ] {
            let rules = HotlinkRules::read(json).unwrap();
            let written = serde_json::to_string(&rules).unwrap();
            assert_eq!(written == json, same, "{written}");
            assert_eq!(HotlinkRules::read(&written), Ok(rules));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (json, said) in [
            (r#"{"alow":[]}"#, "unknown field `alow`"),
            (r#"{"allow":["https://blog.example/"]}"#, "write the host alone"),
            (r#"{"allow":"blog.example"}"#, "a sequence"),
            (r#"{"empty_referer":"maybe"}"#, "expected `allow` or `deny`"),
            (r#"{"refusal":{"redirect":"javascript:alert(1)"}}"#, "http(s) URL"),
            (
                r#"{"refusal":{"redirect":"https://me:pw@blog.example/"}}"#,
                "http(s) URL",
            ),
            (r#"{"refusal":"teapot"}"#, "unknown variant `teapot`"),
            ("[]", "an object"),
            ("{}x", "trailing"),
        ] {
            let error = HotlinkRules::read(json).unwrap_err();
            assert!(error.contains(said), "{json}: {error}");
        }
    }
}
