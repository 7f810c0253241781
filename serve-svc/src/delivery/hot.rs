use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use domain::BlobKey;

use crate::shelf::Ring;

/// Bytes of small files that are kept in all.
const MOST_BYTES: usize = 16 << 20;
/// So many cores can take something in at once.
const SHARDS: usize = 8;

/// The bytes of small files that are asked for often. What a key stands for never changes, so nothing here can be
/// wrong; whether it may be shown is decided before anybody looks here.
#[derive(Debug)]
pub(super) struct Hot {
    shards: [RwLock<Ring<BlobKey, Bytes>>; SHARDS],
}

impl Default for Hot {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::new(Ring::new(MOST_BYTES / SHARDS))),
        }
    }
}

impl Hot {
    pub(super) fn get(&self, key: &BlobKey) -> Option<Bytes> {
        let shard = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(key).cloned()
    }

    pub(super) fn keep(&self, key: &BlobKey, bytes: &Bytes) {
        let mut shard = self.shard(key).write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(key.clone(), bytes.clone(), bytes.len());
    }

    fn shard(&self, key: &BlobKey) -> &RwLock<Ring<BlobKey, Bytes>> {
        // A key begins with the hexadecimal digits of an MD5.
        let sum: usize = key.as_str().bytes().take(8).map(usize::from).sum();
        &self.shards[sum % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use domain::{Md5, MediaType};

    use super::*;

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let hot = Hot::default();
        let piece = Bytes::from(vec![0; 64 << 10]);
        for n in 0..=u8::MAX {
            for m in 0..8 {
                let mut md5 = [n; 16];
                md5[0] = m;
                hot.keep(&BlobKey::plain(Md5(md5), MediaType::Png), &piece);
            }
        }
        let kept: usize = hot.shards.iter().map(|shard| shard.read().unwrap().len()).sum();
        assert!(kept * piece.len() <= MOST_BYTES, "{kept} pieces");
        assert!(kept > 100, "{kept} pieces");
    }
}
