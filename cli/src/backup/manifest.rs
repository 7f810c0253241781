//! What a snapshot says of itself: `manifest.json`.

use std::{collections::BTreeMap, path::Path};

use domain::{BlobKey, Sha256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Failure;

/// The layout of backup folders that this program writes, and the newest that it reads.
pub(crate) const FORMAT: u32 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The layout: [`FORMAT`].
    pub(crate) format: u32,
    /// The program that wrote it.
    pub(crate) made_by: String,
    /// `BERTH_BASE_URL`, where it was set.
    pub(crate) site: Option<String>,
    /// When it was begun; its rows are of the next moment.
    pub(crate) taken_at: Timestamp,
    /// The last migration of the tables.
    pub(crate) schema: u32,
    /// The server's version.
    pub(crate) postgres: String,
    pub(crate) accounts: u64,
    /// Ended ones that could be asked back, too.
    pub(crate) images: u64,
    pub(crate) blobs: BlobTotals,
    pub(crate) tables: Vec<TableEntry>,
    /// The last number that each sequence gave.
    pub(crate) sequences: BTreeMap<String, Option<i64>>,
    /// Blobs whose bytes could not be had: lost or damaged in the store when this was taken, and in no older snapshot.
    pub(crate) missing: Vec<MissingBlob>,
    /// Tables that are not here, and why.
    pub(crate) left_out: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct BlobTotals {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TableEntry {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    /// Of the file `tables/NAME.copy.gz`.
    pub(crate) bytes: u64,
    pub(crate) sha256: Hex<Sha256>,
}

impl TableEntry {
    /// Where its rows are, within the snapshot.
    pub(crate) fn file(&self) -> String {
        format!("tables/{}.copy.gz", self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MissingBlob {
    pub(crate) sha256: Hex<Sha256>,
    pub(crate) key: Hex<BlobKey>,
}

impl Manifest {
    pub(crate) fn table(&self, name: &str) -> Option<&TableEntry> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// All rows of all tables.
    pub(crate) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, Failure> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads one, and refuses what only a later berth can read before it looks at the rest.
    pub(crate) fn parse(json: &[u8], path: &Path) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Layout {
            format: u32,
        }
        let layout: Layout = read(json, path)?;
        if layout.format > FORMAT {
            return Err(format!(
                "{} is of layout {}, this berth reads layouts up to {FORMAT}: use the berth that made it, or a later one · \
                 备份格式较新，请使用更新版本的 berth",
                path.display(),
                layout.format
            )
            .into());
        }
        let manifest: Self = read(json, path)?;
        // SECURITY: names of tables are parts of paths, and the file may come from anywhere.
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if let Some(table) = manifest.tables.iter().find(|table| !is_name(&table.name)) {
            return Err(format!("{}: {:?} is no table's name", path.display(), table.name).into());
        }
        Ok(manifest)
    }
}

fn read<T: DeserializeOwned>(json: &[u8], path: &Path) -> Result<T, Failure> {
    serde_json::from_slice(json)
        .map_err(|error| format!("{} can't be read: {error} · 清单文件已损坏", path.display()).into())
}

/// A value that stands in JSON as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[serde(bound(
    serialize = "T: Clone + std::fmt::Display",
    deserialize = "T: std::str::FromStr, T::Err: std::fmt::Display"
))]
pub(crate) struct Hex<T>(pub(crate) T);

impl<T: std::fmt::Display> From<Hex<T>> for String {
    fn from(value: Hex<T>) -> Self {
        value.0.to_string()
    }
}

impl<T: std::str::FromStr> TryFrom<String> for Hex<T> {
    type Error = T::Err;

    fn try_from(text: String) -> Result<Self, T::Err> {
        text.parse().map(Self)
    }
}
