use bytes::Buf;
use domain::FileName;
use futures_util::{Stream, StreamExt as _};
use http_kit::{BodyFault, body_fault};

use super::form::{Arriving, ReceivedFile};
use crate::{Service, problem::Failure};

/// Stages a body that is nothing but a file. The first thing against it ends the request: no other file follows.
pub(super) async fn receive_raw<B: Buf>(
    service: &Service,
    body: impl Stream<Item = Result<B, warp::Error>> + Send,
) -> Result<ReceivedFile, Failure> {
    let mut body = std::pin::pin!(body);
    let mut arriving = Arriving::new(service)?;
    while let Some(piece) = body.next().await {
        let mut piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                arriving.discard().await;
                return Err(Failure::Body(
                    body_fault(&error).unwrap_or(BodyFault::Disconnected),
                ));
            }
        };
        let bytes = piece.copy_to_bytes(piece.remaining());
        arriving = arriving.take(bytes, service.limits()).await??;
    }
    Ok(ReceivedFile {
        name: FileName::clean("", "image"),
        staged: arriving.finish().await?,
    })
}
