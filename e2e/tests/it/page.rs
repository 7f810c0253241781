//! The page in Chromium: web/e2e, played by Playwright against the whole stack.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    curl::{curl, send_json},
    stack::{ADMIN_PASSWORD, Stack, root},
};

/// The password of an account with 100,000 pictures.
const CROWD: &str = "a-crowd-of-pictures";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_does_what_its_plays_say() {
    let web = root().join("web");
    let playwright = web.join("node_modules/.bin/playwright");
    assert!(
        playwright.is_file() && web.join("dist/index.html").is_file(),
        "the page is not built: run `npm ci && npm run build` in web/ first (make test does)"
    );
    let stack = Stack::start(&[
        ("BERTH_SIGN_IN_PER_ACCOUNT", "1000"),
        ("BERTH_SIGN_IN_PER_ADDRESS", "1000"),
        ("BERTH_RATE_LIMIT", "0"),
        ("BERTH_ACCOUNT_RATE_LIMIT", "0"),
    ])
    .await;
    crowd(&stack).await;
    let corpus = root().join("../shared/corpus");
    let play = Command::new(playwright)
        .arg("test")
        .current_dir(&web)
        .envs([
            ("BERTH_URL", stack.url.as_str()),
            ("BERTH_USERNAME", "admin"),
            ("BERTH_PASSWORD", ADMIN_PASSWORD),
            ("BERTH_CROWD", CROWD),
            ("BERTH_CORPUS", corpus.to_str().unwrap()),
            // A proxy of the machine has no business between us and us.
            ("NO_PROXY", "127.0.0.1"),
        ])
        .output()
        .unwrap();
    assert_good(&play);
}

/// 95 of 100 for accessibility and best practices; for performance, which needs a quiet machine, what `LEAST_PERFORMANCE` says
/// (`make lighthouse`).
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_that_stand_first_are_accessible_and_well_kept() {
    let stack = Stack::start(&[]).await;
    let folder = root().join("web/lighthouse");
    assert!(
        folder.join("node_modules/lighthouse").is_dir(),
        "Lighthouse is not there: run `npm ci` in web/lighthouse/ first (make test does)"
    );
    let figures = Command::new("node")
        .arg("measure.mjs")
        .current_dir(&folder)
        .envs([
            ("BERTH_URL", stack.url.as_str()),
            ("BERTH_USERNAME", "admin"),
            ("BERTH_PASSWORD", ADMIN_PASSWORD),
            ("NO_PROXY", "127.0.0.1"),
        ])
        .output()
        .unwrap();
    assert_good(&figures);
    println!("{}", String::from_utf8_lossy(&figures.stdout));
}

fn assert_good(output: &std::process::Output) {
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_built_page_the_welcome_stands_in_its_place() {
    let stack = Stack::start_with(&[], std::path::Path::new("/nowhere"), None).await;
    let answer = curl(&["-H", "Accept-Language: en", &format!("{}/", stack.url)]);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("berth is running"), "{answer:?}");
    assert_eq!(curl(&[&format!("{}/assets/index.js", stack.url)]).status, 404);
}

/// An account `crowd` with 100,000 pictures, one every 40 minutes from 2018 on, every tenth without a date. They have rows and
/// no bytes.
async fn crowd(stack: &Stack) {
    let post = |path: &str, bearer: &str, body: &Value| -> Value {
        send_json("POST", &format!("{}{path}", stack.url), bearer, body).json()
    };
    let login = json!({ "username": "admin", "password": ADMIN_PASSWORD });
    let session = post("/v1/session", "none", &login);
    let user = json!({ "username": "crowd", "password": CROWD });
    let user = post("/v1/users", session["token"].as_str().unwrap(), &user);
    let owner = user["id"].as_i64().unwrap();
    stack
        .sql(&format!(
            "INSERT INTO blob (sha256, md5, key, size_bytes, media_type, width, height, links, created_at)
             SELECT sha256(n::text::bytea), substring(sha256(n::text::bytea) for 16), 'k' || n, 1 + n % 9973, 'image/jpeg',
                    800 + n * 37 % 900, 900, 1, '2026-01-01'
             FROM generate_series(1, 100000) AS n;
             INSERT INTO image (public_id, account_id, album_id, blob_id, name, kind, taken_at, created_at, updated_at)
             SELECT translate(lpad(n::text, 12, '0'), '0', 'A'), {owner}, (SELECT id FROM album WHERE account_id = {owner}),
                    blob.id, 'IMG_' || n || '.jpg', 'image',
                    CASE WHEN n % 10 > 0 THEN '2018-01-01'::timestamptz + n * interval '40 minutes' END, '2026-01-01', '2026-01-01'
             FROM generate_series(1, 100000) AS n JOIN blob ON blob.key = 'k' || n;
             ANALYZE image, blob;"
        ))
        .await;
}
