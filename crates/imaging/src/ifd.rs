use std::ops::Range;

use crate::source::Source;

/// Entries that are read of one directory.
const MOST_ENTRIES: u64 = 4096;

/// The structure that TIFF and EXIF share: directories of entries, each with a tag, a type and values.
#[derive(Debug)]
pub(crate) struct Tiff<'a> {
    source: &'a Source,
    pub(crate) is_big_endian: bool,
    /// `BigTIFF`: offsets and counts of eight bytes.
    is_big: bool,
    /// Where the first directory is.
    pub(crate) first: u64,
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    pub(crate) kind: u16,
    pub(crate) count: u64,
    /// Where its values are, and how long they are. Within the file, for entries that are not are left out.
    pub(crate) at: u64,
    pub(crate) length: u64,
}

/// A directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<Entry>,
    /// Where the values of all its entries stand, by their tags: what is known of them, and is in the file, even of an entry that
    /// makes no sense.
    pub(crate) values: Vec<(u16, Range<u64>)>,
    /// Where the next one is; 0 for none.
    pub(crate) next: u64,
}

impl Directory {
    pub(crate) fn find(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}

impl<'a> Tiff<'a> {
    pub(crate) fn open(source: &'a Source) -> Option<Self> {
        let head: [u8; 4] = source.array(0)?;
        let (is_big_endian, is_big) = match &head {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        let mut tiff = Self {
            source,
            is_big_endian,
            is_big,
            first: 0,
        };
        tiff.first = if is_big { tiff.u64(8)? } else { tiff.u32(4)?.into() };
        Some(tiff)
    }

    /// The bytes of one entry.
    pub(crate) fn entry_bytes(&self) -> u64 {
        if self.is_big { 20 } else { 12 }
    }

    /// The directory at this place. Entries whose values are not in the file are left out.
    pub(crate) fn directory(&self, at: u64) -> Option<Directory> {
        let (count, first) = if self.is_big {
            (self.u64(at)?, at.checked_add(8)?)
        } else {
            (self.u16(at)?.into(), at.checked_add(2)?)
        };
        if count > MOST_ENTRIES {
            return None;
        }
        let (mut entries, mut values) = (Vec::new(), Vec::new());
        for index in 0..count {
            let Some((entry, room)) = self.entry(first + index * self.entry_bytes()) else {
                continue;
            };
            let end = entry.at.saturating_add(entry.length);
            values.push((entry.tag, room));
            values.push((
                entry.tag,
                entry.at.min(self.source.len())..end.min(self.source.len()),
            ));
            if end <= self.source.len() && size_of_kind(entry.kind).is_some() {
                entries.push(entry);
            }
        }
        let end = first + count * self.entry_bytes();
        let next = if self.is_big {
            self.u64(end)
        } else {
            self.u32(end).map(u64::from)
        };
        Some(Directory {
            entries,
            values,
            next: next.unwrap_or_default(),
        })
    }

    /// An entry, wherever its values are said to be, and the room for a value within it: none where its values are elsewhere.
    fn entry(&self, at: u64) -> Option<(Entry, Range<u64>)> {
        let (tag, kind) = (self.u16(at)?, self.u16(at + 2)?);
        let (count, inline, room) = if self.is_big {
            (self.u64(at + 4)?, at + 12, 8)
        } else {
            (self.u32(at + 4)?.into(), at + 8, 4)
        };
        let length = count.saturating_mul(size_of_kind(kind).unwrap_or_default());
        let is_inline = length <= room;
        let place = if is_inline {
            inline
        } else if self.is_big {
            self.u64(inline)?
        } else {
            self.u32(inline)?.into()
        };
        let entry = Entry {
            tag,
            kind,
            count,
            at: place,
            length,
        };
        let room = if is_inline {
            inline..inline + room
        } else {
            inline..inline
        };
        Some((entry, room))
    }

    /// The first of an entry's whole numbers.
    pub(crate) fn number(&self, entry: &Entry) -> Option<u64> {
        if entry.count == 0 {
            return None;
        }
        match entry.kind {
            1 => self.source.u8(entry.at).map(u64::from),
            3 => self.u16(entry.at).map(u64::from),
            4 | 13 => self.u32(entry.at).map(u64::from),
            16 | 18 => self.u64(entry.at),
            _ => None,
        }
    }

    /// All of an entry's whole numbers of four bytes or eight, `most` of them.
    pub(crate) fn numbers(&self, entry: &Entry, most: usize) -> Vec<u64> {
        let each = size_of_kind(entry.kind).unwrap_or(1);
        let places = (entry.at..entry.at + entry.length).step_by(usize::try_from(each).unwrap_or(1));
        let number = |at| match each {
            8 => self.u64(at),
            4 => self.u32(at).map(u64::from),
            _ => None,
        };
        places.take(most).filter_map(number).collect()
    }

    /// The fraction at this place of an entry, or its whole number; none that divides by zero.
    pub(crate) fn ratio(&self, entry: &Entry, index: u64) -> Option<f64> {
        const SIGNED: u16 = 10;
        if index >= entry.count {
            return None;
        }
        let at = entry.at + index * 8;
        let (above, below) = match entry.kind {
            5 => (f64::from(self.u32(at)?), f64::from(self.u32(at + 4)?)),
            SIGNED => (
                f64::from(self.u32(at)?.cast_signed()),
                f64::from(self.u32(at + 4)?.cast_signed()),
            ),
            3 | 4 if index == 0 => (f64::from(u32::try_from(self.number(entry)?).ok()?), 1.0),
            _ => return None,
        };
        (below.abs() >= 1.0).then(|| above / below)
    }

    /// An entry's text, up to its first NUL.
    pub(crate) fn text(&self, entry: &Entry) -> Option<String> {
        const LONGEST: u64 = 256;
        let bytes = self.source.bytes(entry.at, entry.length.min(LONGEST))?;
        let text = bytes.split(|byte| *byte == 0).next()?;
        (entry.kind == 2).then(|| String::from_utf8_lossy(text).trim().to_owned())
    }

    fn u16(&self, at: u64) -> Option<u16> {
        if self.is_big_endian {
            self.source.be_u16(at)
        } else {
            self.source.le_u16(at)
        }
    }

    fn u32(&self, at: u64) -> Option<u32> {
        if self.is_big_endian {
            self.source.be_u32(at)
        } else {
            self.source.le_u32(at)
        }
    }

    fn u64(&self, at: u64) -> Option<u64> {
        let bytes = self.source.array(at)?;
        Some(if self.is_big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }
}

/// Bytes of one value.
pub(crate) fn size_of_kind(kind: u16) -> Option<u64> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => return None,
    })
}
