//! Words and numbers as the older hosts write them.

use catalog::ImageRecord;
use domain::{AccessRefusal, Refusal};
use http_kit::Language;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Number, Value};

use crate::problem::Failure;

/// What a failure is called, for a person.
pub(super) fn title(failure: &Failure, language: Language) -> String {
    let document = failure.problem(language).document();
    document["title"].as_str().unwrap_or("服务器内部错误").to_owned()
}

/// Whether it is about who asks: no credential, a bad one, or one that is not good for this.
pub(super) fn is_about_the_caller(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused(
            Refusal::Unauthenticated
                | Refusal::InvalidCredential
                | Refusal::ScopeMissing(_)
                | Refusal::Access(AccessRefusal::InvalidLogin | AccessRefusal::CrossSite)
        )
    )
}

/// `a.png` of `a.png.jpg`.
pub(super) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// The name of an image's bytes in its URL: `7h9KzQm2xRfW.png`.
pub(super) fn stored_name(image: &ImageRecord) -> String {
    format!("{}.{}", image.public_id, image.media_type.extension())
}

/// KiB with two decimals, as a number.
pub(super) fn kibibytes(bytes: u64) -> Value {
    let hundredths = (u128::from(bytes) * 100 + 512) / 1024;
    #[expect(clippy::cast_precision_loss, reason = "hundredths of KiB far below 2^52")]
    let number = hundredths as f64 / 100.0;
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A size for a person: `12.1 KB`.
pub(super) fn size_formatted(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KB", "MB", "GB"];
    let mut unit = 0;
    let mut divisor: u128 = 1;
    while unit + 1 < UNITS.len() && u128::from(bytes) >= divisor * 1024 {
        divisor *= 1024;
        unit += 1;
    }
    if unit == 0 {
        return format!("{bytes} B");
    }
    let tenths = (u128::from(bytes) * 10 + divisor / 2) / divisor;
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// `2026-11-21 02:00:00`, in UTC.
pub(super) fn date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// Text as it may stand between the brackets of a Markdown link. SECURITY: Markdown lets HTML through.
pub(super) fn in_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '[' | ']' | '(' | ')' | '*' | '_' | '`' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The value of a parameter in a query; an empty one is none.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_names_are_written_as_the_older_hosts_do() {
        for (bytes, kib, formatted) in [
            (0, "0.0", "0 B"),
            (1023, "1.0", "1023 B"),
            (1024, "1.0", "1.0 KB"),
            (12_636, "12.34", "12.3 KB"),
            (10 << 20, "10240.0", "10.0 MB"),
            (3 << 30, "3145728.0", "3.0 GB"),
        ] {
            assert_eq!(kibibytes(bytes).to_string(), kib, "{bytes}");
            assert_eq!(size_formatted(bytes), formatted, "{bytes}");
        }
        for (name, expected) in [("a.png", "a"), ("a.b.png", "a.b"), ("a", "a"), (".png", ".png")] {
            assert_eq!(stem(name), expected);
        }
        assert_eq!(
            date(Timestamp::from_second(1_795_226_400).unwrap()),
            "2026-11-21 02:00:00"
        );
    }

    #[test]
    fn a_name_can_neither_end_its_link_nor_become_html() {
        let name = "a](x)<img onerror=\"y\">'&.png";
        assert_eq!(
            in_markdown(name),
            "a\\]\\(x\\)&lt;img onerror=\"y\"&gt;'&amp;.png"
        );
        assert_eq!(
            http_kit::escape_html(name),
            "a](x)&lt;img onerror=&quot;y&quot;&gt;&#39;&amp;.png"
        );
    }
}
