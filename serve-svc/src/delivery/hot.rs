use std::sync::{Mutex, PoisonError, RwLock};

use bytes::Bytes;

use crate::shelf::Ring;

/// Bytes of small files that are kept in all.
const MOST_BYTES: usize = 16 << 20;
/// Files that were asked for once and are not kept yet. Only what is asked for again before about so many others is kept: a
/// walk through thousands of files would else push out, one after the other, those that are wanted all day.
const MOST_STRANGERS: usize = 512;
/// So many cores can take something in at once.
const SHARDS: usize = 8;

/// What bytes are: the first 128 bits of their SHA-256.
pub(crate) type Digest = u128;

/// The digest of bytes with this SHA-256.
pub(super) fn digest_of(sha256: &[u8; 32]) -> Digest {
    let (first, _) = sha256.split_at(size_of::<Digest>());
    Digest::from_be_bytes(first.try_into().unwrap_or_default())
}

/// The bytes of small files that are asked for often. Whether they may be shown is decided before anybody looks here.
///
/// SECURITY: they are known by what they are, not by where they rest. When a blob has been swept, its key is free, and
/// another file of the same MD5 (anyone can make one) may get it; found by key, it would be shown as the old one.
#[derive(Debug)]
pub(super) struct Hot {
    shards: [RwLock<Ring<Digest, Bytes>>; SHARDS],
    strangers: Mutex<Ring<Digest, ()>>,
}

impl Default for Hot {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::new(Ring::new(MOST_BYTES / SHARDS))),
            strangers: Mutex::new(Ring::new(MOST_STRANGERS)),
        }
    }
}

impl Hot {
    pub(super) fn get(&self, digest: Digest) -> Option<Bytes> {
        let shard = self.shard(digest).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&digest).cloned()
    }

    /// Whether these bytes, which are not here, are worth keeping: they were asked for before, and not long ago.
    pub(super) fn wants(&self, digest: Digest) -> bool {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = strangers.remove(&digest).is_some();
        if !known {
            strangers.insert(digest, (), 1);
        }
        known
    }

    pub(super) fn keep(&self, digest: Digest, bytes: &Bytes) {
        let mut shard = self.shard(digest).write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(digest, bytes.clone(), bytes.len());
    }

    fn shard(&self, digest: Digest) -> &RwLock<Ring<Digest, Bytes>> {
        let place = usize::try_from(digest % SHARDS as u128).unwrap_or_default();
        &self.shards[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let hot = Hot::default();
        let piece = Bytes::from(vec![0; 64 << 10]);
        for digest in 0..2_000 {
            hot.keep(digest, &piece);
        }
        let kept: usize = hot.shards.iter().map(|shard| shard.read().unwrap().len()).sum();
        assert!(kept * piece.len() <= MOST_BYTES, "{kept} pieces");
        assert!(kept > 100, "{kept} pieces");
    }

    #[test]
    fn bytes_are_worth_keeping_when_they_are_asked_for_again_soon() {
        let hot = Hot::default();
        assert!(!hot.wants(1));
        assert!(hot.wants(1));
        assert!(!hot.wants(2));
        let many = Digest::try_from(2 * MOST_STRANGERS).unwrap();
        (100..100 + many).for_each(|digest| assert!(!hot.wants(digest)));
        assert!(!hot.wants(2), "it was asked for long ago");
    }
}
