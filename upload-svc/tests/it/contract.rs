//! Each answer of the native API that any test here gets must be one that the OpenAPI document describes: the status, the type, the shape of
//! the body to its last member, the code of a problem. And what was taken must have been described as something that is taken.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use http_kit::Language;
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};

use crate::server::Answer;

/// What clients add to any query, and what is passed over silently.
const PASSED_OVER: [&str; 6] = ["key", "api_key", "secret", "utm", "token", "strange"];

pub(crate) static CONTRACT: LazyLock<Contract> =
    LazyLock::new(|| Contract::new(upload_svc::openapi::document("https://img.example", Language::En)));

pub(crate) struct Contract {
    pub(crate) document: Value,
    /// `components`, where an object has no members but those that are named.
    strict: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Which members an object may have beside those that are described.
#[derive(Clone, Copy)]
pub(crate) enum Members {
    /// Any: what a client may send, unless the schema says otherwise.
    Any,
    /// None: what we answer is described to its last member.
    Named,
}

/// What was asked, as far as the document speaks of it.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a [&'a str],
    pub(crate) body: &'a [u8],
}

impl Contract {
    fn new(document: Value) -> Self {
        let mut strict = document["components"].clone();
        close(&mut strict);
        Self {
            document,
            strict,
            validators: Mutex::default(),
        }
    }

