use std::io::Read as _;

use catalog::ImageRecord;
use domain::BlobKey;
use sha1::{Digest as _, Sha1};

use crate::{Service, problem::Failure};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// The SHA-1 of an image's bytes as they are stored, like the MD5 that Lsky shows beside it; empty when they can't be read.
/// Nothing of ours relies on it.
pub(super) async fn of_image(service: &Service, image: &ImageRecord) -> Result<String, Failure> {
    let Ok(key) = image.key.parse::<BlobKey>() else {
        return Ok(String::new());
    };
    let Ok(Some(file)) = service.writer().at_hand(&key).await else {
        return Ok(String::new());
    };
    let hashing = tokio::task::spawn_blocking(move || {
        let mut bytes = std::fs::File::open(file.path())?;
        let (mut sha1, mut piece) = (Sha1::new(), vec![0; PIECE]);
        while let read @ 1.. = bytes.read(&mut piece)? {
            sha1.update(&piece[..read]);
        }
        Ok::<_, std::io::Error>(hex::encode(sha1.finalize()))
    });
    Ok(hashing.await?.unwrap_or_default())
}
