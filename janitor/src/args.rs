use clap::{Parser, Subcommand};

/// The janitor: writes off what has expired, frees bytes after the grace, purges abandoned uploads.
///
/// 清理服务：到期图片下线、宽限期后释放空间、清理中断的上传。配置见 docs/CONFIGURATION.md（berth.toml、.env、BERTH_* 环境变量）。
#[derive(Debug, Parser)]
#[command(name = "janitor", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Count what would be done, and do nothing · 只统计，不清理
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Clean continuously and once a day, until stopped (the default) · 持续运行（默认）
    Run,
    /// Clean once, say what was done, and exit; works beside a janitor that runs · 清理一次后退出
    RunOnce,
    /// Hold the store against the database: files that no row speaks of, rows whose file is lost · 核对存储与数据库
    Reconcile {
        /// Remove the files that no row speaks of; without it they are counted · 删除无记录的文件，否则只统计
        #[arg(long)]
        remove: bool,
    },
    /// Read the blobs again now: the rest of the round that is under way; fails when any is damaged · 立即校验存储内容
    Scrub {
        /// Every blob, from the first one · 校验全部
        #[arg(long)]
        all: bool,
    },
}

impl Args {
    pub(crate) fn command(&self) -> Command {
        self.command.unwrap_or(Command::Run)
    }
}
