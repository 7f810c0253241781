use std::{fs::File, io, ops::Range, os::unix::fs::FileExt as _, path::Path};

/// The most bytes that are read in one piece. What claims to be longer is not read at all.
const LONGEST_PIECE: u64 = 16 << 20;

/// The bytes of a file, read at any place and never past their end.
#[derive(Debug)]
pub(crate) enum Source {
    /// A stretch of a file.
    File {
        file: File,
        /// Where it begins.
        begin: u64,
        length: u64,
    },
    /// A block of metadata.
    Memory(Vec<u8>),
}

impl Source {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self::File {
            file,
            begin: 0,
            length,
        })
    }

    /// A stretch of it as if it were a file of its own.
    pub(crate) fn within(&self, range: Range<u64>) -> Option<Self> {
        let length = range.end.checked_sub(range.start)?;
        if range.end > self.len() {
            return None;
        }
        match self {
            Self::File { file, begin, .. } => Some(Self::File {
                file: file.try_clone().ok()?,
                begin: begin + range.start,
                length,
            }),
            Self::Memory(_) => self.bytes(range.start, length).map(Self::Memory),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Bytes from `at` on; none where there are fewer, or where they are more than anybody may read at once.
    pub(crate) fn bytes(&self, at: u64, length: u64) -> Option<Vec<u8>> {
        if length > LONGEST_PIECE || at.checked_add(length)? > self.len() {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.fill(at, &mut bytes)?;
        Some(bytes)
    }

    /// As many bytes as there are from `at` on, `most` at most.
    pub(crate) fn up_to(&self, at: u64, most: u64) -> Vec<u8> {
        let length = most.min(self.len().saturating_sub(at));
        self.bytes(at, length).unwrap_or_default()
    }

    pub(crate) fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(at, &mut bytes)?;
        Some(bytes)
    }

    pub(crate) fn u8(&self, at: u64) -> Option<u8> {
        self.array(at).map(u8::from_be_bytes)
    }

    pub(crate) fn be_u16(&self, at: u64) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    pub(crate) fn be_u32(&self, at: u64) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    pub(crate) fn be_u64(&self, at: u64) -> Option<u64> {
        self.array(at).map(u64::from_be_bytes)
    }

    pub(crate) fn le_u16(&self, at: u64) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(crate) fn le_u32(&self, at: u64) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn fill(&self, at: u64, bytes: &mut [u8]) -> Option<()> {
        match self {
            Self::File { file, begin, length } => {
                let is_within = at.checked_add(bytes.len() as u64)? <= *length;
                is_within.then(|| file.read_exact_at(bytes, begin + at).ok())?
            }
            Self::Memory(held) => {
                let at = usize::try_from(at).ok()?;
                bytes.copy_from_slice(held.get(at..at.checked_add(bytes.len())?)?);
                Some(())
            }
        }
    }
}
