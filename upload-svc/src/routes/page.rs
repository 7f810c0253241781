//! Which page of a list of accounts, tokens or events is asked for: `limit`, and `after` as the page before said in `next`.

use domain::Refusal;
use serde_json::{Value, json};

/// Entries of a page when nothing is said.
const USUAL: usize = 50;
/// Entries of a page at most.
const MOST: usize = 200;

/// One page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Entries at most.
    pub(crate) limit: usize,
    /// The id of the last entry of the page before.
    pub(crate) after: Option<i64>,
}

impl Page {
    /// Reads `limit` and `after` out of a query.
    pub(crate) fn of(query: &str) -> Result<Self, Refusal> {
        let mut page = Self {
            limit: USUAL,
            after: None,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                // As in the list of images: an empty value is none.
                _ if value.is_empty() => {}
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    page.limit = limit.ok_or_else(|| Refusal::InvalidField {
                        field: "limit",
                        reason: format!("expected a number from 1 to {MOST}"),
                    })?;
                }
                "after" => {
                    let after = value.parse().map_err(|_| Refusal::InvalidField {
                        field: "after",
                        reason: "expected what `next` said".to_owned(),
                    })?;
                    page.after = Some(after);
                }
                _ => {}
            }
        }
        Ok(page)
    }

    /// How many entries to ask for: one more than the page holds, to learn whether another page follows.
    pub(crate) fn ask(self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX - 1) + 1
    }

    /// Cuts what was found to the page, and gives `next`: the last entry's id if more follow, else null.
    pub(crate) fn cut<T>(self, entries: &mut Vec<T>, id: impl Fn(&T) -> i64) -> Value {
        if entries.len() <= self.limit {
            return Value::Null;
        }
        entries.truncate(self.limit);
        entries
            .last()
            .map_or(Value::Null, |last| json!(id(last).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_from_the_query() {
        for (query, expected) in [
            ("", Some((50, None))),
            ("limit=1", Some((1, None))),
            ("limit=200&after=17", Some((200, Some(17)))),
            ("kind=upload", Some((50, None))),
            ("limit=0", None),
            ("limit=201", None),
            ("limit=many", None),
            ("limit=&after=", Some((50, None))),
            ("after=x", None),
        ] {
            let page = Page::of(query).ok().map(|page| (page.limit, page.after));
            assert_eq!(page, expected, "{query}");
        }
    }

    #[test]
    fn the_next_page_begins_after_the_last_entry() {
        let page = Page {
            limit: 2,
            after: None,
        };
        let (mut more, mut all) = (vec![9, 8, 7], vec![9, 8]);
        assert_eq!(page.cut(&mut more, |id| *id), json!("8"));
        assert_eq!(more, [9, 8]);
        assert_eq!(page.cut(&mut all, |id| *id), Value::Null);
    }
}
