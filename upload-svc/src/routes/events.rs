use catalog::{EventFilter, EventRecord};
use domain::{Refusal, Scope};
use http::StatusCode;
use http_kit::Language;
use jiff::Timestamp;
use serde_json::{Value, json};
use warp::reply::Response;

use super::{Asked, Page, answer};
use crate::{
    Service,
    identity::{authenticate, require},
};

/// `GET /v1/events`: what happened, newest first, by `kind`, `account`, `address`, `since` and `until`.
pub(super) async fn list(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Admin)?;
        let page = Page::of(&asked.query)?;
        let filter = read_filter(&asked.query)?;
        let mut events = catalog::list_events(service.catalog(), &filter, page.after, page.ask()).await?;
        let next = page.cut(&mut events, |event| event.id);
        let events: Vec<Value> = events.iter().map(event_json).collect();
        Ok((StatusCode::OK, Some(json!({ "events": events, "next": next }))))
    };
    answer("GET /v1/events", language, outcome.await)
}

fn event_json(event: &EventRecord) -> Value {
    json!({
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "account": event.account_id,
        "username": event.username,
        "client_address": event.client_address,
        "subject": event.subject,
        "detail": event.detail,
    })
}

fn read_filter(query: &str) -> Result<EventFilter, Refusal> {
    let mut filter = EventFilter::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        let instant = |field| {
            value
                .parse::<Timestamp>()
                .map_err(|_| invalid(field, "an instant such as 2026-11-21T08:00:00Z"))
        };
        match name.as_ref() {
            "kind" if is_word(&value) => filter.kind = Some(value.clone().into_owned()),
            "kind" => return Err(invalid("kind", "a word such as upload or sign_in_failed")),
            "account" => {
                let account = value
                    .parse()
                    .map_err(|_| invalid("account", "the number of an account"))?;
                filter.account_id = Some(account);
            }
            "address" => {
                let address = value.parse().map_err(|_| invalid("address", "an IP address"))?;
                filter.client_address = Some(address);
            }
            "since" => filter.since = Some(instant("since")?),
            "until" => filter.until = Some(instant("until")?),
            _ => {}
        }
    }
    Ok(filter)
}

fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn invalid(field: &'static str, expected: &str) -> Refusal {
    Refusal::InvalidField {
        field,
        reason: format!("expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_and_bad_ones_named() {
        let filter =
            read_filter("kind=sign_in&account=7&address=192.0.2.1&since=2026-01-01T00:00:00Z&until=&limit=3")
                .unwrap();
        assert_eq!(filter.kind.as_deref(), Some("sign_in"));
        assert_eq!((filter.account_id, filter.until), (Some(7), None));
        assert_eq!(filter.client_address, "192.0.2.1".parse().ok());
        assert_eq!(filter.since, "2026-01-01T00:00:00Z".parse().ok());
        for (query, named) in [
            ("kind=a%00b", "kind"),
            ("account=ann", "account"),
            ("address=home", "address"),
            ("since=yesterday", "since"),
            ("until=2026-01-01", "until"),
        ] {
            match read_filter(query) {
                Err(Refusal::InvalidField { field, .. }) => assert_eq!(field, named),
                other => panic!("{query}: {other:?}"),
            }
        }
    }
}
