/// Whether an answer counts as a view: a GET that was given the image, whole, as "you have it already", or from its
/// first byte on. A HEAD, a refusal and a later part of a video are none.
///
/// `range_start` is the first byte of the range that a 206 carries.
#[must_use]
pub fn is_view(method: &str, status: u16, range_start: Option<u64>) -> bool {
    method == "GET"
        && match status {
            200 | 304 => true,
            206 => range_start == Some(0),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answered_get_of_the_image_is_a_view() {
        for (method, status, range_start, expected) in [
            ("GET", 200, None, true),
            ("GET", 304, None, true),
            ("GET", 206, Some(0), true),
            ("GET", 206, Some(1), false),
            ("GET", 206, Some(900_000), false),
            ("GET", 416, None, false),
            ("GET", 403, None, false),
            ("GET", 404, None, false),
            ("GET", 412, None, false),
            ("HEAD", 200, None, false),
            ("HEAD", 304, None, false),
        ] {
            assert_eq!(
                is_view(method, status, range_start),
                expected,
                "{method} {status} {range_start:?}"
            );
        }
    }
}
