use super::{HostRule, Level};
use crate::ReferringSite;

/// The headers that tell where a request comes from, as they were sent. A value that is not text is given as
/// [`RefererHeaders::NOT_TEXT`].
#[derive(Debug, Clone, Copy, Default)]
pub struct RefererHeaders<'a> {
    /// The first `Referer` field.
    pub referer: Option<&'a str>,
    /// Whether more than one `Referer` or `Origin` field came.
    pub several: bool,
    /// `Origin`, asked when there is no `Referer`.
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`, asked when there is neither.
    pub fetch_site: Option<&'a str>,
    /// `Sec-Fetch-Dest`, beside it.
    pub fetch_dest: Option<&'a str>,
}

impl<'a> RefererHeaders<'a> {
    /// Stands for a header value that is no text; it parses as no URL, and so is refused.
    pub const NOT_TEXT: &'static str = "\u{fffd}";

    /// The site that they name: who is judged, and to whom the view is counted.
    #[must_use]
    pub fn site(&self) -> ReferringSite<'a> {
        ReferringSite::of(self.referer, self.origin)
    }
}

/// Whether a request may have the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Refuse,
}

/// What was decided about a request, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Whether it may have the picture. A dry run does not show here.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rule that fits the host, where one does.
    pub rule: Option<&'a HostRule>,
    /// Who has set what decided; nobody where it holds always.
    pub level: Option<Level>,
}

impl Decision<'_> {
    /// Whether the request may have the picture.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }
}

/// What decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A page of our own, or one on this machine.
    OwnHost,
    /// A rule of `allow` fits.
    Listed,
    /// A rule of `deny` fits.
    Denied,
    /// No rule of `allow` fits.
    NotListed,
    /// It does not say where it comes from.
    Empty,
    /// A page of another site embeds, and hides where it is.
    HiddenEmbed,
    /// Nobody is judged here.
    Off,
    /// Several `Referer` or `Origin` fields: no browser sends that.
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
            Self::Denied => "denied",
            Self::NotListed => "not_listed",
            Self::Empty => "empty",
            Self::HiddenEmbed => "hidden_embed",
            Self::Off => "off",
            Self::Several => "several",
            Self::Malformed => "malformed",
        }
    }
}
