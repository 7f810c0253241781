/// What an answer is in the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A view by a person, as far as anybody can tell.
    View,
    /// A view by a program that says it is one ([`is_bot`](crate::is_bot)). Kept apart: it makes no picture popular and keeps
    /// none alive.
    Bot,
    /// A later part of a picture whose view was counted with its first byte: its bytes count, and nothing else.
    Part,
    /// A request that the hotlink rules refused.
    Refusal,
}

/// What an answer counts as: a GET that was given the image, whole, as "you have it already", or from its first byte on, is a
/// view. A HEAD, an error and what is not there are nothing.
///
/// `range_start` is the first byte of the range that a 206 carries.
#[must_use]
pub fn counted_as(method: &str, status: u16, range_start: Option<u64>, is_bot: bool) -> Option<Counted> {
    if method != "GET" {
        return None;
    }
    match (status, range_start) {
        (200 | 304, _) | (206, Some(0)) if is_bot => Some(Counted::Bot),
        (200 | 304, _) | (206, Some(0)) => Some(Counted::View),
        (206, Some(_)) => Some(Counted::Part),
        (403, _) => Some(Counted::Refusal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answered_get_of_the_image_is_a_view() {
        for (method, status, range_start, expected) in [
            ("GET", 200, None, Some(Counted::View)),
            ("GET", 304, None, Some(Counted::View)),
            ("GET", 206, Some(0), Some(Counted::View)),
            ("GET", 206, Some(1), Some(Counted::Part)),
            ("GET", 206, Some(900_000), Some(Counted::Part)),
            ("GET", 206, None, None),
            ("GET", 403, None, Some(Counted::Refusal)),
            ("GET", 416, None, None),
            ("GET", 404, None, None),
            ("GET", 412, None, None),
            ("GET", 503, None, None),
            ("HEAD", 200, None, None),
            ("HEAD", 206, Some(0), None),
            ("HEAD", 304, None, None),
            ("HEAD", 403, None, None),
            ("POST", 200, None, None),
        ] {
            let what = format!("{method} {status} {range_start:?}");
            assert_eq!(counted_as(method, status, range_start, false), expected, "{what}");
            let by_bot = expected.map(|counted| match counted {
                Counted::View => Counted::Bot,
                other => other,
            });
            assert_eq!(
                counted_as(method, status, range_start, true),
                by_bot,
                "{what} by a bot"
            );
        }
    }
}
