use catalog::Bearer;
use domain::{AccessRefusal, Refusal, Scope, Sha256, Token, TokenHash};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE as COOKIE_HEADER},
};
use sha2::{Digest as _, Sha256 as Hasher};

use super::origin::is_own_page;
use crate::{Service, problem::Failure, routes::Asked};

/// The cookie of a session.
pub(crate) const COOKIE: &str = "berth_session";

/// Header fields in which clients put a token beside `Authorization`.
const TOKEN_HEADERS: [&str; 3] = ["token", "api-key", "x-api-key"];

/// Names under which a query may carry a token. SECURITY: queries are written to no log.
pub(crate) const TOKEN_PARAMETERS: [&str; 3] = ["key", "api_key", "secret"];

/// What a request shows to be believed.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    /// Put there by who made the request.
    Shown(String),
    /// Put there by the browser, whoever made it send the request.
    Cookie(String),
}

/// Who has shown a good credential, before it is settled what becomes of one that is bound to an album.
///
/// SECURITY: nobody learns more of a caller than the account without saying which it is: a handler that has never thought of such tokens
/// asks for [`Caller::of_whole_account`], and they are refused.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Bearer);

impl Caller {
    /// For what concerns the whole account, the site or somebody else: a token that is bound to an album is refused.
    pub(crate) fn of_whole_account(self) -> Result<Bearer, AccessRefusal> {
        match self.0.album_id {
            None => Ok(self.0),
            Some(_) => Err(AccessRefusal::OtherAlbum),
        }
    }

    /// For what keeps to the album itself: whoever calls this passes [`Bearer::album_id`] on to what it asks the catalog, or asks
    /// [`Bearer::reaches`].
    pub(crate) fn within_album(self) -> Bearer {
        self.0
    }

    /// Who has shown the account's password.
    pub(super) fn signed_in(bearer: Bearer) -> Self {
        Self(bearer)
    }

    pub(crate) fn account_id(&self) -> i64 {
        self.0.account_id
    }

    /// The only album that it is good for.
    pub(crate) fn album_id(&self) -> Option<i64> {
        self.0.album_id
    }
}

/// Finds out who a request speaks for, from its head alone: a request without a good credential is refused before any
/// of its body is read. One with a token that is bound to an album is refused, too.
pub(crate) async fn authenticate(service: &Service, asked: &Asked) -> Result<Bearer, Failure> {
    Ok(authenticate_any(service, asked).await?.of_whole_account()?)
}

/// The same for a handler that lets a token that is bound to an album do what lies within it ([`Caller::within_album`]).
pub(crate) async fn authenticate_in_album(service: &Service, asked: &Asked) -> Result<Bearer, Failure> {
    Ok(authenticate_any(service, asked).await?.within_album())
}

/// Whoever shows a good credential.
pub(crate) async fn authenticate_any(service: &Service, asked: &Asked) -> Result<Caller, Failure> {
    let caller = find_caller(service, asked).await?;
    caller.ok_or_else(|| Refusal::Unauthenticated.into())
}

/// The same where a request may show nothing, because what it shows may yet come in its body.
pub(crate) async fn find_caller(service: &Service, asked: &Asked) -> Result<Option<Caller>, Failure> {
    if let Some(caller) = &asked.caller {
        return Ok(Some(caller.clone()));
    }
    let Some(sent) = find_credential(&asked.headers, &asked.query) else {
        return Ok(None);
    };
    let text = match sent {
        Sent::Cookie(_) if !asked.method.is_safe() && !is_own_page(&asked.headers, service.base_url()) => {
            return Err(AccessRefusal::CrossSite.into());
        }
        Sent::Shown(text) | Sent::Cookie(text) => text,
    };
    recognise(service, asked, &text).await.map(Some)
}

/// Who a token or a session speaks for, wherever it was found.
pub(crate) async fn recognise(service: &Service, asked: &Asked, text: &str) -> Result<Caller, Failure> {
    let (catalog, now) = (service.catalog(), service.now());
    let bearer = if let Ok(token) = text.parse::<Token>() {
        let hash = TokenHash(Sha256(Hasher::digest(token.expose()).into()));
        catalog::find_bearer(catalog, hash, now).await?
    } else {
        let key = service.identity().sessions().read(text, now);
        let key = key.ok_or(Refusal::InvalidCredential)?;
        catalog::find_session(catalog, key, now).await?
    };
    let bearer = bearer.ok_or(Refusal::InvalidCredential)?;
    service.admit_caller(asked, &bearer).await?;
    Ok(Caller(bearer))
}

/// Whether a caller may do this.
pub(crate) fn require(bearer: &Bearer, scope: Scope) -> Result<(), Refusal> {
    if bearer.scopes.contains(scope) {
        Ok(())
    } else {
        Err(Refusal::ScopeMissing(scope))
    }
}

/// Whether a caller may do this to what belongs to others, too: a token that is bound to an album may not.
pub(crate) fn require_whole(bearer: &Bearer) -> Result<(), AccessRefusal> {
    match bearer.album_id {
        None => Ok(()),
        Some(_) => Err(AccessRefusal::OtherAlbum),
    }
}

/// The album of what names `asked`, or names none: a token that is bound to one is good for no other.
pub(crate) fn album_for(bearer: &Bearer, asked: Option<i64>) -> Result<Option<i64>, AccessRefusal> {
    match (bearer.album_id, asked) {
        (Some(bound), Some(asked)) if bound != asked => Err(AccessRefusal::OtherAlbum),
        (bound, asked) => Ok(asked.or(bound)),
    }
}

/// The first of: a header, the query, the cookie. A credential that was shown is never overruled by a cookie.
fn find_credential(headers: &HeaderMap, query: &str) -> Option<Sent> {
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
        .map(Sent::Shown)
        .or_else(|| cookie_of(headers).map(Sent::Cookie))
}

/// The session in a request's cookie, whoever made the browser send it.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE_HEADER).into_iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, value)| name.trim() == COOKIE && !value.trim().is_empty())
        .map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Sent, find_credential};

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
                find_credential(&headers, query),
                expected.map(|text| Sent::Shown(text.to_owned())),
                "{name}: {value} ?{query}"
            );
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_and_yields_to_what_is_shown() {
        let cookie = |text: &str| Some(Sent::Cookie(text.to_owned()));
        for (line, query, expected) in [
            ("berth_session=T", "", cookie("T")),
            ("a=b; berth_session=T; c=d", "", cookie("T")),
            ("xberth_session=T", "", None),
            ("berth_session=", "", None),
            ("berth_session=T", "key=K", Some(Sent::Shown("K".to_owned()))),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", HeaderValue::from_static(line));
            assert_eq!(find_credential(&headers, query), expected, "{line} ?{query}");
        }
    }
}
