use refinery::Target;
use tokio_postgres::NoTls;

use crate::{Catalog, Error};

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// Brings the tables up to date and says how many migrations that took. Several processes may call it at once: an
/// advisory lock lets one work while the others wait and then find nothing to do.
///
/// The connection must be the database owner's. It is one of its own, without the pool's statement timeout.
pub async fn migrate(catalog: &Catalog) -> Result<usize, Error> {
    apply(catalog, Target::Latest).await
}

/// The same up to the migration of this number, for rows that come from an older release.
pub async fn migrate_to(catalog: &Catalog, schema: u32) -> Result<usize, Error> {
    let known = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .any(|migration| migration.version().unsigned_abs() == schema);
    if !known {
        return Err(Error::row(
            "bring the tables to another release's",
            format!("this program knows no migration V{schema}"),
        ));
    }
    apply(catalog, Target::Version(schema.cast_signed())).await
}

/// The number of the newest migration that this program knows.
#[must_use]
pub fn newest_schema() -> u32 {
    newest().unsigned_abs()
}

async fn apply(catalog: &Catalog, target: Target) -> Result<usize, Error> {
    let mut config = catalog.config().clone();
    config.options("-c statement_timeout=0");
    let (mut client, connection) = config
        .connect(NoTls)
        .await
        .map_err(Error::statement("connect to migrate"))?;
    let driver = tokio::spawn(connection);
    let outcome = async {
        client
            .batch_execute("SELECT pg_advisory_lock(hashtext('berth migrations'))")
            .await
            .map_err(Error::statement("wait for the migration lock"))?;
        let report = embedded::migrations::runner()
            .set_target(target)
            .run_async(&mut client)
            .await
            .map_err(|error| Error::Migration(Box::new(error)))?;
        Ok(report.applied_migrations().len())
    }
    .await;
    drop(client); // ends the session, and with it the lock
    let _ = driver.await;
    outcome
}

/// The newest migration that there is.
pub(crate) fn newest() -> i32 {
    let runner = embedded::migrations::runner();
    let versions = runner.get_migrations().iter().map(refinery::Migration::version);
    versions.max().unwrap_or(0)
}
