//! The lines that people put into editors and scripts: docs/clients/ says the same ones.

use std::{path::Path, process::Command};

use super::{came_back, picture, run, text};
use crate::stack::Stack;

/// A line of shell, as its client runs it: `$URL` is ours, `$TOKEN` the token, `$1` the file.
struct Line {
    client: &'static str,
    line: &'static str,
    /// Whether it prints nothing but the link, as an editor expects that takes the last line for it.
    only_the_link: bool,
}

const LINES: [Line; 8] = [
    Line {
        client: "curl, berth's own API",
        line: r#"curl -sS -H "Authorization: Bearer $TOKEN" -F "file=@$1" "$URL/v1/images""#,
        only_the_link: false,
    },
    Line {
        client: "MWeb",
        line: r#"curl -sS -H "token: $TOKEN" -F "file=@$1;type=application/octet-stream" "$URL/api/v1/upimg""#,
        only_the_link: false,
    },
    Line {
        client: "uPic, as a custom host",
        line: r#"curl -sS -H "Authorization: Bearer $TOKEN" -H 'Accept: application/json' -F "file=@$1" "$URL/api/v1/upload""#,
        only_the_link: false,
    },
    Line {
        client: "Typora, as a custom command",
        line: r#"curl -sS -F "source=@$1" -F "key=$TOKEN" "$URL/api/1/upload?format=txt""#,
        only_the_link: true,
    },
    Line {
        client: "Typora, without curl's form",
        line: r#"base64 -w0 "$1" | curl -sS --data-urlencode source@- -d "key=$TOKEN" "$URL/api/1/upload?format=txt""#,
        only_the_link: true,
    },
    Line {
        client: "Flameshot, by a pipe",
        line: r#"cat "$1" | curl -sS -H "X-API-Key: $TOKEN" -F "source=@-;filename=screenshot.png" "$URL/api/1/upload?format=txt""#,
        only_the_link: true,
    },
    Line {
        client: "Obsidian and VS Code, by PicGo's protocol",
        line: r#"curl -sS -F "list=@$1" "$URL/upload?key=$TOKEN""#,
        only_the_link: false,
    },
    Line {
        client: "Lsky's plain text",
        line: r#"curl -sS -H "Authorization: Bearer $TOKEN" -H 'Expect: 100-continue' -H 'Transfer-Encoding: chunked' -F "file=@$1" "$URL/api/v1/upload?format=txt""#,
        only_the_link: true,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_documents_upload_and_print_the_link() {
    let stack = Stack::start(&[]).await;
    for (seed, line) in (31..).zip(&LINES) {
        let (path, bytes) = picture(stack.folder.path(), seed);
        let said = shell(line.line, &stack, &path);
        assert!(!said.contains('\\'), "{}: escaped: {said}", line.client);
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

fn shell(line: &str, stack: &Stack, path: &Path) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", line, "sh"]).arg(path);
    command
        .envs([("URL", &stack.url), ("TOKEN", &stack.token)])
        .env("NO_PROXY", "*");
    text(&run(&mut command))
}
