//! What people see of a berth: its public URL, and a view of a picture from end to end.

use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt as _, Limited};
use jiff::{Timestamp, fmt::rfc2822};
use process::Person;
use sha2::{Digest as _, Sha256};

use super::{Findings, machine::clock};
use crate::client::{api::Api, image::Image, images::page, session};

/// A program that says so is counted apart from readers.
const AGENT: &str = concat!("berth/", env!("CARGO_PKG_VERSION"), " (doctor-bot)");
/// The largest picture that is looked at.
const LARGEST: usize = 64 << 20;

/// Looks at the berth that a login, `BERTH_URL`, or the services' own base URL names.
pub(super) async fn look(findings: &mut Findings, person: &Person, base_url: Option<&str>, now: Timestamp) {
    let words = findings.words;
    let connected = session::connect(person, words);
    let public = match (&connected, base_url) {
        (_, Some(base_url)) => base_url.trim_end_matches('/').to_owned(),
        (Ok(api), None) => api.url().to_owned(),
        (Err(error), None) => {
            return findings.doubtful(
                format!("No berth is looked at from outside: {error}"),
                format!("未从外部检查：{error}"),
            );
        }
    };
    let outside = Api::new(&public, None, words);
    if !front(findings, &outside, now).await {
        return;
    }
    match connected {
        Ok(api) => view(findings, &api).await,
        Err(_) => findings.doubtful(
            "No picture was looked at: `berth login`, or BERTH_URL and BERTH_TOKEN, would let me",
            "未检查图片访问：请先 `berth login`，或设置 BERTH_URL 与 BERTH_TOKEN",
        ),
    }
}

fn agent() -> HeaderMap {
    HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(AGENT))])
}

/// Whether the public URL answers, both as upload-svc and as serve-svc.
async fn front(findings: &mut Findings, outside: &Api, now: Timestamp) -> bool {
    let url = outside.url();
    let document = match outside.open(&format!("{url}/openapi.json"), agent()).await {
        Ok(answer) => answer,
        Err(error) => {
            findings.bad(
                format!("{error}\nIs nginx (or berthd) running, and does the name lead to this machine?"),
                format!("{error}\nnginx（或 berthd）是否已启动？域名是否指向本机？"),
            );
            return false;
        }
    };
    if !document.status().is_success() {
        findings.bad(
            format!(
                "{url} answers {} for /openapi.json\nIs upload-svc running, and does nginx reach its socket?",
                document.status()
            ),
            format!(
                "{url}/openapi.json 返回 {}\nupload-svc 是否已启动？nginx 能否连上它的套接字？",
                document.status()
            ),
        );
        return false;
    }
    let date = document
        .headers()
        .get(header::DATE)
        .and_then(|date| date.to_str().ok());
    let date = date
        .and_then(|date| rfc2822::parse(date).ok())
        .map(|date| date.timestamp());
    // Nobody's picture: serve-svc says 404, nginx without it 502.
    let nobody = format!("{url}/i/111111111111.png");
    let answer = outside
        .open(&nobody, agent())
        .await
        .map(|answer| answer.status().as_u16());
    match answer {
        Ok(404 | 403) => findings.good(
            format!("{url} answers, uploads and views are behind it"),
            format!("{url} 正常，上传与访问服务都在线"),
        ),
        Ok(status) => {
            findings.bad(
                format!("{url} answers, but for a picture {status}\nIs serve-svc running, and does nginx reach its socket?"),
                format!("{url} 有响应，但访问图片返回 {status}\nserve-svc 是否已启动？nginx 能否连上它的套接字？"),
            );
            return false;
        }
        Err(error) => {
            findings.bad(&error, &error);
            return false;
        }
    }
    if let Some(date) = date {
        clock(
            findings,
            now.duration_since(date).as_secs(),
            ("the berth's", "服务器"),
        );
    }
    true
}

/// Whether the newest public picture is there, whole, under the link that was given out for it.
async fn view(findings: &mut Findings, api: &Api) {
    let query = [("visibility", "public".to_owned()), ("kind", "image".to_owned())];
    let images = match page(api, &query, None).await {
        Ok((images, _)) => images,
        Err(error) => {
            return findings.bad(
                format!("The token is not taken: {error}\nRun `berth login` again"),
                format!("令牌不被接受：{error}\n请重新 `berth login`"),
            );
        }
    };
    let Some(image) = images.iter().find(|image| image.size_bytes < LARGEST as u64) else {
        return findings.good(
            "The token is good; there is no public picture to look at yet",
            "令牌有效；还没有公开图片可供检查",
        );
    };
    let url = &image.url;
    match fetch(api, image).await {
        Ok(true) => findings.good(
            format!("{url} is served whole, as its SHA-256 says"),
            format!("{url} 访问正常，SHA-256 一致"),
        ),
        Ok(false) => findings.bad(
            format!("{url} gives other bytes than were uploaded\nIs there a cache in front that changes pictures, or is the disk damaged? `berth verify` looks at the store"),
            format!("{url} 返回的内容与上传时不同\n前面的缓存是否会改写图片？磁盘是否损坏？可用 `berth verify` 检查"),
        ),
        Err(403) => findings.doubtful(
            format!("{url} is refused without a referer (403)\nThat is your rule (BERTH_HOTLINK_EMPTY, or a policy); editors' previews see nothing"),
            format!("{url} 在没有来源时被拒绝（403）\n这是防盗链规则所致（BERTH_HOTLINK_EMPTY 或策略）；编辑器预览会看不到图"),
        ),
        Err(status) => findings.bad(
            format!("{url} answers {status}\nDoes BERTH_BASE_URL lead to this berth?"),
            format!("{url} 返回 {status}\nBERTH_BASE_URL 是否指向本服务？"),
        ),
    }
}

/// Whether the bytes are right; else the status, 0 where nobody answered.
async fn fetch(api: &Api, image: &Image) -> Result<bool, u16> {
    let answer = api.open(&image.url, agent()).await.map_err(|_| 0_u16)?;
    if !answer.status().is_success() {
        return Err(answer.status().as_u16());
    }
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let bytes = body.map_err(|_| 0_u16)?.to_bytes();
    Ok(hex::encode(Sha256::digest(&bytes)) == image.sha256)
}
