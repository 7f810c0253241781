use std::collections::HashMap;

use catalog::{Bearer, HotlinkTexts, ImageRecord, LiveImage, Role};
use domain::{
    BlobKey, PublicId, Refusal, Scope, Signature, SignedLink, Visibility,
    hotlink::{HotlinkPolicy, Reason, RefererHeaders, RefusalAnswer, Verdict},
    is_live,
};
use http::StatusCode;
use http_kit::Language;
use serde_json::{Value, json};
use url::Url;
use warp::reply::Response;

use crate::{
    Service,
    identity::{authenticate_in_album, require},
    problem::Failure,
    routes::{Asked, answer, images::fields::invalid},
};

/// `GET /v1/policy/explain?url=&referer=[&origin=&sec_fetch_site=&sec_fetch_dest=]`: what a request for this URL would be answered,
/// by which rule, and why; without a URL, by the site's rules. What serve-svc decides with decides here.
pub(crate) async fn explain(service: Service, asked: Asked) -> Response {
    let language = Language::of(&asked.headers);
    let outcome = explained(&service, &asked, language).await;
    answer(
        "GET /v1/policy/explain",
        language,
        outcome.map(|told| (StatusCode::OK, Some(told))),
    )
}

async fn explained(service: &Service, asked: &Asked, language: Language) -> Result<Value, Failure> {
    let bearer = authenticate_in_album(service, asked).await?;
    require(&bearer, Scope::Read)?;
    let sent: HashMap<String, String> = url::form_urlencoded::parse(asked.query.as_bytes())
        .into_owned()
        .collect();
    let text = |name: &str| sent.get(name).map(String::as_str);
    let asked_for = match text("url").filter(|url| !url.is_empty()) {
        Some(url) => Some(image_of(service, &bearer, url).await?),
        None => None,
    };
    let rules = match &asked_for {
        Some((image, _)) => image.rules.clone(),
        None => site_rules(service).await?,
    };
    let (policy, unreadable) = HotlinkPolicy::layered(service.hotlink_base(), rules.levels());
    let headers = RefererHeaders {
        referer: text("referer"),
        several: false,
        origin: text("origin"),
        fetch_site: text("sec_fetch_site"),
        fetch_dest: text("sec_fetch_dest"),
    };
    let mut told = match &asked_for {
        Some((image, url)) if is_signed(service, image, url) => verdict(
            "allowed",
            "signed",
            language.pick(
                "The link is signed: it is good wherever it is opened.",
                "这是签名链接，在任何地方都有效。",
            ),
        ),
        Some((image, _)) if image.visibility == Visibility::Private => verdict(
            "missing",
            "private",
            language.pick(
                "The image is private: only a signed link opens it.",
                "图片为私有，只能通过签名链接访问。",
            ),
        ),
        _ => judged(&policy, headers, language),
    };
    let image = asked_for.as_ref().map(|(image, _)| image);
    told["image"] = image.map(|image| image.public_id.as_str()).into();
    told["visibility"] = image.map(|image| image.visibility.as_str()).into();
    told["policy"] = serde_json::to_value(&policy).unwrap_or_default();
    told["unreadable"] = unreadable
        .iter()
        .map(|(level, error)| json!({ "level": level, "error": error }))
        .collect();
    Ok(told)
}

/// The image that a URL names, if the caller may know of it, and the URL.
async fn image_of(service: &Service, bearer: &Bearer, url: &str) -> Result<(LiveImage, Url), Failure> {
    let url = Url::parse(service.base_url())
        .and_then(|base| base.join(url))
        .map_err(|error| invalid("url", &error.to_string()))?;
    let image = find(service, &url).await?.ok_or(Refusal::NotFound)?;
    let owned = catalog::find_image(service.catalog(), image.public_id).await?;
    let is_admin = bearer.role == Role::Admin && bearer.scopes.contains(Scope::Admin);
    // SECURITY: whose image it is, and that there is one, is for its owner to know.
    let is_known = |owned: &ImageRecord| {
        (is_admin || owned.account_id == bearer.account_id) && bearer.reaches(owned.album_id)
    };
    if owned.as_ref().is_some_and(is_known) {
        Ok((image, url))
    } else {
        Err(Refusal::NotFound.into())
    }
}

/// What holds where no album and no image says anything.
async fn site_rules(service: &Service) -> Result<HotlinkTexts, Failure> {
    let site = catalog::find_site_policy(service.catalog()).await?;
    Ok(HotlinkTexts {
        site: site.policy.get("hotlink").map(Value::to_string),
        ..HotlinkTexts::default()
    })
}

