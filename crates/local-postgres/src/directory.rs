//! The folders and files around a cluster: who owns them, the lock, the socket's place, the log.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::account::Account;
use crate::error::Error;

/// `sun_path` of a Unix socket's address holds 108 bytes, the last of them a zero.
const LONGEST_SOCKET_PATH_BYTES: usize = 107;

/// What Postgres names its socket for the port number that we leave at its default.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// Where a socket goes whose own folder has too long a name.
const SHORT_FOLDER: &str = "/tmp";

/// A log that is longer at a start is put aside.
const LONGEST_LOG_BYTES: u64 = 8 << 20;

/// Enough of the log's end to tell what went wrong.
const TAIL_BYTES: u64 = 4 << 10;

/// The paths of one local Postgres, all absolute.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) root: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) log: PathBuf,
    /// Whether `socket` lies outside `root` and is ours to remove.
    pub(crate) socket_is_elsewhere: bool,
}

impl Directory {
    /// Makes what is missing and takes the lock, which lasts as long as the file is open.
    ///
    /// SECURITY: the folder itself stays ours and the account may only pass through it. Were it the account's, its
    /// entries could be made links by which root changes other files.
    pub(crate) fn prepare(root: &Path) -> Result<(Self, Account, File), Error> {
        make_folder(root, 0o711)?;
        let root = root.canonicalize().map_err(Error::files("find", root))?;
        let lock = take_lock(&root)?;
        let data = root.join("data");
        let account = Account::choose(&data)?;
        account.give_open(&lock, &root)?;
        let mut directory = Self {
            socket: root.join("socket"),
            log: root.join("postgres.log"),
            data,
            root,
            socket_is_elsewhere: false,
        };
        directory.place_socket(&account)?;
        Ok((directory, account, lock))
    }

    fn place_socket(&mut self, account: &Account) -> Result<(), Error> {
        if is_too_long(&self.socket) {
            let short = short_folder(&self.root, account)?;
            tracing::warn!(
                too_long = %self.socket.display(),
                instead = %short.display(),
                "a Unix socket's path holds {LONGEST_SOCKET_PATH_BYTES} bytes: the socket goes elsewhere"
            );
            self.socket = short;
            self.socket_is_elsewhere = true;
        } else {
            make_folder(&self.socket, 0o700)?;
        }
        account.give(&self.socket)
    }

    /// Opens the log for appending, a long one put aside first.
    pub(crate) fn open_log(&self, account: &Account) -> Result<File, Error> {
        if fs::metadata(&self.log).is_ok_and(|it| it.len() > LONGEST_LOG_BYTES) {
            let aside = self.root.join("postgres.log.1");
            fs::rename(&self.log, &aside).map_err(Error::files("put aside", &self.log))?;
        }
        let file = open_to_append(&self.log)?;
        account.give_open(&file, &self.log)?;
        Ok(file)
    }

    /// The log's last lines, for an error's text.
    pub(crate) fn log_tail(&self) -> String {
        let Ok(mut file) = File::open(&self.log) else {
            return String::new();
        };
        let length = file.metadata().map_or(0, |it| it.len());
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))
            .and_then(|_| file.read_to_end(&mut bytes));
        if read.is_err() {
            return String::new();
        }
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

/// Makes a folder with this mode, and its parents with the usual permissions.
pub(crate) fn make_folder(path: &Path, mode: u32) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::files("make", parent))?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Err(source) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            let wanted = fs::Permissions::from_mode(mode);
            fs::set_permissions(path, wanted).map_err(Error::files("set the permissions of", path))
        }
        outcome => outcome.map_err(Error::files("make", path)),
    }
}

/// SECURITY: a link is not followed, for the folder may be an unprivileged user's who ran us before root did.
fn open_to_append(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .map_err(Error::files("open", path))
}

fn take_lock(root: &Path) -> Result<File, Error> {
    let path = root.join("lock");
    let file = open_to_append(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            directory: root.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(Error::files("lock", &path)(source)),
    }
}

fn is_too_long(socket: &Path) -> bool {
    socket.join(SOCKET_NAME).as_os_str().as_bytes().len() > LONGEST_SOCKET_PATH_BYTES
}

/// Where the socket of a directory is whose lock another process holds; none where nobody does.
pub(crate) fn socket_in_use(directory: &Path) -> Result<Option<PathBuf>, Error> {
    let Ok(root) = directory.canonicalize() else {
        return Ok(None);
    };
    let path = root.join("lock");
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::files("open", &path)(source)),
    };
    // Shared, and let go at once: were it ours for longer, a start at this moment would be refused.
    match lock.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(source)) => return Err(Error::files("look at the lock of", &path)(source)),
    }
    let socket = root.join("socket");
    if is_too_long(&socket) {
        return short_name(&root).map(Some);
    }
    Ok(Some(socket))
}

fn short_name(root: &Path) -> Result<PathBuf, Error> {
    let named = fs::metadata(root).map_err(Error::files("read", root))?;
    Ok(Path::new(SHORT_FOLDER).join(format!("berth-{:x}-{:x}", named.dev(), named.ino())))
}

/// A private folder with a short name, the same at every start, so that a killed process leaves one at most.
fn short_folder(root: &Path, account: &Account) -> Result<PathBuf, Error> {
    let folder = short_name(root)?;
    match DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => return Ok(folder),
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(Error::files("make", &folder)(source));
        }
        Err(_) => {}
    }
    // SECURITY: anyone may make folders in /tmp. One that is a link, or another's, or open to others is not used.
    let there = fs::symlink_metadata(&folder).map_err(Error::files("read", &folder))?;
    let open_to_others = Mode::from_raw_mode(there.mode()).intersects(Mode::RWXG | Mode::RWXO);
    if there.is_dir() && there.uid() == account.uid() && !open_to_others {
        return Ok(folder);
    }
    let source = std::io::Error::other("it is there already and is not a private folder of ours");
    Err(Error::files("use", &folder)(source))
}
