use serde_json::{Map, Value, json};

/// One JSON Schema (2020-12), and whether the object it stands in may do without it.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    json: Map<String, Value>,
    optional: bool,
}

/// Text.
pub(super) fn text() -> Schema {
    Schema::of("string")
}

/// A whole number that fits into 64 bits.
pub(super) fn integer() -> Schema {
    Schema::of("integer").with("format", "int64")
}

/// A whole number from 0 on.
pub(super) fn count() -> Schema {
    integer().least(0)
}

/// A number that may have a fraction.
pub(super) fn decimal() -> Schema {
    Schema::of("number")
}

/// True or false.
pub(super) fn truth() -> Schema {
    Schema::of("boolean")
}

/// An instant, as RFC 3339 writes it.
pub(super) fn instant() -> Schema {
    text().with("format", "date-time").example("2026-11-21T08:30:00Z")
}

/// The number of an album, token or user.
pub(super) fn number() -> Schema {
    integer().least(1)
}

/// An object whose members nobody here knows.
pub(super) fn any_object() -> Schema {
    Schema::of("object").with("additionalProperties", true)
}

/// Bytes of a file in a form or as a body.
pub(super) fn bytes() -> Schema {
    text().with("format", "binary")
}

/// One of these words.
pub(super) fn one_of(words: &[&str]) -> Schema {
    text().with("enum", words)
}

/// A list.
pub(super) fn list_of(items: Schema) -> Schema {
    Schema::of("array").with("items", items.json)
}

/// Any of these.
pub(super) fn either(schemas: Vec<Schema>) -> Schema {
    let all: Vec<Value> = schemas
        .into_iter()
        .map(|schema| Value::Object(schema.json))
        .collect();
    Schema::new(json!({ "oneOf": all }))
}

/// A schema of `components/schemas`.
pub(super) fn refer_to(name: &str) -> Schema {
    Schema::new(json!({ "$ref": format!("#/components/schemas/{name}") }))
}

/// An object with these members. All of them are there, but those that are [`Schema::optional`].
pub(super) fn object(members: Vec<(&str, Schema)>) -> Schema {
    let required: Vec<&str> = members
        .iter()
        .filter(|(_, schema)| !schema.optional)
        .map(|(name, _)| *name)
        .collect();
    let mut object = Schema::of("object");
    if !required.is_empty() {
        object = object.with("required", required);
    }
    let properties: Map<String, Value> = members
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), Value::Object(schema.json)))
        .collect();
    object.with("properties", properties)
}

impl Schema {
    fn new(json: Value) -> Self {
        let json = match json {
            Value::Object(json) => json,
            _ => Map::new(),
        };
        Self {
            json,
            optional: false,
        }
    }

    fn of(kind: &str) -> Self {
        Self::new(json!({ "type": kind }))
    }

    /// Any other keyword.
    pub(super) fn with(mut self, keyword: &str, value: impl Into<Json>) -> Self {
        self.json.insert(keyword.to_owned(), value.into().0);
        self
    }

    /// What it means, in Markdown.
    pub(super) fn about(self, words: &str) -> Self {
        self.with("description", words)
    }

    /// What it may look like. The examples of bodies are put together from these.
    pub(super) fn example(self, value: impl Into<Json>) -> Self {
        self.with("examples", Value::Array(vec![value.into().0]))
    }

    /// Null will do, too.
    pub(super) fn or_null(mut self) -> Self {
        if let Some(kind) = self.json.get("type").cloned() {
            return self.with("type", Value::Array(vec![kind, json!("null")]));
        }
        let about = self.json.remove("description");
        let or = either(vec![self, Self::of("null")]);
        match about.as_ref().and_then(Value::as_str) {
            Some(words) => or.about(words),
            None => or,
        }
    }

    /// It may be left out.
    pub(super) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// What it is when left out.
    pub(super) fn default(self, value: impl Into<Json>) -> Self {
        self.with("default", value).optional()
    }

    pub(super) fn least(self, least: i64) -> Self {
        self.with("minimum", Value::from(least))
    }

    pub(super) fn most(self, most: i64) -> Self {
        self.with("maximum", Value::from(most))
    }

    /// Its longest, in characters.
    pub(super) fn longest(self, characters: usize) -> Self {
        self.with("maxLength", Value::from(characters))
    }

    /// Its shortest, in characters.
    pub(super) fn shortest(self, characters: usize) -> Self {
        self.with("minLength", Value::from(characters))
    }

    /// The regular expression that it fits (ECMA-262).
    pub(super) fn pattern(self, pattern: &str) -> Self {
        self.with("pattern", pattern)
    }

    pub(super) fn into_json(self) -> Value {
        Value::Object(self.json)
    }
}

/// A value of a keyword.
pub(super) struct Json(Value);

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(json!(text))
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Self {
        Self(json!(truth))
    }
}

impl From<f64> for Json {
    fn from(number: f64) -> Self {
        Self(json!(number))
    }
}

impl From<i32> for Json {
    fn from(number: i32) -> Self {
        Self(json!(number))
    }
}

impl From<&[&str]> for Json {
    fn from(words: &[&str]) -> Self {
        Self(json!(words))
    }
}

impl From<Vec<&str>> for Json {
    fn from(words: Vec<&str>) -> Self {
        Self(json!(words))
    }
}

impl From<Map<String, Value>> for Json {
    fn from(object: Map<String, Value>) -> Self {
        Self(Value::Object(object))
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
