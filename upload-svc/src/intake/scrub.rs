use std::sync::Arc;

use blobs::{Splice, Staged};
use imaging::Edit;

use crate::{Service, problem::Failure};

/// The file without what a decoder says must go: a copy, staged and hashed anew; the file itself where nothing must. What was
/// sent is gone with its last owner.
pub(super) async fn scrubbed(
    service: &Service,
    staged: Arc<Staged>,
    edits: Vec<Edit>,
) -> Result<Arc<Staged>, Failure> {
    if edits.is_empty() {
        return Ok(staged);
    }
    let splices = edits.into_iter().map(|edit| Splice {
        at: edit.at,
        remove: edit.remove,
        insert: edit.insert.into(),
        zeros: edit.zeros,
    });
    let copy = service.writer().rewrite(staged, splices.collect()).await?;
    Ok(Arc::new(copy))
}
