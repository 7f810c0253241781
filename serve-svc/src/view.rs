//! One view: find → judge → answer → count.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    ReferringSite, Visibility, counted_as,
    hotlink::{Decision, RefererHeaders},
    is_bot,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_kit::{Language, Problem};
use jiff::Timestamp;

use crate::{
    Delivery, Service,
    answer::{
        Answer,
        caching::{Audience, cache_control},
        nginx_agrees,
        range::ByteRange,
    },
    delivery::{Lost, Payload},
    embedding::referer_headers,
    headers::{keep_to_site, protect_new},
    placeholder,
    service::Parts,
    shelf::{Found, Shelved, Wanted},
    signed,
    variants::{self, Shown, WantedVariant},
};

const X_ACCEL_REDIRECT: HeaderName = HeaderName::from_static("x-accel-redirect");
/// When to ask again while the database, or the store, is away.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What a view is told about its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: Option<&'a str>,
    /// The size and format that the URL asks for.
    pub(crate) variant: Option<WantedVariant>,
    /// Whether what the URL carries opens the image while it is private.
    pub(crate) opens_private: bool,
}

/// Answers a view of what a URL names; nothing where it names nothing that could ever be an image.
pub(crate) async fn view(service: &Service, wanted: Option<Wanted>, asked: Asked<'_>) -> Response<Payload> {
    let parts = service.parts();
    let missing = |reason| {
        parts.figures.missing(reason);
        parts.missing.answer(asked.method, StatusCode::NOT_FOUND)
    };
    // Find.
    let Some(wanted) = wanted else {
        return missing("no_name");
    };
    let image = match parts.shelf.find(&wanted).await {
        Found::Image(image) => image,
        Found::Nothing => return missing("unknown"),
        Found::Away => {
            parts.figures.unavailable("database");
            return unavailable(asked.headers);
        }
    };
    // Judge: its state at this moment, then who asks.
    let now = parts.clock.now();
    if !image.is_live(now) {
        return missing("over");
    }
    let headers = referer_headers(asked.headers);
    let site = if image.embedding.policy.off && parts.tally.is_none() {
        ReferringSite::Unnamed // nobody asks
    } else {
        headers.site()
    };
    let judged = match judge(parts, &image, asked, (&site, headers), now) {
        Ok(judged) => judged,
        Err(Refused::Private) => {
            // Its owner may know who tries; whoever tries is told of nothing.
            count(parts, &image, asked, (403, None, 0), &site, now);
            return missing(if signed::claims(asked.query) {
                "signature"
            } else {
                "private"
            });
        }
        Err(Refused::Elsewhere(decision)) => {
            parts.figures.decided(&decision, false);
            count(parts, &image, asked, (403, None, 0), &site, now);
            return placeholder::refused(parts, asked.method, &image.embedding.policy.refusal.value);
        }
    };
    let cached = judged.cache_control(&image, now);
    // Answer, with the image or a variant of it.
    let (shown, outcome) = settle(parts, &image, asked).await;
    let Some(outcome) = outcome else {
        judged.note(parts);
        return drawn(&shown, asked.method, cached);
    };
    let own = Arc::clone(&shown.image);
    let (answer, payload) = match outcome {
        Ok(outcome) => outcome,
        Err(lost) => {
            let error = &lost as &dyn std::error::Error;
            if matches!(lost, Lost::Away(_)) {
                tracing::warn!(error, image = %image.public_id, "an image can't be shown now");
                parts.figures.unavailable("store");
                return unavailable(asked.headers);
            }
            // The janitor has told of those that it found.
            if !image.is_damaged {
                tracing::error!(error, image = %image.public_id, key = %image.key, "an image can't be shown");
            }
            parts.figures.blobs_missing.inc();
            return missing("bytes");
        }
    };
    judged.note(parts);
    // Count.
    count(parts, &own, asked, told(answer, own.size_bytes), &site, now);
    let mut response = respond(&own, asked.method, answer, payload, cached);
    shown.describe(&mut response);
    response
}

