use http_kit::{Language, escape_html};
use serde_json::Value;

use super::{html::inline, operation::text};

/// Which members are worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notable {
    /// Those that a client must send.
    Required,
    /// Those that an answer may lack.
    Optional,
}

/// The members of an object, a row each.
pub(super) fn fields(document: &Value, schema: &Value, notable: Notable, language: Language) -> String {
    let required = schema["required"].as_array();
    let rows = schema["properties"].as_object().into_iter().flatten();
    let rows = rows.map(|(name, member)| {
        let is_required = required.is_some_and(|all| all.iter().any(|one| one == name));
        let note = match notable {
            Notable::Required if is_required => Some(language.pick("required", "必填")),
            Notable::Optional if !is_required => Some(language.pick("not always", "不一定有")),
            _ => None,
        };
        row(
            document,
            name,
            member,
            text(&member["description"]),
            note,
            language,
        )
    });
    format!("<dl>{}</dl>", rows.collect::<Vec<_>>().concat())
}

/// A name, what it holds and what that means.
pub(super) fn row(
    document: &Value,
    name: &str,
    schema: &Value,
    about: &str,
    note: Option<&str>,
    language: Language,
) -> String {
    let note = note.map(|note| format!(" <em>{note}</em>")).unwrap_or_default();
    let about = if about.is_empty() {
        String::new()
    } else {
        format!("<p>{}</p>", inline(about))
    };
    format!(
        "<dt><code>{}</code>{note}</dt><dd><span class=type>{}</span>{about}</dd>",
        escape_html(name),
        type_words(document, schema, language)
    )
}

/// What a value may be, in a few words; shapes that have a name are links.
pub(super) fn type_words(document: &Value, schema: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    if let Some(name) = schema["$ref"].as_str().and_then(|text| text.rsplit('/').next()) {
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    if let Some(all) = schema["oneOf"].as_array() {
        let words: Vec<String> = all
            .iter()
            .map(|one| type_words(document, one, language))
            .collect();
        return words.join(t(" or ", " 或 "));
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().map(|word| match word.as_str() {
            Some(word) => format!("<code>{}</code>", escape_html(word)),
            None => "null".to_owned(),
        });
        return words.collect::<Vec<_>>().join(" ") + &default(schema, language);
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect(),
        kind => vec![text(kind)],
    };
    let words: Vec<String> = kinds
        .iter()
        .map(|kind| kind_words(document, schema, kind, language))
        .collect();
    words.join(t(" or ", " 或 ")) + &bounds(schema, language) + &default(schema, language)
}

fn kind_words(document: &Value, schema: &Value, kind: &str, language: Language) -> String {
    let t = |english: &'static str, chinese| language.pick(english, chinese).to_owned();
    match (kind, text(&schema["format"])) {
        ("string", "date-time") => t("time", "时刻"),
        ("string", "date") => t("day", "日期"),
        ("string", "uri") => "URL".to_owned(),
        ("string", "binary") => t("bytes", "文件内容"),
        ("string", _) => t("text", "文本"),
        ("integer", _) => t("number", "整数"),
        ("boolean", _) => t("true or false", "true 或 false"),
        ("object", _) => t("object", "对象"),
        ("array", _) => {
            let items = type_words(document, &schema["items"], language);
            format!("{} {items}", t("list of", "列表："))
        }
        _ => escape_html(kind),
    }
}

fn bounds(schema: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let range = |least: &Value, most: &Value| match (least.as_i64(), most.as_i64()) {
        (Some(least), Some(most)) => Some(format!("{least}–{most}")),
        (Some(least), None) => Some(format!("≥ {least}")),
        (None, Some(most)) => Some(format!("≤ {most}")),
        (None, None) => None,
    };
    let number = range(&schema["minimum"], &schema["maximum"]).map(|range| format!(" {range}"));
    let length = range(&schema["minLength"], &schema["maxLength"])
        .map(|range| format!(", {range} {}", t("characters", "个字符")));
    let items = range(&schema["minItems"], &schema["maxItems"]).map(|range| format!(", {range}"));
    [number, length, items]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .concat()
}

fn default(schema: &Value, language: Language) -> String {
    let word = language.pick("default", "默认");
    match &schema["default"] {
        Value::Null => String::new(),
        Value::String(text) => format!(", {word} <code>{}</code>", escape_html(text)),
        other => format!(", {word} <code>{other}</code>"),
    }
}
