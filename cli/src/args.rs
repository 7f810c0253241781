use clap::{Parser, Subcommand};
use domain::{Scope, Username};

/// berth's command line. Settings come from berth.toml, .env and BERTH_* variables, as for the services.
///
/// berth 的命令行工具；配置来自 berth.toml、.env 与 BERTH_* 环境变量。
#[derive(Debug, Parser)]
#[command(name = "berth", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at the settings · 查看配置
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring the database's tables up to date · 更新数据库表结构
    Migrate,
    /// Migrate, give the services' database roles their passwords, make the first account · 初始化数据库与首个账号
    Setup,
    /// Tokens of accounts · 令牌
    #[command(subcommand)]
    Token(TokenCommand),
    /// Ask a health URL (plain HTTP); exit code 0 if it answers 200 · 检查健康状态
    Health {
        /// Such as <http://127.0.0.1:9081/health/ready>
        url: String,
    },
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
    /// Make a token and print it, this once · 创建令牌（只显示一次）
    Create {
        /// Whose token it is
        #[arg(long)]
        account: Username,
        /// What to call it
        #[arg(long, default_value = "made by the command line")]
        name: String,
        /// What it may do: upload, read, manage, admin
        #[arg(long, value_delimiter = ',', default_value = "upload,read,manage")]
        scopes: Vec<Scope>,
    },
}
