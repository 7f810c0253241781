//! A running serve-svc, pictures published behind it, and a small HTTP client.

use std::path::{Path, PathBuf};

use catalog::{NewBlob, NewImage, ServiceRole};
use domain::{Expiry, FileName, Md5, MediaType, PublicId, Sha256, Visibility};
use http_kit::{ConnectionLimits, Listener, Metrics, RequestIds, StackSettings};
use jiff::SignedDuration;
use process::settings::Sources;
use serve_svc::{ServeSettings, Service};
use sha2::Digest as _;
use tempfile::TempDir;
use test_kit::{ManualClock, TestDatabase};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) struct Server {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) account: i64,
    pub(crate) metrics: Metrics,
    folder: TempDir,
    replica: Replica,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A picture that was published.
pub(crate) struct Picture {
    pub(crate) id: PublicId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) file: PathBuf,
    pub(crate) path: String,
}

impl Picture {
    /// Its entity tag: the first half of the SHA-256.
    pub(crate) fn etag(&self) -> String {
        let mut digits = Sha256(sha2::Sha256::digest(&self.bytes).into()).to_string();
        digits.truncate(32);
        format!("\"{digits}\"")
    }

    pub(crate) fn urls(&self) -> [String; 3] {
        [
            format!("/i/{}.png", self.id),
            format!("/i/{}", self.id),
            format!("/?path=/{}", self.path),
        ]
    }
}

