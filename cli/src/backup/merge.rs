//! The blobs of several snapshots as one list, each blob once: all of them are in the order of their SHA-256.

use std::iter::Peekable;

use super::{
    folder::Snapshot,
    manifest::Manifest,
    rows::{BlobRow, BlobRows},
};
use crate::Failure;

/// Each blob that any of the snapshots needs, with the first of them that does.
pub(crate) struct Merged {
    lists: Vec<Peekable<BlobRows>>,
}

impl Merged {
    pub(crate) fn open<'a>(
        snapshots: impl IntoIterator<Item = (&'a Snapshot, &'a Manifest)>,
    ) -> Result<Self, Failure> {
        let lists = snapshots
            .into_iter()
            .map(|(snapshot, manifest)| Ok(BlobRows::open(snapshot, manifest)?.peekable()))
            .collect::<Result<_, Failure>>()?;
        Ok(Self { lists })
    }
}

impl Iterator for Merged {
    type Item = Result<(usize, BlobRow), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least: Option<(usize, BlobRow)> = None;
        for (place, list) in self.lists.iter_mut().enumerate() {
            match list.peek() {
                Some(Ok(blob)) if least.as_ref().is_none_or(|(_, other)| order(blob) < order(other)) => {
                    least = Some((place, blob.clone()));
                }
                Some(Err(_)) => return list.next().and_then(Result::err).map(Err),
                Some(Ok(_)) | None => {}
            }
        }
        let (place, blob) = least?;
        for list in &mut self.lists {
            let _the_same = list.next_if(|next| next.as_ref().is_ok_and(|next| order(next) == order(&blob)));
        }
        Some(Ok((place, blob)))
    }
}

/// Two rows are about the same file when these are the same.
fn order(blob: &BlobRow) -> (domain::Sha256, &str) {
    let key = blob.key.as_str();
    (blob.sha256, key.rsplit('.').next().unwrap_or_default())
}
