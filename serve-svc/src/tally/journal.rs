//! The file that counts stand in until Postgres has them.
//!
//! It is mapped into memory, so a count is a few stores, and what is stored is the kernel's: it survives the process, however
//! that ends. [ADR 0030](../../../docs/adr/0030-view-journal.md) says why.
//!
//! A header of one page (mark, version, shape, the journal's id, the epoch of either half), then the pages of each shard, two
//! halves each. Views are counted into one half; the other is sealed, being folded, under an epoch that is never used again.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use memmap2::{MmapOptions, MmapRaw};

use super::page::{PAGE_WORDS, Page};

/// So many cores can count at once.
pub(super) const SHARDS: usize = 16;
pub(super) const HALVES: usize = 2;

const HEADER_WORDS: usize = 512;
const WORDS: usize = HEADER_WORDS + SHARDS * HALVES * PAGE_WORDS;
const BYTES: u64 = WORDS as u64 * 8;

/// `berthvj1` and the shape: another version of this program may lay it out otherwise.
const MARK: u64 = u64::from_le_bytes(*b"berthvj1");
const SHAPE: u64 = (SHARDS as u64) << 48 | (HALVES as u64) << 40 | PAGE_WORDS as u64;

const PREFIX: &str = "views-";
const SUFFIX: &str = ".journal";
/// Appended to the name of a journal that nobody understands.
const SET_ASIDE: &str = "set-aside";

/// Counts in a file, or in memory alone where no file could be made.
#[derive(Debug)]
pub(super) struct Journal {
    map: MmapRaw,
    id: [u8; 16],
    /// Locked for as long as this process lives.
    file: Option<(File, PathBuf)>,
}

/// What is wrong with a file that should be a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it is of another version")]
    Version,
    #[error("it is not whole")]
    Corrupt,
}

impl Unfit {
    /// The word for metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Corrupt => "corrupt",
        }
    }
}

/// A file that was looked at for adoption.
#[derive(Debug)]
pub(super) enum Adopted {
    /// Its process is gone: it is ours now.
    Ours(Journal),
    /// Its process lives, or somebody else has adopted it.
    Theirs,
    /// It is no journal that this program can read. Left where it is.
    Unfit(Unfit),
}

impl Journal {
    /// A new file in `folder`, with all the room that it will ever need.
    pub(super) fn create(folder: &Path, id: [u8; 16]) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let name = format!("{PREFIX}{:032x}{SUFFIX}", u128::from_be_bytes(id));
        let path = folder.join(&name);
        // Under another name until it is locked: whoever looks for journals without a process must not find it.
        let unborn = folder.join(format!(".{name}"));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unborn)?;
        let made = reserve(&file).and_then(|()| {
            file.try_lock()?;
            let map = MmapRaw::map_raw(&file)?;
            let journal = Self {
                map,
                id,
                file: Some((file, path.clone())),
            };
            journal.begin();
            fs::rename(&unborn, &path)?;
            Ok(journal)
        });
        if made.is_err() {
            let _ = fs::remove_file(&unborn);
        }
        made
    }

    /// One that ends with this process.
    pub(super) fn in_memory(id: [u8; 16]) -> io::Result<Self> {
        let map = MmapOptions::new().len(WORDS * 8).map_anon()?.into();
        let journal = Self { map, id, file: None };
        journal.begin();
        Ok(journal)
    }

    /// The journals in `folder`, whosever they are.
    pub(super) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if let Some(name) = name.to_str()
                && name.starts_with(PREFIX)
                && name.ends_with(SUFFIX)
            {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Takes over the journal of a process that is gone.
    pub(super) fn adopt(path: &Path) -> io::Result<Adopted> {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Adopted::Theirs),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(Adopted::Theirs),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        let metadata = file.metadata()?;
        // Folded and removed by another between our opening and our locking it.
        if metadata.nlink() == 0 {
            return Ok(Adopted::Theirs);
        }
        if metadata.len() < (HEADER_WORDS * 8) as u64 {
            return Ok(Adopted::Unfit(Unfit::Corrupt));
        }
        let map = MmapRaw::map_raw(&file)?;
        let mut journal = Self {
            map,
            id: [0; 16],
            file: Some((file, path.to_owned())),
        };
        let header = journal.words();
        let word = |number: usize| header[number].load(Acquire);
        if word(0) != MARK {
            return Ok(Adopted::Unfit(Unfit::Corrupt));
        }
        if word(1) != SHAPE {
            return Ok(Adopted::Unfit(Unfit::Version));
        }
        if metadata.len() != BYTES {
            return Ok(Adopted::Unfit(Unfit::Corrupt));
        }
        journal.id = (u128::from(word(2)) << 64 | u128::from(word(3))).to_be_bytes();
        Ok(Adopted::Ours(journal))
    }

    /// Gives a file that nobody understands another name, and says which.
    pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
        let aside = (0..u32::MAX)
            .map(|number| path.with_extension(format!("{SET_ASIDE}-{number}")))
            .find(|path| !path.exists())
            .unwrap_or_default();
        fs::rename(path, &aside)?;
        Ok(aside)
    }

    /// What names it in the database.
    pub(super) fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Whether it survives this process.
    pub(super) fn is_durable(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(_, path)| path.as_path())
    }

    /// The epoch that a half is counted under; 0 before its first.
    pub(super) fn epoch(&self, half: usize) -> u64 {
        self.words()[4 + half].load(Acquire)
    }

    /// Before anything is counted into the half, which is empty.
    pub(super) fn set_epoch(&self, half: usize, epoch: u64) {
        self.words()[4 + half].store(epoch, Release);
    }

    pub(super) fn page(&self, shard: usize, half: usize) -> Page<'_> {
        let from = HEADER_WORDS + (shard * HALVES + half) * PAGE_WORDS;
        Page::new(&self.words()[from..from + PAGE_WORDS], self.epoch(half))
    }

    /// Removes its file: everything in it has been folded.
    pub(super) fn remove(&self) -> io::Result<()> {
        match &self.file {
            Some((_, path)) => fs::remove_file(path),
            None => Ok(()),
        }
    }

    fn begin(&self) {
        let (id, words) = (u128::from_be_bytes(self.id), self.words());
        let halves = [id >> 64, id & u128::from(u64::MAX)];
        for (word, half) in words[2..].iter().zip(halves) {
            word.store(u64::try_from(half).unwrap_or_default(), Relaxed);
        }
        words[4].store(1, Relaxed);
        words[1].store(SHAPE, Relaxed);
        words[0].store(MARK, Release);
    }

    /// The file as words. A file that is cut short beneath us would end this process: it is ours alone, locked, in a folder
    /// of our own, and nothing of ours ever cuts one.
    #[allow(
        unsafe_code,
        clippy::cast_ptr_alignment,
        reason = "the one look at memory that the kernel shares with a file"
    )]
    fn words(&self) -> &[AtomicU64] {
        let length = self.map.len() / 8;
        // SAFETY: the map begins at a page's boundary, so its words are aligned; it is `length` words long and lives as long
        // as `self`. It is only ever read and written as atomic words, by this process and by whoever adopts the file after
        // it; any bits are a valid `AtomicU64`.
        unsafe { std::slice::from_raw_parts(self.map.as_mut_ptr().cast::<AtomicU64>(), length) }
    }
}

