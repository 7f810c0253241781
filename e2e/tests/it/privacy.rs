//! The line of privacy, from outside: which URL shows what, to whom, through nginx.

use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    curl::{Answer, curl, send_json},
    stack::{ADMIN_PASSWORD, Stack},
};

const PASSWORD: &str = "correct horse battery";

fn post(stack: &Stack, path: &str, bearer: &str, body: &Value) -> Value {
    send_json("POST", &format!("{}{path}", stack.url), bearer, body).json()
}

fn session(stack: &Stack, name: &str, password: &str) -> String {
    let login = json!({ "username": name, "password": password });
    post(stack, "/v1/session", "none", &login)["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Nobody, the owner, and somebody else: what each shows beside the URL.
fn ask(stack: &Stack, path: &str, who: Option<&str>) -> Answer {
    let url = format!("{}{path}", stack.url);
    match who {
        None => curl(&[&url]),
        Some(token) => {
            let (bearer, cookie) = (
                format!("Authorization: Bearer {token}"),
                format!("berth_session={token}"),
            );
            curl(&["-H", &bearer, "-b", &cookie, &url])
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_url_shows_more_than_its_image_lets_it_to_anybody() {
    let stack = Stack::start(&[]).await;
    let admin = session(&stack, "admin", ADMIN_PASSWORD);
    for name in ["ann", "eve"] {
        post(
            &stack,
            "/v1/users",
            &admin,
            &json!({ "username": name, "password": PASSWORD }),
        );
    }
    let (ann, eve) = (session(&stack, "ann", PASSWORD), session(&stack, "eve", PASSWORD));
    for (seed, visibility) in [(1, "public"), (2, "unlisted"), (3, "private")] {
        let file = stack.folder.path().join(format!("{visibility}.png"));
        let bytes = pictures::png(40, 30, seed);
        std::fs::write(&file, &bytes).unwrap();
        let (bearer, form) = (
            format!("Authorization: Bearer {ann}"),
            format!("file=@{}", file.display()),
        );
        let url = format!("{}/v1/images", stack.url);
        let option = format!("visibility={visibility}");
        let uploaded = curl(&["-H", &bearer, "-F", &form, "-F", &option, &url]).json();
        let image = &uploaded["images"][0];
        let (id, md5) = (image["id"].as_str().unwrap(), image["md5"].as_str().unwrap());
        let month = image["created_at"].as_str().unwrap()[..7].replace('-', "/");
        let (path, key) = (
            format!("/{}/{}.png", &md5[..2], &md5[2..]),
            format!("/images/{md5}.png"),
        );
        let maple = format!("/images/ann/photo/{month}/{visibility}.png");
        let shown = |public: u16, unlisted: u16, private: u16| match visibility {
            "public" => public,
            "unlisted" => unlisted,
            _ => private,
        };
        // Status to nobody, to the owner and to somebody else.
        for (path, statuses) in [
            (format!("/i/{id}.png"), [shown(200, 200, 404); 3]),
            (format!("/?path={path}"), [shown(200, 200, 404); 3]),
            (key, [shown(200, 200, 404); 3]),
            (maple.clone(), [shown(200, 404, 404); 3]),
            (maple.replace("photo", "thumb"), [shown(200, 404, 404); 3]),
            (format!("/secure_get/{md5}"), [403; 3]),
            (format!("/secure_get/{md5}?token=x"), [403; 3]),
            (format!("/info/{md5}"), [422, 200, shown(200, 404, 404)]),
            (format!("/v1/images/{id}"), [401, 200, 404]),
            (format!("/v1/images/exists?md5={md5}"), [401, 200, 200]),
        ] {
            for (who, status) in [None, Some(ann.as_str()), Some(eve.as_str())]
                .into_iter()
                .zip(statuses)
            {
                let answer = ask(&stack, &path, who);
                let whom = who.map_or(
                    "nobody",
                    |token| if token == ann { "the owner" } else { "another" },
                );
                assert_eq!(
                    answer.status,
                    status,
                    "{visibility} {path} to {whom}: {}",
                    answer.text()
                );
                if path.starts_with("/i/") && status == 200 {
                    assert!(answer.body == bytes);
                }
            }
        }
        let exists = ask(&stack, &format!("/v1/images/exists?md5={md5}"), Some(&eve)).text();
        assert!(!exists.contains(id), "{exists}");
        // The owner's own link opens it, and ends when they say so.
        let secure = ask(&stack, &format!("/info/{md5}"), Some(&ann)).json();
        let secure = secure["url"].as_str().unwrap();
        assert_eq!(curl(&[secure]).status, 200, "{secure}");
        let revoked = curl(&["-X", "DELETE", "-H", &bearer, &format!("{url}/{id}/signed-links")]);
        assert!(revoked.status < 300, "{revoked:?}");
        crate::stack::wait_for("the token's end", std::time::Duration::from_secs(5), || {
            (curl(&[secure]).status == 403).then_some(())
        });
    }
}
