//! `Idempotency-Key`: a POST that is sent again is answered again, and done once.
//!
//! The first try claims the key, does the request and leaves its answer, sealed, with a fingerprint of URL and body. Whoever comes
//! with the key meanwhile is told to wait; whoever comes later with the same request gets that answer, and with another one a
//! refusal. The claim of a process that died ends by itself within [`LEASE`].
//!
//! An answer is kept only if the body was read to its end: what was refused before (a credential, a quota) has changed nothing and is
//! judged anew.

mod fingerprint;
mod kept;

use std::time::Duration;

use bytes::Bytes;
use catalog::{Claimed, IdempotencyClaim, IdempotencyKey, KeptAnswer};
use domain::{RepeatRefusal, Sha256};
use futures_util::StreamExt as _;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use http_kit::{BodyFault, Language, body_fault};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256 as Hasher};
use warp::{Reply as _, reply::Response};

use self::kept::Kept;
use crate::{
    Service,
    identity::authenticate_any,
    problem::Failure,
    routes::{Asked, Body, answer, finish},
};

const HEADER: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;
/// How long a claim is believed without a sign of life.
const LEASE: Duration = Duration::from_mins(1);
/// Between two signs of life: some may be lost.
const RENEWAL: Duration = Duration::from_secs(15);
/// When whoever came second may ask again.
const WAIT: Duration = Duration::from_secs(1);
/// The name of answers that no handler gave, in metrics and the access log.
const ROUTE: &str = "POST with Idempotency-Key";

/// Does a POST, or gives the answer that it had. Without the header it is simply done.
pub(crate) async fn once<F, R>(service: Service, mut asked: Asked, body: Body, run: F) -> Response
where
    F: FnOnce(Service, Asked, Body) -> R + Send + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    if !asked.headers.contains_key(HEADER) {
        return run(service, asked, body).await;
    }
    let language = Language::of(&asked.headers);
    let outcome = async {
        let caller = authenticate_any(&service, &asked).await?;
        let key = read_key(&asked.headers)?;
        let (account_id, album_id) = (caller.account_id(), caller.album_id());
        asked.caller = Some(caller);
        once_of(service, asked, body, (key, account_id, album_id), run).await
    };
    match outcome.await {
        Ok(response) => response,
        Err(failure) => answer(ROUTE, language, Err(failure)),
    }
}

/// The same with the key of an account whose request it is for certain, and of the album that the credential is bound to.
pub(crate) async fn once_of<F, R>(
    service: Service,
    asked: Asked,
    body: Body,
    (key, account_id, album_id): (String, i64, Option<i64>),
    run: F,
) -> Result<Response, Failure>
where
    F: FnOnce(Service, Asked, Body) -> R + Send + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let claim = IdempotencyClaim {
        key: IdempotencyKey {
            account_id,
            hash: hash_of(&key, album_id),
        },
        holder: process::random(),
    };
    let now = service.now();
    let expires_at = later(now, service.answers_kept());
    let (catalog, until) = (service.catalog(), later(now, LEASE));
    match catalog::claim_request(catalog, &claim, until, expires_at, now).await? {
        Claimed::UnderWay => Err(RepeatRefusal::UnderWay { wait: WAIT }.into()),
        Claimed::Answered(answer) => replay(&service, &asked, body, &key, answer).await,
        Claimed::Ours => {
            // A task of its own: a client that goes away now comes back for the answer.
            let doing = perform(service.clone(), asked, body, key, claim, run);
            Ok(tokio::spawn(doing).await?)
        }
    }
}

/// SECURITY: a token that is bound to an album has keys of its own: no answer that another credential got is given to it.
fn hash_of(key: &str, album_id: Option<i64>) -> Sha256 {
    let mut hasher = Hasher::new_with_prefix(key);
    if let Some(album) = album_id {
        // No key has this character in it.
        hasher.update(format!("\0{album}"));
    }
    Sha256(hasher.finalize().into())
}

/// The key of a request, where it has one.
pub(crate) fn key_of(headers: &HeaderMap) -> Result<Option<String>, RepeatRefusal> {
    let is_there = headers.contains_key(HEADER);
    is_there.then(|| read_key(headers)).transpose()
}

