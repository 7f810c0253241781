use deadpool_postgres::Transaction;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, error::SqlState};

use crate::{Catalog, Error};

/// The advisory lock that sweeps share and a backup has for itself.
const SWEEP_LOCK: &str = "hashtext('berth sweep')";

/// How long the session of a backup that was killed may take to notice.
const PATIENCE: &str = "5s";

/// A session of its own, without the pool's limits of time. What it locked is free when it is dropped.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    _connection: JoinHandle<()>,
}

impl Session {
    pub(super) async fn open(catalog: &Catalog, operation: &'static str) -> Result<Self, Error> {
        let mut config = catalog.config().clone();
        // What the text of values depends on is said, too: a server's or a role's own settings must not bend it.
        config.options(
            "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 \
             -c search_path=public -c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC \
             -c bytea_output=hex -c extra_float_digits=1 -c client_connection_check_interval=1s",
        );
        let (client, connection) = config.connect(NoTls).await.map_err(Error::statement(operation))?;
        let connection = tokio::spawn(async move {
            // Whoever asks next is told.
            let _ended = connection.await;
        });
        Ok(Self {
            client,
            _connection: connection,
        })
    }

    pub(super) async fn run(&self, operation: &'static str, statements: &str) -> Result<(), Error> {
        self.client
            .batch_execute(statements)
            .await
            .map_err(Error::statement(operation))
    }

    /// Becomes the one backup or restore of this database, unless somebody else is, and stays it.
    pub(super) async fn be_alone(&self, operation: &'static str) -> Result<bool, Error> {
        let alone = format!(
            "SET lock_timeout = '{PATIENCE}'; SELECT pg_advisory_lock(hashtext('berth backup')); SET lock_timeout = 0"
        );
        match self.client.batch_execute(&alone).await {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            Err(error) => Err(Error::statement(operation)(error)),
        }
    }
}

/// Being the one backup of this database, while which nothing is swept: bytes that its rows speak of stay until they are copied.
#[derive(Debug)]
pub struct BackupHold {
    pub(super) session: Session,
}

impl BackupHold {
    /// Waits for the batch that is being swept; none where another backup or a restore is under way.
    pub async fn try_acquire(catalog: &Catalog) -> Result<Option<Self>, Error> {
        const OPERATION: &str = "begin a backup";
        let session = Session::open(catalog, OPERATION).await?;
        if !session.be_alone(OPERATION).await? {
            return Ok(None);
        }
        session
            .run(OPERATION, &format!("SELECT pg_advisory_lock({SWEEP_LOCK})"))
            .await?;
        Ok(Some(Self { session }))
    }

    /// Lets everything go at once. (Dropped, it goes when the server notices.)
    pub async fn release(self) -> Result<(), Error> {
        self.session
            .run("end a backup", "SELECT pg_advisory_unlock_all()")
            .await
    }

    /// Whether the session is still there. If it is, it was all the time, and nothing was swept.
    pub async fn is_held(&self) -> bool {
        self.session.client.simple_query("SELECT 1").await.is_ok()
    }
}

/// Whether a sweep may free bytes now; if it may, no backup begins until its transaction ends.
pub(crate) async fn lets_sweep(transaction: &Transaction<'_>) -> Result<bool, Error> {
    const OPERATION: &str = "ask whether a backup is under way";
    let sql = format!("SELECT pg_try_advisory_xact_lock_shared({SWEEP_LOCK})");
    let row = transaction
        .query_one(&sql, &[])
        .await
        .map_err(Error::statement(OPERATION))?;
    Ok(row.get(0))
}
