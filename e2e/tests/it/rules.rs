//! Hotlink rules, caches and headers through the whole: what Chromium's embeds come to, what a CDN keeps, what stands on every
//! answer.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    browser::{blogs, dump},
    curl::{Answer, curl, send_json},
    stack::{Running, Stack, free_port, open_folder, wait_for},
};

fn upload(stack: &Stack, seed: u64, options: &[&str]) -> Value {
    let file = stack.folder.path().join(format!("{seed}.png"));
    std::fs::write(&file, pictures::png(32, 32, seed)).unwrap();
    stack.upload(&file, options)
}

fn text<'a>(image: &'a Value, key: &str) -> &'a str {
    image[key].as_str().unwrap_or_else(|| panic!("{key} of {image}"))
}

/// Sends JSON with the stack's token.
fn send(stack: &Stack, method: &str, path: &str, body: &Value) -> Answer {
    send_json(method, &format!("{}{path}", stack.url), &stack.token, body)
}

fn set_rules(stack: &Stack, image: &Value, rules: &Value) {
    let path = format!("/v1/images/{}", text(image, "id"));
    let answer = send(stack, "PATCH", &path, &json!({ "policy": { "hotlink": rules } }));
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn connected(port: u16) {
    wait_for("a listener", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
}

/// Ways in which a page can show a picture; `URL` stands for it.
const EMBEDS: [&str; 9] = [
    "<img src='URL'>",
    "<img src='URL' referrerpolicy='no-referrer'>",
    "<div style='width:9px;height:9px;background:url(URL)'></div>",
    "<video src='URL' preload='auto'></video>",
    "<iframe src='URL'></iframe>",
    "<iframe sandbox srcdoc=\"<meta name=referrer content=no-referrer><img src='URL'>\"></iframe>",
    "<object data='URL'></object>",
    "<script>fetch('URL', { mode: 'no-cors', referrerPolicy: 'no-referrer' })</script>",
    "<script>fetch('URL').catch(() => 0)</script>",
];

/// A page with every kind of embed, each of an image of its own.
fn page(head: &str, images: &[Value]) -> String {
    let embeds: Vec<String> = EMBEDS
        .iter()
        .zip(images)
        .map(|(embed, image)| embed.replace("URL", text(image, "url")))
        .collect();
    format!(
        "<!doctype html><meta charset=utf-8>{head}<body>{}</body>",
        embeds.join("\n")
    )
}

/// What nginx answered to the page's requests for an image, from its log; nothing while the log does not say.
fn statuses(stack: &Stack, image: &Value) -> Vec<u16> {
    let asked = format!("GET \"/i/{}.png\" ", text(image, "id"));
    let log = stack.log("access.log");
    let answers = log.lines().filter_map(|line| line.split_once(&asked));
    answers
        .filter_map(|(_, rest)| rest.split(' ').next()?.parse().ok())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_of_embedding_gets_a_foreign_page_a_picture_however_it_hides() {
    let stack = Stack::start(&[]).await;
    let pages = open_folder();
    let hides = "<meta name=referrer content=no-referrer>";
    let rules = json!({ "allow": ["blog.example"], "hidden_embeds": "deny" });
    // Host, what stands in its head, which of the embeds are shown.
    let sites: [(&str, &str, [bool; 9]); 3] = [
        ("evil.example", "", [false; 9]),
        ("hiding.example", hides, [false; 9]),
        // It names itself where nothing hides it; `fetch` with CORS does by its Origin.
        (
            "blog.example",
            "",
            [true, false, true, true, true, false, true, false, true],
        ),
    ];
    let mut shown = Vec::new();
    for (place, (host, head, _)) in sites.iter().enumerate() {
        let seeds = (0..9).map(|kind| u64::try_from(place * 9 + kind).unwrap() + 1);
        let images: Vec<Value> = seeds.map(|seed| upload(&stack, seed, &[])).collect();
        for image in &images {
            set_rules(&stack, image, &rules);
        }
        std::fs::write(pages.path().join(format!("{host}.html")), page(head, &images)).unwrap();
        shown.push(images);
    }
    let port = free_port();
    let _blogs = blogs(pages.path(), port);
    connected(port);
    for (host, ..) in &sites {
        dump(&format!("http://{host}/{host}.html"), port);
    }
    for ((host, _, expected), images) in sites.iter().zip(&shown) {
        for ((embed, image), expected) in EMBEDS.iter().zip(images).zip(expected) {
            let told = wait_for(&format!("{host}: {embed}"), Duration::from_secs(10), || {
                Some(statuses(&stack, image)).filter(|told| !told.is_empty())
            });
            let is_shown = told.iter().any(|status| matches!(status, 200 | 206));
            assert_eq!(is_shown, *expected, "{host}: {embed}: {told:?}");
        }
    }
}

/// A shared cache in front of berth's nginx, as a CDN would be.
fn cdn(folder: &Path, port: u16, origin: &str) -> Running {
    let configuration = format!(
        "pid cdn.pid; error_log stderr alert; events {{}} http {{ access_log off; client_body_temp_path b; proxy_temp_path p; \
         fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; proxy_cache_path kept keys_zone=kept:1m; \
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {origin}; proxy_cache kept; proxy_cache_revalidate on; \
         add_header X-Cache $upstream_cache_status always; }} }} }}"
    );
    start_cdn(folder, &configuration)
}

fn start_cdn(folder: &Path, configuration: &str) -> Running {
    std::fs::write(folder.join("cdn.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("cdn.conf"));
    Running::start(command.args(["-g", "daemon off;"]), &folder.join("cdn.log"))
}

/// A CDN that keeps what it is told not to, as an operator may have set it up; it forgets what is asked for with `X-Forget`.
fn obstinate_cdn(folder: &Path, port: u16, origin: &str) -> Running {
    let configuration = format!(
        "pid cdn.pid; error_log stderr alert; events {{}} http {{ access_log off; client_body_temp_path b; proxy_temp_path p; \
         fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; proxy_cache_path kept keys_zone=kept:1m; \
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {origin}; proxy_cache kept; proxy_cache_bypass $http_x_forget; \
         proxy_ignore_headers Cache-Control Expires; proxy_cache_valid any 1h; \
         add_header X-Cache $upstream_cache_status always; }} }} }}"
    );
    start_cdn(folder, &configuration)
}

/// Every URL of an image that can be asked for, through a host.
fn urls(host: &str, image: &Value) -> Vec<String> {
    let (id, md5) = (text(image, "id"), text(image, "md5"));
    vec![
        format!("{host}/i/{id}.png"),
        format!("{host}/i/{id}"),
        format!("{host}/i/{id}.png?w=480"),
        format!("{host}/?path=/{}/{}.png", &md5[..2], &md5[2..]),
    ]
}

/// Asks until the status is the one that is meant: a second is all that it may take.
fn becomes(url: &str, referer: &str, status: u16) -> Answer {
    let began = Instant::now();
    loop {
        let answer = curl(&["-e", referer, url]);
        if answer.status == status || began.elapsed() > Duration::from_secs(1) {
            assert_eq!(answer.status, status, "{referer} {url}");
            return answer;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_or_changes_an_image_is_real_at_once_through_every_cache() {
    let stack = Stack::start(&[]).await;
    let folder = open_folder();
    let port = free_port();
    let _cdn = cdn(folder.path(), port, &stack.url);
    connected(port);
    let host = format!("http://127.0.0.1:{port}");
    let blog = "https://blog.example/post";
    for (place, rules) in [json!({ "allow": ["blog.example"] }), json!({ "allow": ["*"] })]
        .iter()
        .enumerate()
    {
        let seed = u64::try_from(place).unwrap() * 10;
        let [gone, changed, closed] = [1, 2, 3].map(|own| upload(&stack, seed + own, &[]));
        for image in [&gone, &changed, &closed] {
            set_rules(&stack, image, rules);
            for url in urls(&host, image).iter().chain(&urls(&stack.url, image)) {
                for _ in 0..3 {
                    becomes(url, blog, 200);
                }
            }
        }
        let path = |image: &Value| format!("/v1/images/{}", text(image, "id"));
        assert_eq!(send(&stack, "DELETE", &path(&gone), &json!({})).status, 204);
        let other = pictures::png(48, 48, seed + 9);
        let file = stack.folder.path().join("other.png");
        std::fs::write(&file, &other).unwrap();
        let bearer = format!("Authorization: Bearer {}", stack.token);
        let form = format!("file=@{}", file.display());
        let content = format!("{}{}/content", stack.url, path(&changed));
        let replaced = curl(&["-X", "PUT", "-H", &bearer, "-F", &form, &content]);
        assert_eq!(replaced.status, 200, "{replaced:?}");
        set_rules(&stack, &closed, &json!({ "allow": [] }));
        for (own, through) in [(&stack.url, "nginx"), (&host, "the CDN")] {
            for url in urls(own, &gone) {
                let answer = becomes(&url, blog, 404);
                assert_eq!(
                    answer.header("cache-control"),
                    Some("no-store"),
                    "{through} {url}"
                );
            }
            for url in &urls(own, &changed)[..3] {
                let began = Instant::now();
                while curl(&["-e", blog, url]).body != other {
                    assert!(began.elapsed() < Duration::from_secs(1), "{through} {url}");
                }
            }
            becomes(&urls(own, &changed)[3], blog, 404);
            for url in urls(own, &closed) {
                becomes(&url, blog, 403);
            }
        }
    }
    // A private image, and its link that is taken back.
    let image = upload(&stack, 99, &["visibility=private"]);
    let link = text(&image, "signed_url").replace(&stack.url, &host);
    for _ in 0..3 {
        let shown = becomes(&link, "https://mail.example/", 200);
        let cached = shown.header("cache-control").unwrap();
        assert!(cached.starts_with("private, max-age="), "{cached}");
        assert_eq!(shown.header("cross-origin-resource-policy"), Some("same-site"));
    }
    for url in urls(&host, &image) {
        becomes(&url, blog, 404);
    }
    let links = format!("/v1/images/{}/signed-links", text(&image, "id"));
    assert_eq!(send(&stack, "DELETE", &links, &json!({})).status, 204);
    becomes(&link, blog, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headers_that_protect_stand_on_every_answer_of_the_file_server() {
    let stack = Stack::start(&[]).await;
    let image = upload(&stack, 1, &[]);
    let redirected = upload(&stack, 2, &[]);
    set_rules(
        &stack,
        &redirected,
        &json!({ "refusal": { "redirect": "https://blog.example/" } }),
    );
    let (url, away) = (text(&image, "url"), text(&redirected, "url"));
    let (nowhere, long) = (
        format!("{}/no/where.png", stack.url),
        format!("{}/i/{}", stack.url, "x".repeat(5_000)),
    );
    let unknown = format!("{}/i/111111111111.png", stack.url);
    let evil = "https://evil.example/";
    for (arguments, status) in [
        (vec![url], 200),
        (vec!["-I", url], 200),
        (vec!["-r", "0-9", url], 206),
        (vec!["-r", "0-1,3-4", url], 200),
        (vec!["-r", "99999999-", url], 416),
        (vec!["-H", "If-None-Match: *", url], 304),
        (vec!["-H", "If-Match: \"other\"", url], 412),
        (vec!["-e", evil, url], 403),
        (vec!["-e", evil, away], 302),
        (vec!["-X", "POST", url], 405),
        (vec![&unknown], 404),
        (vec![&nowhere], 404),
        (vec![&long], 414),
    ] {
        let answer = curl(&arguments);
        assert_eq!(answer.status, status, "{arguments:?}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            (
                "content-security-policy",
                "default-src 'none'; sandbox; frame-ancestors 'none'",
            ),
            ("referrer-policy", "no-referrer"),
        ] {
            let said: Vec<&str> = answer
                .headers
                .iter()
                .filter(|(own, _)| own == name)
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!(said, [value], "{arguments:?} {name}");
        }
        let policy = answer.header("cross-origin-resource-policy");
        assert!(policy.is_some() || status == 414, "{arguments:?}");
        assert_eq!(answer.header("set-cookie"), None, "{arguments:?}");
        if matches!(status, 302 | 403 | 404 | 412 | 416) {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{arguments:?}");
        }
        if matches!(status, 200 | 206 | 304) {
            assert!(
                answer.header("etag").is_some_and(|etag| etag.starts_with('"')),
                "strong"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cdn_that_keeps_pictures_for_an_hour_is_told_to_forget_them() {
    let (folder, port) = (open_folder(), free_port());
    let cdn = format!("http://127.0.0.1:{port}");
    let hook = format!("{cdn}{{path}}");
    let stack = Stack::start(&[
        ("BERTH_HOTLINK_ALLOW", "*"),
        ("BERTH_PURGE_URL", &hook),
        ("BERTH_PURGE_METHOD", "GET"),
        ("BERTH_PURGE_HEADER", "X-Forget: 1"),
    ])
    .await;
    let _cdn = obstinate_cdn(folder.path(), port, &stack.url);
    connected(port);
    let image = upload(&stack, 1, &[]);
    let urls: Vec<String> = urls(&cdn, &image)
        .into_iter()
        .filter(|url| !url.contains("w="))
        .collect();
    for url in &urls {
        assert_eq!(curl(&[url]).status, 200, "{url}");
        assert_eq!(curl(&[url]).header("x-cache"), Some("HIT"), "{url}");
    }
    let path = format!("/v1/images/{}", text(&image, "id"));
    assert_eq!(send(&stack, "DELETE", &path, &json!({})).status, 204);
    for url in &urls {
        assert_eq!(curl(&[&url.replace(&cdn, &stack.url)]).status, 404, "{url}");
        // The answer that says so is kept, too: nothing but the call changed what the CDN shows.
        wait_for(url, Duration::from_secs(10), || {
            (curl(&[url]).status == 404).then_some(())
        });
    }
}
