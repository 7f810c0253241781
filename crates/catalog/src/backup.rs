//! Every row, out of one moment and back in: what `berth backup` and `berth restore` ask.
//!
//! Nobody lists the tables that are kept: all are, whatever a later migration makes, but for those of [`LEFT_OUT`], each with its
//! reason. Rows leave and come as Postgres's own COPY text, a row a line, so that they stream, at any size, and so that a person can
//! read them.

mod dump;
mod hold;
mod load;
mod rebuild;
mod stored;

pub use dump::{Dump, TableShape};
pub use hold::BackupHold;
pub(crate) use hold::lets_sweep;
pub use load::{Load, LoadError, Vacancy, analyze, find_vacancy};
pub use stored::{StoredBlob, find_stored_by_id, find_stored_by_md5, hold_blob, images_over, list_stored};

/// Tables that no backup holds, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "damage",
        "what was found wrong in the store that was backed up: a restored one has the right bytes",
    ),
    (
        "refinery_schema_history",
        "a restore writes it itself: it makes the tables by the migrations",
    ),
    (
        "scrub",
        "how far the janitor is with reading that store again: with another one it begins anew",
    ),
    (
        "session",
        "who is signed in; whoever signed out after the backup would be signed in again by a restore",
    ),
    (
        "upload",
        "uploads under way: their bytes are not in a backup, and their clients begin again",
    ),
    (
        "variant",
        "derived of blobs: thumbnails are wished for again by the janitor, the other sizes by whoever asks for them",
    ),
];

/// A name as SQL.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
