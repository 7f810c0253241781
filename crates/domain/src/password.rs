use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _},
};

/// What the database keeps of a password: argon2id in PHC form (`$argon2id$v=19$m=…`).
///
/// Making and checking one takes tens of milliseconds and 46 MiB on purpose: do it on a thread that may block, and few at once.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// The password is shorter than an account's may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has at least {SHORTEST} characters")]
pub struct PasswordTooShort;

/// Characters that a password has at least.
const SHORTEST: usize = 12;
/// Memory for one hash, in KiB: 46 MiB with one pass is what OWASP asks for.
const MEMORY_KIB: u32 = 46 << 10;

/// In the form and with the cost of the others.
const OF_NOBODY: &str =
    "$argon2id$v=19$m=47104,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl PasswordHash {
    /// Hashes a password with 16 random bytes of salt.
    pub fn derive(password: &str, salt: [u8; 16]) -> Result<Self, PasswordTooShort> {
        if password.chars().count() < SHORTEST {
            return Err(PasswordTooShort);
        }
        // INVARIANT: parameters and salt are constants of good size, so hashing can't fail.
        let hash = argon2()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|_| PasswordTooShort)?;
        Ok(Self(hash.to_string()))
    }

    /// The hash that a database column holds.
    #[must_use]
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The hash that no password fits. Checking against it takes as long as against a true one.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(OF_NOBODY.to_owned())
    }

    /// Whether this is the password.
    #[must_use]
    pub fn verify(&self, password: &str) -> bool {
        argon2()
            .verify_password(password.as_bytes(), self.0.as_str())
            .is_ok()
    }

    /// The text for the database.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, 1, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A password for a person to copy: five groups of four characters that can't be mistaken for each other (100 bits).
#[must_use]
pub fn readable_password(random: [u8; 20]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let groups = random.chunks(4).map(|group| {
        group
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect::<String>()
    });
    groups.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_another_is_not() {
        let hash = PasswordHash::derive("correct horse battery", [7; 16]).unwrap();
        assert!(
            hash.as_phc().starts_with("$argon2id$v=19$m=47104,t=1,p=1$"),
            "{}",
            hash.as_phc()
        );
        assert!(hash.verify("correct horse battery"));
        assert!(!hash.verify("correct horse batterz"));
        assert!(!hash.verify(""));
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn the_hash_of_nobody_costs_the_same_and_fits_nothing() {
        let (nobody, somebody) = (
            PasswordHash::of_nobody(),
            PasswordHash::derive("correct horse battery", [7; 16]).unwrap(),
        );
        let cost = |hash: &PasswordHash| hash.as_phc().rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(cost(&nobody), cost(&somebody));
        assert_eq!(nobody.as_phc().len(), somebody.as_phc().len());
        assert!(!nobody.verify("correct horse battery"));
        assert!(!nobody.verify(""));
    }

    #[test]
    fn a_short_password_is_refused_and_a_drawn_one_is_long_enough() {
        assert_eq!(
            PasswordHash::derive("elevenchars", [7; 16]),
            Err(PasswordTooShort)
        );
        let drawn = readable_password([9; 20]);
        assert_eq!(drawn.len(), 24);
        assert!(PasswordHash::derive(&drawn, [7; 16]).is_ok());
    }
}
