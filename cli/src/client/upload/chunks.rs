use std::{io, path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

use super::progress::FileBar;
use crate::client::api::{Chunks, Pulse};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

/// A part of a file, read as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) from: u64,
    pub(super) length: u64,
}

/// The bytes of `head`, of a part of a file, and of `tail`. Each chunk is a beat of the pulse and a step of the bar.
///
/// A file that has become shorter meanwhile ends in an error, for the length was said before.
pub(super) fn read(head: Bytes, part: Part, tail: Bytes, bar: Arc<FileBar>, pulse: Pulse) -> Chunks {
    let from = part.from;
    let started = pulse.clone();
    let opening = async move {
        bar.at(from);
        started.beat();
        let mut file = File::open(&part.path).await?;
        file.seek(io::SeekFrom::Start(part.from)).await?;
        Ok::<_, io::Error>((file, part, bar))
    };
    let file = stream::once(opening).flat_map(move |opened| match opened {
        Ok(state) => body(state, pulse.clone()),
        Err(error) => stream::once(async move { Err(error) }).boxed(),
    });
    let edge = |bytes: Bytes| stream::iter((!bytes.is_empty()).then_some(Ok(bytes)));
    edge(head).chain(file).chain(edge(tail)).boxed()
}

fn body(state: (File, Part, Arc<FileBar>), pulse: Pulse) -> Chunks {
    let reading = stream::try_unfold((state, pulse), |((mut file, mut part, bar), pulse)| async move {
        if part.length == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(part.length).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = vec![0; wanted];
        let count = file.read(&mut chunk).await?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file became shorter while it was sent",
            ));
        }
        chunk.truncate(count);
        part.length -= count as u64;
        bar.inc(count as u64);
        pulse.beat();
        Ok(Some((Bytes::from(chunk), ((file, part, bar), pulse))))
    });
    reading.boxed()
}
