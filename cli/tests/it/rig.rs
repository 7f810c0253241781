//! A berth without services: a database, a store, and what is in them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use blobs::BlobWriter;
use catalog::{Catalog, ImageRecord, NewBlob, NewImage, Origin, ServiceRole, publish};
use domain::{Expiry, FileName, MediaType, PublicId, Visibility};
use jiff::Timestamp;
use tempfile::TempDir;
use test_kit::{TestDatabase, pictures};
use tokio_postgres::Client;

pub(crate) struct Berth {
    pub(crate) database: TestDatabase,
    folder: TempDir,
    pub(crate) upload: Catalog,
    pub(crate) janitor: Catalog,
    pub(crate) owner: Client,
}

/// The present of these tests.
pub(crate) fn noon() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

/// What one run of `berth` said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self
    }

    /// It failed, and said these things about it.
    #[track_caller]
    pub(crate) fn failed(self, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}\n{}", self.out, self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part}: {}", self.err);
        }
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// `berth` with nothing of this machine's settings.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BERTH_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder);
    command
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Berth {
    pub(crate) async fn new() -> Self {
        Self::over(TestDatabase::create().await).await
    }

    /// One without tables and without a store, into which to restore.
    pub(crate) async fn empty() -> Self {
        Self::over(TestDatabase::create_empty().await).await
    }

    pub(crate) async fn over(database: TestDatabase) -> Self {
        Self {
            upload: database.catalog_as(ServiceRole::Upload),
            janitor: database.catalog_as(ServiceRole::Janitor),
            owner: database.connect().await,
            folder: tempfile::tempdir().unwrap(),
            database,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.data().join("blobs")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.folder.path());
        command.args(arguments).envs([
            ("BERTH_DATABASE_URL", self.database.owner_url().as_str()),
            ("BERTH_DATA", text(&self.data())),
            ("BERTH_BASE_URL", "https://img.example.com"),
        ]);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) async fn account(&self, name: &str) -> i64 {
        test_kit::account(&self.database, name).await
    }

    /// Publishes these bytes as an upload does.
    pub(crate) async fn publish(&self, account: i64, bytes: Vec<u8>, name: &str) -> ImageRecord {
        let writer = BlobWriter::open(&self.store()).unwrap();
        publish_with(&self.upload, &writer, account, bytes, name).await
    }

    pub(crate) async fn publish_pictures(
        &self,
        account: i64,
        seeds: std::ops::Range<u64>,
    ) -> Vec<ImageRecord> {
        let writer = BlobWriter::open(&self.store()).unwrap();
        let mut images = Vec::new();
        for seed in seeds {
            let bytes = picture(seed);
            images.push(publish_with(&self.upload, &writer, account, bytes, &format!("{seed}.png")).await);
        }
        images
    }

    pub(crate) fn file(&self, image: &ImageRecord) -> PathBuf {
        self.store().join(&image.key)
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Every table that a backup holds: how many rows, and a digest of them all.
    pub(crate) async fn rows(&self) -> BTreeMap<String, (i64, Option<String>)> {
        let mut rows = BTreeMap::new();
        for table in self.tables().await {
            if catalog::LEFT_OUT.iter().any(|(name, _)| *name == table) {
                continue;
            }
            let sql = format!(
                "SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) FROM \"{table}\" AS t"
            );
            let row = self.owner.query_one(&sql, &[]).await.unwrap();
            rows.insert(table, (row.get(0), row.get(1)));
        }
        rows
    }

    pub(crate) async fn tables(&self) -> Vec<String> {
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
        let rows = self.owner.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Everything of the schema that a restore takes off and puts back, and where the sequences stand.
    pub(crate) async fn shape(&self) -> Vec<String> {
        const SQL: &str = "
            SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
            WHERE relnamespace = 'public'::regnamespace
            UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated::text
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'public'
                AND sequencename NOT IN ('session_id_seq')
            ORDER BY 1";
        let rows = self.owner.query(SQL, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The SHA-256 of each file of the store that a row speaks of, by key: none where it is not there.
    pub(crate) async fn files(&self) -> BTreeMap<String, bool> {
        use sha2::{Digest as _, Sha256};
        let rows = self
            .owner
            .query("SELECT key, sha256 FROM blob", &[])
            .await
            .unwrap();
        rows.iter()
            .map(|row| {
                let (key, sha256): (String, Vec<u8>) = (row.get(0), row.get(1));
                let is_right =
                    fs::read(self.store().join(&key)).is_ok_and(|bytes| Sha256::digest(bytes)[..] == sha256);
                (key, is_right)
            })
            .collect()
    }

    /// What must hold of any berth: counters are sums, and links are live images.
    pub(crate) async fn check_sums(&self) {
        for (what, sql) in [
            (
                "links",
                "SELECT count(*) FROM blob WHERE links <>
                    (SELECT count(*) FROM image WHERE image.blob_id = blob.id AND ended_at IS NULL)",
            ),
            (
                "files of accounts",
                "SELECT count(*) FROM account WHERE used_files <>
                    (SELECT count(*) FROM image WHERE image.account_id = account.id AND ended_at IS NULL)",
            ),
            (
                "images of albums",
                "SELECT count(*) FROM album WHERE images <>
                    (SELECT count(*) FROM image WHERE image.album_id = album.id AND ended_at IS NULL)",
            ),
        ] {
            assert_eq!(self.number(sql).await, 0, "{what}");
        }
    }
}

/// Small pictures, every hundredth of them large enough to come in several pieces.
pub(crate) fn picture(seed: u64) -> Vec<u8> {
    let mut bytes = pictures::png(16, 16, seed);
    if seed.is_multiple_of(100) {
        bytes.extend(std::iter::repeat_n(u8::try_from(seed % 251).unwrap(), 700_000));
    }
    bytes
}

pub(crate) async fn publish_with(
    catalog: &Catalog,
    writer: &BlobWriter,
    account_id: i64,
    bytes: Vec<u8>,
    name: &str,
) -> ImageRecord {
    let mut staging = writer.stage().unwrap();
    staging.write(bytes.into()).await;
    let staged = Arc::new(staging.finish().await.unwrap());
    let new = NewImage {
        public_id: PublicId::from_random(process::random()),
        account_id,
        album_id: None,
        blob: NewBlob {
            md5: staged.md5(),
            sha256: staged.sha256(),
            size_bytes: staged.size_bytes(),
            media_type: MediaType::Png,
            dimensions: Some((16, 16)),
            camera: None,
        },
        name: FileName::clean(name, "image.png"),
        description: "with a tab\there, a line\nthere, a \\ and 图床".to_owned(),
        visibility: Visibility::Public,
        expiry: Expiry::Never,
        ends_by_policy: false,
        client_address: Some([192, 0, 2, 7].into()),
        origin: Origin {
            taken: None,
            sent: Some((staged.md5(), staged.sha256())),
        },
    };
    let published = publish(catalog, &new, noon(), |key| {
        writer.publish(Arc::clone(&staged), key)
    })
    .await;
    published.unwrap().image
}

/// Rows in every table that a backup holds, beside those that publishing made.
pub(crate) const MORE_ROWS: &str = r#"
    UPDATE site_policy SET policy = '{"hotlink": {"allow": ["blog.example"]}, "expiry": {"default": "30d"}}', updated_at = now();
    UPDATE album SET policy = '{"visibility": "unlisted"}' WHERE id = (SELECT min(id) FROM album);
    UPDATE purge_hook SET is_on = true;
    INSERT INTO purge_many (account_id, username) SELECT id, username FROM account;
    INSERT INTO token (account_id, hash, hint, name, scopes, created_at)
        SELECT id, sha256(username::bytea), 'berth_x', E'a\tb', '{upload}', now() FROM account;
    INSERT INTO token (account_id, hash, hint, name, scopes, created_at, made_by)
        SELECT account_id, sha256(hash), 'berth_y', 'child', '{upload}', now(), id FROM token;
    UPDATE image SET visibility = 'private', link_generation = 3, policy = '{"hotlink": {"empty": "refuse"}}' WHERE id % 7 = 1;
    UPDATE image SET expires_at = '2026-01-01', ended_at = '2026-01-02', ended_by = 'expired' WHERE id % 11 = 3;
    UPDATE blob SET links = 0, doomed_at = '2026-01-02' WHERE id IN (SELECT blob_id FROM image WHERE ended_at IS NOT NULL);
    UPDATE account SET used_files = held.files, used_bytes = held.bytes FROM (
        SELECT account_id, count(*) AS files, sum(size_bytes) AS bytes FROM image WHERE ended_at IS NULL GROUP BY 1) AS held
        WHERE held.account_id = account.id;
    INSERT INTO view_count (image_id, views, bytes, last_viewed_at) SELECT id, id * 3, id * 1000, '2026-06-30 12:34:56.789012+00' FROM image;
    INSERT INTO view_count_day (image_id, day, views, bytes) SELECT id, '2026-06-30', id, id FROM image;
    INSERT INTO account_day VALUES (1, '2026-06-30', 1, 2, 3, 4, 5);
    INSERT INTO account_top_image VALUES (1, '2026-06-30', 1, 9);
    INSERT INTO account_site_day VALUES (1, '2026-06-30', '', 1, 2, 3);
    INSERT INTO image_site_day VALUES (1, '2026-06-30', 'blog.example', 1, 2, 3);
    INSERT INTO view_journal VALUES ('\x000102030405060708090a0b0c0d0e0f', 7, now());
    INSERT INTO idempotency (account_id, key_hash, holder, claimed_until, expires_at)
        SELECT id, sha256('k'), '\x000102030405060708090a0b0c0d0e0f', now(), now() FROM account;
    INSERT INTO session (account_id, jti, created_at, expires_at) SELECT id, decode(md5(username), 'hex'), now(), 'infinity' FROM account;
"#;

/// Two accounts and so many pictures, with rows in every table.
pub(crate) async fn filled(pictures: u64) -> Berth {
    let berth = Berth::new().await;
    let (one, two) = (berth.account("one").await, berth.account("two").await);
    berth.publish_pictures(one, 0..pictures).await;
    berth.publish(two, picture(1), "the same.png").await;
    berth.owner.batch_execute(MORE_ROWS).await.unwrap();
    for (table, (rows, _)) in berth.rows().await {
        assert!(rows > 0, "{table} is empty: it would prove nothing");
    }
    berth
}

/// Every file below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}
