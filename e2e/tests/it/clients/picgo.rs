//! `PicGo`'s command line, with its own uploader for SM.MS and three plugins.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::{came_back, installed, picture, run, text, tls::Authority};
use crate::stack::Stack;

/// `PicGo` keeps its settings, its log and its plugins in one folder, and rewrites the settings as it runs.
fn picgo(folder: &Path, uploader: &str, settings: &Value) -> Command {
    let home = folder.join(format!("picgo-{uploader}"));
    std::fs::create_dir_all(&home).unwrap();
    let plugins = [
        "picgo-plugin-web-uploader",
        "picgo-plugin-lankong",
        "picgo-plugin-lsky-uploader",
    ];
    let listed: serde_json::Map<_, _> = plugins
        .iter()
        .map(|name| ((*name).to_owned(), json!("*")))
        .collect();
    let manifest = json!({ "name": "picgo-plugins", "dependencies": listed });
    std::fs::write(home.join("package.json"), manifest.to_string()).unwrap();
    let modules = home.join("node_modules");
    if !modules.exists() {
        std::os::unix::fs::symlink(installed("node_modules"), &modules).unwrap();
    }
    let configuration =
        json!({ "picBed": { "uploader": uploader, "current": uploader, uploader: settings } });
    let path = home.join("config.json");
    std::fs::write(&path, configuration.to_string()).unwrap();
    let mut command = Command::new("node");
    command.arg(installed("node_modules/picgo/bin/picgo"));
    command.arg("-c").arg(path).arg("upload");
    // Its own folder as home: it looks for settings there, too.
    command.env("HOME", &home).env("NO_PROXY", "*");
    command
}

/// It exits 0 whatever happened, so only what it prints counts.
fn uploads(stack: &Stack, mut client: Command, seed: u8) {
    let (path, bytes) = picture(stack.folder.path(), seed);
    let said = text(&run(client.arg(path)));
    assert!(said.contains("[PicGo SUCCESS]"), "{said}");
    came_back(stack, &said, &bytes);
}

fn refused(mut client: Command, folder: &Path, seed: u8, word: &str) {
    let said = text(&run(client.arg(picture(folder, seed).0)));
    assert!(
        !said.contains("[PicGo SUCCESS]") && said.contains(word),
        "expected {word:?}: {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn picgo_uploads_by_each_protocol_that_it_and_its_plugins_speak() {
    let stack = Stack::start(&[]).await;
    let folder = stack.folder.path();
    let (url, token) = (&stack.url, &stack.token);

    let web = json!({
        "url": format!("{url}/api/v1/upimg"), "paramName": "file", "jsonPath": "data.url",
        "customHeader": json!({ "token": token }).to_string(), "customBody": "",
    });
    uploads(&stack, picgo(folder, "web-uploader", &web), 1);

    let lankong = |version: &str, token: &str| json!({ "lskyProVersion": version, "server": url, "token": token, "permission": 1 });
    uploads(
        &stack,
        picgo(folder, "lankong", &lankong("V2", &format!("Bearer {token}"))),
        2,
    );
    uploads(&stack, picgo(folder, "lankong", &lankong("V1", token)), 3);
    refused(
        picgo(folder, "lankong", &lankong("V2", "Bearer nobody")),
        folder,
        4,
        "401",
    );

    let lsky = json!({ "Url": url, "Token": token });
    uploads(&stack, picgo(folder, "lsky-uploader", &lsky), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn picgo_takes_us_for_sm_ms_over_tls() {
    let authority = Authority::new();
    let (stack, host) = authority.start_stack().await;
    let folder = stack.folder.path();
    let client = |token: &str| {
        let mut client = picgo(folder, "smms", &json!({ "token": token, "backupDomain": host }));
        client.env("NODE_EXTRA_CA_CERTS", authority.certificate());
        client
    };
    uploads(&stack, client(&stack.token), 6);
    // PicGo of some versions speaks TLS 1.2 and nothing newer.
    let mut old = client(&stack.token);
    old.env("NODE_OPTIONS", "--tls-max-v1.2");
    uploads(&stack, old, 7);
    refused(client("nobody"), folder, 8, "The token is not valid");
}
