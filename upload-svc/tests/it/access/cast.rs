//! Who asks, and for what.

use catalog::Role;
use domain::Scope;
use serde_json::{Value, json};
use test_kit::pictures;

use super::Row;
use crate::{
    contract::CONTRACT,
    people::{PASSWORD, sign_up, try_to_sign_in},
    server::{Answer, BOUNDARY, Part, Server, form},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Anonymous,
    Expired,
    Revoked,
    ReadOnly,
    Other,
    Admin,
    /// The owner's, with every scope of a member, bound to an album in which nothing lies.
    Bound,
    /// An administrator's, likewise, with the scope `admin`.
    BoundAdmin,
    Owner,
}

impl Caller {
    pub(crate) const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::Expired,
        Self::Revoked,
        Self::ReadOnly,
        Self::Other,
        Self::Admin,
        Self::Bound,
        Self::BoundAdmin,
        Self::Owner,
    ];
}

/// Three accounts that no other row uses, and what each caller shows.
pub(crate) struct Cast {
    number: usize,
    shown: Vec<(Caller, String)>,
}

/// Something of the owner's that an operation may be done to.
pub(crate) struct Thing {
    pub(crate) id: String,
    /// Where its owner (or an administrator, for an account) looks at it.
    seen_at: String,
}

/// What is asked, without a credential.
pub(crate) struct Request {
    method: String,
    target: String,
    pub(crate) headers: Vec<String>,
    body: Vec<u8>,
}

impl Cast {
    pub(crate) async fn gather(server: &Server, number: usize) -> Self {
        let mut cast = Self {
            number,
            shown: Vec::new(),
        };
        let owner = sign_up(server, &cast.name(Caller::Owner), Role::Member).await;
        let other = sign_up(server, &cast.name(Caller::Other), Role::Member).await;
        let admin = sign_up(server, &cast.name(Caller::Admin), Role::Admin).await;
        let member = [Scope::Upload, Scope::Read, Scope::Manage];
        for (caller, account, scopes) in [
            (Caller::ReadOnly, owner, &[Scope::Read][..]),
            (Caller::Other, other, &member),
            (Caller::Admin, admin, &Scope::ALL),
            (Caller::Owner, owner, &member),
        ] {
            let token = test_kit::token(&server.database, account, scopes).await;
            cast.shown
                .push((caller, format!("Authorization: Bearer {}", token.expose())));
        }
        for (caller, maker, scopes) in [
            (Caller::Bound, Caller::Owner, json!(["upload", "read", "manage"])),
            (
                Caller::BoundAdmin,
                Caller::Admin,
                json!(["upload", "read", "manage", "admin"]),
            ),
        ] {
            let album = json!({ "name": "bound" });
            let album = cast.make(server, maker, "/v1/albums", &album).await["id"].clone();
            let wanted = json!({ "scopes": scopes, "album": album });
            let made = cast.make(server, maker, "/v1/tokens", &wanted).await;
            let token = made["token"].as_str().unwrap();
            cast.shown
                .push((caller, format!("Authorization: Bearer {token}")));
        }
        for (caller, expires_in) in [(Caller::Expired, Some(1)), (Caller::Revoked, None)] {
            let wanted = json!({ "scopes": ["upload", "read", "manage"], "expires_in": expires_in });
            let made = cast.make(server, Caller::Owner, "/v1/tokens", &wanted).await;
            let token = made["token"].as_str().unwrap();
            cast.shown
                .push((caller, format!("Authorization: Bearer {token}")));
            if caller == Caller::Revoked {
                let path = format!("/v1/tokens/{}", made["id"]);
                let owner: Vec<&str> = cast.shows(Caller::Owner).into_iter().collect();
                assert_eq!(server.send("DELETE", &path, &owner, b"").await.status, 204);
            }
        }
        cast
    }

    fn name(&self, caller: Caller) -> String {
        format!("{caller:?}{}", self.number)
    }

    /// The header field that shows a caller's credential.
    pub(crate) fn shows(&self, caller: Caller) -> Option<&str> {
        let found = self.shown.iter().find(|(who, _)| *who == caller);
        found.map(|(_, header)| header.as_str())
    }

    /// Signs in and gives the header field with the cookie.
    pub(crate) async fn sign_in(&self, server: &Server, caller: Caller) -> String {
        let answer = try_to_sign_in(server, &self.name(caller), PASSWORD).await;
        let cookie = answer
            .header("set-cookie")
            .unwrap_or_else(|| panic!("{answer:?}"));
        format!("Cookie: {}", cookie.split(';').next().unwrap())
    }

