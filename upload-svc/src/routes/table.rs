use warp::{filters::BoxedFilter, reply::Response};

/// One row of the table of routes: what answers a method at a URL, and both of them as text.
#[cfg_attr(
    not(test),
    allow(dead_code, reason = "the texts are there to be compared with the document")
)]
pub(crate) struct Row {
    /// As it stands in the OpenAPI document: `get`, `post`, … (`get` stands for HEAD, too).
    pub(crate) method: &'static str,
    /// `/v1/images/{}/restore`: a part that is not fixed is `{}`.
    pub(crate) path: String,
    pub(crate) filter: BoxedFilter<(Response,)>,
}

impl Row {
    /// A row whose method is the name of one of http-kit's filters, and whose path is the text of a `path!`.
    pub(crate) fn new(method: &'static str, path: &str, filter: BoxedFilter<(Response,)>) -> Self {
        Self {
            method: if method == "get_or_head" { "get" } else { method },
            path: template(path),
            filter,
        }
    }
}

/// `/v1/images/{}` for `path!("v1" / "images" / String)`.
pub(crate) fn template(path: &str) -> String {
    let inside = path
        .trim()
        .strip_prefix("path!")
        .unwrap_or(path)
        .trim_matches(|c| "() \n".contains(c));
    let parts = inside.split('/').map(str::trim);
    let parts = parts.map(|part| {
        let fixed = part.strip_prefix('"').and_then(|part| part.strip_suffix('"'));
        fixed.unwrap_or("{}")
    });
    parts.fold(String::new(), |path, part| format!("{path}/{part}"))
}
