//! The URLs of sessions, accounts, tokens, users and the record of what they did.

use http_kit::{delete, get_or_head, patch, post, put};
use warp::{Filter, filters::body::stream, path};

use super::{Row, account, asked, done_once, events, sent, session, tokens, users};
use crate::Service;

/// `path, method [and body], handler`.
pub(super) fn routes<F, W>(with: &F) -> Vec<Row>
where
    F: Fn() -> W,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
{
    macro_rules! row {
        (once $path:expr, $handler:path) => {
            Row::new("post", stringify!($path), done_once($path, with(), $handler))
        };
        ($path:expr, $method:ident $(+ $body:ident)?, $handler:path) => {{
            let filter = $path.and($method()).and(with()).and(asked())$(.and($body()))?.then($handler);
            Row::new(stringify!($method), stringify!($path), filter.boxed())
        }};
    }
    vec![
        // Once, too, but nobody is signed in yet to whom a key could belong: it sees to that itself.
        row!(path!("v1" / "session"), post + sent, session::sign_in),
        row!(path!("v1" / "session"), get_or_head, session::describe),
        row!(path!("v1" / "session"), delete, session::sign_out),
        row!(path!("v1" / "account"), get_or_head, account::describe),
        row!(
            path!("v1" / "account" / "password"),
            put + stream,
            account::change_password
        ),
        row!(once path!("v1" / "tokens"), tokens::create),
        row!(path!("v1" / "tokens"), get_or_head, tokens::list),
        row!(path!("v1" / "tokens" / String), delete, tokens::revoke),
        row!(path!("v1" / "users"), get_or_head, users::list),
        row!(once path!("v1" / "users"), users::create),
        row!(path!("v1" / "users" / String), get_or_head, users::describe),
        row!(path!("v1" / "users" / String), patch + stream, users::change),
        row!(path!("v1" / "users" / String), delete, users::delete),
        row!(path!("v1" / "events"), get_or_head, events::list),
    ]
}
