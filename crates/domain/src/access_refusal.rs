use std::time::Duration;

/// Why accounts, sessions, tokens or their limits say no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// No account signs in with this name and this password. Which of the two is wrong, or whether the account is
    /// disabled, stays untold.
    #[error("the user name or the password is wrong")]
    InvalidLogin,
    /// Somebody signed in wants to change something and does not know the password.
    #[error("the old password is wrong")]
    WrongPassword,
    /// Too many tries to sign in, at this account or from this address.
    #[error("too many tries to sign in")]
    SignInThrottled {
        /// How long until the next try is heard.
        wait: Duration,
    },
    /// This token may not be used as often as that.
    #[error("the token is used more than {per_minute} times a minute")]
    TokenRateExceeded {
        /// What it is good for.
        per_minute: u32,
        /// How long until it is good again.
        wait: Duration,
    },
    /// An account asks more often than that, over all its tokens and sessions.
    #[error("the account asks more than {per_minute} times a minute")]
    AccountRateExceeded {
        /// What it may.
        per_minute: u32,
        /// How long until it is heard again.
        wait: Duration,
    },
    /// More passwords are to be checked than can be now.
    #[error("too many passwords are being checked")]
    Busy {
        /// How long to wait.
        wait: Duration,
    },
    /// A browser sent its cookie with a change that a page of another site asked for.
    #[error("a page of another site asked for this")]
    CrossSite,
    /// There is no session to end: the caller came with a token.
    #[error("the credential is no session")]
    NotASession,
    /// A token would be able to do more than who makes it.
    #[error("the token would be wider than its maker: {0}")]
    GrantTooWide(&'static str),
    /// A token that is bound to one album was used for another, or for what concerns more than an album.
    #[error("the token is good for its own album only")]
    OtherAlbum,
    /// There is no such token, or not for this caller.
    #[error("there is no such token")]
    NoSuchToken,
    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// Another account has this name.
    #[error("the user name is taken")]
    UsernameTaken,
    /// Nobody would be left to administer.
    #[error("this is the last administrator")]
    LastAdmin,
}

impl AccessRefusal {
    /// The stable word that programs test for.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidLogin => "invalid_login",
            Self::WrongPassword => "wrong_password",
            Self::SignInThrottled { .. } => "sign_in_throttled",
            Self::TokenRateExceeded { .. } => "token_rate_exceeded",
            Self::AccountRateExceeded { .. } => "account_rate_exceeded",
            Self::Busy { .. } => "overloaded",
            Self::CrossSite => "cross_site_request",
            Self::NotASession => "not_a_session",
            Self::GrantTooWide(_) => "grant_too_wide",
            Self::OtherAlbum => "album_not_allowed",
            Self::NoSuchToken => "token_not_found",
            Self::NoSuchUser => "user_not_found",
            Self::UsernameTaken => "username_taken",
            Self::LastAdmin => "last_admin",
        }
    }
}
