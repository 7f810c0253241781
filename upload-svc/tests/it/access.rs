//! Who may do what: every operation of the OpenAPI document for nine kinds of callers, and every change with the cookie from seven origins. The rows
//! are made from the document, from `security`, `x-berth-access` and `x-berth-album-token`; none is written here.

mod cast;

use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    contract::CONTRACT,
    server::{Answer, Server},
};

use cast::{Caller, Cast};

/// What can't be done with a token, and what is said instead.
const NEEDS_SESSION: (&str, u16) = ("signOut", 400);

/// No limit may stand between a caller and their answer.
const UNLIMITED: [(&str, &str); 2] = [
    ("BERTH_SIGN_IN_PER_ACCOUNT", "0"),
    ("BERTH_SIGN_IN_PER_ADDRESS", "0"),
];

/// One operation of the document.
pub(crate) struct Row {
    id: &'static str,
    pub(crate) method: String,
    pub(crate) path: &'static str,
    pub(crate) operation: &'static Value,
}

fn rows() -> Vec<Row> {
    let paths = CONTRACT.document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| Row {
                id: operation["operationId"].as_str().unwrap(),
                method: method.to_uppercase(),
                path,
                operation,
            })
    });
    all.collect()
}

impl Row {
    /// Whether it is a GET that makes something, and so can't be asked for by another site's page.
    fn makes_something(&self) -> bool {
        let refusal = CONTRACT.resolved(&self.operation["responses"]["403"]);
        self.method == "GET" && refusal.to_string().contains("cross_site_request")
    }

    fn scope(&self) -> Option<&str> {
        self.operation["security"][0]["bearer"][0].as_str()
    }

    fn is_good(&self, status: u16) -> bool {
        let described = &self.operation["responses"][status.to_string()];
        status < 300 && described["description"].is_string() || (self.id, status) == NEEDS_SESSION
    }

    /// Whether the answer is what the document promises this caller.
    fn fits(&self, caller: Caller, answer: &Answer) -> bool {
        let access = self.operation["x-berth-access"].as_str().unwrap();
        let code = || answer.json()["code"].as_str().unwrap_or_default().to_owned();
        let names_a_thing = self.path.contains('{');
        match (access, caller) {
            ("anyone", _) => self.is_good(answer.status),
            (_, Caller::Anonymous) => answer.status == 401 && code() == "unauthenticated",
            (_, Caller::Expired | Caller::Revoked) => answer.status == 401 && code() == "invalid_credential",
            (_, Caller::Bound | Caller::BoundAdmin) => self.fits_a_bound_token(answer),
            ("admin", Caller::Owner | Caller::Other | Caller::ReadOnly) => {
                answer.status == 403 && code() == "scope_missing"
            }
            ("own" | "own-or-admin", Caller::ReadOnly) if self.scope() != Some("read") => {
                answer.status == 403 && code() == "scope_missing"
            }
            ("own" | "own-or-admin", Caller::Other) | ("own", Caller::Admin) if names_a_thing => {
                answer.status == 404
            }
            ("known" | "own" | "own-or-admin" | "admin", _) => self.is_good(answer.status),
            (other, _) => panic!("{}: x-berth-access is {other}", self.id),
        }
    }
}

impl Row {
    /// The same for a token that is bound to another album than that in which the thing lies.
    fn fits_a_bound_token(&self, answer: &Answer) -> bool {
        match self.operation["x-berth-album-token"].as_str().unwrap() {
            "nothing" => answer.status == 403 && answer.json()["code"] == "album_not_allowed",
            "its-album" if self.path.contains('{') => answer.status == 404,
            "its-album" => self.is_good(answer.status),
            other => panic!("{}: x-berth-album-token is {other}", self.id),
        }
    }
}

