use blobs::Staged;
use catalog::NewBlob;
use domain::{FileRefusal, Refusal, UploadLimits, Validation};
use imaging::{Asked, Budget, NotReadable, Undone};

use crate::{Service, problem::Failure};

/// What a staged file is, told by a decoder and judged.
pub(super) async fn inspect(service: &Service, staged: &Staged) -> Result<NewBlob, Failure> {
    let limits = service.limits();
    let asked = Asked {
        budget: Budget::of(limits),
        validation: Validation::Decode,
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
    Ok(NewBlob {
        md5: staged.md5(),
        sha256: staged.sha256(),
        size_bytes: staged.size_bytes(),
        media_type: inspection.media_type,
        dimensions: inspection.dimensions,
    })
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
