use tokio_util::sync::CancellationToken;

use crate::{Service, derive::derive_until};

/// What goes on beside the requests. Until `stop`: variants are derived, and what limits have refused is written down now and then.
/// Until `quiet`: changes wait for the readers that must hear of them, from this call on. Cancel `quiet` when the last request was
/// answered.
pub fn background(
    service: Service,
    stop: CancellationToken,
    quiet: CancellationToken,
) -> impl Future<Output = ()> {
    let following = service.catalog().follow_readers();
    async move {
        tokio::join!(
            service.settle_refusals(stop.clone()),
            derive_until(&service, stop),
            quiet.run_until_cancelled(following),
        );
    }
}
