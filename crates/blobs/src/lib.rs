//! Bytes at rest, behind three handles: [`BlobWriter`] stages and publishes, [`BlobReader`] reads, [`BlobRemover`]
//! unlinks. A service is given the one for its verb, so that it can't do another's.
//!
//! This room owns the store: its folders, its staging, what makes a write durable. Which bytes may be published or
//! removed, and when, is decided by rows, elsewhere.
//!
//! The store is a folder, or a bucket of an S3-compatible server with a folder for what is still arriving. Both have the same keys:
//! `{md5[0..2]}/{md5[2..]}.{ext}` for blobs, `variants/` for what is derived of them. In the folder are `.staging/` for what is still
//! arriving and `.uploads/` where that comes in pieces: on disk in the file system of the blobs, so that publishing is a link. Nothing
//! in the handles' signatures is about paths; what both kinds of store promise is `tests/it/contract.rs`.

mod bucket;
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
mod settings;
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
pub use settings::{InvalidSetting, StoreSettings};
pub use staging::{Staged, Staging};
pub use survey::StoredFiles;
pub use variants::{AtHand, DerivedFile};
pub use writer::BlobWriter;
