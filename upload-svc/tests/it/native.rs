//! `/v1/images`.

use jiff::SignedDuration;

use domain::Scope;
use test_kit::pictures;

use crate::server::{Part, Server};

#[tokio::test]
async fn an_upload_answers_with_the_image_and_its_bytes_rest_at_their_key() {
    let server = Server::start(&[]).await;
    let png = pictures::png(30, 20, 1);
    let answer = server.upload(&[Part::File("file", "截图 1.png", &png)]).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let image = &answer.json()["images"][0];
    let (id, md5) = (image["id"].as_str().unwrap(), image["md5"].as_str().unwrap());
    assert_eq!(id.len(), 12);
    assert_eq!(image["url"], format!("https://img.example/i/{id}.png"));
    assert_eq!((&image["width"], &image["height"]), (&30.into(), &20.into()));
    assert_eq!(image["size_bytes"], png.len());
    assert_eq!(image["media_type"], "image/png");
    assert_eq!(image["name"], "截图 1.png");
    assert_eq!(image["status"], "uploaded");
    assert_eq!(image["views"], 0);
    assert_eq!(image["created_at"], "2026-11-21T00:00:00Z");
    assert_eq!(image["expires_at"], "2026-12-21T00:00:00Z", "30 days by default");
    assert!(image["taken_at"].is_null());
    assert_eq!(
        image["thumbnail_url"],
        format!("https://img.example/i/{id}.webp?w=300")
    );
    assert_eq!(
        image["variants"],
        serde_json::json!([]),
        "they come after the reply"
    );
    assert_eq!(image["sha256"].as_str().unwrap().len(), 64);
    let stored = std::fs::read(server.blobs().join(&md5[..2]).join(format!("{}.png", &md5[2..]))).unwrap();
    assert_eq!(stored, png);
    assert!(server.staged().is_empty());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn the_same_bytes_again_answer_with_the_image_that_is_there_and_extend_its_life() {
    let server = Server::start(&[]).await;
    let gif = pictures::gif(5, 5, 1);
    let first = server.upload(&[Part::File("file", "a.gif", &gif)]).await;
    server.clock.advance(SignedDuration::from_hours(24));
    let second = server.upload(&[Part::File("file", "b.gif", &gif)]).await;
    assert_eq!((first.status, second.status), (201, 200));
    let (first, second) = (&first.json()["images"][0], &second.json()["images"][0]);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["status"], "existing");
    assert_eq!(second["expires_at"], "2026-12-22T00:00:00Z");
}

#[tokio::test]
async fn options_are_taken_wherever_they_stand_in_the_form() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 2);
    let parts = [
        Part::Text("description", "a pier"),
        Part::File("file", "a.png", &png),
        Part::Text("expires_in", "0"),
        Part::Text("name", "pier.png"),
        Part::Text("visibility", "unlisted"),
        Part::Text("strange", "1"),
    ];
    let answer = server.upload(&parts).await;
    let image = &answer.json()["images"][0];
    assert_eq!(image["name"], "pier.png");
    assert_eq!(image["description"], "a pier");
    assert_eq!(image["visibility"], "unlisted");
    assert!(image["expires_at"].is_null(), "0 is for ever: {image}");
}

#[tokio::test]
async fn the_default_lifetime_and_the_one_of_an_upload_hold() {
    let never = Server::start(&[("BERTH_EXPIRE_DAYS", "0")]).await;
    let png = pictures::png(3, 3, 3);
    let image = &never.upload(&[Part::File("file", "a.png", &png)]).await.json()["images"][0];
    assert!(image["expires_at"].is_null());
    let other = pictures::png(3, 3, 4);
    let parts = [
        Part::File("file", "a.png", &other),
        Part::Text("expires_in", "90s"),
    ];
    let image = &never.upload(&parts).await.json()["images"][0];
    assert_eq!(image["expires_at"], "2026-11-21T00:01:30Z");
}

