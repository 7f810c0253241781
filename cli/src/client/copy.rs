use std::fmt::Write as _;

use super::image::Image;

/// The form in which a link is printed, to be pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// The URL alone.
    #[default]
    Url,
    /// `![name](url)`.
    Markdown,
    /// `<img src="url" alt="name">`.
    Html,
    /// `[img]url[/img]`.
    Bbcode,
}

impl Form {
    /// All of them, in the order in which they are offered.
    pub(crate) const ALL: [Self; 4] = [Self::Url, Self::Markdown, Self::Html, Self::Bbcode];

    /// Its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Bbcode => "bbcode",
        }
    }

    /// What is pasted to show an image by this URL; the page makes the same (web/src/upload/links.ts).
    ///
    /// SECURITY: names are what uploaders made of them, and must stay text wherever they land.
    pub(crate) fn of(self, image: &Image, url: &str) -> String {
        let (name, is_video) = (bare(&image.name), image.kind == "video");
        let size = match (image.width, image.height) {
            (Some(width), Some(height)) => format!(" width=\"{width}\" height=\"{height}\""),
            _ => String::new(),
        };
        match (self, is_video) {
            (Self::Url, _) => url.to_owned(),
            (Self::Markdown, false) => format!("![{}]({url})", markdown(name)),
            (Self::Markdown, true) => format!("[{}]({url})", markdown(name)),
            (Self::Html, false) => format!(
                "<img src=\"{}\" alt=\"{}\"{size} loading=\"lazy\">",
                html(url),
                html(name)
            ),
            (Self::Html, true) => format!("<video src=\"{}\"{size} controls></video>", html(url)),
            (Self::Bbcode, false) => format!("[img]{url}[/img]"),
            (Self::Bbcode, true) => format!("[video]{url}[/video]"),
        }
    }
}

/// A name without what looks like an extension.
fn bare(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending))
            if (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            stem
        }
        _ => name,
    }
}

fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in one_line(text).chars() {
        if "&<>\"'".contains(sign) {
            let _ = write!(safe, "&#{};", u32::from(sign));
        } else {
            safe.push(sign);
        }
    }
    safe
}

fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in one_line(text).chars() {
        if "\\[]*_`<>".contains(sign) {
            safe.push('\\');
        }
        safe.push(sign);
    }
    safe
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, kind: &str) -> Image {
        let text = serde_json::json!({ "id": "i", "url": "u", "name": name, "kind": kind, "width": 4, "height": 3, "album": null });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_name_stays_text_wherever_it_lands() {
        for (form, name, kind, pasted) in [
            (Form::Url, "a.png", "image", "u"),
            (Form::Markdown, "a_b](x).png", "image", "![a\\_b\\](x)](u)"),
            (Form::Markdown, "film.mp4", "video", "[film](u)"),
            (
                Form::Html,
                "\"><script>.png",
                "image",
                "<img src=\"u\" alt=\"&#34;&#62;&#60;script&#62;\" width=\"4\" height=\"3\" loading=\"lazy\">",
            ),
            (
                Form::Html,
                "f.mp4",
                "video",
                "<video src=\"u\" width=\"4\" height=\"3\" controls></video>",
            ),
            (Form::Bbcode, "a.png", "image", "[img]u[/img]"),
            (Form::Bbcode, "f.mp4", "video", "[video]u[/video]"),
        ] {
            assert_eq!(form.of(&image(name, kind), "u"), pasted, "{name}");
        }
    }
}
