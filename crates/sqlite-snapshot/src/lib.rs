//! The images of a host as one `SQLite` file, in the one table that the older host `image-proxy` kept them in: what its
//! `/download_db` hands to an administrator.
//!
//! This room owns the file's format and `SQLite`'s SQL, and nothing else: which images there are, and who may have the file, is
//! decided elsewhere. It knows no Postgres and no HTTP. Rows are handed over one by one and written out by `SQLite` through a cache of
//! bounded size, so that a file of any length costs the same memory.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

/// What the older host's table holds of an image. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field is the column of its name")]
pub struct SnapshotImage {
    /// In small hexadecimal digits; no two images have the same.
    pub md5: String,
    /// Where its bytes rest, below the folder of the blobs.
    pub path: String,
    pub created_at: i64,
    pub original_name: String,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub access_count: u64,
    pub file_size: u64,
    pub updated_at: i64,
}

/// The file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("an SQLite file can't be written")]
pub struct Error(#[from] rusqlite::Error);

impl Error {
    /// Whether the disk has no room left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
    }
}

/// The table, to the letter as the older host has it.
const TABLE: &str = "
    CREATE TABLE images (
        md5 TEXT PRIMARY KEY, path TEXT, created_at INTEGER, original_name TEXT, width INTEGER, height INTEGER,
        access_count INTEGER, file_size INTEGER, updated_at INTEGER
    )";
/// Nobody reads the file before it is whole, so it needs no journal beside it, and one that was not finished is thrown away, so
/// nothing of it need survive a power cut. 2 MiB of its pages stay in memory.
const MANNER: &str = "
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -2048;";
const INSERT: &str = "INSERT INTO images VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// A file that is being written.
#[derive(Debug)]
pub struct Snapshot(Connection);

impl Snapshot {
    /// Begins a file at `path`, where there is an empty one or none.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.execute_batch(MANNER)?;
        connection.execute_batch("BEGIN")?;
        connection.execute_batch(TABLE)?;
        Ok(Self(connection))
    }

    /// Adds images. Those that come in the order of their MD5 are written in one sweep.
    pub fn add(&mut self, images: &[SnapshotImage]) -> Result<(), Error> {
        let mut statement = self.0.prepare(INSERT)?;
        for image in images {
            statement.execute(params![
                image.md5,
                image.path,
                image.created_at,
                image.original_name,
                image.width,
                image.height,
                i64::try_from(image.access_count).unwrap_or(i64::MAX),
                i64::try_from(image.file_size).unwrap_or(i64::MAX),
                image.updated_at,
            ])?;
        }
        Ok(())
    }

    /// Ends it: from now on the file is whole, and closed.
    pub fn finish(self) -> Result<(), Error> {
        self.0.execute_batch("COMMIT")?;
        self.0.close().map_err(|(_, error)| Error(error))
    }
}