#[tokio::test]
async fn several_files_answer_in_the_order_sent_and_a_bad_one_does_not_spoil_the_others() {
    let server = Server::start(&[]).await;
    let (png, jpeg) = (pictures::png(4, 4, 5), pictures::jpeg(8, 8, 5));
    let parts = [
        Part::File("file", "a.png", &png),
        Part::File("file", "b.png", b"no picture at all"),
        Part::File("file", "c.jpg", &jpeg),
    ];
    let answer = server.upload(&parts).await;
    assert_eq!(answer.status, 201);
    let images = &answer.json()["images"];
    assert_eq!(images[0]["name"], "a.png");
    assert_eq!(images[1]["name"], "b.png");
    assert_eq!(images[1]["problem"]["code"], "type_not_allowed");
    assert_eq!(images[1]["problem"]["status"], 415);
    assert_eq!(images[2]["media_type"], "image/jpeg");
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_file_field_of_another_name_is_taken_when_it_is_the_only_one() {
    let server = Server::start(&[]).await;
    for (seed, field) in ["file[]", "image", "smfile", ""].into_iter().enumerate() {
        let png = pictures::png(3, 3, 10 + seed as u64);
        let answer = server.upload(&[Part::File(field, "a.png", &png)]).await;
        assert_eq!(answer.status, 201, "{field}: {answer:?}");
    }
}

#[tokio::test]
async fn without_a_good_credential_nothing_is_read() {
    let server = Server::start(&[]).await;
    let wrong = domain::Token::from_random([1; 32]);
    let read_only = test_kit::token(&server.database, server.account, &[Scope::Read]).await;
    for (header, status, code) in [
        ("Accept: */*".to_owned(), 401, "unauthenticated"),
        (
            "Authorization: Bearer nonsense".to_owned(),
            401,
            "invalid_credential",
        ),
        (
            format!("Authorization: Bearer {}", wrong.expose()),
            401,
            "invalid_credential",
        ),
        (format!("token: {}", read_only.expose()), 403, "scope_missing"),
    ] {
        // A body is announced and never sent: whoever waited for it would not answer.
        let mut stream = server.connect().await;
        let head = format!(
            "POST /v1/images HTTP/1.1\r\nHost: x\r\n{header}\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes())
            .await
            .unwrap();
        let answer = crate::server::read_answer(&mut stream).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json()["code"], code);
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    assert!(server.staged().is_empty());
}

#[tokio::test]
async fn a_client_that_sends_its_body_blindly_still_reads_the_401() {
    let server = Server::start(&[]).await;
    let large = vec![0; 3 << 20];
    let answer = server
        .post("/v1/images", &[], &[Part::File("file", "a.png", &large)])
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_token_is_taken_wherever_clients_put_it() {
    let server = Server::start(&[]).await;
    let token = server.token.expose().to_owned();
    let png = pictures::png(3, 3, 20);
    for header in [
        format!("Authorization: {token}"),
        format!("token: {token}"),
        format!("X-API-Key: {token}"),
    ] {
        let answer = server
            .post("/v1/images", &[&header], &[Part::File("file", "a.png", &png)])
            .await;
        assert!(answer.status < 300, "{header}: {answer:?}");
    }
    let answer = server
        .post(
            &format!("/v1/images?key={token}"),
            &[],
            &[Part::File("file", "a.png", &png)],
        )
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn words_come_in_the_language_of_the_client() {
    let server = Server::start(&[]).await;
    for (language, title) in [
        (
            "zh-CN,zh;q=0.9",
            "缺少凭证：请以 Authorization: Bearer TOKEN 发送令牌",
        ),
        ("en", "A token is needed: send it as Authorization: Bearer TOKEN"),
    ] {
        let answer = server
            .post("/v1/images", &[&format!("Accept-Language: {language}")], &[])
            .await;
        assert_eq!(answer.json()["title"], title);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn an_image_is_described_to_its_owner_and_withdrawn_by_its_owner_alone() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 30);
    let id = server.upload(&[Part::File("file", "a.png", &png)]).await.json()["images"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/images/{id}");
    assert_eq!(server.get(&path).await.json()["id"], id.as_str());

    let bob = test_kit::account(&server.database, "bob").await;
    let bobs = test_kit::token(&server.database, bob, &[Scope::Read, Scope::Manage]).await;
    let as_bob = format!("Authorization: Bearer {}", bobs.expose());
    for method in ["GET", "DELETE"] {
        let answer = server.send(method, &path, &[&as_bob], b"").await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (404, Some("not_found")),
            "{method}"
        );
    }

    assert_eq!(
        server
            .send("DELETE", &path, &[&server.bearer()], b"")
            .await
            .status,
        204
    );
    assert_eq!(server.get(&path).await.status, 404);
    assert_eq!(
        server
            .send("DELETE", &path, &[&server.bearer()], b"")
            .await
            .status,
        404
    );
    let again = server.upload(&[Part::File("file", "a.png", &png)]).await;
    assert_eq!(again.status, 201, "what was withdrawn is not there any more");
    assert_ne!(again.json()["images"][0]["id"], id.as_str());
}

#[tokio::test]
async fn an_expired_image_is_gone_at_the_second_and_its_bytes_make_a_new_one() {
    let server = Server::start(&[]).await;
    let png = pictures::png(3, 3, 31);
    let parts = [Part::File("file", "a.png", &png), Part::Text("expires_in", "10s")];
    let id = server.upload(&parts).await.json()["images"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    server.clock.advance(SignedDuration::from_secs(9));
    assert_eq!(server.get(&format!("/v1/images/{id}")).await.status, 200);
    server.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(server.get(&format!("/v1/images/{id}")).await.status, 404);
    let again = server.upload(&parts).await;
    assert_eq!(again.status, 201);
    assert_ne!(again.json()["images"][0]["id"], id.as_str());
}

#[tokio::test]
async fn a_browser_may_ask_first_without_a_credential() {
    let server = Server::start(&[]).await;
    for path in ["/v1/images", "/api/v1/upimg"] {
        let headers = [
            "Origin: https://editor.example",
            "Access-Control-Request-Method: POST",
        ];
        let answer = server.send("OPTIONS", path, &headers, b"").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(
            answer
                .header("access-control-allow-headers")
                .unwrap()
                .contains("token")
        );
    }
}

#[tokio::test]
async fn a_page_of_another_site_can_read_what_is_refused_before_any_handler() {
    let settings = [("BERTH_RATE_LIMIT", "1")];
    let server = Server::start(&settings).await;
    let origin = "Origin: https://editor.example";
    let ask = async |method: &str, path: &str| server.send(method, path, &[origin], b"").await;
    assert_eq!(ask("GET", "/v1/session").await.status, 401);
    let long = format!("/v1/images?text={}", "a".repeat(5_000));
    for (method, path, status) in [
        ("GET", "/v1/session", 429),
        ("POST", "/v1/images", 429),
        ("POST", "/api/v1/upload", 429),
        ("POST", "/upload", 429),
        ("GET", long.as_str(), 414),
        ("GET", "/nothing", 404),
        ("PUT", "/openapi.json", 405),
    ] {
        let answer = ask(method, path).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{method} {path}: {answer:?}"
        );
        let readable: Vec<&str> = answer
            .header("access-control-expose-headers")
            .unwrap_or_default()
            .split(", ")
            .collect();
        for header in ["retry-after", "ratelimit", "ratelimit-policy", "x-request-id"] {
            assert!(
                answer.header(header).is_none() || readable.contains(&header),
                "{header} of {method} {path}: {answer:?}"
            );
        }
        assert_eq!(
            status == 429,
            answer.header("retry-after").is_some(),
            "{answer:?}"
        );
    }
    // Whoever may not ask can't learn that it may not: a browser takes only a good answer to the question that it asks first.
    assert_eq!(ask("OPTIONS", "/v1/images").await.status, 204);
}

#[tokio::test]
async fn another_method_is_405_and_another_path_404() {
    let server = Server::start(&[]).await;
    let answer = server.send("PUT", "/v1/images", &[&server.bearer()], b"").await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").unwrap().contains("POST"));
    assert_eq!(server.get("/v1/nothing").await.status, 404);
}
