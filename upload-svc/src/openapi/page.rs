//! `/docs`: the document as a page for people. It loads nothing, and all of its script is the copy button.

mod example;
mod fields;
mod html;
mod operation;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_kit::{Language, escape_html};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use example::{example, resolved};
use fields::{Notable, fields};
use html::{inline, pretty, words};
use operation::{article, code, text};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/copy.js");
const BOAT: &str = include_str!("page/boat.svg");

/// SECURITY: nothing is loaded, framed or sent; the one style and the one script are those of this page, to the byte.
pub(super) fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Every operation of the document, in its order: method, path, operation.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(|(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// The page.
pub(super) fn page(document: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let other = t(
        "<a href=\"?lang=zh\" lang=zh hreflang=zh>中文</a>",
        "<a href=\"?lang=en\" lang=en hreflang=en>English</a>",
    );
    let contents = contents(document, language);
    format!(
        "<!doctype html><html lang=\"{tag}\"><head><meta charset=utf-8><meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\"><title>{title}</title><style>{STYLE}</style></head><body>\
         <a class=skip href=\"#main\">{skip}</a>\
         <header><a class=home href=\"#top\">{BOAT}<b>berth</b> <span>API {version}</span></a><nav class=links>\
         <a href=\"/openapi.json\">openapi.json</a>{other}</nav></header>\
         <nav class=side id=top aria-label=\"{contents_title}\">{contents}</nav>\
         <main id=main><details class=fold><summary>{contents_title}</summary>{contents}</details>{intro}{sections}{shapes}{problems}</main>\
         <script>{SCRIPT}</script></body></html>\n",
        tag = language.tag(),
        title = t("berth: the API", "berth：API 文档"),
        skip = t("Skip to the content", "跳到正文"),
        version = escape_html(text(&document["info"]["version"])),
        contents_title = t("Contents", "目录"),
        intro = intro(document, language),
        sections = sections(document, language),
        shapes = shapes(document, language),
        problems = problems(document, language),
    )
}

fn contents(document: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let mut html = format!(
        "<a class=top href=\"#credentials\">{}</a>",
        t("Credentials", "凭证")
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let links = operations(document).filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
        let links = links.map(|(method, _, operation)| {
            let (id, summary) = (
                text(&operation["operationId"]),
                inline(text(&operation["summary"])),
            );
            format!(
                "<li><a href=\"#{id}\"><b class=\"m {method}\">{}</b><span>{summary}</span></a></li>",
                short(method)
            )
        });
        let links = links.collect::<Vec<_>>().concat();
        let (name, title) = (
            escape_html(text(&tag["name"])),
            escape_html(text(&tag["description"])),
        );
        html.push_str(&format!(
            "<h2><a href=\"#section-{name}\">{title}</a></h2><ul>{links}</ul>"
        ));
    }
    html.push_str(&format!(
        "<a class=top href=\"#shapes\">{}</a><a class=top href=\"#problems\">{}</a>",
        t("Shapes", "数据结构"),
        t("Problems", "错误代码")
    ));
    html
}

/// A method as it fits into a narrow column.
fn short(method: &str) -> String {
    match method {
        "delete" => "DEL".to_owned(),
        "options" => "OPT".to_owned(),
        other => other.to_uppercase(),
    }
}

fn intro(document: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let base_url = escape_html(text(&document["servers"][0]["url"]));
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .into_iter()
        .flatten();
    let rows = schemes.map(|(_, scheme)| {
        let how = match (text(&scheme["type"]), text(&scheme["in"])) {
            ("http", _) => "Authorization: Bearer …".to_owned(),
            ("apiKey", "cookie") => format!("Cookie: {}=…", text(&scheme["name"])),
            _ => format!("{}: …", text(&scheme["name"])),
        };
        format!(
            "<dt><code>{}</code></dt><dd>{}</dd>",
            escape_html(&how),
            words(text(&scheme["description"]))
        )
    });
    let rows = rows.collect::<Vec<_>>().concat();
    let line = format!(
        "export TOKEN=berth_…\ncurl -H \"Authorization: Bearer $TOKEN\" \\\n  -F file=@sunset.jpg \\\n  {base_url}/v1/images"
    );
    format!(
        "<section class=intro><div class=tell><h1>{title}</h1>{about}</div><div class=show>{first}</div></section>\
         <section id=credentials><h2>{credentials}</h2><dl class=ways>{rows}</dl></section>",
        title = t("The API of this berth", "本站 API"),
        about = words(text(&document["info"]["description"])),
        first = code(t("A first upload", "第一次上传"), &line, language),
        credentials = t("Credentials", "凭证"),
    )
}

fn sections(document: &Value, language: Language) -> String {
    let mut html = String::new();
    for tag in document["tags"].as_array().into_iter().flatten() {
        let (name, title) = (
            escape_html(text(&tag["name"])),
            escape_html(text(&tag["description"])),
        );
        html.push_str(&format!("<section id=\"section-{name}\"><h2>{title}</h2>"));
        let those = operations(document).filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
        for (method, path, operation) in those {
            html.push_str(&article(document, method, path, operation, language));
        }
        html.push_str("</section>");
    }
    html
}

fn shapes(document: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let mut html = format!("<section id=shapes><h2>{}</h2>", t("Shapes", "数据结构"));
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let inside = if schema["properties"].is_object() {
            fields(document, schema, Notable::Optional, language)
        } else {
            format!(
                "<p class=type>{}</p>",
                fields::type_words(document, schema, language)
            )
        };
        let shown = pretty(&example(document, resolved(document, schema)));
        html.push_str(&format!(
            "<article id=\"shape-{name}\"><div class=tell><h3><a href=\"#shape-{name}\">{name}</a></h3>{}{inside}</div><div class=show>{}</div></article>",
            words(text(&schema["description"])),
            code(t("Example", "示例"), &shown, language)
        ));
    }
    html + "</section>"
}

fn problems(document: &Value, language: Language) -> String {
    let t = |english, chinese| language.pick(english, chinese);
    let mut rows = std::collections::BTreeMap::new();
    for response in document["components"]["responses"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let examples = response.1["content"]["application/problem+json"]["examples"].as_object();
        for (code, example) in examples.into_iter().flatten() {
            let (status, title) = (
                &example["value"]["status"],
                inline(text(&example["value"]["title"])),
            );
            let row = format!(
                "<tr id=\"problem-{code}\"><td>{status}</td><td><code>{code}</code></td><td>{title}</td></tr>"
            );
            rows.insert((status.as_u64(), code.clone()), row);
        }
    }
    let rows = rows.into_values().collect::<Vec<_>>().concat();
    format!(
        "<section id=problems><h2>{}</h2>{}<table><thead><tr><th>{}</th><th><code>code</code></th><th>{}</th></tr></thead><tbody>{rows}</tbody></table></section>",
        t("Problems", "错误代码"),
        words(t(
            "Test for `code`: it never changes. The words are for people.",
            "程序请判断 `code`，它永不改变；文字供人阅读。"
        )),
        t("Status", "状态"),
        t("Words", "说明")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_on_the_page_and_every_link_leads_somewhere() {
        for language in [Language::En, Language::Zh] {
            let document = crate::openapi::document("https://img.example", language);
            let page = page(&document, language);
            for (_, _, operation) in operations(&document) {
                let id = text(&operation["operationId"]);
                assert!(page.contains(&format!("<article id=\"{id}\">")), "{id}");
            }
            for link in page.split("href=\"#").skip(1) {
                let id = link.split('"').next().unwrap_or_default();
                let is_there = [format!("id=\"{id}\""), format!("id={id}>"), format!("id={id} ")];
                assert!(
                    is_there.iter().any(|anchor| page.contains(anchor)),
                    "#{id} leads nowhere"
                );
            }
            assert!(
                !page.contains("http://") && !page.contains("src="),
                "nothing is loaded"
            );
        }
    }

    #[test]
    fn an_address_can_not_smuggle_anything_into_the_page() {
        let document = crate::openapi::document("https://img.example/<script>\"'", Language::En);
        let page = page(&document, Language::En);
        assert_eq!(page.matches("<script>").count(), 1);
    }
}
