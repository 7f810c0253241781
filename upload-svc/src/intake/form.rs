use std::collections::HashMap;

use blobs::{Staged, Staging};
use bytes::{Buf, Bytes};
use domain::{FileName, Refusal, UploadLimits, Validation};
use futures_util::Stream;
use http::{HeaderMap, header::CONTENT_TYPE};
use multer::{Field, Multipart};

use super::{
    encoded::Coding,
    guard::{Budget, guard},
    urlencoded,
};
use crate::{Service, problem::Failure};

/// Fields of text in one form, and how long each may be.
pub(super) const MOST_FIELDS: usize = 64;
pub(super) const LONGEST_FIELD_BYTES: usize = 16 << 10;
/// RFC 2046 allows 70 characters.
const LONGEST_BOUNDARY: usize = 70;
/// How far a file that is refused is read on, in the hope that it ends and others follow it, before the whole request is
/// refused.
const OVERRUN_BYTES: usize = 8 << 20;

/// A form that has arrived whole.
#[derive(Debug)]
pub(crate) struct Form {
    /// Its files, in the order sent.
    pub(crate) files: Vec<ReceivedFile>,
    /// Its fields of text; the last one counts where a name comes twice.
    pub(crate) fields: HashMap<String, String>,
    /// How far its files are looked into: as the settings say, until a dialect knows better.
    pub(crate) validation: Validation,
}

/// One file of a form.
#[derive(Debug)]
pub(crate) struct ReceivedFile {
    /// What its client calls it, cleaned.
    pub(crate) name: FileName,
    /// The staged bytes, or why there are none.
    pub(crate) staged: Result<Staged, Failure>,
}

/// A field of this name means files of any field.
pub(crate) const ANY_FIELD: &str = "*";

/// Reads a form, staging its files as they stream in. Files stand in `field`; where no file has that name and exactly one came
/// under another, that is it.
pub(crate) async fn receive<B: Buf>(
    service: &Service,
    headers: &HeaderMap,
    field: &str,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<Form, Failure> {
    let form = receive_any(service, headers, FileField::named(field), body).await?;
    if form.files.is_empty() {
        Err(Refusal::NoFile.into())
    } else {
        Ok(form)
    }
}

/// The field of a form's files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileField<'a> {
    pub(crate) name: &'a str,
    /// Whether a file there may be base64 text, and the form one of `application/x-www-form-urlencoded`.
    pub(crate) may_be_text: bool,
}

impl<'a> FileField<'a> {
    pub(crate) const fn named(name: &'a str) -> Self {
        Self {
            name,
            may_be_text: false,
        }
    }
}

/// The same of a form that may hold no file.
pub(crate) async fn receive_any<B: Buf>(
    service: &Service,
    headers: &HeaderMap,
    wanted: FileField<'_>,
    body: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
) -> Result<Form, Failure> {
    let field = wanted.name;
    if wanted.may_be_text && is_urlencoded(headers) {
        return urlencoded::receive(service, field, body).await;
    }
    let boundary = read_boundary(headers)?;
    let budget = Budget::new();
    let mut form = Multipart::new(guard(body, budget.clone()), boundary);
    let (mut files, mut fields) = (Vec::new(), HashMap::new());
    loop {
        budget.leave_field();
        let Some(part) = form
            .next_field()
            .await
            .map_err(|error| Failure::of_form(&error))?
        else {
            break;
        };
        budget.enter_field();
        let name = part.name().unwrap_or_default().to_owned();
        if part.file_name().is_some() || name == field {
            if files.len() == service.limits().files {
                return Err(Refusal::TooManyFiles {
                    limit: service.limits().files,
                }
                .into());
            }
            let coding = Coding::of_file(wanted.may_be_text);
            files.push((name, receive_file(service, part, coding).await?));
        } else {
            if fields.len() == MOST_FIELDS {
                return Err(Refusal::MalformedMultipart(format!("more than {MOST_FIELDS} fields")).into());
            }
            fields.insert(name, receive_text(part).await?);
        }
    }
    let files = choose(files, field);
    Ok(Form {
        files,
        fields,
        validation: service.validation(),
    })
}

/// The files that stand in `field`, or the only one there is.
fn choose(files: Vec<(String, ReceivedFile)>, field: &str) -> Vec<ReceivedFile> {
    let alone = files.len() == 1 || field == ANY_FIELD;
    // PHP clients write `file[]` for a field that repeats.
    let is_ours = |name: &str| name == field || name.strip_suffix("[]") == Some(field);
    files
        .into_iter()
        .filter(|(name, _)| alone || is_ours(name))
        .map(|(_, file)| file)
        .collect()
}

fn is_urlencoded(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type
        .and_then(|text| text.split(';').next())
        .unwrap_or_default();
    essence
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The boundary of a form; an error when this is none.
pub(crate) fn read_boundary(headers: &HeaderMap) -> Result<String, Refusal> {
    let malformed = |reason: &str| Refusal::MalformedMultipart(reason.to_owned());
    let content_type = headers
        .get(CONTENT_TYPE)
        .ok_or_else(|| malformed("the request has no Content-Type"))?;
    let content_type = content_type
        .to_str()
        .map_err(|_| malformed("Content-Type is no text"))?;
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(&error.to_string()))?;
    if boundary.len() > LONGEST_BOUNDARY {
        return Err(malformed("the boundary is longer than 70 characters"));
    }
    Ok(boundary)
}

