//! Large files by tus 1.0.0, in pieces: after a cut the berth says how far they have come.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderName, Method, header};
use serde::Deserialize;
use serde_json::Value;

use super::{
    chunks::{self, Part},
    digest::Digests,
    kept::Which,
    progress::FileBar,
    send::{Item, PIECE, Sender, Sent},
};
use crate::client::{
    api::{Answer, Ask},
    problem::{ApiError, wait_before},
};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");

/// Cuts in a row between which not a byte more has arrived.
const IDLE_CUTS: u32 = 9;

#[derive(Deserialize)]
struct Described {
    image: Option<Value>,
}

/// Sends a file, from where an earlier try of this program or of one before it came to.
pub(super) async fn send(
    sender: &Sender<'_>,
    item: &Item,
    digests: &Digests,
    bar: &Arc<FileBar>,
) -> Result<Sent, ApiError> {
    let mut options = item.options.clone();
    if options.ends_at_a_moment {
        // What is left until then is another span at each run.
        options.expires_in = None;
    }
    let which = Which {
        url: sender.api.url(),
        account: &sender.session.account.username,
        sha256: &digests.sha256,
        options: &options,
    };
    let mut begun = sender.kept.find(&which);
    loop {
        let (path, mut offset) = match begun.take() {
            Some(path) => match position(sender, &path).await {
                Ok(offset) => (path, offset),
                Err(error) if matches!(error.status(), Some(404 | 410)) => {
                    sender.kept.forget(&which);
                    continue;
                }
                Err(error) => return Err(error),
            },
            None => (create(sender, item, digests).await?, 0),
        };
        sender.kept.keep(&which, &path);
        match go_on(sender, item, digests, bar, (&path, &mut offset)).await {
            Ok(()) => {
                let sent = describe(sender, &path).await;
                sender.kept.forget(&which);
                return sent;
            }
            Err(error) => {
                // What the berth will never take is dropped there, too; what failed on the way goes on the next time.
                if error
                    .status()
                    .is_some_and(|status| (400..500).contains(&status) && !matches!(status, 401 | 403))
                {
                    sender.kept.forget(&which);
                }
                return Err(error);
            }
        }
    }
}

async fn create(sender: &Sender<'_>, item: &Item, digests: &Digests) -> Result<String, ApiError> {
    let options = item.options.fields();
    let more = [
        ("filename", item.options.name.clone()),
        ("checksum", format!("sha256={}", digests.sha256)),
    ];
    let metadata: Vec<String> = options
        .into_iter()
        .chain(more)
        .map(|(name, value)| format!("{name} {}", BASE64_STANDARD.encode(value)))
        .collect();
    let ask = Ask::new(Method::POST, "/v1/uploads")
        .header(RESUMABLE, "1.0.0")
        .header(LENGTH, &digests.size_bytes.to_string())
        .header(METADATA, &metadata.join(","))
        .once();
    let answer = sender.api.ask(ask).await?;
    let place = answer.text("location").unwrap_or_default();
    // A path, or a URL of the same berth.
    let path = place.find("/v1/uploads/").map(|at| place[at..].to_owned());
    path.ok_or_else(|| sender.strange("it begins no upload"))
}

async fn position(sender: &Sender<'_>, path: &str) -> Result<u64, ApiError> {
    let ask = Ask::new(Method::HEAD, path).header(RESUMABLE, "1.0.0");
    let answer = sender.api.ask(ask).await?;
    offset_of(&answer).ok_or_else(|| sender.strange("it does not say how far the upload is"))
}

fn offset_of(answer: &Answer) -> Option<u64> {
    answer.text("upload-offset")?.parse().ok()
}

/// Sends piece after piece. After a cut, or when the berth was away, it asks how far it is and goes on from there.
async fn go_on(
    sender: &Sender<'_>,
    item: &Item,
    digests: &Digests,
    bar: &Arc<FileBar>,
    (path, offset): (&str, &mut u64),
) -> Result<(), ApiError> {
    let mut cuts = 0;
    while *offset < digests.size_bytes {
        let part = Part {
            path: item.path.clone(),
            from: *offset,
            length: PIECE.min(digests.size_bytes - *offset),
        };
        let ask = Ask::new(Method::PATCH, path)
            .header(RESUMABLE, "1.0.0")
            .header(OFFSET, &offset.to_string())
            .header(header::CONTENT_TYPE, "application/offset+octet-stream")
            .no_retry()
            .stream(part.length, move |pulse| {
                chunks::read(Bytes::new(), part.clone(), Bytes::new(), Arc::clone(bar), pulse)
            });
        let before = *offset;
        match sender.api.ask(ask).await {
            Ok(answer) => {
                *offset = offset_of(&answer)
                    .ok_or_else(|| sender.strange("it does not say how far the upload is"))?;
            }
            // 409: somebody else wrote meanwhile, or an answer was lost.
            Err(error) if error.passes() || error.status() == Some(409) => {
                let [chance] = process::random();
                let wait = wait_before(cuts, None, chance).unwrap_or_default();
                tokio::time::sleep(wait).await;
                *offset = position(sender, path).await?;
                if *offset <= before && cuts >= IDLE_CUTS {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        cuts = if *offset > before { 0 } else { cuts + 1 };
    }
    Ok(())
}

/// The image that came of it.
async fn describe(sender: &Sender<'_>, path: &str) -> Result<Sent, ApiError> {
    let described: Described = sender.api.json(Ask::get(path)).await?;
    match described.image {
        Some(json) => Sent::read(json, true, sender.api),
        None => Err(sender.strange("no image came of the upload")),
    }
}
