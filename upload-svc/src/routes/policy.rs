//! `/v1/policy`: what holds for the whole site, and which rule decides about a request.

mod explain;

use explain::explain;

use catalog::SitePolicy;
use domain::{
    Policy, Scope,
    hotlink::{HotlinkPolicy, Level},
};
use http::{HeaderValue, StatusCode, header::ETAG};
use http_kit::{Language, get_or_head, put};
use serde_json::{Value, json};
use warp::{Filter, path, reply::Response};

use super::{
    Asked, Body, IfMatch, Row, answer, asked,
    images::fields::{self, object},
    read_body, sent, tag_of,
};
use crate::{
    Service,
    identity::{authenticate, require},
    problem::Failure,
};

/// `path, method [and body], handler`.
pub(super) fn routes<F, W>(with: &F) -> Vec<Row>
where
    F: Fn() -> W,
    W: Filter<Extract = (Service,), Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
{
    macro_rules! row {
        ($path:expr, $method:ident $(+ $body:ident)?, $handler:path) => {{
            let filter = $path.and($method()).and(with()).and(asked())$(.and($body()))?.then($handler);
            Row::new(stringify!($method), stringify!($path), filter.boxed())
        }};
    }
    vec![
        row!(path!("v1" / "policy"), get_or_head, describe),
        row!(path!("v1" / "policy"), put + sent, set),
        row!(path!("v1" / "policy" / "explain"), get_or_head, explain),
    ]
}

/// `GET /v1/policy`: the site's policy, and what holds where no album and no image says anything.
async fn describe(service: Service, asked: Asked) -> Response {
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Admin)?;
        Ok(catalog::find_site_policy(service.catalog()).await?)
    };
    tell(&service, "GET /v1/policy", &asked, outcome.await)
}

/// `PUT /v1/policy`: `{"policy":{…}}` takes the place of the one before. With `If-Match` only if that is still the same.
async fn set(service: Service, asked: Asked, body: Body) -> Response {
    let outcome = async {
        let bearer = authenticate(&service, &asked).await?;
        require(&bearer, Scope::Admin)?;
        let mut sent = object(read_body(&asked.headers, body).await?, &["policy"])?;
        let policy = sent.remove("policy").unwrap_or_default();
        let policy = fields::policy(Level::Site, policy)?.ok_or_else(|| {
            fields::invalid(
                "policy",
                "the site's policy is an object; an empty one says nothing",
            )
        })?;
        let if_match = IfMatch::of(&asked.headers);
        Ok(catalog::set_site_policy(
            service.catalog(),
            &policy,
            &|before| if_match.allows_tag(&etag(before)),
            bearer.account_id,
            Some(asked.client.0),
            service.now(),
        )
        .await?)
    };
    tell(&service, "PUT /v1/policy", &asked, outcome.await)
}

fn tell(
    service: &Service,
    route: &'static str,
    asked: &Asked,
    outcome: Result<SitePolicy, Failure>,
) -> Response {
    let tag = outcome.as_ref().ok().map(etag);
    let told = outcome.map(|site| (StatusCode::OK, Some(site_json(service, &site))));
    let mut response = answer(route, Language::of(&asked.headers), told);
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn site_json(service: &Service, site: &SitePolicy) -> Value {
    let rules = site.policy.get("hotlink").map(Value::to_string);
    let said = [
        (Level::Site, rules.as_deref()),
        (Level::Album, None),
        (Level::Image, None),
    ];
    let (effective, _) = HotlinkPolicy::layered(service.hotlink_base(), said);
    let policy: Policy = serde_json::from_value(site.policy.clone()).unwrap_or_default();
    let uploads = domain::UploadRules::of(service.lifetime(), &[policy]);
    json!({
        "policy": site.policy,
        "updated_at": site.updated_at,
        "effective": {
            "hotlink": effective,
            "expiry": {
                "default_seconds": uploads.lifetime.as_secs(),
                "longest_seconds": uploads.longest.as_secs(),
                "sliding_seconds": uploads.sliding.as_secs(),
            },
            "visibility": uploads.visibility,
        },
    })
}

/// Changes with the policy.
fn etag(site: &SitePolicy) -> String {
    tag_of(&site.policy)
}
