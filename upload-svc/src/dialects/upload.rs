//! `POST /upload`, which three dialects claim: a user name and a password in the query mean image-proxy, a key there picgo-server,
//! anything else the form.

use domain::Dialect;
use http_kit::{Language, Problem};
use warp::{Filter, Reply as _, filters::BoxedFilter, path, reply::Response};

use super::{With, form, image_proxy, picgo_server};
use crate::{
    Service,
    routes::{Asked, Body},
};

pub(super) fn route(with: &With) -> BoxedFilter<(Response,)> {
    row!(with, path!("upload"), post + body, dispatch)
}

async fn dispatch(service: Service, asked: Asked, body: Body) -> Response {
    let claimed = claimed_by(&asked.query);
    let spoken = |dialect| service.dialects().contains(dialect);
    match claimed {
        Dialect::ImageProxy if spoken(Dialect::ImageProxy) => {
            image_proxy::upload(service.speaking(Dialect::ImageProxy), asked, body).await
        }
        Dialect::PicgoServer if spoken(Dialect::PicgoServer) => {
            picgo_server::upload(service.speaking(Dialect::PicgoServer), asked, body).await
        }
        _ if spoken(Dialect::Form) => form::upload(service.speaking(Dialect::Form), asked, body).await,
        _ => Problem::not_found(Language::of(&asked.headers)).into_response(),
    }
}

/// Which dialect a query is of.
pub(super) fn claimed_by(query: &str) -> Dialect {
    let says = |name: &str| url::form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
    if says("username") || says("password") {
        Dialect::ImageProxy
    } else if says("key") || says("secret") {
        Dialect::PicgoServer
    } else {
        Dialect::Form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_whose_upload_it_is() {
        for (query, dialect) in [
            ("username=a&password=b", Dialect::ImageProxy),
            ("password=b", Dialect::ImageProxy),
            ("key=T&username=a&password=b", Dialect::ImageProxy),
            ("key=T", Dialect::PicgoServer),
            ("secret=T", Dialect::PicgoServer),
            ("key=", Dialect::PicgoServer),
            ("", Dialect::Form),
            ("keys=T", Dialect::Form),
            ("api_key=T", Dialect::Form),
        ] {
            assert_eq!(claimed_by(query), dialect, "{query}");
        }
    }
}
