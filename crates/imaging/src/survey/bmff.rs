use std::ops::Range;

use super::{CUT_OFF, Fault, MOST_PARTS, TOO_MANY_PARTS};
use crate::source::Source;

/// One box of an ISO base media file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: [u8; 4],
    /// With its header.
    pub(super) whole: Range<u64>,
    pub(super) data: Range<u64>,
}

/// The boxes that stand side by side in a stretch of the file.
pub(super) fn parts(source: &Source, within: Range<u64>) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut at = within.start;
    // QuickTime ends some lists with a zero.
    while at + 8 <= within.end {
        let head: [u8; 8] = source.array(at).ok_or(CUT_OFF)?;
        let kind = [head[4], head[5], head[6], head[7]];
        let (length, header) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => (within.end - at, 8),
            1 => (source.be_u64(at + 8).ok_or(CUT_OFF)?, 16),
            length => (u64::from(length), 8),
        };
        let end = at.checked_add(length).ok_or(CUT_OFF)?;
        if length < header {
            return Err(Fault::Body("a box of it is shorter than its own header"));
        }
        if end > within.end {
            return Err(CUT_OFF);
        }
        if parts.len() == MOST_PARTS {
            return Err(TOO_MANY_PARTS);
        }
        parts.push(Part {
            kind,
            whole: at..end,
            data: at + header..end,
        });
        at = end;
    }
    Ok(parts)
}

/// The first box of this kind.
pub(super) fn find(parts: &[Part], kind: [u8; 4]) -> Option<&Part> {
    parts.iter().find(|part| part.kind == kind)
}

impl Part {
    pub(super) fn length(&self) -> u64 {
        self.data.end - self.data.start
    }

    /// The boxes in it, when it is nothing but a list of boxes.
    pub(super) fn parts(&self, source: &Source) -> Result<Vec<Self>, Fault> {
        parts(source, self.data.clone())
    }

    /// The first of them of this kind.
    pub(super) fn part(&self, source: &Source, kind: [u8; 4]) -> Result<Option<Self>, Fault> {
        Ok(self.parts(source)?.into_iter().find(|part| part.kind == kind))
    }
}