impl Server {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_on(TestDatabase::create().await, settings).await
    }

    /// On a Postgres of its own, which the test may stop.
    pub(crate) async fn start_apart() -> Self {
        Self::start_on(TestDatabase::create_apart().await, &[]).await
    }

    async fn start_on(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database.url_as(ServiceRole::Serve);
        let clock = ManualClock::at("2026-11-21T00:00:00Z".parse().unwrap());
        let replica = Replica::start(folder.path(), &url, settings, &clock).await;
        let account = test_kit::account(&database, "ann").await;
        Self {
            database,
            clock,
            account,
            metrics: replica.metrics.clone(),
            folder,
            replica,
        }
    }

    /// Stops it in order and gives the database back.
    pub(crate) async fn stop(self) -> TestDatabase {
        self.replica.stop().await;
        self.database
    }

    /// Another one beside it, with the same database, the same blobs and the same journals unless the settings say otherwise.
    pub(crate) async fn beside(&self, settings: &[(&str, &str)]) -> Replica {
        let url = self.database.url_as(ServiceRole::Serve);
        Replica::start(self.folder.path(), &url, settings, &self.clock).await
    }

    /// Publishes a picture as upload-svc does.
    pub(crate) async fn publish(
        &self,
        seed: u64,
        visibility: Visibility,
        lifetime: Option<SignedDuration>,
    ) -> Picture {
        let bytes = test_kit::pictures::png(40, 40, seed);
        self.publish_bytes(seed, bytes, visibility, lifetime).await
    }

    /// The same for bytes of the test's own.
    pub(crate) async fn publish_bytes(
        &self,
        seed: u64,
        bytes: Vec<u8>,
        visibility: Visibility,
        lifetime: Option<SignedDuration>,
    ) -> Picture {
        self.publish_colliding(seed, seed, bytes, visibility, lifetime)
            .await
    }

    /// The same, under the MD5 of another seed.
    pub(crate) async fn publish_colliding(
        &self,
        seed: u64,
        md5_seed: u64,
        bytes: Vec<u8>,
        visibility: Visibility,
        lifetime: Option<SignedDuration>,
    ) -> Picture {
        let now = self.clock.now();
        let low = u8::try_from(seed).unwrap();
        let (media_type, dimensions) = described(&bytes);
        let new = NewImage {
            public_id: PublicId::from_random([low; 16]),
            account_id: self.account,
            album_id: None,
            blob: NewBlob {
                md5: Md5([u8::try_from(md5_seed).unwrap(); 16]),
                sha256: Sha256(sha2::Sha256::digest(&bytes).into()),
                size_bytes: bytes.len() as u64,
                media_type,
                dimensions,
                camera: None,
            },
            name: FileName::clean("截图.png", "image.png"),
            description: String::new(),
            visibility,
            expiry: Expiry::from_option(lifetime.map(|lifetime| now + lifetime)),
            ends_by_policy: false,
            client_address: None,
            origin: catalog::Origin::default(),
        };
        let (root, content) = (self.folder.path().join("blobs"), bytes.clone());
        let uploads = self.database.catalog_as(ServiceRole::Upload);
        let place = |key: domain::BlobKey| async move {
            std::fs::create_dir_all(root.join(key.folder()))?;
            std::fs::write(root.join(key.as_str()), content)
        };
        let published = catalog::publish(&uploads, &new, now, place).await.unwrap();
        let path = published.image.key;
        Picture {
            id: new.public_id,
            bytes,
            file: self.folder.path().join("blobs").join(&path),
            path,
        }
    }

    /// The folder that `BERTH_DATA` names.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    pub(crate) async fn ask(&self, method: &str, url: &str, headers: &[&str]) -> Answer {
        self.replica.ask(method, url, headers).await
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.replica.get(url).await
    }

    /// Views in the database, once the fold has brought them there.
    /// Takes back every link of an image that was given out so far.
    pub(crate) async fn revoke_links(&self, image: PublicId) {
        let uploads = self.database.catalog_as(ServiceRole::Upload);
        catalog::revoke_links(&uploads, self.account, image, None, None, self.clock.now())
            .await
            .unwrap();
    }

    pub(crate) async fn counted(&self, picture: &Picture, expected: u64) -> u64 {
        let catalog = self.database.catalog_as(ServiceRole::Upload);
        let mut views = 0;
        for _ in 0..200 {
            views = catalog::find_image(&catalog, picture.id)
                .await
                .unwrap()
                .unwrap()
                .views;
            if views >= expected {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        views
    }
}

/// One serve-svc.
pub(crate) struct Replica {
    pub(crate) metrics: Metrics,
    address: String,
    background: JoinHandle<()>,
    stop: DropGuard,
}

impl Replica {
    async fn start(data: &Path, url: &str, settings: &[(&str, &str)], clock: &ManualClock) -> Self {
        let mut pairs = vec![
            ("BERTH_BASE_URL", "https://img.example"),
            ("BERTH_SECRET", "0123456789abcdef0123456789abcdef"),
            ("BERTH_DATA", data.to_str().unwrap()),
            ("BERTH_DATABASE_URL", url),
            ("BERTH_HOTLINK_ALLOW", "blog.example"),
        ];
        pairs.extend_from_slice(settings);
        let settings = ServeSettings::load(Sources::from_pairs(pairs)).unwrap();
        let metrics = Metrics::new();
        let service = Service::new(&settings, clock.clock(), &metrics).unwrap();
        let stop = CancellationToken::new();
        let background = tokio::spawn(serve_svc::background(service.clone(), stop.clone()));
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener
            .local_url()
            .unwrap()
            .strip_prefix("http://")
            .unwrap()
            .to_owned();
        let stack = StackSettings::new(std::sync::Arc::new(RequestIds::new([7; 16])));
        let views = serve_svc::with_views(service.clone(), serve_svc::routes(service));
        let stacked = serve_svc::protected(http_kit::stack_service(views, stack, &metrics));
        tokio::spawn(http_kit::serve(
            listener,
            stacked,
            ConnectionLimits::default(),
            stop.clone(),
        ));
        Self {
            metrics,
            address,
            background,
            stop: stop.drop_guard(),
        }
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.background.await.unwrap();
    }

    pub(crate) async fn ask(&self, method: &str, url: &str, headers: &[&str]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let lines = headers
            .iter()
            .flat_map(|header| [*header, "\r\n"])
            .collect::<String>();
        let head =
            format!("{method} {url} HTTP/1.1\r\nHost: img.example\r\nConnection: close\r\n{lines}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers = pairs
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Answer {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.ask("GET", url, &[]).await
    }
}

/// The type and the dimensions of a test's own bytes.
fn described(bytes: &[u8]) -> (MediaType, Option<(u32, u32)>) {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    if bytes.starts_with(b"\x89PNG") {
        (MediaType::Png, Some((number(16), number(20))))
    } else if bytes.get(4..12) == Some(b"ftypheic") {
        (MediaType::Heic, Some((4032, 3024)))
    } else if bytes.get(4..8) == Some(b"ftyp") {
        (MediaType::Mp4, None)
    } else if bytes.starts_with(b"II*\0") {
        (MediaType::Tiff, Some((320, 200)))
    } else {
        (MediaType::Png, Some((40, 40)))
    }
}
