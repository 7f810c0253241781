//! Uploads in pieces, which may be resumed: tus 1.0.0.
//!
//! An upload is a row (how much of it is known to survive a power cut) and a file of the store. Whoever writes to it has
//! the turn in this process ([`turns`]) and holds the row against other processes; it shows signs of life, and one that died is
//! believed alive for [`LEASE`]. When all bytes are here they go the way of every other upload ([`intake`]).
//!
//! INVARIANT: the last byte of a file counts once the image is there. A client that finds all its bytes here has therefore nothing
//! left to do, and one whose publication failed sends the last byte again, which publishes it.

mod append;
mod create;
pub(crate) mod heads;
mod turns;

use std::{collections::HashMap, time::Duration};

use catalog::{Bearer, ImageRecord, UploadRecord, UploadShape};
use domain::{FileName, PublicId, Refusal, ResumeRefusal};
use jiff::{SignedDuration, Timestamp};

pub(crate) use append::{append, position};
pub(crate) use create::create;
use turns::Turn;
pub(crate) use turns::Turns;

use crate::{
    Service,
    intake::{self, ReceivedFile},
    problem::Failure,
    routes::Asked,
};

/// How long who writes is believed alive without a sign.
const LEASE: Duration = Duration::from_secs(10);
/// Between two signs of life: one may be lost.
const RENEWAL: Duration = Duration::from_secs(3);

/// How far an upload has come.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) record: UploadRecord,
    /// What has just come of it.
    pub(crate) image: Option<ImageRecord>,
}

/// An upload that this request alone may write to.
struct Held {
    turn: Turn,
    holder: [u8; 16],
    record: UploadRecord,
}

impl Held {
    /// Takes an upload of an account, from whoever has it in this process.
    async fn take(service: &Service, bearer: &Bearer, id: PublicId) -> Result<Self, Failure> {
        find(service, bearer, id).await?;
        let turn = service.turns().take(id).await?;
        let (holder, now) = (process::random(), service.now());
        let (catalog, which) = (service.catalog(), (bearer.account_id, id));
        let record = catalog::hold_upload(catalog, which, holder, later(now, LEASE), now).await?;
        if let Some(record) = record {
            return Ok(Self { turn, holder, record });
        }
        Err(match find(service, bearer, id).await {
            Ok(_) => ResumeRefusal::Held { wait: LEASE }.into(),
            Err(failure) => failure,
        })
    }

    /// Writes down that so many bytes are here for good, and that somebody is alive. An error when the upload is gone.
    async fn save(&mut self, service: &Service, length: u64) -> Result<(), Failure> {
        let offset = acknowledged(&self.record, length);
        let now = service.now();
        let (until, expires_at) = (later(now, LEASE), later(now, service.uploads_kept()));
        let which = (self.record.id, self.holder);
        if !catalog::save_upload(service.catalog(), which, offset, until, expires_at).await? {
            return Err(ResumeRefusal::NoSuchUpload.into());
        }
        (self.record.offset, self.record.expires_at) = (offset, expires_at);
        Ok(())
    }

    async fn release(self, service: &Service, image: Option<PublicId>) -> Result<UploadRecord, Failure> {
        catalog::release_upload(service.catalog(), (self.record.id, self.holder), image).await?;
        Ok(self.record)
    }

    /// Publishes what has come whole. What can never be published is dropped, what failed on our side stays.
    async fn publish(
        mut self,
        service: &Service,
        bearer: &Bearer,
        asked: &Asked,
    ) -> Result<Progress, Failure> {
        let id = self.record.id;
        let outcome = {
            let record = self.record.clone();
            let publishing = gather_and_publish(service, bearer, asked, &record);
            tokio::pin!(publishing);
            loop {
                tokio::select! {
                    outcome = &mut publishing => break outcome,
                    () = tokio::time::sleep(RENEWAL) => {
                        let length = self.record.length;
                        if let Err(failure) = self.save(service, length).await {
                            tracing::warn!(error = &failure as &dyn std::error::Error, %id, "an upload that is being published was not held on to");
                        }
                    }
                }
            }
        };
        match outcome {
            Ok(image) => {
                let mut record = self.release(service, Some(image.public_id)).await?;
                (record.offset, record.image) = (record.length, Some(image.public_id));
                if let Err(error) = service.writer().drop_upload(id).await {
                    // The janitor purges it with the row.
                    tracing::warn!(error = &error as &dyn std::error::Error, %id, "an upload that is over was not dropped");
                }
                Ok(Progress {
                    record,
                    image: Some(image),
                })
            }
            Err(failure) if failure.is_final() => {
                drop_all(service, self.record.account_id, id).await?;
                Err(failure)
            }
            Err(failure) => {
                self.release(service, None).await?;
                Err(failure)
            }
        }
    }
}

async fn gather_and_publish(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    record: &UploadRecord,
) -> Result<ImageRecord, Failure> {
    let staged = service.writer().gather_upload(record.id, record.length).await?;
    let staged = staged.ok_or(ResumeRefusal::NoSuchUpload)?;
    let fields = heads::read_metadata(&record.metadata)?;
    let file = ReceivedFile {
        name: FileName::clean(fields.get("filename").map_or("", String::as_str), "image"),
        staged: Ok(staged),
    };
    let published = intake::take_gathered(service, bearer, asked, file, fields).await?;
    Ok(published.image)
}

/// How many bytes a client is told that are here, of those that are.
fn acknowledged(record: &UploadRecord, length: u64) -> u64 {
    match record.shape {
        UploadShape::Part => length,
        UploadShape::Whole | UploadShape::Joined => length.min(record.length.saturating_sub(1)),
    }
}

/// An upload of the caller's that is not over. SECURITY: one that was begun with another credential than a token of the same album is none
/// of such a token's, or it could join another's parts to an image of its own.
pub(crate) async fn find(service: &Service, bearer: &Bearer, id: PublicId) -> Result<UploadRecord, Failure> {
    let record = catalog::find_upload(service.catalog(), bearer.account_id, id).await?;
    let record = record.filter(|record| {
        let is_theirs = bearer.album_id.is_none() || record.album_id == bearer.album_id;
        record.expires_at > service.now() && is_theirs
    });
    record.ok_or_else(|| ResumeRefusal::NoSuchUpload.into())
}

/// Ends an upload: whoever writes to it stops, and its bytes are freed. The image that came of it stays.
pub(crate) async fn terminate(service: &Service, bearer: &Bearer, id: PublicId) -> Result<(), Failure> {
    find(service, bearer, id).await?;
    let _turn = service.turns().take(id).await?;
    drop_all(service, bearer.account_id, id).await
}

/// The row first: whoever holds it in another process finds out by it.
async fn drop_all(service: &Service, account_id: i64, id: PublicId) -> Result<(), Failure> {
    catalog::delete_upload(service.catalog(), account_id, id).await?;
    Ok(service.writer().drop_upload(id).await?)
}

/// Reads the id of an upload's URL.
pub(crate) fn read_id(id: &str) -> Result<PublicId, Refusal> {
    id.parse().map_err(|_| ResumeRefusal::NoSuchUpload.into())
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// What a client says about its upload, as the form of an upload would say it.
fn fields(record: &UploadRecord) -> Result<HashMap<String, String>, Refusal> {
    heads::read_metadata(&record.metadata)
}
