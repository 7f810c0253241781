//! One shard's half of a journal: a table of counts and a table of hosts, in words that outlive the process.
//!
//! INVARIANT: a place is written from its end to its beginning: its first word, which says that it is taken, comes last. So
//! whoever reads the words of a process that was killed at any instruction finds each place whole, or not at all.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, Release},
};

/// Places for counts: image, what and when, times, bytes, last.
pub(super) const SLOTS: usize = 8_192;
const SLOT_WORDS: usize = 5;
/// Places for hosts: length, and up to 248 bytes.
const HOSTS: usize = 128;
const HOST_WORDS: usize = 32;
const LONGEST_HOST: usize = (HOST_WORDS - 1) * 8;
/// Words of a page.
pub(super) const PAGE_WORDS: usize = SLOTS * SLOT_WORDS + HOSTS * HOST_WORDS;

/// From so many counts on no new host is told apart: images go first.
const CROWDED: usize = SLOTS / 2;
/// So many counts fit; a fuller table is slow to search.
const FULL: usize = SLOTS / 4 * 3;
const HOSTS_FULL: usize = HOSTS / 4 * 3;

/// Where the numbers of hosts begin: before them stand "one of the others" and "says none".
const OTHER: u64 = 0;
const UNNAMED: u64 = 1;
const FIRST_HOST: u64 = 2;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    View,
    Bot,
    Refusal,
}

/// Which site showed an image, as it stands in a page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Site<T> {
    Other,
    Unnamed,
    Host(T),
}

/// What one view adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    /// The image's row, above 0.
    pub(super) image: u64,
    /// Days since 1970, in UTC.
    pub(super) day: i32,
    pub(super) kind: Kind,
    /// 1, or 0 where only bytes are told.
    pub(super) times: u64,
    pub(super) bytes: u64,
    /// Microseconds since 1970.
    pub(super) at: i64,
}

/// One count, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) image: i64,
    pub(super) day: i32,
    pub(super) kind: Kind,
    pub(super) site: Site<String>,
    pub(super) times: u64,
    pub(super) bytes: u64,
    /// Microseconds since 1970; 0 where nothing was viewed.
    pub(super) last: i64,
}

/// Which places of a page are taken: known to the process that fills it.
#[derive(Debug, Default)]
pub(super) struct Fill {
    pub(super) slots: Vec<u16>,
    hosts: usize,
}

/// There is no place for one more count.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// A page holds what is never written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Corrupt;

/// A page of the epoch that counts into it now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    words: &'a [AtomicU64],
    epoch: u64,
}

impl<'a> Page<'a> {
    /// `words` are [`PAGE_WORDS`].
    pub(super) fn new(words: &'a [AtomicU64], epoch: u64) -> Self {
        Self { words, epoch }
    }

    /// Counts. Nobody else may write to this page meanwhile.
    pub(super) fn add(self, fill: &mut Fill, new: &Addition, site: &Site<&str>) -> Result<(), Full> {
        let site = match site {
            Site::Other => OTHER,
            Site::Unnamed => UNNAMED,
            Site::Host(host) => self.host(fill, host),
        };
        let mut place = self.find(new.image, self.meta(new, site));
        if place.is_err() && site != OTHER && fill.slots.len() >= CROWDED {
            place = self.find(new.image, self.meta(new, OTHER));
        }
        let slot = match place {
            Ok(slot) => self.slot(slot),
            Err(_) if fill.slots.len() >= FULL => return Err(Full),
            Err(empty) => {
                let is_crowded = fill.slots.len() >= CROWDED;
                let site = if is_crowded { OTHER } else { site };
                let slot = self.slot(empty);
                for word in &slot[2..] {
                    word.store(0, Relaxed);
                }
                slot[1].store(self.meta(new, site), Relaxed);
                slot[0].store(new.image, Release);
                fill.slots.push(u16::try_from(empty).unwrap_or_default());
                slot
            }
        };
        if new.times > 0 && new.kind == Kind::View {
            let last = slot[4]
                .load(Relaxed)
                .max(u64::try_from(new.at).unwrap_or_default());
            slot[4].store(last, Relaxed);
        }
        slot[3].store(slot[3].load(Relaxed).saturating_add(new.bytes), Relaxed);
        slot[2].store(slot[2].load(Relaxed).saturating_add(new.times), Release);
        Ok(())
    }

    /// What stands at these places. Others may not write to this page meanwhile.
    pub(super) fn read(self, slots: &[u16]) -> Result<Vec<Entry>, Corrupt> {
        let taken = slots.iter().filter_map(|slot| self.entry(usize::from(*slot)));
        taken.collect()
    }

    /// What stands anywhere: for a page that another process has filled.
    pub(super) fn read_all(self) -> Result<Vec<Entry>, Corrupt> {
        (0..SLOTS).filter_map(|slot| self.entry(slot)).collect()
    }

    /// Makes room for another epoch.
    pub(super) fn clear(self, slots: &[u16]) {
        for slot in slots {
            self.slot(usize::from(*slot))[0].store(0, Release);
        }
        for host in 0..HOSTS {
            let length = &self.host_words(host)[0];
            if length.load(Relaxed) != 0 {
                length.store(0, Release);
            }
        }
    }

