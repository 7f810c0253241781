use domain::Scope;
use http_kit::Language;
use serde_json::{Map, Value, json};

use super::schema::{Schema, integer, text};

/// What a URL does with one method.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: Option<&'static str>,
    pub(super) access: Access,
    pub(super) keeps_to_album: bool,
    pub(super) knows_nobody: bool,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) answers: Vec<Answered>,
    pub(super) codes: Vec<&'static str>,
}

/// Who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone, with no credential.
    Anyone,
    /// Whoever shows any good credential.
    Known,
    /// Who has this scope, for what is theirs; what is another's is not found, by administrators neither.
    Own(Scope),
    /// Who has this scope, for what is theirs; an administrator with the scope `admin` for everybody's.
    OwnOrAdmin(Scope),
    /// An administrator with the scope `admin`.
    Admin,
}

impl Access {
    /// The scope that a credential needs.
    pub(super) fn scope(self) -> Option<Scope> {
        match self {
            Self::Anyone | Self::Known => None,
            Self::Own(scope) | Self::OwnOrAdmin(scope) => Some(scope),
            Self::Admin => Some(Scope::Admin),
        }
    }

    /// The word in `x-berth-access`.
    fn word(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Known => "known",
            Self::Own(_) => "own",
            Self::OwnOrAdmin(_) => "own-or-admin",
            Self::Admin => "admin",
        }
    }
}

/// One good answer.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) schema: Option<Schema>,
    pub(super) headers: Vec<&'static str>,
    pub(super) links: Map<String, Value>,
}

macro_rules! methods {
    ($($name:ident)+) => {$(
        #[allow(dead_code, reason = "the vocabulary is whole, whoever speaks it today")]
        /// An operation of this method: path, name for programs, and what it does in a few words.
        pub(super) fn $name(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
            Operation::new(stringify!($name), path, id, summary)
        }
    )+};
}
methods! { get post put patch delete head options }

impl Operation {
    fn new(method: &'static str, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            tag: "",
            id,
            summary,
            about: None,
            access: Access::Known,
            keeps_to_album: false,
            knows_nobody: false,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// The rest of what there is to say, in Markdown.
    pub(super) fn about(mut self, words: &'static str) -> Self {
        self.about = Some(words);
        self
    }

    pub(super) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// A token that is bound to an album may do it, to what lies in that album. To others it is refused.
    pub(super) fn keeps_to_album(mut self) -> Self {
        self.keeps_to_album = true;
        self
    }

    /// It may be asked without a credential as well, and says that nobody is there.
    pub(super) fn knows_nobody(mut self) -> Self {
        self.knows_nobody = true;
        self
    }

    /// A part of the path.
    pub(super) fn path_part(mut self, name: &str, schema: Schema) -> Self {
        self.parameters.push(parameter("path", name, schema, true));
        self
    }

    /// A parameter of the query that may be left out.
    pub(super) fn query(mut self, name: &str, schema: Schema) -> Self {
        self.parameters.push(parameter("query", name, schema, false));
        self
    }

    /// A header field of the request that may be left out.
    pub(super) fn header(mut self, name: &str, schema: Schema) -> Self {
        self.parameters.push(parameter("header", name, schema, false));
        self
    }

    /// A header field of the request that must be there.
    #[allow(dead_code, reason = "the vocabulary is whole, whoever speaks it today")]
    pub(super) fn needs_header(mut self, name: &str, schema: Schema) -> Self {
        self.parameters.push(parameter("header", name, schema, true));
        self
    }

    /// `limit` and `after`, and what is said when they are wrong.
    pub(super) fn paged(self, language: Language) -> Self {
        let limit = integer().least(1).most(200).with("default", 50);
        self.query(
            "limit",
            limit.about(language.pick("Entries of a page.", "每页条数。")),
        )
        .query(
            "after",
            text().about(language.pick("What the page before said in `next`.", "上一页返回的 `next`。")),
        )
        .refuses(&["invalid_field"])
    }

    /// A body of JSON, with one that works.
    pub(super) fn takes_json(self, schema: Schema, example: &Value) -> Self {
        self.takes("application/json", schema, example)
            .refuses(&["malformed_body", "invalid_field"])
    }

    /// A body of another type; called again it offers the client a choice.
    pub(super) fn takes(mut self, media_type: &str, schema: Schema, example: &Value) -> Self {
        let schema = schema.into_json();
        // An empty body is an empty object: where no member must be there, none must it.
        let is_required = media_type != "application/json" || !schema["required"].is_null();
        let body = self
            .body
            .get_or_insert_with(|| json!({ "required": is_required, "content": {} }));
        let mut content = json!({ "schema": schema });
        if !example.is_null() {
            content["example"] = example.clone();
        }
        body["content"][media_type] = content;
        self
    }

    /// A good answer with a body of JSON.
    pub(super) fn answers(mut self, status: u16, about: &'static str, schema: Schema) -> Self {
        self.answers.push(Answered {
            status,
            about,
            schema: Some(schema),
            headers: Vec::new(),
            links: Map::new(),
        });
        self
    }

    /// A good answer without a body.
    pub(super) fn answers_nothing(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push(Answered {
            status,
            about,
            schema: None,
            headers: Vec::new(),
            links: Map::new(),
        });
        self
    }

    /// Header fields of the last good answer: names of `components/headers`.
    pub(super) fn with_headers(mut self, names: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend(names);
        }
        self
    }

