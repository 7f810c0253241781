use serde_json::{Map, Value, json};

/// Follows a reference; what is none stays.
pub(super) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    reference
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(schema)
}

/// What a value of this schema may look like, put together from the examples of its parts. Members that may be left out and have no
/// example are left out.
pub(super) fn example(document: &Value, schema: &Value) -> Value {
    if let Some(first) = schema["examples"].get(0) {
        return first.clone();
    }
    let schema = resolved(document, schema);
    if let Some(first) = schema["examples"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["oneOf"].get(0) {
        return example(document, first);
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("object") => Value::Object(members(document, schema)),
        Some("array") => json!([example(document, &schema["items"])]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("string") => json!("…"),
        _ => Value::Null,
    }
}

fn members(document: &Value, schema: &Value) -> Map<String, Value> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .filter(|(name, schema)| is_required(name) || !schema["examples"].is_null())
        .map(|(name, schema)| (name.clone(), example(document, schema)))
        .collect()
}

/// A line for a shell that does the operation, with the real address.
pub(super) fn curl(document: &Value, method: &str, path: &str, operation: &Value) -> String {
    let parameters = || {
        let all = operation["parameters"].as_array().into_iter().flatten();
        all.map(|parameter| resolved(document, parameter))
    };
    let mut url = format!(
        "{}{path}",
        document["servers"][0]["url"].as_str().unwrap_or_default()
    );
    for parameter in parameters().filter(|parameter| parameter["in"] == "path") {
        let value = example(document, &parameter["schema"]);
        let name = format!("{{{}}}", parameter["name"].as_str().unwrap_or_default());
        url = url.replace(&name, &plain(&value));
    }
    if let Some(parameter) = parameters().find(|parameter| !parameter["example"].is_null()) {
        let (name, value) = (
            parameter["name"].as_str().unwrap_or_default(),
            plain(&parameter["example"]),
        );
        url = format!("{url}?{name}={value}");
    }
    let mut parts = vec!["curl".to_owned()];
    match method {
        "get" | "post" => {}
        "head" => parts.push("--head".to_owned()),
        other => parts.push(format!("-X {}", other.to_uppercase())),
    }
    let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
    if !is_open {
        parts.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
    }
    for parameter in
        parameters().filter(|parameter| parameter["in"] == "header" && parameter["required"] == true)
    {
        let value = plain(&example(document, &parameter["schema"]));
        parts.push(format!(
            "-H '{}: {value}'",
            parameter["name"].as_str().unwrap_or_default()
        ));
    }
    let body = body(operation);
    if body.is_empty() && method == "post" {
        parts.push("-X POST".to_owned());
    }
    parts.extend(body);
    parts.push(url);
    parts.join(" \\\n  ").replacen("curl \\\n  -", "curl -", 1)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The arguments that send a body.
fn body(operation: &Value) -> Vec<String> {
    let content = operation["requestBody"]["content"].as_object();
    let Some((media_type, content)) = content.and_then(|content| content.iter().next()) else {
        return Vec::new();
    };
    match media_type.as_str() {
        "multipart/form-data" => vec!["-F file=@sunset.jpg".to_owned()],
        "application/json" => {
            let text = format!("{:#}", content["example"]).replace('\'', "'\\''");
            vec![
                "-H 'Content-Type: application/json'".to_owned(),
                format!("-d '{text}'"),
            ]
        }
        other => vec![
            format!("-H 'Content-Type: {other}'"),
            "--data-binary @sunset.jpg".to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use http_kit::Language;

    use super::*;

    #[test]
    fn lines_for_a_shell_name_the_real_address() {
        let document = crate::openapi::document("https://img.example", Language::En);
        let line = |method: &str, path: &str| curl(&document, method, path, &document["paths"][path][method]);
        assert_eq!(
            line("get", "/v1/images/{id}"),
            "curl -H \"Authorization: Bearer $TOKEN\" \\\n  https://img.example/v1/images/7h9KzQm2xRfW"
        );
        assert!(line("post", "/v1/images").contains("-F file=@sunset.jpg"));
        assert!(line("post", "/v1/images/{id}/restore").contains("-X POST"));
        assert!(!line("post", "/v1/session").contains("Bearer"));
        assert!(line("patch", "/v1/albums/{id}").starts_with("curl -X PATCH"));
    }

    #[test]
    fn an_example_has_every_member_that_must_be_there() {
        let document = crate::openapi::document("https://img.example", Language::En);
        let image = example(&document, &json!({ "$ref": "#/components/schemas/Image" }));
        assert_eq!(image["id"], "7h9KzQm2xRfW");
        assert!(image["expires_at"].is_string() && image["taken_at"].is_null());
    }
}
