use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::PasswordHash;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// How long a password that was right is taken for right without being hashed again.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// Passwords that are kept in mind; past it all are forgotten.
const MOST: usize = 1_000;

/// Passwords that were right a moment ago: older hosts' clients send theirs with every request, and hashing each would take a core for
/// each upload and use up the tries to sign in.
///
/// SECURITY: what is kept is a MAC under a key that this process drew at its start and tells nobody, never the password. It holds for
/// the very hash that it was checked against, so a changed password ends it at once; a wrong password is never found here.
pub(super) struct KnownPasswords {
    key: [u8; 32],
    known: Mutex<HashMap<[u8; 32], Known>>,
}

struct Known {
    hash: String,
    until: Timestamp,
}

impl std::fmt::Debug for KnownPasswords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownPasswords(…)")
    }
}

impl KnownPasswords {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Whether this password was right for this hash a moment ago.
    pub(super) fn knows(&self, account_id: i64, password: &str, hash: &PasswordHash, now: Timestamp) -> bool {
        let name = self.name(account_id, password);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&name) {
            Some(entry) if entry.until > now && entry.hash == hash.as_phc() => true,
            Some(_) => {
                known.remove(&name);
                false
            }
            None => false,
        }
    }

    /// Keeps in mind that it was right.
    pub(super) fn learn(&self, account_id: i64, password: &str, hash: &PasswordHash, now: Timestamp) {
        let name = self.name(account_id, password);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let until = now.saturating_add(KEPT).unwrap_or(now);
        let hash = hash.as_phc().to_owned();
        known.insert(name, Known { hash, until });
    }

    fn name(&self, account_id: i64, password: &str) -> [u8; 32] {
        // INVARIANT: HMAC takes keys of any length.
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        let mac = mac.chain_update(account_id.to_be_bytes()).chain_update(password);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_for_its_account_its_hash_and_its_time_alone() {
        let passwords = KnownPasswords::new([7; 32]);
        let (old, new) = (
            PasswordHash::from_phc("$old".to_owned()),
            PasswordHash::from_phc("$new".to_owned()),
        );
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        passwords.learn(1, "right", &old, now);
        let soon = now + SignedDuration::from_mins(9);
        assert!(passwords.knows(1, "right", &old, soon));
        assert!(!passwords.knows(1, "wrong", &old, soon));
        assert!(!passwords.knows(2, "right", &old, soon));
        assert!(!passwords.knows(1, "right", &new, soon), "it was changed");
        assert!(!passwords.knows(1, "right", &old, soon), "and is forgotten");
        passwords.learn(1, "right", &old, now);
        assert!(!passwords.knows(1, "right", &old, now + KEPT));
    }
}
