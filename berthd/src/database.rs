use std::{error::Error, path::Path};

use catalog::{Catalog, CatalogSettings, ServiceRole};
use local_postgres::{LocalPostgres, Options, PostgresBinaries, SUPERUSER};

/// The database's name.
const NAME: &str = "berth";

/// Starts Postgres in `DIR/postgres` and brings its tables up to date.
pub(crate) async fn start(data: &Path) -> Result<LocalPostgres, Box<dyn Error + Send + Sync>> {
    let directory = data.join("postgres");
    let binaries = PostgresBinaries::find_for(&directory, process::search_path().as_deref())?;
    let postgres = LocalPostgres::start(Options::new(directory, binaries)).await?;
    if let Err(error) = prepare(&postgres).await {
        postgres.stop().await?;
        return Err(error);
    }
    Ok(postgres)
}

async fn prepare(postgres: &LocalPostgres) -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = open(postgres, SUPERUSER, "postgres")?;
    catalog::create_database(&server, NAME).await?;
    let owner = owner(postgres)?;
    let applied = catalog::migrate(&owner).await?;
    if applied > 0 {
        tracing::info!(applied, "the database's tables are up to date");
    }
    for role in [ServiceRole::Upload, ServiceRole::Serve, ServiceRole::Janitor] {
        catalog::let_in(&owner, role, None).await?;
    }
    Ok(())
}

/// The database as its owner sees it.
pub(crate) fn owner(postgres: &LocalPostgres) -> Result<Catalog, catalog::Error> {
    open(postgres, SUPERUSER, NAME)
}

/// The URL with which a service's own role connects.
pub(crate) fn url_for(postgres: &LocalPostgres, role: ServiceRole) -> String {
    postgres.connection_url(role.name(), NAME)
}

fn open(postgres: &LocalPostgres, user: &str, database: &str) -> Result<Catalog, catalog::Error> {
    let url = postgres.connection_url(user, database);
    Catalog::new(&CatalogSettings {
        url,
        connections: 2,
        application_name: "berthd",
    })
}
