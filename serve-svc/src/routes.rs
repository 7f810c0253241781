//! Every URL of the service.

use bytes::Bytes;
use domain::{BlobKey, MediaType, PublicId};
use http::{HeaderMap, Method, Response};
use http_kit::{Language, Route, get_or_head, one_of};
use warp::{Filter, Reply as _, filters::BoxedFilter, path};

use crate::{
    Service,
    delivery::Payload,
    shelf::Wanted,
    view::{Asked, view},
    welcome,
};

/// The routes of the service, ready to be mounted.
#[must_use]
pub fn routes(service: Service) -> BoxedFilter<(warp::reply::Response,)> {
    let with = warp::any().map(move || service.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let head = warp::method().and(warp::header::headers_cloned());
    one_of(vec![
        path!("i" / String)
            .and(get_or_head())
            .and(with.clone())
            .and(head)
            .then(
                async |name: String, service: Service, method: Method, headers: HeaderMap| {
                    let wanted = by_name(&name);
                    reply(
                        "GET /i/{id}",
                        view(
                            &service,
                            wanted,
                            Asked {
                                method: &method,
                                headers: &headers,
                            },
                        )
                        .await,
                    )
                },
            )
            .boxed(),
        path::end()
            .and(get_or_head())
            .and(with)
            .and(head)
            .and(query)
            .then(
                async |service: Service, method: Method, headers: HeaderMap, query: String| match path_of(
                    &query,
                ) {
                    Some(path) => {
                        let wanted = by_path(&path);
                        reply(
                            "GET /?path",
                            view(
                                &service,
                                wanted,
                                Asked {
                                    method: &method,
                                    headers: &headers,
                                },
                            )
                            .await,
                        )
                    }
                    None => labelled(
                        "GET /",
                        welcome::page(&service.parts().base_url, Language::of(&headers)),
                    ),
                },
            )
            .boxed(),
        path!("welcome.css")
            .and(get_or_head())
            .map(|| labelled("GET /welcome.css", welcome::style()))
            .boxed(),
    ])
}

/// What `/i/{id}.{ext}` names. The extension may be missing; a wrong one names nothing.
fn by_name(name: &str) -> Option<(Wanted, Option<MediaType>)> {
    let (id, media_type) = match name.split_once('.') {
        Some((id, extension)) => (id, Some(MediaType::from_extension(extension)?)),
        None => (name, None),
    };
    Some((Wanted::Id(id.parse::<PublicId>().ok()?), media_type))
}

/// What `/?path=/ab/cdef….ext` names.
fn by_path(path: &str) -> Option<(Wanted, Option<MediaType>)> {
    let key: BlobKey = path.strip_prefix('/').unwrap_or(path).parse().ok()?;
    Some((Wanted::Key(key), None))
}

/// The value of `path` in a query.
fn path_of(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "path")
        .map(|(_, value)| value.into_owned())
}

fn reply(route: &'static str, response: Response<Payload>) -> warp::reply::Response {
    let (head, payload) = response.into_parts();
    let response = match payload {
        Payload::Empty => Response::from_parts(head, Bytes::new()).into_response(),
        Payload::Bytes(bytes) => Response::from_parts(head, bytes).into_response(),
        Payload::Pieces(pieces) => {
            let mut response = warp::reply::stream(pieces).into_response();
            *response.status_mut() = head.status;
            *response.headers_mut() = head.headers;
            response
        }
    };
    labelled(route, response)
}

fn labelled(route: &'static str, mut response: warp::reply::Response) -> warp::reply::Response {
    response.extensions_mut().insert(Route(route));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_id_and_the_extension_of_a_known_type() {
        for (name, named) in [
            ("7h9KzQm2xRfW.jpg", true),
            ("7h9KzQm2xRfW.jpeg", true),
            ("7h9KzQm2xRfW", true),
            ("7h9KzQm2xRfW.exe", false),
            ("7h9KzQm2xRfW.jpg.php", false),
            ("7h9KzQm2xRf", false),
            ("../../etc/pw", false),
            ("missing", false),
            ("", false),
        ] {
            assert_eq!(by_name(name).is_some(), named, "{name}");
        }
    }

    #[test]
    fn a_path_is_a_key_with_or_without_its_slash() {
        for (query, asked, named) in [
            ("path=/7d/4496551a953ca22cbf92a45e0057d4.png", true, true),
            ("path=7d/4496551a953ca22cbf92a45e0057d4.png", true, true),
            ("path=%2F7d%2F4496551a953ca22cbf92a45e0057d4.png", true, true),
            ("a=b&path=/7d/4496551a953ca22cbf92a45e0057d4.png", true, true),
            ("path=//7d/4496551a953ca22cbf92a45e0057d4.png", true, false),
            ("path=/../../etc/passwd", true, false),
            ("path=", true, false),
            ("", false, false),
            ("upload_success=true", false, false),
        ] {
            let path = path_of(query);
            assert_eq!(path.is_some(), asked, "{query}");
            assert_eq!(path.and_then(|path| by_path(&path)).is_some(), named, "{query}");
        }
    }
}
