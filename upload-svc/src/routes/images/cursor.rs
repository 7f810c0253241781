//! The `next` of a list of images: where the page ended, and which list it was a page of.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{ImageFilter, ImagePosition, ImageSort, SortKey};
use domain::ImageRefusal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bumped when the shape or the meaning changes: an old cursor is then refused, not misread.
const VERSION: u8 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    v: u8,
    /// Which list.
    list: String,
    key: Key,
    id: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    Uploaded(jiff::Timestamp),
    Taken(Option<jiff::Timestamp>),
    Name(String),
    Size(i64),
}

/// What makes a list the same list: the caller's view of it, its order and its filters. `limit` may change from page to page.
pub(super) fn list_of(owner: Option<i64>, filter: &ImageFilter, sort: ImageSort) -> String {
    let digest = Sha256::digest(format!("{owner:?} {filter:?} {sort:?}"));
    URL_SAFE_NO_PAD.encode(&digest[..9])
}

pub(super) fn write(list: &str, position: ImagePosition) -> String {
    let cursor = Cursor {
        v: VERSION,
        list: list.to_owned(),
        key: match position.key {
            SortKey::Uploaded(at) => Key::Uploaded(at),
            SortKey::Taken(at) => Key::Taken(at),
            SortKey::Name(name) => Key::Name(name),
            SortKey::Size(bytes) => Key::Size(bytes),
        },
        id: position.id,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

pub(super) fn read(list: &str, sort: ImageSort, text: &str) -> Result<ImagePosition, ImageRefusal> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| ImageRefusal::InvalidCursor)?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| ImageRefusal::InvalidCursor)?;
    if cursor.v != VERSION {
        return Err(ImageRefusal::InvalidCursor);
    }
    if cursor.list != list {
        return Err(ImageRefusal::CursorMismatch);
    }
    // SECURITY: a cursor is not signed; it can move its reader within their own list only. Its key must be of the kind that
    // the statement compares with.
    let key = match (sort, cursor.key) {
        (ImageSort::Newest | ImageSort::Oldest, Key::Uploaded(at)) => SortKey::Uploaded(at),
        (ImageSort::Taken, Key::Taken(at)) => SortKey::Taken(at),
        (ImageSort::Name, Key::Name(name)) if !name.contains('\0') => SortKey::Name(name),
        (ImageSort::Size, Key::Size(bytes)) => SortKey::Size(bytes),
        _ => return Err(ImageRefusal::InvalidCursor),
    };
    Ok(ImagePosition { key, id: cursor.id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_list_and_in_no_other() {
        let filter = ImageFilter::default();
        let list = list_of(Some(1), &filter, ImageSort::Name);
        let position = ImagePosition {
            key: SortKey::Name("截图.png".to_owned()),
            id: 7,
        };
        let text = write(&list, position.clone());
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        );
        assert_eq!(read(&list, ImageSort::Name, &text), Ok(position));

        let narrower = ImageFilter {
            album_id: Some(3),
            ..ImageFilter::default()
        };
        for other in [
            list_of(Some(2), &filter, ImageSort::Name),
            list_of(None, &filter, ImageSort::Name),
            list_of(Some(1), &narrower, ImageSort::Name),
            list_of(Some(1), &filter, ImageSort::Size),
        ] {
            assert_eq!(
                read(&other, ImageSort::Name, &text),
                Err(ImageRefusal::CursorMismatch)
            );
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let list = list_of(Some(1), &ImageFilter::default(), ImageSort::Newest);
        let of_another_kind = write(
            &list,
            ImagePosition {
                key: SortKey::Size(1),
                id: 1,
            },
        );
        let newer = URL_SAFE_NO_PAD.encode(format!(r#"{{"v":2,"list":"{list}","key":{{"size":1}},"id":1}}"#));
        for text in ["", "17", "%%%", &of_another_kind, &newer] {
            assert_eq!(
                read(&list, ImageSort::Newest, text),
                Err(ImageRefusal::InvalidCursor),
                "{text}"
            );
        }
    }
}