fn read_key(headers: &HeaderMap) -> Result<String, RepeatRefusal> {
    let mut values = headers.get_all(HEADER).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(RepeatRefusal::InvalidKey);
    };
    let key = value.to_str().map_err(|_| RepeatRefusal::InvalidKey)?;
    let is_printable = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if key.is_empty() || key.len() > LONGEST_KEY || !is_printable {
        return Err(RepeatRefusal::InvalidKey);
    }
    Ok(key.to_owned())
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Gives a kept answer again, if this is the request that it answered.
async fn replay(
    service: &Service,
    asked: &Asked,
    body: Body,
    key: &str,
    answer: KeptAnswer,
) -> Result<Response, Failure> {
    let (mut body, hashing) = fingerprint::watch(asked, body);
    while let Some(piece) = body.next().await {
        piece.map_err(|error| Failure::Body(body_fault(&error).unwrap_or(BodyFault::Disconnected)))?;
    }
    drop(body);
    let seal = service.identity().answer_seal();
    let fingerprint = hashing.await?.ok_or(RepeatRefusal::KeyReused)?;
    if !seal.is_mark_of(key, &fingerprint, &answer.fingerprint) {
        return Err(RepeatRefusal::KeyReused.into());
    }
    let opened = seal.open(key, &answer.fingerprint.0, &answer.sealed);
    let kept = opened.and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
    let response = kept.and_then(Kept::response).ok_or(RepeatRefusal::AnswerLost)?;
    Ok(finish(ROUTE, response))
}

/// Does the request, and keeps its answer.
async fn perform<F, R>(
    service: Service,
    asked: Asked,
    body: Body,
    key: String,
    claim: IdempotencyClaim,
    run: F,
) -> Response
where
    F: FnOnce(Service, Asked, Body) -> R,
    R: Future<Output = Response>,
{
    let (body, hashing) = fingerprint::watch(&asked, body);
    let response = tokio::select! {
        response = run(service.clone(), asked, body) => response,
        never = keep_claim(&service, &claim) => match never {},
    };
    let (head, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // INVARIANT: the answers of the native API are in memory.
        Err(_) => Bytes::new(),
    };
    let fingerprint = hashing.await.ok().flatten();
    let answer = fingerprint.and_then(|fingerprint| {
        let seal = service.identity().answer_seal();
        let kept = serde_json::to_vec(&Kept::of(&head, &body)?).ok()?;
        let fingerprint = seal.mark(&key, &fingerprint)?;
        let sealed = seal.seal(&key, &fingerprint.0, &kept)?;
        Some(KeptAnswer { fingerprint, sealed })
    });
    let settled = match &answer {
        Some(answer) => catalog::keep_answer(service.catalog(), &claim, answer).await,
        None => catalog::release_claim(service.catalog(), &claim).await,
    };
    if let Err(error) = settled {
        // The claim ends by itself; a request that comes again after that is done again.
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "the answer of a request with an Idempotency-Key was not kept"
        );
    }
    http::Response::from_parts(head, body).into_response()
}

/// Shows that the request is under way, for as long as it is polled.
async fn keep_claim(service: &Service, claim: &IdempotencyClaim) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let until = later(service.now(), LEASE);
        if let Err(error) = catalog::renew_claim(service.catalog(), claim, until).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the claim of an Idempotency-Key was not renewed");
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_1_to_255_printable_characters() {
        let longest = "x".repeat(LONGEST_KEY);
        for (keys, good) in [
            (vec!["a"], true),
            (vec!["9b2e 7c~\"!"], true),
            (vec![longest.as_str()], true),
            (vec![&*format!("{longest}x")], false),
            (vec![""], false),
            (vec!["a\tb"], false),
            (vec!["a", "b"], false),
        ] {
            let mut headers = HeaderMap::new();
            for key in &keys {
                headers.append(HEADER, HeaderValue::from_str(key).unwrap());
            }
            assert_eq!(read_key(&headers).is_ok(), good, "{keys:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes("键".as_bytes()).unwrap());
        assert_eq!(read_key(&headers), Err(RepeatRefusal::InvalidKey));
    }
}
