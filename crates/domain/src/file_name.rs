use std::fmt;

/// A file name as it may be shown to a person: the base name that a client sent, cleaned.
///
/// INVARIANT: not empty, at most 255 bytes of UTF-8, no path, no control or invisible direction character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(String);

const LONGEST_BYTES: usize = 255;

impl FileName {
    /// Cleans whatever a client calls its file: keeps the base name of a full path, undoes the `%22` with which
    /// browsers write a quotation mark, drops control characters and the invisible ones that turn text around.
    /// Where nothing is left it is `fallback`, which must be a good name.
    #[must_use]
    pub fn clean(sent: &str, fallback: &str) -> Self {
        let unescaped = sent.replace("%22", "\"").replace("%0D", "").replace("%0A", "");
        let base = unescaped.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible: String = base.chars().filter(|c| !is_hidden(*c)).collect();
        let trimmed = visible
            .trim_start()
            .trim_end_matches(|c: char| c == '.' || c.is_whitespace());
        let cut = cut_at(trimmed, LONGEST_BYTES);
        Self(if cut.is_empty() || cut.chars().all(|c| c == '.') {
            fallback.to_owned()
        } else {
            cut
        })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the last dot, if there is one and something before it.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        match self.0.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => Some(extension),
            _ => None,
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SECURITY: right-to-left overrides make `gpj.exe` read as `exe.jpg`; zero-width characters make two names look alike.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffd}' | '\u{061c}')
}

/// Cuts before `longest` bytes between characters, keeping the extension.
fn cut_at(name: &str, longest: usize) -> String {
    if name.len() <= longest {
        return name.to_owned();
    }
    let extension = match name.rsplit_once('.') {
        Some((_, extension)) if extension.len() <= 16 => format!(".{extension}"),
        _ => String::new(),
    };
    let mut end = longest - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &name[..end])
}

/// The `filename*=UTF-8''…` parameter of `Content-Disposition` (RFC 8187) for a name: everything but letters, digits and
/// a few marks is percent-encoded, so that the header parses whatever the name holds.
#[must_use]
pub fn file_name_parameter(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'-' | b'_' | b'~' | b'!' | b'#' | b'&' | b'+')
        {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_name_is_kept_and_nothing_else_gets_through() {
        for (sent, expected) in [
            ("red.png", "red.png"),
            ("C:\\Users\\a\\b.png", "b.png"),
            ("/home/a/b.png", "b.png"),
            ("../../etc/passwd", "passwd"),
            ("截图 2026.png", "截图 2026.png"),
            ("a%22b.png", "a\"b.png"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie: x.png"),
            ("a\0b.png", "ab.png"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            ("photo.jpg. . ", "photo.jpg"),
            ("", "image.png"),
            ("..", "image.png"),
            ("/", "image.png"),
            (" \t ", "image.png"),
            ("noextension", "noextension"),
        ] {
            assert_eq!(FileName::clean(sent, "image.png").as_str(), expected, "{sent:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_keeps_its_extension() {
        let name = FileName::clean(&format!("{}.jpeg", "图".repeat(300)), "x.jpg");
        assert!(name.as_str().len() <= 255);
        assert!(name.as_str().ends_with("图.jpeg"));
    }

    #[test]
    fn an_extension_is_what_stands_behind_the_last_dot() {
        for (name, expected) in [
            ("a.png", Some("png")),
            ("a.tar.gz", Some("gz")),
            ("a", None),
            (".png", None),
            ("a.b", Some("b")),
        ] {
            assert_eq!(FileName::clean(name, "x").extension(), expected, "{name}");
        }
    }

    #[test]
    fn every_name_fits_a_header() {
        let parameter = file_name_parameter("截图 \"1\";\r\n.png");
        assert_eq!(
            parameter,
            "filename*=UTF-8''%E6%88%AA%E5%9B%BE%20%221%22%3B%0D%0A.png"
        );
    }
}
