use std::time::Duration;

use catalog::ImageRecord;
use domain::{Expiry, Refusal, Scope, SignedLink, Visibility, parse_duration};
use http::StatusCode;
use http_kit::Language;
use jiff::Timestamp;
use serde_json::{Value, json};
use warp::reply::Response;

use super::{fields, find_own, image_url};
use crate::{
    Service,
    identity::{authenticate_in_album, require},
    problem::Failure,
    routes::{Asked, Body, answer, read_body},
};

/// How long a link lasts that does not say.
const USUAL: Duration = Duration::from_hours(24);
/// How long one may last.
const LONGEST: Duration = Duration::from_hours(24 * 366);
/// How long the link lasts with which an owner looks at their own private image.
const LOOK: Duration = Duration::from_hours(1);

/// `POST /v1/images/{id}/signed-links`: a link that opens the image until then, private or not, whatever the hotlink rules say.
pub(crate) async fn sign(id: String, service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Result<Value, Failure> = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let image = find_own(&service, &bearer, &id).await?;
        let (lifetime, width) = read(read_body(&asked.headers, body).await?)?;
        let now = service.now();
        let until = now.checked_add(jiff::SignedDuration::try_from(lifetime).unwrap_or_default());
        // No link outlives its image.
        let until = image
            .expiry
            .sooner(until.unwrap_or(Timestamp::MAX))
            .at()
            .unwrap_or(now);
        Ok(json!({
            "url": format!("{}?{}", image_url(&service, &image), query(&service, &image, until, width)),
            "expires_at": Timestamp::from_second(until.as_second()).unwrap_or(until),
            "width": width,
        }))
    }
    .await;
    answer(
        "POST /v1/images/{id}/signed-links",
        language,
        outcome.map(|link| (StatusCode::CREATED, Some(link))),
    )
}

/// `DELETE /v1/images/{id}/signed-links`: takes back every signed link and delete link of the image that was given out so far.
pub(crate) async fn revoke(id: String, service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Result<_, Failure> = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let image = find_own(&service, &bearer, &id).await?;
        let client = Some(asked.client.0);
        catalog::revoke_links(
            service.catalog(),
            image.account_id,
            image.public_id,
            bearer.album_id,
            client,
            service.now(),
        )
        .await?;
        Ok((StatusCode::NO_CONTENT, None))
    }
    .await;
    answer("DELETE /v1/images/{id}/signed-links", language, outcome)
}

/// With what the owner of a private image looks at it; nothing for the others, whose `url` does.
pub(crate) fn look(service: &Service, image: &ImageRecord) -> Option<String> {
    let query = look_at(service, image, None)?;
    Some(format!("{}?{query}", image_url(service, image)))
}

/// The query with which the owner of a private image looks at it, whole or in this width alone; nothing for the others.
pub(super) fn look_at(service: &Service, image: &ImageRecord, width: Option<u32>) -> Option<String> {
    let is_private = image.visibility == Visibility::Private && image.ended.is_none();
    is_private.then(|| {
        let until = image
            .expiry
            .sooner(Expiry::after(LOOK, service.now()).at().unwrap_or(Timestamp::MAX));
        query(service, image, until.at().unwrap_or(Timestamp::MAX), width)
    })
}

fn query(service: &Service, image: &ImageRecord, until: Timestamp, width: Option<u32>) -> String {
    let link = SignedLink {
        public_id: image.public_id,
        generation: image.link_generation,
        expires: until.as_second(),
        width,
    };
    let signature = service.signed_links().sign(link);
    let width = width.map_or_else(String::new, |width| format!("w={width}&"));
    format!("{width}e={}&s={signature}", link.expires)
}

fn read(body: Value) -> Result<(Duration, Option<u32>), Refusal> {
    let (mut lifetime, mut width) = (USUAL, None);
    for (name, value) in fields::object(body, &["expires_in", "width"])? {
        if value.is_null() {
            continue;
        }
        if name == "expires_in" {
            lifetime = value
                .as_str()
                .and_then(|text| parse_duration(text).ok())
                .filter(|duration| !duration.is_zero() && *duration <= LONGEST)
                .ok_or_else(|| {
                    fields::invalid("expires_in", "expected a duration such as 12h, from 1s to 366d")
                })?;
        } else {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            width = Some(
                number
                    .filter(|width| *width > 0)
                    .ok_or_else(|| fields::invalid("width", "expected a width in pixels"))?,
            );
        }
    }
    Ok((lifetime, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_lasts_a_day_unless_told_otherwise() {
        for (body, read_as) in [
            (json!({}), Some((USUAL, None))),
            (
                json!({ "expires_in": "1h", "width": 480 }),
                Some((Duration::from_hours(1), Some(480))),
            ),
            (json!({ "expires_in": null, "width": null }), Some((USUAL, None))),
            (json!({ "expires_in": "0" }), None),
            (json!({ "expires_in": "367d" }), None),
            (json!({ "expires_in": 60 }), None),
            (json!({ "width": 0 }), None),
            (json!({ "width": "480" }), None),
            (json!({ "until": "1h" }), None),
        ] {
            assert_eq!(read(body.clone()).ok(), read_as, "{body}");
        }
    }
}
