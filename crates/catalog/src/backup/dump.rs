use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};

use super::{BackupHold, LEFT_OUT, identifier};
use crate::Error;

/// One moment of all rows. It lasts until [`end`](Self::end), and should not last longer than reading them takes: the database can
/// tidy nothing up meanwhile.
#[derive(Debug)]
pub struct Dump<'a> {
    hold: &'a BackupHold,
    /// The last migration that made these tables; none where there are none.
    pub schema: Option<u32>,
    /// The server's version, as `15.14`.
    pub postgres: String,
}

/// A table and its columns, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// The table's name.
    pub name: String,
    /// Its columns' names, without those that are generated.
    pub columns: Vec<String>,
}

const OPERATION: &str = "read all rows";

/// In the migrations' order of locks: none is applied while rows are read.
const MIGRATION_LOCK: &str = "hashtext('berth migrations')";

impl BackupHold {
    /// Begins to read. Waits for migrations that are being applied.
    pub async fn dump(&self) -> Result<Dump<'_>, Error> {
        const SCHEMA: &str = "SELECT max(version) FROM refinery_schema_history";
        self.session
            .run(
                OPERATION,
                &format!("SELECT pg_advisory_lock_shared({MIGRATION_LOCK})"),
            )
            .await?;
        self.session
            .run(OPERATION, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let row = self
            .session
            .client
            .query_one(
                "SELECT to_regclass('refinery_schema_history') IS NOT NULL, current_setting('server_version')",
                &[],
            )
            .await
            .map_err(Error::statement(OPERATION))?;
        let postgres = row
            .get::<_, String>(1)
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let schema = if row.get(0) {
            let row = self
                .session
                .client
                .query_one(SCHEMA, &[])
                .await
                .map_err(Error::statement(OPERATION))?;
            row.get::<_, Option<i32>>(0).map(i32::unsigned_abs)
        } else {
            None
        };
        Ok(Dump {
            hold: self,
            schema,
            postgres,
        })
    }
}

impl Dump<'_> {
    /// Every table of the schema but those of [`LEFT_OUT`], by name.
    pub async fn tables(&self) -> Result<Vec<TableShape>, Error> {
        shapes(&self.hold.session.client).await
    }

    /// Every sequence and the last number that it gave; none where it gave none yet. They belong to no moment: a number may be
    /// later than the rows, and none is earlier.
    pub async fn sequences(&self) -> Result<Vec<(String, Option<i64>)>, Error> {
        const SQL: &str =
            "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1";
        let rows = self
            .hold
            .session
            .client
            .query(SQL, &[])
            .await
            .map_err(Error::statement(OPERATION))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// The rows of a table as COPY text: one a line. Those of `blob` come in the order of their SHA-256.
    pub async fn copy_out(
        &self,
        table: &TableShape,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + use<>, Error> {
        let columns: Vec<String> = table.columns.iter().map(|name| identifier(name)).collect();
        let order = if table.name == "blob" {
            " ORDER BY sha256"
        } else {
            ""
        };
        let sql = format!(
            "COPY (SELECT {} FROM {}{order}) TO STDOUT",
            columns.join(", "),
            identifier(&table.name)
        );
        let rows = self
            .hold
            .session
            .client
            .copy_out(sql.as_str())
            .await
            .map_err(Error::statement(OPERATION))?;
        Ok(rows.map_err(|error| Error::statement(OPERATION)(error)))
    }

    /// Lets the moment go.
    pub async fn end(self) -> Result<(), Error> {
        let end = format!("COMMIT; SELECT pg_advisory_unlock_shared({MIGRATION_LOCK})");
        self.hold.session.run(OPERATION, &end).await
    }
}

pub(super) async fn shapes(client: &tokio_postgres::Client) -> Result<Vec<TableShape>, Error> {
    const SQL: &str = "
        SELECT pg_class.relname::text, array_agg(attname::text ORDER BY attnum)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
              AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND relname <> ALL ($1)
        GROUP BY pg_class.oid, relname ORDER BY relname";
    let left_out: Vec<&str> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    let rows = client
        .query(SQL, &[&left_out])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(rows
        .iter()
        .map(|row| TableShape {
            name: row.get(0),
            columns: row.get(1),
        })
        .collect())
}