/// The live image that a URL names, as serve-svc would find it.
async fn find(service: &Service, url: &Url) -> Result<Option<LiveImage>, Failure> {
    let now = service.now();
    let by_path = || url.query_pairs().find(|(name, _)| name == "path");
    let image = if let Some(name) = url.path().strip_prefix("/i/") {
        let id = name.split_once('.').map_or(name, |(id, _)| id);
        let id: PublicId = id.parse().map_err(|_| Refusal::NotFound)?;
        catalog::find_live_by_id(service.catalog(), id).await?
    } else if let Some((_, path)) = by_path() {
        let key = path.strip_prefix('/').unwrap_or(&path);
        let key: BlobKey = key.parse().map_err(|_| Refusal::NotFound)?;
        catalog::find_live_by_key(service.catalog(), &key, now).await?
    } else {
        return Err(invalid("url", "expected the URL of an image: /i/{id}.{ext} or /?path=…").into());
    };
    Ok(image.filter(|image| is_live(image.expiry, now)))
}

fn is_signed(service: &Service, image: &LiveImage, url: &Url) -> bool {
    let said = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let (Some(expires), Some(signature)) = (
        said("e").and_then(|text| text.parse::<i64>().ok()),
        said("s").and_then(|text| text.parse::<Signature>().ok()),
    ) else {
        return false;
    };
    let link = SignedLink {
        public_id: image.public_id,
        generation: image.link_generation,
        expires,
        width: said("w").map(|text| text.parse().unwrap_or(u32::MAX)),
    };
    service.signed_links().opens(signature, link, service.now())
}

fn verdict(decision: &str, reason: &str, why: &str) -> Value {
    json!({
        "decision": decision, "reason": reason, "why": why, "host": null, "rule": null, "level": null,
        "dry_run": false, "answer": if decision == "allowed" { json!("image") } else { json!("missing") },
    })
}

fn judged(policy: &HotlinkPolicy, headers: RefererHeaders<'_>, language: Language) -> Value {
    let site = headers.site();
    let decision = policy.judge(&site, headers);
    let is_shown = decision.is_allowed() || policy.dry_run.value;
    json!({
        "decision": match decision.verdict { Verdict::Allow => "allowed", Verdict::Refuse => "refused" },
        "reason": decision.reason.as_str(),
        "why": why(decision.reason, language),
        "host": site.host(),
        "rule": decision.rule,
        "level": decision.level,
        "dry_run": policy.dry_run.value,
        "answer": if is_shown {
            json!("image")
        } else {
            answer_json(&policy.refusal.value)
        },
    })
}

fn answer_json(answer: &RefusalAnswer) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// What decided, for a person.
fn why(reason: Reason, language: Language) -> &'static str {
    match reason {
        Reason::OwnHost => language.pick(
            "The page is our own, or on this machine: those always pass.",
            "来自本站或本机的页面，始终允许。",
        ),
        Reason::Listed => language.pick(
            "A rule of `allow` fits the page's host.",
            "页面的域名符合 allow 中的一条规则。",
        ),
        Reason::Denied => language.pick(
            "A rule of `deny` fits the page's host; `deny` is looked at before `allow`.",
            "页面的域名符合 deny 中的一条规则；deny 优先于 allow。",
        ),
        Reason::NotListed => language.pick(
            "No rule of `allow` fits the page's host.",
            "页面的域名不符合 allow 中的任何规则。",
        ),
        Reason::Empty => language.pick(
            "The request does not say where it comes from: `empty_referer` decides.",
            "请求没有说明来源，由 empty_referer 决定。",
        ),
        Reason::HiddenEmbed => language.pick(
            "A page of another site embeds the picture and hides its address: `hidden_embeds` decides.",
            "其他网站的页面嵌入图片并隐藏了来源，由 hidden_embeds 决定。",
        ),
        Reason::Off => language.pick(
            "Nobody is judged: BERTH_HOTLINK_RULES is off.",
            "未启用防盗链：BERTH_HOTLINK_RULES 为 off。",
        ),
        Reason::Several => language.pick(
            "Several Referer or Origin fields: no browser sends that.",
            "请求带有多个 Referer 或 Origin，浏览器不会这样发送。",
        ),
        Reason::Malformed => language.pick(
            "The Referer or Origin is no plain http(s) address: no browser sends that.",
            "Referer 或 Origin 不是正常的 http(s) 地址，浏览器不会这样发送。",
        ),
    }
}
