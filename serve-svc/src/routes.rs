//! Every URL of the service.
//!
//! A view is a few microseconds in all, and the host answers little else. So [`with_views`] takes views out before warp's
//! filters see them: they would box several futures and copy the request's headers for each. Whatever is no view goes on to
//! the routes of warp.

use std::convert::Infallible;

use domain::{BlobKey, Dialect, Dialects, MediaType, PublicId};
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use http_kit::{Language, Problem, RequestBody, Route, get_or_head, one_of, warp_service};
use tower::{Service as TowerService, ServiceExt as _};
use warp::{Filter, filters::BoxedFilter, path, reply::Response as WarpResponse};

use crate::{
    Service,
    delivery::{Payload, ReplyBody},
    older::{self, Named},
    shelf::Wanted,
    variants::WantedVariant,
    view::{Asked, view},
    welcome,
};

/// The routes beside the views.
#[must_use]
pub fn routes(service: Service) -> BoxedFilter<(WarpResponse,)> {
    let page = path::end()
        .and(get_or_head())
        .and(http_kit::language())
        .map(move |language| labelled("GET /", welcome::page(&service.parts().base_url, language)));
    let style = path!("welcome.css")
        .and(get_or_head())
        .map(|| labelled("GET /welcome.css", welcome::style()));
    one_of(vec![page.boxed(), style.boxed()])
}

/// Views first, and `routes` for everything else.
#[must_use]
pub fn with_views(
    service: Service,
    routes: BoxedFilter<(WarpResponse,)>,
) -> impl TowerService<Request<RequestBody>, Response = Response<ReplyBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let others = warp_service(routes);
    tower::service_fn(move |request: Request<RequestBody>| {
        let (service, others) = (service.clone(), others.clone());
        async move {
            let Some((route, named)) = view_of(request.uri(), &service.parts().dialects) else {
                let picture = wants_picture(&request).then(|| request.method().clone());
                let response = others.oneshot(request).await?;
                if let Some(method) = picture.filter(|_| is_nowhere(&response)) {
                    service.parts().figures.missing("no_url");
                    let missing = &service.parts().missing;
                    return Ok(missing
                        .answer(&method, StatusCode::NOT_FOUND)
                        .map(ReplyBody::from));
                }
                return Ok(response.map(|body| body.map_err(Into::into).boxed_unsync().into()));
            };
            let (head, _body) = request.into_parts();
            let mut response = if matches!(head.method, Method::GET | Method::HEAD) {
                let mut asked = Asked {
                    method: &head.method,
                    headers: &head.headers,
                    variant: WantedVariant::of(
                        extension_of(&head.uri),
                        older::size_of(&head.uri).or(head.uri.query()),
                    ),
                    query: head.uri.query(),
                    opens_private: false,
                };
                match older::resolve(&service, named).await {
                    Ok((wanted, opens_private)) => {
                        asked.opens_private = opens_private;
                        view(&service, wanted, asked).await
                    }
                    Err(response) => response,
                }
                .map(ReplyBody::from)
            } else {
                let problem = Problem::method_not_allowed(Language::of(&head.headers), "GET, HEAD");
                let body = Payload::Bytes(problem.document().to_string().into());
                problem.into_http().map(|_| body.into())
            };
            response.extensions_mut().insert(Route(route));
            Ok(response)
        }
    })
}

/// The label of the route and what is wanted, if this is the URL of a view.
fn view_of(uri: &Uri, spoken: &Dialects) -> Option<(&'static str, Named)> {
    if let Some(name) = uri.path().strip_prefix("/i/") {
        return Some(("GET /i/{id}", Named::Image(by_name(name))));
    }
    if uri.path() != "/" {
        return older::read(uri, spoken);
    }
    let path = path_of(uri.query().filter(|_| spoken.contains(Dialect::Upimg))?)?;
    Some(("GET /?path", Named::Image(by_path(&path))))
}

/// The extension of the URL of a view. One that names a blob by its path names a format, too.
fn extension_of(uri: &Uri) -> Option<&str> {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    let extension = name.split_once('.').map(|(_, extension)| extension);
    if uri.path().starts_with("/i/") {
        extension
    } else {
        Some(extension.unwrap_or_default())
    }
}

/// What `/i/{id}.{ext}` names. The extension may be missing, and any that an image can have will do: bytes may have been
/// replaced by others of another type, and the link goes on. What is sent says its own type.
fn by_name(name: &str) -> Option<Wanted> {
    let id = match name.split_once('.') {
        Some((id, extension)) => MediaType::from_extension(extension).map(|_| id)?,
        None => name,
    };
    Some(Wanted::Id(id.parse::<PublicId>().ok()?))
}

/// What `/?path=/ab/cdef….ext` names.
fn by_path(path: &str) -> Option<Wanted> {
    let key: BlobKey = path.strip_prefix('/').unwrap_or(path).parse().ok()?;
    Some(Wanted::Key(key))
}

/// The value of `path` in a query.
fn path_of(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "path")
        .map(|(_, value)| value.into_owned())
}

/// Whether somebody would look at the answer as a picture: the URL ends like one, or an `<img>` asks.
fn wants_picture<B>(request: &Request<B>) -> bool {
    let extension = request
        .uri()
        .path()
        .rsplit_once('.')
        .map(|(_, extension)| extension);
    let accept = request.headers().get(header::ACCEPT);
    matches!(*request.method(), Method::GET | Method::HEAD)
        && (extension.is_some_and(|extension| MediaType::from_extension(extension).is_some())
            || accept.is_some_and(|accept| accept.as_bytes().starts_with(b"image/")))
}

/// Whether no route took the request. (A route's own 404 carries its label.)
fn is_nowhere<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::NOT_FOUND && response.extensions().get::<Route>().is_none()
}

fn labelled(route: &'static str, mut response: WarpResponse) -> WarpResponse {
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
