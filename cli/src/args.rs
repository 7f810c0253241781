use std::{io::Write as _, num::NonZeroUsize, path::PathBuf};

use clap::{Args as Flags, CommandFactory as _, Parser, Subcommand};
use domain::{Scope, Username};

use crate::client::args::ClientCommand;

/// berth's command line: upload, list and export pictures at a berth that runs, and see to it as its operator.
///
/// berth 的命令行工具：上传、查找、导出图片，以及运维。
///
/// As a client it speaks to the berth that `berth login` has kept, or to `BERTH_URL` with `BERTH_TOKEN`. As an operator's tool (config,
/// migrate, setup, backup, verify, restore, token create --account) it reads berth.toml, .env and `BERTH_*` variables, as the services do.
///
/// 作为客户端时，使用 `berth login` 保存的登录，或 `BERTH_URL` 与 `BERTH_TOKEN`；作为运维工具（config、migrate、setup、backup、verify、restore、token create --account）时，
/// 与各服务一样读取 berth.toml、.env 与 `BERTH_*` 环境变量。
#[derive(Debug, Parser)]
#[command(name = "berth", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Prints a shell's completions of all commands.
    pub(crate) fn complete(shell: clap_complete::Shell) {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), "berth", &mut script);
        // Whoever stops reading it gets no panic.
        let _ = std::io::stdout().write_all(&script);
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Client(ClientCommand),
    /// Look at the settings · 查看配置
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring the database's tables up to date · 更新数据库表结构
    Migrate,
    /// Migrate, give the services' database roles their passwords, make the first account · 初始化数据库与首个账号
    Setup,
    /// Back up everything into a folder while berth runs; each file is copied once · 备份（增量）
    Backup {
        /// The folder of backups; made if it is not there
        dir: PathBuf,
        /// Keep this many snapshots, the newest; and remove files that none of them needs · 保留最近 N 份
        #[arg(long, value_name = "N")]
        keep: Option<NonZeroUsize>,
        /// Read what is in the backup already, too, and copy again what is damaged there · 重新校验已有文件
        #[arg(long)]
        rehash: bool,
        #[command(flatten)]
        place: PlaceFlags,
    },
    /// Read every byte again: of a backup, or without DIR of the live store; exit code 1 if any is not right · 校验
    Verify {
        /// A folder of backups
        dir: Option<PathBuf>,
        /// This snapshot alone
        #[arg(long, value_name = "NAME", requires = "dir")]
        snapshot: Option<String>,
        #[command(flatten)]
        place: PlaceFlags,
    },
    /// Restore a backup into an empty berth, or lost files of a live one (--only) · 恢复
    Restore {
        /// The folder of backups
        dir: PathBuf,
        /// Which snapshot, if not the newest · 指定快照
        #[arg(long, value_name = "NAME")]
        snapshot: Option<String>,
        /// Only the bytes of these images, where they are lost or damaged; `damaged` is all that the janitor found so · 仅修复图片文件
        #[arg(long, value_name = "ID|MD5|damaged", num_args = 1.., conflicts_with_all = ["snapshot", "accept_missing"])]
        only: Vec<String>,
        /// Without the files that were lost before the backup was taken · 允许缺少备份前已丢失的文件
        #[arg(long)]
        accept_missing: bool,
        #[command(flatten)]
        place: PlaceFlags,
    },
    /// Make, list and revoke tokens · 令牌
    #[command(subcommand)]
    Token(TokenCommand),
    /// Ask everything that can be wrong and say what to do about it; exit code 1 if anything is · 逐项体检并给出处理办法
    Doctor {
        /// Health URLs of services to ask as well, such as <http://127.0.0.1:9081/health/ready> · 另外检查的健康地址
        #[arg(long, value_name = "URL")]
        health: Vec<String>,
    },
    /// Print a fresh secret for .env · 生成一个新密钥
    Keygen,
    /// Print what lets a shell complete these commands · 输出命令补全脚本
    Completions {
        /// bash, zsh, fish, elvish, powershell
        shell: clap_complete::Shell,
    },
    /// Ask a health URL (plain HTTP); exit code 0 if it answers 200 · 检查健康状态
    Health {
        /// Such as <http://127.0.0.1:9081/health/ready>
        url: String,
    },
}

/// Where berth is, and how much is said about it.
#[derive(Debug, Flags)]
pub(crate) struct PlaceFlags {
    /// The data folder, with blobs/ in it; of berthd with its database, too (`BERTH_DATA`) · 数据目录
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Say nothing unless something is wrong: for cron · 静默
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Tell everything that is wrong with the settings; exit code 2 if anything is · 检查配置
    Check,
    /// Print every setting in force and where it comes from, secrets hidden · 打印生效的配置
    Print,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, this once; with --account at the database, for the operator · 创建令牌（只显示一次）；加 --account 时由运维直接写数据库
    Create {
        /// Whose token it is; your own, by the API, when absent · 哪个账号，缺省为当前登录的账号
        #[arg(long)]
        account: Option<Username>,
        /// What to call it · 名称
        #[arg(long, default_value = "made by the command line")]
        name: String,
        /// What it may do: upload, read, manage, admin · 权限
        #[arg(long, value_delimiter = ',', default_value = "upload,read,manage")]
        scopes: Vec<Scope>,
        /// Good for this album alone, by name or number · 仅限此相册
        #[arg(long, conflicts_with = "account")]
        album: Option<String>,
        /// How long it is good, such as 90d; for ever when absent · 有效期，缺省为永久
        #[arg(long, value_name = "SPAN", conflicts_with = "account")]
        expires_in: Option<String>,
    },
    /// List your tokens · 列出令牌
    List,
    /// Revoke tokens, and all that were made with them · 吊销令牌及由其创建的令牌
    Revoke {
        /// Their numbers, from `berth token list` · 编号
        #[arg(required = true)]
        tokens: Vec<i64>,
    },
}
