use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use blobs::BlobFile;
use bytes::Bytes;
use futures_util::Stream;
use tokio::task::JoinHandle;

use crate::answer::range::ByteRange;

/// Bytes read at once. Smaller ones cost calls, larger ones memory for each slow reader.
const PIECE_BYTES: u64 = 128 << 10;

/// A part of a file, piece by piece: from the page cache at once, and through a thread that may wait only where the
/// disk must be waited for. So what is hot goes out without changing threads, its first piece in one write with the
/// reply's head.
#[derive(Debug)]
pub(crate) struct Pieces {
    file: BlobFile,
    next: u64,
    end: u64,
    waiting: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Pieces {
    pub(super) fn new(file: BlobFile, part: ByteRange) -> Self {
        Self {
            file,
            next: part.first,
            end: part.last.saturating_add(1),
            waiting: None,
        }
    }

    /// Bytes that are still to come.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.next)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if self.waiting.is_none() {
            let length = usize::try_from((self.end - self.next).min(PIECE_BYTES)).unwrap_or_default();
            match self.file.read_cached(self.next, length) {
                // A short piece is the end of what is cached, or of the file: the thread finds out.
                Ok(Some(bytes)) if !bytes.is_empty() => return Poll::Ready(Ok(bytes)),
                Err(error) => return Poll::Ready(Err(error)),
                Ok(_) => {}
            }
            let (file, offset) = (self.file.clone(), self.next);
            self.waiting = Some(tokio::task::spawn_blocking(move || {
                file.read_blocking(offset, length)
            }));
        }
        let Some(waiting) = &mut self.waiting else {
            return Poll::Ready(Err(io::ErrorKind::Other.into()));
        };
        let outcome = ready!(Pin::new(waiting).poll(context));
        self.waiting = None;
        Poll::Ready(outcome.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.next >= this.end {
            return Poll::Ready(None);
        }
        let outcome = match ready!(this.poll_read(context)) {
            // The head promised more: only a broken connection tells the client.
            Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other,
        };
        match &outcome {
            Ok(bytes) => this.next += bytes.len() as u64,
            Err(error) => {
                tracing::error!(%error, "an image's file broke off while it was being sent");
                this.next = this.end;
            }
        }
        Poll::Ready(Some(outcome))
    }
}

/// A small file's bytes, all of them.
pub(super) async fn read_whole(file: BlobFile) -> io::Result<Bytes> {
    let length = usize::try_from(file.size_bytes()).unwrap_or_default();
    match file.read_cached(0, length)? {
        Some(bytes) if bytes.len() == length => Ok(bytes),
        _ => tokio::task::spawn_blocking(move || file.read_blocking(0, length)).await?,
    }
}

#[cfg(test)]
mod tests {
    use blobs::BlobReader;
    use domain::{BlobKey, Md5, MediaType};
    use futures_util::StreamExt as _;

    use super::*;

    fn store(size: usize) -> (tempfile::TempDir, BlobFile, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let key = BlobKey::plain(Md5([1; 16]), MediaType::Png);
        let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
        std::fs::create_dir(folder.path().join(key.folder())).unwrap();
        std::fs::write(folder.path().join(key.as_str()), &bytes).unwrap();
        let file = BlobReader::new(folder.path()).open(&key).unwrap().unwrap();
        (folder, file, bytes)
    }

    async fn collect(pieces: Pieces) -> io::Result<Vec<u8>> {
        let pieces: Vec<_> = pieces.collect().await;
        pieces.into_iter().try_fold(Vec::new(), |mut all, piece| {
            all.extend_from_slice(&piece?);
            Ok(all)
        })
    }

    #[tokio::test]
    async fn every_part_of_a_file_arrives_whole() {
        let (_folder, file, bytes) = store(300_000);
        for (first, last) in [
            (0, 299_999),
            (0, 0),
            (299_999, 299_999),
            (131_071, 131_072),
            (131_072, 262_143),
            (1, 299_998),
        ] {
            let got = collect(Pieces::new(file.clone(), ByteRange { first, last }))
                .await
                .unwrap();
            let expected = &bytes[usize::try_from(first).unwrap()..=usize::try_from(last).unwrap()];
            assert!(got == expected, "{first}-{last}");
        }
        assert!(read_whole(file).await.unwrap() == bytes);
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_promised_breaks_off_with_an_error() {
        let (_folder, file, _) = store(1000);
        let error = collect(Pieces::new(file, ByteRange { first: 0, last: 2000 }))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
