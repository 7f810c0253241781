/// Text as it may stand in HTML, in an attribute between quotes of either kind too.
///
/// SECURITY: every page that says a name somebody else chose says it through this.
#[must_use]
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape_html;

    #[test]
    fn nothing_that_means_something_in_html_is_left() {
        for (text, expected) in [
            ("<b>&\"", "&lt;b&gt;&amp;&quot;"),
            ("it's", "it&#39;s"),
            ("&lt;", "&amp;lt;"),
            ("截图 1.png", "截图 1.png"),
            ("", ""),
        ] {
            assert_eq!(escape_html(text), expected, "{text}");
        }
    }
}
