use bytes::Bytes;
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use std::pin::pin;

use super::{TableShape, dump::shapes, hold::Session, identifier, rebuild::Rebuild};
use crate::{Catalog, Error};

/// What a restore finds where it is to put its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vacancy {
    /// The last migration that was applied; none where there are no tables of ours.
    pub schema: Option<u32>,
    /// Accounts that are there.
    pub accounts: u64,
    /// Images that are there, ended ones too.
    pub images: u64,
    /// Blobs that are there.
    pub blobs: u64,
}

impl Vacancy {
    /// Whether nothing would be lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts == 0 && self.images == 0 && self.blobs == 0
    }
}

/// Rows could not be put back.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is something there already; it was left alone.
    #[error("there are {} accounts and {} images here already", .0.accounts, .0.images)]
    Occupied(Vacancy),
    /// Another backup or restore of this database is under way.
    #[error("another backup or restore of this database is under way")]
    Busy,
    /// The tables of this schema are not those of the backup.
    #[error("the table {table} is not what it was when the backup was made")]
    OtherTables {
        /// Which.
        table: String,
    },
    /// The rows could not be read; none was kept.
    #[error("the rows can't be read")]
    Rows(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the database said; no row was kept.
    #[error(transparent)]
    Catalog(#[from] Error),
}

const OPERATION: &str = "restore all rows";

/// Looks at a database that rows are to be restored into.
pub async fn find_vacancy(catalog: &Catalog) -> Result<Vacancy, Error> {
    look(&Session::open(catalog, OPERATION).await?).await
}

async fn look(session: &Session) -> Result<Vacancy, Error> {
    const THERE: &str =
        "SELECT to_regclass('refinery_schema_history') IS NOT NULL, to_regclass('image') IS NOT NULL";
    const SCHEMA: &str = "SELECT max(version) FROM refinery_schema_history";
    const ROWS: &str =
        "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM image), (SELECT count(*) FROM blob)";
    let mut vacancy = Vacancy::default();
    let row = session
        .client
        .query_one(THERE, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    if row.get(0) {
        let row = session
            .client
            .query_one(SCHEMA, &[])
            .await
            .map_err(Error::statement(OPERATION))?;
        vacancy.schema = row.get::<_, Option<i32>>(0).map(i32::unsigned_abs);
    }
    if row.get(1) {
        let row = session
            .client
            .query_one(ROWS, &[])
            .await
            .map_err(Error::statement(OPERATION))?;
        let count = |index: usize| row.get::<_, i64>(index).unsigned_abs();
        (vacancy.accounts, vacancy.images, vacancy.blobs) = (count(0), count(1), count(2));
    }
    Ok(vacancy)
}

/// Makes the figures of the rows by which the database plans. Without them all is right, and lists are slow until it makes them itself.
pub async fn analyze(catalog: &Catalog) -> Result<(), Error> {
    const OPERATION: &str = "make figures of the rows";
    Session::open(catalog, OPERATION)
        .await?
        .run(OPERATION, "ANALYZE")
        .await
}

/// One transaction that fills empty tables. Until [`finish`](Self::finish) has ended well nobody sees a row of it, and nothing is
/// left of it when it is dropped or killed.
#[derive(Debug)]
pub struct Load {
    session: Session,
    tables: Vec<TableShape>,
    rebuild: Rebuild,
}

impl Load {
    /// Begins, unless there is something there. The tables must be those of the schema that the rows come from; the connection must
    /// be their owner's.
    pub async fn begin(catalog: &Catalog) -> Result<Self, LoadError> {
        let session = Session::open(catalog, OPERATION).await?;
        if !session.be_alone(OPERATION).await? {
            return Err(LoadError::Busy);
        }
        let tables = shapes(&session.client).await?;
        let names: Vec<String> = tables.iter().map(|table| identifier(&table.name)).collect();
        // Locked before they are looked at: whatever is written meanwhile is seen.
        session
            .run(
                OPERATION,
                &format!("BEGIN; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", ")),
            )
            .await?;
        let vacancy = look(&session).await?;
        if !vacancy.is_empty() {
            return Err(LoadError::Occupied(vacancy));
        }
        let rebuild = Rebuild::plan(&session.client, OPERATION).await?;
        session.run(OPERATION, &rebuild.off()).await?;
        // Triggers keep sums and tell caches; the sums come with the rows. (The rows of the migrations' own go: they come, too.)
        let quiet: Vec<String> = names
            .iter()
            .map(|name| format!("ALTER TABLE {name} DISABLE TRIGGER USER"))
            .collect();
        session.run(OPERATION, &quiet.join(";")).await?;
        session
            .run(OPERATION, &format!("TRUNCATE {}", names.join(", ")))
            .await?;
        session
            .run(OPERATION, "SET LOCAL maintenance_work_mem = '256MB'")
            .await?;
        Ok(Self {
            session,
            tables,
            rebuild,
        })
    }

    /// Fills one table with the lines that [`copy_out`](super::Dump::copy_out) gave, and says how many rows it took.
    pub async fn copy_in<E>(
        &self,
        table: &TableShape,
        lines: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<u64, LoadError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // SECURITY: the names come out of a file; they are used once the database itself has confirmed them.
        if !self.tables.iter().any(|known| {
            known.name == table.name
                && table.columns.len() == known.columns.len()
                && table.columns.iter().all(|name| known.columns.contains(name))
        }) {
            return Err(LoadError::OtherTables {
                table: table.name.clone(),
            });
        }
        let columns: Vec<String> = table.columns.iter().map(|name| identifier(name)).collect();
        let sql = format!(
            "COPY {} ({}) FROM STDIN",
            identifier(&table.name),
            columns.join(", ")
        );
        let sink = self
            .session
            .client
            .copy_in::<_, Bytes>(sql.as_str())
            .await
            .map_err(Error::statement(OPERATION))?;
        let mut sink = pin!(sink);
        let mut lines = pin!(lines);
        while let Some(piece) = lines.next().await {
            let piece = piece.map_err(|error| LoadError::Rows(error.into()))?;
            send(sink.as_mut(), piece).await?;
        }
        Ok(sink.finish().await.map_err(Error::statement(OPERATION))?)
    }

    /// Sets the sequences so that no number is given twice, puts indexes and references back, which checks them, and commits.
    pub async fn finish(self, sequences: &[(String, Option<i64>)]) -> Result<(), LoadError> {
        const SET: &str = "
            SELECT setval(format('public.%I', sequencename)::regclass, $2, true) FROM pg_sequences
            WHERE schemaname = 'public' AND sequencename = $1";
        let client = &self.session.client;
        for (name, last) in sequences {
            let Some(last) = last else { continue };
            let set = client
                .query_opt(SET, &[name, last])
                .await
                .map_err(Error::statement(OPERATION))?;
            if set.is_none() {
                return Err(LoadError::OtherTables { table: name.clone() });
            }
        }
        for statement in self.rebuild.back() {
            self.session.run(OPERATION, statement).await?;
        }
        let loud: Vec<String> = self
            .tables
            .iter()
            .map(|table| format!("ALTER TABLE {} ENABLE TRIGGER USER", identifier(&table.name)))
            .collect();
        self.session.run(OPERATION, &loud.join(";")).await?;
        self.session.run(OPERATION, "COMMIT").await?;
        Ok(())
    }
}

async fn send<S>(mut sink: std::pin::Pin<&mut S>, piece: Bytes) -> Result<(), Error>
where
    S: Sink<Bytes, Error = tokio_postgres::Error>,
{
    sink.send(piece).await.map_err(Error::statement(OPERATION))
}
