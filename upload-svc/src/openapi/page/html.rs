use http_kit::escape_html;
use serde_json::Value;

/// The little Markdown that the document's words have: `code`, and lines that begin with `- `.
pub(super) fn words(markdown: &str) -> String {
    let (mut html, mut in_list) = (String::new(), false);
    for line in markdown.lines() {
        let item = line.strip_prefix("- ");
        if item.is_some() != in_list {
            html.push_str(if in_list { "</ul>" } else { "<ul>" });
            in_list = !in_list;
        }
        match item {
            Some(item) => html.push_str(&format!("<li>{}</li>", inline(item))),
            None => html.push_str(&format!("<p>{}</p>", inline(line))),
        }
    }
    html.push_str(if in_list { "</ul>" } else { "" });
    html
}

/// The same without paragraphs.
pub(super) fn inline(markdown: &str) -> String {
    let pieces = markdown.split('`').enumerate();
    let pieces = pieces.map(|(place, piece)| match place % 2 {
        1 => format!("<code>{}</code>", escape_html(piece)),
        _ => escape_html(piece),
    });
    pieces.collect::<Vec<_>>().concat()
}

/// JSON as a person reads it, its parts marked for the stylesheet.
pub(super) fn pretty(value: &Value) -> String {
    let mut html = String::new();
    write(value, 0, &mut html);
    html
}

fn write(value: &Value, depth: usize, html: &mut String) {
    let indent = |depth: usize| "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            html.push_str("{\n");
            for (place, (name, value)) in members.iter().enumerate() {
                let name = escape_html(&Value::from(name.as_str()).to_string());
                html.push_str(&format!("{}<i class=k>{name}</i>: ", indent(depth + 1)));
                write(value, depth + 1, html);
                html.push_str(if place + 1 < members.len() { ",\n" } else { "\n" });
            }
            html.push_str(&format!("{}}}", indent(depth)));
        }
        Value::Array(all) if all.iter().any(Value::is_object) => {
            html.push_str("[\n");
            for (place, value) in all.iter().enumerate() {
                html.push_str(&indent(depth + 1));
                write(value, depth + 1, html);
                html.push_str(if place + 1 < all.len() { ",\n" } else { "\n" });
            }
            html.push_str(&format!("{}]", indent(depth)));
        }
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(pretty).collect();
            html.push_str(&format!("[{}]", all.join(", ")));
        }
        Value::String(_) => html.push_str(&format!("<i class=s>{}</i>", escape_html(&value.to_string()))),
        other => html.push_str(&format!("<i class=n>{other}</i>")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_escaped_and_code_is_marked() {
        assert_eq!(
            words("a `b<c>` & d\n- `x`: y\n- z"),
            "<p>a <code>b&lt;c&gt;</code> &amp; d</p><ul><li><code>x</code>: y</li><li>z</li></ul>"
        );
        assert_eq!(inline("<script>"), "&lt;script&gt;");
    }

    #[test]
    fn json_keeps_its_text_when_the_marks_are_taken_away() {
        let value = json!({ "a": [{ "b": null }, { "c": "<\"'>" }], "d": [1, 2], "e": {}, "f": true });
        let plain = pretty(&value)
            .replace("<i class=k>", "")
            .replace("<i class=s>", "")
            .replace("<i class=n>", "")
            .replace("</i>", "")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        assert_eq!(serde_json::from_str::<Value>(&plain).unwrap(), value);
    }
}
