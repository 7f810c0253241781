//! The folder of backups: `blobs/` that all snapshots share, and `snapshots/`.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use domain::Sha256;
use jiff::Timestamp;

use super::rows::BlobRow;
use crate::Failure;

const BLOBS: &str = "blobs";
const SNAPSHOTS: &str = "snapshots";
/// What is being written. The next backup removes what a killed one left there.
const DRAFTS: &str = "drafts";
const LOCK: &str = "lock";
const README: &str = "README.txt";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SUMS: &str = "SHA256SUMS";

/// SECURITY: password hashes are in it.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// What the folder tells whoever finds it.
const README_TEXT: &str = "\
Backups of berth, an image host. berth 图床的备份。

  blobs/                 every file once, named after its SHA-256; shared by all snapshots
  snapshots/TIME/        one backup each: tables/ (rows as PostgreSQL's COPY text, gzipped),
                         SHA256SUMS, and manifest.json, which is written last: a folder
                         without it was never finished

Check    berth verify THIS_FOLDER        or, without berth: cd snapshots/TIME && sha256sum -c SHA256SUMS
Restore  berth restore THIS_FOLDER       into an empty berth; docs/OPERATIONS.md explains it
Heal     berth restore THIS_FOLDER --only ID

It holds password hashes and private pictures: keep it as safe as the server. It does not hold
berth's secret (BERTH_SECRET in .env, or the file `secret` of berthd): keep that beside it.
";

/// A folder of backups, locked for as long as the value lives: for one that writes, or for many that read.
#[derive(Debug)]
pub(crate) struct BackupFolder {
    root: PathBuf,
    _lock: Option<File>,
    next_draft: AtomicU64,
    /// Folders of blobs with names that a power cut could still take.
    unsynced: Vec<AtomicBool>,
}

impl BackupFolder {
    /// Opens it to write, and makes it if it is not there. A folder that holds other things is left alone.
    pub(crate) fn open_to_write(root: &Path) -> Result<Self, Failure> {
        make_folder(root)?;
        let known = root.join(SNAPSHOTS);
        if !known.is_dir() {
            let mut others = fs::read_dir(root).map_err(at("list", root))?.flatten();
            // What a mount point or a first try that was killed may hold.
            if let Some(other) = others.find(|entry| {
                ![LOCK, README, BLOBS, DRAFTS, "lost+found"]
                    .iter()
                    .any(|known| entry.file_name() == *known)
            }) {
                return Err(format!(
                    "{} is no folder of backups: it holds {}; name an empty folder, or one that is not there yet · 该目录不是备份目录",
                    root.display(),
                    other.path().display()
                )
                .into());
            }
        }
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(FILE_MODE)
            .open(root.join(LOCK))
            .map_err(at("open", &root.join(LOCK)))?;
        lock_now(lock.try_lock(), root)?;
        // Somebody else's mount point may not be ours to close; what we make in it is closed anyway.
        let _not_ours = fs::set_permissions(root, fs::Permissions::from_mode(FOLDER_MODE));
        let folder = Self::new(root, Some(lock));
        folder.prepare()?;
        Ok(folder)
    }

    /// Opens it to read, on a read-only medium too.
    pub(crate) fn open_to_read(root: &Path) -> Result<Self, Failure> {
        if !root.join(SNAPSHOTS).is_dir() {
            return Err(format!(
                "{} is no folder of backups: there is no {SNAPSHOTS}/ in it · 该目录不是备份目录",
                root.display()
            )
            .into());
        }
        let lock = match File::open(root.join(LOCK)) {
            Ok(lock) => {
                lock_now(lock.try_lock_shared(), root)?;
                Some(lock)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(at("open", &root.join(LOCK))(error)),
        };
        Ok(Self::new(root, lock))
    }

    fn new(root: &Path, lock: Option<File>) -> Self {
        Self {
            root: root.to_owned(),
            _lock: lock,
            next_draft: AtomicU64::new(0),
            unsynced: (0..256).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Makes the folders in it, and removes what killed backups left: drafts, and snapshots without a manifest.
    fn prepare(&self) -> Result<(), Failure> {
        for name in [BLOBS, SNAPSHOTS, DRAFTS] {
            make_folder(&self.root.join(name))?;
        }
        for first in 0..=u8::MAX {
            make_folder(&self.root.join(BLOBS).join(format!("{first:02x}")))?;
        }
        let drafts = self.root.join(DRAFTS);
        for entry in fs::read_dir(&drafts).map_err(at("list", &drafts))?.flatten() {
            fs::remove_file(entry.path()).map_err(at("remove", &entry.path()))?;
        }
        for name in self.names()? {
            let snapshot = self.snapshot(&name);
            if !snapshot.is_finished() {
                fs::remove_dir_all(&snapshot.root).map_err(at("remove", &snapshot.root))?;
            }
        }
        let readme = self.root.join(README);
        if !readme.exists() {
            self.write(&readme, README_TEXT.as_bytes())?;
        }
        sync_folder(&self.root)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// All snapshots that were finished, the oldest first.
    pub(crate) fn snapshots(&self) -> Result<Vec<Snapshot>, Failure> {
        let names = self.names()?;
        Ok(names
            .iter()
            .map(|name| self.snapshot(name))
            .filter(Snapshot::is_finished)
            .collect())
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        let path = self.root.join(SNAPSHOTS);
        let entries = fs::read_dir(&path).map_err(at("list", &path))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// The snapshot of this name, which may not be there.
    pub(crate) fn snapshot(&self, name: &str) -> Snapshot {
        Snapshot {
            root: self.root.join(SNAPSHOTS).join(name),
            name: name.to_owned(),
        }
    }

    /// Makes the folder of a snapshot that is begun now.
    pub(crate) fn begin_snapshot(&self, now: Timestamp) -> Result<Snapshot, Failure> {
        let name = now.strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
        let names = std::iter::once(name.clone()).chain((2..100).map(|number| format!("{name}-{number:02}")));
        for name in names {
            let snapshot = self.snapshot(&name);
            match DirBuilder::new().mode(FOLDER_MODE).create(&snapshot.root) {
                Ok(()) => {
                    make_folder(&snapshot.root.join("tables"))?;
                    return Ok(snapshot);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at("make", &snapshot.root)(error)),
            }
        }
        Err(format!("there are a hundred snapshots of {name}").into())
    }

    pub(crate) fn blob_path(&self, blob: &BlobRow) -> PathBuf {
        self.root.join(blob.file())
    }

    /// The folder of the blobs whose SHA-256 begins with this byte.
    pub(crate) fn blob_folder(&self, first: u8) -> PathBuf {
        self.root.join(BLOBS).join(format!("{first:02x}"))
    }

    /// A new file that gets its name once it is whole.
    pub(crate) fn draft(&self) -> Result<Draft, Failure> {
        let number = self.next_draft.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join(DRAFTS).join(number.to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(at("make", &path))?;
        Ok(Draft { file, path })
    }

    /// Puts a blob's draft in its place.
    pub(crate) fn keep_blob(&self, draft: Draft, blob: &BlobRow) -> Result<(), Failure> {
        draft.keep_at(&self.blob_path(blob))?;
        self.unsynced[usize::from(blob.sha256.0[0])].store(true, Ordering::Release);
        Ok(())
    }

    /// Makes the names of all blobs that were kept survive a power cut.
    pub(crate) fn sync_blobs(&self) -> Result<(), Failure> {
        for first in 0..=u8::MAX {
            if self.unsynced[usize::from(first)].swap(false, Ordering::AcqRel) {
                sync_folder(&self.blob_folder(first))?;
            }
        }
        sync_folder(&self.root.join(BLOBS))
    }

    /// Writes a file in one step.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let mut draft = self.draft()?;
        draft.file.write_all(bytes).map_err(at("write", &draft.path))?;
        draft.keep_at(path)
    }
}

/// One backup: its rows, its sums and its manifest.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) root: PathBuf,
    pub(crate) name: String,
}

impl Snapshot {
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.path(MANIFEST).is_file()
    }

    pub(crate) fn manifest_bytes(&self) -> Result<Vec<u8>, Failure> {
        let path = self.path(MANIFEST);
        fs::read(&path).map_err(at("read", &path))
    }

    /// Takes it away. Without its manifest, which goes first, it is no snapshot any more, whenever we are killed.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        fs::remove_file(self.path(MANIFEST)).map_err(at("remove", &self.path(MANIFEST)))?;
        sync_folder(&self.root)?;
        fs::remove_dir_all(&self.root).map_err(at("remove", &self.root))
    }
}

/// Where a blob of this SHA-256 lies within the folder.
pub(crate) fn blob_file(sha256: Sha256, extension: &str) -> String {
    let name = sha256.to_string();
    format!("{BLOBS}/{}/{name}.{extension}", &name[..2])
}

/// A file that has no name yet. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) file: File,
    path: PathBuf,
}

impl Draft {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the bytes survive a power cut and gives them their name, in place of what has it.
    pub(crate) fn keep_at(mut self, path: &Path) -> Result<(), Failure> {
        self.file.sync_all().map_err(at("sync", &self.path))?;
        fs::rename(&self.path, path).map_err(at("put in place", path))?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // The next backup removes what can't be removed now.
            let _stays = fs::remove_file(&self.path);
        }
    }
}

fn lock_now(outcome: Result<(), TryLockError>, root: &Path) -> Result<(), Failure> {
    match outcome {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(format!(
            "another berth works on {} just now; wait for its end · 另一个 berth 正在使用该备份目录",
            root.display()
        )
        .into()),
        Err(TryLockError::Error(error)) => Err(at("lock", root)(error)),
    }
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    match DirBuilder::new().mode(FOLDER_MODE).recursive(true).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(at("make", path)(error)),
        _ => Ok(()),
    }
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Failure> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(at("sync", path))
}

/// What the system said about a path, for a person.
pub(crate) fn at(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |error| format!("can't {operation} {}: {error}", path.display()).into()
}
