use catalog::{BulkAction, BulkCaller};
use domain::{PublicId, Refusal, Scope};
use http::StatusCode;
use http_kit::Language;
use serde_json::{Map, Value, json};
use warp::reply::Response;

use super::fields;
use crate::{
    Service,
    identity::{album_for, authenticate_in_album, require, require_whole},
    problem::Failure,
    routes::{Asked, Body, answer, read_body},
};

/// Images in one request.
const MOST: usize = 1_000;

/// `POST /v1/images/bulk`: one thing done to many images. `{"results":[{"id":…,"ok":true}|{"id":…,"ok":false,"problem":{…}}]}`, in the
/// order sent.
pub(crate) async fn bulk(service: Service, asked: Asked, body: Body) -> Response {
    let language = Language::of(&asked.headers);
    let outcome: Result<_, Failure> = async {
        let bearer = authenticate_in_album(&service, &asked).await?;
        require(&bearer, Scope::Manage)?;
        let known = ["ids", "action", "album", "expires_at", "visibility", "all"];
        let fields = fields::object(read_body(&asked.headers, body).await?, &known)?;
        let all = fields.get("all").and_then(Value::as_bool).unwrap_or_default();
        if all {
            require(&bearer, Scope::Admin)?;
            require_whole(&bearer)?;
        }
        let sent = ids(&fields)?;
        let action = action(&service, &fields)?;
        if let BulkAction::Move(album) = action {
            album_for(&bearer, Some(album))?;
        }
        let caller = BulkCaller {
            owner: (!all).then_some(bearer.account_id),
            album_id: bearer.album_id,
            account_id: bearer.account_id,
            client_address: Some(asked.client.0),
        };
        let ids: Vec<PublicId> = sent.iter().filter_map(|id| id.parse().ok()).collect();
        let outcomes = catalog::change_many(service.catalog(), caller, &ids, action, service.now()).await?;
        let mut documents: std::collections::HashMap<PublicId, Option<Value>> = outcomes
            .into_iter()
            .map(|(id, outcome)| {
                let problem = outcome.err().map(Failure::from);
                (id, problem.map(|failure| failure.problem(language).document()))
            })
            .collect();
        let not_found = Failure::from(Refusal::NotFound).problem(language).document();
        let results: Vec<Value> = sent
            .iter()
            .map(|id| {
                let outcome = id.parse().ok().and_then(|id: PublicId| documents.get_mut(&id));
                match outcome.map(|problem| problem.clone()) {
                    Some(None) => json!({ "id": id, "ok": true }),
                    Some(Some(problem)) => json!({ "id": id, "ok": false, "problem": problem }),
                    None => json!({ "id": id, "ok": false, "problem": not_found }),
                }
            })
            .collect();
        Ok((StatusCode::OK, Some(json!({ "results": results }))))
    }
    .await;
    answer("POST /v1/images/bulk", language, outcome)
}

fn ids(fields: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let invalid = || fields::invalid("ids", "expected a list of 1 to 1000 ids");
    let ids = fields
        .get("ids")
        .and_then(Value::as_array)
        .filter(|ids| (1..=MOST).contains(&ids.len()));
    let ids = ids.ok_or_else(invalid)?.iter();
    ids.map(|id| id.as_str().map(str::to_owned).ok_or_else(invalid))
        .collect()
}

fn action(service: &Service, fields: &Map<String, Value>) -> Result<BulkAction, Refusal> {
    let now = service.now();
    let needed = |name: &'static str| {
        fields
            .get(name)
            .ok_or_else(|| fields::invalid(name, "this action needs it"))
    };
    Ok(match fields.get("action").and_then(Value::as_str) {
        Some("withdraw") => BulkAction::Withdraw,
        Some("restore") => BulkAction::Restore {
            lifetime: service.lifetime(),
            grace_began: service.grace_began(),
        },
        Some("move") => BulkAction::Move(fields::album(needed("album")?)?),
        Some("expire") => BulkAction::Expire(fields::expiry(needed("expires_at")?, now)?),
        Some("visibility") => BulkAction::Show(fields::visibility(needed("visibility")?)?),
        _ => {
            return Err(fields::invalid(
                "action",
                "expected one of withdraw, restore, move, expire, visibility",
            ));
        }
    })
}
