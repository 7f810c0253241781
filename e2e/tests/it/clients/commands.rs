//! The lines that people put into editors and scripts: docs/clients/ says the same ones.

use std::{path::Path, process::Command};

use super::{came_back, picture, run, text};
use crate::stack::{Stack, root};

/// A line of shell, as its client runs it: `$URL` is ours, `$TOKEN` the token, `$1` the file.
struct Line {
    client: &'static str,
    /// The page of docs/clients/ on which it stands, if any.
    page: Option<&'static str>,
    shell: &'static str,
    /// Whether it prints nothing but the link, as an editor expects that takes the last line for it.
    only_the_link: bool,
}

const LINES: [Line; 8] = [
    Line {
        client: "curl, berth's own API",
        page: Some("curl"),
        shell: r#"curl -sS -H "Authorization: Bearer $TOKEN" -F "file=@$1" "$URL/v1/images""#,
        only_the_link: false,
    },
    Line {
        client: "MWeb",
        page: None,
        shell: r#"curl -sS -H "token: $TOKEN" -F "file=@$1;type=application/octet-stream" "$URL/api/v1/upimg""#,
        only_the_link: false,
    },
    Line {
        client: "uPic, as a custom host",
        page: Some("upic"),
        shell: r#"curl -sS -H "Authorization: Bearer $TOKEN" -H 'Accept: application/json' -F "file=@$1" "$URL/api/v1/upload""#,
        only_the_link: false,
    },
    Line {
        client: "Typora, as a custom command",
        page: Some("typora"),
        shell: r#"curl -sS -F "source=@$1" -F "key=$TOKEN" "$URL/api/1/upload?format=txt""#,
        only_the_link: true,
    },
    Line {
        client: "Typora, as base64 text",
        page: Some("typora"),
        shell: r#"base64 -w0 "$1" | curl -sS -F "source=<-" -F "key=$TOKEN" "$URL/api/1/upload?format=txt""#,
        only_the_link: true,
    },
    Line {
        client: "Flameshot, by a pipe",
        page: Some("flameshot"),
        shell: r#"cat "$1" | curl -sS -H "X-API-Key: $TOKEN" -F "source=@-;filename=screenshot.png" "$URL/api/1/upload?format=txt""#,
        only_the_link: true,
    },
    Line {
        client: "Obsidian and VS Code, by PicGo's protocol",
        page: Some("obsidian"),
        shell: r#"curl -sS -F "list=@$1" "$URL/upload?key=$TOKEN""#,
        only_the_link: false,
    },
    Line {
        client: "Lsky's plain text",
        page: Some("curl"),
        shell: r#"curl -sS -H "Authorization: Bearer $TOKEN" -H 'Expect: 100-continue' -H 'Transfer-Encoding: chunked' -F "file=@$1" "$URL/api/v1/upload?format=txt""#,
        only_the_link: true,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_documents_upload_and_print_the_link() {
    let stack = Stack::start(&[]).await;
    for (seed, line) in (31..).zip(&LINES) {
        let (path, bytes) = picture(stack.folder.path(), seed);
        let said = run_line(line.shell, &stack, &path);
        assert!(
            !said.contains(r"\u") && !said.contains(r"\/"),
            "{}: escaped: {said}",
            line.client
        );
        came_back(&stack, &said, &bytes);
        if line.only_the_link {
            let said = said.trim();
            assert!(
                said.starts_with(&stack.url) && !said.contains(char::is_whitespace),
                "{}: {said}",
                line.client
            );
        }
    }
}

#[test]
fn the_lines_stand_on_their_pages_in_both_languages() {
    for line in &LINES {
        let Some(page) = line.page else { continue };
        let documented = line
            .shell
            .replace("$URL", "https://img.example.com")
            .replace("$TOKEN", "YOUR_TOKEN");
        for name in [format!("{page}.md"), format!("{page}.zh-CN.md")] {
            let text = std::fs::read_to_string(root().join("docs/clients").join(&name)).unwrap();
            assert!(text.contains(&documented), "{name} lacks: {documented}");
        }
    }
}

fn run_line(line: &str, stack: &Stack, path: &Path) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", line, "sh"]).arg(path);
    command
        .envs([("URL", &stack.url), ("TOKEN", &stack.token)])
        .env("NO_PROXY", "*");
    text(&run(&mut command))
}
