//! Bytes at rest, behind three handles: [`BlobWriter`] stages and publishes, [`BlobReader`] reads, [`BlobRemover`]
//! unlinks. A service is given the one for its verb, so that it can't do another's.
//!
//! This room owns the store: its folders, its staging, what makes a write durable. Which bytes may be published or
//! removed, and when, is decided by rows, elsewhere.
//!
//! The store is a folder: `{md5[0..2]}/{md5[2..]}.{ext}` for blobs, `variants/` for what is derived of them, and `.staging/`
//! for what is still arriving (`.uploads/` where it comes in pieces), in the same file system so that publishing is a link. Nothing in the handles' signatures is about paths: a key, a staged
//! upload and a removal mean the same to an object store.

mod disk;
mod error;
mod examine;
mod lending;
mod pieces;
mod reader;
mod remover;
mod resumable;
mod rewriting;
mod room;
mod scratch;
mod staging;
mod survey;
mod variants;
mod writer;

pub use error::Error;
pub use examine::Examined;
pub use lending::Lent;
pub use pieces::Pieces;
pub use reader::{BlobReader, OpenBlob};
pub use remover::{BlobRemover, Purged};
pub use resumable::Appending;
pub use rewriting::Splice;
pub use scratch::Scratch;
pub use staging::{Staged, Staging};
pub use survey::StoredFiles;
pub use variants::{AtHand, DerivedFile};
pub use writer::BlobWriter;