    fn slot(self, slot: usize) -> &'a [AtomicU64] {
        &self.words[slot * SLOT_WORDS..(slot + 1) * SLOT_WORDS]
    }

    fn host_words(self, host: usize) -> &'a [AtomicU64] {
        let from = SLOTS * SLOT_WORDS + host * HOST_WORDS;
        &self.words[from..from + HOST_WORDS]
    }

    /// Day, epoch, kind and site in one word. The epoch's low bits tell what was left behind by an earlier one, as after a
    /// power cut that saved one part of the file and not another.
    fn meta(self, new: &Addition, site: u64) -> u64 {
        let kind = match new.kind {
            Kind::View => 0,
            Kind::Bot => 1,
            Kind::Refusal => 2,
        };
        u64::from(new.day.cast_unsigned()) << 32 | (self.epoch & EPOCH_BITS) << 18 | kind << 16 | site
    }

    /// The place of a count, or the empty one where it belongs.
    fn find(self, image: u64, meta: u64) -> Result<usize, usize> {
        let mixed = (image.wrapping_mul(MIX) ^ meta).wrapping_mul(MIX);
        let mut at = usize::try_from(mixed >> 40).unwrap_or_default() % SLOTS;
        // It ends: a quarter of the places stays empty.
        loop {
            let slot = self.slot(at);
            match slot[0].load(Relaxed) {
                0 => return Err(at),
                taken if taken == image && slot[1].load(Relaxed) == meta => return Ok(at),
                _ => at = (at + 1) % SLOTS,
            }
        }
    }

    fn host(self, fill: &mut Fill, host: &str) -> u64 {
        let text = host.as_bytes();
        if text.is_empty() || text.len() > LONGEST_HOST {
            return OTHER;
        }
        let length = text.len() as u64;
        let mixed = words_of(text).fold(length, |sum, word| (sum ^ word).wrapping_mul(MIX).rotate_left(29));
        let mut at = usize::try_from(mixed >> 40).unwrap_or_default() % HOSTS;
        loop {
            let place = self.host_words(at);
            let taken = place[0].load(Relaxed);
            if taken == 0 {
                if fill.hosts >= HOSTS_FULL {
                    return OTHER;
                }
                for (place, word) in place[1..].iter().zip(words_of(text)) {
                    place.store(word, Relaxed);
                }
                place[0].store(length, Release);
                fill.hosts += 1;
                return FIRST_HOST + at as u64;
            }
            let is_same = || {
                let mut places = place[1..].iter();
                words_of(text).all(|word| places.next().is_some_and(|place| place.load(Relaxed) == word))
            };
            if taken == length && is_same() {
                return FIRST_HOST + at as u64;
            }
            at = (at + 1) % HOSTS;
        }
    }

    fn entry(self, slot: usize) -> Option<Result<Entry, Corrupt>> {
        let words = self.slot(slot);
        let image = words[0].load(Relaxed);
        let meta = words[1].load(Relaxed);
        if image == 0 || meta >> 18 & EPOCH_BITS != self.epoch & EPOCH_BITS {
            return None;
        }
        Some(self.checked(image, meta, &words[2..]).ok_or(Corrupt))
    }

    fn checked(self, image: u64, meta: u64, counts: &[AtomicU64]) -> Option<Entry> {
        let kind = match meta >> 16 & 3 {
            0 => Kind::View,
            1 => Kind::Bot,
            2 => Kind::Refusal,
            _ => return None,
        };
        let site = match meta & 0xffff {
            OTHER => Site::Other,
            UNNAMED => Site::Unnamed,
            host => Site::Host(self.host_text(usize::try_from(host - FIRST_HOST).ok()?)?),
        };
        let [times, bytes, last] = [0, 1, 2].map(|word| counts[word].load(Relaxed));
        let is_sane = times < 1 << 40 && bytes < 1 << 62;
        is_sane.then_some(Entry {
            image: i64::try_from(image).ok()?,
            day: u32::try_from(meta >> 32).ok()?.cast_signed(),
            kind,
            site,
            times,
            bytes,
            last: i64::try_from(last).ok()?,
        })
    }

    fn host_text(self, host: usize) -> Option<String> {
        let words = (host < HOSTS).then(|| self.host_words(host))?;
        let length = usize::try_from(words[0].load(Relaxed)).ok()?;
        let bytes: Vec<u8> = words[1..]
            .iter()
            .flat_map(|word| word.load(Relaxed).to_le_bytes())
            .take(length)
            .collect();
        let text = String::from_utf8(bytes).ok()?;
        let is_host = text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_host && !text.is_empty() && text.len() == length).then_some(text)
    }
}

/// An odd number without a pattern.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
const EPOCH_BITS: u64 = 0x3fff;

/// A text as words, the last filled up with zeros.
fn words_of(text: &[u8]) -> impl Iterator<Item = u64> {
    text.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    })
}

#[cfg(test)]
mod tests;
