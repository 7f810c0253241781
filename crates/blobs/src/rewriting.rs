use std::{io, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;

use crate::{BlobWriter, Error, Staged};

/// One change of a staged file: from `at` on, `remove` bytes make room for `insert` and then `zeros` zero bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// Where, in the file as it is.
    pub at: u64,
    /// Bytes that go.
    pub remove: u64,
    /// Bytes that come.
    pub insert: Bytes,
    /// Zero bytes that come behind them.
    pub zeros: u64,
}

const PIECE: u64 = 256 << 10;

impl BlobWriter {
    /// Stages a changed copy of a staged file, hashed anew. The changes come in the order of the file and apart from each other.
    pub async fn rewrite(&self, staged: Arc<Staged>, splices: Vec<Splice>) -> Result<Staged, Error> {
        let staging = self.stage()?;
        let pieces = staging.pieces();
        let copying = tokio::task::spawn_blocking(move || {
            copy(&staged, &splices, &mut |piece| {
                pieces.blocking_send(piece).is_ok()
            })
        });
        copying
            .await
            .map_err(|panic| Error::at("rewrite", "a staging file")(io::Error::other(panic)))??;
        staging.finish().await
    }
}

/// Stops early when nobody takes the pieces any more: whoever finishes the copy learns why.
fn copy(staged: &Staged, splices: &[Splice], give: &mut impl FnMut(Bytes) -> bool) -> Result<(), Error> {
    let mut at = 0;
    for splice in splices {
        let after = splice.at.checked_add(splice.remove);
        let Some(after) = after.filter(|after| splice.at >= at && *after <= staged.size_bytes()) else {
            return Err(Error::at("rewrite", staged.path())(
                io::ErrorKind::InvalidInput.into(),
            ));
        };
        if !copy_range(staged, at, splice.at, give)?
            || !splice.insert.is_empty() && !give(splice.insert.clone())
        {
            return Ok(());
        }
        let mut zeros = splice.zeros;
        while zeros > 0 {
            let length = zeros.min(PIECE);
            if !give(vec![0; usize::try_from(length).unwrap_or_default()].into()) {
                return Ok(());
            }
            zeros -= length;
        }
        at = after;
    }
    copy_range(staged, at, staged.size_bytes(), give).map(drop)
}

fn copy_range(
    staged: &Staged,
    mut at: u64,
    end: u64,
    give: &mut impl FnMut(Bytes) -> bool,
) -> Result<bool, Error> {
    while at < end {
        let length = (end - at).min(PIECE);
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        staged
            .file()
            .read_exact_at(&mut piece, at)
            .map_err(Error::at("read", staged.path()))?;
        if !give(piece.into()) {
            return Ok(false);
        }
        at += length;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn splice(at: u64, remove: u64, insert: &'static [u8], zeros: u64) -> Splice {
        Splice {
            at,
            remove,
            insert: insert.into(),
            zeros,
        }
    }

    #[tokio::test]
    async fn a_changed_copy_is_hashed_and_the_file_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let writer = BlobWriter::open(folder.path()).unwrap();
        let stage = async |bytes: &'static [u8]| {
            let mut staging = writer.stage().unwrap();
            staging.write(bytes.into()).await;
            Arc::new(staging.finish().await.unwrap())
        };
        let staged = stage(b"one two three").await;
        for (splices, expected) in [
            (vec![], b"one two three".as_slice()),
            (vec![splice(0, 4, b"", 0), splice(7, 6, b"", 0)], b"two"),
            (vec![splice(4, 3, b"2", 2)], b"one 2\0\0 three"),
            (vec![splice(13, 0, b"!", 0)], b"one two three!"),
        ] {
            let copy = writer.rewrite(Arc::clone(&staged), splices).await.unwrap();
            let mut bytes = Vec::new();
            std::fs::File::open(copy.path())
                .unwrap()
                .read_to_end(&mut bytes)
                .unwrap();
            assert_eq!(bytes, expected);
            assert_eq!(copy.size_bytes(), expected.len() as u64);
            assert_eq!((copy.sha256() == staged.sha256()), bytes == b"one two three");
        }
        for wrong in [
            vec![splice(12, 2, b"", 0)],
            vec![splice(4, 3, b"", 0), splice(5, 1, b"", 0)],
        ] {
            assert!(writer.rewrite(Arc::clone(&staged), wrong).await.is_err());
        }
    }
}
