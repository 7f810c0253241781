//! One file, from wherever it can be had: a hard link into the store, a copy of it, or its bytes by HTTP.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use blobs::{BlobReader, Lent};
use domain::{BlobKey, MediaType};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::client::{
    api::{Api, Ask},
    image::Image,
    problem::{ApiError, Problem, wait_before},
    upload::{digest::Digests, progress::FileBar},
};

/// Where files come from and are put together.
pub(super) struct Fetcher<'a> {
    pub(super) api: &'a Api,
    /// The berth's own store, where an operator may read it.
    pub(super) store: Option<BlobReader>,
    /// Where files are until they are whole.
    pub(super) partial: PathBuf,
}

/// How a file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Another name of the store's own file: it costs no space, and must not be written into.
    Linked,
    /// Bytes of its own.
    Copied,
}

/// A program that says so is counted apart from readers, and keeps nothing alive that nobody else looks at.
const AGENT: &str = concat!("berth/", env!("CARGO_PKG_VERSION"), " (export-bot)");
/// A download from which nothing has come for so long has broken off.
const SILENCE: Duration = Duration::from_mins(1);
/// Tries in a row that brought nothing more.
const TRIES: u32 = 8;

impl Fetcher<'_> {
    /// Puts an image's bytes at a path, whole, with their checksums compared.
    pub(super) async fn fetch(&self, image: &Image, target: &Path, bar: &FileBar) -> Result<Came, ApiError> {
        let at = |error: io::Error| ApiError::Here(format!("{}: {error}", target.display()));
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(at)?;
        }
        fs::create_dir_all(&self.partial).map_err(at)?;
        if let Some(came) = self.lend(image, target).await.map_err(at)? {
            return Ok(came);
        }
        let partial = self.partial.join(format!(
            "{}-{}",
            image.id,
            &image.sha256.get(..8).unwrap_or_default()
        ));
        self.download(image, &partial, bar).await?;
        settle(&partial, target, image.taken()).map_err(at)?;
        Ok(Came::Copied)
    }

    /// From the store. What it has under these keys and is not the image's is left there.
    async fn lend(&self, image: &Image, target: &Path) -> io::Result<Option<Came>> {
        let Some(store) = &self.store else { return Ok(None) };
        for key in keys(image) {
            let lent = self.partial.join(format!("{}-lent", image.id));
            let _ = fs::remove_file(&lent);
            // A store that can't be read is no reason to give up: the berth has the bytes as well.
            let Ok(Some(how)) = store.lend(&key, &lent) else {
                continue;
            };
            if Digests::of(&lent).await?.sha256 != image.sha256 {
                fs::remove_file(&lent)?;
                continue;
            }
            return match how {
                // Its times are the store's: they stay.
                Lent::Linked => fs::rename(&lent, target).map(|()| Some(Came::Linked)),
                Lent::Copied => settle(&lent, target, image.taken()).map(|()| Some(Came::Copied)),
            };
        }
        Ok(None)
    }

    /// Downloads, from where an earlier try came to.
    async fn download(&self, image: &Image, partial: &Path, bar: &FileBar) -> Result<(), ApiError> {
        let here = |error: io::Error| ApiError::Here(format!("{}: {error}", partial.display()));
        let mut urls = self.urls(image);
        let mut idle = 0;
        loop {
            let before = fs::metadata(partial).map_or(0, |file| file.len());
            let Some(url) = urls.first().cloned() else {
                return Err(ApiError::Here("no URL shows it".to_owned()));
            };
            let outcome = if before < image.size_bytes || before == 0 {
                self.go_on(&url, partial, before, bar).await
            } else {
                Ok(())
            };
            let length = fs::metadata(partial).map_or(0, |file| file.len());
            match outcome {
                Ok(()) if length >= image.size_bytes => {
                    let digests = Digests::of(partial).await.map_err(here)?;
                    if digests.sha256 == image.sha256 && (image.md5.is_empty() || digests.md5 == image.md5) {
                        return Ok(());
                    }
                    // A part of other bytes, from before they were replaced.
                    fs::remove_file(partial).map_err(here)?;
                    if before == 0 || idle >= TRIES {
                        return Err(ApiError::Here(
                            "what came is not what the berth says it is (SHA-256)".to_owned(),
                        ));
                    }
                }
                Err(error) if matches!(error.status(), Some(403 | 404 | 410)) => {
                    urls.remove(0);
                    if urls.is_empty() {
                        urls.extend(self.signed(image, &url).await?.filter(|signed| *signed != url));
                    }
                    if urls.is_empty() {
                        return Err(error);
                    }
                    continue;
                }
                Err(error) if !error.passes() => return Err(error),
                Err(error) if idle >= TRIES => return Err(error),
                Ok(()) | Err(_) => {}
            }
            idle = if length > before { 0 } else { idle + 1 };
            let [chance] = process::random();
            tokio::time::sleep(wait_before(idle, None, chance).unwrap_or_default()).await;
        }
    }

    /// Where its bytes may be had: at the berth that was logged in to, and at the URL that it gives to others.
    fn urls(&self, image: &Image) -> Vec<String> {
        let told = image.signed_url.as_deref().unwrap_or(&image.url);
        let mut urls: Vec<String> = self.at_our_berth(told).into_iter().collect();
        if !urls.iter().any(|url| url == told) {
            urls.push(told.to_owned());
        }
        urls
    }

    fn at_our_berth(&self, told: &str) -> Option<String> {
        let (ours, told) = (Url::parse(self.api.url()).ok()?, Url::parse(told).ok()?);
        Some(format!(
            "{}{}",
            &ours[..url::Position::BeforePath],
            &told[url::Position::BeforePath..]
        ))
    }

    /// A signed link, which opens what hotlink rules or its visibility keep from us. None where one was tried already.
    async fn signed(&self, image: &Image, tried: &str) -> Result<Option<String>, ApiError> {
        #[derive(Deserialize)]
        struct Link {
            url: String,
        }
        if tried.contains("&s=") {
            return Ok(None);
        }
        let ask = Ask::post(
            format!("/v1/images/{}/signed-links", image.id),
            &json!({ "expires_in": "6h" }),
        );
        let link: Link = self.api.json(ask).await?;
        Ok(self.at_our_berth(&link.url))
    }

    async fn go_on(&self, url: &str, partial: &Path, from: u64, bar: &FileBar) -> Result<(), ApiError> {
        let here = |error: io::Error| ApiError::Here(format!("{}: {error}", partial.display()));
        let broken = |why: String| ApiError::Unreachable {
            url: url.to_owned(),
            why,
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
        if from > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={from}-"))
        {
            headers.insert(header::RANGE, range);
        }
        let response = self.api.open(url, headers).await?;
        let (head, mut body) = response.into_parts();
        if !head.status.is_success() {
            return Err(ApiError::Refused(Problem::read(head.status, b"")));
        }
        let goes_on = head.status == StatusCode::PARTIAL_CONTENT;
        let mut options = File::options();
        let mut file = options
            .create(true)
            .write(true)
            .append(goes_on)
            .truncate(!goes_on)
            .open(partial)
            .map_err(here)?;
        bar.at(if goes_on { from } else { 0 });
        loop {
            let next = tokio::time::timeout(SILENCE, body.frame()).await;
            let Some(frame) = next.map_err(|_| broken("it fell silent".to_owned()))? else {
                return Ok(());
            };
            let frame = frame.map_err(|error| broken(error.to_string()))?;
            if let Ok(bytes) = frame.into_data() {
                file.write_all(&bytes).map_err(here)?;
                bar.inc(bytes.len() as u64);
            }
        }
    }
}

/// Where the store may have it: under its MD5, or with part of its SHA-256 where another file has that MD5.
fn keys(image: &Image) -> Vec<BlobKey> {
    let (Ok(md5), Ok(sha256), Ok(media_type)) = (
        image.md5.parse(),
        image.sha256.parse(),
        image.media_type.parse::<MediaType>(),
    ) else {
        return Vec::new();
    };
    vec![
        BlobKey::plain(md5, media_type),
        BlobKey::colliding(md5, sha256, media_type),
    ]
}

/// Puts a whole file in its place, dated as it was taken.
fn settle(partial: &Path, target: &Path, taken: Option<Timestamp>) -> io::Result<()> {
    let file = File::options().write(true).open(partial)?;
    if let Some(taken) = taken {
        file.set_modified(taken.into())?;
    }
    file.sync_all()?;
    fs::rename(partial, target)
}
