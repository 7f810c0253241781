//! `/v1/stats` and `/v1/images/{id}/usage`.

use catalog::{DayCount, Fold, Referrer, ReferrerCount, Role, ServiceRole, fold_counts};
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use test_kit::pictures;

use crate::{
    people::{code, sign_in, sign_up},
    server::{Part, Server},
};

/// Uploads a picture and gives its id and its row.
async fn image(server: &Server, seed: u64, field: Option<Part<'_>>) -> (String, i64) {
    let png = pictures::png(5, 5, seed);
    let mut parts = vec![Part::File("file", "a.png", &png)];
    parts.extend(field);
    let answer = server.upload(&parts).await;
    let id = answer.json()["images"][0]["id"].as_str().unwrap().to_owned();
    let owner = server.database.connect().await;
    let row = owner
        .query_one("SELECT id FROM image WHERE public_id = $1", &[&id])
        .await
        .unwrap();
    (id, row.get(0))
}

fn used(row: i64, day: Date, views: u64) -> DayCount {
    DayCount {
        views,
        bytes: views * 10,
        bots: 2,
        bot_bytes: 20,
        refusals: 1,
        last_viewed_at: "2026-11-20T12:00:00Z".parse().ok(),
        ..DayCount::none(row, day)
    }
}

fn shown(row: i64, day: Date, referrer: Referrer, views: u64, refusals: u64) -> ReferrerCount {
    ReferrerCount {
        image_id: row,
        day,
        referrer,
        views,
        bytes: views * 10,
        refusals,
    }
}

async fn fold(server: &Server, epoch: u64, days: Vec<DayCount>, referrers: Vec<ReferrerCount>) {
    let serve = server.database.catalog_as(ServiceRole::Serve);
    let fold = Fold {
        journal: [1; 16],
        epoch,
        days,
        referrers,
    };
    assert!(fold_counts(&serve, fold, server.clock.now()).await.unwrap());
}

