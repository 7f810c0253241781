//! The fields of images and albums in bodies of JSON, each read by its own rule.

use domain::{Expiry, FileName, Policy, Refusal, Visibility, hotlink::Level};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// As long as a field of text in a form may be.
const LONGEST_TEXT_BYTES: usize = 16 << 10;
/// A policy is a handful of rules.
const LONGEST_POLICY_BYTES: usize = 16 << 10;
const LONGEST_ALBUM_NAME: usize = 255;

/// A body of JSON that is an object. Names that nobody knows are refused: in a change, a typing error that is passed over
/// silently is the worst answer.
pub(crate) fn object(body: Value, known: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(fields) = body else {
        return Err(Refusal::MalformedBody("expected an object".to_owned()));
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::MalformedBody(format!(
            "unknown field {name:?}; known are {}",
            known.join(", ")
        ))),
        None => Ok(fields),
    }
}

pub(crate) fn invalid(field: &'static str, reason: &str) -> Refusal {
    Refusal::InvalidField {
        field,
        reason: reason.to_owned(),
    }
}

fn text<'a>(field: &'static str, value: &'a Value) -> Result<&'a str, Refusal> {
    let text = value.as_str().ok_or_else(|| invalid(field, "expected text"))?;
    if text.contains('\0') {
        return Err(invalid(field, "it holds a NUL character"));
    }
    Ok(text)
}

/// The name of an image.
pub(crate) fn file_name(value: &Value) -> Result<FileName, Refusal> {
    let sent = text("name", value)?;
    if sent.trim().is_empty() {
        return Err(invalid("name", "it is empty"));
    }
    Ok(FileName::clean(sent, "image"))
}

/// The name of an album.
pub(crate) fn album_name(value: &Value) -> Result<String, Refusal> {
    let name = text("name", value)?.trim();
    if name.is_empty() || name.chars().count() > LONGEST_ALBUM_NAME || name.chars().any(char::is_control) {
        return Err(invalid("name", "expected 1 to 255 characters on one line"));
    }
    Ok(name.to_owned())
}

/// The words about an image or an album.
pub(crate) fn description(value: &Value) -> Result<String, Refusal> {
    let description = text("description", value)?;
    if description.len() > LONGEST_TEXT_BYTES {
        return Err(invalid("description", "it is longer than 16 KiB"));
    }
    Ok(description.to_owned())
}

/// The number of an album, as a number or as text.
pub(crate) fn album(value: &Value) -> Result<i64, Refusal> {
    let number = value
        .as_i64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.ok_or_else(|| invalid("album", "expected the number of an album"))
}

/// When something ends: an instant to come, or null for never.
pub(crate) fn expiry(value: &Value, now: Timestamp) -> Result<Expiry, Refusal> {
    if value.is_null() {
        return Ok(Expiry::Never);
    }
    let at = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let at = at.ok_or_else(|| {
        invalid(
            "expires_at",
            "expected a time as 2027-01-01T00:00:00Z, or null for never",
        )
    })?;
    if at <= now {
        return Err(invalid(
            "expires_at",
            "it is past; to end an image now, withdraw it",
        ));
    }
    Ok(Expiry::At(at))
}

/// Who may see an image.
pub(crate) fn visibility(value: &Value) -> Result<Visibility, Refusal> {
    let word = text("visibility", value)?;
    word.parse()
        .map_err(|error: domain::InvalidVisibility| invalid("visibility", &error.to_string()))
}

/// A policy for this level: an object, or null for the level above.
pub(crate) fn policy(level: Level, value: Value) -> Result<Option<Value>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    if value.to_string().len() > LONGEST_POLICY_BYTES {
        return Err(invalid("policy", "it is longer than 16 KiB"));
    }
    let policy = Policy::read(level, value).map_err(|error| invalid("policy", &error.to_string()))?;
    // As it was understood: hosts in punycode, nothing that means nothing. So it holds no NUL, either, which Postgres would not keep.
    serde_json::to_value(policy)
        .map(Some)
        .map_err(|error| invalid("policy", &error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_has_its_rule() {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        for (good, outcome) in [
            (true, file_name(&json!("a/b.png")).map(drop)),
            (false, file_name(&json!(" ")).map(drop)),
            (false, file_name(&json!(7)).map(drop)),
            (false, file_name(&json!("a\0.png")).map(drop)),
            (true, album_name(&json!(" 假日 ")).map(drop)),
            (false, album_name(&json!("")).map(drop)),
            (false, album_name(&json!("a\nb")).map(drop)),
            (false, album_name(&json!("x".repeat(256))).map(drop)),
            (true, description(&json!("")).map(drop)),
            (false, description(&json!(null)).map(drop)),
            (false, description(&json!("x".repeat(20_000))).map(drop)),
            (true, album(&json!("7")).map(drop)),
            (false, album(&json!(1.5)).map(drop)),
            (true, expiry(&json!(null), now).map(drop)),
            (true, expiry(&json!("2026-11-21T00:00:01Z"), now).map(drop)),
            (false, expiry(&json!("2026-11-21T00:00:00Z"), now).map(drop)),
            (false, expiry(&json!("soon"), now).map(drop)),
            (false, visibility(&json!("secret")).map(drop)),
            (true, policy(Level::Image, json!({ "hotlink": {} })).map(drop)),
            (false, policy(Level::Image, json!([])).map(drop)),
            (false, policy(Level::Image, json!({ "a": "\0" })).map(drop)),
            (
                false,
                policy(Level::Image, json!({ "visibility": "private" })).map(drop),
            ),
            (
                true,
                policy(Level::Album, json!({ "visibility": "private" })).map(drop),
            ),
        ] {
            assert_eq!(outcome.is_ok(), good, "{outcome:?}");
        }
        assert!(object(json!({ "nmae": 1 }), &["name"]).is_err());
        assert!(object(json!([]), &["name"]).is_err());
    }
}
