//! maple: maple-file, a Flask image server with albums. `/api/login`, `/api/albums`, `/api/images`; everything is HTTP 200 in one envelope whose
//! `status` is text, but for who shows no credential. Its pictures are seen at `/images/{user}/{photo|thumb|show}/…`, which serve-svc
//! answers.

use catalog::{Bearer, NumberedColumn, NumberedQuery};
use domain::{AccessRefusal, Refusal, Scope};
use http::{StatusCode, header::SET_COOKIE};
use http_kit::Language;
use serde_json::{Map, Value, json};
use std::time::Duration;
use warp::{Filter, filters::BoxedFilter, path, reply::Response};

use super::{
    With, maple_albums, maple_images,
    maple_pages::Pages,
    reply,
    words::{is_about_the_caller, parameter, title},
};
use crate::{
    Service,
    identity::{COOKIE, album_for, authenticate_in_album, cookie_of, is_foreign_page, recognise, require},
    problem::Failure,
    routes::{Asked, Body, read_body, session},
};

/// How long a session lasts, and for whom it remembers.
const SESSION: Duration = Duration::from_hours(3 * 24);
const REMEMBERED: Duration = Duration::from_hours(365 * 24);
/// Entries of a page when nothing is said, or too many are asked for.
const USUAL: i64 = 10;
const MOST: i64 = 100;

pub(super) fn routes(with: &With) -> Vec<BoxedFilter<(Response,)>> {
    vec![
        row!(with, path!("api" / "login"), post + body, login),
        row!(with, path!("api" / "logout"), get, logout),
        row!(with, path!("api" / "albums"), get_or_head, maple_albums::list),
        row!(with, path!("api" / "albums"), post + body, maple_albums::create),
        row!(
            with,
            path!("api" / "albums" / String),
            get_or_head,
            maple_albums::describe
        ),
        row!(
            with,
            path!("api" / "albums" / String),
            put + body,
            maple_albums::change
        ),
        row!(
            with,
            path!("api" / "albums" / String),
            delete,
            maple_albums::remove
        ),
        row!(with, path!("api" / "images"), get_or_head, maple_images::list),
        row!(with, path!("api" / "images"), post + body, maple_images::upload),
        row!(
            with,
            path!("api" / "images" / String),
            get_or_head,
            maple_images::describe
        ),
        row!(
            with,
            path!("api" / "images" / String),
            put + body,
            maple_images::change
        ),
        row!(
            with,
            path!("api" / "images" / String),
            delete,
            maple_images::remove
        ),
    ]
}

