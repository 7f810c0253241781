//! Chromium, on pages of an allowed and of a foreign site.

use std::{path::Path, process::Command, time::Duration};

use test_kit::pictures;

use crate::stack::{Running, Stack, free_port, open_folder, wait_for};

/// A page that embeds a picture and writes down what became of it.
fn page(url: &str) -> String {
    format!(
        "<!doctype html><meta charset=utf-8><title>page</title><body><img id=picture src=\"{url}\"><script>
        const picture = document.getElementById('picture');
        const tell = () => document.body.setAttribute('data-size', picture.naturalWidth + 'x' + picture.naturalHeight);
        picture.complete ? tell() : (picture.onload = picture.onerror = tell);
        </script></body>"
    )
}

/// Serves a folder as plain files for any host name: the blogs that embed.
pub(crate) fn blogs(folder: &Path, port: u16) -> Running {
    let configuration = format!(
        "pid blogs.pid; error_log stderr alert; events {{}} http {{ access_log off; client_body_temp_path b; proxy_temp_path p; \
         fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; default_type text/html; \
         server {{ listen 127.0.0.1:{port}; root {}; }} }}",
        folder.display()
    );
    std::fs::write(folder.join("blogs.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("blogs.conf"))
        .args(["-g", "daemon off;"]);
    Running::start(&mut command, &folder.join("blogs.log"))
}

/// The page as Chromium sees it after everything has loaded.
pub(crate) fn dump(url: &str, port: u16) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-dev-shm-usage",
            // Its own says HeadlessChrome, and views of robots are counted apart.
            "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=8000",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--host-resolver-rules=MAP *.example 127.0.0.1:{port}"))
        .args(["--dump-dom", url])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_page_shows_the_picture_and_a_foreign_one_the_placeholder() {
    let stack = Stack::start(&[]).await;
    let file = stack.folder.path().join("a.png");
    std::fs::write(&file, pictures::png(321, 123, 1)).unwrap();
    let image = stack.upload(&file, &[]);
    let pages = open_folder();
    std::fs::write(
        pages.path().join("post.html"),
        page(image["url"].as_str().unwrap()),
    )
    .unwrap();
    let port = free_port();
    let _blogs = blogs(pages.path(), port);
    wait_for("the blogs", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    for (host, size) in [
        ("blog.example", "321x123"),
        ("www.friends.example", "321x123"),
        ("evil.example", "960x640"),
    ] {
        let seen = dump(&format!("http://{host}/post.html"), port);
        assert!(seen.contains(&format!("data-size=\"{size}\"")), "{host}: {seen}");
    }
    let id = image["id"].as_str().unwrap();
    wait_for("the count", Duration::from_secs(5), || {
        (stack.describe(id).json()["views"] == 2).then_some(())
    });
}
