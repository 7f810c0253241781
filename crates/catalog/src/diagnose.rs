use jiff::Timestamp;

use crate::{Catalog, Error, migrate::newest};

/// What a database says of itself, for who looks for what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Postgres's version, such as `15.9`.
    pub server_version: String,
    /// Its clock.
    pub now: Timestamp,
    /// The newest migration that was applied; none where there is none, or where this role may not know.
    pub applied: Option<i32>,
    /// The newest migration that this program knows.
    pub newest: i32,
}

const OPERATION: &str = "look at the database";

/// Asks the database how it is.
pub async fn diagnose(catalog: &Catalog) -> Result<Diagnosis, Error> {
    let client = catalog.client(OPERATION).await?;
    let statement = "SELECT current_setting('server_version'), now(), \
        coalesce(has_table_privilege(to_regclass('refinery_schema_history'), 'SELECT'), false)";
    let row = client
        .query_one(statement, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    let may_know: bool = row.get(2);
    let applied = if may_know {
        let statement = "SELECT max(version) FROM refinery_schema_history";
        let row = client.query_one(statement, &[]).await;
        row.map_err(Error::statement(OPERATION))?.get(0)
    } else {
        None
    };
    Ok(Diagnosis {
        server_version: row.get(0),
        now: row.get(1),
        applied,
        newest: newest(),
    })
}
