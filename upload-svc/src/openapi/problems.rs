use std::{collections::BTreeMap, sync::LazyLock};

use http_kit::Language;
use serde_json::{Map, Value, json};

use super::operation::Operation;

/// The table of codes is the one that people read: a code that is not there can't be in the document.
const TABLE: &str = include_str!("../../../docs/ERRORS.md");

/// One row of docs/ERRORS.md.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) code: &'static str,
    pub(super) status: u16,
    english: &'static str,
    chinese: &'static str,
}

impl Row {
    pub(super) fn words(&self, language: Language) -> &'static str {
        language.pick(self.english, self.chinese)
    }
}

static ROWS: LazyLock<BTreeMap<&'static str, Row>> =
    LazyLock::new(|| TABLE.lines().filter_map(row).map(|row| (row.code, row)).collect());

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    Some(Row {
        code: cells.next()?.strip_suffix('`')?,
        status: cells.next()?.parse().ok()?,
        english: cells.next()?,
        chinese: cells.next()?.trim_end_matches('|').trim(),
    })
}

/// The row of a code.
pub(super) fn find(code: &str) -> Option<&'static Row> {
    ROWS.get(code)
}

/// The answers of an operation that say no: a reference a status. Those that many operations share stand in `shared`, by their codes.
pub(super) fn answers(
    operation: &Operation,
    language: Language,
    shared: &mut Map<String, Value>,
) -> Vec<(u16, Value)> {
    let mut by_status: BTreeMap<u16, Vec<&'static Row>> = BTreeMap::new();
    for row in operation.all_codes().iter().filter_map(|code| find(code)) {
        by_status.entry(row.status).or_default().push(row);
    }
    let refer = |(status, rows): (u16, Vec<&'static Row>)| {
        let codes: Vec<&str> = rows.iter().map(|row| row.code).collect();
        let name = format!("{status}.{}", codes.join("."));
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        shared
            .entry(name)
            .or_insert_with(|| answer(status, &rows, language));
        (status, reference)
    };
    by_status.into_iter().map(refer).collect()
}

fn answer(status: u16, rows: &[&Row], language: Language) -> Value {
    let codes: Vec<&str> = rows.iter().map(|row| row.code).collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| format!("- `{}`: {}", row.code, row.words(language)))
        .collect();
    let examples: Map<String, Value> = rows
        .iter()
        .map(|row| (row.code.to_owned(), json!({ "value": document(row, language) })))
        .collect();
    let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
    match status {
        401 => {
            headers["WWW-Authenticate"] = json!({ "$ref": "#/components/headers/WWW-Authenticate" });
        }
        429 | 503 => headers["Retry-After"] = json!({ "$ref": "#/components/headers/Retry-After" }),
        _ => {}
    }
    json!({
        "description": lines.join("\n"),
        "headers": headers,
        "content": {
            "application/problem+json": {
                "schema": {
                    "$ref": "#/components/schemas/Problem",
                    "properties": { "code": { "enum": codes }, "status": { "const": status } },
                },
                "examples": examples,
            },
        },
    })
}

fn document(row: &Row, language: Language) -> Value {
    json!({
        "type": format!("urn:berth:problem:{}", row.code),
        "title": row.words(language),
        "status": row.status,
        "code": row.code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read_and_stands_there_once() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| line.starts_with("| `")).collect();
        let read: Vec<&str> = lines
            .iter()
            .filter_map(|line| row(line))
            .map(|row| row.code)
            .collect();
        assert_eq!(read.len(), lines.len(), "a row of docs/ERRORS.md can't be read");
        assert_eq!(read.len(), ROWS.len(), "a code stands twice in docs/ERRORS.md");
        assert_eq!(find("quota_exceeded").map(|row| row.status), Some(507));
        assert_eq!(
            find("not_found").map(|row| row.words(Language::Zh)),
            Some("图片不存在")
        );
    }
}
