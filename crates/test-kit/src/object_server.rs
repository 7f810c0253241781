use std::path::PathBuf;

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

use crate::FaultyLine;

const BUCKET: &str = "pictures";
const ACCESS_KEY: &str = "berth-test";
const SECRET_KEY: &str = "not-a-secret-at-all";
/// What stands before every key, so that a bucket can be shared.
const PREFIX: &str = "berth/blobs";

/// A real server of the S3 protocol on a port of its own, which checks signatures, behind a line that a test can cut. It keeps objects as
/// files. Dropped, it is gone.
#[derive(Debug)]
pub struct ObjectServer {
    folder: TempDir,
    line: FaultyLine,
    _serving: JoinSet<()>,
}

impl ObjectServer {
    /// Starts one with an empty bucket.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a file system"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    let _gone = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self {
            line: FaultyLine::to(address).await,
            folder,
            _serving: serving,
        }
    }

    /// Where it is reached.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.line.address())
    }

    /// The settings by which berth reaches it.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BERTH_STORE", "s3".to_owned()),
            ("BERTH_S3_ENDPOINT", self.endpoint()),
            ("BERTH_S3_BUCKET", BUCKET.to_owned()),
            ("BERTH_S3_PREFIX", PREFIX.to_owned()),
            ("BERTH_S3_ACCESS_KEY", ACCESS_KEY.to_owned()),
            ("BERTH_S3_SECRET_KEY", SECRET_KEY.to_owned()),
        ]
    }

    /// What its requests and answers go over.
    #[must_use]
    pub fn line(&self) -> &FaultyLine {
        &self.line
    }

    /// The folder of what berth keeps there, by key.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join(BUCKET).join(PREFIX)
    }

    /// Files of uploads in parts that were neither completed nor given up.
    ///
    /// # Panics
    /// When the folder can't be read.
    #[must_use]
    pub fn parts(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .filter(|name| name.to_string_lossy().contains(".part"))
            .count()
    }
}
