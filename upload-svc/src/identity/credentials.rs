use catalog::Bearer;
use domain::{Refusal, Scope, Sha256, Token, TokenHash};
use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256 as Hasher};

use crate::{Service, problem::Failure, routes::Asked};

/// Header fields in which clients put a token beside `Authorization`.
const TOKEN_HEADERS: [&str; 3] = ["token", "api-key", "x-api-key"];

/// Names under which a query may carry a token. SECURITY: queries are written to no log.
const TOKEN_PARAMETERS: [&str; 3] = ["key", "api_key", "secret"];

/// Finds out who a request speaks for, from its head alone: a request without a good credential is refused before any
/// of its body is read.
pub(crate) async fn authenticate(service: &Service, asked: &Asked) -> Result<Bearer, Failure> {
    let sent = find_credential(&asked.headers, &asked.query).ok_or(Refusal::Unauthenticated)?;
    let token: Token = sent.parse().map_err(|_| Refusal::InvalidCredential)?;
    let hash = TokenHash(Sha256(Hasher::digest(token.expose()).into()));
    let bearer = catalog::find_bearer(service.catalog(), hash, service.now()).await?;
    Ok(bearer.ok_or(Refusal::InvalidCredential)?)
}

/// Whether a token may do this.
pub(crate) fn require(bearer: &Bearer, scope: Scope) -> Result<(), Refusal> {
    if bearer.scopes.contains(scope) {
        Ok(())
    } else {
        Err(Refusal::ScopeMissing(scope))
    }
}

fn find_credential(headers: &HeaderMap, query: &str) -> Option<String> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let bearer = text(AUTHORIZATION.as_str()).map(|value| match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    });
    let in_header = bearer.or_else(|| TOKEN_HEADERS.iter().find_map(|name| text(name)));
    let in_query = || {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, _)| TOKEN_PARAMETERS.contains(&name.as_ref()))
            .map(|(_, value)| value.into_owned())
    };
    in_header
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .or_else(in_query)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::find_credential;

    #[test]
    fn a_token_is_found_wherever_clients_put_it() {
        for (name, value, query, expected) in [
            ("authorization", "Bearer T", "", Some("T")),
            ("authorization", "bearer  T", "", Some("T")),
            ("authorization", "T", "", Some("T")),
            ("token", "T", "", Some("T")),
            ("api-key", "T", "", Some("T")),
            ("x-api-key", "T", "", Some("T")),
            ("accept", "*/*", "key=T", Some("T")),
            ("accept", "*/*", "a=b&api_key=T", Some("T")),
            ("accept", "*/*", "secret=T%20", Some("T ")),
            ("accept", "*/*", "token=T", None),
            ("token", "", "", None),
            ("accept", "*/*", "", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            assert_eq!(
                find_credential(&headers, query).as_deref(),
                expected,
                "{name}: {value} ?{query}"
            );
        }
    }
}
