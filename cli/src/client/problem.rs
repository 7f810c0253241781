use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::words::plain;

/// What a berth says when it says no, in the words it has for people.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

impl Problem {
    /// Reads an answer that is no success. What is no problem document (a proxy's page) is told by its status.
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Self {
        let read: Option<Self> = serde_json::from_slice(body).ok();
        let mut problem = read.unwrap_or_else(|| Self {
            status: 0,
            code: String::new(),
            title: status.canonical_reason().unwrap_or("no reason given").to_owned(),
            detail: String::new(),
        });
        problem.status = status.as_u16();
        problem
    }

    /// Whether the same request may succeed later: the server was busy, away, or asked for patience.
    fn passes(&self) -> bool {
        matches!(self.status, 408 | 423 | 425 | 429 | 500 | 502 | 503 | 504)
            || self.code == "idempotency_key_in_use"
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, detail) = (plain(&self.title), plain(&self.detail));
        match (title.as_str(), detail.as_str()) {
            ("", "") => write!(f, "HTTP {}", self.status)?,
            (title, "") => write!(f, "{title}")?,
            ("", detail) => write!(f, "{detail}")?,
            (title, detail) => write!(f, "{title}: {detail}")?,
        }
        if self.code.is_empty() {
            write!(f, " (HTTP {})", self.status)
        } else {
            write!(f, " ({})", plain(&self.code))
        }
    }
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// It was answered, with a no.
    #[error("{0}")]
    Refused(Problem),
    /// No answer came.
    #[error("{url} can't be reached: {why}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What came in the way.
        why: String,
    },
    /// An answer came that makes no sense.
    #[error("{url} does not answer as a berth does: {why}")]
    Strange {
        /// What was asked.
        url: String,
        /// What is strange about it.
        why: String,
    },
    /// Something on this machine.
    #[error("{0}")]
    Here(String),
}

impl ApiError {
    /// The status of the refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            _ => None,
        }
    }

    /// Whether trying again makes sense.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.passes(),
            Self::Unreachable { .. } => true,
            Self::Strange { .. } | Self::Here(_) => false,
        }
    }
}

/// The longest that a server's `Retry-After` is waited for; past that it is an answer.
const LONGEST_PATIENCE: Duration = Duration::from_mins(5);
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long to wait before the next try: what the server says, else twice as long each time, less up to a half, so that many
/// clients that were refused together don't come back together. None where the server wants more patience than anybody has.
pub(super) fn wait_before(try_number: u32, headers: Option<&HeaderMap>, chance: u8) -> Option<Duration> {
    let told = headers
        .and_then(|headers| headers.get(http::header::RETRY_AFTER))
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    if let Some(told) = told {
        return (told <= LONGEST_PATIENCE).then_some(told.max(FIRST_WAIT));
    }
    let doubled = FIRST_WAIT
        .saturating_mul(1 << try_number.min(10))
        .min(LONGEST_WAIT);
    Some(doubled.mul_f64(1.0 - f64::from(chance) / 512.0))
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn waits_double_and_the_server_has_the_word() {
        for (number, chance, millis) in [
            (0, 0, 500),
            (1, 0, 1000),
            (3, 0, 4000),
            (9, 0, 30_000),
            (0, 255, 250),
        ] {
            let wait = wait_before(number, None, chance).unwrap();
            assert!(wait.as_millis().abs_diff(millis) < 5, "{number}: {wait:?}");
        }
        let told = |text: &str| HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        assert_eq!(
            wait_before(9, Some(&told("3")), 200),
            Some(Duration::from_secs(3))
        );
        assert_eq!(wait_before(0, Some(&told("9000")), 0), None);
        assert!(wait_before(0, Some(&told("soon")), 0).is_some());
    }

    #[test]
    fn a_proxys_page_is_told_by_its_status() {
        let problem = Problem::read(StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!(problem.to_string(), "Bad Gateway (HTTP 502)");
        assert!(problem.passes());
    }
}
