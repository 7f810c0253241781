//! Backups of the real thing: taken while it serves, and proven by restoring them.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;
use test_kit::{TestDatabase, pictures};

use crate::{
    berthd,
    curl::curl,
    stack::{Stack, free_port, open_folder, program, wait_for, without_our_settings},
};

/// Images in `make test`; `make drill` asks for more, and bounds the time.
const IMAGES: u64 = 240;
/// Files of one request.
const BATCH: u64 = 40;

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|number| number.to_str().unwrap().parse().unwrap())
}

fn berth(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program("berth"));
    command.args(arguments).envs(settings.iter().copied());
    without_our_settings(&mut command);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Small pictures, and some large ones.
fn picture(seed: u64) -> Vec<u8> {
    let side = if seed.is_multiple_of(20) { 240 } else { 32 };
    pictures::png(side, side, seed)
}

/// Sends pictures by the native API, as many in a request as it takes, and gives their ids and URLs.
fn upload(stack: &Stack, folder: &Path, seeds: std::ops::Range<u64>) -> Vec<(String, String)> {
    let mut images = Vec::new();
    for first in seeds.clone().step_by(usize::try_from(BATCH).unwrap()) {
        let bearer = format!("Authorization: Bearer {}", stack.token);
        let mut arguments = vec!["-H".to_owned(), bearer];
        for seed in first..(first + BATCH).min(seeds.end) {
            let file = folder.join(format!("{seed}.png"));
            std::fs::write(&file, picture(seed)).unwrap();
            arguments.extend(["-F".to_owned(), format!("file=@{}", file.display())]);
        }
        arguments.push(format!("{}/v1/images", stack.url));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let answer = curl(&arguments);
        assert!(matches!(answer.status, 200 | 201 | 207), "{answer:?}");
        for image in answer.json()["images"].as_array().unwrap() {
            let text = |key: &str| {
                image[key]
                    .as_str()
                    .unwrap_or_else(|| panic!("{image}"))
                    .to_owned()
            };
            images.push((text("id"), text("url")));
        }
    }
    images
}

fn api(stack: &Stack, method: &str, path: &str, body: Option<&str>) -> Value {
    let (bearer, url) = (
        format!("Authorization: Bearer {}", stack.token),
        format!("{}{path}", stack.url),
    );
    let mut arguments = vec!["-X", method, "-H", &bearer];
    if let Some(body) = body {
        arguments.extend(["-H", "Content-Type: application/json", "--data-binary", body]);
    }
    arguments.push(&url);
    let answer = curl(&arguments);
    assert!(matches!(answer.status, 200..300), "{method} {path}: {answer:?}");
    if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json()
    }
}

