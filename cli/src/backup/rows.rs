//! Rows out of a table's file, one by one: Postgres's COPY text, gzipped.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::PathBuf,
};

use domain::{BlobKey, Sha256};
use flate2::read::GzDecoder;

use super::{
    folder::{Snapshot, at, blob_file},
    hashing::PIECE_BYTES,
    manifest::{Manifest, TableEntry},
};
use crate::Failure;

/// The lines of a table.
pub(crate) struct Rows {
    lines: BufReader<GzDecoder<File>>,
    line: Vec<u8>,
    columns: Vec<String>,
    path: PathBuf,
}

impl Rows {
    pub(crate) fn open(snapshot: &Snapshot, table: &TableEntry) -> Result<Self, Failure> {
        let path = snapshot.path(&table.file());
        let file = File::open(&path).map_err(at("open", &path))?;
        Ok(Self {
            lines: BufReader::with_capacity(PIECE_BYTES, GzDecoder::new(file)),
            line: Vec::new(),
            columns: table.columns.clone(),
            path,
        })
    }

    /// Goes to the next row; false behind the last.
    pub(crate) fn advance(&mut self) -> Result<bool, Failure> {
        self.line.clear();
        let count = self
            .lines
            .read_until(b'\n', &mut self.line)
            .map_err(at("read", &self.path))?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        Ok(count > 0)
    }

    /// A value of the row; none for null.
    pub(crate) fn value(&self, column: &str) -> Result<Option<String>, Failure> {
        let place = self.columns.iter().position(|name| name == column);
        let field = place.and_then(|place| self.line.split(|byte| *byte == b'\t').nth(place));
        match field {
            Some(br"\N") => Ok(None),
            Some(field) => Ok(Some(String::from_utf8_lossy(&unescaped(field)).into_owned())),
            None => Err(format!("{} has a row without {column}", self.path.display()).into()),
        }
    }

    fn known<T: std::str::FromStr>(&self, column: &str) -> Result<T, Failure> {
        self.value(column)?
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| format!("{} has a row whose {column} makes no sense", self.path.display()).into())
    }
}

/// COPY text writes these characters, and no others, with a backslash.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = field.iter().copied();
    let mut plain = Vec::with_capacity(field.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'b') => 8,
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'v') => 11,
                Some(b'f') => 12,
                Some(b'r') => b'\r',
                Some(other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    plain
}

/// A blob as a snapshot knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobRow {
    pub(crate) id: i64,
    pub(crate) sha256: Sha256,
    /// Where it rests in a store.
    pub(crate) key: BlobKey,
    pub(crate) size_bytes: u64,
}

impl BlobRow {
    /// Where it lies in the folder of backups.
    ///
    /// By its SHA-256 and not by its key, for a key can come to mean other bytes (of the same MD5) once the first were swept, and
    /// then two snapshots must not share a file.
    pub(crate) fn file(&self) -> String {
        let extension = self.key.as_str().rsplit('.').next().unwrap_or_default();
        blob_file(self.sha256, extension)
    }
}

/// The blobs of a snapshot, in the order of their SHA-256.
pub(crate) struct BlobRows(Rows);

impl BlobRows {
    pub(crate) fn open(snapshot: &Snapshot, manifest: &Manifest) -> Result<Self, Failure> {
        let table = manifest
            .table("blob")
            .ok_or_else(|| format!("{} has no table of blobs", snapshot.root.display()))?;
        Rows::open(snapshot, table).map(Self)
    }

    fn read(&mut self) -> Result<Option<BlobRow>, Failure> {
        let rows = &mut self.0;
        if !rows.advance()? {
            return Ok(None);
        }
        let sha256 = rows.value("sha256")?.unwrap_or_default();
        let sha256 = sha256
            .strip_prefix("\\x")
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| format!("{} has a blob without SHA-256", rows.path.display()))?;
        Ok(Some(BlobRow {
            id: rows.known("id")?,
            sha256,
            key: rows.known("key")?,
            size_bytes: rows.known("size_bytes")?,
        }))
    }
}

impl Iterator for BlobRows {
    type Item = Result<BlobRow, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_text_is_read_as_postgres_wrote_it() {
        for (field, expected) in [
            (r"plain", "plain"),
            (r"\\x00ff", r"\x00ff"),
            (r"a\tb\nc\\d\r\b\f\v", "a\tb\nc\\d\r\u{8}\u{c}\u{b}"),
            ("图床", "图床"),
            ("", ""),
        ] {
            assert_eq!(unescaped(field.as_bytes()), expected.as_bytes(), "{field}");
        }
    }
}
