//! The page in Chromium: web/e2e, played by Playwright against the whole stack.

use std::process::Command;

use crate::{
    curl::curl,
    stack::{ADMIN_PASSWORD, Stack, root},
};

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
    ])
    .await;
    let play = Command::new(playwright)
        .arg("test")
        .current_dir(&web)
        .envs([
            ("BERTH_URL", stack.url.as_str()),
            ("BERTH_USERNAME", "admin"),
            ("BERTH_PASSWORD", ADMIN_PASSWORD),
            ("BERTH_TOKEN", &stack.token),
            // A proxy of the machine has no business between us and us.
            ("NO_PROXY", "127.0.0.1"),
        ])
        .output()
        .unwrap();
    assert!(
        play.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&play.stdout),
        String::from_utf8_lossy(&play.stderr)
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
