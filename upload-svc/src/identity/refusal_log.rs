use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long refusals of the same kind are added up before they are written.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// Kinds that are told apart at a time; the rest are written as one, without an address.
const MOST_KINDS: usize = 500;
/// Events that may wait to be written; while the database is away no more are kept, and what is refused goes on being added up.
const MOST_DUE: usize = 1_000;

/// Refusals that are written as one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Refused {
    /// Which limit refused: `sign_in`, `token`, `account`, `address`.
    pub(crate) limit: &'static str,
    /// Whose credential it was, where that is known.
    pub(crate) account_id: Option<i64>,
    /// From where; none for the many that are not told apart.
    pub(crate) address: Option<IpAddr>,
}

/// Adds refusals by limiters up, so that whoever is refused a thousand times a second writes one row a minute and no more.
#[derive(Debug, Default)]
pub(super) struct RefusalLog(Mutex<Refusals>);

#[derive(Debug, Default)]
struct Refusals {
    /// Of each kind that was refused within the last minute: when it was written last, and how many were refused since then.
    kinds: HashMap<Refused, (Timestamp, u64)>,
    /// What is to be written, and how many of each.
    due: Vec<(Refused, u64)>,
    is_writing: bool,
}

impl RefusalLog {
    /// Counts a refusal: the first of its kind is due at once, the others together when a minute has gone by. True when there is
    /// something to write that nobody is writing: the caller is to, with [`Self::next_due`].
    pub(super) fn note(&self, refused: Refused, now: Timestamp) -> bool {
        let mut refusals = self.lock();
        let is_crowded = refusals.kinds.len() >= MOST_KINDS && !refusals.kinds.contains_key(&refused);
        let refused = if is_crowded {
            Refused {
                account_id: None,
                address: None,
                ..refused
            }
        } else {
            refused
        };
        if let Some((_, count)) = refusals.kinds.get_mut(&refused) {
            *count += 1;
        } else {
            refusals.kinds.insert(refused, (now, 0));
            if refusals.due.len() < MOST_DUE {
                refusals.due.push((refused, 1));
            }
        }
        refusals.make_due(refused, now);
        refusals.begin_writing()
    }

    /// Makes due what was added up for a minute, or all of it at the end, and forgets who was not refused again. As [`Self::note`].
    pub(super) fn settle(&self, now: Option<Timestamp>) -> bool {
        let mut refusals = self.lock();
        let kinds: Vec<Refused> = refusals.kinds.keys().copied().collect();
        for refused in kinds {
            refusals.make_due(refused, now.unwrap_or(Timestamp::MAX));
        }
        if let Some(now) = now {
            refusals
                .kinds
                .retain(|_, (written, count)| *count > 0 || !is_over(*written, now));
        }
        refusals.begin_writing()
    }

    /// What is to be written next; none when all is, and then somebody else may begin.
    pub(super) fn next_due(&self) -> Option<(Refused, u64)> {
        let mut refusals = self.lock();
        let next = refusals.due.pop();
        refusals.is_writing = next.is_some();
        next
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refusals {
    fn make_due(&mut self, refused: Refused, now: Timestamp) {
        let has_room = self.due.len() < MOST_DUE;
        if let Some((written, count)) = self.kinds.get_mut(&refused)
            && *count > 0
            && has_room
            && is_over(*written, now)
        {
            self.due.push((refused, std::mem::take(count)));
            *written = now;
        }
    }

    fn begin_writing(&mut self) -> bool {
        let begins = !self.due.is_empty() && !self.is_writing;
        self.is_writing |= begins;
        begins
    }
}

fn is_over(began: Timestamp, now: Timestamp) -> bool {
    now.duration_since(began).abs() >= WINDOW
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

    /// What is written after a refusal.
    fn written(log: &RefusalLog, begins: bool) -> Vec<(Refused, u64)> {
        if begins {
            std::iter::from_fn(|| log.next_due()).collect()
        } else {
            Vec::new()
        }
    }

    fn note(log: &RefusalLog, last: u32, second: i64) -> Vec<(Refused, u64)> {
        written(log, log.note(from(last), at(second)))
    }

    #[test]
    fn the_first_is_written_at_once_and_the_others_once_a_minute() {
        let log = RefusalLog::default();
        assert_eq!(note(&log, 1, 0), [(from(1), 1)]);
        for _ in 0..1000 {
            assert_eq!(note(&log, 1, 59), []);
        }
        assert_eq!(note(&log, 2, 59), [(from(2), 1)]);
        assert_eq!(note(&log, 1, 60), [(from(1), 1001)]);
        assert_eq!(note(&log, 1, 119), []);
        assert_eq!(note(&log, 1, 120), [(from(1), 2)]);
    }

    #[test]
    fn what_was_added_up_is_written_when_nothing_is_refused_any_more() {
        let log = RefusalLog::default();
        note(&log, 1, 0);
        note(&log, 1, 1);
        assert_eq!(written(&log, log.settle(Some(at(59)))), []);
        assert_eq!(written(&log, log.settle(Some(at(60)))), [(from(1), 1)]);
        assert_eq!(written(&log, log.settle(Some(at(120)))), []);
        assert!(
            log.lock().kinds.is_empty(),
            "who has been quiet for a minute is forgotten"
        );
        note(&log, 1, 121);
        note(&log, 1, 122);
        assert_eq!(
            written(&log, log.settle(None)),
            [(from(1), 1)],
            "at the end without waiting"
        );
    }

    #[test]
    fn a_crowd_is_written_as_one_and_one_writes_at_a_time() {
        let log = RefusalLog::default();
        let begun = (0..10_000).filter(|last| log.note(from(*last), at(0))).count();
        assert_eq!(begun, 1);
        assert_eq!(written(&log, true).len(), MOST_KINDS + 1);
        assert_eq!(log.lock().kinds.len(), MOST_KINDS + 1);
        let later = (0..10_000).filter(|last| log.note(from(*last), at(60))).count();
        assert_eq!(later, 1);
        let counts: u64 = written(&log, true).iter().map(|(_, count)| count).sum();
        assert!((10_000..20_000).contains(&counts), "{counts}");
    }
}
