use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long refusals of the same kind are added up before they are written.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// Kinds that are told apart in one window; the rest are written as one, without an address.
const MOST_KINDS: usize = 500;

/// Refusals that are written as one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Refused {
    /// Which limit refused: `sign_in`, `token`.
    pub(crate) limit: &'static str,
    /// Whose credential it was, where that is known.
    pub(crate) account_id: Option<i64>,
    /// From where; none for the many that are not told apart.
    pub(crate) address: Option<IpAddr>,
}

/// Adds refusals by limiters up, so that whoever is refused a thousand times a second writes two rows a minute and no more.
#[derive(Debug, Default)]
pub(super) struct RefusalLog(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    began: Timestamp,
    /// How many were not written yet.
    counts: HashMap<Refused, u64>,
}

impl RefusalLog {
    /// Counts a refusal, and gives what is to be written now, with how many of each: the first of its kind at once, the others when the
    /// minute is over and anything is refused again.
    pub(super) fn note(&self, refused: Refused, now: Timestamp) -> Vec<(Refused, u64)> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        if now.duration_since(window.began).abs() >= WINDOW {
            due.extend(window.counts.drain().filter(|(_, count)| *count > 0));
            window.began = now;
        }
        let is_crowded = window.counts.len() >= MOST_KINDS && !window.counts.contains_key(&refused);
        let refused = if is_crowded {
            Refused {
                account_id: None,
                address: None,
                ..refused
            }
        } else {
            refused
        };
        if let Some(count) = window.counts.get_mut(&refused) {
            *count += 1;
        } else {
            window.counts.insert(refused, 0);
            due.push((refused, 1));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn from(last: u32) -> Refused {
        Refused {
            limit: "sign_in",
            account_id: None,
            address: Some(IpAddr::V4(last.into())),
        }
    }

    #[test]
    fn the_first_is_written_at_once_and_the_others_added_up() {
        let log = RefusalLog::default();
        assert_eq!(log.note(from(1), at(0)), [(from(1), 1)]);
        for _ in 0..1000 {
            assert_eq!(log.note(from(1), at(59)), []);
        }
        assert_eq!(log.note(from(2), at(59)), [(from(2), 1)]);
        assert_eq!(log.note(from(2), at(60)), [(from(1), 1000), (from(2), 1)]);
    }

    #[test]
    fn a_crowd_is_written_as_one() {
        let log = RefusalLog::default();
        let written: usize = (0..10_000).map(|last| log.note(from(last), at(0)).len()).sum();
        assert_eq!(written, MOST_KINDS + 1);
    }
}
