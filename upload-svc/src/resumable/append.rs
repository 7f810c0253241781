use blobs::Appending;
use bytes::Bytes;
use catalog::{Bearer, UploadRecord, UploadShape};
use domain::{PublicId, Refusal, ResumeRefusal, UploadLimits};
use futures_util::StreamExt as _;
use http_kit::{BodyFault, body_fault};
use tokio::time::{Instant, sleep_until};

use super::{Held, LEASE, Progress, RENEWAL, drop_all, find, heads::PieceChecksum};
use crate::{
    Service,
    problem::Failure,
    routes::{Asked, Body},
};

/// How many bytes may be lost at most when the process dies while a piece comes in.
const CHECKPOINT_BYTES: u64 = 16 << 20;

/// Adds a piece to an upload, which must end at `offset`. When that makes it whole it is published.
pub(crate) async fn append(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    (id, offset): (PublicId, u64),
    body: Body,
) -> Result<Progress, Failure> {
    let checksum = PieceChecksum::read(&asked.headers)?;
    let mut held = Held::take(service, bearer, id).await?;
    if let Err(refusal) = fits(&held.record, offset) {
        held.release(service, None).await?;
        return Err(refusal.into());
    }
    let Some(appending) = service.writer().append_upload(id, offset).await? else {
        // Somebody has taken the file away: there is nothing to go on with.
        drop_all(service, bearer.account_id, id).await?;
        return Err(ResumeRefusal::NoSuchUpload.into());
    };
    let mut piece = Piece {
        appending,
        end: offset,
        durable: offset,
        head: Vec::new(),
        checksum,
    };
    let came = piece.take(service, &mut held, body).await;
    let Piece {
        appending, checksum, ..
    } = piece;
    let end = match appending.finish().await {
        Ok(end) => end,
        Err(error) => {
            held.release(service, None).await?;
            return Err(error.into());
        }
    };
    let came = match (came, checksum.map(PieceChecksum::fits)) {
        // A piece that did not come whole can't be held against its checksum; none of it counts.
        (Err(failure), Some(_)) => Err(failure),
        (Ok(()), Some(false)) => Err(ResumeRefusal::PieceChecksum.into()),
        (came, _) => {
            held.save(service, end).await?;
            came
        }
    };
    match came {
        Ok(()) if end == held.record.length && held.record.shape == UploadShape::Whole => {
            held.publish(service, bearer, asked).await
        }
        Ok(()) => {
            let record = held.release(service, None).await?;
            Ok(Progress { record, image: None })
        }
        Err(Failure::Refused(refusal @ (Refusal::TypeNotAllowed | Refusal::FileTooLarge { .. }))) => {
            drop_all(service, bearer.account_id, id).await?;
            Err(refusal.into())
        }
        Err(failure) => {
            held.release(service, None).await?;
            Err(failure)
        }
    }
}

/// Whether a piece that begins at `offset` may be added.
fn fits(record: &UploadRecord, offset: u64) -> Result<(), ResumeRefusal> {
    if record.shape == UploadShape::Joined || record.image.is_some() {
        Err(ResumeRefusal::Whole)
    } else if record.offset != offset {
        Err(ResumeRefusal::OffsetMismatch {
            offset: record.offset,
        })
    } else {
        Ok(())
    }
}

/// How far an upload has come. Whoever writes to it in this process is made to stop: who asks wants to go on.
pub(crate) async fn position(
    service: &Service,
    bearer: &Bearer,
    id: PublicId,
) -> Result<UploadRecord, Failure> {
    find(service, bearer, id).await?;
    let _turn = service.turns().take(id).await?;
    find(service, bearer, id).await
}

/// A piece that is coming in.
struct Piece {
    appending: Appending,
    /// Bytes of the upload with what was handed to the disk.
    end: u64,
    /// Bytes of the upload that are written down.
    durable: u64,
    /// The first bytes of a file, until there are enough to tell its type.
    head: Vec<u8>,
    checksum: Option<PieceChecksum>,
}

impl Piece {
    async fn take(&mut self, service: &Service, held: &mut Held, mut body: Body) -> Result<(), Failure> {
        let stop = held.turn.stop.clone();
        let mut sign_of_life = Instant::now() + RENEWAL;
        loop {
            let piece = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(ResumeRefusal::Held { wait: LEASE }.into()),
                () = sleep_until(sign_of_life) => {
                    held.save(service, self.durable).await?;
                    sign_of_life = Instant::now() + RENEWAL;
                    continue;
                }
                piece = body.next() => piece,
            };
            match piece {
                None => return Ok(()),
                Some(Ok(bytes)) => self.write(service, held, bytes).await?,
                Some(Err(error)) => {
                    let fault = body_fault(&error).unwrap_or(BodyFault::Disconnected);
                    return Err(Failure::Body(fault));
                }
            }
        }
    }

    async fn write(&mut self, service: &Service, held: &mut Held, bytes: Bytes) -> Result<(), Failure> {
        let begins_file = held.record.shape == UploadShape::Whole && held.record.offset == 0;
        if begins_file && self.head.len() < imaging::SNIFF_BYTES {
            self.head
                .extend_from_slice(&bytes[..bytes.len().min(imaging::SNIFF_BYTES)]);
            judge_head(&self.head, held.record.length, service.limits())?;
        }
        if held.record.length - self.end < bytes.len() as u64 {
            return Err(ResumeRefusal::PieceTooLong.into());
        }
        self.end += bytes.len() as u64;
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&bytes);
        }
        // The disk's failure is told at the end.
        let written = self.appending.write(bytes).await;
        if written && self.checksum.is_none() && self.end - self.durable >= CHECKPOINT_BYTES {
            self.durable = self.appending.sync().await.unwrap_or(self.durable);
            held.save(service, self.durable).await?;
        }
        Ok(())
    }
}

/// Refuses by its first bytes what would be refused when all of it has come.
fn judge_head(head: &[u8], length: u64, limits: &UploadLimits) -> Result<(), Refusal> {
    if head.len() < imaging::SNIFF_BYTES {
        return Ok(());
    }
    let media_type = imaging::sniff(head).ok_or(Refusal::TypeNotAllowed)?;
    limits.check_type(media_type)?;
    let limit = limits.bytes_for(media_type);
    if length > limit {
        return Err(Refusal::FileTooLarge { limit });
    }
    Ok(())
}
