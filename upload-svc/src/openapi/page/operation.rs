use http_kit::{Language, escape_html};
use serde_json::Value;

use super::{
    example::{curl, example, resolved},
    fields::{Notable, fields, row, type_words},
    html::{inline, pretty, words},
};

/// One operation: what it does at the left, how to ask and what comes back at the right.
pub(super) fn article(
    document: &Value,
    method: &str,
    path: &str,
    operation: &Value,
    language: Language,
) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let id = text(&operation["operationId"]);
    format!(
        "<article id=\"{id}\"><div class=tell><h3><a href=\"#{id}\">{summary}</a></h3>\
         <p class=line><b class=\"m {method}\">{upper}</b> <code class=path>{path}</code></p>{access}{about}{path_and_query}{body}{headers}{problems}</div>\
         <div class=show>{ask}{answers}</div></article>",
        summary = inline(text(&operation["summary"])),
        upper = method.to_uppercase(),
        path = in_parts(path),
        access = access(operation, language),
        about = words(text(&operation["description"])),
        path_and_query = parameters(
            document,
            operation,
            &[
                ("path", t("In the path", "路径参数")),
                ("query", t("In the query", "查询参数"))
            ],
            language
        ),
        headers = parameters(
            document,
            operation,
            &[("header", t("Header fields", "请求头"))],
            language
        ),
        body = body(document, operation, language),
        problems = problems(document, operation, language),
        ask = code(
            t("Ask", "请求"),
            &escape_html(&curl(document, method, path, operation)),
            language
        ),
        answers = answers(document, operation, language),
    )
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A path with its parameters marked, and a place to break after each slash.
fn in_parts(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix('{') {
        Some(_) => format!("<i>{}</i>", escape_html(part)),
        None => escape_html(part),
    });
    parts.collect::<Vec<_>>().join("/<wbr>")
}

/// Who may do it.
fn access(operation: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let scope = operation["security"][0]["bearer"][0].as_str();
    let scope = scope.map(|scope| {
        format!(
            "<span class=chip>{} <b>{}</b></span>",
            t("scope", "权限"),
            escape_html(scope)
        )
    });
    let reach = match text(&operation["x-berth-access"]) {
        "anyone" => t("anyone", "任何人"),
        "known" => t("any credential", "任意凭证"),
        "own" => t("your own", "仅自己的"),
        "own-or-admin" => t(
            "your own; administrators: everybody's",
            "自己的；管理员可及所有人的",
        ),
        _ => t("administrators", "管理员"),
    };
    let scope = scope.unwrap_or_default();
    let album = match text(&operation["x-berth-album-token"]) {
        "its-album" => t("a token of an album: what lies in it", "相册令牌：仅限该相册内"),
        "nothing" => t("not with a token of an album", "相册令牌不可用"),
        _ => "",
    };
    let album = if album.is_empty() {
        String::new()
    } else {
        format!("<span class=chip>{album}</span>")
    };
    format!("<p class=chips>{scope}<span class=chip>{reach}</span>{album}</p>")
}

/// The parameters that stand in some places, each with its title.
fn parameters(document: &Value, operation: &Value, places: &[(&str, &str)], language: Language) -> String {
    let mut html = String::new();
    for (place, title) in places {
        let all = operation["parameters"].as_array().into_iter().flatten();
        let all = all.map(|parameter| resolved(document, parameter));
        let rows: Vec<String> = all
            .filter(|parameter| parameter["in"] == *place)
            .map(|parameter| {
                let is_required = *place != "path" && parameter["required"] == true;
                let note = is_required.then_some(language.pick("required", "必填"));
                let schema = &parameter["schema"];
                row(
                    document,
                    text(&parameter["name"]),
                    schema,
                    text(&parameter["description"]),
                    note,
                    language,
                )
            })
            .collect();
        if !rows.is_empty() {
            html.push_str(&format!("<h4>{title}</h4><dl>{}</dl>", rows.concat()));
        }
    }
    html
}

fn body(document: &Value, operation: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let mut html = String::new();
    let content = operation["requestBody"]["content"].as_object();
    for (media_type, content) in content.into_iter().flatten() {
        let title = format!(
            "<h4>{} <code>{}</code></h4>",
            t("Body", "请求体"),
            escape_html(media_type)
        );
        let schema = resolved(document, &content["schema"]);
        let inside = if schema["properties"].is_object() {
            fields(document, schema, Notable::Required, language)
        } else {
            format!("<p class=type>{}</p>", type_words(document, schema, language))
        };
        html.push_str(&title);
        html.push_str(&inside);
    }
    html
}

fn answers(document: &Value, operation: &Value, language: Language) -> String {
    let mut html = String::new();
    let mut shown = Vec::new();
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if response["$ref"].is_string() {
            continue;
        }
        let title = format!(
            "<b class=ok>{status}</b> {}",
            inline(text(&response["description"]))
        );
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() || shown.contains(&schema) {
            let same = if schema.is_null() {
                ""
            } else {
                language.pick(" The same form.", "结构同上。")
            };
            html.push_str(&format!("<p class=bare>{title}{same}</p>"));
        } else {
            let inside = pretty(&example(document, schema));
            html.push_str(&code(&title, &inside, language));
            shown.push(schema);
        }
    }
    html
}

/// A block of code that can be copied. Both texts are HTML.
pub(super) fn code(title: &str, inside: &str, language: Language) -> String {
    let copy = language.pick("Copy", "复制");
    let done = language.pick("Copied", "已复制");
    format!(
        "<figure><figcaption><span>{title}</span><button type=button data-done=\"{done}\" hidden>{copy}</button></figcaption>\
         <pre tabindex=0><code>{inside}</code></pre></figure>"
    )
}

fn problems(document: &Value, operation: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let mut rows = String::new();
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if response["$ref"].is_null() {
            continue;
        }
        let response = resolved(document, response);
        let codes = &response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"];
        let codes = codes.as_array().into_iter().flatten().map(text);
        let codes: Vec<String> = codes
            .map(|code| format!("<a href=\"#problem-{code}\"><code>{code}</code></a>"))
            .collect();
        rows.push_str(&format!("<dt>{status}</dt><dd>{}</dd>", codes.join(" ")));
    }
    format!(
        "<details><summary>{}</summary><dl class=problems>{rows}</dl></details>",
        t("Problems", "可能的错误")
    )
}
