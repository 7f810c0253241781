use std::path::PathBuf;

use clap::Parser;
use process::settings::Sources;

/// berth in one process: an image host with its own Postgres, for one machine without Docker.
///
/// 单机一体的图床：自带 Postgres，无需 Docker。其余配置见 docs/CONFIGURATION.md（berth.toml、.env、BERTH_* 环境变量）。
#[derive(Debug, Parser)]
#[command(name = "berthd", version)]
pub(crate) struct Args {
    /// The folder that everything lives in: blobs/, postgres/, first-run.json (`BERTH_DATA`) · 数据目录
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen: HOST:PORT, port 0 for any that is free, or <unix:/path> (`BERTH_LISTEN`) · 监听地址
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where /metrics and /health answer (`BERTH_METRICS_LISTEN`) · 监控与健康检查地址
    #[arg(long, value_name = "HOST:PORT")]
    metrics_listen: Option<String>,
    /// The public URL before every link (`BERTH_BASE_URL`) · 对外网址
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

impl Args {
    /// Lays the flags over every other source of settings.
    pub(crate) fn over(self, mut sources: Sources) -> Sources {
        let flags = [
            (
                "BERTH_DATA",
                self.data.map(|path| path.to_string_lossy().into_owned()),
            ),
            ("BERTH_LISTEN", self.listen),
            ("BERTH_METRICS_LISTEN", self.metrics_listen),
            ("BERTH_BASE_URL", self.base_url),
        ];
        for (name, value) in flags {
            if let Some(value) = value {
                sources.set(name, value);
            }
        }
        sources
    }
}
