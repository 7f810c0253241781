use std::io::Write as _;

use process::Person;

/// The language in which the person at this terminal is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// English.
    English,
    /// 中文。
    Chinese,
}

impl Words {
    /// The language of a locale such as `zh_CN.UTF-8`.
    pub(crate) fn of(person: &Person) -> Self {
        if person.locale.to_ascii_lowercase().starts_with("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    /// The text in this language.
    pub(crate) fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    /// `Accept-Language` for the server, whose refusals are shown as they are.
    pub(crate) fn accepted(self) -> &'static str {
        self.pick("en", "zh-CN, zh;q=0.9, en;q=0.5")
    }
}

/// Prints on standard output. Whoever stops reading it (`| head -1`) ends nothing: what was asked for is done all the same.
pub(super) fn print(text: std::fmt::Arguments<'_>) {
    let _ = std::io::stdout().write_fmt(text);
}

/// Text that others wrote, fit for a terminal.
///
/// SECURITY: an escape sequence in a description could repaint the screen or type for its reader.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let one = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().filter(|c| shown(*c)).map(one).collect()
}

/// Bytes as people read them.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut left = bytes;
    while left >= 1024 * 1024 && unit + 1 < UNITS.len() {
        left /= 1024;
        unit += 1;
    }
    let tenths = left * 10 / 1024;
    if tenths >= 100 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_figures_and_a_unit() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (10_240, "10 KiB"),
            (284_113, "277 KiB"),
            (1_048_576, "1.0 MiB"),
            (5_368_709_120, "5.0 GiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

    #[test]
    fn nothing_that_others_wrote_speaks_to_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d 图"), "a [2Jb cd 图");
    }
}
