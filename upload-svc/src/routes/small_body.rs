//! Small bodies: JSON, or a form as a page without scripts sends it.

use bytes::{Buf, Bytes};
use domain::Refusal;
use futures_util::Stream;
use http::{HeaderMap, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Failure;

/// More than any small body needs: a thousand ids, a description.
const LARGEST_BYTES: usize = 256 << 10;

/// Reads a body of JSON, or of `application/x-www-form-urlencoded` where every value is text; an empty one is `{}`.
pub(crate) async fn read_body<T: DeserializeOwned, B: Buf>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, warp::Error>> + Send,
) -> Result<T, Failure> {
    parse_body(headers, &read_bytes(body).await?)
}

/// The bytes of a small body.
pub(super) async fn read_bytes<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>> + Send,
) -> Result<Bytes, Failure> {
    http_kit::read_body(body, LARGEST_BYTES)
        .await
        .map_err(Failure::Body)
}

/// What they say.
pub(super) fn parse_body<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Failure> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = parse(content_type.unwrap_or_default(), bytes)?;

    serde_json::from_value(value).map_err(|error| Refusal::MalformedBody(error.to_string()).into())
}

fn parse(content_type: &str, bytes: &[u8]) -> Result<Value, Refusal> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(bytes);
        let fields: Map<String, Value> = pairs
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        return Ok(Value::Object(fields));
    }
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|error| Refusal::MalformedBody(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn json_and_forms_say_the_same() {
        let expected = json!({ "username": "安 n", "remember": "on" });
        for (content_type, bytes) in [
            ("application/json", r#"{"username":"安 n","remember":"on"}"#),
            ("", r#"{"username":"安 n","remember":"on"}"#),
            (
                "application/x-www-form-urlencoded; charset=utf-8",
                "username=%E5%AE%89+n&remember=on",
            ),
        ] {
            assert_eq!(
                parse(content_type, bytes.as_bytes()).as_ref(),
                Ok(&expected),
                "{content_type}"
            );
        }
        assert_eq!(parse("application/json", b""), Ok(json!({})));
        assert!(parse("application/json", b"{\"a\":").is_err());
        assert!(parse("text/plain", b"username=x").is_err());
    }
}