/// Why a call came to nothing, in the envelope's own words.
#[derive(Debug)]
pub(super) enum Unhappy {
    /// 401: an argument, or the login.
    Argument(String),
    /// 404.
    Missing(&'static str),
    /// 501: it is there already.
    Exists(Value, &'static str),
    Failure(Failure),
}

impl<F: Into<Failure>> From<F> for Unhappy {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

/// What a call gives.
pub(super) type Outcome = Result<Value, Unhappy>;

fn envelope(data: &Value, description: &str, message: &str, status: &str) -> Value {
    json!({ "data": data, "description": description, "message": message, "status": status })
}

pub(super) fn answer(route: &'static str, outcome: Outcome) -> Response {
    match outcome {
        Ok(data) => reply::ok(route, &envelope(&data, "", "normal", "200")),
        Err(unhappy) => refuse(route, unhappy),
    }
}

/// A page of a list.
pub(super) fn answer_page(route: &'static str, outcome: Result<(Value, Pages), Unhappy>) -> Response {
    match outcome {
        Ok((data, pages)) => {
            let body = json!({
                "data": data,
                "description": "",
                "message": "normal",
                "pageinfo": pages.info(),
                "status": "200",
            });
            reply::ok(route, &body)
        }
        Err(unhappy) => refuse(route, unhappy),
    }
}

fn refuse(route: &'static str, unhappy: Unhappy) -> Response {
    let nothing = Value::Null;
    let body = match unhappy {
        Unhappy::Argument(message) => envelope(&nothing, "", &message, "401"),
        Unhappy::Missing(message) => envelope(&nothing, "", message, "404"),
        Unhappy::Exists(data, message) => envelope(&data, "", message, "501"),
        Unhappy::Failure(failure) if is_about_the_caller(&failure) => {
            let body = envelope(&nothing, "", "没有权限", "403");
            return reply::json(route, StatusCode::FORBIDDEN, &body);
        }
        Unhappy::Failure(failure @ Failure::Refused(_)) => {
            envelope(&nothing, "", &title(&failure, Language::Zh), "401")
        }
        Unhappy::Failure(failure) => envelope(&nothing, "", &title(&failure, Language::Zh), "500"),
    };
    reply::ok(route, &body)
}

/// Who asks: a key in the header or the query, or the session's cookie.
pub(super) async fn enter(service: &Service, asked: &Asked, scope: Scope) -> Result<Bearer, Failure> {
    let bearer = match authenticate_in_album(service, asked).await {
        // Programs of this dialect keep the cookie and send neither header by which a browser says whose page asks. A browser
        // of these years always sends one, and the cookie is SameSite besides.
        Err(Failure::Refused(Refusal::Access(AccessRefusal::CrossSite)))
            if !is_foreign_page(&asked.headers, service.base_url()) =>
        {
            let session = cookie_of(&asked.headers).ok_or(Refusal::Unauthenticated)?;
            recognise(service, asked, &session).await?.within_album()
        }
        other => other?,
    };
    require(&bearer, scope)?;
    Ok(bearer)
}

/// The fields of a body, a form's or JSON's.
pub(super) async fn fields(asked: &Asked, body: Body) -> Result<Map<String, Value>, Failure> {
    match read_body(&asked.headers, body).await? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Refusal::MalformedBody("expected an object".to_owned()).into()),
    }
}

/// A field as text, without what no database takes; numbers are as good as their text.
pub(super) fn said(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.replace('\0', "")),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// The page that a query asks for, of the caller's own.
pub(super) fn page(bearer: &Bearer, query: &str) -> Result<NumberedQuery, AccessRefusal> {
    let number = |name: &str| parameter(query, name).and_then(|text| text.parse::<i64>().ok());
    Ok(NumberedQuery {
        account_id: bearer.account_id,
        album_id: album_for(bearer, number("album"))?,
        name: parameter(query, "name").map(|text| text.replace('\0', "")),
        description: parameter(query, "description").map(|text| text.replace('\0', "")),
        order: order(&parameter(query, "descent").unwrap_or_default()),
        page: number("page").filter(|page| *page >= 1).unwrap_or(1),
        number: number("number")
            .filter(|number| (1..=MOST).contains(number))
            .unwrap_or(USUAL),
    })
}

/// `descent`: a comma list of columns, each descending; ascending by number where none is known.
fn order(descent: &str) -> Vec<(NumberedColumn, bool)> {
    let column = |name: &str| {
        Some(match name {
            "id" => NumberedColumn::Id,
            "name" => NumberedColumn::Name,
            "description" => NumberedColumn::Description,
            "created_at" => NumberedColumn::CreatedAt,
            "updated_at" => NumberedColumn::UpdatedAt,
            _ => return None,
        })
    };
    let named = descent.split(',').filter_map(|name| column(name.trim()));
    named.take(5).map(|column| (column, true)).collect()
}

async fn login(service: Service, asked: Asked, body: Body) -> Response {
    const ROUTE: &str = "POST /api/login";
    match open(&service, &asked, body).await {
        Ok(opened) => {
            let (account, cookie) = (&opened.account, session::cookie(&service, &opened));
            let data = json!({ "id": account.id, "key": opened.token, "username": account.username });
            let mut response = answer(ROUTE, Ok(data));
            // SECURITY: as for the native sign-in.
            if let Some(cookie) = cookie.filter(|_| !is_foreign_page(&asked.headers, service.base_url())) {
                response.headers_mut().insert(SET_COOKIE, cookie);
            }
            response
        }
        Err(Unhappy::Failure(Failure::Refused(Refusal::Access(AccessRefusal::InvalidLogin)))) => {
            answer(ROUTE, Err(Unhappy::Argument("用户名或密码错误".to_owned())))
        }
        Err(unhappy) => answer(ROUTE, Err(unhappy)),
    }
}

async fn open(service: &Service, asked: &Asked, body: Body) -> Result<session::Opened, Unhappy> {
    let fields = fields(asked, body).await?;
    let (username, password) = (said(&fields, "username"), said(&fields, "password"));
    let (Some(username), Some(password)) = (username, password) else {
        return Err(Unhappy::Argument("用户名或密码错误".to_owned()));
    };
    let remember = said(&fields, "remember").is_some_and(|text| !matches!(text.as_str(), "" | "0" | "false"));
    let lifetime = if remember { REMEMBERED } else { SESSION };
    let checked = service.check_password(asked, &username, password).await?;
    let opened = session::open_for(service, asked, &checked, lifetime, true).await?;
    match opened {
        Some(opened) => Ok(opened),
        None => Err(service.sign_in_failed(asked, Some(checked)).await?.into()),
    }
}

async fn logout(service: Service, asked: Asked) -> Response {
    const ROUTE: &str = "GET /api/logout";
    // SECURITY: a page of another site must not sign its reader out.
    if !is_foreign_page(&asked.headers, service.base_url())
        && let Err(failure) = session::close(&service, &asked).await
        && !is_about_the_caller(&failure)
    {
        return answer(ROUTE, Err(failure.into()));
    }
    let mut response = reply::ok(ROUTE, &envelope(&Value::Null, "注销成功", "normal", "200"));
    if let Ok(gone) = format!("{COOKIE}=; {}; Max-Age=0", session::attributes(&service)).parse() {
        response.headers_mut().insert(SET_COOKIE, gone);
    }
    response
}
