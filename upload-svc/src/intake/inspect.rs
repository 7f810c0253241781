use std::sync::Arc;

use blobs::Staged;
use catalog::{NewBlob, Origin};
use domain::{FileRefusal, Refusal, Scrub, UploadLimits, Validation};
use imaging::{Asked, Budget, NotReadable, Undone};

use super::scrub::scrubbed;
use crate::{Service, problem::Failure};

/// How a file is looked into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looking {
    /// How far.
    pub(super) validation: Validation,
    /// What of its metadata is to go.
    pub(super) scrub: Scrub,
}

/// A file that may be published.
#[derive(Debug)]
pub(super) struct Looked {
    /// Its bytes as they are to be stored.
    pub(super) staged: Arc<Staged>,
    /// What they are.
    pub(super) blob: NewBlob,
    /// What is known of it beyond them.
    pub(super) origin: Origin,
}

/// Has a decoder look into a staged file, judges what it tells, and takes out the metadata that is to go.
pub(super) async fn inspect(
    service: &Service,
    staged: Arc<Staged>,
    looking: Looking,
) -> Result<Looked, Failure> {
    let limits = service.limits();
    let asked = Asked {
        budget: Budget::of(limits),
        validation: looking.validation,
        scrub: looking.scrub,
        now: service.now(),
    };
    let inspecting = service.decoders().inspect(staged.path().to_owned(), asked);
    let inspection = inspecting.await.map_err(|undone| match undone {
        Undone::File(fault) => refusal(fault, limits).into(),
        Undone::Unavailable(error) => Failure::Decoder(error),
    })?;
    limits.check_type(inspection.media_type)?;
    let limit = limits.bytes_for(inspection.media_type);
    if staged.size_bytes() > limit {
        return Err(Refusal::FileTooLarge { limit }.into());
    }
    let sent = (staged.md5(), staged.sha256());
    let staged = scrubbed(service, staged, inspection.edits).await?;
    let blob = NewBlob {
        md5: staged.md5(),
        sha256: staged.sha256(),
        size_bytes: staged.size_bytes(),
        media_type: inspection.media_type,
        dimensions: inspection.dimensions,
        camera: inspection.camera,
    };
    let origin = Origin {
        taken: inspection.taken,
        sent: (sent.1 != blob.sha256).then_some(sent),
    };
    Ok(Looked { staged, blob, origin })
}

fn refusal(fault: NotReadable, limits: &UploadLimits) -> Refusal {
    match fault {
        NotReadable::UnknownType => Refusal::TypeNotAllowed,
        NotReadable::BrokenHeader(_) => Refusal::Unreadable,
        NotReadable::TooManyPixels { .. } => Refusal::TooManyPixels {
            side: limits.side,
            pixels: limits.pixels,
        },
        NotReadable::TooManyFrames(_) => FileRefusal::TooManyFrames {
            frames: limits.frames,
            pixels: limits.frame_pixels,
        }
        .into(),
        NotReadable::NotDecodable(reason) => FileRefusal::NotDecodable(reason).into(),
        NotReadable::TookTooLong => FileRefusal::TookTooLong.into(),
    }
}