#[tokio::test]
async fn every_operation_answers_each_of_nine_callers_as_the_document_says() {
    let server = Server::start(&UNLIMITED).await;
    let rows = rows();
    let mut casts = Vec::new();
    for number in 0..rows.len() {
        casts.push(Cast::gather(&server, number).await);
    }
    // What was to expire has.
    server.clock.advance(SignedDuration::from_secs(2));
    let (mut asserted, mut wrong) = (0, Vec::new());
    for (row, cast) in rows.iter().zip(&casts) {
        for caller in Caller::ALL {
            let thing = cast.thing(&server, row.path).await;
            let request = cast.request(row, &thing, caller);
            let answer = request.send(&server, cast.shows(caller)).await;
            asserted += 1;
            if !row.fits(caller, &answer) {
                wrong.push(format!(
                    "{} as {caller:?}: {} {}",
                    row.id, answer.status, answer.body
                ));
            }
            let is_blind = matches!(caller, Caller::Other | Caller::Bound | Caller::BoundAdmin);
            if is_blind && !request.names(&thing) {
                assert!(
                    !answer.body.contains(&thing.id),
                    "{}: another's thing is shown: {answer:?}",
                    row.id
                );
            }
            if caller != Caller::Owner && caller != Caller::Admin {
                assert!(
                    thing.is_unharmed(&server, cast).await,
                    "{} as {caller:?} did harm",
                    row.id
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asserted, rows.len() * 9);
}

/// `Origin`, `Sec-Fetch-Site`, and whether that is our own page. The site of the tests is `https://img.example`.
const ORIGINS: [(Option<&str>, Option<&str>, bool); 10] = [
    (None, None, false),
    (Some("https://img.example"), None, true),
    (Some("https://evil.example"), None, false),
    (Some("null"), None, false),
    (Some("http://img.example"), None, false),
    (Some("https://img.example.evil.example"), None, false),
    (Some("https://img.example:8443"), None, false),
    (Some("https://img.example"), Some("cross-site"), false),
    (Some("https://a.img.example"), Some("same-site"), false),
    (None, Some("same-origin"), true),
];

#[tokio::test]
async fn every_change_with_the_cookie_comes_from_our_own_page_or_is_refused() {
    let server = Server::start(&UNLIMITED).await;
    let rows = rows()
        .into_iter()
        .filter(|row| row.operation["x-berth-access"] != "anyone");
    let (mut asserted, mut wrong) = (0, Vec::new());
    for (number, row) in rows.enumerate() {
        let cast = Cast::gather(&server, number).await;
        let is_admin = row.operation["x-berth-access"] == "admin";
        let caller = if is_admin { Caller::Admin } else { Caller::Owner };
        let cookie = cast.sign_in(&server, caller).await;
        let is_change = !matches!(row.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let origins = ORIGINS
            .iter()
            .filter(|(origin, _, is_own)| !is_own || !is_change || origin.is_some());
        // What is refused comes first: the last one may end the session.
        let mut origins: Vec<_> = origins.collect();
        origins.sort_by_key(|(_, _, is_own)| *is_own);
        for (origin, site, is_own) in origins {
            let thing = cast.thing(&server, row.path).await;
            let mut request = cast.request(&row, &thing, caller);
            request
                .headers
                .extend(origin.map(|origin| format!("Origin: {origin}")));
            request
                .headers
                .extend(site.map(|site| format!("Sec-Fetch-Site: {site}")));
            let answer = request.send(&server, Some(&cookie)).await;
            let is_refused =
                !is_own && (is_change || row.makes_something() && (origin.is_some() || site.is_some()));
            let fits = if is_refused {
                answer.status == 403 && answer.json()["code"] == "cross_site_request"
            } else {
                row.is_good(answer.status)
            };
            // With it another site's page could read what the cookie shows.
            let is_kept = answer.header("access-control-allow-credentials").is_none();
            asserted += 1;
            if !fits || !is_kept {
                wrong.push(format!("{} from {origin:?} {site:?}: {answer:?}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asserted > 200, "{asserted}");
}
