use catalog::{Bearer, ChangeError, UploadRecord, UploadShape};
use domain::{ImageRefusal, PublicId, Refusal, ResumeRefusal};
use futures_util::StreamExt as _;
use http_kit::{BodyFault, body_fault};

use super::{
    Held, Progress, append, fields, find,
    heads::{self, Concat},
    later,
};
use crate::{
    Service,
    identity::album_for,
    intake::{self, read_options},
    problem::Failure,
    routes::{Asked, Body},
};

/// Uploads under way of one account.
const MOST_UPLOADS: u64 = 1_000;
/// How long parts stay after they were joined, for a client that lost the answer and joins them again.
const PARTS_LINGER: std::time::Duration = std::time::Duration::from_mins(10);

/// Begins an upload, with its first piece if that came along; or joins one of parts.
pub(crate) async fn create(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    mut body: Body,
) -> Result<Progress, Failure> {
    let headers = &asked.headers;
    let metadata = heads::metadata(headers)?;
    let shape = match heads::concat(headers)? {
        Concat::Join(parts) => {
            let whole = joined_record(service, bearer, metadata, parts).await?;
            return join(service, bearer, asked, whole).await;
        }
        Concat::Part => UploadShape::Part,
        Concat::None => UploadShape::Whole,
    };
    let record = record(
        service,
        bearer,
        shape,
        heads::count(headers, "upload-length")?,
        metadata,
    );
    judge(service, bearer, &record).await?;
    let id = record.id;
    service.writer().begin_upload(id).await?;
    keep(service, &record).await?;
    if heads::is_piece(headers) {
        return append(service, bearer, asked, (id, 0), body).await;
    }
    while let Some(piece) = body.next().await {
        let piece =
            piece.map_err(|error| Failure::Body(body_fault(&error).unwrap_or(BodyFault::Disconnected)))?;
        if !piece.is_empty() {
            super::drop_all(service, bearer.account_id, id).await?;
            return Err(ResumeRefusal::NotAPiece.into());
        }
    }
    Ok(Progress { record, image: None })
}

fn record(
    service: &Service,
    bearer: &Bearer,
    shape: UploadShape,
    length: u64,
    metadata: String,
) -> UploadRecord {
    UploadRecord {
        id: Service::draw_id(),
        account_id: bearer.account_id,
        album_id: bearer.album_id,
        shape,
        length,
        offset: 0,
        metadata,
        parts: Vec::new(),
        image: None,
        expires_at: later(service.now(), service.uploads_kept()),
    }
}

/// Writes a new upload down whose file is there.
async fn keep(service: &Service, record: &UploadRecord) -> Result<(), Failure> {
    let kept = catalog::create_upload(service.catalog(), record, service.now()).await;
    if kept.is_err() {
        service.writer().drop_upload(record.id).await?;
    }
    Ok(kept?)
}

/// Refuses before a byte is sent what would be refused when all have been: too large, no room, no such album, too long a life.
async fn judge(service: &Service, bearer: &Bearer, record: &UploadRecord) -> Result<(), Failure> {
    if record.length == 0 {
        return Err(Refusal::EmptyFile.into());
    }
    let limit = service.limits().bytes_for_any();
    if record.length > limit {
        return Err(Refusal::FileTooLarge { limit }.into());
    }
    if record.shape != UploadShape::Part {
        let options = read_options(&fields(record)?)?;
        let album = album_for(bearer, options.album_id)?;
        if let Some(album) = album {
            let found = catalog::find_album(service.catalog(), Some(bearer.account_id), album).await?;
            found.ok_or(ChangeError::NoSuchAlbum)?;
        }
        let rules = intake::upload_rules(service, bearer.account_id, album).await?;
        intake::expiry(&rules, options.lifetime, service.now())?;
    }
    let more = if record.shape == UploadShape::Joined {
        0
    } else {
        record.length
    };
    service.writer().has_room(more, service.disk_reserve())?;
    // The parts of a joined one are counted already.
    let under_way = match record.shape {
        UploadShape::Joined => 0,
        UploadShape::Whole | UploadShape::Part => {
            let (uploads, bytes) =
                catalog::count_uploads(service.catalog(), bearer.account_id, service.now()).await?;
            if uploads >= MOST_UPLOADS {
                return Err(ResumeRefusal::TooManyUploads { limit: MOST_UPLOADS }.into());
            }
            bytes
        }
    };
    let quota = catalog::find_quota(service.catalog(), bearer.account_id).await?;
    match quota {
        Some(quota) if !quota.has_room(record.length.saturating_add(under_way)) => {
            Err(ImageRefusal::QuotaExceeded.into())
        }
        _ => Ok(()),
    }
}

/// What will be joined of these parts, all of which must have come whole.
async fn joined_record(
    service: &Service,
    bearer: &Bearer,
    metadata: String,
    parts: Vec<PublicId>,
) -> Result<UploadRecord, Failure> {
    let mut length: u64 = 0;
    for part in &parts {
        let part = find(service, bearer, *part).await?;
        if part.shape != UploadShape::Part || part.offset != part.length {
            return Err(ResumeRefusal::PartsIncomplete.into());
        }
        length = length.saturating_add(part.length);
    }
    let mut whole = record(service, bearer, UploadShape::Joined, length, metadata);
    whole.offset = length.saturating_sub(1);
    whole.parts = parts;
    judge(service, bearer, &whole).await?;
    Ok(whole)
}

async fn join(
    service: &Service,
    bearer: &Bearer,
    asked: &Asked,
    whole: UploadRecord,
) -> Result<Progress, Failure> {
    let mut lengths = Vec::with_capacity(whole.parts.len());
    for part in &whole.parts {
        lengths.push((*part, find(service, bearer, *part).await?.length));
    }
    let (id, account_id, parts) = (whole.id, whole.account_id, whole.parts.clone());
    if !service.writer().join_uploads(id, lengths).await? {
        return Err(ResumeRefusal::NoSuchUpload.into());
    }
    keep(service, &whole).await?;
    let held = Held::take(service, bearer, id).await?;
    let published = held.publish(service, bearer, asked).await;
    if published.is_err() {
        // Its parts are still there: whoever tries again joins them again.
        super::drop_all(service, account_id, id).await?;
        return published;
    }
    let at = later(service.now(), PARTS_LINGER);
    catalog::shorten_uploads(service.catalog(), account_id, &parts, at).await?;
    published
}
