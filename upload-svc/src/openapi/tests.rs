//! The document and the code say the same.

use std::{collections::BTreeSet, convert::Infallible, fs, path::Path};

use serde_json::Value;
use warp::Filter;

use super::*;
use crate::{
    Service,
    routes::{self, template},
};

/// What a dialect mounts under `/v1`, where it is on: it stands in no table of ours.
const OF_DIALECTS: [(&str, &str); 2] = [
    ("/v1/tokens/{}/sharex.sxcu", "get"),
    ("/v1/tokens/{}/sharex.sxcu", "post"),
];

/// The table of routes, with which nothing is asked.
fn table() -> BTreeSet<(String, String)> {
    let with = || warp::any().and_then(async || -> Result<Service, Infallible> { panic!("nobody asks") });
    let rows = routes::table(&with);
    let count = rows.len();
    let table: BTreeSet<_> = rows
        .into_iter()
        .map(|row| (row.path, row.method.to_owned()))
        .collect();
    assert_eq!(table.len(), count, "a route stands twice in the table");
    let of_dialects = OF_DIALECTS.map(|(path, method)| (path.to_owned(), method.to_owned()));
    table.into_iter().chain(of_dialects).collect()
}

/// `/v1/images/{}` for `/v1/images/{id}`.
fn without_names(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn list(rows: &BTreeSet<&(String, String)>) -> String {
    let lines: Vec<String> = rows
        .iter()
        .map(|(path, method)| format!("  {} {path}\n", method.to_uppercase()))
        .collect();
    lines.concat()
}

#[test]
fn every_route_stands_in_the_document_and_nothing_else_does() {
    let documented: BTreeSet<(String, String)> = operations(Language::En)
        .iter()
        .map(|operation| (without_names(operation.path), operation.method.to_owned()))
        .collect();
    let table = table();
    let missing: BTreeSet<_> = table.difference(&documented).collect();
    assert!(
        missing.is_empty(),
        "these routes are not in the OpenAPI document:\n{}\
         Describe each in the file of its resource under upload-svc/src/openapi/ (a new resource: a new file, a line in `operations` and one in \
         `TAGS` of upload-svc/src/openapi.rs). As a pattern, one of upload-svc/src/openapi/albums.rs:\n\
         \n  get(\"/v1/albums/{{id}}\", \"getAlbum\", t(\"One album\", \"查看相册\"))\
         \n      .access(Access::OwnOrAdmin(Scope::Read))          // whose things, and the scope that it needs\
         \n      .path_part(\"id\", number())                        // .query(…), .header(…), .takes_json(schema, &example)\
         \n      .answers(200, t(\"The album.\", \"相册信息。\"), refer_to(\"Album\"))  // shapes: upload-svc/src/openapi/schemas.rs\
         \n      .refuses(&[\"no_such_album\"])                      // codes of docs/ERRORS.md beyond the usual ones\n",
        list(&missing)
    );
    let surplus: BTreeSet<_> = documented.difference(&table).collect();
    assert!(
        surplus.is_empty(),
        "upload-svc/src/openapi/ describes what no route answers:\n{}Take it out there, or give it its row in upload-svc/src/routes.rs.\n",
        list(&surplus)
    );
}

/// A route that is mounted beside the table would pass the test above.
#[test]
fn every_path_of_the_native_api_in_the_sources_is_a_row_of_the_table() {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                walk(&entry.path(), found);
            } else if entry.file_name() != "tests.rs" && entry.file_name() != "table.rs" {
                let text = fs::read_to_string(entry.path()).unwrap();
                let paths = text
                    .split("path!(\"v1\" / ")
                    .skip(1)
                    .filter_map(|rest| rest.split_once(')'));
                found.extend(paths.map(|(path, _)| template(&format!("\"v1\" / {path}"))));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let table: BTreeSet<String> = table().into_iter().map(|(path, _)| path).collect();
    let found: BTreeSet<String> = found
        .into_iter()
        .filter(|path| path != "/v1/{}" || table.contains(path))
        .collect();
    assert_eq!(
        found, table,
        "mount routes under /v1 as rows (`Row`, upload-svc/src/routes/table.rs) of the table in upload-svc/src/routes.rs"
    );
}

#[test]
fn every_code_of_the_document_stands_in_the_table_of_errors() {
    for operation in operations(Language::En) {
        for code in operation.all_codes() {
            assert!(
                problems::find(code).is_some(),
                "{}: no row for `{code}` in docs/ERRORS.md",
                operation.id
            );
        }
    }
}

#[test]
fn names_are_there_once_and_sections_are_known() {
    let mut names = BTreeSet::new();
    for operation in operations(Language::En) {
        assert!(names.insert(operation.id), "{} stands twice", operation.id);
        assert!(
            TAGS.iter().any(|(tag, _, _)| *tag == operation.tag),
            "{} has no line in TAGS of upload-svc/src/openapi.rs",
            operation.tag
        );
        for part in operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{'))
        {
            let name = part.trim_end_matches('}');
            let told = operation
                .parameters
                .iter()
                .any(|parameter| parameter["in"] == "path" && parameter["name"] == name);
            assert!(
                told,
                "{}: say what {{{name}}} is with .path_part(\"{name}\", …)",
                operation.id
            );
        }
        assert!(
            !operation.answers.is_empty(),
            "{}: say what it answers",
            operation.id
        );
        for link in operation.answers.iter().flat_map(|answer| answer.links.keys()) {
            assert!(
                operations(Language::En).iter().any(|other| other.id == link),
                "{link} is no operation"
            );
        }
    }
}

/// Every `$ref` of a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.insert(reference.clone());
            }
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_both_languages_say_the_same_of_the_same() {
    let [english, chinese] =
        [Language::En, Language::Zh].map(|language| document("https://img.example", language));
    let mut found = BTreeSet::new();
    references(&english, &mut found);
    for reference in &found {
        let pointer = reference.trim_start_matches('#');
        assert!(english.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let names = |document: &Value| -> BTreeSet<String> {
        let components = document["components"].as_object().unwrap().values();
        components
            .flat_map(|all| all.as_object().unwrap().keys().cloned())
            .collect()
    };
    assert_eq!(names(&english), names(&chinese));
    assert!(chinese.to_string().contains("上传 1 到 50 个文件"));
}
