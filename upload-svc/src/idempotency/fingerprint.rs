//! What a request's URL and body are known by, computed while the body goes by.

use bytes::Bytes;
use domain::Sha256;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use multer::Multipart;
use sha2::{Digest as _, Sha256 as Hasher};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    identity::TOKEN_PARAMETERS,
    intake::{Budget, guard, read_boundary},
    routes::{Asked, Body},
};

/// Pieces of a body that may wait to be hashed before its reader is made to wait.
const PIECES_IN_FLIGHT: usize = 4;

enum Piece {
    Bytes(Bytes),
    /// The body has ended as it should.
    End,
}

/// Gives the body back to be read, and the fingerprint of what is read of it: none when it was not read to its end, or is no
/// form although it says so. Nothing of it is kept.
///
/// A form is known by its fields and the digests of its files: the boundary, which clients draw anew for each try, is no part of it.
pub(super) fn watch(asked: &Asked, body: Body) -> (Body, JoinHandle<Option<Sha256>>) {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    let mut hasher = Hasher::new();
    add_url(&mut hasher, asked);
    let form = read_boundary(&asked.headers).ok();
    let essence = essence(asked);
    let hashing = tokio::spawn(async move {
        match form {
            Some(boundary) => hash_form(hasher, boundary, receiver).await,
            None => hash_bytes(hasher, &essence, receiver).await,
        }
    });
    (tee(body, sender), hashing)
}

/// Credentials in the query are no part of the request: the next try may show another token of the account.
fn add_url(hasher: &mut Hasher, asked: &Asked) {
    add(hasher, asked.method.as_str().as_bytes());
    add(hasher, asked.path.as_bytes());
    for (name, value) in url::form_urlencoded::parse(asked.query.as_bytes()) {
        if !TOKEN_PARAMETERS.contains(&name.as_ref()) {
            add(hasher, name.as_bytes());
            add(hasher, value.as_bytes());
        }
    }
}

/// The type of the body, without its parameters: a form and a JSON of the same bytes are two things.
fn essence(asked: &Asked) -> String {
    let value = asked
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Adds a piece and how long it is, so that no two lists of pieces come out the same.
fn add(hasher: &mut Hasher, piece: &[u8]) {
    hasher.update((piece.len() as u64).to_be_bytes());
    hasher.update(piece);
}

fn tee(body: Body, sender: mpsc::Sender<Piece>) -> Body {
    let pieces = stream::unfold((body, sender), async |(mut body, sender)| {
        // Who hashes has gone when the form is broken or over; the reader goes on.
        match body.next().await {
            Some(Ok(piece)) => {
                let _gone = sender.send(Piece::Bytes(piece.clone())).await;
                Some((Ok(piece), (body, sender)))
            }
            Some(Err(error)) => Some((Err(error), (body, sender))),
            None => {
                let _gone = sender.send(Piece::End).await;
                None
            }
        }
    });
    Box::pin(pieces.fuse())
}

async fn hash_bytes(mut hasher: Hasher, essence: &str, mut pieces: mpsc::Receiver<Piece>) -> Option<Sha256> {
    add(&mut hasher, b"bytes");
    add(&mut hasher, essence.as_bytes());
    loop {
        match pieces.recv().await? {
            Piece::Bytes(bytes) => hasher.update(&bytes),
            Piece::End => return Some(Sha256(hasher.finalize().into())),
        }
    }
}

async fn hash_form(mut hasher: Hasher, boundary: String, pieces: mpsc::Receiver<Piece>) -> Option<Sha256> {
    add(&mut hasher, b"form");
    let budget = Budget::new();
    let mut form = Multipart::new(guard(until_end(pieces), budget.clone()), boundary);
    loop {
        budget.leave_field();
        let Some(mut part) = form.next_field().await.ok()? else {
            return Some(Sha256(hasher.finalize().into()));
        };
        budget.enter_field();
        add(&mut hasher, part.name().unwrap_or_default().as_bytes());
        add(&mut hasher, part.file_name().unwrap_or_default().as_bytes());
        let mut content = Hasher::new();
        while let Some(piece) = part.chunk().await.ok()? {
            content.update(&piece);
        }
        hasher.update(content.finalize());
    }
}

fn until_end(
    pieces: mpsc::Receiver<Piece>,
) -> impl Stream<Item = Result<Bytes, warp::Error>> + Send + 'static {
    stream::unfold(pieces, async |mut pieces| match pieces.recv().await? {
        Piece::Bytes(bytes) => Some((Ok(bytes), pieces)),
        Piece::End => None,
    })
    .fuse()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};
    use http_kit::ClientAddress;

    use super::*;

    fn asked(content_type: &str, query: &str) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        Asked {
            method: Method::POST,
            path: "/v1/images".to_owned(),
            headers,
            query: query.to_owned(),
            client: ClientAddress([127, 0, 0, 1].into()),
            caller: None,
            allowances: http_kit::Allowances::default(),
        }
    }

    /// The fingerprint of a body that comes in pieces of `size` bytes and of which `read` pieces are read.
    async fn fingerprint(asked: &Asked, body: &str, size: usize, read: usize) -> Option<Sha256> {
        let pieces: Vec<Result<Bytes, warp::Error>> = body
            .as_bytes()
            .chunks(size)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let (mut body, hashing) = watch(asked, Box::pin(stream::iter(pieces)));
        for _ in 0..read {
            body.next().await;
        }
        drop(body);
        hashing.await.unwrap()
    }

    fn form(boundary: &str, file: &str, name: &str) -> String {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"album\"\r\n\r\n7\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{file}\r\n--{boundary}--\r\n"
        )
    }

    #[tokio::test]
    async fn a_form_is_known_by_what_is_in_it_and_not_by_its_boundary_or_its_pieces() {
        let multipart = |boundary: &str| asked(&format!("multipart/form-data; boundary={boundary}"), "");
        let known = fingerprint(&multipart("abc"), &form("abc", "bytes", "a.png"), 7, 1_000).await;
        assert!(known.is_some());
        for (boundary, file, name, same) in [
            ("abc", "bytes", "a.png", true),
            ("other", "bytes", "a.png", true),
            ("abc", "Bytes", "a.png", false),
            ("abc", "bytes", "b.png", false),
        ] {
            let other = fingerprint(&multipart(boundary), &form(boundary, file, name), 1_000, 1_000).await;
            assert_eq!(other == known, same, "{boundary} {file} {name}");
        }
        assert_eq!(
            fingerprint(&multipart("abc"), &form("abc", "bytes", "a.png"), 7, 3).await,
            None
        );
        assert_eq!(fingerprint(&multipart("abc"), "no form", 7, 1_000).await, None);
    }

    #[tokio::test]
    async fn another_body_is_known_by_its_bytes_its_type_and_its_url() {
        let json = "application/json";
        let known = fingerprint(&asked(json, "key=a"), "{}", 1, 3).await;
        assert!(known.is_some());
        for (content_type, query, body, same) in [
            ("application/json; charset=utf-8", "key=b", "{}", true),
            ("text/plain", "", "{}", false),
            (json, "", "{ }", false),
            (json, "all=1", "{}", false),
        ] {
            let other = fingerprint(&asked(content_type, query), body, 9, 2).await;
            assert_eq!(other == known, same, "{content_type} {query} {body}");
        }
        assert_eq!(
            fingerprint(&asked(json, ""), "{}", 1, 2).await,
            None,
            "its end was not seen"
        );
    }
}