async fn get(server: &Server, path: &str, shown: &str) -> Value {
    let answer = server.send("GET", path, &[shown], b"").await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

#[tokio::test]
async fn how_an_image_is_used_is_told_by_day_and_by_site() {
    let server = Server::start(&[]).await;
    let (id, row) = image(&server, 1, None).await;
    let (yesterday, today) = (date(2026, 11, 20), date(2026, 11, 21));
    let host = |host: &str| Referrer::Host(host.to_owned());
    fold(
        &server,
        1,
        vec![
            used(row, date(2026, 1, 1), 100),
            used(row, yesterday, 3),
            used(row, today, 4),
        ],
        vec![
            shown(row, date(2026, 1, 1), host("old.example"), 100, 0),
            shown(row, yesterday, host("blog.example"), 3, 0),
            shown(row, today, host("blog.example"), 2, 0),
            shown(row, today, Referrer::Unnamed, 1, 0),
            shown(row, today, Referrer::Other, 1, 0),
            shown(row, today, host("evil.example"), 0, 2),
        ],
    )
    .await;
    let bearer = server.bearer();
    let path = format!("/v1/images/{id}/usage");
    let day = |day: &str, views: u64| json!({ "day": day, "views": views, "bytes": views * 10, "bots": 2, "bot_bytes": 20, "refusals": 1 });
    let expected = json!({
        "id": id,
        "from": "2026-10-23",
        "to": "2026-11-21",
        "total": { "views": 107, "bytes": 1070, "bots": 6, "bot_bytes": 60, "refusals": 3 },
        "last_viewed_at": "2026-11-20T12:00:00Z",
        "days": [day("2026-11-20", 3), day("2026-11-21", 4)],
        "sites": [
            { "site": "blog.example", "views": 5, "bytes": 50, "refusals": 0 },
            { "site": null, "views": 1, "bytes": 10, "refusals": 0 },
        ],
        "refused_sites": [{ "site": "evil.example", "refusals": 2, "views": 0 }],
        "other_sites": { "views": 1, "bytes": 10, "refusals": 0 },
    });
    assert_eq!(get(&server, &path, &bearer).await, expected);
    let old = get(&server, &format!("{path}?from=2026-01-01&to=2026-01-31"), &bearer).await;
    assert_eq!(old["days"], json!([day("2026-01-01", 100)]));
    assert_eq!(old["sites"][0]["site"], "old.example");

    // What has ended can be asked about, what is somebody else's can't.
    let gone = server
        .send("DELETE", &format!("/v1/images/{id}"), &[&bearer], b"")
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(get(&server, &path, &bearer).await["total"]["views"], 107);
    sign_up(&server, "bob", Role::Member).await;
    let bob = sign_in(&server, "bob").await;
    let refused = server.send("GET", &path, &[&bob], b"").await;
    assert_eq!((refused.status, code(&refused).as_str()), (404, "not_found"));
    let wrong = server
        .send("GET", &format!("{path}?from=2027-01-01"), &[&bearer], b"")
        .await;
    assert_eq!((wrong.status, code(&wrong).as_str()), (400, "invalid_field"));
    assert_eq!(server.send("GET", &path, &[], b"").await.status, 401);
}

#[tokio::test]
async fn what_nobody_ever_asked_for_has_numbers_too() {
    let server = Server::start(&[]).await;
    let (id, _) = image(&server, 1, None).await;
    let used = get(&server, &format!("/v1/images/{id}/usage"), &server.bearer()).await;
    assert_eq!(
        (&used["total"]["views"], &used["last_viewed_at"]),
        (&json!(0), &Value::Null)
    );
    assert_eq!((&used["days"], &used["sites"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn stats_tell_what_one_has_and_administrators_what_everybody_has() {
    let server = Server::start(&[]).await;
    let (star, star_row) = image(&server, 1, None).await;
    let (ending, row) = image(&server, 2, Some(Part::Text("expires_in", "2d"))).await;
    let today = date(2026, 11, 21);
    let host = |host: &str| Referrer::Host(host.to_owned());
    fold(
        &server,
        1,
        vec![used(star_row, today, 40), used(row, today, 2)],
        vec![
            shown(star_row, today, host("blog.example"), 40, 0),
            shown(row, today, host("evil.example"), 0, 7),
            shown(row, today, host("blog.example"), 2, 0),
        ],
    )
    .await;
    let mine = get(&server, "/v1/stats", &server.bearer()).await;
    assert_eq!(
        mine["totals"],
        json!({ "views": 42, "bytes": 420, "bots": 4, "bot_bytes": 40, "refusals": 2, "images": 2, "stored_bytes": mine["storage"][0]["bytes"] })
    );
    let top: Vec<_> = mine["top_images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["id"])
        .collect();
    assert_eq!(top, [&json!(star), &json!(ending)]);
    assert_eq!(mine["top_images"][0]["views"], 40);
    assert_eq!(mine["days"][0]["views"], 42);
    assert_eq!(
        mine["sites"],
        json!([{ "site": "blog.example", "views": 42, "bytes": 420, "refusals": 0 }])
    );
    assert_eq!(mine["refused_sites"][0]["site"], "evil.example");
    assert_eq!(
        (&mine["storage"][0]["media_type"], &mine["storage"][0]["images"]),
        (&json!("image/png"), &json!(2))
    );
    assert_eq!(mine["expiring_soon"]["count"], 1);
    assert_eq!(mine["expiring_soon"]["images"][0]["id"], json!(ending));
    assert_eq!(mine["damaged"], json!({ "count": 0, "images": [] }));

    // Somebody else has nothing, an administrator sees it all.
    sign_up(&server, "bob", Role::Member).await;
    sign_up(&server, "root", Role::Admin).await;
    let (bob, root) = (sign_in(&server, "bob").await, sign_in(&server, "root").await);
    let none = get(&server, "/v1/stats", &bob).await;
    assert_eq!(
        (&none["totals"]["images"], &none["top_images"]),
        (&json!(0), &json!([]))
    );
    let refused = server.send("GET", "/v1/stats?all=true", &[&bob], b"").await;
    assert_eq!((refused.status, code(&refused).as_str()), (403, "scope_missing"));
    let all = get(&server, "/v1/stats?all=true", &root).await;
    assert_eq!((&all["totals"], &all["sites"]), (&mine["totals"], &mine["sites"]));
    assert_eq!(get(&server, "/v1/stats", &root).await["totals"]["views"], 0);

    // What is withdrawn takes no room and is on no list; what was seen stays seen.
    let gone = server
        .send("DELETE", &format!("/v1/images/{star}"), &[&server.bearer()], b"")
        .await;
    assert_eq!(gone.status, 204);
    let mine = get(&server, "/v1/stats", &server.bearer()).await;
    assert_eq!(
        (&mine["storage"][0]["images"], &mine["totals"]["views"]),
        (&json!(1), &json!(42))
    );
    assert_eq!(mine["top_images"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_damaged_is_told_to_its_owner_and_is_not_here_until_it_is_sent_again() {
    let server = Server::start(&[]).await;
    let picture = pictures::png(20, 20, 7);
    let sent = server
        .upload(&[Part::File("file", "a.png", &picture)])
        .await
        .json();
    let (id, md5) = (
        &sent["images"][0]["id"],
        sent["images"][0]["md5"].as_str().unwrap(),
    );
    let owner = server.database.connect().await;
    let find = "INSERT INTO damage (blob_id, what, found_at) SELECT id, 'bytes', now() FROM blob";
    owner.execute(find, &[]).await.unwrap();
    let exists = format!("/v1/images/exists?md5={md5}");
    for (count, is_here) in [(1, false), (0, true)] {
        let stats = server.get("/v1/stats").await.json();
        assert_eq!(stats["damaged"]["count"], count);
        if count > 0 {
            assert_eq!(stats["damaged"]["images"][0]["id"], *id);
        }
        assert_eq!(server.get(&exists).await.json()["exists"], is_here);
        // The same bytes heal it, and find the image that is there.
        let again = server
            .upload(&[Part::File("file", "a.png", &picture)])
            .await
            .json();
        assert_eq!(again["images"][0]["id"], *id);
        assert_eq!(again["images"][0]["status"], "existing");
    }
}
