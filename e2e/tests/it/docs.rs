//! The document and its pages, through nginx, and what Chromium makes of the page.

use crate::{browser::dump, curl::curl, stack::Stack};

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_pages_are_reached_through_nginx_and_the_copy_button_works() {
    let stack = Stack::start(&[]).await;
    let document = curl(&[&format!("{}/openapi.json", stack.url)]);
    assert_eq!(document.status, 200, "{document:?}");
    assert_eq!(document.json()["openapi"], "3.1.0");
    assert_eq!(document.json()["servers"][0]["url"], stack.url.as_str());
    for path in ["/docs", "/redoc"] {
        let page = curl(&["-H", "Accept-Language: zh", &format!("{}{path}", stack.url)]);
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-language"), Some("zh-CN"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("script-src 'sha256-"),
            "nginx leaves ours: {policy}"
        );
    }
    // The script shows the button that is hidden in the page as it is sent: the policy lets it run.
    let seen = dump(&format!("{}/docs", stack.url), 1);
    assert!(seen.contains("data-done=\"Copied\">Copy</button>"), "{seen}");
}
