//! One name a request, the same in nginx's log, in ours and in the answer.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

/// `X-Request-Id`.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer names than anyone needs are not carried through logs.
const MAX_LENGTH: usize = 64;

/// A request's name. It stands in the request's extensions and is echoed as `X-Request-Id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The name: 1 to 64 letters, digits, `.`, `_` and `-`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("-")
    }

    /// The name as a header's value; no copy.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// The name a trusted proxy gave, when it is a sane one.
    ///
    /// SECURITY: it is written into logs and into an answer's header, so nothing but plain letters passes.
    pub(crate) fn from_proxy(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(X_REQUEST_ID)?;
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        let sane = (1..=MAX_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(plain);
        sane.then(|| Self(value.clone()))
    }
}

/// Makes request names: 32 hexadecimal digits, different for every request of every process.
///
/// They are names, not secrets: whoever knows some can guess others.
#[derive(Debug)]
pub struct RequestIds {
    seed: [u64; 2],
    next: AtomicU64,
}

impl RequestIds {
    /// A maker of names. `seed` is 16 random bytes, drawn once at the start of the process.
    #[must_use]
    pub fn new(seed: [u8; 16]) -> Self {
        let seed = u128::from_le_bytes(seed);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
        let seed = [seed as u64, (seed >> 64) as u64];
        Self {
            seed,
            next: AtomicU64::new(0),
        }
    }

    /// The next name.
    #[must_use]
    pub fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let low = mix(self.seed[0].wrapping_add(count.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let high = mix(self.seed[1] ^ low.rotate_left(32));
        let mut digits = [0_u8; 32];
        for (place, byte) in high
            .to_be_bytes()
            .into_iter()
            .chain(low.to_be_bytes())
            .enumerate()
        {
            digits[place * 2] = b"0123456789abcdef"[usize::from(byte >> 4)];
            digits[place * 2 + 1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        RequestId(HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("-")))
    }
}

/// The finaliser of splitmix64: a bijection, so different counts never give one name.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use http::{HeaderMap, HeaderValue};

    use super::{RequestId, RequestIds, X_REQUEST_ID};

    #[test]
    fn names_never_repeat_and_are_32_digits() {
        let ids = RequestIds::new([7; 16]);
        let names: HashSet<String> = (0..10_000).map(|_| ids.next().as_str().to_owned()).collect();
        assert_eq!(names.len(), 10_000);
        assert!(names.iter().all(|name| name.len() == 32));
    }

    #[test]
    fn only_a_plain_name_is_taken_from_a_proxy() {
        let long = "a".repeat(65);
        let cases = [
            ("abc-1_2.3", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            (long.as_str(), false),
        ];
        for (value, taken) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(value).unwrap());
            assert_eq!(RequestId::from_proxy(&headers).is_some(), taken, "{value}");
        }
    }
}