/// Albums, policies, tokens, withdrawn and expired images, views: what a berth of some months has.
async fn live_a_little(stack: &Stack, images: &[(String, String)]) {
    let album = api(stack, "POST", "/v1/albums", Some(r#"{"name": "假期 holidays"}"#));
    let album = &album["id"];
    api(
        stack,
        "POST",
        "/v1/tokens",
        Some(r#"{"name": "laptop", "scopes": ["upload"]}"#),
    );
    for (place, (id, url)) in images.iter().enumerate().take(120) {
        let path = format!("/v1/images/{id}");
        match place % 12 {
            0 => drop(api(stack, "DELETE", &path, None)),
            1 => drop(api(
                stack,
                "PATCH",
                &path,
                Some(&format!(
                    r#"{{"album": {album}, "description": "第 {place} 张"}}"#
                )),
            )),
            2 => drop(api(stack, "PATCH", &path, Some(r#"{"visibility": "private"}"#))),
            3..6 => assert_eq!(curl(&["-H", "Referer: https://blog.example/", url]).status, 200),
            _ => {}
        }
    }
    stack
        .sql(
            r#"UPDATE image SET expires_at = now() - interval '1 second' WHERE id % 17 = 5 AND ended_at IS NULL;
               UPDATE site_policy SET policy = '{"hotlink": {"allow": ["only.example"]}}'"#,
        )
        .await;
}

/// Every table that a backup holds: how many rows, and a digest of them.
async fn rows(client: &tokio_postgres::Client) -> BTreeMap<String, (i64, Option<String>)> {
    let tables = client
        .query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
            &[],
        )
        .await
        .unwrap();
    let mut rows = BTreeMap::new();
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        if catalog::LEFT_OUT.iter().any(|(name, _)| *name == table) {
            continue;
        }
        let sql = format!(
            "SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) FROM \"{table}\" AS t"
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        rows.insert(table, (row.get(0), row.get(1)));
    }
    rows
}

/// Uploads and withdraws until it is told to stop.
fn keep_busy(stack: &Stack, ended: &AtomicBool) -> u64 {
    let folder = open_folder();
    let mut seed = 1_000_000;
    while !ended.load(Ordering::Relaxed) {
        let images = upload(stack, folder.path(), seed..seed + 2);
        api(stack, "DELETE", &format!("/v1/images/{}", images[0].0), None);
        seed += 2;
    }
    seed - 1_000_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_berth_that_was_wiped_is_restored_with_every_row_byte_and_view() {
    let images = number("DRILL_IMAGES").unwrap_or(IMAGES);
    let settings = [
        ("BERTH_LOG", "warn"),
        ("BERTH_JANITOR_INTERVAL", "1s"),
        ("BERTH_RATE_LIMIT", "0"),
        ("BERTH_ACCOUNT_RATE_LIMIT", "0"),
    ];
    let mut stack = Stack::start(&settings).await;
    let (sent, kept) = (open_folder(), open_folder());
    let uploaded = upload(&stack, sent.path(), 0..images);
    live_a_little(&stack, &uploaded).await;
    let (data, folder) = (
        stack.folder.path().to_str().unwrap().to_owned(),
        kept.path().join("backup"),
    );
    let folder = folder.to_str().unwrap();
    let owner_url = stack.owner_url();
    let here = [
        ("BERTH_DATABASE_URL", owner_url.as_str()),
        ("BERTH_DATA", data.as_str()),
        ("BERTH_BASE_URL", "https://img.example.com"),
    ];

    back_up_while_busy(&stack, folder, &here);
    // Once more when all is quiet, so that there is something to compare it with.
    assert_eq!(stack.stop_services(), [Some(0), Some(0), Some(0)]);
    let begun = Instant::now();
    let output = berth(&["backup", folder, "--keep", "1"], &here);
    assert!(output.status.success(), "{}", said(&output));
    let backed_up = begun.elapsed();
    let client = stack.connect_database().await;
    let expected = rows(&client).await;
    assert!(expected["image"].0.unsigned_abs() >= images, "{expected:?}");
    let files = blobs_of(&client).await;
    drop(client);

    // Wiped: another Postgres, an empty store.
    stack.replace_database(TestDatabase::create_apart_empty().await);
    std::fs::remove_dir_all(Path::new(&data).join("blobs")).unwrap();
    std::fs::remove_dir_all(Path::new(&data).join("journal")).unwrap();
    let owner_url = stack.owner_url();
    let there = [
        ("BERTH_DATABASE_URL", owner_url.as_str()),
        ("BERTH_DATA", data.as_str()),
    ];
    let begun = Instant::now();
    let output = berth(&["restore", folder], &there);
    assert!(output.status.success(), "{}", said(&output));
    let restored = begun.elapsed();
    println!("{}", said(&output));
    println!(
        "drill: {images} images restored in {:.1} s (backed up again in {:.1} s)",
        restored.as_secs_f64(),
        backed_up.as_secs_f64()
    );
    if let Some(bound) = number("DRILL_SECONDS") {
        assert!(restored < Duration::from_secs(bound), "restored in {restored:?}");
    }
    let client = stack.connect_database().await;
    assert_eq!(rows(&client).await, expected);
    check_bytes(Path::new(&data), &files);

    // And it serves.
    stack.setup_again();
    stack.start_services();
    check_views(&stack, &client, &uploaded).await;
}

/// Uploads and withdrawals go on; the backup is whole all the same.
fn back_up_while_busy(stack: &Stack, folder: &str, settings: &[(&str, &str)]) {
    let ended = AtomicBool::new(false);
    let (output, changes) = std::thread::scope(|scope| {
        let busy = scope.spawn(|| keep_busy(stack, &ended));
        let output = berth(&["backup", folder], settings);
        ended.store(true, Ordering::Relaxed);
        (output, busy.join().unwrap())
    });
    assert!(output.status.success(), "{}", said(&output));
    assert!(changes > 0, "nothing went on meanwhile");
    let output = berth(&["verify", folder], &[]);
    assert!(output.status.success(), "{}", said(&output));
}

/// The same views, with the same bytes, as before; the same refusals; the same token.
async fn check_views(stack: &Stack, client: &tokio_postgres::Client, uploaded: &[(String, String)]) {
    let ended: Vec<String> = client
        .query("SELECT public_id FROM image WHERE ended_at IS NOT NULL OR expires_at <= now() OR visibility = 'private'", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    for (seed, (id, url)) in uploaded.iter().enumerate().take(200) {
        let answer = curl(&[url]);
        if ended.contains(id) {
            assert!(matches!(answer.status, 404 | 410), "{id}: {answer:?}");
        } else {
            assert_eq!((answer.status, answer.body), (200, picture(seed as u64)), "{id}");
        }
    }
    for (site, status) in [("only", 200), ("evil", 403)] {
        let referer = format!("Referer: https://{site}.example/");
        assert_eq!(
            curl(&["-H", &referer, &uploaded[7].1]).status,
            status,
            "the site's policy is back"
        );
    }
    assert_eq!(
        stack.describe(&uploaded[7].0).status,
        200,
        "and the token is good"
    );
}

/// Each blob's key and SHA-256.
async fn blobs_of(client: &tokio_postgres::Client) -> BTreeMap<String, String> {
    let rows = client
        .query("SELECT key, encode(sha256, 'hex') FROM blob", &[])
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// By the system's own program, not by ours.
fn check_bytes(data: &Path, files: &BTreeMap<String, String>) {
    use std::fmt::Write as _;
    let mut sums = String::new();
    for (key, sha256) in files {
        writeln!(sums, "{sha256}  {key}").unwrap();
    }
    let list = data.join("sums");
    std::fs::write(&list, sums).unwrap();
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet"])
        .arg(&list)
        .current_dir(data.join("blobs"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn berthd_is_backed_up_while_it_runs_and_starts_from_what_was_restored() {
    let folder = open_folder();
    let (data, kept, again) = (
        folder.path().join("data"),
        folder.path().join("kept"),
        folder.path().join("again"),
    );
    let file = folder.path().join("a.png");
    let png = pictures::png(32, 32, 1);
    std::fs::write(&file, &png).unwrap();
    let mut first = berthd::start(&data, free_port(), &[]);
    let image = first.upload(&file).json()["images"][0].clone();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let output = berth(&["backup", &path(&kept), "--data", &path(&data)], &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("Backed up 1 images"), "{}", said(&output));
    assert_eq!(curl(&[image["url"].as_str().unwrap()]).status, 200, "it runs on");
    assert_eq!(first.running.terminate(Duration::from_secs(10)), Some(0));

    let output = berth(&["restore", &path(&kept), "--data", &path(&again)], &[]);
    assert!(output.status.success(), "{}", said(&output));
    std::fs::copy(data.join("secret"), again.join("secret")).unwrap();
    // Accounts are there already, so the first run has nothing to tell.
    let port = free_port();
    let _second = berthd::run(&again, port, &[]);
    let url = format!(
        "http://127.0.0.1:{port}{}",
        image["path"]
            .as_str()
            .map_or_else(|| url_path(&image), str::to_owned)
    );
    let view = wait_for("the picture", Duration::from_secs(30), || {
        let view = curl(&[&url]);
        (view.status == 200).then_some(view)
    });
    assert_eq!(view.body, png);
    let bearer = format!("Authorization: Bearer {}", first.text("token"));
    let told = curl(&["-H", &bearer, &format!("http://127.0.0.1:{port}/v1/images")]);
    assert_eq!(told.json()["images"][0]["id"], image["id"], "{told:?}");
}

fn url_path(image: &Value) -> String {
    let url = image["url"].as_str().unwrap();
    let (_, rest) = url.split_once("://").unwrap();
    format!("/{}", rest.split_once('/').unwrap().1)
}
