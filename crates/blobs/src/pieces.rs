use std::{
    fmt,
    fs::File,
    future::poll_fn,
    io::{self, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt as _,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

/// Bytes read at once. Smaller ones cost calls, larger ones memory for each slow reader.
const PIECE_BYTES: u64 = 128 << 10;

/// The bytes of an open blob, or of a part of it, piece by piece, in order. What breaks off ends with an error, once.
#[derive(Debug)]
pub struct Pieces(Source);

#[derive(Debug)]
enum Source {
    File(FilePieces),
    Flow(FlowPieces),
}

impl Pieces {
    /// Of a file; `part` lies within it, or the pieces end with an error.
    pub(crate) fn of_file(file: File, part: Range<u64>) -> Self {
        Self(Source::File(FilePieces {
            file: Arc::new(file),
            next: part.start,
            end: part.end,
            waiting: None,
        }))
    }

    /// Of what comes from somewhere else; `length` bytes in all, or they end with an error.
    pub(crate) fn of_flow(flow: BoxStream<'static, io::Result<Bytes>>, length: u64) -> Self {
        Self(Source::Flow(FlowPieces {
            flow: Flow(Mutex::new(flow)),
            left: length,
        }))
    }

    /// Bytes that are still to come.
    #[must_use]
    pub fn left(&self) -> u64 {
        match &self.0 {
            Source::File(pieces) => pieces.end.saturating_sub(pieces.next),
            Source::Flow(pieces) => pieces.left,
        }
    }

    /// All that is still to come, at once: for what is small.
    pub async fn read_all(self) -> io::Result<Bytes> {
        match self.0 {
            Source::File(pieces) => pieces.read_all().await,
            Source::Flow(mut pieces) => {
                let mut all =
                    BytesMut::with_capacity(usize::try_from(pieces.left).map_err(io::Error::other)?);
                while let Some(piece) = poll_fn(|context| pieces.poll(context)).await {
                    all.extend_from_slice(&piece?);
                }
                Ok(all.freeze())
            }
        }
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().0 {
            Source::File(pieces) => pieces.poll(context),
            Source::Flow(pieces) => pieces.poll(context),
        }
    }
}

/// Pieces that come from somewhere else, as fast as they are taken.
#[derive(Debug)]
struct FlowPieces {
    flow: Flow,
    left: u64,
}

/// A lock that is never taken: it makes what one task alone polls fit to be named by several.
struct Flow(Mutex<BoxStream<'static, io::Result<Bytes>>>);

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flow")
    }
}

impl FlowPieces {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let flow = self.flow.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let outcome = match ready!(flow.poll_next_unpin(context)) {
            Some(Ok(bytes)) if bytes.len() as u64 <= self.left => {
                self.left -= bytes.len() as u64;
                return Poll::Ready(Some(Ok(bytes)));
            }
            Some(Ok(_)) => Err(io::ErrorKind::InvalidData.into()),
            Some(Err(error)) => Err(error),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        self.left = 0;
        Poll::Ready(Some(outcome))
    }
}

/// Pieces of a file: from the page cache at once, and through a thread that may wait only where the disk must be waited for.
/// So what is hot is read without changing threads.
#[derive(Debug)]
struct FilePieces {
    file: Arc<File>,
    next: u64,
    end: u64,
    waiting: Option<JoinHandle<io::Result<Bytes>>>,
}

impl FilePieces {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.next >= self.end {
            return Poll::Ready(None);
        }
        let outcome = match ready!(self.poll_read(context)) {
            // More was promised.
            Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other,
        };
        match &outcome {
            Ok(bytes) => self.next += bytes.len() as u64,
            Err(_) => self.next = self.end,
        }
        Poll::Ready(Some(outcome))
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if self.waiting.is_none() {
            let length = usize::try_from((self.end - self.next).min(PIECE_BYTES)).unwrap_or_default();
            match read_cached(&self.file, self.next, length) {
                // A short piece is the end of what is cached, or of the file: the thread finds out.
                Ok(Some(bytes)) if !bytes.is_empty() => return Poll::Ready(Ok(bytes)),
                Err(error) => return Poll::Ready(Err(error)),
                Ok(_) => {}
            }
            let (file, offset) = (Arc::clone(&self.file), self.next);
            self.waiting = Some(tokio::task::spawn_blocking(move || {
                read_blocking(&file, offset, length)
            }));
        }
        let Some(waiting) = &mut self.waiting else {
            return Poll::Ready(Err(io::ErrorKind::Other.into()));
        };
        let outcome = ready!(Pin::new(waiting).poll(context));
        self.waiting = None;
        Poll::Ready(outcome.unwrap_or_else(|error| Err(io::Error::other(error))))
    }

    async fn read_all(self) -> io::Result<Bytes> {
        let length = usize::try_from(self.end.saturating_sub(self.next)).map_err(io::Error::other)?;
        match read_cached(&self.file, self.next, length)? {
            Some(bytes) if bytes.len() == length => Ok(bytes),
            _ => {
                tokio::task::spawn_blocking(move || {
                    let mut all = vec![0; length];
                    self.file.read_exact_at(&mut all, self.next)?;
                    Ok(all.into())
                })
                .await?
            }
        }
    }
}

/// Up to `length` bytes from `offset` on if they are in the page cache, at once; none when the disk would have to be
/// waited for. Fewer bytes may come than were asked for; no bytes at all mean the end of the file.
fn read_cached(file: &File, offset: u64, length: usize) -> io::Result<Option<Bytes>> {
    let mut buffer = BytesMut::zeroed(length);
    match preadv2(
        file,
        &mut [IoSliceMut::new(&mut buffer)],
        offset,
        ReadWriteFlags::NOWAIT,
    ) {
        Ok(count) => {
            buffer.truncate(count);
            Ok(Some(buffer.freeze()))
        }
        // OPNOTSUPP: a file system without RWF_NOWAIT, such as tmpfs on older kernels.
        Err(Errno::AGAIN | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Up to `length` bytes from `offset` on, waiting for the disk: for a thread that may block.
fn read_blocking(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(length);
    let count = file.read_at(&mut buffer, offset)?;
    buffer.truncate(count);
    Ok(buffer.freeze())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use futures_util::StreamExt as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
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
        let bytes: Vec<u8> = (0..=250).cycle().take(300_000).collect();
        let file = file(&bytes);
        for part in [
            0..300_000,
            0..1,
            299_999..300_000,
            131_071..131_073,
            131_072..262_144,
            1..299_999,
            7..7,
        ] {
            let expected = &bytes[part.clone()];
            let part = part.start as u64..part.end as u64;
            let pieces = || Pieces::of_file(file.try_clone().unwrap(), part.clone());
            assert_eq!(pieces().left(), part.end - part.start);
            assert!(collect(pieces()).await.unwrap() == expected, "{part:?}");
            assert!(pieces().read_all().await.unwrap() == expected, "{part:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_promised_breaks_off_with_an_error() {
        let file = file(&[7; 1_000]);
        let pieces = || Pieces::of_file(file.try_clone().unwrap(), 0..2_001);
        let error = collect(pieces()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let error = pieces().read_all().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
