use std::{fmt::Write as _, io::IsTerminal as _, path::Path};

use crate::first_run::FirstRun;

/// A picture of one pixel for the first upload, so that the line works wherever it is pasted.
const PIXEL: &str = r"GIF89a\1\0\1\0\200\0\0\200\300\377\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";

/// Tells the operator, on standard output, where berth is and what to do first.
pub(crate) fn print(url: &str, metrics: &str, data: &Path, first: Option<&FirstRun>) {
    println!(
        "{}",
        text(url, metrics, data, first, std::io::stdout().is_terminal())
    );
}

fn text(url: &str, metrics: &str, data: &Path, first: Option<&FirstRun>, colours: bool) -> String {
    let (bold, dim, plain) = if colours {
        ("\x1b[1m", "\x1b[2m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let mut text = String::new();
    let mut row = |english: &str, chinese: &str, value: &str| {
        let label = format!("{english} {chinese}");
        // Chinese characters are two columns wide.
        let width = label
            .chars()
            .map(|c| if c.is_ascii() { 1 } else { 2 })
            .sum::<usize>();
        let gap = " ".repeat(18usize.saturating_sub(width));
        let _ = writeln!(text, "  {dim}{label}{plain}{gap}{value}");
    };
    row("URL", "网址", &format!("{bold}{url}{plain}"));
    if let Some(first) = first {
        row("Account", "账号", &first.username);
        row("Password", "密码", &first.password);
        row("Token", "令牌", &first.token);
    }
    row("Data", "数据", &data.display().to_string());
    row("Metrics", "监控", metrics);
    let mut all = format!("\n  {bold}berth is running · 图床已启动{plain}\n\n{text}\n");
    if let Some(first) = first {
        let _ = write!(
            all,
            "  Try it · 试一试:\n\n    printf '{PIXEL}' | curl -H 'Authorization: Bearer {}' -F 'file=@-;filename=hello.gif' {url}/v1/images\n\n",
            first.token
        );
        let _ = writeln!(
            all,
            "  {dim}first-run.json in the data folder keeps these; delete it once you have noted them.{plain}\n  \
             {dim}以上信息保存在数据目录的 first-run.json 中，记下后可删除。{plain}"
        );
    }
    all.push_str("  Ctrl-C stops everything · 按 Ctrl-C 停止全部服务\n");
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_start_tells_url_account_password_token_and_a_line_to_paste() {
        let first = FirstRun {
            url: "http://127.0.0.1:8080".into(),
            username: "admin".into(),
            password: "aaaa-bbbb".into(),
            token: "berth_T".into(),
        };
        let text = text(
            &first.url,
            "http://127.0.0.1:9/metrics",
            Path::new("/d"),
            Some(&first),
            false,
        );
        for part in [
            "http://127.0.0.1:8080",
            "admin",
            "aaaa-bbbb",
            "Bearer berth_T",
            "/v1/images",
            "Ctrl-C",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\x1b'), "no colours where nobody sees them");
    }
}
