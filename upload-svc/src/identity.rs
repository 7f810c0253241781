//! Who is asking.
//!
//! A caller shows a token or a session (a JWT, as bearer or as cookie); [`authenticate`] says for whom it speaks; what a
//! token that is bound to an album reaches is decided by who asks it, see [`Caller`]. What is
//! signed with which key, how often a password may be tried and how a cookie is protected is decided here; the rows are `catalog`'s.

mod admission;
mod answer_seal;
mod credentials;
mod hs256;
mod known_passwords;
mod origin;
mod passwords;
mod rates;
mod refusal_log;
mod session_token;
mod sign_in;
mod throttle;

use std::time::Duration;

use process::Clock;

use answer_seal::AnswerSeal;
pub(crate) use credentials::{
    COOKIE, Caller, TOKEN_PARAMETERS, album_for, authenticate, authenticate_any, authenticate_in_album,
    cookie_of, find_caller, recognise, require, require_whole,
};
pub use domain::Secret;
use known_passwords::KnownPasswords;
pub(crate) use origin::is_foreign_page;
use passwords::Passwords;
use rates::Rates;
use refusal_log::RefusalLog;
use session_token::SessionTokens;
use throttle::{ServiceClock, SignInThrottle};

/// What an operator decides about signing in.
#[derive(Debug, Clone)]
pub struct IdentitySettings {
    /// What sessions are signed with.
    pub secret: Secret,
    /// The secret before this one, whose sessions are still good.
    pub previous_secret: Option<Secret>,
    /// How long a session lasts.
    pub session: Duration,
    /// How long it lasts for who asked to be remembered.
    pub remembered_session: Duration,
    /// Tries to sign in at one account, a minute; 0 is no limit.
    pub sign_ins_per_account: u32,
    /// Tries to sign in from one address, a minute; 0 is no limit.
    pub sign_ins_per_address: u32,
    /// Requests of one account, a minute, over all its tokens and sessions; 0 is no limit.
    pub requests_per_account: u32,
}

/// What finding out who is asking works with.
#[derive(Debug)]
pub(crate) struct Identity {
    sessions: SessionTokens,
    passwords: Passwords,
    known_passwords: KnownPasswords,
    throttle: SignInThrottle,
    rates: Rates,
    refusals: RefusalLog,
    answer_seal: AnswerSeal,
    session: Duration,
    remembered_session: Duration,
}

impl Identity {
    pub(crate) fn new(settings: &IdentitySettings, base_url: &str, clock: &Clock) -> Self {
        let clock = ServiceClock(clock.clone());
        Self {
            sessions: SessionTokens::new(base_url, &settings.secret, settings.previous_secret.as_ref()),
            passwords: Passwords::new(),
            known_passwords: KnownPasswords::new(process::random()),
            throttle: SignInThrottle::new(
                settings.sign_ins_per_account,
                settings.sign_ins_per_address,
                &clock,
            ),
            rates: Rates::new(settings.requests_per_account, &clock),
            refusals: RefusalLog::default(),
            answer_seal: AnswerSeal::new(&settings.secret, settings.previous_secret.as_ref()),
            session: settings.session,
            remembered_session: settings.remembered_session,
        }
    }

    pub(crate) fn sessions(&self) -> &SessionTokens {
        &self.sessions
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    pub(crate) fn answer_seal(&self) -> &AnswerSeal {
        &self.answer_seal
    }

    pub(crate) fn throttle(&self) -> &SignInThrottle {
        &self.throttle
    }

    /// How long a session lasts.
    pub(crate) fn session_lifetime(&self, remember: bool) -> Duration {
        if remember {
            self.remembered_session
        } else {
            self.session
        }
    }
}