async fn receive_file(
    service: &Service,
    mut part: Field<'_>,
    coding: Coding,
) -> Result<ReceivedFile, Failure> {
    let name = FileName::clean(part.file_name().unwrap_or_default(), "image");
    let mut file = Receiving::new(service, coding)?;
    loop {
        match part.chunk().await {
            Ok(Some(piece)) => file.take(piece, service.limits()).await?,
            Ok(None) => break,
            Err(error) => {
                file.discard().await;
                return Err(Failure::of_form(&error));
            }
        }
    }
    let staged = file.finish(service.limits()).await?;
    Ok(ReceivedFile { name, staged })
}

/// A file of a form, from its first byte to its last: while it is welcome, and, once it is refused, as far as it is read on.
pub(super) struct Receiving {
    arriving: Option<Result<Arriving, Refusal>>,
    coding: Coding,
    read_past: usize,
}

impl Receiving {
    pub(super) fn new(service: &Service, coding: Coding) -> Result<Self, Failure> {
        Ok(Self {
            arriving: Some(Ok(Arriving::new(service)?)),
            coding,
            read_past: 0,
        })
    }

    /// Takes the next bytes as they were sent.
    pub(super) async fn take(&mut self, piece: Bytes, limits: &UploadLimits) -> Result<(), Failure> {
        let sent = piece.len();
        match self.arriving.take() {
            Some(Ok(arriving)) => {
                let piece = self.coding.decode(piece);
                self.arriving = Some(give(arriving, piece, limits).await?);
            }
            Some(Err(refusal)) => {
                self.read_past += sent;
                if self.read_past > OVERRUN_BYTES {
                    return Err(refusal.into());
                }
                self.arriving = Some(Err(refusal));
            }
            None => {}
        }
        Ok(())
    }

    pub(super) async fn discard(self) {
        if let Some(Ok(arriving)) = self.arriving {
            arriving.discard().await;
        }
    }

    /// Ends it. The outer error is a failure of ours.
    pub(super) async fn finish(mut self, limits: &UploadLimits) -> Result<Result<Staged, Failure>, Failure> {
        let arriving = match self.arriving {
            Some(Ok(arriving)) => give(arriving, self.coding.end(), limits).await?,
            Some(Err(refusal)) => Err(refusal),
            None => Err(Refusal::Unreadable),
        };
        match arriving {
            Ok(arriving) => arriving.finish().await,
            Err(refusal) => Ok(Err(refusal.into())),
        }
    }
}

/// Gives a file its next bytes, unless they can't be read.
async fn give(
    arriving: Arriving,
    piece: Result<Bytes, Refusal>,
    limits: &UploadLimits,
) -> Result<Result<Arriving, Refusal>, Failure> {
    match piece {
        Ok(piece) if piece.is_empty() => Ok(Ok(arriving)),
        Ok(piece) => arriving.take(piece, limits).await,
        Err(refusal) => {
            arriving.discard().await;
            Ok(Err(refusal))
        }
    }
}

/// A file that is still welcome. Once it is refused this value is gone, and with it what was staged.
pub(super) struct Arriving {
    staging: Staging,
    /// The first bytes, until there are enough to tell the type.
    head: Vec<u8>,
    bytes: u64,
}

impl Arriving {
    pub(super) fn new(service: &Service) -> Result<Self, Failure> {
        Ok(Self {
            staging: service.writer().stage()?,
            head: Vec::new(),
            bytes: 0,
        })
    }

    pub(super) async fn discard(self) {
        self.staging.discard().await;
    }

    /// Ends it. The outer error is a failure of ours.
    pub(super) async fn finish(self) -> Result<Result<Staged, Failure>, Failure> {
        if self.bytes == 0 {
            self.staging.discard().await;
            return Ok(Err(Refusal::EmptyFile.into()));
        }
        Ok(Ok(self.staging.finish().await?))
    }

    /// Takes the next bytes, and judges type and size as soon as they can be told. The outer error is a failure of ours.
    pub(super) async fn take(
        mut self,
        piece: Bytes,
        limits: &UploadLimits,
    ) -> Result<Result<Self, Refusal>, Failure> {
        self.bytes += piece.len() as u64;
        if self.head.len() < imaging::SNIFF_BYTES {
            self.head
                .extend_from_slice(&piece[..piece.len().min(imaging::SNIFF_BYTES)]);
        }
        let judged = if self.head.len() < imaging::SNIFF_BYTES {
            Ok(limits.bytes_for_any())
        } else {
            let media_type = imaging::sniff(&self.head).ok_or(Refusal::TypeNotAllowed);
            media_type.and_then(|known| limits.check_type(known).map(|()| limits.bytes_for(known)))
        };
        let refusal = match judged {
            Err(refusal) => Some(refusal),
            Ok(limit) => (self.bytes > limit).then_some(Refusal::FileTooLarge { limit }),
        };
        if let Some(refusal) = refusal {
            self.staging.discard().await;
            return Ok(Err(refusal));
        }
        self.staging.write(piece).await;
        if self.staging.has_failed() {
            // The disk has failed; finishing tells why.
            self.staging.finish().await?;
            return Ok(Err(Refusal::Unreadable));
        }
        Ok(Ok(self))
    }
}

async fn receive_text(mut part: Field<'_>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|error| Failure::of_form(&error))? {
        if bytes.len() + piece.len() > LONGEST_FIELD_BYTES {
            let reason = format!("a field of text is longer than {LONGEST_FIELD_BYTES} bytes");
            return Err(Refusal::MalformedMultipart(reason).into());
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes)
        .map_err(|_| Refusal::MalformedMultipart("a field of text is not UTF-8".to_owned()).into())
}
