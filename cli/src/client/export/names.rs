use std::collections::HashSet;

use domain::{FileName, MediaType};

use crate::client::image::Image;

/// How an export is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `images/2024-05-01/…`, `videos/2024-05-01/…`, `no_date/…`.
    ByDate,
    /// A folder for each album.
    ByAlbum,
}

impl Layout {
    /// The folder for an image, with `/` between its parts.
    fn folder(self, image: &Image, album: Option<&str>) -> String {
        let of_kind = if image.kind == "video" { "videos" } else { "images" };
        match self {
            Self::ByDate => match image.taken_day() {
                Some(day) => format!("{of_kind}/{day}"),
                None => "no_date".to_owned(),
            },
            Self::ByAlbum => clean(album.unwrap_or("default"), "album", 200),
        }
    }
}

/// Names that are taken, without regard to case: some file systems have none.
#[derive(Debug, Default)]
pub(crate) struct Taken(HashSet<String>);

impl Taken {
    /// Takes a name; false if somebody has it.
    pub(crate) fn take(&mut self, path: &str) -> bool {
        self.0.insert(path.to_lowercase())
    }
}

/// Paths that an image may lie at, the nicest first. The last carries its id, which nobody else has.
pub(crate) fn candidates(layout: Layout, image: &Image, album: Option<&str>) -> [String; 2] {
    let folder = layout.folder(image, album);
    let media_type = image.media_type.parse::<MediaType>().ok();
    let extension = media_type.map_or("bin", MediaType::extension);
    let name = clean(&image.name, &image.id, 200);
    let ends_right = FileName::clean(&name, "x")
        .extension()
        .is_some_and(|ending| media_type.is_some() && MediaType::from_extension(ending) == media_type);
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ends_right => (stem, ending),
        _ => (name.as_str(), extension),
    };
    [
        format!("{folder}/{stem}.{ending}"),
        format!("{folder}/{stem} ({}).{ending}", image.id),
    ]
}

/// Names that Windows keeps for itself, with any extension.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A name that every file system takes, of at most `longest` bytes.
fn clean(name: &str, fallback: &str, longest: usize) -> String {
    let safe: String = name
        .chars()
        .map(|c| if "/\\:*?\"<>|".contains(c) { '_' } else { c })
        .collect();
    let name = FileName::clean(&safe, fallback).to_string();
    let name = name.trim_start_matches('.');
    let mut end = name.len().min(longest);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let ending = FileName::clean(name, "x")
        .extension()
        .map(|ending| format!(".{ending}"));
    let name = match ending.filter(|ending| end < name.len() && ending.len() < 16) {
        Some(ending) => {
            let mut cut = end - ending.len();
            while !name.is_char_boundary(cut) {
                cut -= 1;
            }
            format!("{}{ending}", &name[..cut])
        }
        None => name[..end].trim_end_matches(['.', ' ']).to_owned(),
    };
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    if name.is_empty() {
        fallback.to_owned()
    } else if RESERVED.contains(&stem.trim_end()) {
        format!("_{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_that_a_file_may_have() {
        for (name, cleaned) in [
            ("a.png", "a.png"),
            ("截图 1.png", "截图 1.png"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("a:b|c?.png", "a_b_c_.png"),
            (".htaccess", "htaccess"),
            ("CON.png", "_CON.png"),
            ("aux", "_aux"),
            ("console.png", "console.png"),
            ("", "id"),
            ("...", "id"),
            ("a\u{202e}gnp.exe", "agnp.exe"),
        ] {
            let expected = cleaned.trim_start_matches('.');
            assert_eq!(clean(name, "id", 200), expected, "{name:?}");
        }
        let long = clean(&format!("{}.jpeg", "图".repeat(100)), "id", 200);
        assert!(long.len() <= 200 && long.ends_with("图.jpeg"), "{long}");
    }

    #[test]
    fn a_day_files_a_picture_and_its_type_says_how_it_ends() {
        for (name, kind, media_type, taken, path) in [
            (
                "a.jpg",
                "image",
                "image/jpeg",
                Some("2024-05-01T09:15:00+08:00"),
                "images/2024-05-01/a.jpg",
            ),
            ("a.JPEG", "image", "image/jpeg", None, "no_date/a.JPEG"),
            ("a.png", "image", "image/jpeg", None, "no_date/a.png.jpg"),
            (
                "v",
                "video",
                "video/mp4",
                Some("2024-05-01T23:00:00Z"),
                "videos/2024-05-01/v.mp4",
            ),
        ] {
            let json = serde_json::json!({ "id": "7h9KzQm2xRfW", "url": "u", "album": null, "width": null, "height": null,
                "name": name, "kind": kind, "media_type": media_type, "taken_at": taken });
            let image: Image = serde_json::from_value(json).unwrap();
            let [nice, unique] = candidates(Layout::ByDate, &image, None);
            assert_eq!(nice, path);
            assert!(unique.contains(" (7h9KzQm2xRfW)."));
        }
    }
}