/// Gives a file its whole length on the disk now, so that no store into it can find the disk full: that would be a signal, not
/// an error.
fn reserve(file: &File) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, BYTES) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let zeros = [0; 8 * 1024];
            let mut left = usize::try_from(BYTES).unwrap_or(usize::MAX);
            while left > 0 {
                let piece = left.min(zeros.len());
                (&*file).write_all(&zeros[..piece])?;
                left -= piece;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 16] = [0x1f; 16];

    #[test]
    fn a_journal_is_adopted_when_its_process_is_gone_and_once_only() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path(), ID).unwrap();
        let path = journal.path().unwrap().to_owned();
        assert_eq!(Journal::list(folder.path()).unwrap(), std::slice::from_ref(&path));
        assert!(matches!(Journal::adopt(&path).unwrap(), Adopted::Theirs));
        journal.set_epoch(1, 2);
        drop(journal);
        let Adopted::Ours(adopted) = Journal::adopt(&path).unwrap() else {
            panic!("nobody has it");
        };
        assert_eq!((adopted.id(), adopted.epoch(0), adopted.epoch(1)), (ID, 1, 2));
        assert!(matches!(Journal::adopt(&path).unwrap(), Adopted::Theirs));
        adopted.remove().unwrap();
        assert!(matches!(Journal::adopt(&path).unwrap(), Adopted::Theirs));
    }

    #[test]
    fn what_is_no_journal_is_unfit_and_can_be_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path(), ID).unwrap();
        let path = journal.path().unwrap().to_owned();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let changed = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            bytes
        };
        for (bytes, unfit) in [
            (Vec::new(), Unfit::Corrupt),
            (b"short".to_vec(), Unfit::Corrupt),
            (vec![0; whole.len()], Unfit::Corrupt),
            (whole[..whole.len() - 8].to_vec(), Unfit::Corrupt),
            (changed(0), Unfit::Corrupt),
            (changed(8), Unfit::Version),
        ] {
            fs::write(&path, bytes).unwrap();
            assert!(matches!(Journal::adopt(&path).unwrap(), Adopted::Unfit(reason) if reason == unfit));
        }
        let (first, written) = (Journal::set_aside(&path).unwrap(), fs::write(&path, b"again"));
        written.unwrap();
        assert_ne!(Journal::set_aside(&path).unwrap(), first);
        assert!(Journal::list(folder.path()).unwrap().is_empty());
    }
}