    /// The template of a path and its operations.
    pub(crate) fn find_path(&self, path: &str) -> Option<(&str, &Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let (wanted, sent): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
            wanted.len() == sent.len()
                && wanted
                    .iter()
                    .zip(&sent)
                    .all(|(wanted, sent)| wanted.starts_with('{') || wanted == sent)
        };
        // A fixed part goes before one that is a parameter.
        let found = paths.iter().filter(|(template, _)| fits(template));
        found
            .min_by_key(|(template, _)| template.matches('{').count())
            .map(|(template, item)| (template.as_str(), item))
    }

    /// Follows a reference; what is none stays.
    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str();
        reference.map_or(value, |reference| self.document.pointer(&reference[1..]).unwrap())
    }

    /// Panics when an exchange is not as described.
    pub(crate) fn check(&self, asked: &Asked<'_>, answer: &Answer) {
        let (path, query) = asked.target.split_once('?').unwrap_or((asked.target, ""));
        if !path.starts_with("/v1/") || asked.method == "OPTIONS" && answer.status == 204 {
            return;
        }
        let shown = format!("{} {}\n{answer:?}", asked.method, asked.target);
        let method = asked.method.to_ascii_lowercase();
        let item = self.find_path(path).map(|(_, item)| item);
        let operation = item.and_then(|item| match &item[&method] {
            Value::Null if method == "head" => item.get("get"),
            Value::Null => None,
            operation => Some(operation),
        });
        let Some(operation) = operation else {
            assert!(
                matches!(answer.status, 404 | 405 | 414 | 429 | 431),
                "the OpenAPI document knows no such operation, and it was answered: {shown}"
            );
            return;
        };
        let name = operation["operationId"].as_str().unwrap();
        self.check_answer(name, operation, &method, answer, &shown);
        if answer.status < 300 {
            self.check_query(name, operation, query, &shown);
            self.check_body(name, operation, asked, &shown);
        }
    }

    fn check_answer(&self, name: &str, operation: &Value, method: &str, answer: &Answer, shown: &str) {
        let status = answer.status.to_string();
        let described = self.resolved(&operation["responses"][&status]);
        assert!(
            !described.is_null(),
            "{name} answers {status}, which its Operation (upload-svc/src/openapi/) does not say: add .answers(…) or the code in .refuses(…)\n{shown}"
        );
        for (header, about) in described["headers"].as_object().into_iter().flatten() {
            let always = ["Retry-After", "WWW-Authenticate", "ETag"];
            assert!(
                !always.contains(&header.as_str()) || answer.header(header).is_some(),
                "{name} answers {status} without {header} ({about}): {shown}"
            );
        }
        let Some(content) = described["content"].as_object().filter(|_| method != "head") else {
            assert!(
                answer.body.is_empty(),
                "{name} answers {status} with a body: {shown}"
            );
            return;
        };
        let sent_type = answer.header("content-type").unwrap_or_default();
        let essence = sent_type.split(';').next().unwrap_or_default();
        let content = content.get(essence);
        let content = content.unwrap_or_else(|| panic!("{name} answers {status} as {essence:?}: {shown}"));
        let key = format!("{name} {status}");
        self.validate(&key, &content["schema"], &answer.json(), Members::Named, shown);
    }

    /// Parameters of a query that were taken must be described, with these values.
    fn check_query(&self, name: &str, operation: &Value, query: &str, shown: &str) {
        for (parameter, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let described = operation["parameters"].as_array().into_iter().flatten();
            let described = described
                .map(|described| self.resolved(described))
                .filter(|described| described["in"] == "query")
                .find(|described| described["name"] == *parameter);
            let Some(described) = described else {
                assert!(
                    PASSED_OVER.contains(&parameter.as_ref()),
                    "{name} takes ?{parameter}=, which its Operation (upload-svc/src/openapi/) does not say: add .query(\"{parameter}\", …)\n{shown}"
                );
                continue;
            };
            // A number or a truth value is text in a query.
            let plain = Value::from(value.clone());
            let read = serde_json::from_str(&value).unwrap_or_else(|_| plain.clone());
            let empty_is_none = value.is_empty();
            let schema = &described["schema"];
            let validator = self.validator(
                &format!("{name} ?{parameter}"),
                schema,
                &self.document["components"],
            );
            assert!(
                empty_is_none
                    || validator.is_valid(&read)
                    || validator.is_valid(&plain)
                    || &*value == "1"
                    || &*value == "0",
                "{name} takes ?{parameter}={value}, which is not as described: {schema}\n{shown}"
            );
        }
    }

    /// A body that was taken must be as described.
    fn check_body(&self, name: &str, operation: &Value, asked: &Asked<'_>, shown: &str) {
        let sent = asked.headers.iter().find_map(|header| {
            let (name, value) = header.split_once(':')?;
            name.eq_ignore_ascii_case("content-type").then(|| value.trim())
        });
        let essence = sent
            .unwrap_or("application/json")
            .split(';')
            .next()
            .unwrap_or_default();
        if asked.body.is_empty() {
            return;
        }
        let content = operation["requestBody"]["content"].as_object();
        let content = content
            .unwrap_or_else(|| panic!("{name} takes a body, which its Operation does not say: {shown}"));
        let Some(content) = content.get(essence) else {
            let any = ["application/octet-stream", "*/*"]
                .iter()
                .any(|kind| content.contains_key(*kind));
            assert!(
                any,
                "{name} takes a body of {essence}, which its Operation does not say: {shown}"
            );
            return;
        };
        if let ("application/json", Ok(body)) = (essence, serde_json::from_slice::<Value>(asked.body)) {
            let key = format!("{name} body");
            self.validate(&key, &content["schema"], &body, Members::Any, shown);
        }
    }

    pub(crate) fn validate(
        &self,
        key: &str,
        schema: &Value,
        instance: &Value,
        members: Members,
        shown: &str,
    ) {
        let mut schema = schema.clone();
        let components = match members {
            Members::Any => &self.document["components"],
            Members::Named => {
                close(&mut schema);
                &self.strict
            }
        };
        let validator = self.validator(key, &schema, components);
        let errors: Vec<String> = validator
            .iter_errors(instance)
            .map(|error| said(&error))
            .collect();
        assert!(
            errors.is_empty(),
            "{key} is not as upload-svc/src/openapi/ describes it (shapes that several operations share stand in schemas.rs there):\n{}{shown}",
            errors.concat()
        );
    }

    fn validator(&self, key: &str, schema: &Value, components: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let compiled = validators.entry(key.to_owned()).or_insert_with(|| {
            let root = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": components,
                "allOf": [schema],
            });
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(
                options
                    .build(&root)
                    .unwrap_or_else(|error| panic!("{key}: {error}")),
            )
        });
        Arc::clone(compiled)
    }
}

/// What is wrong, down to the member; where none of several shapes fits, with each of them.
fn said(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            context.iter().flatten().map(said).collect()
        }
        _ => format!("  {} at {}\n", error.masked(), error.instance_path()),
    }
}

/// Lets no object have members that are not named. The document itself does not say so: a client must bear with members that come later.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let names = |members: &Map<String, Value>| {
                members.contains_key("properties") && !members.contains_key("$ref")
            };
            if names(members) {
                members.entry("additionalProperties").or_insert(json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}
