use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

/// Page numbers shown at either end, before the current page, and behind it.
const EDGE: i64 = 1;
const BEFORE: i64 = 2;
const BEHIND: i64 = 3;

/// Which page of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pages {
    page: i64,
    count: i64,
    has_entries: bool,
}

impl Pages {
    /// Page `page` of `total` entries, `number` on each, of which it holds `entries`.
    pub(super) fn of(page: i64, number: i64, total: i64, entries: usize) -> Self {
        Self {
            page,
            count: (total + number - 1) / number,
            has_entries: entries > 0,
        }
    }

    /// `pageinfo` of a reply.
    pub(super) fn info(self) -> Value {
        json!({
            "has_next": self.page < self.count,
            "has_prev": self.page > 1,
            "items": self.has_entries,
            "iter_pages": self.numbers(),
            "page": self.page,
            "pages": self.count,
        })
    }

    /// The page numbers that a pager shows; none stands for a gap.
    fn numbers(self) -> Vec<Option<i64>> {
        let mut shown = Vec::new();
        let mut last = 0;
        let near = (self.page - BEFORE).max(1)..=(self.page + BEHIND).min(self.count);
        let ends = (1..=EDGE.min(self.count)).chain((self.count - EDGE + 1).max(1)..=self.count);
        let mut numbers: Vec<i64> = near.chain(ends).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            if number > last + 1 {
                shown.push(None);
            }
            shown.push(Some(number));
            last = number;
        }
        shown
    }
}

/// `Sat, 21 Nov 2026 02:00:00 GMT`.
pub(super) fn rfc1123(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_shows_the_ends_and_the_neighbours_and_gaps_between() {
        for (page, pages, expected) in [
            (1, 0, json!([])),
            (1, 1, json!([1])),
            (1, 10, json!([1, 2, 3, 4, null, 10])),
            (5, 10, json!([1, null, 3, 4, 5, 6, 7, 8, null, 10])),
            (10, 10, json!([1, null, 8, 9, 10])),
            (3, 5, json!([1, 2, 3, 4, 5])),
            (99, 3, json!([1, null, 3])),
        ] {
            let info = Pages::of(page, 10, pages * 10, 1).info();
            assert_eq!(info["iter_pages"], expected, "{page} of {pages}");
        }
        let info = Pages::of(1, 10, 3, 3).info();
        assert_eq!(
            info,
            json!({ "has_next": false, "has_prev": false, "items": true, "iter_pages": [1], "page": 1, "pages": 1 })
        );
    }

    #[test]
    fn dates_are_those_of_http() {
        let at = Timestamp::from_second(1_795_226_400).unwrap();
        assert_eq!(rfc1123(at), "Sat, 21 Nov 2026 02:00:00 GMT");
    }
}
