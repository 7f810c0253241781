//! The older hosts' wire contracts, each a thin adapter over the one intake: it finds the credential where that client puts
//! it, names the field that client sends and shapes the reply that client parses. None holds a rule of its own.
//!
//! Success is 200, never 201: several clients test for 200 alone. The image's URL is the first URL in a reply, because one client takes
//! the first that it finds.

/// `path, method [and body], handler`.
macro_rules! row {
    ($with:ident, $path:expr, $method:ident, $handler:path) => {
        $path
            .and(http_kit::$method())
            .and($with.clone())
            .and(crate::routes::asked())
            .then($handler)
            .boxed()
    };
    ($with:ident, $path:expr, $method:ident + body, $handler:path) => {
        $path
            .and(http_kit::$method())
            .and($with.clone())
            .and(crate::routes::asked())
            .and(crate::routes::sent())
            .then($handler)
            .boxed()
    };
}

mod chevereto;
mod django;
mod envelope;
mod form;
mod image_proxy;
mod image_proxy_db;
mod links;
mod lsky;
mod lsky_lists;
mod maple;
mod maple_albums;
mod maple_images;
mod maple_pages;
mod picgo_server;
mod received;
mod reply;
mod sha1;
mod sharex;
mod smms;
mod upimg;
mod upload;
mod words;

pub(crate) use envelope::reword;

use domain::{Dialect, Dialects};
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use crate::{
    Service,
    routes::{asks_first, preflight},
};

/// What the routes of a dialect begin with.
type With = BoxedFilter<(Service,)>;

/// The routes of every dialect that is spoken.
pub(crate) fn routes(spoken: &Dialects, with: &With) -> Vec<BoxedFilter<(Response,)>> {
    let mut table = vec![
        path!("upload" / ..).and(asks_first()).map(preflight).boxed(),
        path!("blog" / "upload" / "image")
            .and(asks_first())
            .map(preflight)
            .boxed(),
        path!("delete").and(asks_first()).map(preflight).boxed(),
        path!("heartbeat").and(asks_first()).map(preflight).boxed(),
    ];
    let rows = [
        (Dialect::ImageProxy, image_proxy::routes as fn(&With) -> _),
        (Dialect::Upimg, upimg::routes),
        (Dialect::Django, django::routes),
        (Dialect::Maple, maple::routes),
        (Dialect::Lsky, lsky::routes),
        (Dialect::Smms, smms::routes),
        (Dialect::PicgoServer, picgo_server::routes),
        (Dialect::Chevereto, chevereto::routes),
        (Dialect::Sharex, sharex::routes),
    ];
    for (dialect, routes) in rows {
        if spoken.contains(dialect) {
            table.extend(routes(&speaking(with, dialect)));
        }
    }
    if spoken.contains(Dialect::Sharex) && !spoken.contains(Dialect::Lsky) {
        table.push(lsky::upload_route(&speaking(with, Dialect::Sharex)));
    }
    if [Dialect::ImageProxy, Dialect::PicgoServer, Dialect::Form]
        .iter()
        .any(|dialect| spoken.contains(*dialect))
    {
        table.push(upload::route(with));
    }
    table
}

/// The service as it serves a dialect.
fn speaking(with: &With, dialect: Dialect) -> With {
    with.clone()
        .map(move |service: Service| service.speaking(dialect))
        .boxed()
}

/// Whether a path outside `/v1/` and `/api/` is a dialect's, so that the limit of requests holds there, too.
pub(crate) fn is_own_path(path: &str) -> bool {
    matches!(
        path,
        "/upload" | "/upload/image" | "/blog/upload/image" | "/delete" | "/stats" | "/download_db"
    ) || path.starts_with("/info/")
}