/// What is shown, and how it is answered; that is nothing where a drawn poster is shown.
async fn settle(
    parts: &Parts,
    image: &Arc<Shelved>,
    asked: Asked<'_>,
) -> (Shown, Option<Result<(Answer, Sent), Lost>>) {
    let shown = variants::choose(parts, Arc::clone(image), asked.variant, asked.headers).await;
    if shown.is_drawn() {
        return (shown, None);
    }
    let outcome = answered(parts, &shown.image, asked).await;
    // Bytes that are out of reach are not lost: nothing else is shown, or made, in their place.
    if matches!(outcome, Ok(_) | Err(Lost::Away(_))) || !shown.is_variant() {
        return (shown, Some(outcome));
    }
    let shown = variants::replace_lost(parts, Arc::clone(image), &shown).await;
    if shown.is_drawn() {
        return (shown, None);
    }
    let outcome = answered(parts, &shown.image, asked).await;
    (shown, Some(outcome))
}

/// The poster that stands for an image of which nothing can be shown as a picture. It is no view: nothing of the image was seen.
fn drawn(shown: &Shown, method: &Method, cached: HeaderValue) -> Response<Payload> {
    let image = &shown.image;
    let mut response = placeholder::poster(method, image.media_type.kind(), cached);
    if image.visibility == Visibility::Private {
        keep_to_site(response.headers_mut());
    }
    shown.describe(&mut response);
    response
}

/// Why a request may have the picture.
enum Judged<'a> {
    /// The policy lets it, or would not but for its dry run.
    ByPolicy(Decision<'a>),
    /// Its link is signed, and good until then.
    Signed(Timestamp),
}

impl Judged<'_> {
    /// What caches are told of the picture.
    fn cache_control(&self, image: &Shelved, now: Timestamp) -> HeaderValue {
        match self {
            Self::ByPolicy(_) => cache_control(image.embedding.audience(image.visibility), image.expiry, now),
            Self::Signed(until) => cache_control(Audience::ByReferer, image.expiry.sooner(*until), now),
        }
    }

    /// Counts the decision.
    fn note(&self, parts: &Parts) {
        match self {
            // One that refuses and is here anyway is a dry run's.
            Self::ByPolicy(decision) => parts.figures.decided(decision, true),
            Self::Signed(_) => parts.figures.signed(),
        }
    }
}

/// Why it may not.
enum Refused<'a> {
    /// Nobody sees it without a signature; nobody is told that it is there.
    Private,
    /// Not where it comes from.
    Elsewhere(Decision<'a>),
}

/// Judges who asks. Whoever has a signed link may see the image wherever it is opened.
fn judge<'a>(
    parts: &Parts,
    image: &'a Shelved,
    asked: Asked<'_>,
    (site, headers): (&ReferringSite<'_>, RefererHeaders<'_>),
    now: Timestamp,
) -> Result<Judged<'a>, Refused<'a>> {
    if let Some(until) = signed::opened_until(parts, image, asked.query, now) {
        return Ok(Judged::Signed(until));
    }
    if image.visibility == Visibility::Private && !asked.opens_private {
        return Err(Refused::Private);
    }
    let policy = &image.embedding.policy;
    let decision = policy.judge(site, headers);
    if decision.is_allowed() {
        return Ok(Judged::ByPolicy(decision));
    }
    if !policy.dry_run.value {
        return Err(Refused::Elsewhere(decision));
    }
    let reason = decision.reason.as_str();
    tracing::info!(image = %image.public_id, host = site.host(), reason, "would be refused (dry run)");
    Ok(Judged::ByPolicy(decision))
}

/// What is sent: by us, or by nginx.
enum Sent {
    Ours(Payload),
    ByNginx,
}

async fn answered(parts: &Parts, image: &Shelved, asked: Asked<'_>) -> Result<(Answer, Sent), Lost> {
    let answer = Answer::to(asked.method, asked.headers, image.validators(), image.size_bytes);
    Ok((answer, deliver(parts, image, asked, answer).await?))
}

