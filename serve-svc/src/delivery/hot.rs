use std::sync::{PoisonError, RwLock};

use bytes::Bytes;

use crate::shelf::Ring;

/// Bytes of small files that are kept in all.
const MOST_BYTES: usize = 16 << 20;
/// So many cores can take something in at once.
const SHARDS: usize = 8;

/// What bytes are: the first 128 bits of their SHA-256.
pub(crate) type Digest = u128;

/// The bytes of small files that are asked for often. Whether they may be shown is decided before anybody looks here.
///
/// SECURITY: they are known by what they are, not by where they rest. When a blob has been swept, its key is free, and
/// another file of the same MD5 (anyone can make one) may get it; found by key, it would be shown as the old one.
#[derive(Debug)]
pub(super) struct Hot {
    shards: [RwLock<Ring<Digest, Bytes>>; SHARDS],
}

impl Default for Hot {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::new(Ring::new(MOST_BYTES / SHARDS))),
        }
    }
}

impl Hot {
    pub(super) fn get(&self, digest: Digest) -> Option<Bytes> {
        let shard = self.shard(digest).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&digest).cloned()
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
}
