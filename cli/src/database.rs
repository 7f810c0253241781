//! Where an operator's command finds the database and the store: a server by `BERTH_DATABASE_URL`, or berthd's own in its folder.

use std::path::{Path, PathBuf};

use blobs::{BlobReader, BlobWriter, StoreSettings};
use catalog::{Catalog, CatalogSettings};
use local_postgres::{LocalPostgres, Options, PostgresBinaries, SUPERUSER};
use process::settings::{Reader, Sources};

use crate::Failure;

/// berthd's database.
const NAME: &str = "berth";

/// What the settings say about where everything is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    data: PathBuf,
    store: StoreSettings,
    /// Whether somebody named the data folder, so that one may be made there.
    is_data_named: bool,
    url: Option<String>,
    /// `BERTH_BASE_URL`.
    pub(crate) site: Option<String>,
}

/// The database, open; berthd's Postgres with it, where it was not running and is run for this command.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) catalog: Catalog,
    own: Option<LocalPostgres>,
}

impl Place {
    /// Reads the settings; `--data` wins.
    pub(crate) fn load(mut sources: Sources, data: Option<&Path>) -> Result<Self, Failure> {
        if let Some(data) = data {
            sources.set("BERTH_DATA", data.to_string_lossy());
        }
        let mut reader = Reader::new(sources);
        let data = std::path::absolute(reader.value("BERTH_DATA", PathBuf::new()))?;
        let folder = data.join("blobs");
        let store = reader.together(|text| StoreSettings::read(&folder, text));
        let store = store.unwrap_or_else(|| folder.as_path().into());
        let place = Self {
            is_data_named: reader.is_set("BERTH_DATA"),
            data,
            store,
            url: reader.text("BERTH_DATABASE_URL").map(str::to_owned),
            site: reader.text("BERTH_BASE_URL").map(str::to_owned),
        };
        Ok(reader.finish(place)?)
    }

    /// The store, to read.
    pub(crate) async fn reader(&self) -> Result<BlobReader, Failure> {
        let reader = BlobReader::new(&self.store);
        reader.check().await?;
        Ok(reader)
    }

    /// The store, to write; made where it is not there.
    pub(crate) fn writer(&self) -> Result<BlobWriter, Failure> {
        Ok(BlobWriter::open(&self.store)?)
    }

    /// Whether the database is berthd's own.
    pub(crate) fn is_berthd(&self) -> bool {
        self.url.is_none()
    }

    /// Whether there is one to open: of a server we believe it.
    pub(crate) fn has_database(&self) -> bool {
        !self.is_berthd() || self.cluster().join("data").is_dir()
    }

    /// Opens the database that is there.
    pub(crate) async fn open(&self) -> Result<Database, Failure> {
        if !self.has_database() {
            return Err(format!(
                "there is no database: set BERTH_DATABASE_URL to that of its owner, or name berthd's data folder by --data \
                 (there is no postgres/ in {}) · 未找到数据库",
                self.data.display()
            )
            .into());
        }
        self.open_or_make().await
    }

    /// The same, and berthd's is made in a folder that somebody named and that has none.
    pub(crate) async fn open_or_make(&self) -> Result<Database, Failure> {
        if let Some(url) = &self.url {
            return Ok(Database {
                catalog: open(url.clone())?,
                own: None,
            });
        }
        let cluster = self.cluster();
        if !self.is_data_named && !self.has_database() {
            return Err("say where to: BERTH_DATABASE_URL is the database of its owner, --data is berthd's data folder, \
                        which is made if it is not there · 请指定数据库或数据目录"
                .into());
        }
        if let Some(url) = LocalPostgres::running_url(&cluster, SUPERUSER, NAME)? {
            return Ok(Database {
                catalog: open(url)?,
                own: None,
            });
        }
        let binaries = PostgresBinaries::find_for(&cluster, process::search_path().as_deref())?;
        let own = LocalPostgres::start(Options::new(cluster, binaries)).await?;
        let server = open(own.connection_url(SUPERUSER, "postgres"))?;
        let catalog = open(own.connection_url(SUPERUSER, NAME))?;
        let database = Database {
            catalog,
            own: Some(own),
        };
        if let Err(error) = catalog::create_database(&server, NAME).await {
            database.close().await?;
            return Err(error.into());
        }
        server.close();
        Ok(database)
    }

    fn cluster(&self) -> PathBuf {
        self.data.join("postgres")
    }
}

impl Database {
    /// Lets it go, and stops the Postgres that was run for us.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        self.catalog.close();
        match self.own {
            Some(own) => Ok(own.stop().await?),
            None => Ok(()),
        }
    }
}

fn open(url: String) -> Result<Catalog, Failure> {
    Ok(Catalog::new(&CatalogSettings {
        url,
        connections: 4,
        application_name: "berth command line",
    })?)
}
