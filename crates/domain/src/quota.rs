/// How much an account may hold, and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Files at most; none is no limit.
    pub files: Option<u64>,
    /// Bytes at most; none is no limit.
    pub bytes: Option<u64>,
    /// Files that are there.
    pub used_files: u64,
    /// Bytes that are there.
    pub used_bytes: u64,
}

impl Quota {
    /// Whether another file of so many bytes fits. It fits to the last byte.
    #[must_use]
    pub fn has_room(&self, bytes: u64) -> bool {
        let within = |limit: Option<u64>, used: u64, more: u64| {
            limit.is_none_or(|limit| used.checked_add(more).is_some_and(|sum| sum <= limit))
        };
        within(self.files, self.used_files, 1) && within(self.bytes, self.used_bytes, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_filled_to_the_last_byte_and_file() {
        for (files, bytes, used_files, used_bytes, more, fits) in [
            (None, None, 9, 9, u64::MAX - 9, true),
            (Some(10), None, 9, 0, 1, true),
            (Some(10), None, 10, 0, 1, false),
            (Some(0), None, 0, 0, 1, false),
            (None, Some(100), 0, 90, 10, true),
            (None, Some(100), 0, 90, 11, false),
            (None, Some(100), 0, 200, 0, false),
            (None, Some(100), 0, 1, u64::MAX, false),
        ] {
            let quota = Quota {
                files,
                bytes,
                used_files,
                used_bytes,
            };
            assert_eq!(quota.has_room(more), fits, "{quota:?} + {more}");
        }
    }
}