async fn deliver(parts: &Parts, image: &Shelved, asked: Asked<'_>, answer: Answer) -> Result<Sent, Lost> {
    let part = match answer {
        Answer::Whole => ByteRange::whole(image.size_bytes),
        Answer::Part(part) => part,
        // Nothing of the bytes is sent, but a file that is lost must not be confirmed.
        Answer::NotModified | Answer::PreconditionFailed | Answer::NotSatisfiable => {
            parts.depot.look_at(image).await?;
            return Ok(Sent::Ours(Payload::Empty));
        }
    };
    if parts.depot.mode() == Delivery::Accel && nginx_agrees(asked.method, asked.headers, answer) {
        parts.depot.look_at(image).await?;
        return Ok(Sent::ByNginx);
    }
    if asked.method == Method::HEAD {
        parts.depot.look_at(image).await?;
        return Ok(Sent::Ours(Payload::Empty));
    }
    Ok(Sent::Ours(parts.depot.open(image, part).await?))
}

/// What an answer is to the counts: its status, the first byte of its range, and how many bytes are sent.
type Told = (u16, Option<u64>, u64);

fn told(answer: Answer, size_bytes: u64) -> Told {
    match answer {
        Answer::Whole => (200, None, size_bytes),
        Answer::Part(part) => (206, Some(part.first), part.length()),
        Answer::NotModified => (304, None, 0),
        Answer::PreconditionFailed => (412, None, 0),
        Answer::NotSatisfiable => (416, None, 0),
    }
}

fn count(
    parts: &Parts,
    image: &Shelved,
    asked: Asked<'_>,
    (status, first, bytes): Told,
    site: &ReferringSite<'_>,
    now: Timestamp,
) {
    if asked.method == Method::GET {
        parts.figures.view_bytes.inc_by(bytes);
    }
    let Some(tally) = &parts.tally else { return };
    let text = |name| {
        asked
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let is_bot = text(header::USER_AGENT).is_some_and(is_bot);
    if let Some(counted) = counted_as(asked.method.as_str(), status, first, is_bot) {
        tally.count(image.row, counted, site, now, bytes);
    }
}

fn respond(
    image: &Shelved,
    method: &Method,
    answer: Answer,
    sent: Sent,
    cached: HeaderValue,
) -> Response<Payload> {
    let mut headers = HeaderMap::with_capacity(16);
    protect_new(&mut headers);
    if image.visibility == Visibility::Private {
        keep_to_site(&mut headers);
    }
    headers.insert(header::ETAG, image.etag.clone());
    headers.insert(header::LAST_MODIFIED, image.last_modified.clone());
    headers.insert(header::CACHE_CONTROL, cached);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let size = image.size_bytes;
    let describe = |headers: &mut HeaderMap| {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(image.media_type.mime()),
        );
        headers.insert(header::CONTENT_DISPOSITION, image.disposition.clone());
    };
    let mut status = StatusCode::OK;
    match answer {
        Answer::Whole | Answer::Part(_) if matches!(sent, Sent::ByNginx) => {
            describe(&mut headers);
            headers.insert(X_ACCEL_REDIRECT, image.accel.clone());
        }
        Answer::Whole => {
            describe(&mut headers);
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
        }
        Answer::Part(part) => {
            describe(&mut headers);
            status = StatusCode::PARTIAL_CONTENT;
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.length()));
            let range = format!("bytes {}-{}/{size}", part.first, part.last);
            headers.insert(
                header::CONTENT_RANGE,
                HeaderValue::try_from(range).unwrap_or(HeaderValue::from_static("")),
            );
        }
        Answer::NotModified => status = StatusCode::NOT_MODIFIED,
        Answer::PreconditionFailed => {
            status = StatusCode::PRECONDITION_FAILED;
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        Answer::NotSatisfiable => {
            status = StatusCode::RANGE_NOT_SATISFIABLE;
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            let range = format!("bytes */{size}");
            headers.insert(
                header::CONTENT_RANGE,
                HeaderValue::try_from(range).unwrap_or(HeaderValue::from_static("")),
            );
        }
    }
    let payload = match sent {
        Sent::Ours(payload) if method != Method::HEAD => payload,
        _ => Payload::Empty,
    };
    let mut response = Response::new(payload);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// 503, for an image that nobody can tell anything about now.
fn unavailable(headers: &HeaderMap) -> Response<Payload> {
    let problem = Problem::overloaded(Language::of(headers), RETRY_AFTER);
    let body = Bytes::from(problem.document().to_string());
    let (head, _) = problem.into_http().into_parts();
    Response::from_parts(head, Payload::Bytes(body))
}
