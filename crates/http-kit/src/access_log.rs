//! One line a request, when its reply has been sent to its end or given up, and the figures beside it.
//!
//! SECURITY: query strings carry tokens and signatures of other people's links; they are never logged.

use std::time::Instant;

use http::{Method, StatusCode, Uri};
use tokio::sync::OwnedSemaphorePermit;

use crate::client_address::ClientAddress;
use crate::metrics::Metrics;
use crate::request_id::RequestId;

/// The label of the route that answered, such as `images.create`: a handler puts it into its **response's**
/// extensions, and metrics and the access log carry it. Requests without one count as `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route(pub &'static str);

/// SECURITY: what follows `/d/` is a secret (of a delete link), as nginx's own log knows too.
fn path_to_log(path: &str) -> &str {
    if path.starts_with("/d/") { "/d/..." } else { path }
}

/// What is known of a request when it comes.
pub(crate) struct Entry {
    pub(crate) began: Instant,
    pub(crate) method: Method,
    /// Kept only when the line will be written.
    pub(crate) uri: Option<Uri>,
    pub(crate) client: ClientAddress,
    pub(crate) request_id: RequestId,
}

/// Whether the access log is on.
pub(crate) fn enabled() -> bool {
    tracing::enabled!(target: "access", tracing::Level::INFO)
}

/// A request whose reply is being sent. Dropping it closes the account.
pub(crate) struct Ledger {
    pub(crate) entry: Entry,
    pub(crate) metrics: Metrics,
    pub(crate) status: StatusCode,
    pub(crate) route: &'static str,
    pub(crate) bytes: u64,
    /// The request's place among those under way; freed when the reply is sent, not when its head is ready.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.metrics.in_flight().dec();
        let Some(uri) = &self.entry.uri else { return };
        tracing::info!(
            target: "access",
            method = self.entry.method.as_str(),
            path = path_to_log(uri.path()),
            route = self.route,
            status = self.status.as_u16(),
            bytes = self.bytes,
            us = u64::try_from(self.entry.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            client = %self.entry.client,
            request_id = self.entry.request_id.as_str(),
        );
    }
}
