use std::fmt::Write as _;

use crate::{Done, Reconciled, Round, Scrubbed};

/// Columns of a terminal that the labels take.
const LABEL_WIDTH: usize = 36;
const NUMBER_WIDTH: usize = 16;

/// What a round did, as a small table for a person at a terminal.
#[must_use]
pub fn report(round: &Round, pretend: bool) -> String {
    let Done {
        images_expired,
        blobs_swept,
        bytes_swept,
        images_forgotten,
        staging_purged,
        staging_bytes,
        records_forgotten,
        variants_wished,
    } = round.done;
    let mut rows = vec![
        ("images expired · 到期图片", images_expired),
        ("blobs swept · 清除的文件", blobs_swept),
        ("bytes freed · 释放的字节", bytes_swept),
        ("abandoned uploads · 中断的上传", staging_purged),
        ("bytes of them · 其占用的字节", staging_bytes),
    ];
    if !pretend {
        rows.insert(3, ("ended images forgotten · 遗忘的记录", images_forgotten));
        rows.push(("events, sessions · 事件与会话", records_forgotten));
        rows.push(("thumbnails wished for · 待补缩略图", variants_wished));
    }
    let title = if pretend {
        "would be done · 预计清理"
    } else {
        "done · 已清理"
    };
    let mut table = format!("{}{:>NUMBER_WIDTH$}\n", padded(title), "");
    for (label, number) in rows {
        let _ = writeln!(table, "{}{:>NUMBER_WIDTH$}", padded(label), grouped(number));
    }
    for (pass, _) in &round.failures {
        let _ = writeln!(
            table,
            "{}{:>NUMBER_WIDTH$}",
            padded(pass.as_str()),
            "failed · 失败"
        );
    }
    table
}

/// What the store and the rows say of each other, in the same way; then where lost bytes should be, a line each.
#[must_use]
pub fn report_reconciled(found: &Reconciled, removes: bool) -> String {
    let rows = [
        ("files looked up · 核对的文件", found.files),
        ("files without a row · 无记录的文件", found.strangers),
        ("bytes of them · 其占用的字节", found.stranger_bytes),
        ("removed · 已删除", found.removed),
        ("files with odd names · 名称异常的文件", found.odd),
        ("rows looked up · 核对的记录", found.rows),
        ("rows without a file · 文件丢失的记录", found.lost),
    ];
    let title = if removes {
        "reconciled · 已核对"
    } else {
        "looked at, nothing removed · 仅核对"
    };
    let mut table = format!("{}{:>NUMBER_WIDTH$}\n", padded(title), "");
    for (label, number) in rows {
        let _ = writeln!(table, "{}{:>NUMBER_WIDTH$}", padded(label), grouped(number));
    }
    for key in &found.lost_keys {
        let _ = writeln!(table, "lost · 丢失: {key}");
    }
    table
}

/// What a scrub has found, in the same way; then which blobs are damaged, a line each.
#[must_use]
pub fn report_scrubbed(found: &Scrubbed) -> String {
    let rows = [
        ("blobs read · 校验的文件", found.blobs),
        ("bytes of them · 其字节数", found.bytes),
        ("damaged · 损坏的文件", found.damaged),
        ("newly found · 新发现的损坏", found.found),
        ("whole again · 已恢复的文件", found.healed),
    ];
    let mut table = format!("{}{:>NUMBER_WIDTH$}\n", padded("scrubbed · 已校验"), "");
    for (label, number) in rows {
        let _ = writeln!(table, "{}{:>NUMBER_WIDTH$}", padded(label), grouped(number));
    }
    for (key, damage) in &found.damaged_keys {
        let _ = writeln!(table, "damaged · 损坏: {key} ({})", damage.as_str());
    }
    table
}

/// Fills a label up to the column of the numbers; a Chinese character takes two columns.
fn padded(label: &str) -> String {
    let is_wide = |c: char| ('\u{2e80}'..='\u{ffdc}').contains(&c);
    let width: usize = label.chars().map(|c| 1 + usize::from(is_wide(c))).sum();
    format!("{label}{}", " ".repeat(LABEL_WIDTH.saturating_sub(width)))
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> Round {
        Round {
            done: Done {
                images_expired: 12,
                bytes_swept: 1_234_567,
                ..Done::default()
            },
            failures: Vec::new(),
        }
    }

    #[test]
    fn numbers_stand_in_one_column_in_both_languages() {
        let table = report(&round(), false);
        assert!(table.contains("images expired · 到期图片"));
        for (line, number) in table.lines().skip(1).zip(["12", "0", "1,234,567", "0", "0", "0"]) {
            assert!(line.ends_with(&format!(" {number}")), "{line}");
            let width: usize = line.chars().map(|c| if c > '\u{2e80}' { 2 } else { 1 }).sum();
            assert_eq!(width, LABEL_WIDTH + NUMBER_WIDTH, "{line}");
        }
    }

    #[test]
    fn a_dry_run_says_so() {
        let table = report(&round(), true);
        assert!(table.starts_with("would be done · 预计清理"));
        assert!(!table.contains("forgotten"), "it does not count them");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
