//! Answers of URLs that are not there.

use crate::rig::Rig;

#[tokio::test]
async fn unknown_urls_and_methods_have_problems_in_the_clients_language() {
    let rig = Rig::defaults().await;
    let cases = [
        ("GET /nowhere", "en", 404, None, "Nothing is here"),
        ("POST /nowhere", "en", 404, None, "Nothing is here"),
        ("GET /nowhere", "zh-CN", 404, None, "这里什么都没有"),
        (
            "DELETE /ping",
            "en",
            405,
            Some("GET, HEAD"),
            "This URL does not answer that method",
        ),
        ("GET /upload", "zh", 405, Some("POST"), "此地址不支持该请求方法"),
        (
            "BREW /ping",
            "en",
            405,
            Some("GET, HEAD"),
            "This URL does not answer that method",
        ),
    ];
    for (line, language, status, allow, title) in cases {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nAccept-Language: {language}\r\n\r\n");
        let answer = rig.ask(&request).await;
        assert_eq!((answer.status, answer.header("allow")), (status, allow), "{line}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["title"], title, "{line}");
        assert_eq!(problem["status"], status);
        assert_eq!(
            problem["type"],
            format!("urn:berth:problem:{}", problem["code"].as_str().unwrap())
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn a_head_request_is_answered_without_a_body() {
    let rig = Rig::defaults().await;
    let mut client = rig.connect().await;
    client
        .send(b"HEAD /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    let (_, answer) = client.until_closed().await;
    let text = String::from_utf8(answer).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
}