    /// What the last good answer leads to: the operation that takes `value` of it as its `{id}`.
    pub(super) fn leads_to(mut self, operations: &[&'static str], value: &str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            for operation in operations {
                let link = json!({ "operationId": operation, "parameters": { "id": value } });
                answer.links.insert((*operation).to_owned(), link);
            }
        }
        self
    }

    /// Codes of problems that this operation has, besides those that every one of its kind has.
    pub(super) fn refuses(mut self, codes: &[&'static str]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// Whether it takes an `Idempotency-Key`.
    pub(super) fn is_done_once(&self) -> bool {
        self.method == "post"
    }

    /// Every code of a problem that it may answer with, each once.
    pub(super) fn all_codes(&self) -> Vec<&'static str> {
        let mut codes = vec![
            "bad_request",
            "uri_too_long",
            "headers_too_large",
            "too_many_requests",
            "internal",
            "overloaded",
            "database_away",
            "store_away",
        ];
        if self.access != Access::Anyone {
            codes.extend([
                "unauthenticated",
                "invalid_credential",
                "token_rate_exceeded",
                "account_rate_exceeded",
            ]);
            if !self.keeps_to_album {
                codes.push("album_not_allowed");
            }
            if !matches!(self.method, "get" | "head" | "options") {
                codes.push("cross_site_request");
            }
        }
        if self.access.scope().is_some() {
            codes.push("scope_missing");
        }
        if self.is_done_once() {
            codes.extend([
                "invalid_idempotency_key",
                "idempotency_key_reused",
                "idempotency_key_in_use",
                "idempotent_answer_lost",
            ]);
        }
        if self.body.is_some() {
            codes.extend(["request_too_large", "request_timeout"]);
        }
        codes.extend(&self.codes);
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// `security`: any one of the ways to show a credential, with the scope that it needs.
    pub(super) fn security(&self) -> Value {
        if self.access == Access::Anyone {
            return json!([]);
        }
        let scopes: Vec<&str> = self.access.scope().map(Scope::as_str).into_iter().collect();
        let ways = super::security::SCHEMES
            .iter()
            .map(|name| json!({ *name: scopes }));
        let none = self.knows_nobody.then(|| json!({}));
        Value::Array(ways.chain(none).collect())
    }

    /// The extension that says what a token reaches that is bound to an album.
    pub(super) fn album_word(&self) -> &'static str {
        match (self.access, self.keeps_to_album) {
            (Access::Anyone, _) => "anyone",
            (_, true) => "its-album",
            (_, false) => "nothing",
        }
    }

    /// The extension that says whose things it reaches.
    pub(super) fn access_word(&self) -> &'static str {
        self.access.word()
    }
}

fn parameter(place: &str, name: &str, schema: Schema, required: bool) -> Value {
    let mut schema = schema.into_json();
    let about = schema
        .as_object_mut()
        .and_then(|schema| schema.shift_remove("description"));
    let mut parameter = json!({ "name": name, "in": place });
    if let Some(about) = about {
        parameter["description"] = about;
    }
    if required {
        parameter["required"] = json!(true);
    }
    let is_plain = schema["format"].is_null();
    if let Some(example) = schema["examples"].get(0).filter(|_| place == "query" && is_plain) {
        parameter["example"] = example.clone();
    }
    parameter["schema"] = schema;
    parameter
}