    async fn make(&self, server: &Server, caller: Caller, path: &str, body: &Value) -> Value {
        let answer = server
            .send_json("POST", path, &[self.shows(caller).unwrap()], body)
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    /// A new thing of the owner's, of the kind that stands in this path; an image where none does.
    pub(crate) async fn thing(&self, server: &Server, path: &str) -> Thing {
        let kind = path.strip_prefix("/v1/").and_then(|rest| rest.split_once("/{"));
        let kind = kind.map_or("images", |(kind, _)| kind);
        let name = format!("x{}", u64::from_le_bytes(process::random()));
        let made = match kind {
            "images" => {
                let png = pictures::png(3, 3, u64::from_le_bytes(process::random()));
                let parts = [Part::File("file", "a.png", &png)];
                let answer = server
                    .post("/v1/images", &[self.shows(Caller::Owner).unwrap()], &parts)
                    .await;
                answer.json()["images"][0].clone()
            }
            "albums" => {
                self.make(server, Caller::Owner, "/v1/albums", &json!({ "name": name }))
                    .await
            }
            "tokens" => {
                self.make(
                    server,
                    Caller::Owner,
                    "/v1/tokens",
                    &json!({ "scopes": ["upload", "read"] }),
                )
                .await
            }
            "users" => {
                self.make(server, Caller::Admin, "/v1/users", &json!({ "username": name }))
                    .await
            }
            "uploads" => {
                let headers = [
                    self.shows(Caller::Owner).unwrap(),
                    "Tus-Resumable: 1.0.0",
                    "Upload-Length: 1000",
                ];
                let answer = server.send("POST", "/v1/uploads", &headers, b"").await;
                let location = answer.header("location").unwrap_or_else(|| panic!("{answer:?}"));
                json!({ "id": location.rsplit('/').next() })
            }
            other => panic!(
                "teach `Cast::thing` of upload-svc/tests/it/access/cast.rs to make what stands in /v1/{other}/{{…}}"
            ),
        };
        let id = match &made["id"] {
            Value::String(id) => id.clone(),
            id => id.to_string(),
        };
        let seen_at = match kind {
            "tokens" => "/v1/tokens?limit=1".to_owned(),
            kind => format!("/v1/{kind}/{id}"),
        };
        Thing { id, seen_at }
    }

    /// The request that the document shows as its example, about this thing.
    pub(crate) fn request(&self, row: &Row, thing: &Thing, caller: Caller) -> Request {
        let mut target = row.path.split('/').fold(String::new(), |path, part| match part {
            "" => path,
            part if part.starts_with('{') => format!("{path}/{}", thing.id),
            part => format!("{path}/{part}"),
        });
        let parameters = row.operation["parameters"].as_array().into_iter().flatten();
        let mut headers = Vec::new();
        for parameter in parameters.map(|parameter| CONTRACT.resolved(parameter)) {
            let name = parameter["name"].as_str().unwrap();
            if let Some(example) = parameter["example"].as_str() {
                target = format!("{target}?{name}={example}");
            }
            if parameter["in"] == "header" && parameter["required"] == true {
                let example = parameter["schema"]["examples"][0].as_str().unwrap_or_default();
                headers.push(format!("{name}: {example}"));
            }
        }
        let content = row.operation["requestBody"]["content"].as_object();
        let content = content.and_then(|content| content.iter().next());
        let body = match content.map(|(media_type, content)| (media_type.as_str(), content)) {
            None => Vec::new(),
            Some(("multipart/form-data", _)) => {
                headers.push(format!("Content-Type: multipart/form-data; boundary={BOUNDARY}"));
                let png = pictures::png(4, 4, u64::from_le_bytes(process::random()));
                form(&[Part::File("file", "b.png", &png)])
            }
            Some((media_type, content)) => {
                headers.push(format!("Content-Type: {media_type}"));
                let name = format!("new{}", u64::from_le_bytes(process::random()));
                let text = content["example"].to_string();
                let text = text.replace("7h9KzQm2xRfW", &thing.id).replace("bob", &name);
                text.replace(
                    "alice",
                    &self.name(if caller == Caller::Admin {
                        caller
                    } else {
                        Caller::Owner
                    }),
                )
                .into_bytes()
            }
        };
        Request {
            method: row.method.clone(),
            target,
            headers,
            body,
        }
    }
}

impl Request {
    pub(crate) async fn send(&self, server: &Server, shown: Option<&str>) -> Answer {
        let headers = self.headers.iter().map(String::as_str).chain(shown);
        let headers: Vec<&str> = headers.collect();
        server
            .send(&self.method, &self.target, &headers, &self.body)
            .await
    }

    /// Whether the thing stands in the request, so that an answer may say its id back.
    pub(crate) fn names(&self, thing: &Thing) -> bool {
        self.target.contains(&thing.id) || String::from_utf8_lossy(&self.body).contains(&thing.id)
    }
}

impl Thing {
    pub(crate) async fn is_unharmed(&self, server: &Server, cast: &Cast) -> bool {
        let caller = if self.seen_at.starts_with("/v1/users") {
            Caller::Admin
        } else {
            Caller::Owner
        };
        let seen = server
            .send("GET", &self.seen_at, &[cast.shows(caller).unwrap()], b"")
            .await;
        seen.status == 200 && seen.body.contains(&self.id)
    }
}
