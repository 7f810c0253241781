use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    chunks::{self, Part},
    digest::Digests,
    form::Form,
    kept::Kept,
    pieces,
    progress::{FileBar, Progress},
};
use crate::client::{
    api::{Api, Ask},
    image::Image,
    problem::ApiError,
    session::Session,
};

/// A file that is to be there, and what is said of it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
    pub(crate) options: Options,
}

/// What is said of an image when it is uploaded; what is absent is as the berth decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Options {
    /// The file's name as it is shown.
    pub(crate) name: String,
    pub(crate) album: Option<i64>,
    pub(crate) description: Option<String>,
    /// Such as `90s`, `7d`, or `0` for ever.
    pub(crate) expires_in: Option<String>,
    /// Whether that is what is left until a moment that was said, and less of it at each run.
    #[serde(skip)]
    pub(crate) ends_at_a_moment: bool,
    pub(crate) visibility: Option<String>,
    pub(crate) scrub: Option<String>,
}

impl Options {
    /// As fields of a form, and names of `Upload-Metadata`.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let optional = [
            ("album", self.album.map(|album| album.to_string())),
            ("description", self.description.clone()),
            ("expires_in", self.expires_in.clone()),
            ("visibility", self.visibility.clone()),
            ("scrub", self.scrub.clone()),
        ];
        let said = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        [("name", self.name.clone())].into_iter().chain(said).collect()
    }
}

/// What became of a file.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) image: Image,
    /// The image as the berth wrote it.
    pub(crate) json: Value,
    /// Whether its bytes had to be sent; else they were known to be there.
    pub(crate) travelled: bool,
}

impl Sent {
    pub(super) fn read(json: Value, travelled: bool, api: &Api) -> Result<Self, ApiError> {
        let image = serde_json::from_value(json.clone()).map_err(|error| ApiError::Strange {
            url: api.url().to_owned(),
            why: error.to_string(),
        })?;
        Ok(Self {
            image,
            json,
            travelled,
        })
    }
}

/// A larger file goes in pieces, which go on after a cut.
pub(super) const PIECE: u64 = 8 << 20;

/// Sends files to one berth.
pub(crate) struct Sender<'a> {
    pub(super) api: &'a Api,
    pub(super) session: &'a Session,
    /// Where it is written down how far large files have come.
    pub(super) kept: Kept,
    pub(super) now: Timestamp,
    pub(super) progress: &'a Progress,
}

#[derive(Deserialize)]
struct Known {
    images: Vec<Value>,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        api: &'a Api,
        session: &'a Session,
        state: Option<PathBuf>,
        now: Timestamp,
        progress: &'a Progress,
    ) -> Self {
        Self {
            api,
            session,
            kept: Kept::new(state),
            now,
            progress,
        }
    }

    /// Sees to it that a file is there: asks whether it is, sends it if not.
    pub(crate) async fn send(&self, item: &Item) -> Result<Sent, ApiError> {
        let bar = Arc::new(self.progress.file(&item.options.name, item.size_bytes));
        let outcome = self.hash_and_send(item, &bar).await;
        // Whatever became of it, it is behind us: the bar of all files ends at its end.
        bar.whole();
        outcome
    }

    async fn hash_and_send(&self, item: &Item, bar: &Arc<FileBar>) -> Result<Sent, ApiError> {
        let here = |error: std::io::Error| ApiError::Here(error.to_string());
        let digests = Digests::of(&item.path).await.map_err(here)?;
        if let Some(json) = self.find(&digests, item).await? {
            return Sent::read(json, false, self.api);
        }
        if digests.size_bytes > PIECE {
            return pieces::send(self, item, &digests, bar).await;
        }
        self.send_whole(item, &digests, bar).await
    }

    /// The image of these bytes that is there already and lives long enough.
    ///
    /// By SHA-256, not by MD5: of two files with one MD5 the other's link would be given.
    async fn find(&self, digests: &Digests, item: &Item) -> Result<Option<Value>, ApiError> {
        if !self.session.may("read") {
            return Ok(None);
        }
        let known: Known = self
            .api
            .json(Ask::get(format!("/v1/images/exists?sha256={}", digests.sha256)))
            .await?;
        let lives = |json: &Value| {
            let image: Option<Image> = serde_json::from_value(json.clone()).ok();
            image.is_some_and(|image| self.lives_long_enough(&image, item))
        };
        Ok(known.images.into_iter().find(lives))
    }

    /// Whether an image lives about as long as an upload of its bytes would ask: else they are sent, which extends its life. An upload
    /// that does not say is content with half of what the berth would give, or the same folder sent each day would travel each day.
    fn lives_long_enough(&self, image: &Image, item: &Item) -> bool {
        let Some(ends) = image.expires() else {
            return true;
        };
        let said = item.options.expires_in.as_deref();
        let wanted = match said.map(domain::parse_duration) {
            Some(Ok(wanted)) => wanted.as_secs(),
            // The berth says what is wrong with it.
            Some(Err(_)) => return false,
            None => self.session.uploads.lifetime_seconds / 2,
        };
        let asks_for_ever = match said {
            Some(_) => wanted == 0,
            None => self.session.uploads.lifetime_seconds == 0,
        };
        let left = u64::try_from(ends.duration_since(self.now).as_secs()).unwrap_or(0);
        // A minute is nothing to send a file again for.
        !asks_for_ever && left.saturating_add(60) >= wanted
    }

    async fn send_whole(&self, item: &Item, digests: &Digests, bar: &Arc<FileBar>) -> Result<Sent, ApiError> {
        let form = Form::new(&item.options, &digests.sha256, process::random());
        let part = Part {
            path: item.path.clone(),
            from: 0,
            length: digests.size_bytes,
        };
        let (head, tail) = (Bytes::from(form.head), Bytes::from(form.tail));
        let length = head.len() as u64 + part.length + tail.len() as u64;
        let ask = Ask::new(Method::POST, "/v1/images")
            .header(http::header::CONTENT_TYPE, &form.content_type)
            .once()
            .stream(length, move |pulse| {
                chunks::read(head.clone(), part.clone(), tail.clone(), Arc::clone(bar), pulse)
            });
        let answer: Known = self.api.json(ask).await?;
        match answer.images.into_iter().next() {
            Some(json) => Sent::read(json, true, self.api),
            None => Err(self.strange("its answer names no image")),
        }
    }

    pub(super) fn strange(&self, why: &str) -> ApiError {
        ApiError::Strange {
            url: self.api.url().to_owned(),
            why: why.to_owned(),
        }
    }
}
