use std::{
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use domain::{BlobKey, PublicId, VariantKey};

use crate::Error;

/// Where uploads wait until they are published. The dot keeps it apart from the folders of blobs.
const STAGING: &str = ".staging";

/// Uploads that come in pieces, each under its id, until they are whole.
const UPLOADS: &str = ".uploads";

/// nginx reads blobs as another user.
const FOLDER_MODE: u32 = 0o755;

/// A store in a folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
}

impl Disk {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join(STAGING)
    }

    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join(UPLOADS)
    }

    pub(crate) fn upload(&self, id: PublicId) -> PathBuf {
        self.uploads().join(id.as_str())
    }

    pub(crate) fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    pub(crate) fn folder(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.folder())
    }

    /// Makes what uploads need until they are published.
    pub(crate) fn prepare_staging(&self) -> Result<(), Error> {
        make_folder(&self.root)?;
        make_folder(&self.staging())?;
        make_folder(&self.uploads())
    }

    /// Makes the root, the staging folder and the 256 folders of blobs, durably, so that publishing never has to.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        self.prepare_staging()?;
        for first in 0..=u8::MAX {
            make_folder(&self.root.join(format!("{first:02x}")))?;
        }
        sync_folder(&self.root)
    }

    /// Whether the store can be read at all.
    pub(crate) fn check(&self) -> Result<(), Error> {
        std::fs::read_dir(&self.root)
            .map(drop)
            .map_err(Error::at("open", &self.root))
    }

    pub(crate) fn variant_path(&self, key: &VariantKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Makes the folder of a variant, which the first one in it has to.
    pub(crate) fn make_variant_folder(&self, key: &VariantKey) -> Result<(), Error> {
        make_folder(&self.root.join(key.folder()))?;
        sync_folder(&self.root.join(VariantKey::FOLDER))?;
        sync_folder(&self.root)
    }

    /// Makes the folder of a key again if somebody took it away.
    pub(crate) fn restore_folder(&self, key: &BlobKey) -> Result<(), Error> {
        make_folder(&self.folder(key))?;
        sync_folder(&self.root)
    }
}

fn make_folder(path: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(FOLDER_MODE).recursive(true).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::at("make the folder", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes the names in a folder survive a power cut. Without it 17 of 20 cuts lost a file that was synced itself.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::at("sync the folder", path))
}
