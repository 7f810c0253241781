//! The older hosts' wire contracts, each a thin adapter over the one intake: it finds the credential where that client puts
//! it, names the field that client sends and shapes the reply that client parses. None holds a rule of its own.

mod upimg;

use warp::{Filter, filters::BoxedFilter, reply::Response};

use crate::Service;

/// The routes of every dialect.
pub(crate) fn routes<F, W>(with: &F) -> Vec<BoxedFilter<(Response,)>>
where
    F: Fn() -> W,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
{
    vec![upimg::route(with())]
}
